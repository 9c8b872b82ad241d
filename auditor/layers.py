"""Policy documents on top of each other: `extends`, relative paths, and how their values merge."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from auditor.documents import Document, read_file, validate
from auditor.errors import PolicyError
from auditor.spelling import suggest

# Keys whose text items are paths, relative to the file that holds them.
_PATHS: Final = ("rules_dirs", "waiver_files", "baseline")


class Layer(msgspec.Struct, frozen=True):
    """One policy document; `path` is absolute."""

    document: Document
    path: Path


def policy_layers(policy: str, cwd: Path, policies_dir: Path) -> list[Layer]:
    """The documents of a policy, what it extends first. `policy` is a shipped name or a path."""
    return _collect(_locate(policy, cwd, policies_dir, where=""), cwd, policies_dir, ())


def shipped(policies_dir: Path) -> list[str]:
    """Names of the policies that can be extended by name."""
    return sorted(p.stem for p in policies_dir.glob("*.yaml"))


def _locate(name: str, folder: Path, policies_dir: Path, where: str) -> Path:
    """A name without slash or ending is a shipped policy; anything else is a path from `folder`."""
    if "/" not in name and "\\" not in name and not name.endswith((".yaml", ".yml", ".json")):
        path = policies_dir / f"{name}.yaml"
        if path.is_file():
            return path
        if not (folder / name).is_file():
            known = shipped(policies_dir)
            near = suggest(name, known) or f"; shipped: {', '.join(known) or 'none'}"
            raise PolicyError(f'{where}no policy "{name}"{near}', "a file of your own is given by its path, ./x.yaml")
    if not (folder / name).is_file():
        raise PolicyError(f'{where}no policy file "{name}"')
    return Path(os.path.realpath(folder / name))


def _collect(path: Path, cwd: Path, policies_dir: Path, open_: tuple[Path, ...]) -> list[Layer]:
    document = read_file(path, display(path, cwd))
    if document.value is None:
        raise PolicyError(f"{document.name}:1 is empty", 'two lines are enough: "version: 1" and "allow: [EU]"')
    validate(document, "policy")
    found: list[Layer] = []
    for i, name in enumerate(document.value.get("extends", ())):
        where = document.where(("extends", i))
        base = _locate(name, path.parent, policies_dir, f"{where} ")
        if base in (*open_, path):
            chain = " -> ".join(display(p, cwd) for p in (*open_, path, base))
            raise PolicyError(f"{where} extends itself: {chain}")
        known = {layer.path for layer in found}
        found += [la for la in _collect(base, cwd, policies_dir, (*open_, path)) if la.path not in known]
    return [*found, Layer(replace(document, value=_absolute(document.value, path.parent)), path)]


def display(path: Path, cwd: Path) -> str:
    """A path as messages show it: relative where it lies below the working directory."""
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def _absolute(value: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    made = dict(value)
    for key in [k for k in made if k.removeprefix("+") in _PATHS]:
        entry = made[key]
        made[key] = str(folder / entry) if isinstance(entry, str) else [str(folder / e) for e in entry]
    if isinstance(made.get("catalog"), dict):
        made["catalog"] = {
            table: [str(folder / row) if isinstance(row, str) else row for row in rows]
            for table, rows in made["catalog"].items()
        }
    return made


def merge(base: Mapping[str, Any], top: Mapping[str, Any], source: Document | None = None) -> dict[str, Any]:
    """`top` over `base`: maps merge by key, everything else replaces, `+key` appends to the inherited list.

    Neither argument is changed. Raises PolicyError where `+key` meets something that is no list; `source` names its line.
    """
    return _merge(base, top, source, ())


def _merge(
    base: Mapping[str, Any], top: Mapping[str, Any], source: Document | None, path: tuple[str, ...]
) -> dict[str, Any]:
    made = dict(base)
    for key, value in top.items():
        if key.startswith("+") and isinstance(value, list):
            name = key[1:]
            # Beside `key` itself the text would decide nothing: which of the two is meant cannot be told.
            inherited = made.get(name, [])
            if not isinstance(inherited, list) or name in top:
                why = f"{name} stands beside it" if name in top else f"the inherited {name} is none"
                where = f"{source.where((*path, key))} " if source is not None else ""
                raise PolicyError(f'{where}"{key}" appends to an inherited list, but {why}')
            made[name] = [*inherited, *value]
        elif isinstance(value, dict):
            inherited = made.get(key)
            made[key] = _merge(inherited if isinstance(inherited, dict) else {}, value, source, (*path, key))
        else:
            made[key] = value
    return made


def merge_layers(base: Mapping[str, Any], documents: Sequence[Document]) -> dict[str, Any]:
    """Documents over the defaults; later ones win."""
    made = dict(base)
    for document in documents:
        made = merge(made, document.value, document)
    return made
