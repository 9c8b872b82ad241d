"""Terraform's JSON syntax (`.tf.json`, `.tfvars.json`) to the same records as native syntax, positions included.

JSON does not say what is a block: objects (or lists of them) under known names become blocks, the rest attributes.
Inside a resource everything stays an attribute, but `dynamic`; values are walked the same way there.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from auditor.errors import InputError
from auditor.load.hcl.expressions import parse_template, parse_text
from auditor.load.hcl.scanner import MAX_DEPTH, number
from auditor.syntax import Attribute, Block, Body, Comment, File, Item, Literal, Object, Offsets, Source, Tuple

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS: Final = {"true": True, "false": False, "null": None}
# Block types and how many labels each has.
_LABELS: Final = {
    "resource": 2, "data": 2, "ephemeral": 2, "provider": 1, "variable": 1, "output": 1, "module": 1, "check": 1,
    "terraform": 0, "locals": 0, "moved": 0, "import": 0, "removed": 0,
}  # fmt: skip
_INNER: Final = {
    "terraform": {"required_providers": 0, "backend": 1, "cloud": 0, "provider_meta": 1},
    "resource": {"dynamic": 1, "lifecycle": 0, "provisioner": 1, "connection": 0},
    "data": {"dynamic": 1, "lifecycle": 0},
    "provider": {"dynamic": 1},
    "dynamic": {"content": 0},
    "content": {"dynamic": 1},
    "check": {"data": 2, "assert": 0},
}  # fmt: skip
_REFERENCES: Final = {  # block type -> attributes whose strings are names, not text
    "resource": {"provider", "depends_on"}, "data": {"provider", "depends_on"}, "variable": {"type"},
    "module": {"providers", "depends_on"}, "moved": {"from", "to"}, "removed": {"from"}, "import": {"to", "provider"},
    "output": {"depends_on"},
}  # fmt: skip


class _Node:
    """A JSON value with its place; objects keep (key, key start, node) so that doubles are seen."""

    __slots__ = ("end", "start", "value")

    def __init__(self, value: Any, start: int, end: int) -> None:
        self.value = value
        self.start = start
        self.end = end


class _Members(list[tuple[str, int, _Node]]):
    """The members of a JSON object, in order."""


def read_json(source: Source) -> File:
    """A `.tf.json` file. Raises InputError with file, line and column."""
    root = _parse(source)
    if not isinstance(root.value, _Members):
        raise InputError(f"{source.where(root.start)}: Terraform JSON is an object at the top")
    comments: list[Comment] = []
    body = _body(root, source, _LABELS, comments, "")
    return File(source, body, tuple(comments))


def read_values(source: Source) -> File:
    """A `.tfvars.json` file: every member is an attribute; strings stand for themselves."""
    root = _parse(source)
    if not isinstance(root.value, _Members):
        raise InputError(f"{source.where(root.start)}: a variables file is an object at the top")
    body = Body()
    for name, key_start, node in root.value:
        body.add(Attribute(name, source, key_start, node.start, node.end, Literal(_plain(node))))
    return File(source, body)


def _plain(node: _Node) -> Any:
    if isinstance(node.value, _Members):
        return {name: _plain(inner) for name, _, inner in node.value}
    if isinstance(node.value, list):
        return [_plain(n) for n in node.value]
    return node.value


# --- JSON with positions -----------------------------------------------------------------------------


def _parse(source: Source) -> _Node:
    skip = 3 if source.data.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = source.data[skip:].decode("utf-8")
    except UnicodeDecodeError as e:
        raise InputError(f"{source.where(skip + e.start)}: not UTF-8", "Save the file as UTF-8.") from e
    return _Reader(text, source, skip).whole()


class _Reader:
    def __init__(self, text: str, source: Source, base: int) -> None:
        self.text = text
        self.source = source
        self.offset = Offsets(text, base)
        self.pos = 0

    def fail(self, expected: str) -> InputError:
        found = f"`{self.text[self.pos]}`" if self.pos < len(self.text) else "the end"
        where = self.source.where(self.offset(self.pos))
        return InputError(f"{where}: syntax error in JSON: expected {expected}, found {found}")

    def blank(self) -> None:
        m = _BLANK.match(self.text, self.pos)
        self.pos = m.end() if m else self.pos

    def whole(self) -> _Node:
        self.blank()
        made = self.value(0)
        self.blank()
        if self.pos < len(self.text):
            raise self.fail("the end of the file")
        return made

    def string(self) -> str:
        m = _STRING.match(self.text, self.pos)
        if m is None:
            raise self.fail("a string in double quotes")
        try:
            made = str(json.loads(m.group()))
        except ValueError:
            raise self.fail("a string with valid escapes") from None
        self.pos = m.end()
        return made

    def value(self, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise InputError(f"{self.source.where(self.offset(self.pos))}: JSON nested too deeply")
        start = self.pos
        c = self.text[start : start + 1]
        value: Any
        if c == "{":
            value = self._object(depth)
        elif c == "[":
            value = self._array(depth)
        elif c == '"':
            value = self.string()
        elif (m := re.compile(r"true|false|null").match(self.text, start)) is not None:
            self.pos = m.end()
            value = _WORDS[m.group()]
        elif (m := _NUMBER.match(self.text, start)) is not None:
            self.pos = m.end()
            text = m.group()
            try:
                value = -number(text[1:]) if text.startswith("-") else number(text)
            except (ValueError, ArithmeticError):
                self.pos = start
                raise self.fail("a number of sensible size") from None
        else:
            raise self.fail("a JSON value")
        return _Node(value, self.offset(start), self.offset(self.pos))

    def _object(self, depth: int) -> _Members:
        made = _Members()
        self.pos += 1
        self.blank()
        if self.text.startswith("}", self.pos):
            self.pos += 1
            return made
        while True:
            self.blank()
            key_start = self.offset(self.pos)
            key = self.string()
            self.blank()
            if not self.text.startswith(":", self.pos):
                raise self.fail("`:` after the name")
            self.pos += 1
            self.blank()
            made.append((key, key_start, self.value(depth + 1)))
            self.blank()
            if self.text.startswith(",", self.pos):
                self.pos += 1
            elif self.text.startswith("}", self.pos):
                self.pos += 1
                return made
            else:
                raise self.fail("`,` or `}`")

    def _array(self, depth: int) -> list[_Node]:
        made: list[_Node] = []
        self.pos += 1
        self.blank()
        if self.text.startswith("]", self.pos):
            self.pos += 1
            return made
        while True:
            self.blank()
            made.append(self.value(depth + 1))
            self.blank()
            if self.text.startswith(",", self.pos):
                self.pos += 1
            elif self.text.startswith("]", self.pos):
                self.pos += 1
                return made
            else:
                raise self.fail("`,` or `]`")


# --- to records ----------------------------------------------------------------------------------------


def _body(node: _Node, source: Source, known: dict[str, int], comments: list[Comment], inside: str) -> Body:
    body = Body()
    for object_ in _objects(node):
        for name, key_start, value in object_.value:
            if name == "//":
                if isinstance(value.value, str):
                    comments.append(Comment(key_start, value.end, f"// {value.value}"))
                continue
            if name in known and (name != "providers" or known[name]) and _is_block(value):
                _blocks(name, key_start, value, known[name], (), source, body, comments)
            else:
                body.add(_attribute(name, key_start, value, source, name in _REFERENCES.get(inside, ())))
    return body


def _objects(node: _Node) -> list[_Node]:
    """An object, or the objects of a list."""
    if isinstance(node.value, _Members):
        return [node]
    if isinstance(node.value, list):
        return [n for n in node.value if isinstance(n.value, _Members)]
    return []


def _is_block(node: _Node) -> bool:
    if isinstance(node.value, _Members):
        return True
    return isinstance(node.value, list) and all(isinstance(n.value, _Members) for n in node.value)


def _blocks(
    name: str, key_start: int, node: _Node, labels: int, given: tuple[str, ...], source: Source, body: Body,
    comments: list[Comment],
) -> None:  # fmt: skip
    for object_ in _objects(node):
        if len(given) < labels:
            for label, label_start, inner in object_.value:
                if label != "//":
                    _blocks(name, label_start, inner, labels, (*given, label), source, body, comments)
            continue
        inner_body = _body(object_, source, _INNER.get(name, {}), comments, name)
        start = key_start
        header_end = source.data.find(b"{", object_.start) + 1
        body.blocks.append(Block(name, given, source, start, header_end, object_.end, inner_body))


def _attribute(name: str, key_start: int, node: _Node, source: Source, references: bool) -> Attribute:
    return Attribute(name, source, key_start, node.start, node.end, _expression(node, source, references))


def _expression(node: _Node, source: Source, references: bool) -> Any:
    value = node.value
    if isinstance(value, str):
        if references and "${" not in value:
            return parse_text(value, source, node.start)
        return parse_template(value, source, node.start)
    if isinstance(value, _Members):
        items = [
            Item(parse_template(key, source, start), _expression(inner, source, references), start, inner.end)
            for key, start, inner in value
            if key != "//"
        ]
        return Object(tuple(items))
    if isinstance(value, list):
        return Tuple(tuple(Item(None, _expression(n, source, references), n.start, n.end) for n in value))
    return Literal(value)


