"""What to read of one resource type of a provider: the rows of the location table, and what they need of a body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from auditor.facts import Cloud, Facts, LocationSpec, Provider, TypeFacts, split_path
from auditor.model import Resource
from auditor.resolve.readings import Reader
from auditor.values import Body, Projection

_PLACE_KINDS: Final = ("region", "zone", "location", "multi_region")


class TypePlan(msgspec.Struct, frozen=True):
    """What to read of one (provider, type): built once per plan."""

    cloud: Cloud
    provider: str
    short: str
    facts: TypeFacts
    known: bool  # the catalogue has a row for the type
    anchors: tuple[LocationSpec, ...]  # rows that say where the resource itself stands
    others: tuple[LocationSpec, ...]
    projection: Projection
    reader: Reader

    def after(self, resource: Resource) -> Body:
        body = self.projection.after(resource)
        return body.decoded(texts) if (texts := self.reader.reading.json_text) else body

    def before(self, resource: Resource) -> Body:
        body = self.projection.before(resource)
        return body.decoded(texts) if (texts := self.reader.reading.json_text) else body


def type_plan(resource_type: str, source: str, provider: Provider, cloud: Cloud, facts_of: Facts) -> TypePlan:
    """What to read of the instances of a type of one provider. source: `hashicorp/aws`."""
    reading = cloud.readings.get(source) or cloud.reading
    known = resource_type in cloud.types
    facts = cloud.types.get(resource_type) or _namesake(cloud, resource_type, reading.namesakes)
    placeless = not known and any(re.search(p, resource_type) for p in reading.placeless)
    if placeless:
        facts = TypeFacts(global_=True, bearing="control", curated=True)
    specs = [s for s in facts.locations if s.use == "decide" and s.segments]
    wild = [
        LocationSpec(path=a, kind=a if a in _PLACE_KINDS else "region")
        for a in reading.attributes
        if (reading.any_type or not known) and (placeless or not facts.global_) and all(s.path != a for s in specs)
    ]
    anchors = [s for s in specs if s.role == "home"]
    if not anchors and not (reading.any_type and not facts.global_):
        plain = [s for s in specs if s.kind in _PLACE_KINDS and len(s.segments) == 1 and s.topic != "network"]
        anchors = [s for s in plain if s.role == "processing"]
        if not anchors and not facts.parents:
            anchors = plain  # a replica, backup or log store of its own: where it stands is its one location
    others = [s for s in specs if s not in anchors]
    anchors = [*wild, *anchors] if reading.any_type else [*anchors, *wild]
    roots = {s.segments[0] for s in (*anchors, *others)}
    roots.update(split_path(c.partition("=")[0])[0] for s in specs for c in (s.when, s.unless) if c)
    roots.update(reading.identity, facts.parents, reading.grandparent, reading.provider_where)
    pointing = {s.segments[0] for s in specs if s.kind in ("resource_ref", "arn") and not s.effects}
    read = {s.segments[0] for s in (*anchors, *others) if s.kind not in ("resource_ref", "arn") or s.effects}
    read.update(split_path(c.partition("=")[0])[0] for s in specs for c in (s.when, s.unless) if c)
    read.update(reading.provider_where)
    ids = {*reading.identity, *facts.parents, *reading.grandparent, *pointing} - read
    return TypePlan(
        cloud, source, provider.short or source.rpartition("/")[2], facts, known or reading.any_type,
        tuple(anchors), tuple(others), Projection(roots, ids, cloud.region_in_id),
        Reader(cloud, facts_of, resource_type, reading),
    )  # fmt: skip


def _namesake(cloud: Cloud, resource_type: str, prefixes: Mapping[str, str]) -> TypeFacts:
    """What another provider's type of the same service tells: whether it is global, whether it holds data."""
    for prefix, other in prefixes.items():
        if resource_type.startswith(prefix) and (facts := cloud.types.get(other + resource_type.removeprefix(prefix))):
            return msgspec.structs.replace(facts, locations=[], parents=[])
    return TypeFacts()
