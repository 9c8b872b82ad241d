"""Words of messages: the nearest known name, for one that is not known; a count and what it counts."""

from __future__ import annotations

import re
from collections.abc import Iterable


def suggest(word: str, known: Iterable[str], prefix: str = "", suffix: str = "") -> str:
    """`; did you mean "x"?` for the nearest known name, else "". Case, spaces, `_` and `-` don't count."""
    import difflib  # only a mistake needs it

    folded = {_fold(k): k for k in known}
    near = difflib.get_close_matches(_fold(word), list(folded), n=1, cutoff=0.65)
    return f'; did you mean "{prefix}{folded[near[0]]}{suffix}"?' if near else ""


def plural(count: int | str, word: str) -> str:
    """`1 error`, `2 errors`; "open" and the participles have no plural."""
    return f"{count} {word}" if str(count) == "1" or word in {"open", "waived", "unchanged"} else f"{count} {word}s"


def _fold(text: str) -> str:
    return re.sub(r"[\s_-]", "", text.casefold())
