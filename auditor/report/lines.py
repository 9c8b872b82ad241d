"""Findings by source line, for the formats that annotate code: one entry per rule and line.

Instances of one block share a line, and a reader of annotations wants it once. Without a source line an entry
points at the plan file, line 1; never at a guessed line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from auditor.model import Finding, Level, Report, SourceRange, WaiverRef, strip_keys
from auditor.report.grouping import level_rank, natural, sort_key
from auditor.report.paths import Paths

if TYPE_CHECKING:
    from auditor.report import RenderOptions


class Merged(msgspec.Struct, frozen=True):
    """Findings of one rule on one source line; `findings[0]` speaks, fails before opens."""

    findings: tuple[Finding, ...]
    waiver: WaiverRef | None = None

    @property
    def level(self) -> Level:
        """The worst of them."""
        return min((f.level for f in self.findings), key=level_rank)


def merge(report: Report, options: RenderOptions) -> list[Merged]:
    """Every entry of the run, most severe first; waived ones last, and only if asked for."""
    base = Paths(report, options)
    merged = [Merged(fs) for fs in _by_line(report.findings, base)]
    if options.sarif_include_waived:
        by_waiver: dict[WaiverRef, list[Finding]] = {}
        for w in report.waived:
            by_waiver.setdefault(w.waiver, []).append(w.finding)
        merged += [Merged(fs, waiver) for waiver, found in by_waiver.items() for fs in _by_line(found, base)]
    return sorted(merged, key=lambda m: (m.waiver is not None, level_rank(m.level), sort_key(m.findings[0])))


def _by_line(findings: Iterable[Finding], base: Paths) -> list[tuple[Finding, ...]]:
    found: dict[tuple[str, str, int], list[Finding]] = {}
    for f in findings:
        place = source(f.location, base)
        key = (f.rule, f"file:{place[0]}", place[1].start_line) if place else (f.rule, strip_keys(f.address), 0)
        found.setdefault(key, []).append(f)
    return [
        tuple(sorted(fs, key=lambda f: (f.kind != "fail", level_rank(f.level), natural(f.address), sort_key(f))))
        for fs in found.values()
    ]


def source(location: SourceRange | None, base: Paths) -> tuple[str, SourceRange] | None:
    """The location with its path from the repository root, or None where no annotation can point at it."""
    if location is None or location.start_line < 1:
        return None
    path = base.relative(location.file)
    return (path, location) if path else None
