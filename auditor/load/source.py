"""Pairs a plan with the Terraform source it was made from: a folder, or the binary plan itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from auditor.errors import InputError
from auditor.files import read_bytes
from auditor.model import Plan
from auditor.syntax import SourceTree


def with_source(
    plans: Sequence[Plan], hcl_dir: Path | None = None, binary_plan: Path | None = None, keep_going: bool = False,
    workspace: str = "",
) -> list[Plan]:
    """The plans with their source. Raises InputError where a named source cannot be read."""
    if hcl_dir is None and binary_plan is None:
        return list(plans)
    if len(plans) != 1:
        raise InputError(
            f"--hcl-dir and --binary-plan go with one plan, and {len(plans)} are given", "Audit them one by one."
        )
    tree = folder_tree(hcl_dir, keep_going) if hcl_dir is not None and binary_plan is None else None
    if binary_plan is not None:
        tree = archive_tree(binary_plan, _bytes(binary_plan), hcl_dir, keep_going)
    assert tree is not None
    notices = tuple(f"not read: {u}" for u in tree.unread)
    beside = "not read, as OpenTofu reads the .tofu file beside it; the binary plan tells which"
    notices += tuple(f"{h}: {beside}" for h in tree.hidden)
    return [paired(p, tree, p.notices + notices, workspace) for p in plans]


def paired(plan: Plan, tree: SourceTree, notices: tuple[str, ...], workspace: str = "") -> Plan:
    """The plan with its source. `workspace`: the one it was planned in, where that is known."""
    if plan.kind != "plan":
        return replace(plan, source=tree, notices=notices)
    from auditor.load.hcl.planned import plan_answers

    variables = {n: _told(tree, n, v) for n, v in plan.variables.items()}
    return replace(plan, source=tree, notices=notices, answers=plan_answers(tree, workspace), variables=variables)


def _told(tree: SourceTree, name: str, given: Any) -> Any:
    """What a plan tells of a root variable. Of an ephemeral one it holds nothing: `terraform show` prints its default."""
    from auditor.load.hcl.modules import literal

    block = tree.root.variables.get(name)
    return {} if block is not None and literal(block.body.attributes.get("ephemeral")) is True else given


def folder_tree(folder: Path, keep_going: bool = False) -> SourceTree:
    """The modules of a Terraform root on disk."""
    from auditor.load.hcl.folders import Disk
    from auditor.load.hcl.modules import read_tree

    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder with Terraform files", "Check the path.")
    tree = read_tree(Disk(folder, shown(folder)), keep_going)
    if not tree.root.files and not tree.unread:
        raise InputError(f"{folder}: no Terraform files", "Name the folder the plan was made from.")
    return tree


def archive_tree(path: Path, data: bytes, hcl_dir: Path | None = None, keep_going: bool = True) -> SourceTree:
    """The modules of a binary plan. Their lines are told as of the folder that holds the same root module:
    the one given, the plan's own, or the working directory."""
    from auditor.load.archive import Archive
    from auditor.load.hcl.modules import read_tree

    beside = [hcl_dir] if hcl_dir is not None else [path.parent, Path()]
    archive = Archive(str(path), data)
    for folder in beside:
        found = Archive(str(path), data, folder, shown(folder))
        if found.beside is not None:
            return read_tree(found, keep_going)
    if hcl_dir is not None:
        raise InputError(
            f"{hcl_dir}: not the folder that {path} was planned from: its Terraform files differ",
            "Give the folder as it was planned, or leave out --hcl-dir or --binary-plan.",
        )
    return read_tree(archive, keep_going)


def shown(folder: Path) -> str:
    """A folder as reports print it: relative to the working directory where it lies below."""
    resolved, here = folder.resolve(), Path.cwd().resolve()
    if resolved.is_relative_to(here):
        return resolved.relative_to(here).as_posix()
    return os.fspath(folder)


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as e:
        raise InputError(f"{path}: cannot be read: {e.strerror or e}", "Check the path.") from e
