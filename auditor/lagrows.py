"""Lag as rows: one feature each, with both dates, their sources, and what lies between them. Derived, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from auditor.lagfacts import Feature, LagFacts, Shard, Start, Support, over, span

WITHIN: Final = 90  # days: what the statistics call soon
RowStatus = Literal["supported", "open", "preview", "undated", "free", "rollup"]


class Row(msgspec.Struct, frozen=True):
    """One feature.

    status: supported | open (no support) | preview (a preview provider alone has it) | undated (no date of the cloud) |
    free (a free string, which no version gates) | rollup (a whole service).
    days: from the cloud's date to support, or to the day asked about while open; None where a date is missing. Support that
    came first counts as 0 days.
    """

    feature: Feature
    cloud: str
    status: RowStatus
    start: Start | None
    first: Support | None
    supported_on: str
    days: int | None
    lag: str
    over: bool
    sure: bool
    as_of: str  # of the provider's shard

    @property
    def open(self) -> bool:
        return self.first is None or self.status == "preview"

    @property
    def kind(self) -> str:
        """How the cloud's date may be called."""
        if self.start is None:
            return "no date"
        return "GA" if self.start.stated else "API first public"


def support_of(shard: Shard, feature: Feature) -> Support | None:
    """First support of a feature: of the argument where it is one, of the earliest of its types otherwise."""
    found: list[Support] = []
    for type_ in feature.types:
        if not feature.attribute:
            held = shard.first("resource", type_)
            found += [held] if held is not None else []
            continue
        for path, support in shard.attributes.get(type_, {}).items():
            if feature.attribute in (path, path.rpartition(".")[2], path.partition("=")[2]):
                found.append(support)
    return min(found, key=lambda s: s.parsed, default=None)


def row_of(facts: LagFacts, feature: Feature, as_of: date, max_months: int = 3, count_preview: bool = False) -> Row:
    """The row of one feature as of a day."""
    cloud = feature.id.partition(".")[0]
    shard = facts.shard(feature.provider)
    first = support_of(shard, feature) if shard is not None and feature.status in ("supported", "preview") else None
    day = shard.date_of(first.parsed) if shard is not None and first is not None else ""
    start = feature.start(count_preview)
    waiting = feature.status != "supported" or not day
    status: RowStatus = "supported" if not waiting else "open"
    if feature.status in ("free", "rollup", "preview"):
        status = feature.status
    elif start is None:
        status = "undated"
    days, lag, late = None, "", False
    if start is not None and feature.status not in ("free", "rollup"):
        begin = date.fromisoformat(start.date)
        end = as_of if waiting else date.fromisoformat(day)
        days = max(0, (end - begin).days)
        lag = span(begin, end)
        late = over(begin, end, max_months)
    held = shard.as_of if shard is not None else ""
    return Row(feature, cloud, status, start, first, day, days, lag, late, feature.confidence != "low", held)


def rows(
    facts: LagFacts, as_of: date, clouds: Iterable[str] = (), max_months: int = 3, count_preview: bool = False
) -> Iterator[Row]:
    """Every feature of the clouds (all where none is named), by id."""
    for cloud in sorted(clouds or facts.lag_index.features):
        for feature in facts.features(cloud):
            yield row_of(facts, feature, as_of, max_months, count_preview)


# --- statistics ---------------------------------------------------------------------------------------


class Stat(msgspec.Struct, frozen=True):
    """One group. Medians are of supported features alone; `within` counts the open ones in its denominator.

    The denominator holds features that the cloud has had for `WITHIN` days: younger ones have had no chance to be late.
    """

    cloud: str
    year: str
    supported: int
    open: int
    median: int | None
    p90: int | None
    within: int
    of: int

    @property
    def share(self) -> float | None:
        return self.within / self.of if self.of else None


def counts(row: Row) -> bool:
    """Whether a row is evidence: dated, confirmed, a feature of its own, its first version no mere upper bound."""
    vague = row.status == "supported" and row.first is not None and row.first.evidence == "at_most"
    return row.days is not None and row.sure and not vague and row.status in ("supported", "open", "preview")


def stats(all_rows: Iterable[Row], as_of: date) -> list[Stat]:
    """Per cloud and year of the cloud's date, each cloud's total first (year "all")."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in all_rows:
        if counts(row) and row.start is not None:
            groups.setdefault((row.cloud, "all"), []).append(row)
            groups.setdefault((row.cloud, row.start.date[:4]), []).append(row)
    order = sorted(groups, key=lambda key: (key[0], key[1] != "all", key[1]))
    return [_stat(cloud, year, groups[cloud, year], as_of) for cloud, year in order]


def _stat(cloud: str, year: str, held: Sequence[Row], as_of: date) -> Stat:
    days = sorted(r.days for r in held if not r.open and r.days is not None)
    ripe = [r for r in held if r.start is not None and (as_of - date.fromisoformat(r.start.date)).days >= WITHIN]
    soon = sum(1 for r in ripe if not r.open and r.days is not None and r.days <= WITHIN)
    return Stat(cloud, year, len(days), len(held) - len(days), _rank(days, 0.5), _rank(days, 0.9), soon, len(ripe))


def _rank(days: Sequence[int], share: float) -> int | None:
    """Nearest rank: the smallest value that at least that share of all values does not exceed."""
    if not days:
        return None
    return days[max(0, -int(-share * len(days) // 1) - 1)]
