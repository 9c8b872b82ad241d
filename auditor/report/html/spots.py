"""Places of a plan, added up for the map: where, how much, under which verdict, and which copy goes where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from auditor.facts import Coordinates
from auditor.model import Finding, Location, Place, Report
from auditor.report.grouping import configured, prefix_of

Verdict = Literal["fail", "open", "pass", "none"]
WORST: Final[tuple[Verdict, ...]] = ("fail", "open", "pass", "none")
COPIES: Final = ("replica", "backup", "logs", "cache")
MAX_ADDRESSES: Final = 3
WIDE: Final = 5  # a location of more places than this is told as one: the members of a multi-region
Key = tuple[str, str, str]  # cloud, region, country


@dataclass(slots=True)
class Spot:
    """One place. `at` is latitude and longitude in degrees, None where nobody knows them."""

    key: Key
    at: tuple[float, float] | None
    verdict: Verdict = "none"
    roles: Counter[str] = field(default_factory=Counter)
    addresses: list[str] = field(default_factory=list)
    wide: bool = True  # only wide locations stand here

    @property
    def count(self) -> int:
        return sum(self.roles.values())


@dataclass(slots=True)
class Arc:
    """Copies from one place to another."""

    source: Key
    target: Key
    role: str
    verdict: Verdict = "none"
    count: int = 0
    address: str = ""


@dataclass(slots=True)
class Wide:
    """Locations of one value that stands for many places."""

    value: str
    role: str
    places: int
    candidates: bool
    verdict: Verdict
    count: int = 0
    address: str = ""


@dataclass(frozen=True, slots=True)
class Spots:
    """undecided: locations without any place; hidden: locations whose value is sensitive."""

    spots: list[Spot]
    arcs: list[Arc]
    wide: list[Wide]
    undecided: int
    hidden: int


def worst(a: Verdict, b: Verdict) -> Verdict:
    return min(a, b, key=WORST.index)


def gather(report: Report, coordinates: Coordinates) -> Spots:
    """Adds up the locations of a report. Order: worst verdict, then count, then name."""
    verdicts = _verdicts(report)
    judged = any(prefix_of(r.id) == "SOV" for r in report.rules) and configured(report, "SOV")
    calm: Verdict = "pass" if judged else "none"
    spots: dict[Key, Spot] = {}
    homes: dict[str, Key] = {}
    copies: list[tuple[Location, Key, Verdict]] = []
    wide: dict[tuple[str, str, int, bool, Verdict], Wide] = {}
    undecided = hidden = 0
    for x in report.locations:
        if x.sensitive:
            hidden += 1
            continue
        verdict = verdicts.get((x.address, x.path), calm)
        if not x.places:
            undecided += 1
            continue
        keys = list(dict.fromkeys(_key(p) for p in x.places))
        if len(keys) > WIDE:
            group = (x.value or x.source, x.role, len(keys), x.candidates, verdict)
            entry = wide.setdefault(group, Wide(*group, address=x.address))
            entry.count += 1
        for key in keys:
            spot = spots.setdefault(key, Spot(key, _at(key, coordinates)))
            spot.verdict = worst(spot.verdict, verdict)
            spot.roles[x.role] += 1
            spot.wide = spot.wide and len(keys) > WIDE
            if len(spot.addresses) < MAX_ADDRESSES and x.address not in spot.addresses:
                spot.addresses.append(x.address)
        if x.role not in COPIES and not x.candidates:
            homes.setdefault(x.address, keys[0])
        elif x.role in COPIES:
            copies += [(x, key, verdict) for key in keys[:WIDE]]
    arcs: dict[tuple[Key, Key, str], Arc] = {}
    for x, target, verdict in copies:
        source = homes.get(x.address)
        if source is None or source == target:
            continue
        arc = arcs.setdefault((source, target, x.role), Arc(source, target, x.role, address=x.address))
        arc.count += 1
        arc.verdict = worst(arc.verdict, verdict)
    return Spots(
        sorted(spots.values(), key=lambda s: (WORST.index(s.verdict), -s.count, s.key)),
        sorted(arcs.values(), key=lambda a: (WORST.index(a.verdict), a.source, a.target, a.role)),
        sorted(wide.values(), key=lambda w: (WORST.index(w.verdict), w.value, w.role)),
        undecided,
        hidden,
    )


def _verdicts(report: Report) -> Mapping[tuple[str, str], Verdict]:
    found: dict[tuple[str, str], Verdict] = {}
    for f in report.findings:
        if prefix_of(f.rule) == "SOV":
            key = (f.address, f.path)
            found[key] = worst(found.get(key, "none"), _verdict(f))
    return found


def _verdict(f: Finding) -> Verdict:
    return "open" if f.kind == "open" else "fail"


def _key(p: Place) -> Key:
    return (p.cloud, p.region, p.country)


def _at(key: Key, coordinates: Coordinates) -> tuple[float, float] | None:
    cloud, region, country = key
    return coordinates.regions.get(cloud, {}).get(region) or coordinates.countries.get(country)
