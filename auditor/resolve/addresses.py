"""References and addresses taken apart: steps, instance keys, modules."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

_STEP: Final = re.compile(r'([^.\[\]]+)|\[("(?:[^"\\]|\\.)*"|\d+)\]')


def steps_of(reference: str) -> list[str | int]:
    """`module.a["x"].out[0]` -> ["module", "a", KEY, ...]; keys are kept as `("x",)`-style markers."""
    out: list[str | int] = []
    for name, key in _STEP.findall(reference):
        if name:
            out.append(name)
        elif key.startswith('"'):
            out.append("[" + key[1:-1].replace('\\"', '"').replace("\\\\", "\\"))
        else:
            out.append(int(key[:15]))
    return out


def is_key(step: str | int) -> bool:
    return isinstance(step, int) or step.startswith("[")


def key_of(step: str | int) -> str | int:
    return step if isinstance(step, int) else step[1:]


def last_key(address: str) -> str | int | None:
    """The instance key at the end of an address."""
    steps = steps_of(address)
    return key_of(steps[-1]) if steps and is_key(steps[-1]) else None


@lru_cache(maxsize=4096)
def call_key(module_address: str, call: str) -> str | int | None:
    """The instance key of a module call in the address of one of its instances; None where it has none."""
    wanted = [name for name, _ in _module_steps(call)]
    steps = _module_steps(module_address)[: len(wanted)]
    if [name for name, _ in steps] != wanted or not steps or not steps[-1][1]:
        return None
    key = steps[-1][1]
    try:
        return msgspec.json.decode(key, type=str) if key.startswith('"') else int(key)
    except (msgspec.DecodeError, ValueError):  # no key that Terraform writes
        return None


def module_of(block: str) -> str:
    """`module.a.module.b.t.n` -> `module.a.module.b`."""
    parts = block.split(".")
    depth = 0
    while depth + 1 < len(parts) and parts[depth] == "module":
        depth += 2
    return ".".join(parts[:depth])


def same_module_instance(mine: str, theirs: str) -> bool:
    """Whether the module steps that two addresses share have the same instance keys."""
    a, b = _module_steps(mine), _module_steps(theirs)
    for (name_a, key_a), (name_b, key_b) in zip(a, b, strict=False):
        if name_a != name_b:
            return True
        if key_a != key_b:
            return False
    return True


@lru_cache(maxsize=4096)
def _module_steps(address: str) -> list[tuple[str, str]]:
    steps: list[tuple[str, str]] = []
    for name, key in _STEP.findall(address):
        if name and name != "module":
            steps.append((name, ""))
        elif key and steps:
            steps[-1] = (steps[-1][0], key)
    return steps
