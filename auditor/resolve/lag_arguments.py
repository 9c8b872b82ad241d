"""Which of the arguments and values that only newer versions know a block uses, as far as its plan tells.

Only what the version in force may lack is asked about: with a recent lock file nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from auditor.lagfacts import Shard, Support
from auditor.laguse import InForce
from auditor.model import UNKNOWN, Action, Plan, Resource
from auditor.resolve.references import References
from auditor.values import Body, projection_of

Used = Literal["yes", "no", "unsure"]
_FRESH: Final = (Action.CREATE, Action.REPLACE)
_EMPTY: Final[tuple[Any, ...]] = (None, False, "", 0, [], {})
BodyOf = Callable[[Resource, Iterable[str]], Body]


def gates(type_: str, kind: str, shard: Shard | None, force: InForce | None) -> list[tuple[str, Support]]:
    """The arguments of a type that the version in force may not hold yet."""
    if shard is None or force is None:
        return []
    rows = shard.arguments(type_, kind)
    if not rows:
        return []
    oldest = force.locked or (None if force.malformed or force.conflict or not force.constraint else force.lowest)
    if oldest is None:
        return []
    return [(name, support) for name, support in rows.items() if support.parsed > oldest]


def arguments_in_use(
    block: str, resources: list[Resource], asked: list[tuple[str, Support]], body: BodyOf, refs: References, plan: Plan
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(those in use, those that may be: what decides it is known only after apply).

    A state does not tell what was written from what was computed: nothing is asked of it.
    """
    if plan.kind == "state":
        return (), ()
    used: list[str] = []
    unsure: list[str] = []
    if asked and len(resources) > 1:  # instances that hold the same of what is asked for give the same answers
        projection = projection_of(frozenset(name.partition("=")[0].partition(".")[0] for name, _ in asked))
        resources = list({(r.action in _FRESH, projection.key(r)): r for r in resources}.values())
    for name, support in asked:
        answer = _in_use(name, support.written, block, resources, body, refs, plan)
        if answer != "no":
            (used if answer == "yes" else unsure).append(name)
    return tuple(used), tuple(unsure)


def _in_use(
    gate: str, only_written: bool, block: str, resources: list[Resource], body: BodyOf, refs: References, plan: Plan
) -> Used:
    """Whether an instance sets the argument, or gives it the value: null, an absent block and what only the provider
    fills in are no use; `false` and an empty block are.

    `dynamic` blocks are not in the configuration. What stands in the plan of an argument that the provider never fills
    in by itself (`only_written`) was written in any case; of the others, what a fresh instance holds though nothing
    that can be seen writes it was written in a `dynamic` block.
    """
    name, _, wanted = gate.partition("=")
    path = tuple(name.split("."))
    written = refs.configured(block, path)
    unseen = block not in plan.blocks or not refs.configured(block, path[:1])
    nested = len(path) > 1 or block not in plan.blocks
    answer: Used = "no"
    for resource in resources:
        fresh = resource.action in _FRESH
        for found in body(resource, (path[0],)).get(path):
            value: Any = found.value
            if value is UNKNOWN:
                if written and refs.wrote_null(block, path):
                    continue
                if written and not wanted:
                    return "yes"
                if written or (only_written and unseen):
                    answer = "unsure"
            elif wanted:
                if isinstance(value, str) and value.lower() == wanted.lower():
                    return "yes"
            elif written or (only_written and (value not in _EMPTY or value == {})):  # noqa: SIM114 (two reasons, not one)
                return "yes"
            elif value not in _EMPTY and unseen and fresh and (nested or isinstance(value, dict)):
                return "yes"
    return answer
