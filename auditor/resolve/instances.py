"""Instance types of a sizing resource, and what the catalogue says of their accelerators."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from auditor.facts import Cloud
from auditor.jobfacts import pointer
from auditor.model import UNKNOWN, Accelerator
from auditor.resolve.members import Member, Reader
from auditor.values import whole

# Accelerators made for inference (article 003): a fleet of them without other evidence serves.
_INFERENCE = re.compile(r"T4g?|L4|L40S|A10G?|RTX.*|Inferentia\d?")
# Spellings of one fabric in vendor tables.
_FABRIC = {"rdma": "roce", "tcpxo": "tcpx"}


class Types(msgspec.Struct, frozen=True):
    """`none`: certainly no accelerators. `unlisted`: accelerator-looking types the catalogue lacks."""

    names: tuple[str, ...] = ()
    known: tuple[Accelerator, ...] = ()
    unlisted: tuple[str, ...] = ()
    unknown: bool = False
    none: bool = False
    gpus_least: int | None = None
    gpus_most: int | None = None
    path: str = ""
    cause: str = ""


NONE = Types(none=True)


def read_types(
    reader: Reader, member: Member, chain: Sequence[Member], template_lost: bool, lost: str, either: str = ""
) -> Types:
    """The types a sizing resource may start: its own, else those of its templates.

    either: why it is open which of its templates is meant; then the types are candidates, and `unknown` says so.
    """
    names, unknown, path = _names(reader, member)
    if any(reader.values(member, p) for p in member.row.selects):
        return _selected(reader, member)
    if member.row.overrides:
        names, unknown, path, lost = _overriding(reader, member, names, unknown, path, lost)
    from_templates = not names and not unknown
    if unknown and not names and member.row.type_once and not template_lost:
        # `instance_types = var.block ? null : var.types` is not known; a template that names the type settles it.
        told = [_names(reader, m) for m in chain if m.row.kind == "template"]
        from_templates = any(n for n, _, _ in told) and not any(unsure for _, unsure, _ in told)
        unknown = not from_templates
    if from_templates:
        for m in chain:
            if m.row.kind != "template" and m is not member:
                continue
            if any(reader.values(m, p) for p in m.row.selects):
                return _selected(reader, m)
            more, unsure, where = _names(reader, m) if m is not member else ([], False, "")
            names += [n for n in more if n not in names]
            unknown = unknown or unsure
            path = path or (m.via if where and m.via else where)
    if not names and not unknown:
        if template_lost:
            unknown = True
            path = path or _template_path(reader, member)
        elif member.row.type_absent:
            names = [member.row.type_absent]
        elif hidden := _hidden(reader, member):
            unknown, path = True, member.at + hidden
            lost = lost or f"{member.block}: {hidden} is known only after apply, and nothing else names what it starts"
    attached = [a for m in chain if (a := _attached(reader, m)) is not None]
    stated = [g for m in chain for p in m.row.gpus for v in reader.values(m, p) for g in [whole(v.value)]]
    cloud = member.cloud
    names = list(dict.fromkeys(cloud.type_name(n) for n in names))
    found: list[Accelerator] = []
    unlisted: list[str] = []
    pattern = re.compile(cloud.jobs.accelerator_types) if cloud.jobs.accelerator_types else None
    families: list[str] = []
    for name in names:
        held = cloud.instances.get(name)
        if held is not None:
            found.append(accelerator(cloud, name, held))
        elif (chips := _slice(cloud, name)) is not None:
            found.append(chips)
        elif cloud.jobs.accelerator_families and re.search(cloud.jobs.accelerator_families, name):
            families.append(name)
        elif pattern is not None and pattern.search(name):
            unlisted.append(name)
    unknown = unknown or bool(families)
    if attached and not found:
        for kind, _ in attached:
            label = next((a for rx, a in cloud.jobs.attached.items() if re.search(rx, kind)), kind)
            held = next((i for n, i in cloud.instances.items() if n.endswith(f" {kind}")), {})
            base = f"{names[0]} + {kind}" if names else kind
            found.append(accelerator(cloud, base, {**held, "accelerator": label}))
    if not found and not unlisted and not unknown and not any(g for g in stated if g):
        return NONE
    counts: list[int | None] = [n for _, n in attached] or list(stated) or [t.gpus for t in found]
    if unlisted or unknown:
        counts.append(None)
    if len(found) < len(names) - len(unlisted) - len(families) and not attached and not stated:
        counts.append(0)  # a type without accelerators among them
    sure = [c for c in counts if c is not None]
    complete = len(sure) == len(counts) and bool(sure)
    if complete and max(sure) == 0 and not unlisted and not unknown:
        return NONE
    if either and from_templates and len(names) > 1:
        unknown, lost = True, either
    cause = ""
    if unlisted:
        cause = f"{', '.join(unlisted)} is not in the catalogue"
    elif families:
        cause = f"{member.block}: the service chooses the instance type from the family {', '.join(families)}"
    elif unknown:
        cause = lost or f"{member.block}: the instance type is known only after apply"
    elif not complete:
        cause = f"{member.block}: accelerators per node are known only after apply"
    return Types(
        tuple(names), tuple(found), tuple(unlisted), unknown, False,
        min(sure) if complete else None, max(sure) if complete else None, path or (member.row.type or [""])[0], cause,
    )  # fmt: skip


def _overriding(
    reader: Reader, member: Member, names: list[str], unknown: bool, path: str, lost: str
) -> tuple[list[str], bool, str, str]:
    """The types of templates that stand beside the resource's own types, added to those."""
    found: list[Member] = []
    astray = ""
    for text in member.row.overrides:
        joined = reader.join(member, text)
        found.extend(joined.members)
        if joined.mixed or joined.partial or joined.how in ("unknown", "outside"):
            astray = astray or f"{member.block}: which template {'.'.join(pointer(text).path)} means cannot be decided"
    for m in found:
        more, unsure, _ = _names(reader, m)
        names = [*names, *(n for n in more if n not in names)]
        unknown, path = unknown or unsure, path or m.via
    if astray and not found:
        return names, True, path or _template_path(reader, member), astray
    return names, unknown, path, lost


def _hidden(reader: Reader, m: Member) -> str:
    """A block that would name the type or template, unknown as a whole where the source writes none of those that could.

    One of them has to be written, so it is a `dynamic` one, which the configuration of a plan leaves out.
    """
    paths = [pointer(part.strip()).path for t in (*m.row.type, *m.row.templates) for part in t.split("+")]
    if not m.configured or any(reader.refs.configured(m.block, (*m.prefix, *p[:1])) for p in paths):
        return ""
    marks = m.body.unknown if isinstance(m.body.unknown, Mapping) else {}
    return next((p[0] for p in paths if len(p) > 1 and marks.get(p[0]) is True), "")


def _template_path(reader: Reader, m: Member) -> str:
    """Where a resource names its template; the first place where it could, if it names none."""
    paths = [pointer(t).path for t in m.row.templates]
    said = next((v.path for p in paths for v in reader.values(m, p)), "")
    return m.at + (said or ".".join(paths[0])) if paths else ""


def _names(reader: Reader, m: Member) -> tuple[list[str], bool, str]:
    names: list[str] = []
    unknown, path = False, ""
    for text in m.row.type:
        parts = [p.strip() for p in text.split("+")]
        values = [reader.values(m, p) for p in parts]
        if not values[0]:
            continue
        path = path or m.at + values[0][0].path
        if len(parts) > 1:
            joined = [v[0].value for v in values if v and isinstance(v[0].value, str)]
            if len(joined) < len(parts):
                unknown = True
            else:
                names.append("/".join(joined))
            continue
        for v in values[0]:
            if v.value is UNKNOWN:
                unknown = True
            elif isinstance(v.value, str) and v.value:
                name = v.value.rpartition("/")[2] if "://" in v.value or "/machineTypes/" in v.value else v.value
                name = re.sub(m.row.type_strip, "", name) if m.row.type_strip else name
                if name not in names:
                    names.append(name)
        if names or unknown:
            break  # the first attribute that speaks
    return names, unknown, path


def _selected(reader: Reader, m: Member) -> Types:
    """Attribute-based selection: accelerators only where it asks for them; then which is the cloud's choice."""
    if any(reader.holds(m, c) is not False for c in m.row.select):
        cause = f"{m.block}: the cloud chooses the instance type by requirements"
        return Types((), (), (), True, False, None, None, m.row.selects[0], cause)
    return NONE


def _attached(reader: Reader, m: Member) -> tuple[str, int | None] | None:
    """(type, count) of accelerators attached to a node; None where there are none."""
    for kind_path, count_path in zip(m.row.attached_type, m.row.attached_count, strict=False):
        kinds = reader.values(m, kind_path)
        counts = reader.values(m, count_path)
        if not kinds and not counts:
            continue
        kind = next((v.value for v in kinds if isinstance(v.value, str)), "")
        number = whole(counts[0].value) if counts else 1
        if number == 0:
            continue
        return kind.rpartition("/")[2], number
    return None


def _slice(cloud: Cloud, name: str) -> Accelerator | None:
    """An accelerator type that names a slice: as many chips as its numbers say, joined inside the slice."""
    for row in cloud.jobs.slices:
        match = re.fullmatch(row.types, name)
        if match is None:
            continue
        numbers = [whole(n) for n in re.findall(r"[0-9]+", match["n"])]
        if None in numbers:
            return None
        chips = math.prod(n for n in numbers if n is not None) * row.per
        record = {"accelerator": row.accelerator, "gpus_per_node": int(chips), "fabric": "ici", "source": row.source}
        return accelerator(cloud, name, {**record, "multi_node_capable": "y"})
    return None


def accelerator(cloud: Cloud, name: str, row: dict[str, Any]) -> Accelerator:
    """A row of `instances` as a record."""
    fabric = str(row.get("fabric", "unknown"))
    rdma, multi = str(row.get("gpudirect_rdma", "")), str(row.get("multi_node_capable", ""))
    gpus = row.get("gpus_per_node")
    return Accelerator(
        cloud=cloud.id,
        instance_type=name,
        accelerator=str(row.get("accelerator", "")),
        gpus=gpus if isinstance(gpus, int) else None,
        fabric=_FABRIC.get(fabric, fabric),
        fabric_gbps=float(row.get("fabric_gbps", 0) or 0),
        max_efa_interfaces=int(row.get("max_efa_interfaces", 0) or 0),
        network_cards=int(row.get("network_cards", 0) or 0),
        intra_node=str(row.get("intra_node", "")),
        gpudirect={"y": True, "n": False}.get(rdma),
        local_nvme_gb=row.get("local_nvme_gb"),
        inference_class=_INFERENCE.fullmatch(str(row.get("accelerator", "")).replace(" ", "")) is not None,
        multi_node={"y": True, "n": False}.get(multi),
        confirmed=bool(row.get("confirmed", True)),
        fabric_confirmed=bool(row.get("fabric_confirmed", True)),
        source=str(row.get("source", "")),
        memory=tuple(row.get("memory", ())),
    )
