"""Locations as the ladder makes them: placed, spread over several places, or not decided."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from auditor.facts import LocationSpec
from auditor.model import Evidence, Location, Place, Resource


def placed(
    r: Resource, path: str, role: str, value: str, source: str,
    found: tuple[tuple[Place, ...], bool], evidence: tuple[Evidence, ...], sensitive: bool,
) -> Location:  # fmt: skip
    """A location whose value names places. found: they, and whether they are all."""
    places, complete = found
    return Location(
        r.address, path, role, "" if sensitive else value, source, places, complete=complete,  # type: ignore[arg-type]
        cause="" if complete else f"{path}: the country of this region is not in the catalogue",
        sensitive=sensitive, evidence=evidence, unconfirmed=unconfirmed_places(places),
    )  # fmt: skip


def spread(
    r: Resource, path: str, spec: LocationSpec, value: str, source: str, places: tuple[Place, ...],
    evidence: tuple[Evidence, ...], sensitive: bool,
) -> Location:  # fmt: skip
    """A location that one value spreads over several places."""
    return Location(
        r.address, path, spec.role, "" if sensitive else value, source, tuple(dict.fromkeys(places)),  # type: ignore[arg-type]
        topic=spec.topic, sensitive=sensitive, evidence=evidence,
        unconfirmed="" if spec.confirmed else f"row {r.type}.{spec.path}",
    )  # fmt: skip


def unplaced(r: Resource, path: str, role: str, cause: str, sensitive: bool = False) -> Location:
    """A location that cannot be decided, and why."""
    return Location(
        r.address, path, role, "", "unknown", (), complete=False, cause=cause, sensitive=sensitive,  # type: ignore[arg-type]
    )  # fmt: skip


def at_address(loc: Location, address: str) -> Location:
    """The same location of another instance; spelled out because `replace` costs more."""
    return Location(
        address, loc.path, loc.role, loc.value, loc.source, loc.places, loc.candidates, loc.complete, loc.cause,
        loc.topic, loc.sensitive, loc.evidence, loc.unconfirmed,
    )  # fmt: skip


def withheld(loc: Location) -> Location:
    """A sensitive location keeps its places, for the verdict; its words say nothing of them."""
    if not loc.sensitive:
        return loc
    return replace(
        loc, value="", cause=f"{loc.path} rests on a value that is marked sensitive" if loc.cause else "",
        unconfirmed="a fact about a value that is marked sensitive" if loc.unconfirmed else "",
    )  # fmt: skip


def unconfirmed_places(places: Iterable[Place]) -> str:
    bad = [f"{p.cloud}:{p.region}" for p in places if not p.confirmed]
    return f"country of {', '.join(dict.fromkeys(bad))}" if bad else ""


def text_of(value: object) -> str:
    """A value as Terraform writes it in messages: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
