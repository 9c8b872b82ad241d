"""`yamldecode` and `yamlencode`, as far as they are sure to be what Terraform makes.

Scalars are resolved by Terraform's table (YAML 1.1 words for bools, but decimal `017`, hexadecimal and `0o` octal). What goes
beyond plain data (tags, odd timestamps, infinities; long, folded or odd strings when encoding) is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from auditor.documents import yaml_events
from auditor.load.hcl.functions import _text
from auditor.load.hcl.scanner import MAX_DIGITS, number
from auditor.load.hcl.values import MAX_ITEMS, EvalError, TooMuch, is_number, text_of_number
from auditor.model import UNKNOWN

MAX_DEEP: Final = 60
_WORDS: Final[Mapping[str, Any]] = {
    **{w: True for word in ("y", "yes", "on", "true") for w in (word, word.capitalize(), word.upper())},
    **{w: False for word in ("n", "no", "off", "false") for w in (word, word.capitalize(), word.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_DECIMAL: Final = re.compile(r"([+-]?)(\d+)", re.ASCII)
_FLOAT: Final = re.compile(r"([+-]?)(\.\d+|\d+(?:\.\d*)?)([eE][+-]?\d+)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d?-\d\d?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])", re.ASCII)
_ODD: Final = re.compile(r"[+-]?\.(?:inf|nan)", re.IGNORECASE)


class _Odd(Exception):
    """Something that is not read here: the whole value is unknown."""


def yamldecode(text: Any) -> Any:
    events = yaml_events(_text(text))
    if events is None:
        raise EvalError("not YAML")
    try:
        return _Decoder(events).document()
    except _Odd:
        return UNKNOWN


class _Decoder:
    """Events of one document to values. Aliases repeat what they name, inside bounds."""

    def __init__(self, events: list[Any]) -> None:
        self.events: Iterator[Any] = iter(events)
        self.anchors: dict[str, tuple[Any, int]] = {}  # value and size
        self.size = 0

    def document(self) -> Any:
        for event in self.events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                made = self.node(next(self.events), 0)
                rest = [type(e).__name__ for e in self.events]
                if "DocumentStartEvent" in rest:
                    raise EvalError("more than one document")
                return made
        raise EvalError("no document")

    def node(self, event: Any, depth: int) -> Any:
        if depth > MAX_DEEP:
            raise TooMuch("YAML is nested too deeply")
        kind = type(event).__name__
        if kind == "AliasEvent":
            if event.anchor not in self.anchors:
                raise EvalError(f"no anchor {event.anchor}")
            value, size = self.anchors[event.anchor]
            self.count(size)
            return value
        before = self.size
        self.count(1)
        if kind == "ScalarEvent":
            made = self.scalar(event)
        elif event.tag is not None:
            raise _Odd
        elif kind == "SequenceStartEvent":
            made = tuple(self.items("SequenceEndEvent", depth))
        else:
            made = self.mapping(depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (made, self.size - before)
        return made

    def count(self, size: int) -> None:
        self.size += size
        if self.size > MAX_ITEMS:
            raise TooMuch("a YAML document is too large")

    def items(self, end: str, depth: int) -> Iterator[Any]:
        for event in self.events:
            if type(event).__name__ == end:
                return
            yield self.node(event, depth + 1)

    def mapping(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for event in self.events:
            if type(event).__name__ == "MappingEndEvent":
                break
            merge = type(event).__name__ == "ScalarEvent" and event.value == "<<" and event.tag is None
            key = "<<" if merge else self.key(self.node(event, depth + 1))
            value = self.node(next(self.events), depth + 1)
            if not merge:
                made[key] = value
            elif isinstance(value, dict):
                made.update(value)
            else:
                raise EvalError("only a mapping can be merged into a mapping")
        return made

    def key(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if is_number(value):
            return text_of_number(value)
        raise EvalError("a key that is not text")

    def scalar(self, event: Any) -> Any:
        text = str(event.value)
        if event.tag is not None:
            if event.tag == "tag:yaml.org,2002:str":
                return text
            if event.tag.startswith("tag:yaml.org,2002:"):
                raise _Odd
            raise EvalError(f"no such tag {event.tag}")
        return plain(text) if event.implicit[0] else text


def plain(text: str) -> Any:
    """What a scalar without quotes and tag means. Raises _Odd where that is not sure."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_DIGITS:
        return text if not text[:1].isdigit() else _odd()
    if m := _DECIMAL.fullmatch(text):
        return _signed(m.group(1), int(m.group(2)))
    if m := _FLOAT.fullmatch(text):
        digits = m.group(2)
        digits = f"0{digits}" if digits.startswith(".") else digits.removesuffix(".")
        try:
            return _signed(m.group(1), number(digits + (m.group(3) or "")))
        except (ValueError, ArithmeticError):
            return _odd()
    for prefix, base, allowed in (("0x", 16, "0123456789abcdefABCDEF"), ("0o", 8, "01234567")):
        rest = text.removeprefix(prefix)
        if text.startswith(prefix) and rest and not rest.strip(allowed):
            return int(rest, base)
    if _DATE.match(text):
        return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else _odd()
    if _ODD.fullmatch(text):
        return _odd()
    return text


def _signed(sign: str, value: Any) -> Any:
    return -value if sign == "-" else value


def _odd() -> Any:
    raise _Odd


# --- encoding ----------------------------------------------------------------------------------------------

_SAFE: Final = re.compile(r"[ !#-\[\]-~]*", re.ASCII)  # printable ASCII without `"` and `\`
_WIDTH: Final = 70  # longer strings are folded


def yamlencode(value: Any) -> Any:
    try:
        lines = _lines(value, 0)
    except _Odd:
        return UNKNOWN
    ends = "" if isinstance(value, (str, dict, list, tuple)) else "...\n"
    return "\n".join(lines) + "\n" + ends


def _lines(value: Any, depth: int) -> list[str]:
    """The lines of a block; the first has no indentation."""
    if depth > MAX_DEEP:
        raise TooMuch("a value is nested too deeply")
    made: list[str] = []
    if isinstance(value, dict) and value:
        for key, inner in sorted(value.items()):
            made += _entry(f"{_quoted(key)}:", inner, depth, "" if isinstance(inner, (list, tuple)) else "  ")
        return made
    if isinstance(value, (list, tuple)) and value:
        for inner in value:
            block = _lines(inner, depth + 1)
            made += [f"- {block[0]}", *(f"  {x}" for x in block[1:])]
        return made
    return [_flat(value)]


def _entry(head: str, value: Any, depth: int, pad: str) -> list[str]:
    if isinstance(value, (dict, list, tuple)) and value:
        return [head, *(pad + x for x in _lines(value, depth + 1))]
    return [f"{head} {_flat(value)}"]


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return text_of_number(value)
    if isinstance(value, (dict, list, tuple)):
        return "{}" if isinstance(value, dict) else "[]"
    return "null"


def _quoted(text: str) -> str:
    if len(text) > _WIDTH or not _SAFE.fullmatch(text):
        raise _Odd
    return f'"{text}"'


YAML_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {"yamldecode": yamldecode, "yamlencode": yamlencode}
