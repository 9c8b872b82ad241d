"""Follows configuration references through variables, module inputs, outputs and `for_each`.

Plan JSON keeps for every expression only the names it mentions, not the expression. A trace therefore
says what an attribute *can* stand for; it is exact where one name leads to one value.
Ids are unknown at plan time: only references tell which subnet or template a resource really uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from auditor.model import UNKNOWN, Answers, ConfigModule, Evidence, ModuleCall, Origin, Plan, Resource, block_address, strip_keys
from auditor.resolve.addresses import call_key, is_key, key_of, last_key, module_of, same_module_instance, steps_of
from auditor.resolve.traces import Target, Trace, constant_trace, descend, indexed, mentioned, picked, unique
from auditor.values import Body, Projection, Value, decode_after, projection_of, shapeless

_MAX_DEPTH: Final = 64  # module trees nest a few levels; a hostile plan must not exhaust the stack
_NAMED: Final = "named "  # `keyed` of a recorded dependency: an instance means those that its own attribute names
OWN: Final = "own"  # `Trace.keyed` where source told what this one instance means
_NAMES: Final = Projection(("arn", "id", "name", "self_link"))
_GONE: Final = (("delete",), ("forget",))


class _PriorModule(msgspec.Struct):
    resources: list[dict[str, Any]] = []
    child_modules: list[_PriorModule] = []


class _PriorValues(msgspec.Struct):
    root_module: _PriorModule = msgspec.field(default_factory=_PriorModule)


class _PriorState(msgspec.Struct):
    """The part of `prior_state` that holds objects."""

    values: _PriorValues | None = None


class _Seen(msgspec.Struct, frozen=True):
    """Instances of a block that one module instance sees."""

    instances: list[Resource]
    by_key: Mapping[str | int | float, list[Resource]]


class References:
    """Reference look-ups over one plan, cached per block and path."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._traces: dict[tuple[str, tuple[str, ...]], Trace] = {}
        self._walked: dict[tuple[str | int, ...], Trace] = {}
        self._names: dict[str, Mapping[str, list[Resource]]] = {}
        self._named_by: dict[tuple[str, tuple[str, ...]], list[Resource]] = {}
        self._visible: dict[tuple[str, str], _Seen] = {}
        self._dynamic: dict[str, Mapping[str, frozenset[str]]] = {}
        # How often other instances were looked at. What was found without is the same in every module instance.
        self.looked = 0
        self._own: dict[tuple[str, tuple[str, ...]], Mapping[str, Trace]] = {}
        self._parts: dict[tuple[str, tuple[str, ...]], Mapping[str, tuple[tuple[Trace, bool], ...]]] = {}

    # --- configuration tree

    @cached_property
    def _modules(self) -> Mapping[str, tuple[ConfigModule, ModuleCall | None]]:
        """Module path ("" or "module.a.module.b") -> its configuration and the call that made it."""
        found: dict[str, tuple[ConfigModule, ModuleCall | None]] = {}
        queue: list[tuple[str, ConfigModule, ModuleCall | None]] = [("", self.plan.configuration.root_module, None)]
        while queue:
            path, module, call = queue.pop()
            found[path] = (module, call)
            for name, child in module.module_calls.items():
                queue.append((f"{path}.module.{name}" if path else f"module.{name}", child.module, child))
        return found

    def expressions(self, block: str, path: tuple[str, ...]) -> list[Any]:
        """The expression objects at an attribute path of a block; walks through nested blocks."""
        config = self.plan.blocks.get(block)
        if config is None:
            return []
        nodes: list[Any] = [config.expressions]
        for depth, step in enumerate(path):
            deeper: list[Any] = []
            for node in nodes:
                if isinstance(node, dict) and ("constant_value" in node or "references" in node):
                    if depth:
                        deeper.append(node)  # a map or object attribute: the expression covers what is below
                    continue
                if isinstance(node, dict) and step in node:
                    inner = node[step]
                    deeper.extend(inner if isinstance(inner, list) else [inner])
            nodes = deeper
        return nodes

    def configured(self, block: str, path: tuple[str, ...]) -> bool:
        """Whether the block's source mentions the attribute. `dynamic` blocks are not in the plan."""
        return bool(self.expressions(block, path))

    def trace(self, block: str, path: tuple[str, ...]) -> Trace:
        """What the attribute of a resource block can stand for."""
        key = (block, path)
        if key not in self._traces:
            total = Trace()
            for node in self.expressions(block, path):
                total = total + self.follow(module_of(block), node, block)
            total = total if not self.plan.dependencies else total + self._recorded(block, path)
            self._traces[key] = total if self.answers is None else self._answered(self.answers, block, path, total)
        return self._traces[key]

    def trace_of(self, resource: Resource, block: str, path: tuple[str, ...]) -> Trace:
        """The same for one instance of the block: source may tell what each of them means."""
        trace = self.trace(block, path)
        own = self._own.get((block, path))
        return own.get(resource.address, trace) if own is not None else trace

    def part_of(self, resource: Resource, block: str, path: tuple[str, ...], values: Sequence[Value], at: str) -> Trace:
        """The same for one value: of several blocks that a `dynamic` one makes, the one whose value it is.

        Values that wait for apply and the expressions that make them come in the same order: one each, and in a set, which
        has an order of its own, which is which changes nothing. So do those that are known.
        """
        made = self._parts.get((block, path), {}).get(resource.address)
        if made is None:
            return self.trace_of(resource, block, path)
        waits = next((v.value is UNKNOWN for v in values if v.path == at), True)
        parts = [t for t, later in made if later is waits]
        paths = [v.path for v in values if (v.value is UNKNOWN) is waits]
        if len(parts) == len(paths) and at in paths:
            return parts[paths.index(at)]
        return self.trace_of(resource, block, path) if waits else Trace()

    def every_part(self, resource: Resource, block: str, path: tuple[str, ...], values: Sequence[Value]) -> bool:
        """Whether a block that is unknown as a whole stands for several that a `dynamic` one makes, each with one meaning:
        what they mean together is then all of it, not a choice."""
        parts = self._parts.get((block, path), {}).get(resource.address, ())
        return len(values) == 1 and len(parts) > 1 and all(len(t.targets) == 1 for t, _ in parts)

    def own(self, resource: Resource, block: str, path: tuple[str, ...]) -> tuple[Target, ...] | None:
        """What source alone tells of one instance; None where it tells nothing of its own."""
        self.trace(block, path)
        held = self._own.get((block, path))
        return held[resource.address].targets if held is not None and resource.address in held else None

    @cached_property
    def answers(self) -> Answers | None:
        """What the plan's source says of its expressions; None where it is not at hand."""
        return self.plan.answers(self.plan, self.recorded) if self.plan.answers is not None else None

    def recorded(self, block: str) -> Mapping[str, Body]:
        """Objects of a block in `prior_state` by address: data sources that were read."""
        return {
            address: Body(_object(r.get("values")), {}, msgspec.json.encode(r.get("sensitive_values")))
            for address, r in self._prior.get(block, {}).items()
        }

    def _answered(self, answers: Answers, block: str, path: tuple[str, ...], trace: Trace) -> Trace:
        """A trace as the source has it: `slice(aws_subnet.a[*].id, 0, 1)` means fewer than all that it mentions.

        Source that disagrees with the plan, or says the same, changes nothing.
        """
        nodes = self.expressions(block, path)
        node = nodes[0] if len(nodes) == 1 else None
        told = isinstance(node, dict) and node.get("references") and answers.names(block, path, node)
        if not told and (nodes or self.plan.kind == "state"):
            return trace
        found = answers.argument(block, path)
        if found is None or ((found.parts is not None) is bool(nodes) and self.plan.kind != "hcl"):
            return trace
        if not found.complete:
            unsure = found.computed and trace.targets and not trace.unresolved
            named = f"the expression in {found.where[0]}:{found.where[1]}"
            return replace(trace, unresolved=(named,), unsure=True) if unsure else trace
        if not any(found.per.values()):
            return trace
        narrowed: dict[str, Trace] = {}
        same = True
        for r in self.plan.by_block.get(block, ()):
            wanted = found.per.get(r.address, ())
            seen = {x.address for x in self.instances(r, trace)}
            meant = {o.address for o in wanted}
            if not trace.unresolved and found.parts is None and not meant <= seen:
                return trace  # made from other source
            same = same and meant == seen and not (trace.unresolved or trace.unsure)
            targets = _targets(wanted)
            narrowed[r.address] = made = replace(
                trace, targets=targets, unresolved=(), keyed="", loose=(), mixed=len(targets) > 1,
                constants=found.constants, unsure=False, picks=False,
                steps=(Evidence(f"{'.'.join(path)} as its source has it", *found.where), *trace.steps),
            )  # fmt: skip
            if {x.address for x in self.instances(r, made)} != {a for a in meant if self._is_planned(a)}:
                return trace  # instances of several module instances, which a target does not tell apart
        traces = list({t.targets: t for t in narrowed.values()}.values())
        if same or not traces:
            return trace
        if len(traces) == 1 and not trace.unresolved and not trace.mixed and found.parts is None:
            return traces[0]
        # Told to those who ask for one instance. The ladder of locations goes by what the plan alone says, so that a
        # finding keeps its path, and its identity, whether source is at hand or not.
        self._own[(block, path)] = {a: replace(t, keyed=OWN) for a, t in narrowed.items()}
        if found.parts is not None:
            self._parts[(block, path)] = {
                a: tuple((replace(narrowed[a], targets=_targets(o), keyed=OWN, mixed=len(o) > 1), later) for o, later in parts)
                for a, parts in found.parts.items()
            }
        return trace

    def _is_planned(self, address: str) -> bool:
        found = self.plan.by_block.get(strip_keys(address), ())
        return any(r.address == address and r.change.actions not in _GONE for r in found)

    def _recorded(self, block: str, path: tuple[str, ...]) -> Trace:
        """State has no expressions: a dependency whose id or name the attribute holds is what it refers to."""
        targets: dict[Target, None] = {}
        for r in self.plan.by_block.get(block, ()):
            named = self._texts(r, path)
            for dependency in dict.fromkeys(map(strip_keys, self.plan.dependencies.get(r.address, ()))) if named else ():
                called = self._called(dependency)
                if any(n in called for n in named):
                    targets[Target(dependency, None, ("id",))] = None
        return Trace(targets=tuple(targets), keyed=f"{_NAMED}{'.'.join(path)}" if targets else "")

    def _texts(self, resource: Resource, path: tuple[str, ...]) -> tuple[str, ...]:
        """The texts that an attribute holds."""
        values = projection_of(frozenset(path[:1])).after(resource).get(path)
        return tuple(dict.fromkeys(v.value for v in values if isinstance(v.value, str) and v.value))

    def _called(self, block: str) -> Mapping[str, list[Resource]]:
        """The instances of a block by all that others may call them by."""
        if block not in self._names:
            found: dict[str, list[Resource]] = {}
            for r in self.plan.by_block.get(block, ()):
                for name in dict.fromkeys(v for v in _NAMES.after(r).values.values() if isinstance(v, str) and v):
                    found.setdefault(name, []).append(r)
            self._names[block] = found
        return self._names[block]

    def _meant(self, resource: Resource, block: str, path: tuple[str, ...]) -> list[Resource]:
        """Of a recorded dependency, the instances that this one names: the same list for the same names."""
        key = (block, self._texts(resource, path))
        if key not in self._named_by:
            called = self._called(block)
            self._named_by[key] = list({r.address: r for n in key[1] for r in called.get(n, ())}.values())
        return self._named_by[key]

    def dynamic(self, resource: Resource, block: str, path: tuple[str, ...]) -> bool:
        """Whether the plan's source, where it is at hand, writes the block at a path as a `dynamic` one that may make some."""
        if self.answers is None:
            return False
        if block not in self._dynamic:
            self._dynamic[block] = self.answers.dynamic(block)
        none = self._dynamic[block].get(".".join(path))
        return none is not None and resource.address not in none

    def left_out(self, block: str, path: tuple[str, ...]) -> bool:
        """Whether the plan's source, where it is at hand, writes the block around an attribute without the attribute."""
        return self.answers is not None and len(path) > 1 and self.answers.leaves_out(block, path)

    def wrote_null(self, block: str, path: tuple[str, ...], hidden: tuple[str, ...] = (), word: bool = False) -> bool:
        """Whether a computed attribute that is unknown was written as null: nothing it names could make it unknown.

        `region = var.region`, and nobody gave one. `hidden`: kinds of names that cannot be followed and are taken for known.
        `word`: no resource gives such a value; what else stands in the map given to `for_each` is not meant.
        Terraform knows every variable at plan time; a source scan does not.
        """
        if self.plan.kind == "hcl":
            return False
        trace = self.trace(block, path)
        meant = set(trace.targets) - set(trace.loose) if word else trace.targets
        if not meant and all(u.startswith(("var.", *hidden)) for u in trace.unresolved):
            return True
        return self.answers is not None and self._null_in_source(self.answers, block, path)

    def _null_in_source(self, answers: Answers, block: str, path: tuple[str, ...]) -> bool:
        """Whether the expression comes to null for every planned instance, as the source has it."""
        nodes = self.expressions(block, path)
        node = nodes[0] if len(nodes) == 1 else None
        if not isinstance(node, dict) or not answers.names(block, path, node):
            return False
        found = answers.argument(block, path)
        return found is not None and found.complete and not found.constants and not any(found.per.values())

    def follow(
        self, module: str, node: Any, block: str = "", rest: tuple[str | int, ...] = (), depth: int = 0
    ) -> Trace:
        """Trace an expression object written in a module ("" is the root)."""
        if depth > _MAX_DEPTH:
            return Trace(unresolved=("references nested too deeply",))
        if isinstance(node, list):
            total = Trace()
            for item in node:
                total = total + self.follow(module, item, block, rest, depth + 1)
            return total
        if not isinstance(node, dict):
            return Trace()
        if "constant_value" in node:
            value = descend(node["constant_value"], rest)
            if value is None:
                return Trace()
            made = Trace(constants=tuple(value) if isinstance(value, list) else (value,))
            if isinstance(node.get("references"), list):
                # evaluated from source: what it mentions tells the steps and whether it is secret
                named = self._named(module, node, block, rest, depth)
                made = replace(made, steps=named.steps, sensitive=named.sensitive or bool(node.get("sensitive")))
            return made
        if isinstance(node.get("references"), list):  # else an attribute of that name
            total = self._named(module, node, block, rest, depth)
            if node.get("unknown"):  # evaluated from source, without a value: no name it mentions stands for it
                names = tuple(str(r) for r in node["references"]) or ("an expression",)
                total = replace(total, constants=(), unresolved=unique((*total.unresolved, *names)))
            return total
        total = Trace()
        for inner in node.values():
            total = total + self.follow(module, inner, block, (), depth + 1)
        return total

    def _named(self, module: str, node: dict[str, Any], block: str, rest: tuple[str | int, ...], depth: int) -> Trace:
        """The sum over all names that an expression mentions."""
        total = Trace()
        names, whole = mentioned((str(r) for r in node["references"]), self.plan.kind != "hcl")
        for reference in names:
            total = total + self._reference(module, reference, block, rest, depth + 1)
        if len(names) + len(whole) < 2:
            return total
        own = any(n.startswith(("each.", "count.")) for n in names)
        picks = total.picks or (own and any(t.key is None for t in total.targets))
        for reference in whole:  # all of it, or no more than a condition
            total = total + self._reference(module, reference, block, rest, depth + 1)
        return replace(total, mixed=True, picks=picks, unsure=total.unsure or bool(whole))

    def _reference(self, module: str, reference: str, block: str, rest: tuple[str | int, ...], depth: int) -> Trace:
        steps = steps_of(reference)
        if not steps:
            return Trace()
        head = steps[0]
        if head in ("each", "count"):
            keyed = str(head) if len(steps) > 1 and steps[1] in ("key", "value", "index") else ""
            return self._each(module, steps, block, rest, depth, keyed)
        if (head in ("var", "module")) and len(steps) > 1:
            return self._once(module, steps, rest, depth)
        if head in ("local", "path", "terraform", "self"):
            return Trace(unresolved=(reference,) if head != "path" else ())
        return self._resource(module, steps, rest)

    def _each(
        self, module: str, steps: list[str | int], block: str, rest: tuple[str | int, ...], depth: int, keyed: str
    ) -> Trace:
        """`each.value` or a key: what `for_each` of the resource, or of the module call being followed, is made of."""
        config = self.plan.blocks.get(block)
        over = config.for_each_expression if config is not None else None
        if config is None and block in self._modules:
            call = self._modules[block][1]
            over = call.for_each_expression if call is not None else None
            keyed = keyed and f"{keyed} {block}"
        if steps[0] != "each" or over is None:
            return Trace(keyed=keyed)
        inner = self.follow(module, over, "", tuple(steps[2:]) + rest, depth)
        # `for_each = aws_subnet.s`: mine has my key; `{a = aws_subnet.s.id}` is a map that mentions one
        below = tuple(str(key_of(s)) if is_key(s) else str(s) for s in (*steps[2:], *rest))
        whole = len(inner.targets) == 1 and inner.targets[0].key is None and inner.targets[0].attribute == below
        if steps[1:2] == ["value"] and not inner.targets and (len(steps) > 2 or not self._is_set(module, over, depth)):
            keyed = ""  # an element of a map: `aws_subnet.s[each.value.name]` is any of them
        return replace(inner, keyed=keyed, loose=() if whole else inner.targets)

    def _is_set(self, module: str, over: Any, depth: int) -> bool:
        """Whether what `for_each` goes over has equal keys and values, as far as the plan says."""
        trace = self.follow(module, over, "", (), depth)
        return not trace.unresolved and not any(isinstance(c, Mapping) for c in trace.constants)

    def _once(self, module: str, steps: list[str | int], rest: tuple[str | int, ...], depth: int) -> Trace:
        """A variable or output, walked once: names that mention many names would else be walked along every path."""
        key = (module, *steps, "", *rest)
        if key not in self._walked:
            self._walked[key] = Trace(unresolved=("references nested too deeply",))  # a cycle ends here
            if steps[0] == "var":
                self._walked[key] = self._variable(module, str(steps[1]), tuple(steps[2:]) + rest, depth)
            else:
                self._walked[key] = self._output(module, steps, rest, depth)
        return self._walked[key]

    def _resource(self, module: str, steps: list[str | int], rest: tuple[str | int, ...]) -> Trace:
        is_data = steps[0] == "data"
        needed = 3 if is_data else 2
        if len(steps) < needed or any(is_key(s) for s in steps[:needed]):
            return Trace(unresolved=(".".join(map(str, steps)),))
        address = ".".join(str(s) for s in steps[:needed])
        tail = steps[needed:]
        key: str | int | None = None
        if tail and is_key(tail[0]):
            key = key_of(tail[0])
            tail = tail[1:]
        attribute = tuple(str(key_of(s)) if is_key(s) else str(s) for s in (*tail, *rest))
        return Trace(targets=(Target(f"{module}.{address}" if module else address, key, attribute),))

    def _variable(self, module: str, name: str, rest: tuple[str | int, ...], depth: int) -> Trace:
        found = self._modules.get(module)
        if found is None:
            return Trace(unresolved=(f"var.{name}",))
        config, call = found
        declared = config.variables.get(name, {})
        sensitive = bool(declared.get("sensitive"))
        where = f"variable {name}" if not module else f"input {name} of {module}"
        if call is None:
            given = self.plan.variables.get(name)
            value = given.get("value") if isinstance(given, Mapping) else declared.get("default")
            inner = constant_trace(descend(value, rest), f"var.{name}")
        elif name in call.expressions:
            parent = module.rpartition("module.")[0].rstrip(".")
            inner = picked(self.follow(parent, call.expressions[name], module, rest, depth), rest)
        else:
            inner = constant_trace(descend(declared.get("default"), rest), f"var.{name}")
        step = Evidence(where, ref=("input" if module else "variable", module, name))
        return replace(inner, steps=(step, *inner.steps), sensitive=inner.sensitive or sensitive)

    def _output(self, module: str, steps: list[str | int], rest: tuple[str | int, ...], depth: int) -> Trace:
        child = f"{module}.module.{steps[1]}" if module else f"module.{steps[1]}"
        tail = steps[2:]
        if tail and is_key(tail[0]):
            tail = tail[1:]
        found = self._modules.get(child)
        if found is None or not tail:
            return Trace(unresolved=(".".join(map(str, steps)),))
        output = found[0].outputs.get(str(tail[0]))
        if output is None:
            return Trace(unresolved=(f"{child}.{tail[0]}",))
        inner = self.follow(child, output.get("expression"), "", (), depth)
        inner = indexed(inner, tail[1:])
        sensitive = inner.sensitive or bool(output.get("sensitive"))
        step = Evidence(f"output {tail[0]} of {child}", ref=("output", child, str(tail[0])))
        return replace(inner, steps=(step, *inner.steps), sensitive=sensitive)

    # --- instances

    def instances(self, resource: Resource, trace: Trace) -> list[Resource]:
        """The planned instances a trace of one of `resource`'s attributes can mean, deletions left out."""
        found: list[Resource] = []
        for target in trace.targets:
            found.extend(self.instances_of(resource, target, trace.keyed))
        return list({r.address: r for r in found}.values())

    def instances_of(self, resource: Resource, target: Target, keyed: str = "") -> list[Resource]:
        """The planned instances of one target, as seen from `resource` (same module instance, same key)."""
        self.looked += 1
        if keyed.startswith(_NAMED):
            return self._meant(resource, target.block, tuple(keyed.removeprefix(_NAMED).split(".")))
        seen = self._seen(target.block, resource.module_address)
        all_ = seen.instances
        if target.key is not None:
            return seen.by_key.get(target.key) or _nth(seen, target.key) or all_
        word, _, call = keyed.partition(" ")
        index = call_key(resource.module_address, call) if call else resource.index
        if index is not None and word and word != OWN and len(all_) > 1:
            mine = seen.by_key.get(index)
            if mine and (word == "each" or call or self._siblings(resource) == len(all_)):
                return mine
        return all_

    def _siblings(self, resource: Resource) -> int:
        block = block_address(resource)
        return len(self._seen(block, resource.module_address).instances)

    @cached_property
    def _by_module(self) -> Mapping[str, dict[str, list[Resource]]]:
        """Block address -> module instance -> its planned instances, in plan order."""
        found: dict[str, dict[str, list[Resource]]] = {}
        for block, resources in self.plan.by_block.items():
            modules: dict[str, list[Resource]] = {}
            for r in resources:
                if r.change.actions not in _GONE:
                    modules.setdefault(r.module_address, []).append(r)
            found[block] = modules
        return found

    def _seen(self, block: str, module_address: str) -> _Seen:
        key = (block, module_address)
        if key not in self._visible:
            modules = self._by_module.get(block, {})
            same = [m for m in modules if same_module_instance(module_address, m)] if module_address else []
            all_ = [r for m in same or modules for r in modules[m]]
            by_key: dict[str | int | float, list[Resource]] = {}
            for r in all_:
                if r.index is not None:
                    by_key.setdefault(r.index, []).append(r)
            self._visible[key] = _Seen(all_, by_key)
        return self._visible[key]

    @cached_property
    def _prior(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Objects of `prior_state` by block and address: decoded only when a data source is asked for."""
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        try:
            state = msgspec.json.decode(self.plan.prior_state, type=_PriorState | None) or _PriorState()
        except msgspec.DecodeError as e:
            raise shapeless(f"{self.plan.path}: prior_state", e) from e
        queue = [(state.values or _PriorValues()).root_module]
        while queue:
            module = queue.pop()
            for r in module.resources:
                address = str(r.get("address"))
                found.setdefault(strip_keys(address), {})[address] = r
            queue.extend(module.child_modules)
        return found

    def values(self, resource: Resource | None, target: Target, keyed: str = "") -> list[Value]:
        """The values a target's attribute has in the plan or in prior state; empty when not in either."""
        found: list[Value] = []
        if resource is not None:
            for r in self.instances_of(resource, target, keyed):
                got = decode_after(r).get(target.attribute) if target.attribute else []
                found.extend(Value(f"{r.address}.{v.path}", v.value, v.sensitive) for v in got)
        else:
            for r in self.plan.by_block.get(target.block, ()):
                if target.attribute and (target.key is None or r.index == target.key):
                    got = decode_after(r).get(target.attribute)
                    found.extend(Value(f"{r.address}.{v.path}", v.value, v.sensitive) for v in got)
        if found or target.block in self.plan.by_block:
            return found
        for address, held in self._prior_of(target):
            value = descend(held.get("values") or {}, target.attribute)
            if value is None or isinstance(value, (dict, list)):
                continue
            found.append(Value(address, value, _marked(held.get("sensitive_values"), target.attribute)))
        return found

    def _prior_of(self, target: Target) -> list[tuple[str, Mapping[str, Any]]]:
        """Prior-state objects of a target: all instances, or the one its key names."""
        return [
            (address, r)
            for address, r in self._prior.get(target.block, {}).items()
            if target.key is None or r.get("index") == target.key
        ]

    def prior_bodies(self, target: Target) -> list[tuple[Resource, Mapping[str, Any], bytes]]:
        """What prior state holds of a target (a data source, say): a bodiless resource, its values, its sensitive marks."""
        return [
            (
                Resource(
                    address, str(r.get("type")), str(r.get("name")), str(r.get("mode")),
                    str(r.get("provider_name") or ""), index=r.get("index"),
                ),
                _object(r.get("values")),
                msgspec.json.encode(r.get("sensitive_values")),
            )
            for address, r in self._prior_of(target)
        ]  # fmt: skip


def _targets(origins: Iterable[Origin]) -> tuple[Target, ...]:
    return unique(Target(strip_keys(o.address), last_key(o.address), o.path) for o in origins)


def _nth(seen: _Seen, key: str | int) -> list[Resource]:
    """A list made from a `for_each` block is in the order of its keys, as Terraform sorts them."""
    if not isinstance(key, int) or not all(isinstance(k, str) for k in seen.by_key) or len(seen.by_key) != len(seen.instances):
        return []
    keys = sorted(str(k) for k in seen.by_key)
    return seen.by_key[keys[key]] if key < len(keys) else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _marked(marks: Any, path: Iterable[str | int]) -> bool:
    """Whether the value under `path`, or anything that holds it, is marked sensitive."""
    steps = tuple(path)
    return any(descend(marks, steps[:n]) is True for n in range(len(steps) + 1))
