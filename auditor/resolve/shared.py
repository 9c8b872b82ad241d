"""File systems that the nodes of a job could share: where they stand, and whether they are of the parallel kind."""

from __future__ import annotations

from collections.abc import Callable

from auditor.facts import Facts
from auditor.model import Plan, Resource, SharedStore
from auditor.resolve.attachments import GONE
from auditor.resolve.members import Reader
from auditor.resolve.references import References
from auditor.resolve.zones import ZoneReader


def read_shared(
    plan: Plan, refs: References, facts: Facts, regions: Callable[[Resource], tuple[str, ...]]
) -> tuple[SharedStore, ...]:
    """Every shared file system of a plan. zones: empty where it is regional, or not known."""
    reader = Reader(plan, refs, facts)
    zone_reader = ZoneReader(reader)
    found: list[SharedStore] = []
    for resources in plan.by_block.values():
        held = reader.rows(resources[0])
        if held is None or resources[0].is_data or all(row.kind != "storage" for row in held[1]):
            continue
        for r in resources:
            m = reader.member(r) if r.action not in GONE and not r.deposed else None
            if m is None or m.row.kind != "storage":
                continue
            single = reader.any_holds(m, m.row.single_zone) if m.row.single_zone else True
            zones = zone_reader.of(m, [m]).known if single is True and m.row.zones else ()
            found.append(SharedStore(m.block, m.cloud.id, regions(r), zones, m.row.parallel))
    return tuple(dict.fromkeys(found))
