"""Builds the jobs of a plan: which nodes work together, how many, on what, where, for what, joined by what.

One group per resource block that sizes nodes. Instances of one block that differ in what they are (another
zone, type, fabric or role) are jobs of their own; alike ones add up. Groups merge only on a shared placement
group, cluster network, GPU cluster or partition, or because the workload manifest says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from auditor.facts import Facts
from auditor.jobfacts import pointer
from auditor.model import (
    Accelerator,
    Action,
    Evidence,
    FabricState,
    Job,
    JobRole,
    Node,
    Plan,
    Reserved,
    Resource,
    Said,
    strip_keys,
)
from auditor.resolve.alike import Alike
from auditor.resolve.attachments import GONE, Attachments
from auditor.resolve.cards import count_cards
from auditor.resolve.chain import SIZING, any_of, chain_of, sizing_of
from auditor.resolve.fabric import Switch, holds, switch
from auditor.resolve.instances import Types, read_types
from auditor.resolve.members import Member, Reader, whole
from auditor.resolve.partitions import partition_of
from auditor.resolve.references import References
from auditor.resolve.roles import LABELS, by_words, spoken
from auditor.resolve.said import answers, counted, refusals, together, where
from auditor.resolve.shields import unshielded
from auditor.resolve.size import Size, add, read_size, whole_number
from auditor.resolve.units import (
    Unit,
    as_instance,
    asked,
    both_roles,
    declared_for,
    domains_of,
    fewest,
    grouped,
    job_names,
    joint_placement,
    joint_role,
    joint_switch,
    merged,
    partitioned,
    unasked,
)
from auditor.resolve.zones import ZoneReader, Zones, join_zones


class Settings(msgspec.Struct, frozen=True):
    """What the policy and the workload manifest say of jobs."""

    max_gpus: int = 8
    trigger: str = "total_gpus"
    role: str = ""
    declared: tuple[Mapping[str, Any], ...] = ()


class JobBuilder(msgspec.Struct):
    """`regions` tells where a resource stands: region ids."""

    plan: Plan
    refs: References
    facts: Facts
    regions: Callable[[Resource], tuple[str, ...]]
    settings: Settings = msgspec.field(default_factory=Settings)
    # What was read of instances that look at no other ones, but for their zones: the same in every module instance.
    _apart: dict[tuple[object, ...], dict[Zones | None, Unit | None]] = msgspec.field(default_factory=dict)

    def build(self) -> list[Job]:
        """All jobs, sorted by name."""
        reader = Reader(self.plan, self.refs, self.facts)
        candidates = [r for group in self.plan.by_block.values() for r in sizing_of(reader, group)]
        if not candidates:
            return []
        attachments = Attachments(reader)
        zones = ZoneReader(reader)
        alike = Alike(reader)
        units: list[Unit] = []
        read: dict[tuple[object, ...], Unit | None] = {}
        for r in candidates:
            key = alike.key(r) if not attachments.of(r) else None
            if key is not None and key in read:
                held = read[key]
                if held is not None:
                    units.append(as_instance(held, r, self._existing(r)))
                continue
            member = reader.member(r)
            if member is None or member.row.kind not in SIZING:
                continue
            for part in reader.units(member):
                unit = self._unit(reader, zones, attachments, part, alike.own(key))
                if unit is not None:
                    units.append(unit)
                if key is not None:
                    read[key] = unit
        groups = merged(grouped(units), self.settings.declared)
        names = job_names(groups)
        return sorted(
            (self._job(reader, name, group) for name, group in zip(names, groups, strict=True)),
            key=lambda j: (j.name, j.addresses),
        )

    def stack(self) -> str:
        """Whether the plan shows the software that gives pods RDMA: shown | missing | unknown | none (no cluster)."""
        reader = Reader(self.plan, self.refs, self.facts)
        best = "none"
        for resources in self.plan.by_block.values():
            held = reader.rows(resources[0])
            if held is None or all(row.kind not in ("stack", "workload") for row in held[1]) or resources[0].is_data:
                continue
            best = "missing" if best == "none" else best
            for r in resources:
                m = reader.member(r) if r.action not in GONE else None
                verdict = reader.any_holds(m, m.row.said.get("rdma_stack", ())) if m is not None else False
                if verdict is True:
                    return "shown"
                best = "unknown" if verdict is None else best
        return best

    # --- one sizing instance

    def _unit(
        self, reader: Reader, zone_reader: ZoneReader, attachments: Attachments, member: Member, own: tuple[object, ...]
    ) -> Unit | None:
        if own and (apart := self._apart.get(own)) is not None:
            zones = None if None in apart else zone_reader.of(member, (member,))
            if zones in apart:
                held = apart[zones]
                return as_instance(held, member.resource, self._existing(member.resource)) if held is not None else None
        looked = reader.refs.looked
        chain, roots, lost, template_types, either = chain_of(reader, attachments, member)
        types = read_types(reader, member, chain, template_types, lost, either)
        if types.none:
            if own and reader.refs.looked == looked:
                self._apart[own] = {None: None}
            return None
        before = reader.refs.looked
        zones = zone_reader.of(member, chain)
        looked += reader.refs.looked - before
        size = read_size(reader, member, chain, zones, types)
        if (doubt := self.plan.uncertain.get(member.resource.address)) is not None:
            size = Size(None, None, None, None, cause=doubt)
        fabric = switch(reader, member, chain, types.known, lost or types.cause, either)
        said = answers(reader, chain, roots, lost)
        refused = tuple(refusals(reader, chain, roots, said, types.names, attachments))
        on = fabric.state == "on"
        shields = tuple(unshielded(reader, chain, roots, attachments, zones.known)) if on else ()
        placement = _placement(reader, chain, roots, types.known)
        block = said["block"].verdict if "block" in said else None
        merge = tuple(dict.fromkeys(k for m in chain for k in _merge_keys(reader, m)))
        role, reason = _role(reader, member, chain, types, fabric, placement.block, block, self.settings.role)
        kind, per_domain, key = _domain(reader, member, chain)
        r = member.resource
        existing = self._existing(r)
        unit = Unit(
            member, chain, types, size, zones, fabric, said, refused, count_cards(reader, chain),
            partition_of(reader, chain), shields, _reserved(reader, chain, roots, attachments, types.names), placement,
            merge, role, reason, (kind, per_domain), key, existing, tuple(_labelled(reader, chain)),
        )  # fmt: skip
        if own and reader.refs.looked == looked:
            self._apart.setdefault(own, {})[zones] = unit
        return unit

    def _existing(self, r: Resource) -> bool:
        return not r.importing and (self.plan.kind == "state" or r.action is Action.NOOP)

    # --- one job

    def _job(self, reader: Reader, name: str, group: list[Unit]) -> Job:
        first = group[0]
        declared = declared_for(self.settings.declared, group)
        types = tuple({t.instance_type: t for u in group for t in u.types.known}.values())
        size = add([u.size for u in group])
        zones = join_zones([(u.member.block, u.zones) for u in group])
        role, reason = joint_role(group, declared)
        raw = joint_switch([u.fabric for u in group])
        raw, apart = partitioned(raw, group, size.nodes_max)
        domains_min, domains_max = domains_of(group, size)
        inference = role == "inference"
        parallelism = str(declared.get("parallelism", "synchronous"))
        independent = parallelism == "independent"
        may = not independent and self._may_trigger(size, domains_max, group)
        state: FabricState = raw.state
        if state != "on" and (inference or not may):
            state = "not_needed"
        regions = tuple(dict.fromkeys(r for u in group for r in self.regions(u.member.resource)))
        placed = joint_placement([u.placement for u in group])
        said = together(u.said for u in group)
        zones_now = max(zones.most or 0, len(zones.known)) if zones.most is not None else None
        refused = [counted(row, r, size.nodes_max, zones_now) for u in group for row, r in u.refused]
        cause = raw.cause if state == "open" else ""
        cause = size.cause or cause
        nodes = tuple(
            Node(u.member.resource.address, u.member.block, u.size.nodes_min, u.size.nodes_max, u.types.names, u.zones.known)
            for u in group
        )

        def shown(path: str) -> str:
            return reader.shown(first.member, strip_keys(path))

        evidence = tuple(
            dict.fromkeys(
                Evidence(f"{m.via} refers to {m.block}") for u in group for m in u.chain if m.via and m is not u.member
            )
        )
        return Job(
            name=name,
            cloud=first.member.cloud.id,
            addresses=tuple(sorted({u.member.resource.address for u in group})),
            role=role,
            role_reason=reason,
            nodes_min=size.nodes_min,
            nodes_max=size.nodes_max,
            gpus_min=size.gpus_min,
            gpus_max=size.gpus_max,
            instance_types=tuple(dict.fromkeys(n for u in group for n in u.types.names)),
            accelerators=tuple(dict.fromkeys(t.accelerator for t in types if t.accelerator)),
            fabric=raw.fabric,
            fabric_state=state,
            zones=tuple(sorted(zones.known)),
            zones_max=zones.most,
            regions=regions,
            existing=all(u.existing for u in group),
            domains_min=domains_min,
            domains_max=domains_max,
            missing=raw.missing if state in ("off", "impossible") else (),
            cause=cause,
            spot=asked(said, "spot"),
            placement=placed.block,
            placement_path=shown(placed.path),
            placement_seen=placed.seen,
            reservation=any_of(said[k].verdict for k in ("reservation", "block") if k in said),
            capacity_block=asked(said, "block") is True,
            single_zone_policy=zones.most == 1 and zones.one_of,
            unbounded=size.unbounded,
            unknown_types=tuple(dict.fromkeys(n for u in group for n in u.types.unlisted)),
            type_unknown=any(u.types.unknown for u in group),
            dynamic_nodes=any(u.member.row.kind == "karpenter" for u in group),
            type_path=shown(first.types.path),
            fabric_path=shown(raw.path or first.types.path),
            size_path=shown(first.size.path),
            zone_path=shown(zones.path),
            size_seen=size.seen,
            parallelism=parallelism,
            zones_mode=str(declared.get("zones", "together")),
            raw_state=raw.state,
            types=types,
            nodes=nodes,
            facts=raw.facts,
            evidence=evidence,
            said=said,
            refused=tuple(dict.fromkeys(r for r in refused if r is not None)),
            cards=fewest(group),
            split=apart,
            tight=first.member.cloud.jobs.tight,
            reserved=tuple(dict.fromkeys(r for u in group for r in u.reserved)),
            unshielded=tuple(dict.fromkeys(s for u in group for s in u.unshielded)),
            domain_gpus=max((u.domains[1] for u in group), default=0),
            topology_missing=unasked(group, types),
            label_words=tuple(dict.fromkeys(w for u in group for w in u.labels)),
            role_declared=reason.startswith(("declared job", "workload.role")),
            both_roles=both_roles(self.settings.declared, group),
            providers=tuple(dict.fromkeys(u.member.cloud.id for u in group)),
            declared=declared,
        )

    def _may_trigger(self, size: Size, domains_max: int | None, group: Sequence[Unit]) -> bool:
        """Whether the trigger holds at the maximum, or may hold where the maximum is not known."""
        several = domains_max is None or domains_max > 1
        if self.settings.trigger == "multi_node":
            return several
        many = size.gpus_max is None or size.gpus_max > self.settings.max_gpus
        return several and many


def _placement(reader: Reader, chain: Sequence[Member], roots: Mapping[str, str], types: Sequence[Accelerator]) -> Said:
    """How the nodes are placed: the worst that is said of them wins over the best. `block` holds the label."""
    found: dict[str, Said] = {}
    for m in chain:
        for label, conditions in m.row.placement.items():
            for c in conditions:
                verdict = holds(reader, m, c, types)
                if verdict is False:
                    continue
                path, seen = where(reader, m, c)
                root = roots.get(m.resource.address)
                text = seen if root is None else f"{m.block}: {seen}"
                named = label if verdict else "unknown"
                found.setdefault(named, Said(verdict, m.at + path if root is None else root, text, named))
    order = ("spread", "partition", "scattered", "cluster", "managed", "unknown")
    return next((found[label] for label in order if label in found), Said(False))


def _reserved(
    reader: Reader, chain: Sequence[Member], roots: Mapping[str, str], attachments: Attachments, names: Iterable[str]
) -> tuple[Reserved, ...]:
    """Reservations of the plan that the nodes start in: those they name, and those of a group that they name."""
    found: list[Reserved] = []
    wanted = {name.casefold() for name in names}
    for m in (*chain, *(extra for part in chain[1:] for extra in attachments.of(part.resource))):
        if not m.row.reserved_zone and not m.row.reserved_count:
            continue
        root = roots.get(m.resource.address, "")
        for u in reader.units(m):
            held = {str(v).casefold() for p in u.row.reserved_type for v in reader.known(u, p)}
            if held and wanted and not held & wanted:
                continue
            zones = [str(v).rpartition("/")[2] for p in u.row.reserved_zone for v in reader.known(u, p)]
            numbers = [whole_number(v) for p in u.row.reserved_count for v in reader.known(u, p)]
            counts = [n for n in numbers if n is not None]
            found.append(Reserved(m.block, zones[0] if zones else "", counts[0] if counts else None, root))
    return tuple(found)


def _merge_keys(reader: Reader, m: Member) -> list[str]:
    """What ties this member's nodes to those of another block: a group, cluster, partition or domain."""
    keys: list[str] = []
    for text in m.row.merge:
        joined = reader.join(m, text)
        if len(joined.members) == 1:
            keys.append(f"ref {joined.members[0].resource.address}")
        elif not joined.members:
            values = reader.values(m, pointer(text).path)
            known = [v.value for v in values if isinstance(v.value, str) and v.value]
            keys += [f"{m.cloud.id} {v}" for v in known]
            if not known and values:
                trace = reader.refs.trace(m.block, whole(m, pointer(text).path))
                targets = list(trace.targets)
                if len(targets) == 1:
                    instances = reader.refs.instances_of(m.resource, targets[0], trace.keyed)
                    keys += [f"ref {instances[0].address}"] if len(instances) == 1 else []
    return keys


def _role(
    reader: Reader, member: Member, chain: Sequence[Member], types: Types, fabric: Switch, placement: str,
    block: bool | None, declared: str,
) -> tuple[JobRole, str]:  # fmt: skip
    """The role without the manifest's jobs, and what it rests on."""
    texts = _labelled(reader, chain)
    if (role := by_words(texts)) is not None:
        return role, f"label: {spoken(texts)}"
    if member.row.role:
        return ("training" if member.row.role == "training" else "inference"), f"resource type {member.resource.type}"
    if declared in ("training", "inference"):
        return ("training" if declared == "training" else "inference"), "workload.role"
    names = [member.resource.address, *(str(v) for p in member.row.names for v in reader.known(member, p))]
    names = [n.replace(member.resource.type, "") for n in names]
    if (role := by_words(names)) is not None:
        return role, f"name: {spoken(names)}"
    if fabric.state == "on" and member.row.fabric is not None and member.row.fabric.any:
        return "training", f"coupling: {fabric.fabric} is switched on"
    if fabric.state == "on":
        return "training", f"coupling: {fabric.fabric} joins the nodes"
    if placement == "cluster":
        return "training", "coupling: cluster placement"
    if block is True:
        return "training", "coupling: capacity block"
    if types.known and all(t.inference_class for t in types.known):
        return "inference", f"accelerator class of {types.known[0].accelerator}"
    return "unknown", "nothing in the plan says what it is for"


def _labelled(reader: Reader, chain: Sequence[Member]) -> list[str]:
    """Values of the labels `workload` and `role`, in whatever shape tags come."""
    found: list[str] = []
    for m in chain:
        for path in m.row.labels:
            for v in reader.values(m, path):
                if isinstance(v.value, dict):
                    pairs = v.value.items()
                    if isinstance(v.value.get("key"), str):
                        pairs = {str(v.value["key"]): v.value.get("value")}.items()
                    found += [str(x) for k, x in pairs if str(k).rpartition("/")[2].lower() in LABELS and isinstance(x, str)]
    return found


def _domain(reader: Reader, member: Member, chain: Sequence[Member]) -> tuple[str, int, str]:
    """(kind, accelerators per domain, key): kind is "" where every node is a domain of its own."""
    for m in chain:
        for path in m.row.topology:
            for value in reader.known(m, path):
                sizes = [int(n[:9]) for n in re.findall(r"[0-9]+", str(value))][:9]
                product = 1
                for n in sizes:
                    product *= n
                if sizes and product > 1:
                    return "topology", product, ""
    if member.row.domain_all:
        return "all", 0, member.resource.address
    for m, path in ((x, p) for x in chain for p in x.row.domain_by):
        joined = reader.join(m, path)
        if len(joined.members) == 1:
            return "key", 0, joined.members[0].resource.address
        for value in reader.known(m, ".".join(pointer(path).path)):
            if value:
                return "key", 0, str(value)
    return "", 0, ""


# --- grouping ------------------------------------------------------------------------------------
