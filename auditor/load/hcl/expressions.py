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
from auditor.syntax import (
    Attribute,
    Binary,
    Call,
    Comment,
    Conditional,
    Element,
    For,
    GetAttr,
    GetIndex,
    Item,
    Literal,
    Name,
    Object,
    Offsets,
    Source,
    Splat,
    Template,
    TemplateFor,
    Tuple,
    Unary,
)

MAX_DEPTH: Final = 100
MAX_CHAIN: Final = 400  # operators or steps in a row
MAX_DIGITS: Final = 4096  # of a number; Terraform itself keeps about 154
_BLANK: Final = re.compile(r"(?:[ \t\r]+|#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_BLANK_LINES: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_BLANK_STARTS: Final = frozenset(" \t\r\n#/")
_IDENT: Final = re.compile(r"[^\W\d][\w-]*")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC: Final = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t]*\r?\n")
_OPERATOR: Final = re.compile(r"\|\||&&|==|!=|<=|>=|[<>+\-*/%]")
_LEVEL: Final = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_QUOTED_STOP: Final = re.compile(r'["\\\n]|\$\{|%\{|\$\$\{|%%\{')
_TEXT_STOP: Final = re.compile(r"\$\{|%\{|\$\$\{|%%\{")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_PLAIN: Final = re.compile(
    r'"([^"\\$%\n]*)"|(true|false|null)|(-?\d{1,15})|([^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*)', re.ASCII
)
# A short operand with what may follow it at the end of an expression: outside brackets, and inside them.
_SHORT: Final = r'[ \t\r\n]*(?:"(?P<text>[^"\\$%\n]*)"|(?P<digits>-?\d{1,15})|(?P<path>[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*))'
_SHORT_LINE: Final = re.compile(_SHORT.replace(r"\r\n", "") + r"(?=[ \t]*\r?(?:[\n,)\]}]|\Z))")
_SHORT_LINES: Final = re.compile(_SHORT + r"(?=[ \t\r\n]*(?:[,)\]}]|\Z))")
_MARKS: Final = re.compile(r"#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
_SPLAT_END: Final = re.compile(r"\*\s*\]")
_SPLAT_STEP: Final = re.compile(r"\s*\.\s*(?:([^\W\d][\w-]*)|(\d+))")
_DIGITS: Final = re.compile(r"\d+(?:\.\d+)*")
_KEY_SIGN: Final = re.compile(r"\s*[=:]")
_KEY_END: Final = re.compile(r"[ \t]*(?:=(?!=)|:(?!:))")
_NAMES: Final = r"[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)+"
_SIMPLE: Final = re.compile(rf'"(?:[^"\\$%\n]|\$\{{{_NAMES}\}})*"', re.ASCII)
_HOLE: Final = re.compile(rf"\$\{{({_NAMES})\}}", re.ASCII)
_WORDS: Final = {"true": Literal(True), "false": Literal(False), "null": Literal(None)}


class _Directive:
    """A `%{ ... }` of a template, before if/for and their ends are paired."""

    __slots__ = ("at", "expr", "kind", "names")

    def __init__(self, kind: str, at: int, expr: Any = None, names: tuple[str, str] = ("", "")) -> None:
        self.kind = kind
        self.at = at
        self.expr = expr
        self.names = names


def number(text: str) -> int | Decimal:
    """A number literal: whole numbers as int, the rest exact. Raises ValueError for absurd sizes."""
    if text.isdigit() and len(text) <= MAX_DIGITS:
        return int(text)
    value = Decimal(text)
    if len(text) > MAX_DIGITS or abs(value.adjusted()) > MAX_DIGITS:
        raise ValueError(text[:20])
    return int(value) if value == value.to_integral_value() else value


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


class Parser:
    """A recursive descent parser over one expression, or (for `native.py`) over a whole file."""

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
        m = _IDENT.match(self.text, at) or _NUMBER.match(self.text, at)
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
        m = _IDENT.match(self.text, self.pos)
        if m is None:
            raise self.fail(what)
        self.pos = m.end()
        return m.group()

    def word(self, word: str) -> bool:
        """Take a keyword, but not the beginning of a longer name."""
        self.blank()
        m = _IDENT.match(self.text, self.pos)
        if m is None or m.group() != word:
            return False
        self.pos = m.end()
        return True

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InputError(f"{self.source.where(self.offset(self.pos))}: an expression is nested too deeply")

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
        self._deeper()
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
            self._deeper()
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
            return self._quoted()
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
            return self._heredoc(m.group(2), bool(m.group(1)))
        if c.isdigit() and (m := _NUMBER.match(text, self.pos)):
            self.pos = m.end()
            try:
                return Literal(number(m.group()))
            except (ValueError, ArithmeticError):
                raise self.fail("a number of sensible size", m.start()) from None
        m = _IDENT.match(text, self.pos)
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
        m = _IDENT.match(self.text, self.pos)
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
            m = _IDENT.match(self.text, self.pos)
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

    # --- templates

    def _quoted(self) -> Any:
        parts: list[Any] = []
        trim = False
        literal: list[str] = []

        def flush(left: bool, right: bool) -> None:
            joined = "".join(literal)
            literal.clear()
            joined = joined.lstrip() if left else joined
            joined = joined.rstrip() if right else joined
            if joined:
                parts.append(Literal(joined))

        start = self.pos
        while True:
            m = _QUOTED_STOP.search(self.text, self.pos)
            if m is None:
                raise self.fail('`"` that ends the string', start - 1)
            literal.append(self.text[self.pos : m.start()])
            self.pos = m.end()
            stop = m.group()
            if stop == '"':
                flush(trim, False)
                break
            if stop == "\n":
                raise self.fail('`"` that ends the string', m.start())
            if stop == "\\":
                literal.append(self._escape())
            elif stop in ("$${", "%%{"):
                literal.append(stop[1:])
            else:
                left = self.text.startswith("~", self.pos)
                flush(trim, left)
                trim = self._sequence(stop, parts)
        return self._assemble(parts)

    def _escape(self) -> str:
        c = self.text[self.pos : self.pos + 1]
        if c in _ESCAPES:
            self.pos += 1
            return _ESCAPES[c]
        size = {"u": 4, "U": 8}.get(c, 0)
        digits = self.text[self.pos + 1 : self.pos + 1 + size]
        try:
            made = chr(int(digits, 16)) if size and len(digits) == size else None
        except (ValueError, OverflowError):
            made = None
        if made is None:
            raise self.fail("an escape such as \\n, \\t, \\\", \\\\ or \\u00e9", self.pos - 1)
        self.pos += 1 + size
        return made

    def _sequence(self, opening: str, parts: list[Any]) -> bool:
        """`${ ... }` or `%{ ... }` after its opening; whether it ends in `~}`."""
        was, self.lines = self.lines, True
        at = self.pos - 2
        self._deeper()
        if self.text.startswith("~", self.pos):
            self.pos += 1
        if opening == "${":
            parts.append(self.expression())
        else:
            parts.append(self._directive(at))
        trim = self.take("~")
        self.blank()
        if not self.text.startswith("}", self.pos):
            raise self.fail("`}` of the template sequence")
        self.pos += 1
        self.depth -= 1
        self.lines = was
        return trim

    def _directive(self, at: int) -> _Directive:
        kind = self.ident("if, else, endif, for or endfor")
        if kind == "if":
            return _Directive(kind, at, self.expression())
        if kind == "for":
            first = self.ident("the name of the loop variable")
            second = self.ident("the second loop variable") if self.take(",") else ""
            if not self.word("in"):
                raise self.fail("`in`")
            return _Directive(kind, at, self.expression(), (first, second) if second else ("", first))
        if kind not in ("else", "endif", "endfor"):
            raise self.fail("if, else, endif, for or endfor", at)
        return _Directive(kind, at)

    def _assemble(self, parts: list[Any], whole: bool = True) -> Any:
        """Pair directives; one interpolation alone is its value, not a string."""
        if any(isinstance(p, _Directive) for p in parts):
            queue = list(parts)
            made = self._paired(queue, ())
            return Template(tuple(made))
        if not parts:
            return Literal("")
        if len(parts) == 1 and whole:
            return parts[0]
        return Template(tuple(parts))

    def _paired(self, queue: list[Any], ends: tuple[str, ...]) -> list[Any]:
        made: list[Any] = []
        self._deeper()
        while queue:
            part = queue[0]
            if not isinstance(part, _Directive):
                made.append(queue.pop(0))
                continue
            if part.kind in ends:
                self.depth -= 1
                return made
            queue.pop(0)
            if part.kind == "if":
                then = Template(tuple(self._paired(queue, ("else", "endif"))))
                other = Template(())
                if self._end(queue, part).kind == "else":
                    other = Template(tuple(self._paired(queue, ("endif",))))
                    self._end(queue, part)
                made.append(Conditional(part.expr, then, other))
            elif part.kind == "for":
                body = Template(tuple(self._paired(queue, ("endfor",))))
                self._end(queue, part)
                made.append(TemplateFor(part.names[0], part.names[1], part.expr, body))
            else:
                raise self.fail("a directive to end before this one", part.at)
        self.depth -= 1
        return made

    def _end(self, queue: list[Any], opened: _Directive) -> _Directive:
        if not queue:
            raise self.fail(f"an end of this %{{ {opened.kind} }}", opened.at)
        end: _Directive = queue.pop(0)
        return end

    def _heredoc(self, marker: str, indented: bool) -> Any:
        """The lines up to the marker. Each line break ends a piece, as in Terraform: `~` trims one piece only."""
        start = self.pos
        close = re.compile(rf"^[ \t]*{re.escape(marker)}[ \t]*\r?$", re.MULTILINE)
        parts: list[Any] = []  # str pieces, expressions, directives
        trim, begins = False, True
        while True:
            if begins and (m := close.match(self.text, self.pos)):
                self.pos = m.start() + len(m.group().rstrip())
                break
            stop = _TEXT_STOP.search(self.text, self.pos)
            line = self.text.find("\n", self.pos)
            if line < 0:
                raise self.fail(f"`{marker}` that ends the heredoc", start)
            piece: str
            if stop is not None and stop.start() < line:
                piece, self.pos = self.text[self.pos : stop.start()], stop.end()
                if stop.group() in ("$${", "%%{"):
                    self._piece(parts, piece + stop.group()[1:], trim)
                    begins = trim = False
                    continue
                left = self.text.startswith("~", self.pos)
                if piece:
                    self._piece(parts, piece, trim)
                if left and parts and isinstance(parts[-1], str):
                    parts[-1] = parts[-1].rstrip()
                begins = False
                trim = self._sequence(stop.group(), parts)
            else:
                piece, self.pos = self.text[self.pos : line + 1], line + 1
                self._piece(parts, piece, trim)
                begins, trim = True, False
        if indented:
            self._dedent(parts)
        return self._assemble(_melded(parts), whole=False)

    def _piece(self, parts: list[Any], piece: str, trim: bool) -> None:
        piece = piece.replace("\r\n", "\n") if piece.endswith("\r\n") else piece
        parts.append(piece.lstrip() if trim else piece)

    def _dedent(self, parts: list[Any]) -> None:
        """Take the least indentation off the pieces that begin a line. A piece begins one where the piece before it,
        as trimmed, ends in a line break; blank lines do not count."""
        least, begins = -1, True
        starts: list[int] = []
        for i, part in enumerate(parts):
            if begins:
                begins = False
                width = 0
                if isinstance(part, str):
                    rest = part.lstrip()
                    if not rest and part.endswith("\n"):
                        begins = True
                        continue
                    width = len(part) - len(rest)
                    starts.append(i)
                least = width if least < 0 else min(least, width)
            if isinstance(part, str) and part.endswith("\n"):
                begins = True
        for i in starts if least > 0 else ():
            parts[i] = parts[i][least:]

    def whole_template(self) -> Any:
        """The whole text as a template without quotes."""
        parts: list[Any] = []
        trim = False
        while True:
            stop = _TEXT_STOP.search(self.text, self.pos)
            piece = self.text[self.pos : stop.start() if stop else len(self.text)]
            piece = piece.lstrip() if trim else piece
            if stop is None:
                parts.append(piece)
                return self._assemble(_melded(parts))
            self.pos = stop.end()
            if stop.group() in ("$${", "%%{"):
                parts.append(piece + stop.group()[1:])
                trim = False
                continue
            if self.text.startswith("~", self.pos):
                piece = piece.rstrip()
            parts.append(piece)
            trim = self._sequence(stop.group(), parts)


def _melded(parts: list[Any]) -> list[Any]:
    """Neighbouring strings joined into literals, empty ones dropped."""
    made: list[Any] = []
    for part in parts:
        if not isinstance(part, str):
            made.append(part)
        elif part and made and isinstance(made[-1], Literal) and isinstance(made[-1].value, str):
            made[-1] = Literal(made[-1].value + part)
        elif part:
            made.append(Literal(part))
    return made
