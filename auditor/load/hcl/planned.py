"""What expressions of a plan's own source come to, evaluated with the values that the plan holds.

Plan JSON keeps of an expression only the names it mentions: `var.r == "x" ? "us-east-1" : "eu-central-1"` looks like
`var.r`, and `slice(local.subnets, 0, 1)` like the whole list. Where the source is at hand its expression is evaluated:
variables as planned, resources and data sources as planned or recorded, and every value remembers whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from auditor.load.hcl.configuration import block_name, reference
from auditor.load.hcl.evaluate import Evaluator
from auditor.load.hcl.instances import Env, Instance, key_text
from auditor.load.hcl.modules import iterator_of, nested_type
from auditor.load.hcl.values import EvalError, Sensitive, TooMuch, unmark, wholly_known
from auditor.model import UNKNOWN, Answer, Origin, Plan, ProviderConfig, Resource, strip_keys
from auditor.syntax import (
    Attribute,
    Block,
    Call,
    Conditional,
    For,
    GetAttr,
    GetIndex,
    Literal,
    Name,
    SourceTree,
    children,
    traversals,
)
from auditor.values import Body, decode_after

_REORDERING: Final = frozenset(("toset", "tolist", "compact", "distinct", "sort", "reverse", "flatten", "concat"))
_GONE: Final = (("delete",), ("forget",))
_MAX_ASKED: Final = 2_000  # instances of one block that are evaluated one by one
_STEPS: Final = 5_000_000
_Parts = tuple[tuple[tuple[Origin, ...], bool], ...]  # owners, and whether the value waits for apply
Prior = Callable[[str], Mapping[str, Body]]


class Unknown:
    """A value of a resource that is not known before apply: whose it is, is known."""

    __slots__ = ("origin",)

    def __init__(self, origin: Origin) -> None:
        self.origin = origin

    def attribute(self, name: str) -> Any:
        return Unknown(Origin(self.origin.address, (*self.origin.path, name)))


class Owned(str):
    """A text that a resource of the plan has: computes as any text does, and tells whose it is while it stands whole."""

    __slots__ = ("origin",)
    origin: Origin

    def __new__(cls, text: str, origin: Origin) -> Owned:
        made = super().__new__(cls, text)
        made.origin = origin
        return made


class _Planned:
    """A resource instance as other expressions see it: what the plan says of it."""

    __slots__ = ("address", "body")

    def __init__(self, address: str, body: Body | None) -> None:
        self.address = address
        self.body = body

    def attribute(self, name: str) -> Any:
        origin = Origin(self.address, (name,))
        if self.body is None:
            return Unknown(origin)
        mark = self.body.unknown.get(name) if isinstance(self.body.unknown, Mapping) else self.body.unknown
        if name not in self.body.values and not mark:
            return Unknown(origin)
        made = _owned(self.body.values.get(name), mark, origin)
        return Sensitive(made) if self.body.is_sensitive(name) else made


def _owned(value: Any, mark: Any, origin: Origin) -> Any:
    """A planned value with its owner beside every text in it."""
    if mark is True:
        return Unknown(origin)
    if isinstance(value, str):
        return Owned(value, origin)
    if isinstance(value, Mapping):
        marks = mark if isinstance(mark, Mapping) else {}
        names = dict.fromkeys((*value, *marks))
        return {k: _owned(value.get(k), marks.get(k), Origin(origin.address, (*origin.path, k))) for k in names}
    if isinstance(value, list):
        each = mark if isinstance(mark, list) else []
        return tuple(_owned(v, each[i] if i < len(each) else None, origin) for i, v in enumerate(value))
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value of JSON as expressions have it: lists as tuples, exact numbers."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return tuple(_plain(v) for v in value)
    return Decimal(repr(value)) if isinstance(value, float) else value


class _PlanEvaluator(Evaluator):
    """Evaluates with what the plan says of resources and data sources."""

    def __init__(self, plan: Plan, tree: SourceTree, prior: Prior, workspace: str) -> None:
        given = {n: v.get("value") if isinstance(v, Mapping) else UNKNOWN for n, v in plan.variables.items()}
        inputs = {n: _plain(given.get(n, UNKNOWN)) for n in tree.root.variables}
        super().__init__(inputs, tree.folders, workspace, _STEPS)
        kept = (r for r in plan.resources if not r.deposed and r.change.actions not in _GONE)
        self.planned = {r.address: r for r in kept}
        self.prior = prior

    def selected(self) -> str:
        """The workspace: a binary plan knows its own."""
        return getattr(self.folders, "workspace", "") or self.workspace

    def seen(self, instance: Instance, address: str, key: Any, block: Block, env: Env) -> Any:
        prefix = f"{instance.address}." if instance.address else ""
        full = f"{prefix}{address}{key_text(key)}"
        found = self.planned.get(full)
        if found is not None:
            return _Planned(full, decode_after(found))
        return _Planned(full, self.prior(strip_keys(full)).get(full) if address.startswith("data.") else None)


class PlanAnswers:
    """Answers about the expressions of one plan's source. `prior`: the recorded data sources of a block, by address."""

    def __init__(self, plan: Plan, tree: SourceTree, prior: Prior, workspace: str = "") -> None:
        self.plan = plan
        self.tree = tree
        self.evaluator = _PlanEvaluator(plan, tree, prior, workspace)
        self.root = Instance(self.evaluator, tree.root, "", None, None, True)
        self._instances: dict[str, Instance | None] = {"": self.root}

    def provider(self, config: ProviderConfig, attribute: str, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The expression of a provider block with its value, or marked unknown; as it was where source says no more."""
        module = self.tree.modules.get(config.module_address)
        wanted = f"{config.name}.{config.alias}" if config.alias else config.name
        blocks = [b for b in module.providers if block_name(b) == wanted] if module is not None else []
        written = blocks[0].body.attributes.get(attribute) if len(blocks) == 1 else None
        instance = self._instance(config.module_address)
        if written is None or module is None or instance is None or not _same_names(written, node):
            return node
        found, sensitive = self._value(written.expr, Env(instance))
        if isinstance(found, (str, bool, int)) or found is None:
            value = str(found) if isinstance(found, str) else found
            made = {**node, "constant_value": value, "sensitive": sensitive}
            variable = isinstance(written.expr, GetAttr) and written.expr.of == Name("var")  # the trace tells it already
            return made if variable else {**made, "evaluated": _line(written)}
        if isinstance(found, Unknown) and not _computed(written.expr):
            return node  # the name of what will have it: the plan says as much
        return {**node, "unknown": True}

    def dynamic(self, block: str) -> Mapping[str, frozenset[str]]:
        """Paths (`a.b`) of the `dynamic` blocks of a resource block -> the instances for which they surely make none."""
        module_path, address = _module_and_rest(strip_keys(block))
        module = self.tree.modules.get(module_path)
        resource = module.resources.get(address) if module is not None else None
        found: dict[str, frozenset[str]] = {}
        queue: list[tuple[tuple[str, ...], Any]] = [((), resource.body)] if resource is not None else []
        while queue:
            path, body = queue.pop()
            for b in body.blocks:
                if b.type != "dynamic":
                    queue.append(((*path, b.type), b.body))
                    continue
                here = (*path, *b.labels[:1])
                name = ".".join(here)
                none = self._makes_none(resource, b, block) if resource is not None else frozenset()
                found[name] = found[name] & none if name in found else none
                queue += [(here, content.body) for content in b.body.of_type("content")]
        return found

    def leaves_out(self, block: str, path: tuple[str, ...]) -> bool:
        """Whether the source writes the block around an attribute, or a `dynamic` one that makes it, and not the attribute."""
        module_path, address = _module_and_rest(strip_keys(block))
        module = self.tree.modules.get(module_path)
        resource = module.resources.get(address) if module is not None and address not in module.duplicates else None
        bodies = [resource.body] if resource is not None else []
        for step in path[:-1]:
            inner = [b for body in bodies for b in body.blocks if nested_type(b) == step]
            contents = [c.body for b in inner if b.type == "dynamic" for c in b.body.of_type("content")]
            bodies = [b.body for b in inner if b.type != "dynamic"] + contents
        return bool(bodies) and not any(
            path[-1] in body.attributes or any(nested_type(b) == path[-1] for b in body.blocks) for body in bodies
        )

    def _makes_none(self, resource: Block, dynamic: Block, block: str) -> frozenset[str]:
        """The planned instances for which what a `dynamic` block goes over is surely empty."""
        over = dynamic.body.attributes.get("for_each")
        instances = self.plan.by_block.get(block, [])
        if over is None or len(instances) > _MAX_ASKED:
            return frozenset()
        own = any(reference(t).partition(".")[0] in ("each", "count") for t in traversals(over.expr, frozenset()))
        none: set[str] = set()
        empty: dict[str, bool] = {}
        for r in instances:
            key = r.address if own else r.module_address
            if key not in empty:
                try:
                    env = self._env(resource, r)
                    found = self._value(over.expr, env)[0] if env is not None else UNKNOWN
                except (EvalError, TooMuch, RecursionError):
                    found = UNKNOWN
                empty[key] = isinstance(found, (tuple, list, frozenset, Mapping)) and not len(found)
            if empty[key]:
                none.add(r.address)
        return frozenset(none)

    def argument(self, block: str, path: tuple[str, ...]) -> Answer | None:
        """What an attribute of a resource block refers to, per planned instance; None where source says no more."""
        try:
            return self._argument(block, path)
        except (EvalError, TooMuch, RecursionError):
            return None

    def _argument(self, block: str, path: tuple[str, ...]) -> Answer | None:
        names = strip_keys(block)
        module_path, address = _module_and_rest(names)
        module = self.tree.modules.get(module_path)
        resource = module.resources.get(address) if module is not None else None
        if module is None or resource is None or address in module.duplicates:
            return None
        chain, written = _written(resource, path)
        config = self.plan.blocks.get(block)
        if written is None or config is None:
            return None
        instances = self.plan.by_block.get(block, [])
        if not instances or len(instances) > _MAX_ASKED:
            return None
        expr = _peeled(written.expr)
        own = bool(chain) or any(reference(t).partition(".")[0] in ("each", "count") for t in traversals(expr, frozenset()))
        made: dict[str, _Parts] = {}
        constants: dict[str, None] = {}
        shared: dict[str, tuple[_Parts, bool]] = {}
        complete = True
        for r in instances:
            if own or r.module_address not in shared:
                found = self._origins(resource, chain, expr, r, constants)
                if found is None:
                    return None
                shared[r.module_address] = found
            made[r.address], whole = shared[r.module_address]
            complete = complete and whole
        per = {a: tuple(dict.fromkeys(o for origins, _ in parts for o in origins)) for a, parts in made.items()}
        return Answer(per, tuple(constants), complete, _computed(expr), _line(written), made if chain else None)

    def names(self, block: str, path: tuple[str, ...], node: Mapping[str, Any]) -> bool:
        """Whether source and plan mention the same names: else the plan was made from other source."""
        if self.plan.kind == "hcl":
            return True
        module_path, address = _module_and_rest(strip_keys(block))
        module = self.tree.modules.get(module_path)
        resource = module.resources.get(address) if module is not None else None
        chain, written = _written(resource, path) if resource is not None else ((), None)
        return written is not None and not chain and _same_names(written, node)

    # --- evaluation

    def _origins(
        self, block: Block, chain: tuple[Block, ...], expr: Any, r: Resource, constants: dict[str, None]
    ) -> tuple[_Parts, bool] | None:
        """The owners of the values, of each block that the `dynamic` ones around the expression (`chain`) make, and whether
        all of it is told; None where the instance is not in the source."""
        env = self._env(block, r)
        if env is None:
            return None
        envs, complete = self._inside(chain, [env])
        parts: list[tuple[tuple[Origin, ...], bool]] = []
        for inner in envs:
            value, sensitive = self._value(expr, inner)
            if sensitive:
                return None  # nothing of it is told
            owners, whole = _owners(value, constants)
            parts.append((owners, not wholly_known(value, self.evaluator.budget)))
            complete = complete and whole
        return tuple(parts), complete

    def _inside(self, chain: tuple[Block, ...], envs: list[Env]) -> tuple[list[Env], bool]:
        """What the content of nested `dynamic` blocks sees, once for each block they make; whether that is all of them."""
        complete = True
        for dynamic in chain:
            inner: list[Env] = []
            for env in envs:
                expansion = self.evaluator.expand(dynamic, env)
                complete = complete and expansion.keys is not None
                label = iterator_of(dynamic)
                inner += [env.naming({label: {"key": k, "value": v}}) for k, v in expansion.keys or ()]
            envs = inner
        return envs, complete

    def _env(self, block: Block, r: Resource) -> Env | None:
        """What the expressions of one instance of a block see; None where the instance is not in the source."""
        instance = self._instance(r.module_address)
        if instance is None:
            return None
        return next((e for k, e in instance.expansion(block).envs(instance) if k == r.index), None)

    def _value(self, expr: Any, env: Env) -> tuple[Any, bool]:
        try:
            return unmark(self.evaluator.quiet(expr, env), self.evaluator.budget)
        except (TooMuch, RecursionError):
            return UNKNOWN, False

    def _instance(self, address: str) -> Instance | None:
        """The module instance of an address; the first one of a call where the address has no key."""
        if address not in self._instances:
            above, _, step = address.rpartition("module.")
            name, _, key = step.partition("[")
            parent = self._instance(above.rstrip("."))
            self._instances[address] = None
            try:
                found = parent.child(name) if parent is not None else None
            except (EvalError, TooMuch, RecursionError):
                found = None
            for _, child in found[1] if found is not None else ():
                if not key or child.address == address:
                    self._instances[address] = child
                    break
        return self._instances[address]


def _owners(value: Any, constants: dict[str, None]) -> tuple[tuple[Origin, ...], bool]:
    """Whose the parts of a value are, and whether that tells all of it; texts of nobody go into `constants`."""
    owners: dict[Origin, None] = {}
    complete = True
    stack = [value]
    while stack:
        v = stack.pop()
        if isinstance(v, (Owned, Unknown)):
            owners[v.origin] = None
        elif isinstance(v, (list, tuple)):
            stack.extend(reversed(v))
        elif isinstance(v, str):
            constants[v] = None
        elif v is not None:
            complete = False
    return tuple(owners), complete


def _written(block: Block, path: tuple[str, ...]) -> tuple[tuple[Block, ...], Attribute | None]:
    """The `dynamic` blocks on the way to the one attribute that a path means, and it; None where several may hold it."""
    body = block.body
    chain: tuple[Block, ...] = ()
    for depth, step in enumerate(path):
        if step in body.attributes:
            return chain, body.attributes[step] if depth == len(path) - 1 else None
        inner = [b for b in body.blocks if nested_type(b) == step]
        if len(inner) != 1:
            return (), None
        body = inner[0].body
        if inner[0].type == "dynamic":
            contents = body.of_type("content")
            if len(contents) != 1:
                return (), None
            chain, body = (*chain, inner[0]), contents[0].body
    return (), None


def _line(attribute: Attribute) -> tuple[str, int]:
    return attribute.source.path, attribute.source.position(attribute.start)[0]


def _peeled(expr: Any) -> Any:
    """An expression without the functions around it that only order its elements or drop doubles."""
    while isinstance(expr, Call) and expr.name in _REORDERING and len(expr.args) == 1 and not expr.expand:
        expr = expr.args[0]
    return expr


def _computed(expr: Any) -> bool:
    """Whether an expression can mean less, or something else, than all that it mentions."""
    if isinstance(expr, (Call, Conditional, For)) or (isinstance(expr, GetIndex) and not isinstance(expr.key, Literal)):
        return True
    return any(_computed(c) for c in children(expr))


def _same_names(written: Attribute, node: Mapping[str, Any]) -> bool:
    """Whether an expression of the source mentions what the plan says it mentions."""
    names = node.get("references")
    planned = [str(r) for r in names] if isinstance(names, list) else []
    source = [reference(t) for t in traversals(written.expr, frozenset())]
    return all(any(_within(s, p) for p in planned) for s in source) and all(
        any(_within(s, p) or _within(p, s) for s in source) for p in planned
    )


def _within(longer: str, shorter: str) -> bool:
    return longer == shorter or (longer.startswith(shorter) and longer[len(shorter)] in ".[")


def _module_and_rest(block: str) -> tuple[str, str]:
    """`module.a.t.n` -> ("module.a", "t.n")."""
    parts = block.split(".")
    at = 0
    while at + 1 < len(parts) and parts[at] == "module":
        at += 2
    return ".".join(parts[:at]), ".".join(parts[at:])


def plan_answers(tree: SourceTree, workspace: str = "") -> Callable[[Plan, Prior], PlanAnswers]:
    """Makes the answers of a plan when they are first asked for."""
    return lambda plan, prior: PlanAnswers(plan, tree, prior, workspace)


