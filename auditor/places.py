"""Which places a policy allows: place lists, per role, compiled against the catalogue's index.

An item is the name of a jurisdiction (its full members in force at a date), an ISO-3166 alpha-2 code or
`cloud:region`. Pure: no files, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from auditor.errors import PolicyError
from auditor.facts import Index
from auditor.model import Place
from auditor.spelling import suggest

ROLES: Final = ("home", "replica", "backup", "processing", "logs", "cache")
QUOTE: Final = 'quote country codes: "NO"'
ANYWHERE: Final = "*"

# ISO 3166-1 alpha-2: valid in a list even where no cloud has a region (DZ), so that the message can say so.
_ISO: Final = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO
    JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW""".split()  # noqa: SIM905 - 249 quoted codes read worse
)


class PlaceSet(msgspec.Struct, frozen=True):
    """One compiled place list. `items` keeps what the user wrote, for messages."""

    items: tuple[str, ...] = ()
    countries: frozenset[str] = frozenset()
    regions: frozenset[tuple[str, str]] = frozenset()
    partitioned: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()  # (countries, partitions): both must fit
    unconfirmed: tuple[str, ...] = ()  # groups whose membership the catalogue does not hold for confirmed

    def holds(self, place: Place) -> bool:
        if (place.cloud, place.region) in self.regions or place.country in self.countries:
            return True
        return any(
            place.country in countries and _in_partition(place.cloud, place.partition, partitions)
            for countries, partitions in self.partitioned
        )


def _in_partition(cloud: str, partition: str, wanted: frozenset[str]) -> bool:
    """Groups name partitions as the cloud does (`oc2`), or with the cloud before it (`oci-oc2`)."""
    return partition in wanted or f"{cloud}-{partition}" in wanted


class AllowList(msgspec.Struct, frozen=True):
    """Allowed places per role; a role not named uses `home`. Denied places beat every allow."""

    roles: Mapping[str, PlaceSet]
    deny: PlaceSet = msgspec.field(default_factory=PlaceSet)

    def _set(self, role: str) -> PlaceSet:
        return self.roles.get(role) or self.roles["home"]

    def permits(self, role: str, place: Place) -> bool:
        """Whether a copy or home (`role`) may be in a place. "Any place" may be a denied one."""
        if self.deny.holds(place) or (place.country == ANYWHERE and self.deny.items):
            return False
        return self._set(role).holds(place)

    def describe(self, role: str) -> str:
        """`EU, CH, aws:eu-west-2`, with what is denied: as the user wrote it."""
        text = ", ".join(self._set(role).items)
        return f"{text} (not {', '.join(self.deny.items)})" if self.deny.items else text

    def unconfirmed(self, role: str) -> tuple[str, ...]:
        """Groups in the list whose membership is not confirmed: they cannot decide a fail."""
        return self._set(role).unconfirmed


# --- compiling --------------------------------------------------------------------------------------


def item_problem(item: object, index: Index) -> str:
    """What is wrong with one item of a place list; empty when nothing is."""
    if isinstance(item, bool):
        return f"a place list holds {str(item).lower()}; {QUOTE}"
    if not isinstance(item, str) or not item:
        return f"a place list holds {item!r}; an item is a group, an ISO country code or cloud:region"
    cloud, colon, region = item.partition(":")
    if colon:
        summary = index.clouds.get(cloud)
        if summary is None:
            return f'unknown cloud in "{item}"{suggest(cloud, index.clouds, suffix=f":{region}")}'
        if region not in summary.regions:
            return f'unknown region "{item}"{suggest(region, summary.regions, prefix=f"{cloud}:")}'
        return ""
    if item in index.groups or item in _ISO:
        return ""
    forms = f"; an item is a group ({', '.join(index.groups)}), an ISO country code or cloud:region"
    return f'unknown place "{item}"{suggest(item, [*index.groups, *sorted(_ISO)]) or forms}'


def compile_places(items: Sequence[object], index: Index, as_of: str) -> PlaceSet:
    """One place list. Raises PolicyError on an unknown item."""
    countries: set[str] = set()
    regions: set[tuple[str, str]] = set()
    partitioned: list[tuple[frozenset[str], frozenset[str]]] = []
    unconfirmed: list[str] = []
    names: list[str] = []
    for item in items:
        if problem := item_problem(item, index):
            raise PolicyError(problem)
        name = str(item)
        names.append(name)
        cloud, colon, region = name.partition(":")
        group = index.groups.get(name)
        if colon:
            regions.add((cloud, region))
        elif group is None:
            countries.add(name)
        else:
            members = frozenset(c for c in group.countries if c not in group.partial and not _over(c, group, as_of))
            if group.partitions:
                partitioned.append((members, frozenset(group.partitions)))
            else:
                countries |= members
            if not group.confirmed:
                unconfirmed.append(name)
    return PlaceSet(
        tuple(dict.fromkeys(names)), frozenset(countries), frozenset(regions), tuple(partitioned), tuple(unconfirmed)
    )


def _over(country: str, group: Any, as_of: str) -> bool:
    ends = group.expires.get(country, "")
    return bool(ends) and as_of > ends


def compile_allow(
    items: Sequence[object] | Mapping[str, Sequence[object]], deny: Sequence[object], index: Index, as_of: str
) -> AllowList:
    """An allow list, per role where `items` is a mapping.

    Raises PolicyError where an item is unknown or where a role's list leaves no cloud region.
    """
    per_role = items if isinstance(items, Mapping) else {"home": items}
    if unknown := [r for r in per_role if r not in ROLES]:
        raise PolicyError(f'unknown role "{unknown[0]}" in allow{suggest(unknown[0], ROLES)}')
    if "home" not in per_role:
        raise PolicyError("allow per role needs `home`: roles not named use it")
    made = AllowList(
        {role: compile_places(wanted, index, as_of) for role, wanted in per_role.items()},
        compile_places(deny, index, as_of),
    )
    for role, wanted in made.roles.items():
        where = f"allow.{role}" if isinstance(items, Mapping) else "allow"
        if not wanted.items:
            raise PolicyError(f"{where} is empty: nothing could be placed anywhere", "name a group, country or region")
        if not any(True for _ in _allowed(made, index, role)):
            listed = f"{where} [{', '.join(wanted.items)}]" + (" without the denied places" if deny else "")
            raise PolicyError(f"{listed} expands to no cloud region", "`auditor regions` lists the regions known")
    return made


def expand(allow: AllowList, index: Index, role: str = "home") -> dict[str, list[str]]:
    """Region ids that a list allows, per cloud, sorted; clouds without any are left out."""
    found: dict[str, list[str]] = {}
    for cloud, region in sorted(_allowed(allow, index, role)):
        found.setdefault(cloud, []).append(region)
    return found


def _allowed(allow: AllowList, index: Index, role: str) -> Iterator[tuple[str, str]]:
    for cloud, summary in index.clouds.items():
        for region, country in summary.regions.items():
            if allow.permits(role, Place(cloud, region, country, summary.partitions.get(region, ""))):
                yield cloud, region


def compile_countries(items: Sequence[object], index: Index, as_of: str) -> frozenset[str]:
    """Countries of a list that may name no region: `operators.allow`."""
    made = compile_places(items, index, as_of)
    if made.regions:
        raise PolicyError(f'operators.allow takes groups and countries, not "{":".join(sorted(made.regions)[0])}"')
    return made.countries.union(*(countries for countries, _ in made.partitioned))
