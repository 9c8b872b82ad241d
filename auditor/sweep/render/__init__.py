"""Answers as text, JSON, Markdown or one HTML page. Each format is imported when it is asked for."""

from __future__ import annotations

from typing import Final

from auditor.facts import Coordinates
from auditor.sweep.answers import Answers

FORMATS: Final = ("text", "json", "markdown", "html")


def render(form: str, answers: Answers, coordinates: Coordinates) -> str:
    """The answers in one of FORMATS. coordinates: where regions stand, for the map."""
    if form == "json":
        from auditor.sweep.render.plain_json import page as made

        return made(answers)
    if form == "markdown":
        from auditor.sweep.render.markdown import page as made

        return made(answers)
    if form == "html":
        from auditor.sweep.render.html import page

        return page(answers, coordinates)
    from auditor.sweep.render.text import page as made

    return made(answers)
