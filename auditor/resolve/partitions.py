"""Which fabric partition each node group of a job is in: nodes of different partitions cannot talk over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from auditor.jobfacts import pointer
from auditor.model import UNKNOWN
from auditor.resolve.members import Member, Reader, whole


class Partition(msgspec.Struct, frozen=True, gc=False):
    """`key`: which partition, "" for none. asked: whether this kind of resource has partitions at all."""

    key: str = ""
    asked: bool = False
    unknown: bool = False
    missing: str = ""
    path: str = ""


def partition_of(reader: Reader, chain: Sequence[Member]) -> Partition:
    """The partition of one sizing resource, through its templates."""
    path = missing = ""
    unknown = asked = False
    for m in chain:
        missing = missing or m.row.partition_missing
        for text in m.row.partition:
            asked = True
            if text == "self":
                return Partition(m.resource.address, True, path=m.row.fabric.path if m.row.fabric is not None else "")
            steps = pointer(text).path
            path = path or ".".join(steps)
            values = reader.values(m, steps)
            if not values and not reader.refs.trace(m.block, whole(m, steps)).targets:
                continue
            joined = reader.join(m, text)
            if joined.how == "absent":
                continue
            if joined.mixed:
                unknown = True
                continue
            if len(joined.members) == 1:
                return Partition(joined.members[0].resource.address, True, path=joined.path)
            known = [v.value for v in values if isinstance(v.value, str) and v.value]
            if known:
                return Partition(f"{m.cloud.id} {known[0]}".lower(), True, path=values[0].path)
            if joined.members and not joined.keyed:
                return Partition(f"one of {joined.members[0].block}", True, path=joined.path)
            trace = reader.refs.trace(m.block, whole(m, steps))
            if len(trace.targets) == 1 and not trace.keyed:
                target = trace.targets[0]
                return Partition(f"{target.block}[{target.key}]", True, path=".".join(steps))
            unknown = unknown or any(v.value is UNKNOWN for v in values)
    return Partition("", asked, unknown, missing, path)


def split(parts: Iterable[Partition], nodes: int | None) -> tuple[bool | None, str, str]:
    """(whether the nodes share no partition, what is wrong, attribute). None where it is not known."""
    found = [p for p in parts if p.asked]
    if not found or (nodes is not None and nodes < 2):
        return False, "", ""
    path = next((p.path for p in found if p.path), "")
    lone = [p for p in found if not p.key and not p.unknown]
    keys = {p.key for p in found if p.key}
    if lone and (len(found) > 1 or nodes is None or nodes > 1):
        return True, f"no {lone[0].missing or 'common partition'}", path
    if len(keys) > 1:
        return True, f"{len(keys)} partitions: {', '.join(sorted(keys))}", path
    if any(p.unknown for p in found):
        return None, "which partition its nodes are in is known only after apply", path
    return False, "", path
