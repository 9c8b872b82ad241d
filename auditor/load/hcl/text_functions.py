"""Terraform's pure functions over text; see `functions.py`."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from auditor.load.hcl.encoding_functions import jsonencode
from auditor.load.hcl.functions import _int, _list, _text
from auditor.load.hcl.values import (
    MAX_TEXT,
    EvalError,
    TooMuch,
    bounded,
    is_number,
    to_string,
)
from auditor.model import UNKNOWN

_RISKY: Final = re.compile(r"\([^()]*(?:[+*]|\{\d+,)[^()]*\)\s*[+*{]|\\[1-9]|\(\?[=!<]|\[\[:|\\[zZQEpPC]")
_VERB: Final = re.compile(
    r"%(?:%|(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<precision>\d+))?(?:\[(?P<arg>\d+)\])?(?P<verb>.))", re.DOTALL
)


def graphemes(text: str) -> list[str]:
    """Approximately the user-perceived characters: a base with the marks that follow it."""
    if text.isascii():
        return list(text)
    made: list[str] = []
    for c in unicodedata.normalize("NFC", text):
        if made and (unicodedata.combining(c) or c in "\u200d\ufe0f" or made[-1].endswith("\u200d")):
            made[-1] += c
        else:
            made.append(c)
    return made


def chomp(text: Any) -> str:
    return re.sub(r"[\r\n]+\Z", "", _text(text))


def indent(spaces: Any, text: Any) -> str:
    return bounded(_text(text).replace("\n", "\n" + " " * min(_int(spaces), 10_000)))


def join(separator: Any, *lists: Any) -> str:
    return bounded(_text(separator).join(_text(v) for one in lists for v in _list(one)))


def split(separator: Any, text: Any) -> list[str]:
    sep, whole = _text(separator), _text(text)
    if whole == "" and sep != "":
        return [""]
    return whole.split(sep) if sep else list(whole)


def replace(text: Any, old: Any, new: Any) -> Any:
    whole, a, b = _text(text), _text(old), _text(new)
    if len(a) > 1 and a.startswith("/") and a.endswith("/"):
        pattern = _pattern(a[1:-1], whole)
        if pattern is None:
            return UNKNOWN
        template = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", b.replace("\\", "\\\\"))
        try:
            return bounded(pattern.sub(template, whole))
        except (re.error, IndexError):
            raise EvalError("bad replacement") from None
    if len(whole) * max(1, len(b)) > 50 * MAX_TEXT:
        raise TooMuch("a string is too long")
    return bounded(whole.replace(a, b))


def _pattern(text: str, subject: str) -> re.Pattern[str] | None:
    """A pattern whose meaning and cost are the same here as in RE2; None where that is not sure."""
    if len(text) > 500 or len(subject) > 20_000 or _RISKY.search(text):
        return None
    try:
        return re.compile(text.replace("(?P<", "(?P<"))
    except re.error:
        return None


def regex(pattern: Any, text: Any) -> Any:
    compiled = _pattern(_text(pattern), _text(text))
    if compiled is None:
        return UNKNOWN
    m = compiled.search(_text(text))
    if m is None:
        raise EvalError("the pattern does not match")
    return _groups(m)


def regexall(pattern: Any, text: Any) -> Any:
    compiled = _pattern(_text(pattern), _text(text))
    return UNKNOWN if compiled is None else [_groups(m) for m in compiled.finditer(_text(text))]


def _groups(m: re.Match[str]) -> Any:
    if m.groupdict():
        return m.groupdict()
    return m.groups() if m.groups() else m.group()


def substr(text: Any, offset: Any, length: Any) -> str:
    parts, start, size = graphemes(_text(text)), _int(offset), _int(length)
    start = max(len(parts) + start, 0) if start < 0 else start
    return "".join(parts[start:] if size == -1 else parts[start : start + size])


def _cased(text: str, change: Callable[[str], str]) -> str:
    """Letter by letter, as Go does it: no letter becomes two."""
    if text.isascii():
        return change(text)
    return "".join(made if len(made := change(c)) == 1 else c for c in text)


def title(text: Any) -> str:
    return re.sub(r"(^|[\s\W])(\w)", lambda m: m.group(1) + m.group(2).upper(), _text(text)) if text else ""


def trim(text: Any, cutset: Any) -> str:
    return _text(text).strip(_text(cutset)) if cutset else _text(text)


def trimspace(text: Any) -> str:
    return _text(text).strip()


def format_(spec: Any, *args: Any) -> Any:
    if any(a is None for a in args):
        return UNKNOWN  # what Terraform makes of it depends on the verb
    used: set[int] = set()
    at = 0

    def one(m: re.Match[str]) -> str:
        nonlocal at
        if m.group() == "%%":
            return "%"
        index = int(m.group("arg")) - 1 if m.group("arg") else at
        if index >= len(args) or index < 0:
            raise EvalError("not enough arguments for the format")
        used.add(index)
        at = index + 1
        return _verb(m, args[index])

    made = _VERB.sub(one, _text(spec))
    if args and len(used) < len(args) and at < len(args):
        raise EvalError("too many arguments for the format")
    return bounded(made)


def _verb(m: re.Match[str], value: Any) -> str:
    flags, verb = m.group("flags") or "", m.group("verb")
    width = int(m.group("width") or 0)
    precision = m.group("precision")
    if width > 10_000 or len(precision or "") > 4:
        raise TooMuch("a format is too wide")
    if verb == "v":
        made = "null" if value is None else value if isinstance(value, str) else _plain(value)
        if "#" in flags:
            made = jsonencode(value)
    elif verb == "s":
        made = _text(value)
        made = made[: int(precision)] if precision else made
    elif verb == "q":
        made = jsonencode(_text(value))
    elif verb == "t":
        from auditor.load.hcl.values import to_bool

        made = to_string(to_bool(value))
    elif verb in "dboxX":
        number = _whole(value)
        body = format(abs(number), verb)
        sign = "-" if number < 0 else "+" if "+" in flags else " " if " " in flags else ""
        made = sign + (body.rjust(width - len(sign), "0") if "0" in flags and "-" not in flags else body)
    elif verb in "eEfgG":
        from auditor.load.hcl.values import to_number

        number = to_number(value)
        if number is None:
            raise EvalError("a number is needed")
        if verb in "gG" and not precision:
            raise EvalError("not supported")
        made = format(Decimal(number) if verb == "f" else float(number), f".{precision or 6}{verb}")
        if "+" in flags and not made.startswith("-"):
            made = "+" + made
        if "0" in flags and "-" not in flags:
            sign, body = (made[0], made[1:]) if made[:1] in "+-" and made else ("", made)
            made = sign + body.rjust(width - len(sign), "0")
    else:
        raise EvalError("unknown verb in the format")
    return made.ljust(width) if "-" in flags else made.rjust(width)


def _whole(value: Any) -> int:
    from auditor.load.hcl.values import to_number

    number = to_number(value)
    if not is_number(number):
        raise EvalError("a number is needed")
    return int(number)


def _plain(value: Any) -> str:
    if isinstance(value, bool) or is_number(value):
        return str(to_string(value))
    return jsonencode(value)


def formatlist(spec: Any, *args: Any) -> Any:
    sizes = {len(a) for a in args if isinstance(a, (list, tuple))}
    if len(sizes) > 1:
        raise EvalError("lists of different lengths")
    count = sizes.pop() if sizes else 1
    return [format_(spec, *(a[i] if isinstance(a, (list, tuple)) else a for a in args)) for i in range(count)]


def dirname(path: Any) -> str:
    return posixpath.normpath(posixpath.dirname(_text(path)) or ".")


TEXT_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "chomp": chomp, "endswith": lambda s, x: _text(s).endswith(_text(x)), "format": format_, "formatlist": formatlist,
    "indent": indent, "join": join, "lower": lambda s: _cased(_text(s), str.lower), "regex": regex, "regexall": regexall,
    "replace": replace, "split": split, "startswith": lambda s, x: _text(s).startswith(_text(x)),
    "strcontains": lambda s, x: _text(x) in _text(s), "strrev": lambda s: "".join(reversed(graphemes(_text(s)))),
    "substr": substr, "title": title, "trim": trim, "trimprefix": lambda s, x: _text(s).removeprefix(_text(x)),
    "trimsuffix": lambda s, x: _text(s).removesuffix(_text(x)), "trimspace": trimspace,
    "upper": lambda s: _cased(_text(s), str.upper),
    "basename": lambda p: posixpath.basename(_text(p).rstrip("/")) or ("/" if p else "."), "dirname": dirname,
}  # fmt: skip
