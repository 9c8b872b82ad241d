"""The report for a person at a terminal: grouped by set, rule and cause, aligned, the verdict last."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from auditor.model import Evidence, Finding, InputInfo, Report
from auditor.report import wording
from auditor.report.escape import clean, inert, prose
from auditor.report.grouping import Group, by_set, clean_sets, rule_title
from auditor.spelling import plural

if TYPE_CHECKING:
    from auditor.report import RenderOptions

MAX_ADDRESSES: Final = 3
MAX_EVIDENCE: Final = 6
MIN_WIDTH: Final = 30
NARROW: Final = 60  # below this, what belongs to a finding stands under its level, not under its rule

# SGR parameters by the word that is painted.
_PAINT: Final = {
    "error": "1;31",
    "warning": "33",
    "note": "36",
    "open": "35",
    "pass": "1;32",
    "heading": "1",
    "dim": "2",
}


class _Page:
    """Lines of the report under construction; knows colour and width, nothing of findings."""

    def __init__(self, options: RenderOptions) -> None:
        self.lines: list[str] = []
        self.color = options.color
        self.width = max(options.width, MIN_WIDTH) if options.width else 0
        self.narrow = 0 < self.width < NARROW

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{_PAINT[style]}m{text}\x1b[0m" if self.color and text else text

    def add(self, line: str = "") -> None:
        self.lines.append(inert(line.rstrip()))

    def gap(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def wrapped(self, text: str, indent: int, label: str = "", style: str = "") -> None:
        """`text` at `indent`, later lines under the first letter; words are never broken."""
        hang = " " * (indent + len(label))
        parts = (
            wrap(text, self.width - len(hang), break_long_words=False, break_on_hyphens=False) if self.width else [text]
        ) or [""]
        self.add(" " * indent + self.paint(label + parts[0], style) if style else " " * indent + label + parts[0])
        for part in parts[1:]:
            self.add(hang + (self.paint(part, style) if style else part))


def render(report: Report, options: RenderOptions) -> str:
    """The whole report; ends with the coverage line and the one-line verdict."""
    page = _Page(options)
    _head(page, report)
    for heading, groups in by_set(report):
        _section(page, report, heading, groups, options.verbose)
    _foot(page, report, options.verbose)
    return "\n".join(page.lines) + "\n"


def _head(page: _Page, report: Report) -> None:
    for item in report.inputs:
        line = f"{clean(item.path)}  {_input_kind(item)}"
        if page.narrow:
            page.wrapped(line, 0, style="dim")
        else:
            page.add(page.paint(line, "dim"))
    for notice in (wording.source_scan_line(report), wording.partial_line(report)):
        if notice:
            page.wrapped(notice, 0, style="warning")


def _input_kind(item: InputInfo) -> str:
    kind = {"plan": "plan", "state": "state", "hcl": "Terraform source"}[item.kind]
    return f"{kind}, Terraform {clean(item.terraform_version)}" if item.terraform_version else kind


def _section(page: _Page, report: Report, heading: str, groups: list[Group], verbose: bool) -> None:
    findings = [f for g in groups for f in g.findings]
    counts = [
        plural(count, word)
        for word in ("error", "warning", "note", "open")
        if (count := sum(1 for f in findings if _word(f) == word))
    ]
    page.gap()
    page.add(f"{page.paint(clean(heading), 'heading')}  {', '.join(counts)}")
    label_width = max(len(_label(g.first)) for g in groups)
    rule_width = max(len(g.first.rule) for g in groups)
    for g in groups:
        _group(page, report, g, label_width, rule_width, verbose)


def _word(f: Finding) -> str:
    return "open" if f.kind == "open" else f.level


def _label(f: Finding) -> str:
    return f"open ({f.level})" if f.kind == "open" else f.level


def _group(page: _Page, report: Report, g: Group, label_width: int, rule_width: int, verbose: bool) -> None:
    f = g.first
    label = page.paint(_label(f), _word(f)) + " " * (label_width - len(_label(f)))
    head = f"  {label}  {clean(f.rule).ljust(rule_width)}  "
    indent = 2 + label_width + 2 + rule_width + 2
    what = f"{len(g.findings)} x {prose(f.cause)}" if g.by_cause else f"{clean(f.address)}{_where(f)}"
    if page.narrow:
        indent = 4
        page.add(head)
        page.wrapped(what, indent)
    else:
        page.add(head + what)
    if verbose and (title := rule_title(report, f.rule)):
        page.wrapped(prose(title), indent, style="dim")
    _instances(page, g, indent, verbose)
    page.wrapped(prose(f.message), indent, "e.g. " if g.by_cause else "")
    if f.kind == "open" and f.cause and not g.by_cause and prose(f.cause) not in prose(f.message):
        page.wrapped(prose(f.cause), indent, "cause: ")
    _evidence(page, f.evidence, indent, verbose)
    remediation = prose(g.remediation)
    if remediation and remediation not in prose(f.message):
        page.wrapped(remediation, indent, "fix: ")
    if verbose:
        page.add(" " * indent + page.paint(f"fingerprint: {clean(f.fingerprint)}", "dim"))


def _instances(page: _Page, g: Group, indent: int, verbose: bool) -> None:
    """The addresses behind a group: those beside the first, or the first few of a cause."""
    if len(g.findings) == 1:
        return
    if g.by_cause:
        names = list(dict.fromkeys(clean(f.address) + _where(f).replace("  ", " ") for f in g.findings))
    else:
        names = [clean(a) for a in g.addresses if a != g.first.address]
    shown = names if verbose else names[:MAX_ADDRESSES]
    more = len(names) - len(shown)
    text = ", ".join(shown) + (f", and {more} more" if more else "")
    if text:
        page.wrapped(text, indent, "at: " if g.by_cause else f"and {len(names)} more: ")


def _where(f: Finding) -> str:
    return f"  {clean(f.location.file)}:{f.location.start_line}" if f.location else ""


def _evidence(page: _Page, evidence: tuple[Evidence, ...], indent: int, verbose: bool) -> None:
    shown = evidence if verbose else evidence[:MAX_EVIDENCE]
    for step in shown:
        place = clean(step.file) + (f":{step.line}" if step.line else "") if step.file else ""
        page.wrapped(prose(step.what) + (f" ({place})" if place else ""), indent, "via: ", "dim")
    if len(shown) < len(evidence):
        page.add(" " * indent + page.paint(f"via: {len(evidence) - len(shown)} more steps (--verbose)", "dim"))


def _foot(page: _Page, report: Report, verbose: bool) -> None:
    page.gap()
    rows: list[tuple[str, str]] = []
    if quiet := clean_sets(report):
        rows.append(("NO FINDINGS", ", ".join(clean(h.lower()) for h in quiet)))
    rows += [("NOT CONFIGURED", prose(line)) for line in report.not_configured]
    rows += [("ASSUMED", prose(line)) for line in report.assumptions]
    rows += [("NOTICE", prose(line)) for line in report.notices]
    rows += [("COULD NOT AUDIT", prose(line)) for line in report.errors]
    if report.summary.waived or report.waived:
        rows.append(("WAIVED", plural(report.summary.waived or len(report.waived), "finding")))
    if report.waived:
        rows += [
            (
                "",
                f"{clean(w.finding.rule)} {clean(w.finding.address)}: {prose(w.waiver.reason)} "
                f"(until {clean(w.waiver.expires)}, {clean(w.waiver.source)})",
            )
            for w in report.waived
        ]
    if report.baseline is not None:
        rows.append(("BASELINE", prose(wording.baseline_line(report.baseline))))
        rows += [("", f"unchanged: {clean(f.rule)} {clean(f.address)}{_where(f)}") for f in report.unchanged if verbose]
    elif report.summary.unchanged:
        rows.append(("UNCHANGED", f"{plural(report.summary.unchanged, 'finding')} of the baseline hidden"))
    width = max((len(label) for label, _ in rows), default=0) + 2
    for label, text in rows:
        if page.narrow and label:
            page.add(label)
        page.wrapped(text, 2 if page.narrow else 0, "" if page.narrow else label.ljust(width))
    page.gap()
    if line := wording.disclaimer(report):
        page.wrapped(line, 0)
    style = {"pass": "pass", "fail": "error", "open": "open"}[report.verdict]
    if page.narrow:
        page.wrapped(wording.coverage_line(report), 0)
        page.wrapped(wording.verdict_line(report), 0, style=style)
    else:  # one line each, which programs look for
        page.add(wording.coverage_line(report))
        page.add(page.paint(wording.verdict_line(report), style))
