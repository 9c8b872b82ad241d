"""Paths for annotations: relative to the repository root, never absolute, never leaving it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from auditor.model import Report

if TYPE_CHECKING:
    from auditor.report import RenderOptions

STDIN: Final = "stdin"
SOURCE: Final = "source"  # a folder without a name of its own, such as "."
_ABSOLUTE: Final = re.compile(r"/|[A-Za-z]:/|[A-Za-z][A-Za-z0-9+.-]+://")


class Paths:
    """Makes paths relative to the root. A relative path counts from the working folder, if that is known.

    Without a root, absolute paths may be relative to a scanned folder, and relative ones stay as they are.
    """

    def __init__(self, report: Report, options: RenderOptions) -> None:
        given = [options.root] if options.root else [i.path for i in report.inputs if i.kind == "hcl"]
        self._roots = tuple(p.rstrip("/") + "/" for g in given if _absolute(p := _slashes(g)))
        self._cwd = _slashes(options.cwd).rstrip("/") if options.root else ""
        self._known: dict[str, str | None] = {}

    def relative(self, path: str) -> str | None:
        """`path` below the root with forward slashes, or None when it lies outside or the root is not known."""
        if path not in self._known:
            self._known[path] = self._relative(_slashes(path))
        return self._known[path]

    def _relative(self, p: str) -> str | None:
        if p and self._cwd and not _absolute(p):
            p = f"{self._cwd}/{p}"
        if _absolute(p):
            if "://" not in p:
                p = posixpath.normpath(p)
            return next((p[len(r) :] for r in self._roots if p.startswith(r)), "") or None
        p = posixpath.normpath(p) if p else ""
        return None if p in {"", ".", ".."} or p.startswith("../") else p

    def input(self, report: Report) -> str:
        """Where a finding without a source line points: the plan (or state, or folder) that was read.

        Outside the root only the base name is told; a plan from standard input is `stdin`.
        """
        path = self.source(report)
        if not path:
            return STDIN
        if known := self.relative(path):
            return known
        name = posixpath.basename(_slashes(path).rstrip("/"))
        return name if name not in {"", ".", ".."} else SOURCE

    @staticmethod
    def source(report: Report) -> str:
        """That input as it was given, "" for standard input; plans before folders."""
        ranked = sorted(report.inputs, key=lambda i: i.kind == "hcl")
        return ranked[0].path if ranked and ranked[0].path != "-" else ""


def _slashes(path: str) -> str:
    return path.replace("\\", "/")


def _absolute(path: str) -> bool:
    return bool(_ABSOLUTE.match(path))
