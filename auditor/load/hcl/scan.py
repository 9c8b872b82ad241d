"""A Terraform folder as a `Plan` of kind "hcl": every resource as a create, as far as its source tells.

What the source does not tell is unknown in `after_unknown`; a resource whose `count` or `for_each` is unknown is kept once,
marked uncertain: it may come to no instance, so that nothing about it can fail for sure.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from auditor.errors import InputError
from auditor.load.hcl.configuration import config_module, provider_block, provider_configs, provider_instance, provider_of
from auditor.load.hcl.evaluate import Evaluator
from auditor.load.hcl.folders import Folders
from auditor.load.hcl.instances import Env, Instance, key_text
from auditor.load.hcl.modules import iterator_of
from auditor.load.hcl.planned import plan_answers
from auditor.load.hcl.values import EvalError, Sensitive, TooMuch, is_partial
from auditor.model import UNKNOWN, Change, Configuration, Plan, Resource, strip_keys
from auditor.syntax import Block, Body, Module, SourceTree

_META: Final = frozenset(("count", "for_each", "provider", "depends_on"))
_META_BLOCKS: Final = frozenset(("lifecycle", "provisioner", "connection"))
_DEPTH: Final = 12_000  # frames; Python's own frames live on the heap
_JSON: Final = msgspec.json.Encoder(decimal_format="number")
# (block of the provider, its attribute, the resource's attribute, where both are merged)
_DEFAULT_TAGS: Final = (("default_tags", "tags", "tags", "tags_all"), ("", "default_labels", "labels", "effective_labels"))
MAX_BLOCKS: Final = 10_000  # nested blocks that one dynamic block makes


@dataclass(slots=True)
class _Found:
    """What a scan gathers."""

    resources: list[Resource] = field(default_factory=list)
    uncertain: dict[str, str] = field(default_factory=dict)
    needs: dict[str, None] = field(default_factory=dict)  # what a plan would have told
    missing: dict[str, None] = field(default_factory=dict)


@contextmanager
def _deep() -> Iterator[None]:
    """Room for deep, but bounded, expressions."""
    was = sys.getrecursionlimit()
    sys.setrecursionlimit(max(was, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(was)


def scan(
    tree: SourceTree, path: str, inputs: Mapping[str, Any], folders: Folders | None = None, workspace: str = "",
    notices: tuple[str, ...] = (),
) -> Plan:  # fmt: skip
    """The plan that a source tree amounts to. Raises InputError where the source is broken or grows beyond its bounds."""
    try:
        with _deep():
            return _scan(tree, path, inputs, folders, workspace, notices)
    except TooMuch as e:
        raise InputError(f"{path}: {e}", "Audit its plan instead: auditor check plan.json") from e
    except RecursionError as e:
        raise InputError(f"{path}: expressions are nested too deeply") from e


def _scan(
    tree: SourceTree, path: str, inputs: Mapping[str, Any], folders: Folders | None, workspace: str,
    notices: tuple[str, ...],
) -> Plan:  # fmt: skip
    evaluator = Evaluator(inputs, folders, workspace)
    root = Instance(evaluator, tree.root, "", None, None, True)
    found = _Found()
    importing = _imports(tree)
    first: dict[str, Instance] = {}
    queue = [root]
    while queue:
        instance = queue.pop(0)
        first.setdefault(instance.module.path, instance)
        found.missing.update(_actions(instance.module))
        _resources(instance, found, importing)
        for name, call in instance.module.calls.items():
            child = instance.child(name)
            if child is None:
                address = f"{instance.module.path}.module.{name}" if instance.module.path else f"module.{name}"
                why = instance.module.missing.get(name, "its source was not read")
                found.missing[f"{address} ({call.source.path}:{call.source.position(call.start)[0]}) is not judged: {why}"] = None
                continue
            if child[0].keys is None:
                found.needs[f"module.{name}: {child[0].why}"] = None
            queue.extend(c for _, c in child[1])
    for name in tree.root.variables:
        if _bare(root.variable(name)) is UNKNOWN:
            found.needs[f"var.{name} has no value"] = None
    variables = {n: {"value": v} for n in tree.root.variables if (v := _shown(root.variable(n))) is not None}
    configuration = Configuration(
        provider_config=provider_configs(tree, first, {strip_keys(r.address): r for r in found.resources}),
        root_module=config_module(tree.root, first),
    )
    unread = tuple(f"not read: {u}" for u in tree.unread)
    hidden = tuple(f"{h} is not judged: OpenTofu reads the .tofu file beside it, Terraform would not" for h in tree.hidden)
    return Plan(
        path, "hcl", found.resources, configuration=configuration, variables=variables,
        partial=(*unread, *hidden, *found.missing), notices=(*notices, *_needs(found)), source=tree, uncertain=found.uncertain,
        answers=plan_answers(tree, workspace),
    )  # fmt: skip


def _actions(module: Module) -> dict[str, None]:
    """The actions (Terraform 1.14) of a module: what they send where is not read."""
    at = f"{module.path}." if module.path else ""
    blocks = [b for b in module.other if b.type == "action"]
    return {f"{at}{'.'.join(('action', *b.labels))} ({b.source.where(b.start)}) is not judged: an action": None for b in blocks}


def _needs(found: _Found) -> tuple[str, ...]:
    if not found.needs:
        return ()
    shown = list(found.needs)
    more = f", and {len(shown) - 8} more" if len(shown) > 8 else ""
    return (f"a plan would have told: {'; '.join(shown[:8])}{more}",)


def _imports(tree: SourceTree) -> set[str]:
    """Block addresses that `import` blocks adopt."""
    found: set[str] = set()
    for block in tree.root.other:
        attribute = block.body.attributes.get("to") if block.type == "import" else None
        if attribute is not None:
            found.add(strip_keys(attribute.text.strip().strip('"')))
    return found


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Sensitive) else value


def _shown(value: Any) -> Any:
    """A variable's value for references to follow; nothing where part of it is unknown."""
    after, unknown, _ = split(_bare(value))
    return None if unknown else after


# --- resources ---------------------------------------------------------------------------------------------


def _resources(instance: Instance, found: _Found, importing: set[str]) -> None:
    prefix = f"{instance.address}." if instance.address else ""
    module_path = instance.module.path
    for address, block in instance.module.resources.items():
        if block.type != "resource":
            continue
        expansion = instance.expansion(block)
        source = provider_of(instance.module, block)[1]
        for key, env in expansion.envs(instance):
            instance.evaluator.count_instance(block)
            full = f"{prefix}{address}{key_text(key)}"
            resource = _resource(full, block, env, source, instance.address, key, importing, module_path)
            found.resources.append(resource)
            if not instance.certain or expansion.keys is None:
                found.uncertain[full] = expansion.why or "count or for_each of its module is not known"
        if expansion.keys is None:
            found.needs[f"{prefix}{address}: {expansion.why}"] = None


def _resource(
    address: str, block: Block, env: Env, source: str, module_address: str, key: Any, importing: set[str], module: str
) -> Resource:
    values = body_values(block.body, env)
    values.update(_merged_tags(values, block, env))
    after, unknown, sensitive = split(values)
    bare = f"{module}.{'.'.join(block.labels)}" if module else ".".join(block.labels)
    change = Change(
        ("create",), after=msgspec.Raw(_JSON.encode(after)), after_unknown=msgspec.Raw(_JSON.encode(unknown or {})),
        after_sensitive=msgspec.Raw(_JSON.encode(sensitive or {})), importing={} if bare in importing else None,
    )  # fmt: skip
    return Resource(
        address, block.labels[0], block.labels[1], "managed", source, change,
        index=None if key is UNKNOWN else key, module_address=module_address,
        provider_key=provider_instance(env.instance, block, env) if env.instance is not None else "",
    )  # fmt: skip


def _merged_tags(values: Mapping[str, Any], block: Block, env: Env) -> dict[str, Any]:
    """Tags once the provider has merged its default ones: what a scope matches against."""
    assert env.instance is not None
    instance = env.instance
    name = provider_of(instance.module, block)[0]
    made: dict[str, Any] = {}
    for own, merged, defaults in instance.once("default tags", name, lambda: _default_tags(instance, block)):
        if merged in values:
            continue
        mine = values.get(own, {})
        if isinstance(defaults, dict) and isinstance(mine, dict):
            made[merged] = {**defaults, **mine}
        else:
            made[merged] = UNKNOWN
    return made


def _default_tags(instance: Instance, block: Block) -> list[tuple[str, str, Any]]:
    """What the provider of a block puts on all its resources: (their attribute, the merged one, the defaults)."""
    provider = provider_block(instance, block)
    found = []
    for nested, inner, own, merged in _DEFAULT_TAGS if provider is not None else ():
        assert provider is not None
        body = provider[0].body
        blocks = [b.body for b in body.of_type(nested)] if nested else [body]
        given = [b.attributes[inner] for b in blocks if inner in b.attributes]
        if len(given) == 1:
            found.append((own, merged, instance.evaluator.quiet(given[0].expr, Env(provider[1]))))
    return found


def body_values(body: Body, env: Env, *, nested: bool = False) -> dict[str, Any]:
    """Attributes and nested blocks of a resource, blocks as lists of objects, as plan JSON has them.

    Meta-arguments are the resource's alone: `count` of a nested block is an attribute.
    """
    assert env.instance is not None
    evaluator = env.instance.evaluator
    made: dict[str, Any] = {}
    for name, attribute in body.attributes.items():
        if nested or name not in _META:
            made[name] = evaluator.quiet(attribute.expr, env)
    for block in body.blocks:
        if not nested and block.type in _META_BLOCKS:
            continue
        name = block.labels[0] if block.type == "dynamic" and block.labels else block.type
        if block.type != "dynamic":
            _append(made, name, [body_values(block.body, env, nested=True)])
            continue
        _append(made, name, _dynamic(block, name, env))
    return made


def _append(made: dict[str, Any], name: str, items: list[dict[str, Any]] | None) -> None:
    """One block more of a type; a dynamic block that cannot be told makes the whole list unknown."""
    have = made.get(name)
    if items is None or have is UNKNOWN:
        made[name] = UNKNOWN
    elif isinstance(have, list):
        have.extend(items)
    elif have is None:
        made[name] = items


def _dynamic(block: Block, name: str, env: Env) -> list[dict[str, Any]] | None:
    assert env.instance is not None
    contents = block.body.of_type("content")
    evaluator = env.instance.evaluator
    expansion = evaluator.expand(block, env)
    if len(contents) != 1 or expansion.keys is None:
        return None
    if len(expansion.keys) > MAX_BLOCKS:
        raise TooMuch(f"{block.source.where(block.start)}: the dynamic block makes {len(expansion.keys)} blocks")
    label = iterator_of(block)
    made = []
    for key, value in expansion.keys:
        evaluator.budget.spend()
        inner = env.naming({label: {"key": key, "value": value}})
        made.append(body_values(contents[0].body, inner, nested=True))
    return made


def split(value: Any) -> tuple[Any, Any, Any]:
    """A value as plan JSON writes it: (known part, unknown marks, sensitive marks); marks are falsy where there is none."""
    if value is UNKNOWN or is_partial(value):
        return None, True, None
    if isinstance(value, Sensitive):
        after, unknown, _ = split(value.value)
        return after, unknown, True
    if isinstance(value, dict):
        after_d: dict[str, Any] = {}
        unknown_d: dict[str, Any] = {}
        sensitive_d: dict[str, Any] = {}
        for k, v in value.items():
            a, u, s = split(v)
            if u is not True:
                after_d[k] = a
            if u:
                unknown_d[k] = u
            if s:
                sensitive_d[k] = s
        return after_d, unknown_d or None, sensitive_d or None
    if isinstance(value, (list, tuple)):
        parts = [split(v) for v in value]
        unknown = [u or False for _, u, _ in parts] if any(u for _, u, _ in parts) else None
        sensitive = [s or False for _, _, s in parts] if any(s for _, _, s in parts) else None
        return [a for a, _, _ in parts], unknown, sensitive
    return value, None, None


__all__ = ["EvalError", "body_values", "scan", "split"]
