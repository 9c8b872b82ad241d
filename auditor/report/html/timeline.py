"""The dates of a finding on a line: since when the cloud has it, what was released when, the day it was judged."""

from __future__ import annotations

from datetime import date
from typing import Final

from auditor.report.html.markup import name

WIDTH: Final = 720


def render(dates: tuple[tuple[str, str], ...], as_of: str) -> str:
    """A line with numbered marks, and the same as a list. Nothing where there are no dates."""
    points = sorted({(day, what) for day, what in (*dates, (as_of, "judged")) if _day(day) is not None})
    if len(points) < 2 or not dates:
        return ""
    days = [(_day(day) or date.min).toordinal() for day, _ in points]
    span = max(days[-1] - days[0], 1)
    marks = []
    last = -99.0
    for n, (ordinal, (day, what)) in enumerate(zip(days, points, strict=True), start=1):
        x = max(14 + (ordinal - days[0]) / span * (WIDTH - 28), last + 24)
        last = x
        style = ' class="now"' if what == "judged" else ""
        marks.append(
            f'<g{style}><title>{name(day)}: {name(what)}</title><circle cx="{x:.0f}" cy="14" r="11"/>'
            f'<text x="{x:.0f}" y="18">{n}</text></g>'
        )
    items = "".join(f"<li>{name(day)} {name(what)}</li>" for day, what in points)
    return (
        f'<svg class="timeline" viewBox="0 0 {max(WIDTH, int(last) + 14)} 28" aria-hidden="true"><path d="M14 14H{last:.0f}"/>'
        f'{"".join(marks)}</svg>\n<ol class="dates">{items}</ol>\n'
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
