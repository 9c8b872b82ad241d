"""One self-contained HTML page: no network, readable without script, strict about what may run.

The only script and the only style are the package's own, allowed by their hashes; nothing out of a plan can add another.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.facts import Coordinates
from auditor.model import Report
from auditor.report import wording
from auditor.report.html import findings, jobs, worldmap
from auditor.report.html.markup import code, name, table, text
from auditor.report.html.spots import gather
from auditor.spelling import plural

if TYPE_CHECKING:
    from auditor.report import RenderOptions

_GATE: Final = {"GO": "pass", "NO-GO": "fail", "UNDECIDED": "open", "N/A": "none"}
_HERE: Final = Path(__file__).parent


def asset(file: str) -> tuple[str, str]:
    """Text of a shipped file and its CSP source expression."""
    content = (_HERE / file).read_text(encoding="utf-8")
    return content, f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def render(report: Report, options: RenderOptions) -> str:
    """The whole page."""
    style, style_hash = asset("style.css")
    script, script_hash = asset("script.js")
    policy = f"default-src 'none'; script-src {script_hash}; style-src {style_hash}; base-uri 'none'; form-action 'none'"
    coordinates = options.coordinates() if options.coordinates else Coordinates()
    found = gather(report, coordinates)
    sets = findings.numbered(report)
    drawn = jobs.drawn(report.jobs)
    cards = jobs.numbers(drawn)
    cards_of_jobs = jobs.render(drawn, len(report.jobs), findings.by_job(sets))
    listed = findings.render(report, options, sets, cards)
    body = "".join(
        (
            _head(report),
            _section("map", "Places", worldmap.render(found)),
            _section("findings", "Findings", _filters(report) + listed + findings.waived(report)),
            _section("jobs", "Jobs", cards_of_jobs + jobs.workloads(report.workloads)),
            _section("run", "This run", _run(report)),
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>auditor: {report.verdict}</title>\n'
        f"<style>{style}</style>\n</head>\n"
        f'<body>\n<a class="skip" href="#findings">Skip to the findings</a>\n{body}{_foot(report)}<script>{script}</script>\n'
        "</body>\n</html>\n"
    )


def _section(id_: str, title: str, body: str) -> str:
    return f'<section id="{id_}" aria-labelledby="{id_}-h"><h2 id="{id_}-h">{title}</h2>\n{body}</section>\n'


def _head(report: Report) -> str:
    words = {"pass": "Pass", "fail": "Fail", "open": "Open: undecided is not a pass"}[report.verdict]
    warnings = [w for w in (wording.partial_line(report), wording.source_scan_line(report), *report.errors) if w]
    inputs = ", ".join(
        code(i.path)
        + (f" ({name(i.kind)}, Terraform {name(i.terraform_version)})" if i.terraform_version else f" ({name(i.kind)})")
        for i in report.inputs
    )
    s = report.summary
    counts = "".join(
        f'<li class="{word}"><b>{count}</b> {plural(count, word).split(" ", 1)[1]}</li>'
        for word, count in (
            ("error", s.error), ("warning", s.warning), ("note", s.note), ("open", s.open),
            ("waived", s.waived), ("unchanged", s.unchanged),
        )
    )  # fmt: skip
    return (
        f'<header>\n<h1>auditor <span class="verdict {report.verdict}">{words}</span></h1>\n<p>{inputs}</p>\n'
        f'<ul class="counts">{counts}</ul>\n'
        + "".join(f'<p class="alert" role="note">{text(w)}</p>\n' for w in warnings)
        + _gates(report)
        + '<nav aria-label="Sections"><a href="#map">Places</a> <a href="#findings">Findings</a> <a href="#jobs">Jobs</a>'
        ' <a href="#run">This run</a></nav>\n</header>\n<main>\n'
    )


def _gates(report: Report) -> str:
    """The four questions of the architecture board, and the answer to all of them."""
    if not report.gates:
        return ""
    rows = []
    for g in report.gates:
        behind = [*(f"declare {d}" for d in g.declare), g.break_even, g.fix, *g.remarks]
        more = "".join(f"<br>{text(line)}" for line in dict.fromkeys(behind) if line)
        rows.append(
            (
                f"{g.number} {text(g.name)}",
                f'<span class="badge {_GATE[g.verdict]}">{g.verdict}</span>',
                f'<span class="say">{text(g.summary)}{more}</span>',
                " ".join(name(r, 40) for r in g.rules),
            )
        )
    caption = f'Gates: <span class="badge {_GATE[report.overall]}">{report.overall}</span>' if report.overall else "Gates"
    return table(caption, ("Gate", "Answer", "Because", "Rules"), rows)


def _filters(report: Report) -> str:
    """Hidden until the script can honour it."""
    if not report.findings:
        return ""
    boxes = "".join(
        f'<label><input type="checkbox" value="{value}" checked> {value}</label>'
        for value in ("error", "warning", "note", "open")
    )
    return (
        '<form id="filters" role="search" hidden><label>Search <input type="search" id="q" autocomplete="off"></label>'
        f'<fieldset><legend>Show</legend>{boxes}</fieldset><output id="shown" aria-live="polite"></output></form>\n'
    )


def _run(report: Report) -> str:
    out = [f"<p>{text(wording.coverage_line(report))}</p>\n"]
    for title, items in (
        ("Allowed", report.allow), ("Not configured", report.not_configured), ("Assumed", report.assumptions),
        ("Notices", report.notices), ("Could not audit", report.errors),
    ):  # fmt: skip
        if items:
            out.append(f"<h3>{title}</h3>\n<ul>{''.join(f'<li>{text(i)}</li>' for i in items)}</ul>\n")
    return "".join(out)


def _foot(report: Report) -> str:
    limits = f"<p>{text(line)}</p>\n" if (line := wording.disclaimer(report)) else ""
    return (
        f"</main>\n<footer>\n{limits}<p>auditor {name(report.version)}, catalogue of {name(report.catalog)}, judged as of "
        f"{name(report.as_of)}. Outlines: Natural Earth, public domain. Positions of cities: GeoNames, CC BY 4.0; "
        "a region is drawn at its city, else at the capital.</p>\n</footer>\n"
    )
