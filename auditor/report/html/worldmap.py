"""The map, as inline SVG in plate carrée: ten units a degree, x from 180 W, y from 90 N."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from auditor.report.html.markup import code, name, table
from auditor.report.html.spots import Arc, Key, Spot, Spots
from auditor.spelling import plural

WIDTH, TOP, HEIGHT = 3600.0, 40.0, 1440.0  # the world without the far south
RATIO: Final = 2.1
CLOSEST: Final = 1500.0  # units: nearer than this no outline helps
MAX_ARCS: Final = 200
MAX_ROWS_OPEN: Final = 12
WORDS: Final = {"fail": "outside", "open": "undecided", "pass": "allowed", "none": "not judged"}


@cache
def outlines() -> dict[str, str]:
    """`land` and `borders` as SVG path data, out of the package."""
    data: dict[str, str] = msgspec.json.decode(Path(__file__).with_name("world.json").read_bytes())
    return data


def render(found: Spots) -> str:
    """The map and, saying the same in words, the tables of places and copies."""
    drawn = [s for s in found.spots if s.at is not None]
    numbers = {s.key: n for n, s in enumerate((s for s in found.spots if not s.wide), start=1)}
    svg = _svg(drawn, found, numbers) if drawn else ""
    rows = len(numbers) + len(found.wide) + len(found.arcs)
    tables = _places(found, numbers) + _wide(found) + _copies(found)
    unfolded = " open" if rows <= MAX_ROWS_OPEN else ""
    parts = [svg, _legend(found) if drawn else ""]
    if rows:
        parts.append(f"<details{unfolded}><summary>The same as tables</summary>{tables}</details>\n")
    else:
        parts.append("<p>No place is known.</p>\n")
    lines = []
    if found.undecided:
        lines.append(f"Not on the map, because undecided: {plural(found.undecided, 'location')}.")
    if found.hidden:
        lines.append(f"Not shown, because marked sensitive: {plural(found.hidden, 'location')}.")
    return "".join(parts) + "".join(f"<p>{line}</p>\n" for line in lines)


def _xy(at: tuple[float, float]) -> tuple[float, float]:
    return (at[1] + 180) * 10, (90 - at[0]) * 10


def _window(drawn: list[Spot]) -> tuple[float, float, float, float]:
    """The part of the world that holds every place with room around it: x, y, width, height."""
    points = [_xy(s.at) for s in drawn if s.at is not None]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    width = min(max(max(xs) - min(xs) + 600, (max(ys) - min(ys) + 400) * RATIO, CLOSEST), WIDTH)
    height = min(width / RATIO, HEIGHT)
    x = min(max((min(xs) + max(xs)) / 2 - width / 2, 0), WIDTH - width)
    y = min(max((min(ys) + max(ys)) / 2 - height / 2, TOP), TOP + HEIGHT - height)
    return x, y, width, height


def _svg(drawn: list[Spot], found: Spots, numbers: dict[Key, int]) -> str:
    x, y, width, height = _window(drawn)
    scale = width / WIDTH
    placed: list[tuple[float, float, float]] = []
    where: dict[Key, tuple[float, float]] = {}
    marks = []
    for s in (s for s in drawn if s.wide):
        x0, y0 = _xy(s.at or (0, 0))
        title = f"{_label(s.key)}, {WORDS[s.verdict]}, one of many places"
        marks.append(f'<g class="spot minor {s.verdict}"><title>{name(title)}</title>{_mark(s, x0, y0, 16 * scale)}</g>\n')
    for s in sorted((s for s in drawn if not s.wide), key=lambda s: -s.count):
        radius = (44 + min(30, 7 * s.count.bit_length())) * scale
        true = _xy(s.at or (0, 0))
        cx, cy = _free(true, radius, placed)
        placed.append((cx, cy, radius))
        where[s.key] = (cx, cy)
        leader = f'<path class="leader" d="M{true[0]:.0f} {true[1]:.0f}L{cx:.0f} {cy:.0f}"/>' if (cx, cy) != true else ""
        title = f"{numbers[s.key]}: {_label(s.key)}, {WORDS[s.verdict]}, {plural(s.count, 'location')}"
        marks.append(
            f'{leader}<g class="spot {s.verdict}"><title>{name(title)}</title>{_mark(s, cx, cy, radius)}'
            f'<text x="{cx:.0f}" y="{cy + radius * 0.36:.0f}" font-size="{radius:.0f}">{numbers[s.key]}</text></g>\n'
        )
    arcs = "".join(_arc(a, where, scale) for a in found.arcs[:MAX_ARCS])
    world = outlines()
    counts = ", ".join(
        f"{sum(1 for s in drawn if s.verdict == v)} {WORDS[v]}" for v in ("fail", "open", "pass", "none")
        if any(s.verdict == v for s in drawn)
    )  # fmt: skip
    return (
        f'<svg class="map" viewBox="{x:.0f} {y:.0f} {width:.0f} {height:.0f}" role="img" aria-labelledby="map-t map-d">'
        f'<title id="map-t">World map of the places in this plan</title>'
        f'<desc id="map-d">{plural(len(drawn), "place")}: {counts}. The table below says the same.</desc>\n'
        f'<path class="land" d="{world["land"]}"/><path class="borders" d="{world["borders"]}"/>\n{arcs}{"".join(marks)}</svg>\n'
    )


def _free(true: tuple[float, float], radius: float, placed: list[tuple[float, float, float]]) -> tuple[float, float]:
    """The true point, or the nearest step of a spiral around it that touches no mark yet."""
    steps = ((0, 0), (1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
    for ring in range(6):
        for dx, dy in steps if ring else steps[:1]:
            x, y = true[0] + dx * ring * radius * 1.1, true[1] + dy * ring * radius * 1.1
            if all((x - px) ** 2 + (y - py) ** 2 >= ((radius + pr) * 0.95) ** 2 for px, py, pr in placed):
                return x, y
    return true


def _mark(s: Spot, x: float, y: float, r: float) -> str:
    """Verdicts differ in shape, not in colour alone."""
    if s.verdict == "fail":
        return f'<rect x="{x - r * 0.9:.0f}" y="{y - r * 0.9:.0f}" width="{r * 1.8:.0f}" height="{r * 1.8:.0f}"/>'
    if s.verdict == "open":
        d = r * 1.25
        return f'<path d="M{x:.0f} {y - d:.0f}l{d:.0f} {d:.0f}-{d:.0f} {d:.0f}-{d:.0f}-{d:.0f}z"/>'
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{r:.0f}"/>'


def _arc(a: Arc, where: dict[Key, tuple[float, float]], scale: float) -> str:
    if a.source not in where or a.target not in where:
        return ""
    (x1, y1), (x2, y2) = where[a.source], where[a.target]
    lift = max(abs(x2 - x1) * 0.22, 90 * scale)
    title = f"{a.role}: {_label(a.source)} to {_label(a.target)}, {WORDS[a.verdict]}"
    return (
        f'<path class="arc {a.verdict}" d="M{x1:.0f} {y1:.0f}Q{(x1 + x2) / 2:.0f} {min(y1, y2) - lift:.0f} {x2:.0f} {y2:.0f}">'
        f"<title>{name(title)}</title></path>\n"
    )


def _label(key: Key) -> str:
    cloud, region, country = key
    return f"{cloud}:{region} ({country})" if country else f"{cloud}:{region}"


def _legend(found: Spots) -> str:
    shapes = {
        "fail": '<rect x="2" y="2" width="16" height="16"/>',
        "open": '<path d="M10 0l10 10-10 10-10-10z"/>',
        "pass": '<circle cx="10" cy="10" r="9"/>',
        "none": '<circle cx="10" cy="10" r="9"/>',
    }
    seen = [v for v in shapes if any(s.verdict == v for s in found.spots)]
    items = "".join(
        f'<li><svg class="key" viewBox="0 0 20 20" aria-hidden="true"><g class="spot {v}">{shapes[v]}</g></svg> {WORDS[v]}</li>'
        for v in seen
    )
    minor = "; small marks: members of a wide location" if found.wide else ""
    arcs = "<li>dashed line: a copy, from its source</li>" if found.arcs else ""
    return f'<ul class="legend">{items}{arcs}<li>numbers: rows of the tables{minor}</li></ul>\n'


def _places(found: Spots, numbers: dict[Key, int]) -> str:
    rows = [
        (
            f"{numbers[s.key]}. {code(_label(s.key))}",
            f'<span class="badge {s.verdict}">{WORDS[s.verdict]}</span>',
            ", ".join(f"{n} {name(role)}" for role, n in sorted(s.roles.items())),
            ", ".join(code(a, 200) for a in s.addresses) + (" …" if s.count > len(s.addresses) else ""),
        )
        for s in found.spots
        if s.key in numbers
    ]
    return table("Places", ("Place", "Verdict", "Locations", "For example"), rows) if rows else ""


def _wide(found: Spots) -> str:
    rows = [
        (
            code(w.value, 200),
            f'<span class="badge {w.verdict}">{WORDS[w.verdict]}</span>',
            f"{'one of' if w.candidates else 'all of'} {w.places} places",
            f"{w.count} {name(w.role)}, such as {code(w.address, 200)}",
        )
        for w in found.wide
    ]
    return table("Wide locations (small marks)", ("Value", "Verdict", "Means", "Locations"), rows) if rows else ""


def _copies(found: Spots) -> str:
    rows = [
        (
            f"{code(_label(a.source))} → {code(_label(a.target))}",
            name(a.role),
            f'<span class="badge {a.verdict}">{WORDS[a.verdict]}</span>',
            f"{a.count}, such as {code(a.address, 200)}",
        )
        for a in found.arcs
    ]
    return table("Copies", ("From and to", "Role", "Verdict", "How many"), rows) if rows else ""
