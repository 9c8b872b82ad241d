"""The lag catalogue as one self-contained HTML page: a table that sorts and filters, and a plot per cloud. No network."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from html import escape
from typing import Final

from auditor.lagrows import WITHIN, Row, Stat, counts

_STYLE: Final = """
:root{color-scheme:light dark;--fg:#1d2330;--bg:#fff;--dim:#667085;--line:#d8dde6;--dot:#2563eb;--open:#c2410c;--mid:#111827}
@media(prefers-color-scheme:dark){:root{--fg:#e6e9ef;--bg:#12151c;--dim:#9aa4b5;--line:#2c3341;--dot:#7aa5ff;--open:#ff9a5a;
--mid:#f3f4f6}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;max-width:1200px;padding:1rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.25rem 0}.dim{color:var(--dim)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:1rem}
figure{margin:0;border:1px solid var(--line);padding:.5rem}figcaption{font-weight:600}
svg{width:100%;height:auto;display:block}
.axis{stroke:var(--line);stroke-width:1}
svg text{fill:var(--dim);font:10px system-ui,sans-serif}
.d{fill:var(--dot);fill-opacity:.45}.o{fill:none;stroke:var(--open);stroke-opacity:.8}.m{fill:none;stroke:var(--mid);stroke-width:2}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
.scroll{overflow-x:auto}
th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
input,select{font:inherit;padding:.25rem .5rem;margin:0 .5rem .5rem 0}
.late{color:var(--open);font-weight:600}
"""
_SCRIPT: Final = """
const body=document.querySelector('#rows tbody'),rows=[...body.rows],box=document.querySelector('#q'),
pick=document.querySelector('#s'),n=document.querySelector('#n');
function show(){const q=box.value.toLowerCase(),s=pick.value;let k=0;for(const r of rows){

const ok=(!q||r.textContent.toLowerCase().includes(q))&&(!s||r.cells[2].textContent===s);
r.hidden=!ok;if(ok)k++}n.textContent=k+' of '+rows.length}
box.addEventListener('input',show);pick.addEventListener('change',show);
document.querySelectorAll('#rows th button').forEach((b,i)=>b.addEventListener('click',()=>{const th=b.closest('th'),
up=th.getAttribute('aria-sort')!=='ascending';document.querySelectorAll('#rows th').forEach(t=>t.removeAttribute('aria-sort'));
th.setAttribute('aria-sort',up?'ascending':'descending');const v=r=>r.cells[i].dataset.v??r.cells[i].textContent,num=i===6;
rows.sort((a,b)=>{const x=v(a),y=v(b);if(!x!==!y)return x?-1:1;const c=num?x-y:x.localeCompare(y);return up?c:-c});
body.append(...rows)}));show();
"""
_W, _H, _LEFT, _TOP, _RIGHT, _BOTTOM = 420, 240, 34, 10, 8, 22
_TICKS: Final = ((0, "0"), (7, "7 d"), (30, "30 d"), (90, "90 d"), (365, "1 y"), (1095, "3 y"), (2555, "7 y"))
_TOP_DAYS: Final = 4000


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def page(rows: Sequence[Row], stats: Sequence[Stat], as_of: str, checked: str) -> str:
    """The whole page."""
    policy = f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}; base-uri 'none'; form-action 'none'"
    held = [r for r in rows if counts(r)]
    clouds = sorted({r.cloud for r in held})
    plots = "".join(_plot(c, [r for r in held if r.cloud == c], [s for s in stats if s.cloud == c]) for c in clouds)
    options = "".join(f"<option>{s}</option>" for s in sorted({r.status for r in rows}))
    heads = ("Feature", "Title", "Status", "Cloud date", "Provider", "Supported", "Days", "Sources")
    head = "".join(f'<th scope="col"><button type="button">{h}</button></th>' for h in heads)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>Terraform provider lag, {escape(as_of)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Terraform provider lag</h1>\n<p class=dim>{len(rows)} features as of {escape(as_of)}; "
        f"newest fact {escape(checked)}. "
        "A date is called GA only where general availability was stated; else it is the day the API was first public.</p>\n"
        "<h2>Lag by cloud and year</h2>\n<p class=dim>A dot is a feature: across, the day the cloud had it; up, days until "
        "Terraform had it. A ring is still open. The line joins the median of each year's supported features.</p>\n"
        f'<div class="plots">{plots}</div>\n<h2>How often within {WITHIN} days</h2>\n{_stats(stats)}\n'
        f'<h2>Features</h2>\n<p><input id="q" type="search" placeholder="filter" aria-label="filter">'
        f'<select id="s" aria-label="status"><option value="">every status</option>{options}</select>'
        f'<span id="n" class="dim"></span></p>\n<div class="scroll"><table id="rows"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(map(_row, rows))}</tbody></table></div>\n"
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _row(row: Row) -> str:
    f = row.feature
    since = f"{row.kind} {row.start.date}" if row.start else ""
    version = f"{row.first.version} ({row.supported_on})" if row.first else ""
    if row.first and row.first.evidence != "exact":
        version = ("at most " if row.first.evidence == "at_most" else "about ") + version
    sources = "; ".join(filter(None, (row.start.source if row.start else "", row.first.source if row.first else "")))
    late = ' class="n late"' if row.over and row.open else ' class="n"'
    days = "" if row.days is None else str(row.days)
    return (
        f"<tr><td>{escape(f.id)}</td><td>{escape(f.title)}</td><td>{row.status}</td>"
        f'<td data-v="{row.start.date if row.start else ""}">{escape(since)}</td><td>{escape(f.provider)}</td>'
        f'<td data-v="{row.supported_on}">{escape(version)}</td><td{late} data-v="{days}">{days}</td>'
        f"<td>{escape(sources)}</td></tr>\n"
    )


def _stats(stats: Sequence[Stat]) -> str:
    heads = ("Cloud", "Year", "Supported", "Open", "Median days", "p90 days", f"Within {WITHIN} days")
    made = "".join(f'<th scope="col"{" class=n" if i > 1 else ""}>{h}</th>' for i, h in enumerate(heads))
    body = "".join(
        f"<tr><td>{escape(s.cloud)}</td><td>{s.year}</td><td class=n>{s.supported}</td><td class=n>{s.open}</td>"
        f"<td class=n>{'' if s.median is None else s.median}</td><td class=n>{'' if s.p90 is None else s.p90}</td>"
        f"<td class=n>{'' if s.share is None else f'{100 * s.share:.0f}% of {s.of}'}</td></tr>"
        for s in stats
    )
    return f'<div class="scroll"><table><thead><tr>{made}</tr></thead><tbody>{body}</tbody></table></div>'


def _y(days: float) -> float:
    """Logarithmic, so that a week and three years both show."""
    share = math.log1p(min(days, _TOP_DAYS)) / math.log1p(_TOP_DAYS)
    return _H - _BOTTOM - share * (_H - _BOTTOM - _TOP)


def _plot(cloud: str, rows: Sequence[Row], stats: Sequence[Stat]) -> str:
    dated = [(date.fromisoformat(r.start.date).toordinal(), r) for r in rows if r.start is not None and r.days is not None]
    if not dated:
        return ""
    low, high = min(d for d, _ in dated), max(d for d, _ in dated)
    first, last = date.fromordinal(low).year, date.fromordinal(high).year + 1
    left, right = date(first, 1, 1).toordinal(), date(last, 1, 1).toordinal()

    def x(day: float) -> float:
        return _LEFT + (day - left) / (right - left) * (_W - _LEFT - _RIGHT)

    parts = []
    for days, label in _TICKS:
        y = _y(days)
        parts.append(f'<line class="axis" x1="{_LEFT}" y1="{y:.1f}" x2="{_W - _RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{label}</text>')
    step = max(1, (last - first) // 6)
    for year in [y for y in range(first, last + 1, step) if y in (first, last) or last - y >= step]:
        at = x(date(year, 1, 1).toordinal())
        anchor = "start" if year == first else "end" if at > _W - 30 else "middle"
        parts.append(f'<text x="{at:.1f}" y="{_H - 6}" text-anchor="{anchor}">{year}</text>')
    for day, row in dated:
        kind, radius = ("o", 2.6) if row.open else ("d", 2)
        parts.append(f'<circle class="{kind}" cx="{x(day):.1f}" cy="{_y(row.days or 0):.1f}" r="{radius}"/>')
    line = [
        f"{x(date(int(s.year), 7, 1).toordinal()):.1f},{_y(s.median):.1f}"
        for s in stats
        if s.year != "all" and s.median is not None and s.supported >= 3
    ]
    if len(line) > 1:
        parts.append(f'<polyline class="m" points="{" ".join(line)}"/>')
    total = next((s for s in stats if s.year == "all"), None)
    told = f"median {total.median} days, {total.open} open" if total is not None and total.median is not None else ""
    label = escape(f"{cloud}: lag of {len(dated)} features, {told}")
    return (
        f'<figure><figcaption>{escape(cloud)} <span class="dim">{len(dated)} features, {escape(told)}</span></figcaption>'
        f'<svg viewBox="0 0 {_W} {_H}" role="img" aria-label="{label}">{"".join(parts)}</svg></figure>'
    )
