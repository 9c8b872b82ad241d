"""Recorded latencies: what ping, sockperf, nccl-tests or a CSV file measured, against the sub-millisecond mandate.

Nothing is measured here. Times are round trips in milliseconds, exact decimals. Percentiles are nearest-rank: the
value that so many per cent of the samples do not exceed, always one that was measured.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

ENOUGH: Final = 1000  # samples: below, p99.9 is the maximum by another name
FEW: Final = 100  # below, so is p99
_UNIT_MS: Final[Mapping[str, Decimal]] = {
    "s": Decimal(1000), "ms": Decimal(1), "us": Decimal("0.001"), "usec": Decimal("0.001"), "ns": Decimal("0.000001"),
}  # fmt: skip


class LatencyError(ValueError):
    """A recording that holds no latencies; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a tool recorded. samples: round trips, ms, in order. given: percentiles the tool itself reported, ms.

    means: each sample is a mean of many, so the tail does not show: it may fail the mandate, never pass it.
    """

    tool: str
    samples: tuple[Decimal, ...] = ()
    given: Mapping[Decimal, Decimal] = field(default_factory=dict)
    count: int = 0
    lost: int = 0
    spread: Decimal | None = None  # standard deviation as reported, ms
    means: bool = False
    notes: tuple[str, ...] = ()

    def percentile(self, p: Decimal) -> Decimal | None:
        """ms; None where the tool did not report it and no samples are at hand."""
        if self.samples:
            return nearest_rank(self.samples, p)
        return self.given.get(p)

    @property
    def jitter(self) -> Decimal | None:
        """Mean absolute difference of consecutive samples, ms; of a summary the standard deviation it reports."""
        if len(self.samples) < 2:
            return self.spread
        steps = [abs(b - a) for a, b in zip(self.samples, self.samples[1:], strict=False)]
        return sum(steps, Decimal(0)) / len(steps)

    def verdict(self, limit_ms: Decimal) -> tuple[str, str]:
        """`pass` | `fail` | `open` and why: p99 must be under the limit, not at it."""
        p99 = self.percentile(Decimal(99))
        if p99 is None:
            return "open", "the recording has no 99th percentile"
        if p99 >= limit_ms:
            return "fail", f"p99 {p99.normalize():f} ms is not under {limit_ms.normalize():f} ms"
        if self.means:
            return "open", "means hide the tail: record single round trips"
        if self.lost and Fraction(self.lost, self.count + self.lost) > Fraction(1, 100):
            return "open", f"{self.lost} of {self.count + self.lost} got no answer: more than the tail that p99 leaves out"
        if self.count < FEW:
            return "open", f"of {self.count} samples p99 is the largest alone; record {ENOUGH} or more"
        return "pass", f"p99 {p99.normalize():f} ms is under {limit_ms.normalize():f} ms"


def nearest_rank(samples: Sequence[Decimal], p: Decimal) -> Decimal:
    """The smallest sample that at least p per cent of all do not exceed; 0 < p <= 100."""
    ordered = sorted(samples)
    return ordered[max(ceil(Fraction(p) / 100 * len(ordered)), 1) - 1]


def read_recording(text: str, unit: str = "", column: str = "") -> Recording:
    """Recognise the tool by its output. `unit` (s, ms, us, ns) and `column` are for CSV. Raises LatencyError."""
    if "sockperf" in text and ("percentile" in text or "avg-" in text):
        return _sockperf(text)
    if re.search(r"\balgbw\b.*\bbusbw\b", text):
        return _nccl(text)
    if _PING.search(text) or re.search(r"packets transmitted|^PING |Pinging ", text, re.MULTILINE):
        return _ping(text)
    return _csv(text, unit, column)


# --- ping --------------------------------------------------------------------------------------------

_PING: Final = re.compile(r"(?:time|Zeit|temps|tiempo|durata)\s*([=<])\s*([0-9]+(?:[.,][0-9]+)?)\s*(ms|us|s)\b")
_LOST: Final = re.compile(r"^(?:Request timeout|no answer yet|Request timed out|.*Destination .* [Uu]nreachable)", re.MULTILINE)
_TOTALS: Final = re.compile(r"(\d+) packets transmitted, (\d+) (?:packets )?received")


def _ping(text: str) -> Recording:
    samples, bounded = [], 0
    for line in text.splitlines():
        found = _PING.search(line)
        if found and "(DUP!)" not in line and "rtt " not in line:
            bounded += found.group(1) == "<"
            samples.append(Decimal(found.group(2).replace(",", ".")) * _UNIT_MS[found.group(3)])
    if not samples:
        raise LatencyError("ping printed no `time=` line: a summary (ping -q) has no percentiles, record the lines")
    totals = [(int(a), int(b)) for a, b in _TOTALS.findall(text)]
    lost = sum(sent - got for sent, got in totals) if totals else len(_LOST.findall(text))
    notes = (f"{bounded} samples are only known to be below a bound, which was taken",) if bounded else ()
    return Recording("ping", tuple(samples), count=len(samples), lost=max(lost, 0), notes=notes)


# --- sockperf ----------------------------------------------------------------------------------------

_PERCENTILE: Final = re.compile(r"percentile\s+([0-9.]+)\s*=\s*([0-9.]+)")


def _sockperf(text: str) -> Recording:
    """Its summary, microseconds. Without --full-rtt it reports half the round trip: doubled here."""
    whole = bool(re.search(r"Round trip is|avg-rtt=|avg-rtt ", text))
    factor = _UNIT_MS["us"] * (1 if whole else 2)
    given = {Decimal(p).normalize(): Decimal(v) * factor for p, v in _PERCENTILE.findall(text)}
    if not given:
        raise LatencyError("sockperf printed no percentile")
    total = re.search(r"Total (\d+) observations", text)
    dropped = re.search(r"dropped messages = (\d+)", text)
    spread = re.search(r"std-dev=([0-9.]+)", text)
    return Recording(
        "sockperf", (), {Decimal(f"{p:f}"): v for p, v in given.items()}, int(total.group(1)) if total else 0,
        int(dropped.group(1)) if dropped else 0, Decimal(spread.group(1)) * factor if spread else None,
        notes=() if whole else ("sockperf without --full-rtt reports half a round trip: doubled",),
    )  # fmt: skip


# --- nccl-tests --------------------------------------------------------------------------------------


def _nccl(text: str) -> Recording:
    """Times of the smallest message (not 0 bytes): a mean over iterations each, microseconds, of a whole collective."""
    rows: list[tuple[int, list[Decimal]]] = []
    columns: list[int] = []
    for raw in text.splitlines():
        words = re.sub(r"^\[[^\]]*\]<stdout>:\s*", "", raw).replace("#wrong", " #wrong").split()
        if "algbw" in words and "time" in words:
            heads = [w for w in words if w != "#"]
            columns = [i for i, w in enumerate(heads) if w == "time"]
        elif columns and words and words[0].isdigit() and len(words) > max(columns):
            found = [Decimal(words[i]) for i in columns if re.fullmatch(r"[0-9]+(\.[0-9]+)?", words[i])]
            if int(words[0]) > 0 and found:
                rows.append((int(words[0]), found))
    if not rows:
        raise LatencyError("nccl-tests printed no row of times")
    size = min(s for s, _ in rows)
    samples = tuple(t * _UNIT_MS["us"] for s, times in rows if s == size for t in times)
    note = f"each sample is the mean time of a whole collective of {size} bytes, not a round trip: a tail cannot show"
    return Recording("nccl-tests", samples, count=len(samples), means=True, notes=(note,))


# --- CSV ---------------------------------------------------------------------------------------------

_NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_HEAD: Final = re.compile(r"(?:^|[_\s(\[])(s|sec|seconds|ms|us|usec|ns)[)\]]?$", re.IGNORECASE)


def _csv(text: str, unit: str, column: str) -> Recording:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise LatencyError("the file is empty")
    rows = list(csv.reader(lines, delimiter=";" if lines[0].count(";") > lines[0].count(",") else ","))
    head = [h.strip() for h in rows[0]]
    if all(_NUMBER.fullmatch(h) for h in head):
        index, body = _numbered(head, column), rows
    else:
        index, body = _column(head, column), rows[1:]
        found = _HEAD.search(head[index])
        unit = unit or (found.group(1).lower() if found else "")
    unit = {"sec": "s", "seconds": "s"}.get(unit, unit)
    if unit not in _UNIT_MS:
        raise LatencyError("the unit of the times is not known: name the column like rtt_ms, or give --unit")
    samples = tuple(value * _UNIT_MS[unit] for value in _values(body, index))
    if not samples:
        raise LatencyError("the file holds no time")
    return Recording("csv", samples, count=len(samples))


def _numbered(head: Sequence[str], column: str) -> int:
    if column.isdigit() and 1 <= int(column) <= len(head):
        return int(column) - 1
    if len(head) == 1:
        return 0
    raise LatencyError(f"{len(head)} columns without a header: give --column 1 to {len(head)}")


def _column(head: Sequence[str], column: str) -> int:
    if column:
        if column in head:
            return head.index(column)
        raise LatencyError(f"no column {column!r}; there are: {_names(head)}")
    named = [i for i, h in enumerate(head) if re.search(r"rtt|latency|round.?trip", h, re.IGNORECASE)]
    timed = named or [i for i, h in enumerate(head) if _HEAD.search(h)]
    if len(timed) != 1:
        raise LatencyError(f"which column holds the round trips? give --column, one of: {_names(head)}")
    return timed[0]


def _names(head: Sequence[str]) -> str:
    """Column names as a message tells them: a file of another kind, a plan say, must not come out word by word."""
    if len(head) > 40 or any(len(h) > 40 or set(h) & set('{}[]"=:') for h in head):
        raise LatencyError("the first line does not name columns: it is neither CSV nor what ping, sockperf or nccl-tests print")
    return ", ".join(head)


def _values(rows: Sequence[Sequence[str]], index: int) -> Iterator[Decimal]:
    for number, row in enumerate(rows, 1):
        text = row[index].strip() if index < len(row) else ""
        if not _NUMBER.fullmatch(text) or Decimal(text) < 0:
            raise LatencyError(f"row {number}: {text[:20]!r} is no time")
        yield Decimal(text)
