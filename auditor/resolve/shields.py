"""What a fabric needs besides its switch: security groups open to themselves, agents, a network in the right zone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from auditor.jobfacts import pointer
from auditor.model import Said
from auditor.resolve.attachments import Attachments
from auditor.resolve.members import Member, Reader


def unshielded(
    reader: Reader, chain: Sequence[Member], roots: Mapping[str, str], attachments: Attachments, zones: Sequence[str]
) -> list[Said]:
    """What is missing, or not known; empty where everything needed is seen. verdict True: only worth a note."""
    found = _groups(reader, chain, roots, attachments)
    for m in chain:
        for need in m.row.prerequisites:
            verdicts = [reader.holds(m, t) for t in need.holds]
            if True in verdicts:
                continue
            root = roots.get(m.resource.address, need.path)
            if None in verdicts:
                found.append(Said(None, root, need.want, m.block, f"{m.block}: {need.path} is known only after apply"))
            else:
                lenient = any(reader.holds(m, t) is True for t in need.note)
                found.append(Said(lenient, root, f"{m.block}: no {need.want}", m.block))
        if m.row.fabric_zone and zones:
            for value in reader.known(m, m.row.fabric_zone):
                hit = re.search(m.row.fabric_zone_pattern, str(value))
                if hit is not None and hit[1] not in zones:
                    seen = f"{m.block}: {m.row.fabric_zone} is of zone {hit[1]}, the nodes are in {', '.join(zones)}"
                    found.append(Said(False, roots.get(m.resource.address, m.row.fabric_zone), seen, m.block))
    return found


def _groups(
    reader: Reader, chain: Sequence[Member], roots: Mapping[str, str], attachments: Attachments
) -> list[Said]:
    """One security group of the interfaces must let its members talk to each other, in every direction."""
    asked = [m for m in chain if m.row.security]
    if not asked:
        return []
    groups: dict[str, Member] = {}
    cause = path = ""
    for m in asked:
        for text in m.row.security:
            joined = reader.join(m, text)
            if joined.how == "absent":
                continue
            path = path or roots.get(m.resource.address, joined.path)
            for g in joined.members:
                groups[g.resource.address] = g
            if joined.how == "unknown" and (one := _alike(reader, text, attachments)) is not None:
                groups[one.resource.address] = one
            elif joined.how == "unknown" or joined.mixed:
                cause = cause or f"which security groups {m.block} names cannot be followed in the plan"
            elif joined.partial or joined.how != "found":
                cause = cause or f"a security group of {m.block} is not in the plan"
            break  # the first attribute that speaks: an override, then what it overrides
    if not groups and not cause and chain[0].row.fabric is not None and chain[0].row.fabric.mode == "managed":
        return []  # without groups of one's own the service joins the nodes in a network of its own
    if not groups and not cause:
        cause = f"{asked[0].block} names no security group: a default group applies, whose rules are not in the plan"
    lacking: list[str] = []
    for g in groups.values():
        if g.resource.is_data:
            cause = cause or f"{g.block} is not managed in this plan"
            continue
        verdicts = {direction: _open(reader, g, direction, attachments) for direction in g.row.open_to_self}
        if all(v is True for v in verdicts.values()):
            return []
        if None in verdicts.values() and False not in verdicts.values():
            cause = cause or f"the rules of {g.block} are known only after apply"
        lacking += [f"{g.block}: no all-protocol {d} to itself" for d, v in verdicts.items() if v is False]
    if cause:
        return [Said(None, path, "", "", cause)]
    return [Said(False, path, "; ".join(dict.fromkeys(lacking)))]


def _alike(reader: Reader, text: str, attachments: Attachments) -> Member | None:
    """Any group of the plan, where all of them answer alike: an id that is not known yet is the id of one of them.

    A `dynamic` block hides which. None where they differ, or where one may be looked up during apply.
    """
    if reader.plan.kind == "hcl":
        return None  # not known there may be a variable without a value: any group of any account
    found = reader.every(pointer(text).types)
    if not found or any(g.resource.is_data for g in found):
        return None
    answers = {tuple(_open(reader, g, d, attachments) for d in g.row.open_to_self) for g in found}
    verdicts = {None if None in a else all(a) for a in answers}
    return found[0] if len(verdicts) == 1 and None not in verdicts else None


def _open(reader: Reader, group: Member, direction: str, attachments: Attachments) -> bool | None:
    """Whether a group, or a rule attached to it, allows all traffic between its members in one direction."""
    verdicts: list[bool | None] = []
    for m in (group, *attachments.of(group.resource)):
        verdicts += [reader.holds(m, t) for t in m.row.open_to_self.get(direction, ())]
    return True if True in verdicts else (None if None in verdicts else False)
