"""Markdown for a job summary or a pull-request comment, cut below the size GitHub takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.model import Report
from auditor.report import wording
from auditor.report.escape import clean, cut, prose
from auditor.report.grouping import Group, by_set, fair, left_out, level_rank

if TYPE_CHECKING:
    from auditor.report import RenderOptions

MAX_CHARS: Final = 65_000
MAX_CELL: Final = 600
MAX_ADDRESSES: Final = 3
MAX_EVIDENCE: Final = 10
MAX_LINES: Final = 10  # of each list below the table
MAX_LINE: Final = 200

# Every character that can open a construct of Markdown or HTML within a line, as an entity: an entity never does.
_ENTITIES: Final = {ord(c): f"&#{ord(c)};" for c in "\\`*_[]<>#|~$&"}
_NOBREAK: Final = "\u200b"


def escape(text: str) -> str:
    """Untrusted text as prose: no markup, no mention, no issue reference, no automatic link."""
    safe = clean(text).replace("@", f"@{_NOBREAK}").replace("#", f"#{_NOBREAK}")
    safe = safe.replace("://", f":{_NOBREAK}//").replace("www.", f"www{_NOBREAK}.")
    return safe.translate(_ENTITIES)


def code(text: str) -> str:
    """Untrusted text as inline code; mentions and references are inert inside `<code>`, automatic links are not."""
    safe = clean(text).translate(_ENTITIES).replace("@", "&#64;")
    return f"<code>{safe.replace('://', '&#58;//').replace('www.', 'www&#46;')}</code>"


def render(report: Report, options: RenderOptions) -> str:
    """The report, at most `MAX_CHARS` characters: what does not fit is counted in a notice."""
    del options
    head = _head(report)
    tail = _tail(report)
    room = MAX_CHARS - len(head) - len(tail) - 800  # 800: the notice and the line breaks
    groups = [g for _, gs in by_set(report) for g in gs]
    groups.sort(key=lambda g: level_rank(g.first.level))
    rows, shown = _rows(groups, room)
    notice = ""
    if shown < len(groups):
        ranked = fair(groups)
        shown = _rows(ranked, room)[1]
        notice = f"\n> {escape(left_out(ranked, shown))}: the report was too long.\n"
        kept = {id(g) for g in ranked[:shown]}
        groups = [g for g in groups if id(g) in kept]
        rows = _rows(groups, room)[0]
    details, explained = _details(groups, room - len(rows))
    if not notice and explained < shown:
        notice = "\n> Evidence left out where the report was too long.\n"
    return head + rows + details + notice + tail


def _head(report: Report) -> str:
    lines = [f"## auditor: {report.verdict.upper()}", "", wording.counts_line(report), ""]
    for warning in (wording.partial_line(report), wording.source_scan_line(report)):
        if warning:
            lines += [f"> {escape(cut(warning, 1000))}", ""]
    if asked := [g for g in report.gates if g.verdict != "N/A"]:
        lines += [f"**Gates: {report.overall}**", ""]
        lines += [f"- {g.number} {escape(g.name)}: **{g.verdict}** {escape(cut(prose(g.summary), 300))}" for g in asked]
        lines.append("")
    return "\n".join(lines) + "\n"


def _tail(report: Report) -> str:
    lines = [""]
    for label, items in (
        ("Baseline", (wording.baseline_line(report.baseline),) if report.baseline is not None else ()),
        ("Not configured", report.not_configured),
        ("Assumed", report.assumptions),
        ("Notice", report.notices),
        ("Could not audit", report.errors),
    ):
        lines += [f"- **{label}:** {escape(cut(prose(item), MAX_LINE))}" for item in items[:MAX_LINES]]
        if len(items) > MAX_LINES:
            lines.append(f"- **{label}:** {len(items) - MAX_LINES} more")
    lines += ["", wording.coverage_line(report)]
    if text := wording.disclaimer(report):
        lines += ["", f"<sub>{escape(cut(text, 500))}</sub>"]
    return "\n".join(lines) + "\n"


def _rows(groups: list[Group], room: int) -> tuple[str, int]:
    if not groups:
        return "", 0
    # Three columns: more make a table that nobody scrolls on a phone.
    text = "| Level | Where | What to know, what to do |\n|---|---|---|\n"
    shown = 0
    for g in groups:
        row = _row(g)
        if len(text) + len(row) > room:
            break
        text += row
        shown += 1
    return (text, shown) if shown else ("", 0)


def _row(g: Group) -> str:
    f = g.first
    level = f"**{f'open ({f.level})' if f.kind == 'open' else f.level}**<br>{escape(cut(f.rule, 80))}"
    where = "<br>".join(code(cut(a, MAX_CELL // MAX_ADDRESSES)) for a in g.addresses[:MAX_ADDRESSES])
    if (more := len(g.addresses) - MAX_ADDRESSES) > 0:
        where += f"<br>and {more} more"
    if f.location and not g.by_cause:
        where += "<br>" + code(cut(f"{f.location.file}:{f.location.start_line}", MAX_CELL // 2))
    what = escape(cut(prose(f.message), MAX_CELL))
    if g.by_cause:
        what = f"{len(g.findings)} x {escape(cut(prose(f.cause), MAX_CELL // 2))}<br>{what}"
    if (fix := prose(g.remediation)) and fix not in prose(f.message):
        what += f"<br>**Fix:** {escape(cut(fix, MAX_CELL))}"
    return f"| {level} | {where} | {what} |\n"


def _details(groups: list[Group], room: int) -> tuple[str, int]:
    text = ""
    done = 0
    for g in groups:
        f = g.first
        if f.evidence:
            steps = [
                f"- {escape(cut(prose(e.what), MAX_CELL))}"
                + (" " + code(cut(f"{e.file}:{e.line}" if e.line else e.file, MAX_CELL // 2)) if e.file else "")
                for e in f.evidence[:MAX_EVIDENCE]
            ]
            summary = f"Evidence: {escape(cut(f.rule, 80))} {code(cut(f.address, MAX_CELL // 2))}"
            part = f"\n<details><summary>{summary}</summary>\n\n" + "\n".join(steps) + "\n\n</details>\n"
            if len(text) + len(part) > room:
                break
            text += part
        done += 1
    return text, done
