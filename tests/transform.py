"""Plans rewritten into plans that mean the same: nested in a module, counted by key, split by what belongs together."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

Plan = dict[str, Any]
WRAP = "module.wrap"
_NUMBER = re.compile(r"\[(\d+)\]")
_ADDRESS_KEYS = ("address", "module_address", "previous_address")


def _modules(values: Any) -> Iterator[dict[str, Any]]:
    if isinstance(values, dict) and isinstance(values.get("root_module"), dict):
        queue = [values["root_module"]]
        for module in queue:
            yield module
            queue.extend(module.get("child_modules", ()))


def _holders(plan: Plan) -> Iterator[dict[str, Any]]:
    """The parts of a plan that hold values by address."""
    for values in (plan.get("planned_values"), (plan.get("prior_state") or {}).get("values")):
        if isinstance(values, dict):
            yield values


def readdress(plan: Plan, new: Callable[[str], str]) -> None:
    """Every address of an object written anew, in place. Addresses in the configuration are relative and stay."""
    for key in ("resource_changes", "resource_drift"):
        for r in plan.get(key, ()):
            for name in _ADDRESS_KEYS:
                if r.get(name):
                    r[name] = new(r[name])
    for values in _holders(plan):
        for module in _modules(values):
            if module.get("address"):
                module["address"] = new(module["address"])
            for r in module.get("resources", ()):
                r["address"] = new(r["address"])
                if r.get("depends_on"):
                    r["depends_on"] = [new(d) for d in r["depends_on"]]


def wrapped(plan: Plan, *, providers_too: bool) -> Plan:
    """The same configuration called as one module of a new root. Its provider blocks stay in the root, or move along."""
    plan = copy.deepcopy(plan)
    readdress(plan, lambda address: f"{WRAP}.{address}")
    for key in ("resource_changes", "resource_drift"):
        for r in plan.get(key, ()):
            r.setdefault("module_address", WRAP)
    for values in _holders(plan):
        root = values.get("root_module") or {}
        if root:
            values["root_module"] = {"child_modules": [{"address": WRAP, **root}]}
    configuration = plan["configuration"]
    inner = configuration["root_module"]
    variables = inner.get("variables", {})
    call = {
        "source": "./wrap", "module": inner,
        "expressions": {name: {"references": [f"var.{name}"]} for name in variables},
    }  # fmt: skip
    configuration["root_module"] = {"module_calls": {"wrap": call}, "variables": copy.deepcopy(variables)}

    def key_of(key: str) -> str:
        module, _, name = key.rpartition(":")
        if module:
            return f"{WRAP}.{module}:{name}"
        return f"{WRAP}:{name}" if providers_too else name

    made = {}
    for key, block in configuration.get("provider_config", {}).items():
        if block.get("module_address"):
            block["module_address"] = f"{WRAP}.{block['module_address']}"
        elif providers_too:
            block["module_address"] = WRAP
        made[key_of(key)] = block
    configuration["provider_config"] = made
    queue = [inner]
    for module in queue:
        for block in module.get("resources", ()):
            if block.get("provider_config_key"):
                block["provider_config_key"] = key_of(block["provider_config_key"])
        queue.extend(c["module"] for c in module.get("module_calls", {}).values() if c.get("module"))
    return plan


def self_contained(plan: Plan) -> bool:
    """Whether the root's provider blocks mention nothing but variables, and so may stand outside the wrapper."""
    blocks = plan["configuration"].get("provider_config", {}).values()
    return all(
        str(r).startswith("var.") for b in blocks if not b.get("module_address") for r in _references(b.get("expressions"))
    )


def _references(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "references" and isinstance(value, list):
                yield from value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def keyed(address: str) -> str:
    """`a.b[0]` as `a.b["0"]`."""
    return _NUMBER.sub(r'["\1"]', address)


def by_key(plan: Plan) -> Plan:
    """Every `count` of resources and modules as a `for_each` over the same numbers, written as text."""
    plan = copy.deepcopy(plan)
    readdress(plan, keyed)
    for r in _objects(plan):
        if isinstance(r.get("index"), int):
            r["index"] = str(r["index"])
    queue = [plan["configuration"]["root_module"]]
    for module in queue:
        for block in [*module.get("resources", ()), *module.get("module_calls", {}).values()]:
            if "count_expression" in block:
                block["for_each_expression"] = block.pop("count_expression")
        queue.extend(c["module"] for c in module.get("module_calls", {}).values() if c.get("module"))
    _retold(plan["configuration"])
    return plan


def _objects(plan: Plan) -> Iterator[dict[str, Any]]:
    for key in ("resource_changes", "resource_drift"):
        yield from plan.get(key, ())
    for values in _holders(plan):
        for module in _modules(values):
            yield from module.get("resources", ())


def _retold(node: Any) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "references" and isinstance(value, list):
                node[key] = [_instance_key(r) if isinstance(r, str) else r for r in value]
            else:
                _retold(value)
    elif isinstance(node, list):
        for value in node:
            _retold(value)


def _instance_key(reference: str) -> str:
    """A number directly behind a block's name is an instance; further on it is an element of a list."""
    if reference == "count.index":
        return "each.key"
    parts = 3 if reference.startswith("data.") else 2
    return re.sub(rf"^((?:[\w-]+\.){{{parts - 1}}}[\w-]+)\[(\d+)\]", r'\1["\2"]', reference)


def shuffled(plan: Plan, seed: int) -> Plan:
    """Everything whose order means nothing in another order."""
    plan = copy.deepcopy(plan)
    rnd = random.Random(seed)
    for key in ("resource_changes", "resource_drift"):
        if plan.get(key):
            rnd.shuffle(plan[key])
    for values in _holders(plan):
        for module in _modules(values):
            rnd.shuffle(module.get("resources", []))
            rnd.shuffle(module.get("child_modules", []))
    configuration = plan["configuration"]
    configuration["provider_config"] = _stirred(configuration.get("provider_config", {}), rnd)
    queue = [configuration["root_module"]]
    for module in queue:
        rnd.shuffle(module.get("resources", []))
        for key in ("module_calls", "variables", "outputs"):
            if module.get(key):
                module[key] = _stirred(module[key], rnd)
        queue.extend(c["module"] for c in module.get("module_calls", {}).values() if c.get("module"))
    return plan


def _stirred(mapping: dict[str, Any], rnd: random.Random) -> dict[str, Any]:
    items = list(mapping.items())
    rnd.shuffle(items)
    return dict(items)


def parts(plan: Plan) -> list[set[str]]:
    """Root names (`aws_vpc.a`, `module.b`) grouped by what mentions what."""
    root = plan["configuration"]["root_module"]
    group: dict[str, str] = {}

    def find(name: str) -> str:
        while group.setdefault(name, name) != name:
            name = group[name]
        return name

    entries = {b["address"]: b for b in root.get("resources", ())}
    entries |= {f"module.{n}": {k: v for k, v in c.items() if k != "module"} for n, c in root.get("module_calls", {}).items()}
    provided = {k: list(_references(b)) for k, b in plan["configuration"].get("provider_config", {}).items()}
    for name, block in entries.items():
        find(name)
        named = [*_references(block), *block.get("depends_on", ()), *_through(name, block, root, provided)]
        for reference in named:
            for other in entries:
                if reference == other or str(reference).startswith((other + ".", other + "[")):
                    group[find(name)] = find(other)
    made: dict[str, set[str]] = {}
    for name in entries:
        made.setdefault(find(name), set()).add(name)
    return list(made.values())


def _through(name: str, block: dict[str, Any], root: dict[str, Any], provided: dict[str, list[Any]]) -> Iterator[Any]:
    """What the provider blocks mention that a resource, or a resource of a module, is made with."""
    queue = [root["module_calls"][name.removeprefix("module.")].get("module", {})] if name.startswith("module.") else []
    blocks = [block]
    for module in queue:
        blocks += module.get("resources", ())
        queue.extend(c.get("module", {}) for c in module.get("module_calls", {}).values())
    for key in {b.get("provider_config_key", "") for b in blocks}:
        yield from provided.get(key, ())


def root_name(address: str) -> str:
    """The name in the root module that an address lies under."""
    found = re.match(r"(?:module\.[\w-]+|data\.[\w-]+\.[\w-]+|[\w-]+\.[\w-]+)", address)
    return found.group(0) if found else address


def halves(plan: Plan) -> tuple[Plan, Plan]:
    """Two plans: what belongs together stays together, and no configuration of the other half is left."""
    first = set().union(*parts(plan)[::2])
    made = []
    for keep in (lambda name: name in first, lambda name: name not in first):
        half = copy.deepcopy(plan)
        for key in ("resource_changes", "resource_drift"):
            half[key] = [r for r in half.get(key, ()) if keep(root_name(r["address"]))]
        for values in _holders(half):
            root = values.get("root_module") or {}
            root["resources"] = [r for r in root.get("resources", ()) if keep(root_name(r["address"]))]
            root["child_modules"] = [m for m in root.get("child_modules", ()) if keep(root_name(m["address"]))]
        root = half["configuration"]["root_module"]
        root["resources"] = [b for b in root.get("resources", ()) if keep(b["address"])]
        root["module_calls"] = {n: c for n, c in root.get("module_calls", {}).items() if keep(f"module.{n}")}
        root.pop("outputs", None)
        made.append(half)
    return made[0], made[1]
