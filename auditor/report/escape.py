"""Neutralise text that comes from the plan, once, at output.

Names, keys and values are chosen by whoever wrote the configuration. `clean` makes every character that
moves a cursor, starts an escape sequence, breaks a line or reorders text visible (`\\u001b`), as Terraform
itself writes them in addresses. Nothing is dropped: two different names stay different.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# C0 and C1 controls, DEL, soft hyphen, bidi marks, embeddings, overrides and isolates, line and paragraph
# separators, zero-width and other invisible format characters, surrogates, interlinear marks, non-characters, tags.
_HIDDEN: Final = (
    "\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
_ANYWHERE: Final = "##["
_INERT: Final = "#\\u0023["
_SPACES: Final = re.compile(r"\s*[\r\n]\s*")


@cache
def _unsafe() -> re.Pattern[str]:
    """Compiled when the first odd character is met: so wide a set takes milliseconds."""
    return re.compile(f"[{_HIDDEN}]")


def _visible(match: re.Match[str]) -> str:
    char = match.group()
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named:
        return named
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(text: str) -> str:
    """`text` on one line, every control, bidi and invisible character written as an escape.

    So is the start of a runner's command that counts anywhere in a line of a log (`##[error]`).
    """
    if not text.isprintable():  # nothing printable is unsafe
        text = _unsafe().sub(_visible, text)
    return text.replace(_ANYWHERE, _INERT) if _ANYWHERE in text else text


def inert(line: str) -> str:
    """`line` for a log, where a runner would take `::` at its start, white space or not, for a command."""
    start = len(line) - len(line.lstrip())
    return f"{line[:start]}\\u003a{line[start + 1 :]}" if line.startswith("::", start) else line


def prose(text: str) -> str:
    """`clean` for sentences out of rule files, whose line breaks are only typesetting."""
    return clean(_SPACES.sub(" ", text.strip()))


def block(text: str) -> str:
    """`clean` line by line, for examples that keep their line breaks; tabs become spaces."""
    return "\n".join(clean(line.expandtabs(4)) for line in text.strip("\n").splitlines())


def log(text: str) -> str:
    """`block` for stderr: no line of it is a command."""
    return "\n".join(inert(line) for line in block(text).splitlines())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis at the end where something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"
