"""Terraform source as records: files, bodies, blocks, attributes, expressions, comments and modules.

Offsets are bytes into the file as it stands on disk. Lines and columns are 1-based, columns count characters
(Unicode code points, as SARIF's `unicodeCodePoints`), the end column is exclusive. Nothing here reads a file.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from auditor.errors import InputError
from auditor.model import SourceRange

# --- expressions ---------------------------------------------------------------------------------


class Literal(msgspec.Struct, frozen=True, gc=False):
    """A number, string, bool or null."""

    value: Any


class Name(msgspec.Struct, frozen=True, gc=False):
    """The root of a traversal: `var`, `local`, a resource type, the variable of a `for`."""

    name: str


class GetAttr(msgspec.Struct, frozen=True, gc=False):
    """`of.name`."""

    of: Any
    name: str


class GetIndex(msgspec.Struct, frozen=True, gc=False):
    """`of[key]`, and the legacy `of.0`."""

    of: Any
    key: Any


class Splat(msgspec.Struct, frozen=True, gc=False):
    """`of[*].rest`, or the legacy `of.*.rest`. `each` is applied to every element, where `Element` stands for it."""

    of: Any
    each: Any


class Element(msgspec.Struct, frozen=True, gc=False):
    """The element of the nearest splat around it."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """A function call; `expand` is true where the last argument ends in `...`."""

    name: str
    args: tuple[Any, ...]
    expand: bool = False


class Unary(msgspec.Struct, frozen=True, gc=False):
    op: str
    of: Any


class Binary(msgspec.Struct, frozen=True, gc=False):
    op: str
    left: Any
    right: Any


class Conditional(msgspec.Struct, frozen=True, gc=False):
    test: Any
    then: Any
    other: Any


class Item(msgspec.Struct, frozen=True, gc=False):
    """One element of a tuple or object; start and end are byte offsets (of `key = value` in an object)."""

    key: Any
    value: Any
    start: int
    end: int


class Tuple(msgspec.Struct, frozen=True, gc=False):
    items: tuple[Item, ...]


class Object(msgspec.Struct, frozen=True, gc=False):
    items: tuple[Item, ...]


class For(msgspec.Struct, frozen=True, gc=False):
    """`[for k, v in of : value if test]`, or with a key `{for k, v in of : key => value... if test}`."""

    key_name: str
    value_name: str
    of: Any
    key: Any
    value: Any
    test: Any
    group: bool = False


class Template(msgspec.Struct, frozen=True, gc=False):
    """Text with interpolations; parts are `Literal` strings, expressions and directives."""

    parts: tuple[Any, ...]


class TemplateFor(msgspec.Struct, frozen=True, gc=False):
    """`%{ for k, v in of }...%{ endfor }`: the body once per element, joined."""

    key_name: str
    value_name: str
    of: Any
    body: Any


Expr = (
    Literal | Name | GetAttr | GetIndex | Splat | Element | Call | Unary | Binary | Conditional | Tuple | Object | For
    | Template | TemplateFor
)  # fmt: skip


def children(e: Any) -> tuple[Any, ...]:
    """The expressions directly inside another one."""
    inside = _CHILDREN.get(type(e))
    return inside(e) if inside is not None else ()


_CHILDREN: Final[Mapping[type, Callable[[Any], tuple[Any, ...]]]] = {
    GetAttr: lambda e: (e.of,),
    GetIndex: lambda e: (e.of, e.key),
    Splat: lambda e: (e.of, e.each),
    Call: lambda e: e.args,
    Unary: lambda e: (e.of,),
    Binary: lambda e: (e.left, e.right),
    Conditional: lambda e: (e.test, e.then, e.other),
    Tuple: lambda e: tuple(i.value for i in e.items),
    Object: lambda e: tuple(x for i in e.items for x in (i.key, i.value)),
    For: lambda e: tuple(x for x in (e.of, e.key, e.value, e.test) if x is not None),
    Template: lambda e: e.parts,
    TemplateFor: lambda e: (e.of, e.body),
}


def traversals(expr: Any, bound: frozenset[str]) -> list[Any]:
    """The longest static paths an expression mentions (`var.a.b[0]`), names of its own loops left out."""
    root = expr
    if type(root) is Literal:
        return []
    while isinstance(root, GetAttr) or (isinstance(root, GetIndex) and isinstance(root.key, Literal)):
        root = root.of
    if isinstance(root, Name):
        return [] if root.name in bound else [expr]
    if isinstance(expr, For):
        inner = bound | {expr.key_name, expr.value_name}
        rest = [x for x in (expr.key, expr.value, expr.test) if x is not None]
        return [*traversals(expr.of, bound), *(t for x in rest for t in traversals(x, inner))]
    if isinstance(expr, TemplateFor):
        inner = bound | {expr.key_name, expr.value_name}
        return [*traversals(expr.of, bound), *traversals(expr.body, inner)]
    return [t for c in children(expr) for t in traversals(c, bound)]


# --- files, blocks, attributes ---------------------------------------------------------------------


class Source:
    """One file: the path that reports print, and its bytes."""

    __slots__ = ("_starts", "ascii", "data", "path")

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.ascii = data.isascii()
        self._starts: list[int] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column (in characters) of a byte offset."""
        if self._starts is None:
            starts, at = [0], self.data.find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.data.find(b"\n", at + 1)
            self._starts = starts
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if self.ascii:
            return line, offset - start + 1
        before = self.data[start:offset]
        if line == 1 and before[:3] == b"\xef\xbb\xbf":
            before = before[3:]
        return line, len(before.decode("utf-8", "replace")) + 1

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends, its line break left out."""
        end = self.data.find(b"\n", offset)
        end = len(self.data) if end < 0 else end
        return end - 1 if end > offset and self.data[end - 1 : end] == b"\r" else end

    def range(self, start: int, end: int) -> SourceRange:
        """The range of two offsets, cut at the end of its first line: a region is narrow, so that it annotates."""
        end = min(max(end, start), self.line_end(start))
        line, column = self.position(start)
        return SourceRange(self.path, line, column, line, self.position(end)[1])

    def where(self, offset: int) -> str:
        line, column = self.position(offset)
        return f"{self.path}:{line}:{column}"


class Offsets:
    """Bytes of a file before each character of its text; `base` bytes stand before the text."""

    __slots__ = ("_at", "_more", "base")

    def __init__(self, text: str, base: int) -> None:
        self.base = base
        self._at: list[int] = []  # characters of more than one byte
        self._more = [0]  # bytes more than characters, up to each of them
        for m in () if text.isascii() else _WIDE.finditer(text):
            self._at.append(m.start())
            self._more.append(self._more[-1] + len(m.group().encode()) - 1)

    def __call__(self, pos: int) -> int:
        return self.base + pos + (self._more[bisect_left(self._at, pos)] if self._at else 0)


_WIDE: Final = re.compile(r"[^\x00-\x7f]")


class Comment(msgspec.Struct, frozen=True, gc=False):
    """One comment, its marks included."""

    start: int
    end: int
    text: str


class Attribute:
    """`name = value`; the value is parsed when it is asked for."""

    __slots__ = ("_expr", "_parse", "end", "name", "source", "start", "value_start")

    def __init__(
        self, name: str, source: Source, start: int, value_start: int, end: int, parse: Callable[[Attribute], Any] | Any
    ) -> None:
        self.name = name
        self.source = source
        self.start = start
        self.value_start = value_start
        self.end = end
        self._parse = parse
        self._expr: Any = None

    @property
    def expr(self) -> Any:
        """The value as an expression. Raises InputError where it has a syntax error."""
        if self._expr is None:
            self._expr = self._parse(self) if callable(self._parse) else self._parse
        return self._expr

    @property
    def text(self) -> str:
        """The value as it is written."""
        return self.source.data[self.value_start : self.end].decode("utf-8", "replace")

    @property
    def range(self) -> SourceRange:
        return self.source.range(self.start, self.end)

    def __repr__(self) -> str:
        return f"<{self.name} at {self.source.where(self.start)}>"


class Block:
    """`type "label" ... { body }`. `header_end` is where its first line (`... {`) ends."""

    __slots__ = ("body", "end", "header_end", "labels", "source", "start", "type")

    def __init__(
        self, type_: str, labels: tuple[str, ...], source: Source, start: int, header_end: int, end: int, body: Body
    ) -> None:
        self.type = type_
        self.labels = labels
        self.source = source
        self.start = start
        self.header_end = header_end
        self.end = end
        self.body = body

    @property
    def range(self) -> SourceRange:
        return self.source.range(self.start, self.header_end)

    def __repr__(self) -> str:
        return f"<{self.type} {' '.join(self.labels)} at {self.source.where(self.start)}>"


class Body:
    """Attributes by name, blocks in order."""

    __slots__ = ("attributes", "blocks")

    def __init__(self) -> None:
        self.attributes: dict[str, Attribute] = {}
        self.blocks: list[Block] = []

    def add(self, attribute: Attribute) -> None:
        """Raises InputError for a name that is taken: Terraform refuses it."""
        first = self.attributes.setdefault(attribute.name, attribute)
        if first is not attribute:
            line = first.source.position(first.start)[0]
            where = attribute.source.where(attribute.start)
            raise InputError(f"{where}: {attribute.name} is written twice in one block (first in line {line})")

    def of_type(self, name: str) -> list[Block]:
        return [b for b in self.blocks if b.type == name]


class File(msgspec.Struct, frozen=True):
    """One parsed file."""

    source: Source
    body: Body
    comments: tuple[Comment, ...] = ()


# --- modules ---------------------------------------------------------------------------------------


class Module(msgspec.Struct, eq=False):
    """All blocks of one module folder, overrides merged.

    path: "" or `module.a.module.b` (no instance keys).
    folder: the folder as reports print it; "" is the root module's own.
    own: the folder belongs to the user's tree, not to a downloaded module.
    children: calls by name; None where the called module's source is not at hand.
    duplicates: addresses (`aws_vpc.a`, `var.x`) that are declared twice, so that neither can be meant alone.
    """

    path: str
    folder: str = ""
    own: bool = True
    resources: dict[str, Block] = msgspec.field(default_factory=dict)
    providers: list[Block] = msgspec.field(default_factory=list)
    variables: dict[str, Block] = msgspec.field(default_factory=dict)
    outputs: dict[str, Block] = msgspec.field(default_factory=dict)
    locals: dict[str, Attribute] = msgspec.field(default_factory=dict)
    calls: dict[str, Block] = msgspec.field(default_factory=dict)
    terraform: list[Block] = msgspec.field(default_factory=list)
    other: list[Block] = msgspec.field(default_factory=list)
    children: dict[str, Module | None] = msgspec.field(default_factory=dict)
    missing: dict[str, str] = msgspec.field(default_factory=dict)  # call -> why its source was not read
    duplicates: set[str] = msgspec.field(default_factory=set)
    files: list[File] = msgspec.field(default_factory=list)
    followed: dict[str, list[str]] = msgspec.field(default_factory=dict)  # local -> what it mentions, once that was asked

    def walk(self) -> Iterator[Module]:
        """This module and all below it."""
        queue = [self]
        while queue:
            module = queue.pop(0)
            yield module
            queue.extend(c for c in module.children.values() if c is not None)


class SourceTree(msgspec.Struct, frozen=True, dict=True):
    """The modules of one Terraform root. `unread` names files that were skipped with --keep-going, and why."""

    root: Module
    unread: tuple[str, ...] = ()
    lock: bytes | None = None  # `.terraform.lock.hcl` of the same place
    lock_path: str = ""
    folders: Any = None  # what the tree was read from: `file()` and the like read there
    hidden: tuple[str, ...] = ()  # `x.tf` beside an `x.tofu`: OpenTofu reads the latter alone, Terraform the former

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """Every module by its path without keys."""
        return {m.path: m for m in self.root.walk()}


OVERRIDE: Final = ("override", "_override")
