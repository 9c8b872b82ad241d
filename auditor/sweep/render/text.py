"""The answers for a terminal or a log: aligned tables, no colour, no wrapping."""

from __future__ import annotations

from auditor.spelling import plural
from auditor.sweep.answers import Answers
from auditor.sweep.render.sections import Section, basis, counts, disclaimer, headline, sections


def page(a: Answers) -> str:
    lines = [headline(a), counts(a), basis(a)]
    for s in sections(a):
        lines += ["", s.title.upper(), *_lines(s)]
    lines += ["", disclaimer(a), verdict(a)] if disclaimer(a) else ["", verdict(a)]
    return "\n".join(lines) + "\n"


def verdict(a: Answers) -> str:
    """The last line: the worst there is."""
    if not a.read:
        return "UNDECIDED  no plan could be read"
    word = "FAIL" if a.failing else "OPEN" if a.unread or a.opens or a.opening else "PASS"
    failing, opening = plural(a.failing, "plan"), plural(a.opening, "plan")
    return f"{word}  {failing} failing, {len(a.unread)} unreadable, {opening} not fully decided"


def _lines(s: Section) -> list[str]:
    if not s.head:
        return [f"  {line}" for line in s.lines]
    widths = [max(len(row[i]) for row in (s.head, *s.rows)) for i in range(len(s.head))]
    made = []
    for row in (s.head, *s.rows):
        cells = [c.rjust(w) if i in s.right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        made.append(("  " + "  ".join(cells)).rstrip())
    return [*made, *([f"  and {s.more} more (see `auditor query`)"] if s.more else [])]
