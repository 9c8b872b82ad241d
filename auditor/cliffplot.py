"""Serverless against dedicated, drawn: two cost lines over the rate, as terminal text and as SVG."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

from auditor.economics import Cliff, plain, usd

WIDTH: Final = 60  # columns of the terminal chart
HEIGHT: Final = 10


def _span(cliff: Cliff, rate: Decimal | None) -> Fraction:
    """The rate at the right edge: past both the cliff and the given rate."""
    at = cliff.rps or Fraction(0)
    return max(at * 2, Fraction(rate or 0) * Fraction(5, 4)) or Fraction(1)


def chart(cliff: Cliff, rate: Decimal | None) -> list[str]:
    """`/` is serverless, `-` one dedicated node, `X` where they cross, `^` the given rate."""
    span = _span(cliff, rate)
    top = cliff.serverless_usd(Decimal(1)) * span
    flat = Fraction(cliff.dedicated_month_usd)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]

    def row(value: Fraction) -> int:
        return min(max(int(value / top * (HEIGHT - 1) + Fraction(1, 2)), 0), HEIGHT - 1) if top else 0

    for x in range(WIDTH):
        here = top * x / (WIDTH - 1)
        grid[row(flat)][x] = "-"
        grid[row(here)][x] = "X" if row(here) == row(flat) else "/"
    lines = [f"{usd(top, cents=False):>14} |" + "".join(grid[-1])]
    lines += [" " * 14 + " |" + "".join(r) for r in reversed(grid[1:-1])]
    lines += [f"{'$0':>14} |" + "".join(grid[0]), " " * 15 + "+" + "-" * WIDTH]
    if rate is not None:
        column = int(Fraction(rate) / span * (WIDTH - 1))
        lines.append(" " * (16 + column) + f"^ {plain(rate)} requests/s")
    lines.append(" " * 16 + f"0 to {plain(span, 1)} requests/s; / serverless, - one dedicated node")
    return [line.rstrip() for line in lines]


def svg_plot(cliff: Cliff, rate: Decimal | None) -> str:
    """The same two lines as a self-contained SVG; every label is a number of ours."""
    span = _span(cliff, rate)
    top = cliff.serverless_usd(Decimal(1)) * span
    at = cliff.rps or Fraction(0)

    def x(value: Fraction) -> str:
        return f"{float(60 + value / span * 520):.1f}"

    def y(value: Fraction) -> str:
        return f"{float(220 - value / top * 200):.1f}"

    flat = Fraction(cliff.dedicated_month_usd)
    marks = f'<line x1="{x(at)}" y1="20" x2="{x(at)}" y2="220" stroke="#999" stroke-dasharray="4"/>'
    marks += f'<text x="{x(at)}" y="15" text-anchor="middle">cliff {plain(at, 2)}/s</text>'
    if rate is not None:
        marks += f'<circle cx="{x(Fraction(rate))}" cy="{y(cliff.serverless_usd(rate))}" r="4" fill="#b00"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 250" font-family="sans-serif" font-size="11" role="img">'
        "<title>Cost a month over requests per second: serverless against one dedicated node</title>"
        '<path d="M60 20V220H580" fill="none" stroke="#333"/>'
        f'<line x1="60" y1="220" x2="580" y2="20" stroke="#b00" stroke-width="2"/>'
        f'<line x1="60" y1="{y(flat)}" x2="580" y2="{y(flat)}" stroke="#06c" stroke-width="2"/>'
        f'{marks}<text x="55" y="24" text-anchor="end">{usd(top, cents=False)}</text>'
        '<text x="55" y="224" text-anchor="end">$0</text>'
        f'<text x="580" y="238" text-anchor="end">{plain(span, 1)} requests/s</text>'
        '<text x="70" y="40" fill="#b00">serverless</text><text x="70" y="54" fill="#06c">dedicated</text></svg>\n'
    )
