"""How many nodes and accelerators: from counts, autoscaler limits, zones and the instance type."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.jobfacts import amount, condition
from auditor.model import UNKNOWN
from auditor.resolve.instances import Types
from auditor.resolve.members import Member, Reader
from auditor.resolve.zones import Zones
from auditor.values import whole


class Size(msgspec.Struct, frozen=True):
    """Nodes and accelerators, at least and at most; None where not known. `path`: the attribute that says."""

    nodes_min: int | None
    nodes_max: int | None
    gpus_min: int | None
    gpus_max: int | None
    unbounded: bool = False
    path: str = ""
    seen: str = ""
    cause: str = ""


def read_size(reader: Reader, member: Member, chain: Sequence[Member], zones: Zones, types: Types) -> Size:
    """The size of one sizing instance. GKE-like counts are per zone and multiply."""
    row = member.row
    if (why := reader.plan.uncertain.get(member.resource.address)) is not None:
        return _with_gpus(None, None, types, "count", "", f"{member.block}: {why}", False)
    if row.kind == "instance":
        return _with_gpus(1, 1, types, "", "", "", False)
    if (uncounted := _uncounted(reader, chain)) is not None:
        return _with_gpus(None, None, types, uncounted[0], "", uncounted[1], False)
    low: list[int] = []
    high: list[int] = []
    added_low: list[int] = []
    added_high: list[int] = []
    unknown_low = unknown_high = ""
    unbounded = False
    path = seen = open_path = ""
    for m in chain:
        for texts, into, is_max in (
            (m.row.min, low, False), (m.row.max, high, True), (m.row.add, added_low, False), (m.row.add, added_high, True),
        ):  # fmt: skip
            for text in texts:
                how = amount(text)
                if how.condition and _left_out(reader.holds(m, how.condition), is_max):
                    continue
                for v in reader.values(m, how.path):
                    if v.value is UNKNOWN:
                        if m is member and (is_max or not open_path):
                            open_path = m.at + v.path
                        if is_max:
                            unknown_high = unknown_high or f"{m.block}: {how.path} is known only after apply"
                        else:
                            unknown_low = unknown_low or f"{m.block}: {how.path} is known only after apply"
                        continue
                    n = whole(v.value)
                    if n is None:
                        continue
                    n *= how.times
                    if how.per == "zone":
                        if zones.most is None:
                            unknown_high = unknown_high or f"{m.block}: {how.path} is per zone, and the zones are not known"
                            continue
                        n *= zones.most
                    if how.per == "vcpu":
                        each = [member.cloud.jobs.vcpus.get(t) for t in types.names]
                        if not each or types.unknown or None in each:
                            why = types.cause or f"{m.block}: {how.path} counts vCPUs, and those of the type are not known"
                            unknown_low, unknown_high = unknown_low or why, unknown_high or why
                            continue
                        sizes = [e for e in each if e]
                        n = -(-n // (min(sizes) if is_max else max(sizes)))
                    into.append(n)
                    if m is member and (is_max or not path):
                        path, seen = m.at + v.path, str(v.value)
        unbounded = unbounded or any(not reader.values(m, p) for p in m.row.unbounded)
    nodes_min: int | None = max(low, default=None) if low else None
    every = low + high
    nodes_max: int | None = max(every, default=None) if every else None
    if not every and not unknown_low and not unknown_high and row.nodes_absent is not None:
        nodes_min = nodes_max = row.nodes_absent
    if nodes_min is None and not unknown_low and nodes_max is not None and not low:
        nodes_min = 0 if row.min else nodes_max
    cause = unknown_high or unknown_low
    if cause and open_path:
        path, seen = open_path, ""
    elif not path and not every and (row.max or row.min):
        path = member.at + amount((row.max or row.min)[0]).path  # where a size could be written
    if unknown_low and not row.max:
        nodes_min = nodes_max = None
    elif unknown_low:
        nodes_min = None
    if unknown_high or (unknown_low and not high):
        nodes_max = None
    if nodes_max is None and not cause and not unbounded:
        cause = f"{member.block}: no attribute says how many nodes"
    if added_low and nodes_min is not None:
        nodes_min += sum(added_low)
    if added_high and nodes_max is not None:
        nodes_max += sum(added_high)
    if unbounded:
        nodes_max, cause = None, f"{member.block}: the number of nodes has no upper limit"
    return _with_gpus(nodes_min, nodes_max, types, path, seen, cause, unbounded)


def _with_gpus(
    low: int | None, high: int | None, types: Types, path: str, seen: str, cause: str, unbounded: bool
) -> Size:
    """Accelerators per node: the fewest of the types at least, the most at most."""
    least, most = types.gpus_least, types.gpus_most
    gpus_min = None if low is None or least is None else low * least
    gpus_max = None if high is None or most is None else high * most
    if high is not None and most is None and not cause:
        cause = types.cause
    return Size(low, high, gpus_min, gpus_max, unbounded, path, seen, cause)


def add(sizes: Sequence[Size]) -> Size:
    """The sizes of one job's groups together; one unknown makes the sum unknown."""
    if len(sizes) == 1:
        return sizes[0]

    def total(values: list[int | None]) -> int | None:
        known = [v for v in values if v is not None]
        return sum(known) if len(known) == len(values) else None

    first = sizes[0]
    return Size(
        total([s.nodes_min for s in sizes]), total([s.nodes_max for s in sizes]),
        total([s.gpus_min for s in sizes]), total([s.gpus_max for s in sizes]),
        any(s.unbounded for s in sizes), first.path, first.seen, next((s.cause for s in sizes if s.cause), ""),
    )  # fmt: skip


def _uncounted(reader: Reader, chain: Sequence[Member]) -> tuple[str, str] | None:
    """(attribute, cause) where the size is weights, memory or a formula: no count of nodes."""
    for m in chain:
        for text in m.row.uncounted:
            if reader.holds(m, text) is not False:
                path = ".".join(condition(text).path)
                return path, f"{m.block}: the size follows {path}, which is no count of nodes"
    return None


def _left_out(holds: bool | None, is_max: bool) -> bool:
    """A number under a condition: what may hold counts at most, and only what holds counts at least."""
    return holds is False if is_max else holds is not True


whole_number = whole  # nodes, pods and reserved instances are counted alike
