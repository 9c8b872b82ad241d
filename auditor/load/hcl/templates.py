"""Quoted strings, heredocs and template text: interpolations, directives, strip markers, indentation."""

from __future__ import annotations

import re
from typing import Any, Final

from auditor.load.hcl.scanner import Scanner
from auditor.syntax import Conditional, Literal, Template, TemplateFor

_QUOTED_STOP: Final = re.compile(r'["\\\n]|\$\{|%\{|\$\$\{|%%\{')
_TEXT_STOP: Final = re.compile(r"\$\{|%\{|\$\$\{|%%\{")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class _Directive:
    """A `%{ ... }` of a template, before if/for and their ends are paired."""

    __slots__ = ("at", "expr", "kind", "names")

    def __init__(self, kind: str, at: int, expr: Any = None, names: tuple[str, str] = ("", "")) -> None:
        self.kind = kind
        self.at = at
        self.expr = expr
        self.names = names


class Templates(Scanner):
    """The part of the parser that reads templates."""

    def expression(self) -> Any:
        """The expression of an interpolation or directive."""
        raise NotImplementedError

    def quoted(self) -> Any:
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
        self.deeper()
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
        self.deeper()
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

    def heredoc(self, marker: str, indented: bool) -> Any:
        """The lines up to the marker."""
        close = re.compile(rf"^[ \t]*{re.escape(marker)}[ \t]*\r?$", re.MULTILINE)
        parts = self._lines(close, f"`{marker}` that ends the heredoc")
        if indented:
            self._dedent(parts)
        return self._assemble(_melded(parts), whole=False)

    def whole_template(self) -> Any:
        """The whole text as a template without quotes."""
        return self._assemble(_melded(self._lines(None, "")))

    def _lines(self, close: re.Pattern[str] | None, expected: str) -> list[Any]:
        """Pieces of text, expressions and directives up to a line that matches `close`, or to the end.

        Each line break ends a piece, as in Terraform: `~` trims one piece only.
        """
        start = self.pos
        parts: list[Any] = []
        trim, begins = False, True
        while True:
            if close is not None and begins and (m := close.match(self.text, self.pos)):
                self.pos = m.start() + len(m.group().rstrip())
                return parts
            stop = _TEXT_STOP.search(self.text, self.pos)
            line = self.text.find("\n", self.pos)
            if line < 0 and close is not None:
                raise self.fail(expected, start)
            piece: str
            if stop is not None and (stop.start() < line or line < 0):
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
                end = line + 1 if line >= 0 else len(self.text)
                piece, self.pos = self.text[self.pos : end], end
                self._piece(parts, piece, trim)
                begins, trim = True, False
                if line < 0:
                    return parts

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
