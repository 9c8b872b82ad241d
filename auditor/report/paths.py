"""Paths for annotations: relative to the repository root, never absolute, never leaving it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Final

from auditor.model import Report

STDIN: Final = "stdin"
SOURCE: Final = "source"  # a folder without a name of its own, such as "."
_ABSOLUTE: Final = re.compile(r"/|[A-Za-z]:/|[A-Za-z][A-Za-z0-9+.-]+://")


def _slashes(path: str) -> str:
    return path.replace("\\", "/")


def _absolute(path: str) -> bool:
    return bool(_ABSOLUTE.match(path))


def roots(report: Report, root: str = "") -> tuple[str, ...]:
    """Absolute folders that absolute paths may be relative to: the given root, else scanned folders."""
    given = [root] if root else [i.path for i in report.inputs if i.kind == "hcl"]
    return tuple(p.rstrip("/") + "/" for g in given if _absolute(p := _slashes(g)))


def relative(path: str, roots: Iterable[str]) -> str | None:
    """`path` below the root with forward slashes, or None when it lies outside or the root is not known."""
    p = _slashes(path)
    if _absolute(p):
        if "://" not in p:
            p = posixpath.normpath(p)
        below = next((p[len(r) :] for r in roots if p.startswith(r)), "")
        return below or None
    p = posixpath.normpath(p) if p else ""
    return None if p in {"", ".", ".."} or p.startswith("../") else p


def input_path(report: Report, roots: Iterable[str]) -> str:
    """Where a finding without a source line points: the plan (or state, or folder) that was read.

    Outside the root only the base name is told; a plan from standard input is `stdin`.
    """
    ranked = sorted(report.inputs, key=lambda i: i.kind == "hcl")
    if not ranked or ranked[0].path == "-":
        return STDIN
    path = ranked[0].path
    if known := relative(path, roots):
        return known
    name = posixpath.basename(_slashes(path).rstrip("/"))
    return name if name not in {"", ".", ".."} else SOURCE
