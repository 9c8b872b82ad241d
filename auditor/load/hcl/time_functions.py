"""Terraform's pure functions over dates: `formatdate`, `timeadd`, `timecmp`, as Go reads and writes RFC 3339."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple

from auditor.load.hcl.functions import _text
from auditor.load.hcl.values import EvalError

_STAMP: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:Z|([+-])(\d{2}):(\d{2}))", re.ASCII
)
_DURATION: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS: Final = {
    "ns": Fraction(1, 10**9), "us": Fraction(1, 10**6), "µs": Fraction(1, 10**6), "μs": Fraction(1, 10**6),
    "ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600),
}  # fmt: skip
_MOST: Final = Fraction(2**63, 10**9)  # seconds of a Go duration
_VERB: Final = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class _Stamp(NamedTuple):
    """Local time to the second, the fraction of a second, seconds east of UTC."""

    local: datetime
    fraction: Fraction
    offset: int


def _stamp(text: Any) -> _Stamp:
    m = _STAMP.fullmatch(_text(text))
    if m is None:
        raise EvalError("not an RFC 3339 timestamp")
    year, month, day, hour, minute, second = (int(g) for g in m.groups()[:6])
    offset = 0
    if m.group(8):
        hours, minutes = int(m.group(9)), int(m.group(10))
        if hours > 23 or minutes > 59:
            raise EvalError("not an offset from UTC")
        offset = (hours * 3600 + minutes * 60) * (-1 if m.group(8) == "-" else 1)
    digits = m.group(7) or "0"
    try:
        return _Stamp(datetime(year, month, day, hour, minute, second), Fraction(int(digits[:9]), 10 ** len(digits[:9])), offset)
    except ValueError:
        raise EvalError("no such time") from None


def _zone(offset: int, colon: str) -> str:
    sign, minutes = "-" if offset < 0 else "+", abs(offset) // 60
    return f"{sign}{minutes // 60:02}{colon}{minutes % 60:02}"


def _duration(text: Any) -> Fraction:
    """Seconds of a Go duration such as `-1h30m`."""
    whole = _text(text)
    rest = whole.lstrip("+-") if whole[:1] in ("+", "-") and whole[1:2] not in ("+", "-") else whole
    if rest == "0":
        return Fraction(0)
    parts = _DURATION.findall(rest)
    if not parts or "".join(n + u for n, u in parts) != rest or len(rest) > 200:
        raise EvalError("not a duration")
    total = sum((Fraction(n + "0" if n.endswith(".") else n) * _UNITS[u] for n, u in parts), Fraction(0))
    if total >= _MOST:
        raise EvalError("the duration is too long")
    return -total if whole.startswith("-") else total


def timeadd(stamp: Any, duration: Any) -> str:
    local, fraction, offset = _stamp(stamp)
    seconds = fraction + _duration(duration)
    try:
        made = local + timedelta(seconds=seconds.numerator // seconds.denominator)
    except OverflowError:
        raise EvalError("the time is out of range") from None
    return f"{made:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (_zone(offset, ":") if offset else "Z")


def timecmp(a: Any, b: Any) -> int:
    first, second = (s.local - timedelta(seconds=s.offset) for s in (_stamp(a), _stamp(b)))
    left, right = (first, _stamp(a).fraction), (second, _stamp(b).fraction)
    return (left > right) - (left < right)


_PARTS: Final[Mapping[str, Callable[[_Stamp], str]]] = {
    "YYYY": lambda s: f"{s.local.year:04}", "YY": lambda s: f"{s.local.year % 100:02}",
    "MMMM": lambda s: _MONTHS[s.local.month - 1], "MMM": lambda s: _MONTHS[s.local.month - 1][:3],
    "MM": lambda s: f"{s.local.month:02}", "M": lambda s: str(s.local.month),
    "DD": lambda s: f"{s.local.day:02}", "D": lambda s: str(s.local.day),
    "EEEE": lambda s: _DAYS[s.local.weekday()], "EEE": lambda s: _DAYS[s.local.weekday()][:3],
    "hh": lambda s: f"{s.local.hour:02}", "h": lambda s: str(s.local.hour),
    "HH": lambda s: f"{s.local.hour % 12 or 12:02}", "H": lambda s: str(s.local.hour % 12 or 12),
    "AA": lambda s: "AM" if s.local.hour < 12 else "PM", "aa": lambda s: "am" if s.local.hour < 12 else "pm",
    "mm": lambda s: f"{s.local.minute:02}", "m": lambda s: str(s.local.minute),
    "ss": lambda s: f"{s.local.second:02}", "s": lambda s: str(s.local.second),
    "Z": lambda s: _zone(s.offset, ":") if s.offset else "Z",
    "ZZZ": lambda s: _zone(s.offset, "") if s.offset else "UTC",
    "ZZZZ": lambda s: _zone(s.offset, ""), "ZZZZZ": lambda s: _zone(s.offset, ":"),
}  # fmt: skip


def formatdate(spec: Any, stamp: Any) -> str:
    whole, at, made, time = _text(spec), 0, [], _stamp(stamp)
    while at < len(whole):
        m = _VERB.match(whole, at)
        if m is None:
            raise EvalError("a quote is not closed")
        at, word = m.end(), m.group()
        if m.group(1):
            part = _PARTS.get(word)
            if part is None:
                raise EvalError(f"no such verb {word}")
            made.append(part(time))
        else:
            made.append(word[1:-1].replace("''", "'") if word.startswith("'") else word)
    return "".join(made)


TIME_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {"formatdate": formatdate, "timeadd": timeadd, "timecmp": timecmp}
