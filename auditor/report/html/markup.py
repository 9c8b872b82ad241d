"""The only ways text gets into the page: escaped, as content or as an attribute value."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from auditor.report.escape import clean, cut, prose

MAX_NAME: Final = 600


def text(value: str) -> str:
    """A sentence."""
    return escape(prose(value), quote=True)


def name(value: str, limit: int = MAX_NAME) -> str:
    """A name out of the plan, cut where it is absurdly long."""
    return escape(cut(clean(value), limit), quote=True)


def code(value: str, limit: int = MAX_NAME) -> str:
    return f"<code>{name(value, limit)}</code>"


def table(caption: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table whose first column heads its rows. `head` and cells are markup already; cells carry their
    column's heading, so that a narrow screen can stack them."""
    heads = "".join(f'<th scope="col">{h}</th>' for h in head)
    body = "".join(
        f'<tr><th scope="row" data-h="{head[0]}">{row[0]}</th>'
        + "".join(f'<td data-h="{h}">{cell}</td>' for h, cell in zip(head[1:], row[1:], strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table>\n"
