"""The sentences that every format says alike: coverage, counts, verdict, limits of the verdict."""

from __future__ import annotations

from auditor.model import BaselineCounts, Report
from auditor.report.escape import prose
from auditor.report.grouping import configured, prefix_of
from auditor.spelling import plural

PARTIAL = "partial plan: a pass is not proof"
SOURCE_SCAN = "source scan: fewer facts than a plan"


def coverage_line(report: Report) -> str:
    """META005: what was looked at, so that no finding is not mistaken for nothing measured."""
    c = report.coverage
    return (
        f"coverage: {plural(c.resources, 'resource')}, {c.located} located, {c.global_} global, {c.undecided} undecided, "
        f"{plural(c.unknown_types, 'unknown type')}, {plural(c.rules_run, 'rule')} run"
    )


def counts_line(report: Report) -> str:
    """All six counts of the summary, zeros too."""
    s = report.summary
    return ", ".join(
        plural(count, word)
        for count, word in (
            (s.error, "error"),
            (s.warning, "warning"),
            (s.note, "note"),
            (s.open, "open"),
            (s.waived, "waived"),
            (s.unchanged, "unchanged"),
        )
    )


def verdict_line(report: Report) -> str:
    """The verdict and the counts; never a bare PASS when the input was partial."""
    words = {"pass": "PASS", "fail": "FAIL", "open": "OPEN"}[report.verdict]
    if report.partial or any(i.partial for i in report.inputs):
        words += f" ({PARTIAL})"
    elif report.verdict == "open":
        words += " (undecided is not a pass)"
    return f"{words}  {counts_line(report)}"


def partial_line(report: Report) -> str:
    """META006 with its reasons, or "" for a complete plan."""
    if report.partial:
        return f"{PARTIAL} ({'; '.join(prose(p) for p in report.partial)})"
    return PARTIAL if any(i.partial for i in report.inputs) else ""


def source_scan_line(report: Report) -> str:
    """The heading of a run over HCL alone, or ""."""
    return SOURCE_SCAN if any(i.kind == "hcl" for i in report.inputs) else ""


def disclaimer(report: Report) -> str:
    """What a sovereignty verdict is and is not, or "" when no sovereignty rule ran."""
    ran = any(prefix_of(r.id) == "SOV" for r in report.rules) and configured(report, "SOV")
    if not ran and not any(prefix_of(f.rule) == "SOV" for f in report.findings):
        return ""
    allowed = f" ({', '.join(prose(a) for a in report.allow)})" if report.allow else ""
    return f"Locations are checked against an allow list you own{allowed}; this is not legal advice."


def baseline_line(b: BaselineCounts) -> str:
    """`3 unchanged findings hidden, 0 new, 1 fixed (.auditor-baseline.json)`."""
    hidden = " hidden" if b.hide else " (not counted)"
    return f"{plural(b.unchanged, 'unchanged finding')}{hidden}, {b.new} new, {b.fixed} fixed ({b.source})"
