"""Builds the jobs of a plan: which nodes work together, how many, on what, where, for what, joined by what.

One group per resource block that sizes nodes. Instances of one block that differ in what they are (another
zone, type, fabric or role) are jobs of their own; alike ones add up. Groups merge only on a shared placement
group, cluster network, GPU cluster or partition, or because the workload manifest says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from auditor.facts import Facts
from auditor.jobfacts import Refusal, pointer
from auditor.model import (
    Accelerator,
    Action,
    Cards,
    Evidence,
    FabricState,
    Job,
    JobRole,
    Node,
    Plan,
    Refused,
    Reserved,
    Resource,
    Said,
    block_address,
    strip_keys,
)
from auditor.resolve.attachments import GONE, Attachments
from auditor.resolve.cards import count_cards
from auditor.resolve.fabric import Switch, holds, switch
from auditor.resolve.instances import Types, read_types
from auditor.resolve.members import Member, Reader, whole
from auditor.resolve.partitions import Partition, partition_of, split
from auditor.resolve.references import References, Target
from auditor.resolve.roles import LABELS, by_words, heard, spoken
from auditor.resolve.said import answers, counted, refusals, together, where
from auditor.resolve.shields import unshielded
from auditor.resolve.size import Size, add, read_size, whole_number
from auditor.resolve.zones import ZoneReader, Zones, join_zones
from auditor.values import Projection, projection_of

_PATH: Final = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*")
_SIZING: Final = ("instance", "fleet", "karpenter")


class Settings(msgspec.Struct, frozen=True):
    """What the policy and the workload manifest say of jobs."""

    max_gpus: int = 8
    trigger: str = "total_gpus"
    role: str = ""
    declared: tuple[Mapping[str, Any], ...] = ()


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
        candidates = [r for group in self.plan.by_block.values() for r in _sizing(reader, group)]
        if not candidates:
            return []
        attachments = Attachments(reader)
        zones = ZoneReader(reader)
        alike = _Alike(reader)
        units: list[Unit] = []
        read: dict[tuple[object, ...], Unit | None] = {}
        for r in candidates:
            key = alike.key(r) if not attachments.of(r) else None
            if key is not None and key in read:
                held = read[key]
                if held is not None:
                    units.append(_as(held, r, self._existing(r)))
                continue
            member = reader.member(r)
            if member is None or member.row.kind not in _SIZING:
                continue
            for part in reader.units(member):
                unit = self._unit(reader, zones, attachments, part, alike.own(key))
                if unit is not None:
                    units.append(unit)
                if key is not None:
                    read[key] = unit
        groups = _merged(_grouped(units), self.settings.declared)
        names = _names(groups)
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
                return _as(held, member.resource, self._existing(member.resource)) if held is not None else None
        looked = reader.refs.looked
        chain, roots, lost, template_types, either = _chain(reader, attachments, member)
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
        declared = _declared(self.settings.declared, group)
        types = tuple({t.instance_type: t for u in group for t in u.types.known}.values())
        size = add([u.size for u in group])
        zones = join_zones([(u.member.block, u.zones) for u in group])
        role, reason = _joint_role(group, declared)
        raw = _joint_switch([u.fabric for u in group])
        raw, apart = _partitioned(raw, group, size.nodes_max)
        domains_min, domains_max = _domains(group, size)
        inference = role == "inference"
        parallelism = str(declared.get("parallelism", "synchronous"))
        independent = parallelism == "independent"
        may = not independent and self._may_trigger(size, domains_max, group)
        state: FabricState = raw.state
        if state != "on" and (inference or not may):
            state = "not_needed"
        regions = tuple(dict.fromkeys(r for u in group for r in self.regions(u.member.resource)))
        placed = _joint_placement([u.placement for u in group])
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
            spot=_asked(said, "spot"),
            placement=placed.block,
            placement_path=shown(placed.path),
            placement_seen=placed.seen,
            reservation=_any(said[k].verdict for k in ("reservation", "block") if k in said),
            capacity_block=_asked(said, "block") is True,
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
            cards=_fewest(group),
            split=apart,
            tight=first.member.cloud.jobs.tight,
            reserved=tuple(dict.fromkeys(r for u in group for r in u.reserved)),
            unshielded=tuple(dict.fromkeys(s for u in group for s in u.unshielded)),
            domain_gpus=max((u.domains[1] for u in group), default=0),
            topology_missing=_unasked(group, types),
            label_words=tuple(dict.fromkeys(w for u in group for w in u.labels)),
            role_declared=reason.startswith(("declared job", "workload.role")),
            both_roles=_both_roles(self.settings.declared, group),
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


def _sizing(reader: Reader, group: list[Resource]) -> list[Resource]:
    """The instances of a block that size nodes and may hold accelerators. Cheap for everything else."""
    first = group[0]
    held = reader.rows(first)
    if held is None or first.is_data or all(row.kind not in _SIZING for row in held[1]):
        return []
    cloud, rows = held
    alive = [r for r in group if r.action not in GONE and not r.deposed]
    if all(row.when for row in rows if row.kind in _SIZING):
        alive = [r for r in alive if reader.may_be(r, _SIZING)]
    plain = [row for row in rows if row.kind == "instance" and not row.templates and not row.attached_type and not row.unit]
    paths = {p for row in plain for p in row.type if "+" not in p}
    if len(plain) != len(rows) or not paths or not cloud.jobs.accelerator_types:
        quick = [row.type[0] for row in rows if row.kind == "instance" and row.type and not row.attached_type]
        if len(quick) != len(rows):
            return alive
        paths = set(quick)
    pattern = re.compile(cloud.jobs.accelerator_types)
    projection = projection_of(frozenset(p.split(".")[0] for p in paths))
    kept: list[Resource] = []
    holds: dict[tuple[bytes, ...], bool] = {}  # instances that name the same types are told apart by nothing
    for r in alive:
        key = projection.key(r)
        if key not in holds:
            body = projection.after(r)
            named = [v.value for p in paths for v in body.get(tuple(p.split(".")))]
            holds[key] = not named or not all(
                isinstance(n, str) and cloud.type_name(n) not in cloud.instances and not pattern.search(n) for n in named
            )
        if holds[key]:
            kept.append(r)
    return kept


def _chain(
    reader: Reader, attachments: Attachments, member: Member
) -> tuple[tuple[Member, ...], dict[str, str], str, bool, str]:
    """The resource, what is attached to it, its templates and parts; why one is lost; whether a template was;
    why it is open which of several unlike templates is meant.

    With the attribute of the sizing resource that led to each of them.
    """
    roots: dict[str, str] = {}
    chain: list[Member] = [member]
    lost = either = ""
    lost_template = False
    seen = {member.resource.address}
    queue = [member]
    for extra in attachments.of(member.resource):
        roots[extra.resource.address] = ""
        queue.append(extra)
        chain.append(extra)
    while queue:
        m = queue.pop(0)
        for text in (*m.row.templates, *m.row.overrides, *m.row.parts):
            is_template = text in m.row.templates or text in m.row.overrides
            joined = reader.join(m, text)
            if joined.mixed:
                if is_template:
                    path = ".".join(pointer(text).path)
                    lost, lost_template = lost or f"{m.block}: which of several {path} means cannot be decided", True
                continue
            if joined.how in ("unknown", "outside") and is_template:
                path = ".".join(pointer(text).path)
                where = "is outside the plan" if joined.how == "outside" else "cannot be followed in the plan"
                lost, lost_template = lost or f"{m.block}: {path} {where}", True
            if is_template and _unlike(reader, m, text, joined.members):
                path = ".".join(pointer(text).path)
                either = either or f"{m.block}: which of several {joined.members[0].block} its {path} means cannot be decided"
            for other in joined.members:
                if other.resource.address in seen:
                    continue
                seen.add(other.resource.address)
                roots[other.resource.address] = roots[m.resource.address] if m is not member else m.at + other.via
                chain.append(other)
                queue.append(other)
    if lost and any(m.row.kind == "template" for m in chain):
        lost, lost_template = "", False  # named twice (id and name), found once
    return tuple(chain), roots, lost, lost_template, either


def _unlike(reader: Reader, m: Member, text: str, templates: Sequence[Member]) -> bool:
    """Whether one attribute leads to several templates that start different nodes: it can mean only one of them.

    `aws_launch_template.pool[each.value.pool].id` names the whole block in a plan. A list of overrides has a place
    for each template.
    """
    path = pointer(text).path
    if len(templates) < 2 or not path:
        return False
    places = [v for v in reader.values(m, path) if v.path.rpartition(".")[2].partition("[")[0] == path[-1]]
    if not places or len(places) >= len(templates):
        return False
    starts = set()
    for t in templates:
        kinds = tuple(str(v.value) for p in t.row.type for part in p.split("+") for v in reader.values(t, part.strip()))
        switched = t.row.fabric.any if t.row.fabric is not None else ()
        starts.add((kinds, tuple(holds(reader, t, c, ()) for c in switched)))
    return len(starts) > 1


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    """True if any is; None if any is unknown; False if all are known to be false; None where nothing was asked."""
    found = list(verdicts)
    if True in found:
        return True
    return None if None in found or not found else False


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


# Values that tell what is read, labels by their words, names by their words, and references by the instance's own key.
_Reading = tuple[Projection, Projection, Projection | None, list[tuple[Target, str]]]
_NOT_READ: Final = ("labels", "names", "identity", "id_pattern", "source", "date", "confidence")


class _Alike(msgspec.Struct):
    """Tells instances of one block apart only by what a job is read from: equal keys give equal units."""

    reader: Reader
    _plans: dict[str, _Reading | None] = msgspec.field(default_factory=dict)

    def key(self, r: Resource) -> tuple[object, ...] | None:
        """None where instances are not alike even so, or one is alone: several units, a domain each, an uncertain count."""
        block = block_address(r)
        if len(self.reader.plan.by_block.get(block, ())) < 2:
            return None  # nothing to be alike to
        if block not in self._plans:
            self._plans[block] = self._plan(r, block)
        plan = self._plans[block]
        if plan is None or r.address in self.reader.plan.uncertain:
            return None
        values, labels, named, keyed = plan
        said = b"".join(labels.key(r)).lower()
        number = isinstance(r.index, int) and r.address.endswith(f"[{r.index}]")  # says nothing of a role
        words = heard(r.address.rpartition("[")[0] if number else r.address)
        for name in named.key(r) if named is not None else ():
            words |= heard(name.decode(errors="replace"))
        return (
            block, r.change.actions, values.key(r), words,
            said if any(word.encode() in said for word in LABELS) else b"",
            r.module_address, tuple([id(self.reader.refs.instances_of(r, t, k)) for t, k in keyed]),
        )  # fmt: skip

    def own(self, key: tuple[object, ...] | None) -> tuple[object, ...]:
        """The part of a key that tells of the instance itself, and not of what it sees."""
        return key[:-2] if key is not None else ()

    def _plan(self, r: Resource, block: str) -> _Reading | None:
        held = self.reader.rows(r)
        rows = held[1] if held is not None else []
        if not rows or any(row.unit or row.domain_all for row in rows):
            return None
        # Every text of a row that could be an attribute: more than needed does no harm.
        texts = [t for row in rows for t in _texts(msgspec.structs.asdict(row), _NOT_READ)]
        paths = {tuple(w.split(".")) for t in texts for w in _PATH.findall(t)}
        labels = {p.partition(".")[0] for row in rows for p in row.labels}
        named = {p.partition(".")[0] for row in rows for p in row.names}
        traces = [self.reader.refs.trace(block, p) for p in paths]
        keyed = [(t, x.keyed) for x in traces for t in x.targets if x.keyed]
        roots = {p[0] for p in paths}
        if (text := held[0].jobs.texts.get(r.type) if held is not None else None) is not None:
            roots.update(text.attributes)
            labels.update(text.attributes)
            named.update(text.attributes)
        values = projection_of(frozenset(roots))
        return values, projection_of(frozenset(labels)), projection_of(frozenset(named)) if named else None, keyed


def _texts(value: Any, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Every text inside a row."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for k, v in value.items():
            if k not in skip:
                yield from _texts(v)
    elif isinstance(value, list):
        for v in value:
            yield from _texts(v)
    elif isinstance(value, msgspec.Struct):
        yield from _texts(msgspec.structs.asdict(value))


def _as(unit: Unit, r: Resource, existing: bool) -> Unit:
    """The same unit of an alike instance."""
    m = unit.member
    member = Member(r, m.row, m.body, m.block, m.cloud, m.prefix, m.at, m.configured, m.via)
    return replace(unit, member=member, chain=(member, *unit.chain[1:]), existing=existing)


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


def _domains(group: Sequence[Unit], size: Size) -> tuple[int | None, int | None]:
    kinds = {u.domains[0] for u in group}
    if kinds == {"topology"}:
        per = max(u.domains[1] for u in group)
        return tuple(None if g is None else -(-g // per) for g in (size.gpus_min, size.gpus_max))  # type: ignore[return-value]
    if kinds <= {"all", "key"}:
        count = len({u.domain_key for u in group})
        return count, count
    return size.nodes_min, size.nodes_max


# --- grouping ------------------------------------------------------------------------------------


def _grouped(units: Iterable[Unit]) -> list[list[Unit]]:
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


def _merged(groups: list[list[Unit]], declared: Sequence[Mapping[str, Any]]) -> list[list[Unit]]:
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


def _declared(declared: Sequence[Mapping[str, Any]], group: Sequence[Unit]) -> Mapping[str, Any]:
    return next((job for job in declared if any(_matches(job, u) for u in group)), {})


def _joint_role(group: Sequence[Unit], declared: Mapping[str, Any]) -> tuple[JobRole, str]:
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


def _joint_switch(switches: Sequence[Switch]) -> Switch:
    """The worst state of the groups: one node without the fabric stops the rest."""
    order = ("impossible", "off", "open", "on", "not_needed")
    return min(switches, key=lambda s: order.index(s.state))


def _partitioned(raw: Switch, group: Sequence[Unit], nodes: int | None) -> tuple[Switch, str]:
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


def _joint_placement(parts: Sequence[Said]) -> Said:
    """The worst of the groups: nodes that nothing places count."""
    order = ("spread", "partition", "scattered", "", "unknown", "cluster", "managed")
    return min(parts, key=lambda p: order.index(p.block))


def _asked(said: Mapping[str, Said], label: str) -> bool | None:
    """None where it is not known, or nothing in the tables asks."""
    return said[label].verdict if label in said else None


def _fewest(group: Sequence[Unit]) -> Cards | None:
    """The group with the fewest cards: it holds the others back."""
    counted_cards = [u.cards for u in group if u.cards is not None]
    return min(counted_cards, key=lambda c: (c.sure, not c.more), default=None)


def _unasked(group: Sequence[Unit], types: Sequence[Accelerator]) -> str:
    """Types whose NVLink domain is only made on request, where no topology is asked for."""
    pattern = group[0].member.cloud.jobs.domain_types
    if not pattern or any(u.domains[1] for u in group):
        return ""
    return ", ".join(t.instance_type for t in types if re.search(pattern, t.instance_type))


def _both_roles(declared: Sequence[Mapping[str, Any]], group: Sequence[Unit]) -> str:
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


def _names(groups: Sequence[Sequence[Unit]]) -> list[str]:
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
