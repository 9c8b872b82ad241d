"""What the parsers of native syntax share: a position in a text, blanks and comments, errors with their place."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from auditor.errors import InputError
from auditor.syntax import Comment, Offsets, Source

MAX_DEPTH: Final = 100
MAX_DIGITS: Final = 4096  # of a number; Terraform itself keeps about 154
IDENT: Final = re.compile(r"[^\W\d][\w-]*")
NUMBER: Final = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_BLANK: Final = re.compile(r"(?:[ \t\r]+|#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_BLANK_LINES: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_BLANK_STARTS: Final = frozenset(" \t\r\n#/")
_MARKS: Final = re.compile(r"#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)


def number(text: str) -> int | Decimal:
    """A number literal: whole numbers as int, the rest exact. Raises ValueError for absurd sizes."""
    if text.isdigit() and len(text) <= MAX_DIGITS:
        return int(text)
    value = Decimal(text)
    if len(text) > MAX_DIGITS or abs(value.adjusted()) > MAX_DIGITS:
        raise ValueError(text[:20])
    return int(value) if value == value.to_integral_value() else value


class Scanner:
    """A position in a text, what stands there, and how to say that something else was expected."""

    def __init__(self, text: str, source: Source, base: int, fixed: bool = False) -> None:
        self.text = text
        self.source = source
        self.base = base
        self.fixed = fixed
        self.pos = 0
        self.depth = 0
        self.solid = self.blank_end = 0
        self.chain = 0  # steps of the traversal being read
        self.lines = False  # whether line breaks are blanks here
        self.comments: dict[int, Comment] | None = None  # by where they start, for who wants them
        self._offsets: Offsets | None = None

    # --- positions and errors

    def offset(self, pos: int) -> int:
        """Bytes into the file."""
        if self.fixed:
            return self.base
        if self._offsets is None:
            self._offsets = Offsets(self.text, self.base)
        return self._offsets(pos)

    def comment(self, start: int, end: int) -> None:
        if self.comments is not None:
            text = self.text[start:end].rstrip("\r")
            begin = self.offset(start)
            self.comments[begin] = Comment(begin, self.offset(start + len(text)), text)

    def fail(self, expected: str, pos: int | None = None) -> InputError:
        at = self.pos if pos is None else pos
        found = self._found(at)
        return InputError(f"{self.source.where(self.offset(at))}: syntax error: expected {expected}, found {found}")

    def _found(self, at: int) -> str:
        if at >= len(self.text):
            return "the end"
        if self.text[at] == "\n" or self.text.startswith("\r\n", at):
            return "a new line"
        m = IDENT.match(self.text, at) or NUMBER.match(self.text, at)
        return f"`{m.group()[:20] if m else self.text[at]}`"

    def blank(self) -> None:
        if self.text[self.pos : self.pos + 1] not in _BLANK_STARTS:
            return
        m = (_BLANK_LINES if self.lines else _BLANK).match(self.text, self.pos)
        if m is not None:
            if self.pos != self.blank_end:
                self.solid = self.pos
            start, self.pos = self.pos, m.end()
            self.blank_end = self.pos
            if self.comments is not None and ("#" in m.group() or "/" in m.group()):
                for found in _MARKS.finditer(self.text, start, self.pos):
                    self.comment(*found.span())

    def end(self) -> int:
        """Where the last token ended, the blanks after it left out."""
        return self.solid if self.pos == self.blank_end else self.pos

    def peek(self, what: str) -> bool:
        self.blank()
        return self.text.startswith(what, self.pos)

    def take(self, what: str) -> bool:
        if self.peek(what):
            self.pos += len(what)
            return True
        return False

    def expect(self, what: str, why: str = "") -> None:
        if not self.take(what):
            raise self.fail(f"`{what}`{why}")

    def ident(self, what: str) -> str:
        self.blank()
        m = IDENT.match(self.text, self.pos)
        if m is None:
            raise self.fail(what)
        self.pos = m.end()
        return m.group()

    def word(self, word: str) -> bool:
        """Take a keyword, but not the beginning of a longer name."""
        self.blank()
        m = IDENT.match(self.text, self.pos)
        if m is None or m.group() != word:
            return False
        self.pos = m.end()
        return True

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InputError(f"{self.source.where(self.offset(self.pos))}: an expression is nested too deeply")
