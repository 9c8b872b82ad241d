"""Faults for input that hypothesis and the fuzzer draw: in a JSON tree, and in bytes."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

# What may stand where another type belongs. Numbers beyond 64 bits and non-characters are JSON, too.
ODD: list[Any] = [
    None, True, False, 0, -1, 2**70, 1.5e300, "", "x", "\u0000", "\ud83d\ude00", "a" * 5000, "[", "${x}", "module.", [],
    {}, [None], [[]], {"": None}, {"a": {"b": [1]}}, ["eu-central-1", None], [{}], "unknown", "eu-west-1", "us-east-1",
]  # fmt: skip


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from spots(inner)


def mutate(tree: Any, rnd: random.Random) -> Any:
    """A copy with one to four faults. Half of them near the root, where the readers are."""
    tree = copy.deepcopy(tree)
    for _ in range(rnd.randint(1, 4)):
        root = tree
        if rnd.random() < 0.7 and isinstance(tree, dict):
            part = rnd.choice([*tree, "configuration", "prior_state", "resource_changes"])
            root = tree.get(part)
        places = list(spots(root if isinstance(root, dict | list) and root else tree))
        if not places:
            return tree
        holder, key = rnd.choice(places)
        try:
            holder[key]
        except (KeyError, IndexError, TypeError):
            continue
        fault = rnd.randrange(9)
        if fault == 0:
            del holder[key]
        elif fault in (1, 2, 3):
            holder[key] = copy.deepcopy(rnd.choice(ODD))
        elif fault == 4:
            holder[key] = [holder[key]]
        elif fault == 5:
            holder[key] = {"x": holder[key]}
        elif fault == 6 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif fault == 7 and isinstance(holder, dict):
            holder[str(rnd.choice(ODD))] = holder.pop(key)
        else:  # another subtree in its place
            holder[key] = copy.deepcopy(rnd.choice(places)[0])
    return tree


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path without indexes, container, key) of every spot of a tree."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            at = (*path, key if isinstance(value, dict) else "*")
            yield at, value, key
            yield from _paths(inner, at)


def retype(plan: Any, rnd: random.Random) -> Any:
    """A copy in which up to twelve attributes hold another type in every resource of theirs; also ones that were unknown.

    Single faults are caught early by the readers; what crashes is two odd values that meet, in a plan otherwise whole.
    """
    plan = copy.deepcopy(plan)
    spots: dict[tuple[str, ...], list[tuple[Any, Any]]] = {}
    for r in plan.get("resource_changes") or ():
        change = r["change"]
        if not isinstance(change.get("after"), dict):
            continue
        unknown = change.get("after_unknown")
        for key in unknown if isinstance(unknown, dict) else ():
            spots.setdefault((r["type"], "known", key), []).append((change["after"], key))
        for part in ("after", "after_unknown"):
            for path, holder, key in _paths(change.get(part)):
                spots.setdefault((r["type"], part, *path), []).append((holder, key))
    for path, holder, key in _paths(plan.get("configuration")):
        spots.setdefault(path, []).append((holder, key))
    for path in rnd.sample(list(spots), min(len(spots), rnd.randint(1, 12))):
        for holder, key in spots[path]:
            holder[key] = copy.deepcopy(rnd.choice(ODD))
    return plan


def bytes_fault(data: bytes, rnd: random.Random) -> bytes:
    """Cut off, bits turned, a piece repeated, removed or moved."""
    at = rnd.randrange(len(data) or 1)
    end = min(len(data), at + rnd.randint(1, 200))
    match rnd.randrange(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([rnd.randrange(256)]) + data[at + 1 :]
        case 2:
            return data[:at] + data[end:]
        case 3:
            return data[:end] + data[at:]
        case 4:
            return data[at:end] + data
        case _:
            return data[:at] + rnd.choice([b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"{", b"]", b'"', b"\\u", b"\r"]) + data[at:]
