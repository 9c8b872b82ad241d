"""The answers for a pull request, an issue or a job summary."""

from __future__ import annotations

from auditor.report.markdown import escape
from auditor.sweep.answers import Answers
from auditor.sweep.render.sections import Section, basis, counts, disclaimer, headline, sections
from auditor.sweep.render.text import verdict


def page(a: Answers) -> str:
    lines = [f"## auditor sweep: {escape(verdict(a))}", "", escape(headline(a)), "", escape(counts(a)), "", escape(basis(a))]
    for s in sections(a):
        lines += ["", f"### {s.title}", "", *_lines(s)]
    if said := disclaimer(a):
        lines += ["", escape(said)]
    return "\n".join(lines) + "\n"


def _lines(s: Section) -> list[str]:
    if not s.head:
        return [f"- {escape(line)}" for line in s.lines]
    rule = ["---:" if i in s.right else "---" for i in range(len(s.head))]
    rows = [s.head, tuple(rule)]
    made = [f"| {' | '.join(row)} |" for row in rows]
    made += [f"| {' | '.join(escape(c) for c in row)} |" for row in s.rows]
    return [*made, *(["", f"and {s.more} more"] if s.more else [])]
