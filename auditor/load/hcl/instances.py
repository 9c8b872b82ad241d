"""Module and resource instances as expressions see them: inputs, locals, outputs, each evaluated once when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from auditor.load.hcl.values import IDENTITY, LATER, EvalError, Sensitive, convert
from auditor.model import UNKNOWN
from auditor.syntax import Block, Module

if TYPE_CHECKING:
    from auditor.load.hcl.evaluate import Evaluator

_META: Final = frozenset(("count", "for_each", "provider", "depends_on", "lifecycle"))


@dataclass(slots=True)
class Env:
    """Where an expression is evaluated: a module instance, instance keys, names of loops, the element of a splat."""

    instance: Instance | None
    each: tuple[Any, Any] | None = None
    count: Any = None
    names: Mapping[str, Any] = field(default_factory=dict)
    element: Any = None

    def naming(self, names: Mapping[str, Any]) -> Env:
        return Env(self.instance, self.each, self.count, {**self.names, **names}, self.element)


@dataclass(slots=True)
class Expansion:
    """The instances of a block: `keys` is [None] for a single one, None where it cannot be told (`why`)."""

    kind: str  # single | count | each | unknown
    keys: list[tuple[Any, Any]] | None
    why: str = ""

    def envs(self, instance: Instance) -> list[tuple[Any, Env]]:
        """(key, environment) of each instance; an unknown expansion has one, its key unknown."""
        if self.keys is None:
            return [(UNKNOWN, Env(instance, (UNKNOWN, UNKNOWN), UNKNOWN))]
        if self.kind == "single":
            return [(None, Env(instance))]
        if self.kind == "count":
            return [(k, Env(instance, None, k)) for k, _ in self.keys]
        return [(k, Env(instance, (k, v))) for k, v in self.keys]


class Instance:
    """One module instance: its inputs, locals, outputs and child modules, each evaluated once when asked for."""

    def __init__(
        self, evaluator: Evaluator, module: Module, address: str, call: Block | None, call_env: Env | None, certain: bool
    ) -> None:
        self.evaluator = evaluator
        self.module = module
        self.address = address
        self.call = call
        self.call_env = call_env
        self.certain = certain
        self._values: dict[tuple[str, str], Any] = {}
        self._busy: set[tuple[str, str]] = set()
        self._expansions: dict[int, Expansion] = {}
        self._children: dict[str, tuple[Expansion, list[tuple[Any, Instance]]]] = {}

    def once(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, kept. Raises EvalError where it asks for itself."""
        key = (kind, name)
        if key not in self._values:
            if key in self._busy:
                raise EvalError(f"{kind}.{name} refers to itself")
            self._busy.add(key)
            try:
                self._values[key] = make()
            finally:
                self._busy.discard(key)
        return self._values[key]

    def local(self, name: str) -> Any:
        attribute = self.module.locals.get(name)
        if attribute is None:
            raise EvalError(f"no local value {name}")
        return self.once("local", name, lambda: self.evaluator.eval(attribute.expr, Env(self)))

    def variable(self, name: str) -> Any:
        block = self.module.variables.get(name)
        if block is None:
            raise EvalError(f"no variable {name}")
        return self.once("var", name, lambda: self._variable(name, block))

    def _variable(self, name: str, block: Block) -> Any:
        body, evaluator = block.body, self.evaluator
        value: Any = UNKNOWN
        default = body.attributes.get("default")
        given = self._given(name)
        nullable = body.attributes.get("nullable")
        keeps_null = nullable is None or getattr(nullable.expr, "value", True) is not False
        if given is not _ABSENT and not (given is None and not keeps_null):
            value = given
        elif default is not None:
            value = evaluator.quiet(default.expr, Env(None))
        type_ = body.attributes.get("type")
        if type_ is not None:
            try:
                value = convert(value, type_.expr, lambda e: evaluator.eval(e, Env(None)), evaluator.budget)
            except EvalError:
                value = UNKNOWN
        hidden = any(getattr(a.expr, "value", None) is True for n in ("sensitive", "ephemeral") if (a := body.attributes.get(n)))
        return Sensitive(value) if hidden else value

    def _given(self, name: str) -> Any:
        if self.call is None:
            return self.evaluator.inputs.get(name, _ABSENT)
        attribute = self.call.body.attributes.get(name)
        if attribute is None or self.call_env is None:
            return _ABSENT
        return self.evaluator.quiet(attribute.expr, self.call_env)

    def output(self, name: str) -> Any:
        block = self.module.outputs.get(name)
        if block is None:
            raise EvalError(f"no output {name}")
        attribute = block.body.attributes.get("value")
        if attribute is None:
            return UNKNOWN
        value = self.once("output", name, lambda: self.evaluator.quiet(attribute.expr, Env(self)))
        sensitive = block.body.attributes.get("sensitive")
        return Sensitive(value) if sensitive is not None and getattr(sensitive.expr, "value", None) is True else value

    def expansion(self, block: Block) -> Expansion:
        key = id(block)
        if key not in self._expansions:
            self._expansions[key] = Expansion("unknown", None, "it refers to itself")
            self._expansions[key] = self.evaluator.expand(block, Env(self))
        return self._expansions[key]

    def child(self, name: str) -> tuple[Expansion, list[tuple[Any, Instance]]] | None:
        """The instances of a child module; None where its source is not at hand."""
        module, call = self.module.children.get(name), self.module.calls.get(name)
        if module is None or call is None:
            return None
        if name not in self._children:
            expansion = self.expansion(call)
            made = []
            for key, env in expansion.envs(self):
                address = f"{self.address}.module.{name}" if self.address else f"module.{name}"
                certain = self.certain and key is not UNKNOWN
                self.evaluator.count_instance(call)
                made.append((key, Instance(self.evaluator, module, address + key_text(key), call, env, certain)))
            self._children[name] = (expansion, made)
        return self._children[name]

    def resource(self, address: str) -> Any:
        block = self.module.resources.get(address)
        if block is None:
            raise EvalError(f"no resource {address}")
        expansion = self.expansion(block)
        if expansion.keys is None or address in self.module.duplicates:
            return UNKNOWN
        made = [(key, self.evaluator.seen(self, address, key, block, env)) for key, env in expansion.envs(self)]
        return gathered(expansion, made)


_ABSENT: Final = object()


def gathered(expansion: Expansion, made: list[tuple[Any, Any]]) -> Any:
    if expansion.kind == "single":
        return made[0][1]
    if expansion.kind == "count":
        return tuple(value for _, value in made)
    return dict(made)


def key_text(key: Any) -> str:
    """How an address writes an instance key: `[0]`, `["a"]`, nothing."""
    if key is None or key is UNKNOWN:
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    escaped = str(key).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'["{escaped}"]'


class WrittenResource:
    """A resource instance as other expressions see it: the attributes written down, the rest unknown."""

    __slots__ = ("block", "env", "evaluator")

    def __init__(self, block: Block, env: Env, evaluator: Evaluator) -> None:
        self.block = block
        self.env = env
        self.evaluator = evaluator

    def attribute(self, name: str) -> Any:
        found = self.block.body.attributes.get(name)
        if found is None or name in _META:
            return LATER if name in IDENTITY else UNKNOWN
        instance = self.env.instance
        assert instance is not None
        key = f"{id(self.block)}.{name}.{self.env.each[0] if self.env.each else self.env.count!r}"
        value = instance.once("attribute", key, lambda: self.evaluator.quiet(found.expr, self.env))
        return UNKNOWN if value is None else value
