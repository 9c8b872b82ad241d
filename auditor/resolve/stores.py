"""Data that would come to rest: stores of a plan with their expiry, and volumes that outlive the node they serve."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from auditor.facts import StoreFact, VolumeFact, split_path
from auditor.model import UNKNOWN, Action, Plan, Resource, block_address
from auditor.resolve.references import References
from auditor.values import Body, decode_after

CATEGORIES: Final[Mapping[str, str]] = {
    "object_storage": "bucket", "disk": "disk", "database": "database", "backup": "snapshot or backup",
}  # fmt: skip


class Store(msgspec.Struct, frozen=True, gc=False):
    """A store that the plan keeps. days: when all its contents surely expire, None never; not `known`: perhaps earlier."""

    address: str
    cloud: str
    kind: str
    path: str = ""
    days: float | None = None
    known: bool = True


class Volume(msgspec.Struct, frozen=True, gc=False):
    """A data volume of a node (or snapshots of one). nodes: blocks it serves; survives is None where that is not known."""

    address: str
    path: str
    nodes: tuple[str, ...]
    survives: bool | None = True
    what: str = "a data volume"


def store_of(
    r: Resource, cloud: str, category: str, table: Mapping[str, Sequence[StoreFact]], refs: References
) -> Store | None:
    """The store that an instance is; None where it is none, or the disk that a node boots from.

    category: the curated class of the type, "" where there is none.
    """
    facts = table.get(r.type, ())
    kind = facts[0].store if facts else CATEGORIES.get(category, "")
    if not kind or r.is_data or any(_boots(r, fact, refs) for fact in facts):
        return None
    found = [(*_expiry(r, fact, refs), fact) for fact in facts if fact.expiry]
    if not found:
        return Store(r.address, cloud, kind)
    # Several places may hold rules: the earliest expiry counts, else what may yet hold one, else the first row's.
    days, _, fact = min(found, key=lambda f: (f[0] is None, f[0] or 0, f[1]))
    shown = f"{fact.rules}.{fact.expiry[0]}"
    path = f"{fact.by.partition('=')[0]}: {shown}" if fact.by else shown
    return Store(r.address, cloud, kind, path, days, all(known for _, known, _ in found))


def _expiry(r: Resource, fact: StoreFact, refs: References) -> tuple[float | None, bool]:
    """(days after which everything is gone, whether nothing may make it less): the earliest rule that covers all of it."""
    sure: list[float] = []
    known = True
    for body in _ruled_by(r, fact, refs):
        unset = fact.computed and not refs.configured(block_address(r), split_path(fact.rules))
        if not unset and any(v.value is UNKNOWN for v in body.get(split_path(fact.rules))):
            known = False
        for rule, values in _by_rule(body, fact, fact.expiry).items():
            days = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and v > 0]
            covers = _covers(body, fact, rule)
            if covers is True and days:
                sure.append(min(days))
            if covers is not False and not unset and (UNKNOWN in values or (covers is None and days)):
                known = False
    return min(sure, default=None), known


def _ruled_by(r: Resource, fact: StoreFact, refs: References) -> Iterator[Any]:
    """Bodies that hold the rules: the store's own, or those of the resources that refer to it."""
    if not fact.by:
        yield decode_after(r)
        return
    type_, _, path = fact.by.partition("=")
    mine = block_address(r)
    wanted = {mine}
    for attribute in fact.through:
        wanted |= {t.block for t in refs.trace(mine, split_path(attribute)).targets}
    own = decode_after(r).first(path)
    for other in refs.plan.resources:
        if other.type != type_ or other.is_data or other.deposed or other.action in (Action.DELETE, Action.FORGET):
            continue
        body = decode_after(other)
        targets = {t.block for t in refs.trace(block_address(other), split_path(path)).targets}
        if targets & wanted or (isinstance(own, str) and own and body.first(path) == own):
            yield body


def _by_rule(body: Any, fact: StoreFact, paths: Sequence[str]) -> dict[str, list[Any]]:
    """Values under the paths, by the rule they stand in (`rule[0]`)."""
    depth = len(split_path(fact.rules))
    found: dict[str, list[Any]] = {}
    for path in paths:
        for v in body.get(split_path(f"{fact.rules}.{path}")):
            found.setdefault(".".join(v.path.split(".")[:depth]), []).append(v.value)
    return found


def _covers(body: Any, fact: StoreFact, rule: str) -> bool | None:
    """Whether a rule is in force for all contents; None where that is not known."""
    answers: list[bool | None] = [True]
    if fact.enabled:
        path, _, pattern = fact.enabled.partition("=")
        states = _by_rule(body, fact, (path,)).get(rule, [])
        answers += [None if s is UNKNOWN else re.search(pattern, str(s).lower()) is not None for s in states]
    for condition in fact.partial:
        path, _, pattern = condition.partition("=")
        for value in _by_rule(body, fact, (path,)).get(rule, []):
            if value is UNKNOWN:
                answers.append(None)
            elif value not in (None, "", 0, False, [], {}) and re.search(pattern, str(value)):
                answers.append(False)
    return False if False in answers else None if None in answers else True


def _boots(r: Resource, fact: StoreFact, refs: References) -> bool:
    """Whether a node of the plan names the disk as the one it boots from."""
    node, _, path = fact.boot.partition("=")
    if not node:
        return False
    mine = block_address(r)
    return any(
        any(t.block.endswith(mine) or t.block == mine for t in refs.trace(block, split_path(path)).targets)
        for block, config in refs.plan.blocks.items()
        if config.type == node
    )


def volumes(plan: Plan, table: Mapping[str, Sequence[VolumeFact]], refs: References) -> Iterator[Volume]:
    """Data volumes of the plan's nodes and templates that outlive them, or may."""
    for r in plan.resources:
        rows = table.get(r.type)
        if rows is None or r.is_data or r.deposed or r.action in (Action.DELETE, Action.FORGET):
            continue
        body = decode_after(r)
        block = block_address(r)
        for row in rows:
            if not _counts(body, row):
                continue
            if row.tagged:
                yield from _chosen(r, body, row, plan)
                continue
            nodes: tuple[str, ...] = (block,)
            if row.node:
                nodes = tuple(t.block for t in refs.trace(block, split_path(row.node)).targets)
            for path, survives in _found(body, row):
                yield Volume(r.address, path, nodes, survives, row.what or "a data volume")


def _found(body: Any, row: VolumeFact) -> Iterator[tuple[str, bool | None]]:
    for v in body.get(split_path(row.path)):
        if row.survives == ".":  # naming it is enough: a volume of its own is never part of the node
            yield v.path, True
        elif v.value is UNKNOWN:
            yield v.path, None
        elif re.search(row.survives, str(v.value).lower()):
            yield v.path, True


def _counts(body: Body, row: VolumeFact) -> bool:
    """Whether the row's conditions hold; a value that is not known cannot take a row out."""
    for condition, wanted in ((row.when, True), (row.unless, False)):
        path, _, pattern = condition.partition("=")
        values = [v.value for v in body.get(split_path(path))] if condition else []
        met = any(isinstance(v, str) and re.search(pattern, v) for v in values)
        if condition and met is not wanted and not (wanted and UNKNOWN in values):
            return False
    return True


def _chosen(r: Resource, body: Body, row: VolumeFact, plan: Plan) -> Iterator[Volume]:
    """What a schedule keeps of the resources that carry any of its tags."""
    wanted: list[tuple[Any, Any]] = []
    found = [[v.value for v in body.get(split_path(path))] for path in row.tagged]
    if len(found) == 1:
        wanted = [pair for value in found[0] if isinstance(value, dict) for pair in value.items()]
    elif len(found[0]) == len(found[1]):
        wanted = list(zip(found[0], found[1], strict=True))
    unknown = any(value is UNKNOWN for values in found for value in values)
    for holder in row.holders:
        type_, _, path = holder.partition("=")
        for other in plan.resources:
            if other.type != type_ or other.is_data or other.deposed or other.action in (Action.DELETE, Action.FORGET):
                continue
            answers = {_carries(v.value, wanted) for v in decode_after(other).get(split_path(path))}
            if True in answers or None in answers or (unknown and answers):
                survives = True if True in answers else None
                yield Volume(r.address, row.path, (block_address(other),), survives, row.what or "a data volume")


def _carries(tags: Any, wanted: Sequence[tuple[Any, Any]]) -> bool | None:
    """Whether tags hold any of the pairs; None where that is known only after apply."""
    if tags is UNKNOWN:
        return None if wanted else False
    return isinstance(tags, dict) and any(key in tags and tags[key] == value for key, value in wanted)


def mentioned(block: str, refs: References) -> frozenset[str]:
    """Blocks that a block refers to anywhere: a fleet and the template it starts from."""
    config = refs.plan.blocks.get(block)
    if config is None:
        return frozenset()
    module = block[: -len(config.address)].rstrip(".") if block.endswith(config.address) else ""
    return frozenset(t.block for node in config.expressions.values() for t in refs.follow(module, node, block).targets)
