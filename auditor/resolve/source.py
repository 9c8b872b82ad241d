"""From a plan address and an attribute path to the line a person would point at, or to none.

A finding points at its attribute, else at the deepest block that holds it: the `provider =` line where the place
comes from a provider block, the `module` block of the user's own tree where the resource stands in a downloaded
module (its inner line is a step of the evidence). Where two answers are possible there is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from auditor.model import Evidence, Finding, Plan, Resource, SourceRange, strip_keys
from auditor.resolve.source_values import SourceValues
from auditor.syntax import Attribute, Block, Body, GetAttr, Item, Literal, Module, Name, Object, Source, SourceTree, Tuple
from auditor.values import decode_after

_STEP: Final = re.compile(r"([^.\[\]]+)((?:\[[^\]]*\])*)\.?")
_MODULE: Final = re.compile(r"module\.([^.]+)\.?")


class _Spot(NamedTuple):
    """A place in a file, and whether the attribute itself was found (else a block that would hold it)."""

    source: Source
    start: int
    end: int
    exact: bool
    attribute: Attribute | None = None

    @property
    def range(self) -> SourceRange:
        return self.source.range(self.start, self.end)


class _Ambiguous(Exception):
    """Two answers are possible."""


class Pointed(msgspec.Struct, frozen=True):
    """The primary place, and the inner line of a downloaded module."""

    primary: SourceRange | None
    inner: SourceRange | None = None


NOWHERE: Final = Pointed(None)


class Pointer:
    """Places of one plan's findings in one source tree; alike findings are looked up once."""

    def __init__(self, plan: Plan, tree: SourceTree) -> None:
        self.plan = plan
        self.tree = tree
        self._cache: dict[tuple[str, str, bool], Pointed] = {}
        self._steps: dict[tuple[str, ...], tuple[str, int] | None] = {}
        self._instances: Mapping[str, Resource] | None = None
        self.values = SourceValues(plan, tree)

    # --- findings

    def place(self, finding: Finding) -> Finding:
        """The finding with its location and the places of its evidence."""
        evidence = tuple(self._evidence(e) for e in finding.evidence)
        provider = any(e.ref[:1] == ("provider",) for e in finding.evidence)
        pointed = self.point(finding.address, finding.path, provider)
        if pointed.inner is not None:
            line = pointed.inner
            evidence = (Evidence(f"{finding.path or 'the block'} inside the module", line.file, line.start_line), *evidence)
        if pointed.primary is None and evidence == finding.evidence:
            return finding
        return msgspec.structs.replace(finding, location=pointed.primary, evidence=evidence)

    def point(self, address: str, path: str, provider: bool = False) -> Pointed:
        key = (address if "[" in path else strip_keys(address), path, provider)
        if key not in self._cache:
            try:
                self._cache[key] = self._point(address, path, provider)
            except _Ambiguous:
                self._cache[key] = NOWHERE
        return self._cache[key]

    def _point(self, address: str, path: str, provider: bool) -> Pointed:
        names, rest = _split(strip_keys(address))
        module: Module | None = self.tree.root
        call: Block | None = None  # of the first module that is not the user's own
        for name in names:
            assert module is not None
            if f"module.{name}" in module.duplicates or name not in module.calls:
                return NOWHERE
            block = module.calls[name]
            child = module.children.get(name)
            if call is None and (child is None or not child.own):
                call = block
            module = child
            if module is None:
                break
        inner = self._inside(module, rest, address, path, provider) if module is not None else None
        if call is not None:
            if module is not None and inner is None and rest:
                return NOWHERE
            return Pointed(call.range, inner.range if inner is not None else None)
        return Pointed(inner.range) if inner is not None else NOWHERE

    def _inside(self, module: Module, rest: str, address: str, path: str, provider: bool) -> _Spot | None:
        if not rest:
            call_path = module.path.rpartition("module.")
            parent = self.tree.modules.get(call_path[0].rstrip(".")) if module.path else None
            block = parent.calls.get(call_path[2]) if parent is not None else None
            return _header(block) if block is not None else None
        if rest in module.duplicates:
            raise _Ambiguous
        block = module.resources.get(rest)
        if block is None:
            return self._elsewhere(module, rest, path)
        steps = _steps(path)
        if not steps:
            return self._fallback(block, provider)
        found = self._find(block.body, steps, address, ())
        if found is None:
            return self._fallback(block, provider)
        if found.attribute is not None and len(steps) == 1 and self._stale(address, steps[0][0], found.attribute):
            return None
        return found

    def _fallback(self, block: Block, provider: bool) -> _Spot:
        attribute = block.body.attributes.get("provider")
        if provider and attribute is not None:
            return _Spot(attribute.source, attribute.start, attribute.end, True, attribute)
        return _header(block)

    def _elsewhere(self, module: Module, rest: str, path: str) -> _Spot | None:
        """What is no resource of the source: a forgotten one (`removed`), a provider by its source address."""
        removed = [b for b in module.other if b.type == "removed" and _dotted(b.body.attributes.get("from")) == rest]
        if len(removed) == 1:
            return _header(removed[0])
        if rest == "terraform.backend" and not module.path:
            return self._backend(module, path)
        if rest.count("/") == 1 and not module.path:
            return self._provider_source(module, rest, path)
        return None

    def _backend(self, module: Module, path: str) -> _Spot | None:
        """The attribute of the one `backend` (or `cloud`) block, else its header."""
        blocks = [b for t in module.terraform for b in t.body.blocks if b.type in ("backend", "cloud")]
        if len(blocks) > 1:
            raise _Ambiguous
        if not blocks:
            return None
        steps = _steps(path)
        return (self._find(blocks[0].body, steps, "", ()) if steps else None) or _header(blocks[0])

    def _provider_source(self, module: Module, source: str, path: str) -> _Spot | None:
        """What is said about a provider: the attribute of its block that a path names, else where it is required: here,
        else in the first module of the user's own that does."""
        found, names = _required(module, source)
        names = names or {source.removeprefix("hashicorp/")}
        blocks = [b for b in module.providers if b.labels[:1] and b.labels[0] in names]
        steps = _steps(path)
        inner = [s for b in blocks if steps and (s := self._find(b.body, steps, "", ())) is not None]
        if len(found) > 1 or len(inner) > 1:
            raise _Ambiguous
        if inner or found:
            return (inner or found)[0]
        if len(blocks) == 1:
            return _header(blocks[0])
        below = (s for m in module.walk() if m.own for s in _required(m, source)[0])
        return next(below, None) if not blocks else None

    # --- attributes

    def _find(
        self, body: Body, steps: Sequence[tuple[str, int | None]], address: str, walked: tuple[str | int, ...]
    ) -> _Spot | None:
        """The place of an attribute path inside a body; None where the body does not mention its first step."""
        name, index = steps[0]
        attribute = body.attributes.get(name)
        if attribute is not None:
            whole = _Spot(attribute.source, attribute.start, attribute.end, True, attribute)
            if len(steps) == 1 and index is None:
                return whole
            return self._descend(attribute, attribute.expr, steps, address, walked) or whole
        blocks = [b for b in body.blocks if (b.labels[:1] == (name,) if b.type == "dynamic" else b.type == name)]
        if not blocks:
            return None
        chosen = self._choose_block(blocks, index, address, (*walked, name))
        inner = chosen.body
        here = _header(chosen)
        if chosen.type == "dynamic":
            contents = chosen.body.of_type("content")
            if len(contents) != 1:
                return here
            inner = contents[0].body
        if len(steps) == 1:
            return here
        walked = (*walked, name, index or 0)
        return self._find(inner, steps[1:], address, walked) or here._replace(exact=False)

    def _choose_block(
        self, blocks: list[Block], index: int | None, address: str, walked: tuple[str | int, ...]
    ) -> Block:
        if len(blocks) == 1:
            return blocks[0]
        candidates = self._candidates(blocks, address)
        return blocks[candidates[_choose(candidates, index, self._elements(address, walked))].block]

    def _candidates(self, blocks: list[Block], address: str) -> list[_Candidate]:
        """Every block with the values it is known to have, a dynamic one as often as it repeats where that is known."""
        names, rest = _split(strip_keys(address))
        module = self.tree.modules.get(".".join(f"module.{n}" for n in names))
        resource = module.resources.get(rest) if module is not None else None
        own = self.values.instance(address, resource, module) if module is not None and resource is not None else {}
        found: list[_Candidate] = []
        for at, b in enumerate(blocks):
            contents = b.body.of_type("content") if b.type == "dynamic" else [b]
            body = contents[0].body if contents else Body()
            items = self.values.items(b, module, own) if b.type == "dynamic" and module is not None else None
            if b.type != "dynamic" or items is None:
                found.append(_Candidate(self._known(body, module, own), b.type == "dynamic", at))
                continue
            label = _dotted(b.body.attributes.get("iterator")) or b.labels[0]
            for key, value in items:
                found.append(_Candidate(self._known(body, module, {**own, label: {"key": key, "value": value}}), False, at))
        return found

    def _known(self, body: Body, module: Module | None, names: Mapping[str, Any]) -> dict[str, Any]:
        if module is None:
            return _literals(body)
        made = {n: self.values.value(a.expr, module, names) for n, a in body.attributes.items()}
        return {n: v for n, v in made.items() if isinstance(v, (str, bool, int, Decimal))}

    def _descend(
        self, attribute: Attribute, expr: Any, steps: Sequence[tuple[str, int | None]], address: str,
        walked: tuple[str | int, ...],
    ) -> _Spot | None:  # fmt: skip
        """The element of a literal list or object that a path names; None where it is not written out."""
        name, index = steps[0]
        if index is None and len(steps) > 1 and isinstance(expr, Tuple) and len(expr.items) == 1:
            index = 0
        if index is not None:
            if not isinstance(expr, Tuple) or not expr.items:
                return None
            objects = [_item_literals(i) for i in expr.items]
            if all(isinstance(i.value, Object) for i in expr.items):
                candidates = [_Candidate(o, False, k) for k, o in enumerate(objects)]
                chosen = _choose(candidates, index, self._elements(address, (*walked, name)))
            else:
                elements = self._elements(address, (*walked, name))
                wanted = elements[index] if index < len(elements) else None
                chosen = _scalar_index(expr.items, index, wanted)
            item = expr.items[chosen]
            spot = _Spot(attribute.source, item.start, item.end, True)
            expr = item.value
        else:
            spot = _Spot(attribute.source, attribute.start, attribute.end, True, attribute)
        if len(steps) == 1:
            return spot
        if not isinstance(expr, Object):
            return spot
        name = steps[1][0]
        hits = [i for i in expr.items if _text(i.key) == name]
        if len(hits) > 1:
            raise _Ambiguous
        if not hits:
            return spot
        item = hits[0]
        inner = _Spot(attribute.source, item.start, item.end, True)
        deeper = self._descend_item(attribute, item, steps[1:], address, (*walked, steps[0][0], index or 0))
        return deeper or inner

    def _descend_item(
        self, attribute: Attribute, item: Item, steps: Sequence[tuple[str, int | None]], address: str,
        walked: tuple[str | int, ...],
    ) -> _Spot | None:  # fmt: skip
        if len(steps) == 1 and steps[0][1] is None:
            return None
        found = self._descend(attribute, item.value, steps, address, walked)
        if found is not None and found.attribute is not None:  # the whole attribute: the item is nearer
            return None
        return found

    def _elements(self, address: str, walked: tuple[str | int, ...]) -> list[Any]:
        """The planned values of a list that the path walks through, as the path counts them."""
        if self._instances is None:
            self._instances = {r.address: r for r in self.plan.resources}
        resource = self._instances.get(address)
        if resource is None:
            return []
        node: Any = decode_after(resource).values
        for step in walked:
            if isinstance(node, list) and isinstance(step, int):
                node = node[step] if step < len(node) else None
            elif isinstance(node, list) and isinstance(step, str):
                node = node[0].get(step) if len(node) == 1 and isinstance(node[0], dict) else None
            elif isinstance(node, dict):
                node = node.get(str(step)) if isinstance(step, str) else node
            else:
                return []
        return node if isinstance(node, list) else []

    def _stale(self, address: str, name: str, attribute: Attribute) -> bool:
        """Whether the plan was made from other source: its constant differs from the one written here."""
        names, rest = _split(strip_keys(address))
        block = self.plan.blocks.get("".join(f"module.{n}." for n in names) + rest)
        node = block.expressions.get(name) if block is not None else None
        if not isinstance(node, dict) or "constant_value" not in node:
            return False
        expr = attribute.expr
        return isinstance(expr, Literal) and not _same(expr.value, node["constant_value"])

    # --- evidence

    def _evidence(self, e: Evidence) -> Evidence:
        if not e.ref or e.line:
            return e
        if e.ref not in self._steps:
            spot = self._symbol(e.ref)
            self._steps[e.ref] = (spot.source.path, spot.source.position(spot.start)[0]) if spot is not None else None
        found = self._steps[e.ref]
        return Evidence(e.what, found[0], found[1], e.ref) if found is not None else e

    def _symbol(self, ref: tuple[str, ...]) -> _Spot | None:
        """The declaration a symbolic reference means: (kind, module path, name), of a provider also the attribute."""
        kind, path, name, *attributes = ref
        path = strip_keys(path)
        module = self.tree.modules.get(path)
        if kind == "block":
            names, rest = _split(strip_keys(name))
            module = self.tree.modules.get(".".join(f"module.{n}" for n in names))
            if module is None or rest in module.duplicates or rest not in module.resources:
                return None
            return _header(module.resources[rest])
        if kind == "input":
            parent_path, _, call_name = path.rpartition("module.")
            parent = self.tree.modules.get(parent_path.rstrip("."))
            call = parent.calls.get(call_name) if parent is not None else None
            if call is not None and (given := call.body.attributes.get(name)) is not None:
                return _Spot(given.source, given.start, given.end, True, given)
            kind = "variable"
        if module is None:
            return None
        if kind == "provider":
            blocks = [b for b in module.providers if _provider_name(b) == name]
            if len(blocks) != 1:
                return None
            # An override file may say what the block's own header does not lead to.
            said = next((a for n in attributes if (a := blocks[0].body.attributes.get(n)) is not None), None)
            if said is not None and said.source is not blocks[0].source:
                return _Spot(said.source, said.start, said.end, True, said)
            return _header(blocks[0])
        if kind == "local":
            attribute = module.locals.get(name)
            if attribute is None or f"local.{name}" in module.duplicates:
                return None
            return _Spot(attribute.source, attribute.start, attribute.end, True, attribute)
        table = {"variable": module.variables, "output": module.outputs, "call": module.calls}.get(kind, {})
        prefix = {"variable": "var", "output": "output", "call": "module"}.get(kind, "")
        block = table.get(name)
        if block is None or f"{prefix}.{name}" in module.duplicates:
            return None
        return _header(block)


# --- choosing among alike blocks -----------------------------------------------------------------------


class _Candidate(msgspec.Struct, frozen=True):
    literals: Mapping[str, Any]
    dynamic: bool
    block: int  # which of the written ones it is


def _choose(candidates: list[_Candidate], index: int | None, elements: list[Any]) -> int:
    """Which of several alike blocks is element `index`. Sets are planned in another order than they are written:
    values written literally decide, then elimination, then the order. Raises _Ambiguous."""
    if len(candidates) == 1:
        return 0
    if index is None or not candidates:
        raise _Ambiguous
    if index >= len(elements):
        if elements or any(c.dynamic for c in candidates) or index >= len(candidates):
            raise _Ambiguous
        return index
    fits = [[i for i, c in enumerate(candidates) if _fits(e, c.literals)] for e in elements]
    mine = fits[index]
    if mine and len({candidates[i].block for i in mine}) == 1:
        return mine[0]
    dynamics = [i for i, c in enumerate(candidates) if c.dynamic]
    order: list[int] = []
    if not dynamics and len(elements) == len(candidates):
        order = list(range(len(candidates)))
    elif len(dynamics) == 1 and len(elements) >= len(candidates) - 1:
        repeat = len(elements) - len(candidates) + 1
        order = [i for i in range(len(candidates)) for _ in range(repeat if i in dynamics else 1)]
    if not order:
        raise _Ambiguous
    if all(order[k] in fits[k] for k in range(len(elements))):
        return order[index]
    if not dynamics:
        left = {k: set(f) for k, f in enumerate(fits)}
        while (sure := next((k for k, f in left.items() if len(f) == 1), None)) is not None:
            (taken,) = left.pop(sure)
            if sure == index:
                return taken
            for f in left.values():
                f.discard(taken)
        if index in left and len(left[index]) == 1:
            return next(iter(left[index]))
    raise _Ambiguous


def _fits(element: Any, literals: Mapping[str, Any]) -> bool:
    if not isinstance(element, dict):
        return False
    return all(name not in element or _same(value, element[name]) for name, value in literals.items())


def _scalar_index(items: Sequence[Item], index: int, wanted: Any) -> int:
    if wanted is not None and all(isinstance(i.value, Literal) for i in items):
        hits = [k for k, i in enumerate(items) if _same(i.value.value, wanted)]
        if len(hits) == 1:
            return hits[0]
    elif index < len(items):
        return index
    raise _Ambiguous


def _literals(body: Body) -> dict[str, Any]:
    return {n: a.expr.value for n, a in body.attributes.items() if isinstance(a.expr, Literal) and a.expr.value is not None}


def _item_literals(item: Item) -> dict[str, Any]:
    if not isinstance(item.value, Object):
        return {}
    return {
        _text(i.key): i.value.value
        for i in item.value.items
        if isinstance(i.value, Literal) and i.value.value is not None
    }


def _same(written: Any, planned: Any) -> bool:
    """Equal once both are text: providers turn `1` into "1" and back."""
    return bool(_scalar(written) == _scalar(planned))


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, Decimal)):
        return str(Decimal(str(value)).normalize())
    if isinstance(value, str):
        try:
            return str(Decimal(value).normalize())
        except ArithmeticError:
            return value.lower().replace(" ", "")  # as providers write places: `West Europe` is `westeurope`
    return value


# --- small readings --------------------------------------------------------------------------------------


def _split(address: str) -> tuple[list[str], str]:
    """`module.a.module.b.t.n` -> (["a", "b"], "t.n"); the address has no keys."""
    names: list[str] = []
    at = 0
    while m := _MODULE.match(address, at):
        names.append(m.group(1))
        at = m.end()
    return names, address[at:]


def _steps(path: str) -> list[tuple[str, int | None]]:
    """`replica[1].region_name` -> [("replica", 1), ("region_name", None)]; nothing for `(always)` or a provider's."""
    if not path or path.startswith(("(", "provider.")):
        return []
    made: list[tuple[str, int | None]] = []
    for name, keys in _STEP.findall(path):
        digits = re.match(r"\[(\d+)\]", keys)
        made.append((name, int(digits.group(1)[:15]) if digits else None))
    return made


def _header(block: Block) -> _Spot:
    return _Spot(block.source, block.start, block.header_end, False)


def _text(key: Any) -> str:
    return str(key.value) if isinstance(key, Literal) else ""


def _dotted(attribute: Attribute | None) -> str:
    names: list[str] = []
    expr = attribute.expr if attribute is not None else None
    while isinstance(expr, GetAttr):
        names.append(expr.name)
        expr = expr.of
    return ".".join([expr.name, *reversed(names)]) if isinstance(expr, Name) else ""


def _required(module: Module, source: str) -> tuple[list[_Spot], set[str]]:
    """The entries of `required_providers` for a source address, and their local names."""
    found: list[_Spot] = []
    names: set[str] = set()
    for settings in module.terraform:
        for block in settings.body.of_type("required_providers"):
            for name, attribute in block.body.attributes.items():
                if isinstance(attribute.expr, Object) and source in (
                    str(i.value.value).lower().removeprefix("registry.terraform.io/")
                    for i in attribute.expr.items
                    if _text(i.key) == "source" and isinstance(i.value, Literal)
                ):
                    found.append(_Spot(attribute.source, attribute.start, attribute.end, True, attribute))
                    names.add(name)
    return found, names


def _provider_name(block: Block) -> str:
    alias = block.body.attributes.get("alias")
    name = block.labels[0] if block.labels else ""
    return f"{name}.{_text(alias.expr)}" if alias is not None else name
