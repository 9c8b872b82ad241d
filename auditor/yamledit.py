"""Adds a waiver to a YAML file as a person would: comments, order and quoting of the rest stay as they are.

Text is inserted by line; the result is read again, and refused unless it holds what it held before and the new entry.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any, Final

from auditor.documents import Document, read_yaml
from auditor.errors import PolicyError

KEY: Final = "waivers"


def add_waiver(text: str, name: str, entry: dict[str, str]) -> str:
    """The text with one more item under `waivers:`. Raises PolicyError where that cannot be done safely."""
    ending = "\r\n" if "\r\n" in text else "\n"
    before = read_yaml(text, name)
    if not isinstance(before.value, dict):
        raise PolicyError(f"{name}:1 is no mapping", 'it starts with "version: 1"')
    made = ending.join(_inserted(text.splitlines(), before, entry)) + ending
    wanted = {**before.value, KEY: [*(before.value.get(KEY) or []), entry]}
    after = None
    with contextlib.suppress(PolicyError):  # told below, with the lines to add by hand
        after = read_yaml(made, name).value
    if after != wanted:
        where = before.where((KEY,)) if KEY in before.value else f"{name}:1"
        raise PolicyError(f"{where} cannot be edited safely", "add by hand:\n" + "\n".join(_item(entry, 2)))
    return made


def _inserted(lines: list[str], document: Document, entry: dict[str, str]) -> list[str]:
    held: Any = document.value.get(KEY, ...)
    if held is ...:
        gap = [""] if lines and lines[-1].strip() else []
        return [*lines, *gap, f"{KEY}:", *_item(entry, 2)]
    start = document.line((KEY,)) - 1
    if not held:  # `waivers: []` or `waivers:`; a comment behind it stays
        head, _, comment = lines[start].partition("#")
        bare = head.partition(":")[0] + ":"
        return [*lines[:start], bare + (f"  #{comment}" if comment else ""), *_item(entry, 2), *lines[start + 1 :]]
    following = [document.line((k,)) - 1 for k in document.value if document.line((k,)) - 1 > start]
    end = min(following, default=len(lines))
    first = lines[document.line((KEY, 0)) - 1]
    indent = len(first) - len(first.lstrip())
    while end > start + 1 and not _belongs(lines[end - 1], indent):
        end -= 1
    return [*lines[:end], *_item(entry, indent), *lines[end:]]


def _belongs(line: str, indent: int) -> bool:
    """Whether a line belongs to the list: not blank, and no comment left of its items."""
    text = line.strip()
    return bool(text) and not (text.startswith("#") and len(line) - len(line.lstrip()) <= indent - 1 + (indent == 0))


def _item(entry: dict[str, str], indent: int) -> list[str]:
    pad = " " * indent
    keys = [f"{key}: {_scalar(key, value)}" for key, value in entry.items()]
    return [f"{pad}- {keys[0]}", *(f"{pad}  {k}" for k in keys[1:])]


def _scalar(key: str, value: str) -> str:
    """Rules and dates stand bare; free text is quoted, so that no colon, bracket or `#` in it means anything."""
    return value if key in ("rule", "expires") else json.dumps(value, ensure_ascii=False)
