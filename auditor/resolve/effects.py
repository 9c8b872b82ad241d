"""What the value of a SKU, a tier or a switch means for the places of data: a pair, a data zone, anywhere, nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from auditor.facts import LocationSpec
from auditor.model import Evidence, Location, Place, Resource
from auditor.resolve.locations import placed, spread, text_of, unplaced
from auditor.resolve.type_plan import TypePlan
from auditor.values import Value, origin_of

_WITHHELD: Final = "(sensitive)"


def effect_of(
    r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, effect: str,
    homes: tuple[Location, ...], source: str, account: Callable[[], Location | None],
) -> list[Location]:  # fmt: skip
    """What a SKU or switch means for the set of places. account: where what the resource stands in is."""
    if effect == "stays":
        return []
    if source == "default" and not spec.absent_confirmed:
        spec = msgspec.structs.replace(spec, confirmed=False)
    sensitive = v.sensitive
    shown = _WITHHELD if sensitive else origin_of(text_of(v.value)) if v.value is not None else "(absent)"
    note = "default" if source == "default" else f"{v.path} = {shown}"
    evidence: tuple[Evidence, ...] = (Evidence(f"{spec.path}: {note}" if source == "default" else note),)
    if effect.startswith("place:"):
        value = effect.removeprefix("place:")
        found = tp.reader.place(value, spec)
        if found is None:
            opened = unplaced(r, v.path, spec.role, f"{spec.path}: {value}", sensitive)
            return [replace(opened, topic=spec.topic)]
        made = placed(r, v.path, spec.role, value, source, found, evidence, sensitive)
        return [replace(made, topic=spec.topic)]
    if effect == "any":
        place = Place(tp.cloud.id, "*", "*", "", spec.confirmed)
        rung = "profile" if spec.topic == "ai" else source
        return [spread(r, v.path, spec, shown, rung, (place,), evidence, sensitive)]
    if effect == "pair":
        return _pair(r, tp, spec, v, shown, homes, evidence)
    if effect == "near":
        return _near(r, tp, spec, v, shown, homes, evidence)
    if effect.startswith("zone:"):
        return _zone(r, tp, spec, v, shown, effect.removeprefix("zone:"), homes, evidence, account)
    opened = unplaced(r, v.path, spec.role, f"{spec.path} = {shown}: where this puts data is not known", sensitive)
    several = spec.topic or ("footprint" if spec.effects or source == "default" else "")  # a URL is one place
    return [replace(opened, topic=several, value=shown, evidence=evidence)]


def _pair(
    r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, shown: str,
    homes: tuple[Location, ...], evidence: tuple[Evidence, ...],
) -> list[Location]:  # fmt: skip
    home = next((h for h in homes if h.decided), None)
    cause = f"{spec.path} = {shown} copies to the paired region"
    if home is None:
        opened = unplaced(r, v.path, spec.role, f"{cause}; the home region is not decided", v.sensitive)
        return [replace(opened, value=shown, topic="footprint")]
    region = home.places[0].region
    hidden = v.sensitive or home.sensitive
    pair = tp.cloud.pairs.get(region)
    if pair is None:
        opened = unplaced(r, v.path, spec.role, f"{cause}; no pair of {region} in the catalogue", hidden)
        return [replace(opened, value=shown, evidence=evidence, topic="footprint")]
    if not pair.region:
        return []
    found = tp.reader.place(pair.region)
    if found is None:
        opened = unplaced(r, v.path, spec.role, f"{cause}: {pair.region}", hidden)
        return [replace(opened, value=shown, topic="footprint")]
    evidence = (*evidence, Evidence("paired region" if hidden else f"paired region of {region}: {pair.region}"))
    places = (*home.places, *found[0])
    made = spread(r, v.path, spec, shown, "pair", places, evidence, hidden)
    made = replace(made, topic="footprint")
    return [made if pair.confirmed else replace(made, unconfirmed=f"pair of {region}")]


def _near(
    r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, shown: str,
    homes: tuple[Location, ...], evidence: tuple[Evidence, ...],
) -> list[Location]:  # fmt: skip
    """The multi-region nearest to home. Beside an open home, or within the home's country, it asks nothing new."""
    home = next((h for h in homes if h.decided), None)
    if home is None:
        return []
    hidden = v.sensitive or home.sensitive
    region = home.places[0].region
    name = next((to for pattern, to in tp.reader.reading.nearest.items() if re.search(pattern, region)), "")
    found = tp.reader.place(name) if name else None
    if found is None:
        cause = f"{spec.path} = {shown} means the multi-region nearest to the home region"
        opened = unplaced(r, v.path, spec.role, cause, hidden)
        return [replace(opened, topic=spec.topic or "footprint", value=shown, evidence=evidence)]
    if {p.country for p in found[0]} <= set(home.countries):
        return []
    here = Evidence("nearest multi-region" if hidden else f"multi-region nearest to {region}: {name}")
    return [spread(r, v.path, spec, shown, "default", found[0], (*evidence, here), hidden)]


def _zone(
    r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, shown: str, zone: str,
    homes: tuple[Location, ...], evidence: tuple[Evidence, ...], account: Callable[[], Location | None],
) -> list[Location]:  # fmt: skip
    """A data zone: its members depend on where the account stands."""
    home = next((h for h in homes if h.decided), None) or account()
    hidden = v.sensitive or (home is not None and home.sensitive)
    if home is not None and home.decided:
        for name, profile in tp.cloud.profiles.items():
            if name.startswith(zone) and set(home.countries) <= set(profile.requires_home):
                places = tuple(Place(tp.cloud.id, name, c, "", profile.confirmed) for c in profile.members)
                made = spread(r, v.path, spec, shown, "profile", places, evidence, hidden)
                return [made if profile.confirmed else replace(made, unconfirmed=f"members of {name}")]
    cause = f"{spec.path} = {shown}: which zone it means depends on an account that is not decided or in no zone"
    opened = unplaced(r, v.path, spec.role, cause, hidden)
    return [replace(opened, topic=spec.topic, value=shown, evidence=evidence)]
