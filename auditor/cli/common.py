"""What several commands share: dates, NAME=VALUE options, the policy, the plans, the rules."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.baseline import Baseline, Entry
from auditor.catalog import Catalog, data_dir
from auditor.cli.progress import track
from auditor.config import Config, find_workload, known_with_own, load_config
from auditor.errors import InputError, PolicyError
from auditor.files import read_bytes
from auditor.layers import display
from auditor.model import Plan, Rule
from auditor.rules import asked, load_rules, select
from auditor.spelling import suggest

if TYPE_CHECKING:
    from auditor.load.hcl.inputs import SourceOptions


def as_of_date(text: str | None) -> date:
    if text is None:
        return datetime.now(tz=UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        raise click.BadParameter(f"{text!r} is not a date like 2026-11-20", param_hint="--as-of") from e


def pairs(items: tuple[str, ...]) -> dict[str, str]:
    made = {}
    for item in items:
        name, eq, value = item.partition("=")
        if not eq or not name or not value:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE", param_hint="--assume")
        made[name] = value
    return made


def read_config(
    policy: str | None, workload: Path | None, overrides: dict[str, Any], catalog: Catalog,
    every: dict[str, Rule], as_of: date,
) -> Config:  # fmt: skip
    """The policy of a run; its own rules join `every`."""
    config = load_config(
        policy, workload, overrides, index=catalog.index, rules=every, as_of=as_of.isoformat(),
        cwd=Path.cwd(), policies_dir=data_dir("policies"),
    )  # fmt: skip
    every.update(config.own_rules)
    return config


def workload_near(paths: tuple[str, ...]) -> Path | None:
    """`workload.yaml` beside what is audited, else in the working directory."""
    given = [Path(p) for p in paths if p != "-"]
    return find_workload([*(p if p.is_dir() else p.parent for p in given), Path.cwd()])


def read_with_source(
    paths: tuple[str, ...], given: Sequence[tuple[str, str]], hcl_dir: Path | None, binary_plan: Path | None,
    keep_going: bool = False, quiet: bool = False,
) -> list[Plan]:  # fmt: skip
    """The plans with their source beside them, where `hcl_dir` or `binary_plan` tells of one."""
    from auditor.load.source import with_source

    read = read_plans(paths, given, keep_going, quiet)
    return with_source(read, hcl_dir, binary_plan, keep_going, os.environ.get("TF_WORKSPACE", ""))


def read_plans(
    paths: tuple[str, ...], given: Sequence[tuple[str, str]] = (), keep_going: bool = False, quiet: bool = False
) -> list[Plan]:
    """Plans, states and Terraform folders; Terraform files stand for the root modules that use them.

    `given`: values for a source scan ("var" or "file", text), after TF_VAR_* and the folder's own files; the last wins.
    """
    from auditor.load.plan import load
    from auditor.load.roots import is_changed_source, roots_of

    if not all(p.strip() for p in paths):
        raise InputError("an empty path is no plan", "A variable of the shell that is not set?")
    changed = [p for p in paths if p != "-" and is_changed_source(p)]
    names = [p for p in paths if p not in changed]
    if changed:
        names += [str(root) for root in roots_of(changed, Path.cwd())]
    folders = any(p != "-" and Path(p).is_dir() for p in names)
    if given and not folders:
        raise InputError("--var and --var-file go with a Terraform folder, and none is given")
    options = _options(given, keep_going) if folders else None
    with closing(track(names, "reading", quiet)) as tracked:
        return [plan for p in tracked for plan in load(p, sys.stdin.buffer.read, options)]


def _options(given: Sequence[tuple[str, str]], keep_going: bool) -> SourceOptions:
    from auditor.load.hcl.inputs import SourceOptions

    environment = {k: v for k, v in os.environ.items() if k.startswith("TF_VAR_")}
    return SourceOptions(given, environment, os.environ.get("TF_WORKSPACE", ""), keep_going)


def known_rules() -> dict[str, Rule]:
    """Every shipped rule by id."""
    return {r.id: r for r in load_rules(data_dir("policies"))}


def rules_with_own(policy: str | None, folder: Path, when: date) -> dict[str, Rule]:
    """Every shipped rule and those of a policy's `rules_dirs`; without `policy` the one found upward from a folder."""
    held = known_with_own(
        policy, known_rules(), index=Catalog().index, as_of=when.isoformat(), cwd=folder, policies_dir=data_dir("policies")
    )
    return dict(held)


def no_rule(name: str, rules: Mapping[str, Rule]) -> PolicyError:
    """The error for a name that is no rule, with the nearest that is."""
    near = suggest(name, [*rules, *(a for r in rules.values() for a in r.aliases)])
    return PolicyError(f"no rule is called {name!r}{near}", "`auditor rules` lists them.")


def read_baseline(
    path: str, policy: str | None, workload: Path | None, wanted: str | None, when: date
) -> tuple[Entry, ...]:
    """Entries of a baseline, a JSON report or a plan (which is audited with the same policy)."""
    from auditor.baseline import entries_of, parse
    from auditor.pipeline import audit

    if Path(path).is_file():
        data = read_bytes(Path(path))
        if data.lstrip()[:1] == b"{" and (entries := parse(data, path)) is not None:
            return entries
    catalog, every = Catalog(), known_rules()
    config = read_config(policy, workload or workload_near((path,)), {}, catalog, every, when)
    rules = select(every.values(), asked(wanted), {k: v.off for k, v in config.rules.items()})
    return entries_of(audit(read_plans((path,)), config, catalog, rules, every, when).findings)


def baseline_file(path: Path) -> tuple[Entry, ...]:
    """Entries of a file that has to be a baseline or a JSON report."""
    from auditor.baseline import parse

    shown = display(path, Path.cwd())
    try:
        data = read_bytes(path)
    except OSError as e:
        raise InputError(f"{shown}: baseline cannot be read: {e.strerror or e}") from None
    if not data.strip():
        raise InputError(f"{shown}: is empty, not a baseline", "`auditor baseline plan.json > FILE` writes one")
    entries = parse(data, shown)
    if entries is None:
        raise InputError(f"{shown}: not a baseline", "`auditor baseline plan.json > FILE` writes one")
    return entries


def known_findings(
    path: Path | None, new_only: str | None, policy: str | None, workload: Path | None, wanted: str | None, when: date
) -> Baseline | None:
    """What is known already: of `--new-only` hidden, of a baseline file listed."""
    if new_only is not None:
        return Baseline(new_only, read_baseline(new_only, policy, workload, wanted, when), hide=True)
    return Baseline(display(path, Path.cwd()), baseline_file(path)) if path is not None else None
