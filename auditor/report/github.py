"""GitHub workflow commands: one annotation per group, every value escaped.

A line that starts with `::` is a command, so nothing out of a plan is ever printed outside one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.model import Finding, Report
from auditor.report import wording
from auditor.report.escape import clean, prose
from auditor.report.grouping import Group, by_set, level_rank
from auditor.report.paths import Paths

if TYPE_CHECKING:
    from auditor.report import RenderOptions

_COMMAND: Final = {"error": "error", "warning": "warning", "note": "notice"}
_DATA: Final = {ord("%"): "%25", ord("\r"): "%0D", ord("\n"): "%0A"}
_PROPERTY: Final = {**_DATA, ord(":"): "%3A", ord(","): "%2C"}


def data(text: str) -> str:
    """Text after `::`."""
    return clean(text).translate(_DATA)


def prop(text: str) -> str:
    """Value of a property such as `file` or `title`."""
    return clean(text).translate(_PROPERTY)


def render(report: Report, options: RenderOptions) -> str:
    """Commands, most severe first, then the coverage and verdict lines as plain log text."""
    base = Paths(report, options)
    groups = sorted((g for _, gs in by_set(report) for g in gs), key=lambda g: level_rank(g.first.level))
    lines = [f"::error title=auditor::{data(prose(e))}" for e in report.errors]
    if partial := wording.partial_line(report):
        lines.append(f"::warning title=auditor::{data(partial)}")
    lines += [_command(g, base) for g in groups]
    for label, items in (
        ("not configured", report.not_configured),
        ("assumed", report.assumptions),
        ("notice", report.notices),
    ):
        lines += [f"::notice title=auditor::{label}: {data(prose(item))}" for item in items]
    if text := wording.disclaimer(report):
        lines.append(f"::notice title=auditor::{data(text)}")
    return "\n".join([*lines, wording.coverage_line(report), wording.verdict_line(report)]) + "\n"


def _command(g: Group, base: Paths) -> str:
    f = g.first
    kind = "open " if f.kind == "open" else ""
    properties = [*_place(f, base), f"title={prop(f'{f.rule} {kind}{f.address}')}"]
    text = prose(f.message)
    if (more := len(g.addresses) - 1) > 0:
        text += f" (and {more} more)"
    remediation = prose(g.remediation)
    if remediation and remediation not in text:
        text += f" Fix: {remediation}"
    return f"::{_COMMAND[f.level]} {','.join(properties)}::{data(text)}"


def _place(f: Finding, base: Paths) -> list[str]:
    if f.location is None:
        return []
    path = base.relative(f.location.file)
    if not path:
        return []
    r = f.location
    place = [f"file={prop(path)}", f"line={r.start_line}", f"endLine={max(r.end_line, r.start_line)}"]
    # Columns count only within one line.
    return place + ([f"col={r.start_column}", f"endColumn={r.end_column}"] if r.end_line == r.start_line else [])
