"""From changed Terraform files to the root modules they belong to: a module that others call is judged in its callers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from auditor.errors import InputError
from auditor.files import read_bytes
from auditor.load.hcl.folders import is_source

_LOCAL: Final = re.compile(rb'"?source"?\s*[=:]\s*"(\.{1,2}/[^"$]*)"')
_VALUES: Final = (".tfvars", ".tfvars.json")
MAX_FILES: Final = 50_000
MAX_BYTES: Final = 4_000_000  # of one file that is searched for module calls


def is_changed_source(path: str) -> bool:
    """Whether an argument is a Terraform file, not a plan or folder."""
    name = Path(path).name
    return is_source(name) or name.endswith(_VALUES)


def roots_of(files: Iterable[str], top: Path) -> list[Path]:
    """Root modules of the files, in order: folders that nothing below `top` calls as a module."""
    callers = _callers(top)
    found: dict[Path, None] = {}
    for file in files:
        path = Path(file)
        if not path.parent.is_dir():
            raise InputError(f"{file}: no such folder", "Check the path.")
        for root in sorted(_climb(path.parent.resolve(), callers)):
            if any(is_source(n) for n in os.listdir(root)):
                found[root] = None
    here = Path.cwd().resolve()
    return [r.relative_to(here) if r.is_relative_to(here) else r for r in found]


def _climb(folder: Path, callers: dict[Path, set[Path]]) -> set[Path]:
    roots: set[Path] = set()
    seen = {folder}
    queue = [folder]
    while queue:
        at = queue.pop()
        above = callers.get(at, set()) - {at}
        if not above:
            roots.add(at)
        queue += [a for a in above if a not in seen]
        seen |= above
    return roots or {folder}


def _callers(top: Path) -> dict[Path, set[Path]]:
    """Folder -> the folders whose files call it by a local path."""
    found: dict[Path, set[Path]] = {}
    count = 0
    for folder, folders, names in os.walk(top):
        folders[:] = [f for f in folders if not f.startswith(".") and f not in ("node_modules", "__pycache__")]
        for name in names:
            if not is_source(name):
                continue
            count += 1
            if count > MAX_FILES:
                raise InputError(f"{top}: more than {MAX_FILES} Terraform files", "Run the audit in the root module.")
            path = Path(folder, name)
            try:
                data = read_bytes(path)[:MAX_BYTES]
            except OSError:
                continue  # the reader of that module says so
            for m in _LOCAL.finditer(data):
                called = Path(os.path.normpath(Path(folder, os.fsdecode(m.group(1))))).resolve()
                found.setdefault(called, set()).add(Path(folder).resolve())
    return found
