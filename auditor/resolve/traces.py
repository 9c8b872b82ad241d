"""What an expression can stand for: attributes of resources, constants, names that the plan does not follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from auditor.model import UNKNOWN, Evidence
from auditor.resolve.addresses import is_key, key_of
from auditor.values import whole

_SPACES: Final = ("each", "count", "var", "local", "module", "path", "terraform", "self")


class Target(msgspec.Struct, frozen=True):
    """A resource or data block that an expression mentions; `key` is set where one instance is named."""

    block: str
    key: str | int | None = None
    attribute: tuple[str, ...] = ()


class Trace(msgspec.Struct, frozen=True):
    """All an expression can stand for. `unresolved` names what could not be followed (`local.x`)."""

    targets: tuple[Target, ...] = ()
    constants: tuple[Any, ...] = ()
    unresolved: tuple[str, ...] = ()
    steps: tuple[Evidence, ...] = ()
    sensitive: bool = False
    # "each" | "count" where the expression indexes with the resource's own key; "each module.a" with that module's key
    keyed: str = ""
    loose: tuple[Target, ...] = ()  # targets that stand in a map given to `for_each`: each instance means some of them
    mixed: bool = False  # an expression of several names: no one of them need be its value
    unsure: bool = False  # source computes with what it mentions: it may mean fewer of them
    picks: bool = False  # one of the names is the instance's own value or key, which may pick among the resources named

    def __add__(self, other: Trace) -> Trace:
        return Trace(
            unique(self.targets + other.targets),
            self.constants + tuple(c for c in other.constants if c not in self.constants),
            unique(self.unresolved + other.unresolved),
            unique(self.steps + other.steps),
            self.sensitive or other.sensitive,
            self.keyed or other.keyed,
            unique(self.loose + other.loose),
            self.mixed or other.mixed,
            self.unsure or other.unsure,
            self.picks or other.picks,
        )

    @property
    def exact(self) -> Any:
        """The one constant this stands for, or None."""
        if len(self.constants) == 1 and not self.targets and not self.unresolved and not self.mixed:
            return self.constants[0]
        return None


def unique(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(items))


def mentioned(references: Iterable[str], chains: bool) -> tuple[list[str], list[str]]:
    """What an expression mentions: the longest names, and resources that it mentions as a whole beside one instance.

    chains: `a.b["k"].id` is followed by its own beginnings (`a.b["k"]`, `a.b`), as Terraform lists it. A beginning that
    stands there once more was mentioned by itself: `concat([a.b["k"].id], [for x in a.b : x.id])`.
    """
    heads: list[str] = []
    last = ""
    for r in references:
        if not (chains and len(r) < len(last) and last.startswith(r) and last[len(r)] in ".["):
            heads.append(r)
        last = r
    heads = list(dict.fromkeys(heads))
    names = [r for r in heads if not any(o != r and o.startswith(r) and o[len(r)] in ".[" for o in heads)]
    shorter = (h for h in heads if h not in names and h.partition(".")[0] not in _SPACES)
    return names, [h for h in shorter if any(n.startswith(f"{h}[") for n in names)]


def indexed(trace: Trace, steps: list[str | int]) -> Trace:
    """`module.vpc.subnet_ids[0]` of an output over a whole block means one instance of it, where the block has such a key."""
    key = key_of(steps[0]) if steps and is_key(steps[0]) else None
    if key is None or len(trace.targets) != 1 or trace.targets[0].key is not None or trace.constants:
        return trace
    found = (replace(trace.targets[0], key=key),)
    return replace(trace, targets=found, loose=found if trace.loose else ())


def picked(trace: Trace, rest: tuple[str | int, ...]) -> Trace:
    """`var.subnet_ids[0]` of an argument made of one whole block means one instance of it; of several names, one of theirs."""
    if not rest or not is_key(rest[0]) or not trace.targets or trace.constants:
        return trace
    whole = tuple(str(key_of(s)) if is_key(s) else str(s) for s in rest)
    if len(trace.targets) > 1 or trace.targets[0].key is not None or trace.targets[0].attribute != whole:
        return replace(trace, loose=trace.targets)
    return replace(trace, targets=(replace(trace.targets[0], key=key_of(rest[0]), attribute=whole[1:]),), loose=())


def constant_trace(value: Any, name: str) -> Trace:
    if value is None or value is UNKNOWN:
        return Trace(unresolved=(name,))
    return Trace(constants=tuple(value) if isinstance(value, list) else (value,))


def descend(value: Any, rest: Iterable[str | int]) -> Any:
    for step in rest:
        name = key_of(step) if is_key(step) else step
        if isinstance(value, Mapping):
            value = value.get(str(name))
        elif isinstance(value, list) and (at := whole(str(name))) is not None and at < len(value):
            value = value[at]
        else:
            return None
    return value
