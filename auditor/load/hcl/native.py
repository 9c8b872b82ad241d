"""Native syntax (`.tf`, `.tofu`, `.tfvars`, lock files) to records, refusing what Terraform refuses.

Most lines of Terraform are alike (`name = "text"`, `type "label" {`, `}`, a comment): one pattern reads them. Everything
else goes through the parser of expressions, which says with file, line and column what Terraform expects there.
tree-sitter reads faster still to a tree, but takes `a = 1 b = 2` on one line; tests hold both to one structure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from auditor.errors import InputError
from auditor.load.hcl.expressions import Parser, parse_attribute
from auditor.syntax import Attribute, Block, Body, File, Literal, Source

MAX_BLOCKS_DEEP: Final = 64
MAX_BYTES: Final = 16_000_000  # of one file
MAX_SECOND: Final = 50_000  # characters that python-hcl2 is asked about: it takes seconds for more
_IDENT: Final = r"[^\W\d][\w-]*"
_PATH: Final = rf"{_IDENT}(?:\.{_IDENT})*"
_LINE: Final = re.compile(
    rf"""[ \t\r\n]*(?:
    (?P<name>{_IDENT})[ \t]*=[ \t]*
        (?P<value>"(?P<text>[^"\\$%\n]*)"|{_PATH}|-?\d{{1,15}}|"(?:[^"\\$%\n]|\$\{{{_PATH}\}})*")
        [ \t]*(?P<tail>(?:\#|//)[^\r\n]*)?(?=\r?\n|\Z)
    |(?P<end>\}})(?=[ \t]*\r?(?:\n|\Z))
    |(?P<type>{_IDENT})(?P<labels>(?:[ \t]+(?:"[^"\\$%\n]*"|{_IDENT}))*)[ \t]*(?P<open>\{{)(?=[ \t]*\r?\n)
    |(?P<comment>(?:\#|//)[^\r\n]*)(?=\r?\n|\Z)
    )""",
    re.VERBOSE,
)
_LABEL: Final = re.compile(rf'"([^"]*)"|({_IDENT})')


def read_native(source: Source) -> File:
    """Raises InputError with file, line and column for what Terraform would refuse."""
    data = source.data
    if len(data) > MAX_BYTES:
        raise InputError(f"{source.path}: {len(data)} bytes are too many for one Terraform file")
    skip = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = data[skip:].decode("utf-8")
    except UnicodeDecodeError as e:
        raise InputError(f"{source.where(skip + e.start)}: not UTF-8", "Save the file as UTF-8.") from e
    parser = Parser(text, source, skip)
    parser.comments = {}
    body = Body()
    try:
        _Reader(parser, source).read(body)
    except InputError as e:
        raise _seconded(e, text) from None
    return File(source, body, tuple(c for _, c in sorted(parser.comments.items())))


def _seconded(refusal: InputError, text: str) -> InputError:
    """The refusal; where python-hcl2, a laxer reader, takes the file, with that said: Terraform decides between them."""
    if len(text) > MAX_SECOND:
        return refusal
    import hcl2

    try:
        hcl2.loads(text)
    except Exception:  # a second opinion: whatever another reader trips over, the first refusal stands
        return refusal
    hint = "python-hcl2, a laxer reader, takes it: where `terraform validate` does too, please report it."
    return InputError(str(refusal), hint)


class _Reader:
    """One file from top to bottom; blocks that are open stand on a stack."""

    def __init__(self, parser: Parser, source: Source) -> None:
        self.p = parser
        self.source = source
        self.opened: list[tuple[Body, str, tuple[str, ...], int, int]] = []  # outer body, type, labels, start, header end
        self.body = Body()

    def read(self, body: Body) -> None:
        self.body = body
        p, source = self.p, self.source
        text, match = p.text, _LINE.match
        at: Callable[[int], int] = int if text.isascii() and p.base == 0 else p.offset  # `int` leaves it as it is
        while True:
            m = match(text, p.pos)
            if m is None:
                if self._other():
                    return
                continue
            p.pos = m.end()
            kind = m.lastgroup
            if kind == "value" or kind == "tail":
                start, stop = m.span("value")
                plain = m.group("text")
                made = parse_attribute if plain is None else Literal(plain)
                self.body.add(Attribute(m.group("name"), source, at(m.start("name")), at(start), at(stop), made))
                if kind == "tail":
                    p.comment(*m.span("tail"))
            elif kind == "end":
                if not self.opened:
                    p.pos -= 1
                    raise p.fail("an attribute or a block")
                self._close()
            elif kind == "open":
                labels = tuple([a or b for a, b in _LABEL.findall(m.group("labels"))])
                self._open(m.group("type"), labels, at(m.start("type")))
            else:
                p.comment(*m.span("comment"))

    def _open(self, type_: str, labels: tuple[str, ...], start: int) -> None:
        if len(self.opened) >= MAX_BLOCKS_DEEP:
            raise InputError(f"{self.source.where(start)}: blocks are nested too deeply")
        self.opened.append((self.body, type_, labels, start, self.p.offset(self.p.pos)))
        self.body = Body()

    def _close(self) -> None:
        outer, type_, labels, start, header_end = self.opened.pop()
        end = self.p.offset(self.p.pos)
        outer.blocks.append(Block(type_, labels, self.source, start, header_end, end, self.body))
        self.body = outer

    def _other(self) -> bool:
        """What is no common line; true at the end of the file."""
        p = self.p
        p.lines = True
        p.blank()
        if p.pos >= len(p.text):
            if self.opened:
                raise p.fail("`}` that ends the block")
            return True
        if self.opened and p.text.startswith("}", p.pos):
            p.pos += 1
            self._close()
            self._line_end()
            return False
        start = p.pos
        name = p.ident("an attribute or a block")
        p.lines = False
        if p.peek("=") and not p.peek("=="):
            p.pos += 1
            p.blank()
            value_start = p.pos
            made = p.expression()
            self.body.add(
                Attribute(name, self.source, p.offset(start), p.offset(value_start), p.offset(p.end()), made)
            )
            self._line_end()
            return False
        labels: list[str] = []
        while not p.peek("{"):
            labels.append(self._label())
        p.pos += 1
        self._open(name, tuple(labels), p.offset(start))
        return False

    def _label(self) -> str:
        p = self.p
        if not p.peek('"'):
            return p.ident("`=`, a block label or `{`")
        start = p.pos
        label = p.term()
        if isinstance(label, Literal) and isinstance(label.value, str):
            return label.value
        raise p.fail("a plain string as block label", start)

    def _line_end(self) -> None:
        p = self.p
        p.lines = False
        p.blank()
        rest = p.text[p.pos : p.pos + 1]
        if rest in ("", "\n") or (rest == "}" and self.opened):
            return
        if p.text.startswith("\n", p.pos - 1):  # a heredoc or line comment took the break
            return
        raise p.fail("a new line")
