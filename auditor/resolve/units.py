"""Units of a job and how they come together: groups that share a fabric, what their members say jointly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from auditor.jobfacts import Refusal
from auditor.model import Accelerator, Cards, JobRole, Refused, Reserved, Resource, Said, strip_keys
from auditor.resolve.fabric import Switch
from auditor.resolve.instances import Types
from auditor.resolve.members import Member
from auditor.resolve.partitions import Partition, split
from auditor.resolve.said import together
from auditor.resolve.size import Size
from auditor.resolve.zones import Zones


class Unit(msgspec.Struct, frozen=True):
    """One sizing instance, read."""

    member: Member
    chain: tuple[Member, ...]
    types: Types
    size: Size
    zones: Zones
    fabric: Switch
    said: Mapping[str, Said]
    refused: tuple[tuple[Refusal, Refused], ...]
    cards: Cards | None
    partition: Partition
    unshielded: tuple[Said, ...]
    reserved: tuple[Reserved, ...]
    placement: Said  # verdict None: not known; seen starts with the kind
    merge: tuple[str, ...]
    role: JobRole
    reason: str
    domains: tuple[str, int]  # (kind of domain, accelerators per domain)
    domain_key: str
    existing: bool
    labels: tuple[str, ...]


def as_instance(unit: Unit, r: Resource, existing: bool) -> Unit:
    """The same unit of an alike instance."""
    m = unit.member
    member = Member(r, m.row, m.body, m.block, m.cloud, m.prefix, m.at, m.configured, m.via)
    return replace(unit, member=member, chain=(member, *unit.chain[1:]), existing=existing)


def domains_of(group: Sequence[Unit], size: Size) -> tuple[int | None, int | None]:
    kinds = {u.domains[0] for u in group}
    if kinds == {"topology"}:
        per = max(u.domains[1] for u in group)
        return tuple(None if g is None else -(-g // per) for g in (size.gpus_min, size.gpus_max))  # type: ignore[return-value]
    if kinds <= {"all", "key"}:
        count = len({u.domain_key for u in group})
        return count, count
    return size.nodes_min, size.nodes_max


def grouped(units: Iterable[Unit]) -> list[list[Unit]]:
    """Instances of one block that belong together. Nodes always do; fleets only where they are alike."""
    groups: dict[tuple[object, ...], list[Unit]] = {}
    for u in units:
        key: tuple[object, ...] = (u.member.block,)
        if u.member.row.unit:
            key += (u.types.names,)
        elif u.member.row.kind != "instance":
            key += (u.types.names, u.zones.known, u.zones.path, u.fabric.state, u.role, u.merge)
        groups.setdefault(key, []).append(u)
    return list(groups.values())


def merged(groups: list[list[Unit]], declared: Sequence[Mapping[str, Any]]) -> list[list[Unit]]:
    """Groups that share a key of `merge`, or that one declared job names, become one."""
    parent = list(range(len(groups)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    seen: dict[str, int] = {}
    for i, group in enumerate(groups):
        keys = {k for u in group for k in u.merge}
        keys |= {f"job {n}" for n, job in enumerate(declared) if any(_matches(job, u) for u in group)}
        for key in sorted(keys):
            if key in seen:
                parent[root(i)] = root(seen[key])
            else:
                seen[key] = i
    made: dict[int, list[Unit]] = {}
    for i, group in enumerate(groups):
        made.setdefault(root(i), []).extend(group)
    return [sorted(g, key=lambda u: u.member.resource.address) for g in made.values()]


def _matches(job: Mapping[str, Any], u: Unit) -> bool:
    return covers(str(job.get("match", "")), (u.member.resource.address, u.member.block))


def covers(pattern: str, addresses: Iterable[str]) -> bool:
    """Whether the `match` of a declared job covers one of some addresses; `*` stands for any text, `?` for one character."""
    if not pattern:
        return False
    text = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return any(re.fullmatch(text, a, re.DOTALL) for a in addresses)


def declared_for(declared: Sequence[Mapping[str, Any]], group: Sequence[Unit]) -> Mapping[str, Any]:
    return next((job for job in declared if any(_matches(job, u) for u in group)), {})


def joint_role(group: Sequence[Unit], declared: Mapping[str, Any]) -> tuple[JobRole, str]:
    said = declared.get("role")
    if said in ("training", "inference"):
        return ("training" if said == "training" else "inference"), f"declared job {declared.get('name', '')}".strip()
    roles = {u.role for u in group} - {"unknown"}
    if len(roles) == 1:
        first = next(u for u in group if u.role != "unknown")
        return first.role, first.reason
    if roles:
        return "unknown", "its groups speak for both roles"
    return group[0].role, group[0].reason


def joint_switch(switches: Sequence[Switch]) -> Switch:
    """The worst state of the groups: one node without the fabric stops the rest."""
    order = ("impossible", "off", "open", "on", "not_needed")
    return min(switches, key=lambda s: order.index(s.state))


def partitioned(raw: Switch, group: Sequence[Unit], nodes: int | None) -> tuple[Switch, str]:
    """A fabric that every node has and no two nodes share is off: the nodes cannot talk over it."""
    if raw.state != "on":
        return raw, ""
    said = together(u.said for u in group).get("split")
    apart, why, path = split([u.partition for u in group], nodes)
    if said is not None and said.verdict is not False and nodes != 1:
        apart, path = said.verdict, said.path
        why = said.seen if said.verdict else said.cause
    if apart is True:
        return replace(raw, state="off", missing=(why,), path=path or raw.path), why
    if apart is None:
        return replace(raw, state="open", cause=why, path=path or raw.path), ""
    return raw, ""


def joint_placement(parts: Sequence[Said]) -> Said:
    """The worst of the groups: nodes that nothing places count."""
    order = ("spread", "partition", "scattered", "", "unknown", "cluster", "managed")
    return min(parts, key=lambda p: order.index(p.block))


def asked(said: Mapping[str, Said], label: str) -> bool | None:
    """None where it is not known, or nothing in the tables asks."""
    return said[label].verdict if label in said else None


def fewest(group: Sequence[Unit]) -> Cards | None:
    """The group with the fewest cards: it holds the others back."""
    counted_cards = [u.cards for u in group if u.cards is not None]
    return min(counted_cards, key=lambda c: (c.sure, not c.more), default=None)


def unasked(group: Sequence[Unit], types: Sequence[Accelerator]) -> str:
    """Types whose NVLink domain is only made on request, where no topology is asked for."""
    pattern = group[0].member.cloud.jobs.domain_types
    if not pattern or any(u.domains[1] for u in group):
        return ""
    return ", ".join(t.instance_type for t in types if re.search(pattern, t.instance_type))


def both_roles(declared: Sequence[Mapping[str, Any]], group: Sequence[Unit]) -> str:
    """Why training and inference share the nodes of one group; "" where nothing says so."""
    for u in group:
        jobs = [job for job in declared if _matches(job, u)]
        if {"training", "inference"} <= {job.get("role") for job in jobs}:
            return f"the declared jobs {', '.join(str(job.get('name', '?')) for job in jobs)}"
    words = [f"{u.member.block} ({u.reason})" for u in group if u.reason.startswith("label")]
    if len({u.role for u in group if u.reason.startswith("label")}) > 1:
        return " and ".join(dict.fromkeys(words))
    mixed = next((u for u in group if u.role == "unknown" and u.reason.startswith("label")), None)
    return f"{mixed.member.block} ({mixed.reason})" if mixed is not None else ""


def job_names(groups: Sequence[Sequence[Unit]]) -> list[str]:
    """The block address of the first sizing resource; with its key, or type, where that is not unique."""
    blocks = [strip_keys(g[0].member.block) for g in groups]
    times = Counter(blocks)
    names: list[str] = []
    for block, group in zip(blocks, groups, strict=True):
        name = block
        if times[block] > 1:
            name = group[0].member.resource.address
            rivals = [g for b, g in zip(blocks, groups, strict=True) if b == block and g is not group]
            if any(g[0].member.resource.address == name for g in rivals):
                name = f"{name} ({' / '.join(group[0].types.names) or '?'})"
        names.append(name)
    return names
