"""What belongs to a node: the resource that sizes it, what is attached to it, its templates and parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from auditor.jobfacts import pointer
from auditor.model import Resource
from auditor.resolve.attachments import GONE, Attachments
from auditor.resolve.fabric import holds
from auditor.resolve.members import Member, Reader
from auditor.values import projection_of

SIZING: Final = ("instance", "fleet", "karpenter")


def sizing_of(reader: Reader, group: list[Resource]) -> list[Resource]:
    """The instances of a block that size nodes and may hold accelerators. Cheap for everything else."""
    first = group[0]
    held = reader.rows(first)
    if held is None or first.is_data or all(row.kind not in SIZING for row in held[1]):
        return []
    cloud, rows = held
    alive = [r for r in group if r.action not in GONE and not r.deposed]
    if all(row.when for row in rows if row.kind in SIZING):
        alive = [r for r in alive if reader.may_be(r, SIZING)]
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


def chain_of(
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


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """True if any is; None if any is unknown; False if all are known to be false; None where nothing was asked."""
    found = list(verdicts)
    if True in found:
        return True
    return None if None in found or not found else False
