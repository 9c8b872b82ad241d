"""What to change so that a location would pass: the attribute, and a value taken from the catalogue and the policy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from auditor.checks.sovereignty import Subject, permitted
from auditor.facts import Cloud, Facts, LocationSpec
from auditor.model import Location, Place

_PLAIN: Final = ("region", "location", "multi_region")
_NOT_OPEN: Final = re.compile("announced|restricted", re.IGNORECASE)  # in a region's display name or caveat
_ZONE: Final = re.compile("-?[a-z]|-[a-z0-9]{1,5}")  # what a zone puts behind its region
_SHOWN: Final = 3  # values named at most


class Remedies:
    """Remedies for the subjects of one plan: a place that the plan already uses is preferred."""

    def __init__(self, facts: Facts, subjects: Sequence[Subject]) -> None:
        self.facts = facts
        self.subjects = subjects
        self._said: dict[tuple[object, ...], str] = {}
        self._best: dict[tuple[str, str, str, int, tuple[str, ...]], str] = {}

    @cached_property
    def _used(self) -> Counter[tuple[str, str]]:
        """How many homes of the plan stand in each (cloud, region)."""
        return Counter(
            (p.cloud, p.region)
            for s in self.subjects
            for loc in s.locations
            if loc.role == "home" and loc.decided and not loc.sensitive
            for p in loc.places
        )

    def remedy(self, s: Subject, location: Location) -> str:
        """One sentence. `s` failed at `location`. Alike failures share it, unless it names the resource."""
        key = (
            s.cloud, s.resource.type, location.path, location.value, location.source, location.role, location.topic,
            id(location.places), id(s.allowed), tuple([id(x.places) for x in s.locations if x.role == "home"]),
        )  # fmt: skip
        said = self._said.get(key)
        if said is None:
            said = self._remedy(s, location)
            if s.resource.address not in said:
                self._said[key] = said
        return said

    def _remedy(self, s: Subject, location: Location) -> str:
        cloud = self.facts.cloud(s.cloud)
        spec = self._spec(cloud, s, location)
        region = self._region(cloud, s, location) if cloud is not None else ""
        attribute = re.sub(r"\[\]$", "", location.path)
        if attribute.startswith("("):
            return f"No argument of {s.resource.type} changes that: use another type or home, or waive it with a reason."
        otherwise = ", or remove the copy" if location.role in ("replica", "backup", "cache") else ""
        if spec is not None and (spec.effects or spec.kind == "sku_enum"):
            staying = sorted(v for v, effect in spec.effects.items() if effect == "stays")
            from difflib import get_close_matches

            # One table of values serves several attributes: offer those written like the value in use.
            staying = sorted(get_close_matches(location.value, staying, cutoff=0.5)) or staying
            if staying:
                moved = "" if self._home_passes(s) else ", once the resource itself stands in an allowed one"
                return f"Set {attribute} = {_either(staying)}: that stays in the region{moved}."
        if location.topic == "ai" and cloud is not None:
            inside = [n for n, p in cloud.profiles.items() if p.members and self._all(s, location, cloud, p.members)]
            if inside:
                return f"Set {attribute} to a profile or SKU that stays inside, such as {_either(sorted(inside), '')}."
        if not region:
            rest = otherwise or f", or remove {s.resource.address}"
            return f"Change {attribute} to an allowed place{rest}."
        if location.source == "provider" or attribute.startswith("("):
            return f"Use a provider whose region is allowed, such as {region}."
        if location.source in ("reference", "arn") or (spec is not None and spec.kind in ("arn", "resource_ref")):
            return f"Point {attribute} at something in an allowed place, such as {region}{otherwise}."
        named = location.places[0].region if len(location.places) == 1 else ""
        around = location.value.lower().partition(named.lower()) if named and location.value else ("", "", "")
        if (spec is not None and spec.kind == "zone") or (around[1] and not around[0] and _ZONE.fullmatch(around[2])):
            return f"Set {attribute} to a zone of an allowed region, such as {region}."
        if spec is None or (spec.kind in _PLAIN and not spec.lookup):
            provided = cloud is not None and attribute in cloud.reading.provider.get("", ())
            if around[1] and (around[0] or around[2]):  # the region stands inside: `projects/p/locations/us-east1`
                at = len(around[0])
                return f'Set {attribute} = "{location.value[:at]}{region}{location.value[at + len(named) :]}"{otherwise}.'
            if location.path.endswith("[]"):
                return f'Set {attribute} = ["{region}"]{otherwise}.'
            return f'Set {attribute} = "{region}"{" or use a provider of that region" if provided else otherwise}.'
        return f"Change {attribute} so that it means an allowed place, such as {region}."

    def _spec(self, cloud: Cloud | None, s: Subject, location: Location) -> LocationSpec | None:
        """The row of the location table that the finding's path comes from."""
        facts = cloud.types.get(s.resource.type) if cloud is not None else None
        bare = re.sub(r"\[\d*\]", "", location.path)
        rows = facts.locations if facts is not None else []
        found = [row for row in rows if ".".join(row.segments) == bare]
        return next((row for row in found if row.role == location.role), found[0] if found else None)

    def _region(self, cloud: Cloud, s: Subject, location: Location) -> str:
        partition = location.places[0].partition if location.places else ""
        homes = () if location.role != "replica" else tuple(
            p.region for loc in s.locations if loc.role == "home" and loc.decided for p in loc.places
        )  # fmt: skip
        key = (cloud.id, location.role, partition, id(s.allowed), homes)
        if key not in self._best:
            inside = [
                r
                for r, found in cloud.regions.items()
                if found.kind == "region" and found.country and found.confirmed and r not in homes
                and permitted(Place(cloud.id, r, found.country, found.partition), location.role, s.allowed)
            ]  # fmt: skip
            inside.sort(
                key=lambda r: (
                    cloud.regions[r].partition != partition, -self._used[(cloud.id, r)],
                    bool(_NOT_OPEN.search(f"{cloud.regions[r].name} {cloud.regions[r].caveat}")),
                )
            )  # fmt: skip
            self._best[key] = next(iter(inside), "")
        return self._best[key]

    def _home_passes(self, s: Subject) -> bool:
        home = next((loc for loc in s.locations if loc.role == "home"), None)
        return home is not None and home.decided and all(permitted(p, "home", s.allowed) for p in home.places)

    def _all(self, s: Subject, location: Location, cloud: Cloud, countries: Sequence[str]) -> bool:
        return all(permitted(Place(cloud.id, "", c), location.role, s.allowed) for c in countries)


def _either(values: Sequence[str], quote: str = '"') -> str:
    """`"A", "B" or "C"`, a few of them."""
    shown = [f"{quote}{v}{quote}" for v in values[:_SHOWN]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
