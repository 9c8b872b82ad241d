"""Data that would come to rest: stores of a plan with their expiry, and volumes that outlive the node they serve."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from auditor.facts import StoreFact, VolumeFact, split_path
from auditor.model import UNKNOWN, Action, Plan, Resource, block_address
from auditor.resolve.references import References
from auditor.values import decode_after

CATEGORIES: Final[Mapping[str, str]] = {
    "object_storage": "bucket", "disk": "disk", "database": "database", "backup": "snapshot or backup",
}  # fmt: skip


class Store(msgspec.Struct, frozen=True, gc=False):
    """A store that the plan keeps. days: when its contents expire, None never; `known` is false where that is open."""

    address: str
    cloud: str
    kind: str
    path: str = ""
    days: float | None = None
    known: bool = True


class Volume(msgspec.Struct, frozen=True, gc=False):
    """A data volume of a node. nodes: block addresses it serves; survives is None where the flag is not known."""

    address: str
    path: str
    nodes: tuple[str, ...]
    survives: bool | None = True


def store_of(
    r: Resource, cloud: str, category: str, table: Mapping[str, StoreFact], refs: References
) -> Store | None:
    """The store that an instance is; None where it is none, or the disk that a node boots from.

    category: the curated class of the type, "" where there is none.
    """
    fact = table.get(r.type)
    kind = fact.store if fact is not None else CATEGORIES.get(category, "")
    if not kind or r.is_data or (fact is not None and _boots(r, fact, refs)):
        return None
    if fact is None or not fact.expiry:
        return Store(r.address, cloud, kind)
    values = [v.value for v in decode_after(r).get(split_path(fact.expiry))]
    if any(v is UNKNOWN for v in values):
        return Store(r.address, cloud, kind, fact.expiry, known=False)
    days = [float(v) for v in values if isinstance(v, (int, float)) and v > 0]
    return Store(r.address, cloud, kind, fact.expiry, max(days) if days else None)


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
            nodes: tuple[str, ...] = (block,)
            if row.node:
                nodes = tuple(t.block for t in refs.trace(block, split_path(row.node)).targets)
            for path, survives in _found(body, row):
                yield Volume(r.address, path, nodes, survives)


def _found(body: Any, row: VolumeFact) -> Iterator[tuple[str, bool | None]]:
    for v in body.get(split_path(row.path)):
        if row.survives == ".":  # naming it is enough: a volume of its own is never part of the node
            yield v.path, True
        elif v.value is UNKNOWN:
            yield v.path, None
        elif re.search(row.survives, str(v.value).lower()):
            yield v.path, True


def mentioned(block: str, refs: References) -> frozenset[str]:
    """Blocks that a block refers to anywhere: a fleet and the template it starts from."""
    config = refs.plan.blocks.get(block)
    if config is None:
        return frozenset()
    module = block[: -len(config.address)].rstrip(".") if block.endswith(config.address) else ""
    return frozenset(t.block for node in config.expressions.values() for t in refs.follow(module, node, block).targets)
