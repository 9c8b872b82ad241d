"""Findings and waivers as articles: what, where, why, what to do, and the path of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Final

from auditor.model import Finding, Report, Waived
from auditor.report.escape import block, clean, cut, prose
from auditor.report.excerpt import Excerpt, quote
from auditor.report.grouping import Group, by_set, clean_sets, fair, left_out, rule_title
from auditor.report.html import timeline
from auditor.report.html.markup import code, name, table, text

if TYPE_CHECKING:
    from auditor.report import RenderOptions

MAX_GROUPS: Final = 2000
MAX_INSTANCES: Final = 200
MAX_OPEN: Final = 40  # with more groups than this the evidence starts folded
MAX_EXCERPT: Final = 600


Sets = list[tuple[str, list[tuple[int, Group]]]]


def numbered(report: Report) -> Sets:
    """(heading, groups with their numbers on the page) of every set; without the groups that are too many."""
    sets = by_set(report)
    every = [g for _, groups in sets for g in groups]
    kept = {id(g) for g in (fair(every)[:MAX_GROUPS] if len(every) > MAX_GROUPS else every)}
    numbers = count(1)
    return [(heading, [(next(numbers), g) for g in groups if id(g) in kept]) for heading, groups in sets]


def by_job(sets: Sets) -> dict[str, list[tuple[str, int]]]:
    """Job -> (rule, number on the page) of what was found about it."""
    found: dict[str, list[tuple[str, int]]] = {}
    for _, groups in sets:
        for number, g in groups:
            for job in dict.fromkeys(f.job for f in g.findings if f.job):
                found.setdefault(job, []).append((g.first.rule, number))
    return found


def render(report: Report, options: RenderOptions, sets: Sets, cards: Mapping[str, int]) -> str:
    """`cards`: job -> number of its card."""
    every = [g for _, groups in by_set(report) for g in groups]
    total = len(every)
    unfolded = " open" if total <= MAX_OPEN else ""
    out: list[str] = []
    for heading, groups in sets:
        if groups:
            articles = "".join(_article(g, n, report, options.excerpt, unfolded, cards) for n, g in groups)
            out.append(f'<section class="set"><h3>{name(heading.capitalize())}</h3>\n{articles}</section>\n')
    if total > MAX_GROUPS:
        out.append(f"<p>{text(left_out(fair(every), MAX_GROUPS))}; the JSON report lists all.</p>\n")
    if not total:
        out.append("<p>No findings.</p>\n")
    if quiet := clean_sets(report):
        out.append(f"<p>Nothing found by: {', '.join(name(q.lower()) for q in quiet)}.</p>\n")
    return "".join(out)


def _article(
    g: Group, number: int, report: Report, excerpt: Excerpt | None, unfolded: str, cards: Mapping[str, int]
) -> str:
    f = g.first
    style = "open" if f.kind == "open" else f.level
    label = f"open ({f.level})" if f.kind == "open" else f.level
    title = rule_title(report, f.rule)
    head = f"{len(g.findings)} × {text(f.cause)}" if g.by_cause else code(f.address)
    where = f' <span class="where">{_where(f)}</span>' if f.location and not g.by_cause else ""
    fix = prose(g.remediation)
    fix = f'<p class="fix"><b>Fix:</b> {text(fix)}</p>' if fix and fix not in prose(f.message) else ""
    return (
        f'<article class="finding {style}" id="f{number}" data-level="{f.level}" data-kind="{f.kind}">\n'
        f'<h4><span class="badge {style}">{label}</span> <span class="rule">{name(f.rule, 40)}</span> {text(title)}</h4>\n'
        f'<p class="address">{head}{where}</p>\n<p>{text(f.message)}</p>{fix}\n{timeline.render(f.dates, report.as_of)}'
        f"{_instances(g)}{_evidence(f, None if g.by_cause else excerpt, unfolded, cards)}</article>\n"
    )


def _where(f: Finding) -> str:
    return code(f"{f.location.file}:{f.location.start_line}") if f.location else ""


def _instances(g: Group) -> str:
    names = [a for a in g.addresses if g.by_cause or a != g.first.address]
    if not names:
        return ""
    items = "".join(f"<li>{code(a)}</li>" for a in names[:MAX_INSTANCES])
    more = f"<li>and {len(names) - MAX_INSTANCES} more</li>" if len(names) > MAX_INSTANCES else ""
    label = "resources" if g.by_cause else "more instances"
    return f"<details><summary>{len(names)} {label}</summary><ul>{items}{more}</ul></details>\n"


def _evidence(f: Finding, excerpt: Excerpt | None, unfolded: str, cards: Mapping[str, int]) -> str:
    steps = "".join(
        f"<li>{text(e.what)}" + (f" {code(f'{e.file}:{e.line}' if e.line else e.file)}" if e.file else "") + "</li>"
        for e in f.evidence
    )
    chain = f'<ol class="chain">{steps}</ol>' if steps else ""
    source = quote(f, excerpt, '"…"') if excerpt else ""
    lines = f"<pre><code>{escape(cut(block(source), MAX_EXCERPT))}</code></pre>" if source else ""
    job = code(f.job or "")
    if f.job and f.job in cards:
        job = f'<a href="#j{cards[f.job]}">{job}</a>'
    rows = (
        ("Attribute", f.path, code(f.path)),
        ("Seen", f.observed, code(f.observed)),
        ("Wanted", f.expected, code(f.expected)),
        ("Job", f.job, job),
        ("Fingerprint", f.fingerprint, code(f.fingerprint)),
    )
    facts = "".join(f"<dt>{k}</dt><dd>{shown}</dd>" for k, v, shown in rows if v)
    return f"<details{unfolded}><summary>Evidence</summary>{chain}{lines}<dl>{facts}</dl></details>\n"


def waived(report: Report) -> str:
    if not report.waived:
        return ""
    rows = [_waived_row(w) for w in report.waived]
    return table("Waived findings", ("Finding", "Reason", "Until", "Source"), rows)


def _waived_row(w: Waived) -> tuple[str, ...]:
    owner = f" ({text(w.waiver.owner)})" if w.waiver.owner else ""
    return (
        f"{name(w.finding.rule, 40)} {code(w.finding.address)}",
        f'<span class="say">{text(w.waiver.reason)}{owner}</span>',
        name(clean(w.waiver.expires)),
        code(w.waiver.source),
    )
