"""Parses HCL expressions and templates exactly as Terraform reads them, from text to `auditor.syntax` records.

Precedence, splats, strip markers and heredoc indentation are decided here. Nesting is bounded: a hostile file ends in
an InputError, never in a stack overflow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from auditor.errors import InputError
from auditor.load.hcl.scanner import IDENT, NUMBER, number
from auditor.load.hcl.templates import Templates
from auditor.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Element,
    For,
    GetAttr,
    GetIndex,
    Item,
    Literal,
    Name,
    Object,
    Source,
    Splat,
    Template,
    Tuple,
    Unary,
)

MAX_CHAIN: Final = 400  # operators or steps in a row
_HEREDOC: Final = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t]*\r?\n")
_OPERATOR: Final = re.compile(r"\|\||&&|==|!=|<=|>=|[<>+\-*/%]")
_LEVEL: Final = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_PLAIN: Final = re.compile(
    r'"([^"\\$%\n]*)"|(true|false|null)|(-?\d{1,15})|([^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*)', re.ASCII
)
# A short operand with what may follow it at the end of an expression: outside brackets, and inside them.
_SHORT: Final = r'[ \t\r\n]*(?:"(?P<text>[^"\\$%\n]*)"|(?P<digits>-?\d{1,15})|(?P<path>[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*))'
_SHORT_LINE: Final = re.compile(_SHORT.replace(r"\r\n", "") + r"(?=[ \t]*\r?(?:[\n,)\]}]|\Z))")
_SHORT_LINES: Final = re.compile(_SHORT + r"(?=[ \t\r\n]*(?:[,)\]}]|\Z))")
_SPLAT_END: Final = re.compile(r"\*\s*\]")
_SPLAT_STEP: Final = re.compile(r"\s*\.\s*(?:([^\W\d][\w-]*)|(\d+))")
_DIGITS: Final = re.compile(r"\d+(?:\.\d+)*")
_KEY_SIGN: Final = re.compile(r"\s*[=:]")
_KEY_END: Final = re.compile(r"[ \t]*(?:=(?!=)|:(?!:))")
_NAMES: Final = r"[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)+"
_SIMPLE: Final = re.compile(rf'"(?:[^"\\$%\n]|\$\{{{_NAMES}\}})*"', re.ASCII)
_HOLE: Final = re.compile(rf"\$\{{({_NAMES})\}}", re.ASCII)
_WORDS: Final = {"true": Literal(True), "false": Literal(False), "null": Literal(None)}


def parse_attribute(attribute: Attribute) -> Any:
    """The expression of an attribute of a native file; the common short forms without a parser."""
    text = attribute.text
    m = _PLAIN.fullmatch(text)
    if m is not None:
        string, word, digits, path = m.groups()
        if string is not None:
            return Literal(string)
        if word is not None:
            return _WORDS[word]
        if digits is not None:
            return Literal(int(digits))
        return _path(path)
    if _SIMPLE.fullmatch(text):  # text with plain paths in it
        pieces = _HOLE.split(text[1:-1])
        parts = [_path(x) if i % 2 else Literal(x) for i, x in enumerate(pieces) if x]
        return parts[0] if len(parts) == 1 else Template(tuple(parts))
    parser = Parser(text, attribute.source, attribute.value_start)
    return parser.whole()


@lru_cache(maxsize=4096)
def _path(text: str) -> Any:
    """`var.a.b`, or a word."""
    if text in _WORDS:
        return _WORDS[text]
    first, *rest = text.split(".")
    made: Any = Name(first)
    for step in rest:
        made = GetAttr(made, step)
    return made


def parse_template(text: str, source: Source, at: int) -> Any:
    """A template given as plain text (a string of Terraform JSON, a template file); all positions are `at`."""
    if "${" not in text and "%{" not in text:
        return Literal(text)
    return Parser(text, source, at, fixed=True).whole_template()


def parse_text(text: str, source: Source, at: int) -> Any:
    """An expression given as text (a reference in Terraform JSON); all positions are `at`."""
    return Parser(text, source, at, fixed=True).whole()


class Parser(Templates):
    """A recursive descent parser over one expression, or (for `native.py`) over a whole file."""

    # --- expressions

    def whole(self) -> Any:
        made = self.expression()
        self.lines = True
        self.blank()
        if self.pos < len(self.text):
            raise self.fail("the end of the expression")
        return made

    def expression(self) -> Any:
        m = (_SHORT_LINES if self.lines else _SHORT_LINE).match(self.text, self.pos)
        if m is not None:
            return self._short(m)
        self.deeper()
        test = self._binary(1)
        if self.take("?"):
            then = self.expression()
            self.expect(":", " of the conditional")
            test = Conditional(test, then, self.expression())
        self.depth -= 1
        return test

    def _short(self, m: re.Match[str]) -> Any:
        """An operand that ends its expression: most are."""
        kind = m.lastgroup or ""
        text = m.group(kind)
        self.pos = m.end(kind) + (kind == "text")
        if kind == "path":
            return _path(text)
        return Literal(text if kind == "text" else int(text))

    def _binary(self, level: int) -> Any:
        left = self._unary()
        added = 0
        while True:
            self.blank()
            m = _OPERATOR.match(self.text, self.pos)
            if m is None or _LEVEL[m.group()] < level:
                break
            self.pos = m.end()
            added += 1
            if added > MAX_CHAIN:
                raise InputError(f"{self.source.where(self.offset(self.pos))}: an expression has too many operators")
            left = Binary(m.group(), left, self._binary(_LEVEL[m.group()] + 1))
        return left

    def _unary(self) -> Any:
        self.blank()
        c = self.text[self.pos : self.pos + 1]
        if c == "-" or (c == "!" and not self.text.startswith("!=", self.pos)):
            self.pos += 1
            self.deeper()
            inner = self._unary()
            self.depth -= 1
            if c == "-" and isinstance(inner, Literal) and isinstance(inner.value, (int, Decimal)) and inner.value is not True:
                return Literal(-inner.value)
            return Unary(c, inner)
        return self._suffixes(self.term())

    def term(self) -> Any:
        text, c = self.text, self.text[self.pos : self.pos + 1]
        if c == '"':
            self.pos += 1
            return self.quoted()
        if c == "(":
            self.pos += 1
            return self._inside(self.expression, ")")
        if c == "[":
            self.pos += 1
            return self._tuple()
        if c == "{":
            self.pos += 1
            return self._object()
        if c == "<" and (m := _HEREDOC.match(text, self.pos)):
            self.pos = m.end()
            return self.heredoc(m.group(2), bool(m.group(1)))
        if c.isdigit() and (m := NUMBER.match(text, self.pos)):
            self.pos = m.end()
            try:
                return Literal(number(m.group()))
            except (ValueError, ArithmeticError):
                raise self.fail("a number of sensible size", m.start()) from None
        m = IDENT.match(text, self.pos)
        if m is None:
            raise self.fail("an expression")
        self.pos = m.end()
        name = m.group()
        if self.text.startswith("::", self.pos):
            while self.text.startswith("::", self.pos):
                self.pos += 2
                name += "::" + self.ident("a function name")
            if not self.peek("("):
                raise self.fail("`(` of a function call")
        if self.peek("("):
            self.pos += 1
            return self._call(name)
        return _WORDS.get(name) or Name(name)

    def _inside(self, what: Callable[[], Any], end: str) -> Any:
        """Parse between brackets, where line breaks are blanks."""
        was, self.lines = self.lines, True
        made = what()
        self.blank()
        if not self.text.startswith(end, self.pos):
            raise self.fail(f"`{end}`")
        self.pos += len(end)
        self.lines = was
        return made

    def _call(self, name: str) -> Call:
        def arguments() -> tuple[list[Any], bool]:
            found: list[Any] = []
            while not self.peek(")"):
                found.append(self.expression())
                if self.take("..."):
                    self.take(",")
                    return found, True
                if not self.take(","):
                    break
            return found, False

        args, expand = self._inside(arguments, ")")
        return Call(name, tuple(args), expand)

    def _suffixes(self, made: Any) -> Any:
        self.chain = 0
        while True:
            self.blank()
            if self.text.startswith("...", self.pos):
                return made
            if self.text.startswith(".", self.pos):
                self.pos += 1
                made = self._dotted(made)
            elif self.text.startswith("[", self.pos):
                self.pos += 1
                was, self.lines = self.lines, True
                if self.peek("*") and _SPLAT_END.match(self.text, self.pos):
                    self.pos = self.text.index("]", self.pos) + 1
                    self.lines = was
                    return Splat(made, self._suffixes(Element()))
                key = self.expression()
                self.expect("]")
                self.lines = was
                made = GetIndex(made, key)
            else:
                return made
            self._deeper_suffix()

    def _deeper_suffix(self) -> None:
        """Long chains nest in what is returned."""
        self.chain += 1
        if self.chain > MAX_CHAIN:
            raise InputError(f"{self.source.where(self.offset(self.pos))}: an expression has too many steps")

    def _dotted(self, made: Any) -> Any:
        self.blank()
        if self.take("*"):
            each: Any = Element()
            while (m := _SPLAT_STEP.match(self.text, self.pos)) is not None:
                self.pos = m.end()
                each = GetAttr(each, m.group(1)) if m.group(1) else GetIndex(each, Literal(int(m.group(2)[:18])))
            return Splat(made, each)
        m = _DIGITS.match(self.text, self.pos)
        if m is not None:  # legacy `list.0.1`
            self.pos = m.end()
            for digits in m.group().split("."):
                made = GetIndex(made, Literal(int(digits[:18])))
            return made
        return GetAttr(made, self.ident("an attribute name after `.`"))

    # --- collections

    def _tuple(self) -> Any:
        was, self.lines = self.lines, True
        if self.word("for"):
            made = self._for("]")
            self.lines = was
            return made
        items: list[Item] = []
        while not self.take("]"):
            self.blank()
            start = self.pos
            value = self.expression()
            items.append(Item(None, value, self.offset(start), self.offset(self.end())))
            if not self.take(","):
                self.expect("]", " or `,`")
                break
        self.lines = was
        return Tuple(tuple(items))

    def _object(self) -> Any:
        was, self.lines = self.lines, True
        self.blank()
        m = IDENT.match(self.text, self.pos)
        if m is not None and m.group() == "for" and not _KEY_SIGN.match(self.text, m.end()):
            self.pos = m.end()
            made = self._for("}")
            self.lines = was
            return made
        items: list[Item] = []
        while True:
            self.lines = True
            if self.take("}"):
                break
            self.blank()
            start = self.pos
            m = IDENT.match(self.text, self.pos)
            if m is not None and _KEY_END.match(self.text, m.end()):
                self.pos = m.end()
                key: Any = Literal(m.group())
            else:
                self.lines = False
                key = self.expression()
            self.lines = False
            if not (self.take("=") or self.take(":")):
                raise self.fail("`=` or `:` after the key")
            self.lines = True
            self.blank()
            self.lines = False
            value = self.expression()
            end = self.end()
            items.append(Item(key, value, self.offset(start), self.offset(end)))
            self.blank()
            if self.text.startswith(",", self.pos) or self.text.startswith("\n", self.pos):
                self.pos += 1
            elif not self.text.startswith("}", self.pos):
                raise self.fail("a new line, `,` or `}`")
        self.lines = was
        return Object(tuple(items))

    def _for(self, end: str) -> For:
        first = self.ident("the name of the loop variable")
        second = self.ident("the second loop variable") if self.take(",") else ""
        if not self.word("in"):
            raise self.fail("`in`")
        of = self.expression()
        self.expect(":", " of the for expression")
        key = None
        value = self.expression()
        group = False
        if end == "}":
            self.expect("=>")
            key, value = value, self.expression()
            group = self.take("...")
        test = self.expression() if self.word("if") else None
        self.expect(end, " of the for expression")
        names = (first, second) if second else ("", first)
        return For(names[0], names[1], of, key, value, test, group)
