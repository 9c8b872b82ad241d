"""The answers as one self-contained page, in the style of the single-plan report: map, trend, tables; no script."""

from __future__ import annotations

from collections import Counter
from typing import Final

from auditor.facts import Coordinates
from auditor.report.html import asset, worldmap
from auditor.report.html.markup import name, table, text
from auditor.report.html.spots import Spot, Spots, Verdict
from auditor.sweep.answers import Answers, Past
from auditor.sweep.render.sections import Section, basis, counts, disclaimer, headline, sections
from auditor.sweep.render.text import verdict

WIDTH: Final = 720
HEIGHT: Final = 180
_BADGES: Final = {"error": "error", "warning": "warning", "note": "note"}
_ROWS: Final = 500


def page(a: Answers, coordinates: Coordinates) -> str:
    style, hashed = asset("style.css")
    policy = f"default-src 'none'; style-src {hashed}; base-uri 'none'; form-action 'none'"
    word = verdict(a).split("  ")[0]
    shade = {"FAIL": "fail", "PASS": "pass"}.get(word, "open")
    told = sections(a, _ROWS)
    links = " ".join(f'<a href="#{_id(s.title)}">{name(s.title)}</a>' for s in told)
    said = disclaimer(a)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>auditor sweep: {word.lower()}</title>\n<style>{style}</style>\n</head>\n'
        '<body>\n<a class="skip" href="#map">Skip to the map</a>\n'
        f'<header>\n<h1>auditor sweep <span class="verdict {shade}">{word.capitalize()}</span></h1>\n'
        f"<p>{text(verdict(a))}</p>\n<p>{text(headline(a))}</p>\n<p>{text(counts(a))}</p>\n"
        f'<nav aria-label="Sections"><a href="#map">Places</a> {links}</nav>\n</header>\n<main>\n'
        f'{_section("map", "Places", worldmap.render(_spots(a, coordinates)))}'
        f"{''.join(_section(_id(s.title), s.title, _trend(a.trend) * (s.title == 'Trend') + _body(s)) for s in told)}"
        f"</main>\n<footer>\n{f'<p>{text(said)}</p>' if said else ''}\n<p>{text(basis(a))}. Outlines: Natural Earth, public domain. "
        "Positions of cities: GeoNames, CC BY 4.0; a region is drawn at its city, else at the capital.</p>\n</footer>\n</body>\n</html>\n"
    )


def _section(id_: str, title: str, body: str) -> str:
    return f'<section id="{id_}" aria-labelledby="{id_}-h"><h2 id="{id_}-h">{name(title)}</h2>\n{body}</section>\n'


def _id(title: str) -> str:
    return title.lower().replace(" ", "-")


def _body(s: Section) -> str:
    if not s.head:
        return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in s.lines)}</ul>\n"
    head = tuple(name(h.capitalize()) for h in s.head)
    rows = [tuple(_cell(c) for c in row) for row in s.rows]
    more = f"<p>and {s.more} more</p>\n" if s.more else ""
    return table("", head, rows).replace("<caption></caption>", "") + more  # the heading says it


def _cell(value: str) -> str:
    badge = _BADGES.get(value)
    return f'<span class="badge {badge}">{value}</span>' if badge else text(value)


def _spots(a: Answers, coordinates: Coordinates) -> Spots:
    made = []
    for p in a.places:
        cloud, region, country = p.key
        at = coordinates.regions.get(cloud, {}).get(region) or coordinates.countries.get(country)
        shade: Verdict = p.verdict  # type: ignore[assignment] # one of the four, by the query
        made.append(Spot(p.key, at, shade, Counter(dict(p.roles)), list(p.addresses), wide=False))
    return Spots(made, [], [], a.undecided, a.hidden)


def _trend(runs: tuple[Past, ...]) -> str:
    """Errors and opens over the runs; the table below says the same."""
    top = max((max(r.errors, r.opens) for r in runs), default=0) or 1

    def path(values: list[int]) -> str:
        step = (WIDTH - 60) / max(len(values) - 1, 1)
        return "M" + "L".join(f"{30 + i * step:.0f} {HEIGHT - 20 - v / top * (HEIGHT - 50):.0f}" for i, v in enumerate(values))

    errors, opens = [r.errors for r in runs], [r.opens for r in runs]
    return (
        f'<svg class="job" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Errors and opens of {len(runs)} runs">'
        f'<path class="arc fail" d="{path(errors)}"><title>errors</title></path>'
        f'<path class="arc open" d="{path(opens)}"><title>open</title></path>'
        f'<text x="30" y="14">most: {top}; errors {errors[0]} to {errors[-1]}, open {opens[0]} to {opens[-1]}</text>'
        f'<text x="30" y="{HEIGHT - 4}">{name(runs[0].run)}</text>'
        f'<text x="{WIDTH - 190}" y="{HEIGHT - 4}">{name(runs[-1].run)}</text></svg>\n'
    )
