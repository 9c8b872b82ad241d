"""In how many zones a job's nodes may run at once, through attributes, subnets and references."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from auditor.facts import Cloud
from auditor.jobfacts import Row, pointer, segments
from auditor.model import UNKNOWN
from auditor.resolve.members import Joined, Member, Reader, whole
from auditor.values import Projection, projection_of


class Zones(msgspec.Struct, frozen=True):
    """`known`: zones it may use at once. `most`: how many at once, None where the plan does not say.

    `one_of`: it uses one of the known zones, the plan does not say which. `path`: where it is written.
    """

    known: tuple[str, ...] = ()
    most: int | None = None
    path: str = ""
    one_of: bool = False
    same: bool = False  # every instance of the block has the same, whatever it is
    stated: bool = True  # something in the plan speaks of zones


class ZoneReader(msgspec.Struct):
    reader: Reader
    _cache: dict[str, Zones] = msgspec.field(default_factory=dict)
    _plain: dict[tuple[str, str, tuple[str, ...]], Zones] = msgspec.field(default_factory=dict)
    _unions: dict[tuple[object, ...], Zones] = msgspec.field(default_factory=dict)
    _written: dict[str, tuple[Row, Projection | None]] = msgspec.field(default_factory=dict)
    _same: dict[tuple[str, tuple[bytes, ...]], Zones] = msgspec.field(default_factory=dict)

    def of(self, member: Member, chain: Iterable[Member]) -> Zones:
        """The zones of a sizing resource: its own attributes first, then its templates and parts."""
        chain = list(chain)
        single = any(self.reader.any_holds(m, m.row.single_zone) is True for m in chain)
        found = next((z for m in chain if (z := self._stated(m, 0)) is not None), None)
        if found is None:
            found = self._absent(member)
        if single and (found.most is None or found.most > 1):
            return Zones(found.known, 1, found.path, True, False)
        return found

    def _absent(self, m: Member) -> Zones:
        if m.row.zones_absent == "region":
            return Zones((), m.cloud.jobs.region_zones, "", stated=False)
        if m.row.zones_absent:
            return Zones((), int(m.row.zones_absent), "", stated=False)
        return Zones((), None, "", same=False, stated=False)

    def _stated(self, m: Member, hops: int) -> Zones | None:
        """The first zone source of a member that says anything."""
        for text in m.row.zones:
            z = self._by_reference(m, text, hops) if text.startswith("@") else self._by_value(m, text, hops)
            if z is not None:
                return z
        return None

    def _alike(self, m: Member, hops: int) -> Zones:
        """The zones of a member, read once for all instances of its block whose zone attributes are written alike."""
        written = self._written.get(m.block)
        if written is None:
            paths = [segments(t) for t in m.row.zones if not t.startswith("@")]
            followed = len(paths) < len(m.row.zones) or any(
                self.reader.refs.trace(m.block, whole(m, p)).targets for p in paths
            )
            written = self._written[m.block] = (m.row, None if followed else projection_of(frozenset(p[0] for p in paths)))
        row, projection = written
        if projection is None or m.row is not row or m.prefix:
            return self._stated(m, hops) or self._absent(m)
        key = (m.block, projection.key(m.resource))
        if key not in self._same:
            self._same[key] = self._stated(m, hops) or self._absent(m)
        return self._same[key]

    def _by_value(self, m: Member, path: str, hops: int) -> Zones | None:
        values = self.reader.values(m, path)
        if not values:
            return None
        known = [v.value for v in values if isinstance(v.value, str) and v.value]
        unknown = any(v.value is UNKNOWN for v in values)
        if not known and not unknown:
            return None
        where = values[0].path
        if not unknown:  # read once for all that say the same
            key = (m.cloud.id, where, tuple(known))
            if key not in self._plain:
                self._plain[key] = _named(m.cloud, known, where)
            return self._plain[key]
        if not known and (lent := self._borrowed(m, path, hops)) is not None:
            return Zones(lent.known, lent.most, where, lent.one_of, lent.same)
        spoken = _named(m.cloud, known, where)
        if known and not spoken.known:
            return spoken  # regions alone
        trace = self.reader.refs.trace(m.block, whole(m, segments(path)))
        return Zones(spoken.known, None, where, same=not trace.keyed and len(values) == 1)

    def _borrowed(self, m: Member, path: str, hops: int) -> Zones | None:
        """`availability_zone = aws_x.y.availability_zone`, unknown: the zone of what it refers to."""
        if hops > 4:
            return None
        trace = self.reader.refs.trace(m.block, whole(m, segments(path)))
        if len(trace.targets) != 1:
            return None
        others = self.reader.refs.instances_of(m.resource, trace.targets[0], trace.keyed)
        made = [x for r in others if r.address != m.resource.address and (x := self.reader.member(r)) is not None]
        if not made or not others:
            return None
        return self._union(Joined("found", tuple(made), path, trace.keyed), path, False, hops + 1)

    def _by_reference(self, m: Member, text: str, hops: int) -> Zones | None:
        if hops > 4:
            return None
        p = pointer(text)
        joined = self.reader.join(m, text)
        path = joined.path or ".".join(p.path)
        if joined.how == "absent":
            return None
        scalar = m.row.kind == "instance" and len(self.reader.values(m, p.path)) <= 1 and "[" not in joined.path
        values = self.reader.values(m, p.path)
        lone = len(values) == 1 and values[0].path.endswith("]")  # a list of one subnet, whichever it is
        if joined.how != "found" and m.cloud.jobs.place_in_id and not self._subnets(m.cloud, p.types):
            # A name says nothing of zones, the next source may; an id names the region or zone it stands in.
            texts = [v.value for v in values if isinstance(v.value, str)]
            places = [f[1] for t in texts if (f := re.search(m.cloud.jobs.place_in_id, t))]
            return _named(m.cloud, places, path) if places and len(places) == len(values) else None
        if joined.how != "found":
            trace = self.reader.refs.trace(m.block, whole(m, p.path))
            one = lone or (len(values) == 1 and values[0].value is not UNKNOWN)
            if scalar and not trace.keyed:
                return Zones((), None, path, same=True)
            return Zones((), 1 if one else None, path)
        found = self._union(joined, path, scalar, hops + 1)
        if lone and found.most != 1 and not joined.keyed:
            return Zones(found.known, 1, path, one_of=len(found.known) != 1)
        return found

    def _subnets(self, cloud: Cloud, types: tuple[str, ...]) -> bool:
        """Whether what is referred to is a subnet: one of them is in one zone, whichever it is."""
        return any(row.kind == "subnet" for t in types for row in cloud.jobs.rows.get(t, ()))

    def _union(self, joined: Joined, path: str, scalar: bool, hops: int) -> Zones:
        key = (tuple([id(x.resource) for x in joined.members]), path, scalar, joined.keyed, joined.partial, joined.mixed)
        if key not in self._unions:
            self._unions[key] = self._united(joined, path, scalar, hops)
        return self._unions[key]

    def _united(self, joined: Joined, path: str, scalar: bool, hops: int) -> Zones:
        zones: list[str] = []
        most: int | None = 0
        for other in joined.members:
            got = self._cache.get(other.resource.address)
            if got is None:
                self._cache[other.resource.address] = Zones((), None)  # a cycle ends here
                got = self._alike(other, hops)
                self._cache[other.resource.address] = got
            zones += [z for z in got.known if z not in zones]
            most = None if got.most is None or most is None else max(most, got.most)
        if most is not None and zones:
            most = max(most, len(zones))
        if joined.mixed and (len(zones) != 1 or most != 1):
            return Zones((), None, path)
        if joined.partial:
            most = None
        if scalar and len(joined.members) > 1 and not joined.keyed:
            return Zones(tuple(zones), 1, path, one_of=True, same=True)
        if most is None and len(joined.members) == 1 and not joined.partial and joined.members[0].row.kind == "subnet":
            return Zones(tuple(zones), 1, path, same=True)  # one subnet is in one zone, whichever
        return Zones(tuple(zones), most, path)


def _named(cloud: Cloud, values: list[str], where: str) -> Zones:
    """What written values stand for: zones by name; every zone of a region where only regions are named."""
    sites = cloud.jobs.region_zones == 1  # a region of this cloud is one zone
    regions = [] if sites else [v for v in values if v in cloud.regions and cloud.regions[v].kind == "region"]
    if regions and len(regions) == len(values):
        return Zones((), cloud.jobs.region_zones, where)
    zones = tuple(dict.fromkeys(short(z) for z in values if z not in regions))
    return Zones(zones, len(zones), where)


def join_zones(parts: list[tuple[str, Zones]]) -> Zones:
    """The zones of all instances of one job. `parts`: block address and zones of each."""
    if len(parts) == 1:
        return parts[0][1]
    zones = tuple(dict.fromkeys(z for _, p in parts for z in p.known if not p.one_of))
    path = next((p.path for _, p in parts if p.path), "")
    stated = any(p.stated for _, p in parts)
    if all(p.same for _, p in parts) and len({block for block, _ in parts}) == 1:
        known = parts[0][1].known if len({p.known for _, p in parts}) == 1 else zones
        return Zones(known, 1, path, one_of=len(known) != 1, stated=stated)
    if any(p.most is None or p.one_of or (p.most == 1 and not p.known and p.stated) for _, p in parts):
        single = {p.known for _, p in parts}
        if len(single) == 1 and len(parts[0][1].known) == 1 and all(p.most == 1 for _, p in parts):
            return Zones(parts[0][1].known, 1, path)
        return Zones(zones, None, path, stated=stated)
    most = max([len(zones), *(p.most or 0 for _, p in parts)])
    return Zones(zones, most, path, stated=stated)


def short(zone: str) -> str:
    """`https://.../zones/europe-west4-a` -> `europe-west4-a`."""
    return zone.rpartition("/")[2]


__all__ = ["ZoneReader", "Zones", "join_zones", "short"]
