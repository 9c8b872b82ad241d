"""`configuration` of plan JSON, made from source: expressions with the names they mention, providers through modules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from auditor.load.hcl.instances import Env, Instance, key_text
from auditor.load.hcl.modules import dotted, literal
from auditor.load.hcl.values import Sensitive, unmark
from auditor.model import UNKNOWN, ConfigModule, ConfigResource, ModuleCall, ProviderConfig, Resource
from auditor.syntax import Attribute, Block, Body, GetAttr, GetIndex, Literal, Module, Name, Object, SourceTree, Tuple, traversals

REGISTRY: Final = "registry.terraform.io"
_META: Final = frozenset(("count", "for_each", "provider", "depends_on"))
_MAX_LOCALS: Final = 32  # locals that refer to locals


# --- expressions


def node(expr: Any, module: Module) -> dict[str, Any]:
    """An expression as plan JSON keeps it: a constant, or the names it mentions (locals followed to theirs)."""
    if isinstance(expr, Literal):
        return {"constant_value": expr.value}
    constant, value = _constant(expr) if isinstance(expr, (Tuple, Object)) else (False, None)
    if constant:
        return {"constant_value": value}
    return {"references": _references(expr, module, 0)}


def _constant(expr: Any) -> tuple[bool, Any]:
    """A list or object that is written out without any name."""
    if isinstance(expr, Literal):
        return True, expr.value
    if isinstance(expr, Tuple):
        parts = [_constant(i.value) for i in expr.items]
        return all(ok for ok, _ in parts), [v for _, v in parts]
    if isinstance(expr, Object):
        pairs = [(_constant(i.key), _constant(i.value)) for i in expr.items]
        return all(k[0] and v[0] for k, v in pairs), {str(k[1]): v[1] for k, v in pairs}
    return False, None


def _references(expr: Any, module: Module, depth: int) -> list[str]:
    found: dict[str, None] = {}
    for traversal in traversals(expr, frozenset()):
        text = reference(traversal)
        parts = text.split(".")
        if parts[0] == "local" and len(parts) > 1 and depth < _MAX_LOCALS:
            name = parts[1].partition("[")[0]
            if name in module.locals:
                found.update(dict.fromkeys(_of_local(name, module, depth + 1)))
                continue
        found[text] = None
    return list(found)


def _of_local(name: str, module: Module, depth: int) -> list[str]:
    """What a local mentions, followed once: locals that build on each other are mentioned over and over."""
    if name not in module.followed:
        module.followed[name] = [f"local.{name}"]  # as one that refers to itself stays
        module.followed[name] = _references(module.locals[name].expr, module, depth)
    return module.followed[name]


def reference(expr: Any) -> str:
    """`aws_subnet.a[0].id` of a static path."""
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, GetAttr):
        return f"{reference(expr.of)}.{expr.name}"
    if isinstance(expr, GetIndex) and isinstance(expr.key, Literal):
        key = expr.key.value
        return f"{reference(expr.of)}[{key}]" if isinstance(key, int) else f'{reference(expr.of)}["{key}"]'
    return ""


class Expressions(dict[str, Any]):
    """The expressions of a block, each made of its attribute when it is asked for: of most nothing is."""

    __slots__ = ("module",)

    def __init__(self, module: Module, attributes: Mapping[str, Attribute], nested: bool = False) -> None:
        super().__init__({n: a for n, a in attributes.items() if nested or n not in _META})
        self.module = module

    def __getitem__(self, name: str) -> Any:
        held = super().__getitem__(name)
        if type(held) is Attribute:
            held = node(held.expr, self.module)
            self[name] = held
        return held

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (`dict.get` would not make it)

    def items(self) -> Any:
        return [(n, self[n]) for n in self]

    def values(self) -> Any:
        return [self[n] for n in self]


def body_expressions(body: Body, module: Module, nested: bool = False) -> dict[str, Any]:
    """Attributes and nested blocks, dynamic ones included: their content stands for each of theirs."""
    made = Expressions(module, body.attributes, nested)
    for block in body.blocks:
        name, inner = block.type, block.body
        if block.type == "dynamic" and block.labels:
            contents = block.body.of_type("content")
            if len(contents) != 1:
                continue
            name, inner = block.labels[0], contents[0].body
        elif not nested and block.type in ("lifecycle", "provisioner", "connection"):
            continue
        held = made.setdefault(name, [])
        if isinstance(held, list):
            held.append(body_expressions(inner, module, nested=True))
    return made


# --- modules


def config_module(module: Module, instances: Mapping[str, Instance]) -> ConfigModule:
    resources = []
    keys: dict[str, str] = {}
    for address, block in module.resources.items():
        provider = provider_of(module, block)[0]
        if provider not in keys:
            keys[provider] = provider_key(module, provider, instances)
        count, each = block.body.attributes.get("count"), block.body.attributes.get("for_each")
        resources.append(
            ConfigResource(
                address, block.labels[0], block.labels[1], "managed" if block.type == "resource" else block.type,
                keys[provider],
                body_expressions(block.body, module),
                [{"type": p.labels[0] if p.labels else "", "expressions": body_expressions(p.body, module)}
                 for p in block.body.of_type("provisioner")],
                node(count.expr, module) if count is not None else None,
                node(each.expr, module) if each is not None else None,
            )
        )  # fmt: skip
    calls = {}
    for name, call in module.calls.items():
        child = module.children.get(name)
        given = {
            n: node(a.expr, module)
            for n, a in call.body.attributes.items()
            if n not in ("source", "version", "providers", "count", "for_each", "depends_on")
        }
        source, version = literal(call.body.attributes.get("source")), literal(call.body.attributes.get("version"))
        inner = config_module(child, instances) if child is not None else ConfigModule()
        calls[name] = ModuleCall(str(source or ""), str(version or ""), given, inner)
    outputs = {
        n: {"expression": node(b.body.attributes["value"].expr, module), "sensitive": _flag(b, "sensitive")}
        for n, b in module.outputs.items()
        if "value" in b.body.attributes
    }
    return ConfigModule(resources, calls, {n: _variable(b) for n, b in module.variables.items()}, outputs)


def _flag(block: Block, name: str) -> bool:
    return literal(block.body.attributes.get(name)) is True


def _variable(block: Block) -> dict[str, Any]:
    made: dict[str, Any] = {"sensitive": _flag(block, "sensitive") or _flag(block, "ephemeral")}
    default = block.body.attributes.get("default")
    if default is not None:
        constant, value = _constant(default.expr)
        if constant and value is not None:
            made["default"] = value
    return made


# --- providers


@lru_cache(maxsize=1024)
def required(module: Module) -> Mapping[str, tuple[str, str]]:
    """Local name -> (source, version constraint) of `required_providers`."""
    found: dict[str, tuple[str, str]] = {}
    for settings in module.terraform:
        for block in settings.body.of_type("required_providers"):
            for name, attribute in block.body.attributes.items():
                expr = attribute.expr
                if isinstance(expr, Object):
                    given = {str(i.key.value): i.value for i in expr.items if isinstance(i.key, Literal)}
                    texts = {k: str(v.value) for k, v in given.items() if isinstance(v, Literal)}
                    found[name] = (texts.get("source", ""), texts.get("version", ""))
                elif isinstance(expr, Literal) and isinstance(expr.value, str):
                    found[name] = ("", expr.value)
    return found


def provider_of(module: Module, block: Block) -> tuple[str, str]:
    """(name with alias as the module calls it, full source address) of a resource's provider."""
    attribute = block.body.attributes.get("provider")
    name = _provider_name(attribute.expr, block.labels[0].partition("_")[0]) if attribute is not None else ""
    local = name.partition(".")[0] or block.labels[0].partition("_")[0]
    return name or local, full_source(module, local)


def _provider_name(expr: Any, local: str) -> str:
    """`aws.us`; `aws.by` of OpenTofu's `aws.by[each.key]`. What cannot be read has no block, and is never the default."""
    held = expr.of if isinstance(expr, GetIndex) else expr
    return dotted(held) or f"{local}.(computed)"


@lru_cache(maxsize=4096)
def full_source(module: Module, local: str) -> str:
    """Host, namespace and name; `aws` alone, as generated source writes it, has the default ones."""
    source = required(module).get(local, ("", ""))[0] or local
    if local == "terraform" and source == local:
        return "terraform.io/builtin/terraform"
    if "/" not in source:
        source = f"hashicorp/{source}"
    return source if source.count("/") >= 2 else f"{REGISTRY}/{source}"


def block_name(block: Block) -> str:
    alias = literal(block.body.attributes.get("alias"))
    name = block.labels[0] if block.labels else ""
    return f"{name}.{alias}" if alias else name


class Configured(NamedTuple):
    """Where a provider name is configured. key: the instance key written there (`aws.by[each.key]`), None without one;
    env: where the key is evaluated, None for the environment of whoever wrote the name."""

    module: Module
    name: str
    block: Block | None
    key: Any = None
    env: Env | None = None


def resolve(module: Module, name: str, instances: Mapping[str, Instance]) -> Configured:
    """Where a provider name of a module is configured: through `providers = {}` and inheritance, up to the root."""
    at = Configured(module, name, None)
    while True:
        own = next((b for b in at.module.providers if block_name(b) == at.name), None)
        instance = instances.get(at.module.path)
        call = instance.call if instance is not None else None
        if own is not None and not _proxy(at.module, own, call):
            return at._replace(block=own)
        env = instance.call_env if instance is not None else None
        if call is None or env is None or env.instance is None:
            return at._replace(block=own)
        parent = env.instance.module
        passed = _passed(call)
        if at.name in passed:
            given = passed[at.name]
            at = Configured(parent, given[0], None, given[1], env)
        elif "." in at.name:
            return at
        else:
            source = full_source(at.module, at.name)
            same = [n for n in (*required(parent), at.name) if full_source(parent, n) == source]
            at = at._replace(module=parent, name=at.name if at.name in same or not same else same[0])


def _proxy(module: Module, block: Block, call: Block | None) -> bool:
    """A legacy empty provider block that only declares that a configuration is passed in."""
    empty = not block.body.blocks and set(block.body.attributes) <= {"alias"}
    return empty and call is not None and block_name(block) in _passed(call)


def _passed(call: Block) -> dict[str, tuple[str, Any]]:
    """Name in the child -> name in the caller, and the instance key beside it."""
    attribute = call.body.attributes.get("providers")
    if attribute is None or not isinstance(attribute.expr, Object):
        return {}
    made = {}
    for item in attribute.expr.items:
        key = dotted(item.key)
        if key:
            made[key] = _provider_name(item.value, key.partition(".")[0]), _instance_key(item.value)
    return made


def _instance_key(expr: Any) -> Any:
    return expr.key if isinstance(expr, GetIndex) else None


def provider_key(module: Module, name: str, instances: Mapping[str, Instance]) -> str:
    """`provider_config_key` as plan JSON has it: `aws.us`, or `module.a:aws` for one of a child module."""
    found = resolve(module, name, instances)
    return _config_key(found.module, found.name)


def _config_key(module: Module, name: str) -> str:
    return f"{module.path}:{name}" if module.path else name


def _configured(instance: Instance, block: Block) -> tuple[Configured, Mapping[str, Instance]]:
    """What a resource's provider name resolves to, and the instances of the modules above it."""
    chain: dict[str, Instance] = {}
    at: Instance | None = instance
    while at is not None:
        chain[at.module.path] = at
        at = at.call_env.instance if at.call_env is not None else None
    name = provider_of(instance.module, block)[0]
    return instance.once("configured", name, lambda: resolve(instance.module, name, chain)), chain


def provider_block(instance: Instance, block: Block) -> tuple[Block, Instance] | None:
    """The provider block that a resource uses, and the module instance it stands in."""
    found, chain = _configured(instance, block)
    return (found.block, chain[found.module.path]) if found.block is not None and found.module.path in chain else None


def provider_instance(instance: Instance, block: Block, env: Env) -> str:
    """The key of the configuration that one resource instance uses, where OpenTofu's `for_each` makes several of a block;
    "" where its block says as much."""
    found, _ = _configured(instance, block)
    if found.block is None or "for_each" not in found.block.body.attributes:
        return ""
    written = block.body.attributes.get("provider")
    own = found.env is None
    key = found.key if not own or written is None else _instance_key(written.expr)
    if key is None:
        return ""  # refused by OpenTofu: which of them is meant cannot be told
    value = unmark(instance.evaluator.quiet(key, env if own or found.env is None else found.env), instance.evaluator.budget)[0]
    return _config_key(found.module, found.name) + key_text(value) if isinstance(value, str) else ""


def provider_configs(
    tree: SourceTree, instances: Mapping[str, Instance], used: Mapping[str, Resource]
) -> dict[str, ProviderConfig]:
    """Every provider block with its region evaluated, and the implied ones that resources use without a block."""
    made: dict[str, ProviderConfig] = {}
    for module in tree.root.walk():
        instance = instances.get(module.path)
        for block in module.providers:
            name = block_name(block)
            local, _, alias = name.partition(".")
            key = f"{module.path}:{name}" if module.path else name
            if key in made or (instance is not None and _proxy(module, block, instance.call)):
                continue
            version = literal(block.body.attributes.get("version")) or required(module).get(local, ("", ""))[1]
            expansion = instance.expansion(block) if instance is not None and "for_each" in block.body.attributes else None
            envs = expansion.envs(instance) if expansion is not None and expansion.keys and instance is not None else []
            for suffix, env in (("", Env(instance) if instance is not None else None), *((key_text(k), e) for k, e in envs)):
                made[key + suffix] = ProviderConfig(
                    local, full_source(module, local), alias, module.path, str(version or ""), _evaluated(block, module, env)
                )
    for module in tree.root.walk():
        names = {provider_of(module, block): None for block in module.resources.values()}
        for name, source in names:
            found = resolve(module, name, instances)
            key = _config_key(found.module, found.name)
            if key not in made:
                local, _, alias = found.name.partition(".")
                version = required(found.module).get(local, ("", ""))[1]
                made[key] = ProviderConfig(local, source, alias, found.module.path, version)
    return made


def _evaluated(block: Block, module: Module, env: Env | None) -> dict[str, Any]:
    """Expressions of a provider block; attributes carry their value beside the names they mention."""
    made = body_expressions(block.body, module)
    for name, attribute in block.body.attributes.items():
        held = made.get(name)
        if not isinstance(held, dict) or "constant_value" in held:
            continue
        at = env.instance if env is not None else None
        value = at.evaluator.quiet(attribute.expr, env) if at is not None and env is not None else UNKNOWN
        sensitive = isinstance(value, Sensitive)
        value = value.value if isinstance(value, Sensitive) else value
        if isinstance(value, (str, int, bool)):
            held["constant_value"] = value
            held["sensitive"] = sensitive
        else:
            held["unknown"] = True
    return made
