"""Source text that a report may quote: what a finding points at, no word of it that the finding does not say anyway.

The lines around it, and literals inside it, may hold what nobody should read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from auditor.model import Finding, SourceRange
from auditor.report.grouping import prefix_of

Excerpt = Callable[[SourceRange], str]
MAX_SOURCE: Final = 4000  # characters of a line that are looked at; a longer one is no line that a person wrote
QUOTED: Final = ("SOV", "NET", "PLC", "CAP", "LAG")  # sets that point at places, sizes, versions: never at keys or commands


def quotable(f: Finding) -> bool:
    """Whether the text at the finding's place may be shown, its literals checked one by one."""
    at = f.location
    return at is not None and at.start_line == at.end_line and prefix_of(f.rule) in QUOTED and f.observed != "(sensitive)"


def quote(f: Finding, excerpt: Excerpt, hidden: str) -> str:
    """The one line of source that the finding points at, `hidden` in place of every literal it does not tell; "" for none."""
    if f.location is None or not quotable(f):
        return ""
    told = f"{f.address}\n{f.observed}\n{f.message}"
    source = excerpt(f.location)
    return hidden if len(source) > MAX_SOURCE else "".join(
        piece if not literal or (piece[1:-1] in told and piece[-1:] == '"' and len(piece) > 1) else hidden
        for piece, literal in pieces(source)
    )  # fmt: skip


def pieces(source: str) -> list[tuple[str, bool]]:
    """`source` cut into code and quoted templates; a template ends where its own quote does, not one inside `${…}`."""
    found: list[tuple[str, bool]] = []
    start = i = 0
    while i < len(source):
        if source[i] != '"':
            i += 1
            continue
        if i > start:
            found.append((source[start:i], False))
        start, i = i, _end(source, i)
        found.append((source[start:i], True))
        start = i
    return [*found, (source[start:], False)] if start < len(source) else found


def _end(source: str, start: int) -> int:
    """The index behind the template that opens at `start`; the end of the text where it never closes."""
    inside = ['"']  # what closes each level: a quote or a brace
    i = start + 1
    while i < len(source) and inside:
        char = source[i]
        if inside[-1] == '"':
            if char == "\\":
                i += 1
            elif char == '"':
                inside.pop()
            elif char in "$%" and source[i + 1 : i + 2] == "{" and source[i - 1] != char:
                inside.append("}")
                i += 1
        elif char == "}":
            inside.pop()
        elif char == "{":
            inside.append("}")
        elif char == '"':
            inside.append('"')
        i += 1
    return min(i, len(source))
