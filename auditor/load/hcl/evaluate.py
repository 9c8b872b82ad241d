"""Evaluates expressions of one source tree without Terraform. What only a plan can tell is UNKNOWN and stays so.

Every step spends from a budget, depth is bounded by the interpreter's own limit (raised by `scan.py`), collections and
strings by `values.py`: no file can make this run for long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from auditor.load.hcl.address_functions import ADDRESS_FUNCTIONS
from auditor.load.hcl.encoding_functions import ENCODING_FUNCTIONS
from auditor.load.hcl.folders import Folders
from auditor.load.hcl.functions import FUNCTIONS, SHAPE_ONLY
from auditor.load.hcl.instances import Env, Expansion, Instance, WrittenResource, gathered
from auditor.load.hcl.operators import collected, each_items, one_type, operate, pairs_of
from auditor.load.hcl.special_functions import SPECIAL
from auditor.load.hcl.text_functions import TEXT_FUNCTIONS
from auditor.load.hcl.time_functions import TIME_FUNCTIONS
from auditor.load.hcl.values import (
    LATER,
    MAX_ITEMS,
    Budget,
    EvalError,
    Sensitive,
    Set,
    TooMuch,
    bounded,
    is_later,
    is_number,
    is_partial,
    to_bool,
    to_number,
    to_string,
    unmark,
    wholly_known,
)
from auditor.load.hcl.yaml_functions import YAML_FUNCTIONS
from auditor.model import UNKNOWN
from auditor.syntax import (
    Binary,
    Block,
    Call,
    Conditional,
    Element,
    For,
    GetAttr,
    GetIndex,
    Literal,
    Name,
    Object,
    Splat,
    Template,
    TemplateFor,
    Tuple,
    Unary,
)

PURE: Final[Mapping[str, Callable[..., Any]]] = {
    **FUNCTIONS, **TEXT_FUNCTIONS, **ENCODING_FUNCTIONS, **ADDRESS_FUNCTIONS, **TIME_FUNCTIONS, **YAML_FUNCTIONS,
}
MAX_INSTANCES: Final = 20_000  # of one block
_FAILURES: Final = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError)


class _Space:
    """`var`, `local`, `module`, a resource type ...: what stands before the first dot."""

    __slots__ = ("look",)

    def __init__(self, look: Callable[[str], Any]) -> None:
        self.look = look

    def attribute(self, name: str) -> Any:
        return self.look(name)


class Evaluator:
    """One evaluation of one source tree. `inputs` are the root module's variables as given."""

    def __init__(
        self, inputs: Mapping[str, Any], folders: Folders | None, workspace: str = "", steps: int = 20_000_000
    ) -> None:
        self.inputs = inputs
        self.folders = folders
        self.workspace = workspace
        self.budget = Budget(steps)
        self.instances = 0

    def count_instance(self, block: Block) -> None:
        self.instances += 1
        if self.instances > 10 * MAX_INSTANCES:
            raise TooMuch(f"{block.source.where(block.start)}: more than {10 * MAX_INSTANCES} instances in all")

    def selected(self) -> str:
        """The workspace; "" where it is not known."""
        return self.workspace

    def seen(self, instance: Instance, address: str, key: Any, block: Block, env: Env) -> Any:
        """A resource instance as other expressions see it."""
        return WrittenResource(block, env, self)

    # --- entry points

    def quiet(self, expr: Any, env: Env) -> Any:
        """The value, UNKNOWN where Terraform would refuse the expression: the plan would say so, not this scan."""
        try:
            return self.eval(expr, env)
        except EvalError:
            return UNKNOWN

    def eval(self, expr: Any, env: Env) -> Any:
        if type(expr) is Literal:
            return expr.value
        self.budget.spend()
        return _EVALUATE[type(expr)](self, expr, env)

    def expand(self, block: Block, env: Env) -> Expansion:
        """The instances of a resource, module or dynamic block."""
        where = block.source.where(block.start)
        count, each = block.body.attributes.get("count"), block.body.attributes.get("for_each")
        if count is not None:
            value = unmark(self.quiet(count.expr, env), self.budget)[0]
            try:
                number = to_number(value)
            except EvalError:
                number = UNKNOWN
            if not isinstance(number, int) or number < 0:
                return Expansion("unknown", None, f"count is not known ({where})")
            if number > MAX_INSTANCES:
                raise TooMuch(f"{where}: count = {number} makes too many instances to read")
            return Expansion("count", [(i, i) for i in range(number)])
        if each is not None:
            value = unmark(self.quiet(each.expr, env), self.budget)[0]
            items = each_items(value, block.type == "dynamic")
            if items is None:
                return Expansion("unknown", None, f"for_each is not known ({where})")
            if len(items) > MAX_INSTANCES:
                raise TooMuch(f"{where}: for_each makes {len(items)} instances, too many to read")
            return Expansion("each", items)
        return self._enabled(block, env, where)

    def _enabled(self, block: Block, env: Env, where: str) -> Expansion:
        """A block without count and for_each: one instance, unless OpenTofu's `lifecycle.enabled` says none."""
        lifecycles = block.body.of_type("lifecycle")
        enabled = next((e for b in lifecycles if (e := b.body.attributes.get("enabled")) is not None), None)
        if enabled is None or block.type == "dynamic":
            return Expansion("single", [(None, None)])
        try:
            value = to_bool(unmark(self.quiet(enabled.expr, env), self.budget)[0])
        except EvalError:
            value = UNKNOWN
        if not isinstance(value, bool):
            return Expansion("unknown", None, f"lifecycle.enabled is not known ({where})")
        return Expansion("single", [(None, None)]) if value else Expansion("count", [])

    # --- names

    def _name(self, e: Name, env: Env) -> Any:
        if e.name in env.names:
            return env.names[e.name]
        instance = env.instance
        if instance is None:
            raise EvalError(f"no such name: {e.name}")
        match e.name:
            case "var":
                return _Space(instance.variable)
            case "local":
                return _Space(instance.local)
            case "module":
                return _Space(lambda name: self._module(instance, name))
            case "data":
                return _Space(lambda type_: _Space(lambda name: instance.resource(f"data.{type_}.{name}")))
            case "each":
                if env.each is None:
                    raise EvalError("each without for_each")
                return {"key": env.each[0], "value": env.each[1]}
            case "count":
                if env.count is None:
                    raise EvalError("count.index without count")
                return {"index": env.count}
            case "path":
                return {"module": instance.module.folder or ".", "root": ".", "cwd": UNKNOWN}
            case "terraform" | "tofu":
                return {"workspace": self.selected() or UNKNOWN, "applying": UNKNOWN, "env": UNKNOWN}
            case "self":
                return UNKNOWN
            case "resource":
                return _Space(lambda type_: _Space(lambda name: instance.resource(f"{type_}.{name}")))
            case "ephemeral":
                return UNKNOWN
        return _Space(lambda name: instance.resource(f"{e.name}.{name}"))

    def _module(self, instance: Instance, name: str) -> Any:
        if name not in instance.module.calls:
            raise EvalError(f"no module {name}")
        found = instance.child(name)
        if found is None or found[0].keys is None:
            return UNKNOWN
        return gathered(found[0], [(key, _Space(child.output)) for key, child in found[1]])

    def _element(self, e: Element, env: Env) -> Any:
        return env.element

    # --- traversal

    def _getattr(self, e: GetAttr, env: Env) -> Any:
        return self._step(self.eval(e.of, env), e.name)

    def _step(self, of: Any, name: Any) -> Any:
        if of is UNKNOWN:
            return UNKNOWN
        if isinstance(of, Sensitive):
            return Sensitive(self._step(of.value, name))
        if is_partial(of):
            return of.attribute(str(name))
        if isinstance(of, dict):
            if name not in of:
                raise EvalError(f"no attribute {name}")
            return of[name]
        raise EvalError(f"no attribute {name} there")

    def _getindex(self, e: GetIndex, env: Env) -> Any:
        of, key = self.eval(e.of, env), self.eval(e.key, env)
        hidden = isinstance(of, Sensitive) or isinstance(key, Sensitive)
        of = of.value if isinstance(of, Sensitive) else of
        key = key.value if isinstance(key, Sensitive) else key
        value = self._at(of, key)
        return Sensitive(value) if hidden else value

    def _at(self, of: Any, key: Any) -> Any:
        if of is UNKNOWN or is_later(key):
            return UNKNOWN
        if key is None:
            raise EvalError("the key is null")
        if isinstance(of, (list, tuple)) and not isinstance(of, Set):
            at = to_number(key)
            if not isinstance(at, int) or not 0 <= at < len(of):
                raise EvalError("no such element")
            return of[at]
        if isinstance(of, dict) or is_partial(of):
            return self._step(of, to_string(key))
        raise EvalError("no element there")

    def _splat(self, e: Splat, env: Env) -> Any:
        of = self.eval(e.of, env)
        hidden = isinstance(of, Sensitive)
        of = of.value if hidden else of
        if of is UNKNOWN or of is LATER:
            return UNKNOWN
        items = list(of) if isinstance(of, (list, tuple)) else [] if of is None else [of]
        self.budget.spend(len(items))
        made = []
        for item in items:
            inner = Env(env.instance, env.each, env.count, env.names, item)
            made.append(self.eval(e.each, inner))
        value: Any = made if isinstance(of, (list, Set)) else tuple(made)
        return Sensitive(value) if hidden else value

    # --- constructors

    def _tuple(self, e: Tuple, env: Env) -> Any:
        return tuple([self.eval(i.value, env) for i in e.items])

    def _object(self, e: Object, env: Env) -> Any:
        made: dict[str, Any] = {}
        for item in e.items:
            key = self.eval(item.key, env)
            key = to_string(key.value if isinstance(key, Sensitive) else key)
            if key is UNKNOWN:
                return UNKNOWN
            if key is None:
                raise EvalError("a key is null")
            made[key] = self.eval(item.value, env)
        return made

    def _for(self, e: For, env: Env) -> Any:
        of = self.eval(e.of, env)
        hidden = isinstance(of, Sensitive)
        pairs = pairs_of(of.value if hidden else of)
        if pairs is None:
            return Sensitive(UNKNOWN) if hidden else UNKNOWN
        rows: list[tuple[Any, Any]] = []
        self.budget.spend(len(pairs))
        for key, value in pairs:
            inner = env.naming({e.key_name: key, e.value_name: value} if e.key_name else {e.value_name: value})
            if e.test is not None:
                passed, mark = unmark(self.eval(e.test, inner), self.budget)
                hidden = hidden or mark
                passed = to_bool(passed)
                if passed is UNKNOWN:
                    return Sensitive(UNKNOWN) if hidden else UNKNOWN
                if passed is None:
                    raise EvalError("the condition is null")
                if not passed:
                    continue
            made_key = None
            if e.key is not None:
                made_key, mark = unmark(self.eval(e.key, inner), self.budget)
                hidden = hidden or mark
                made_key = to_string(made_key)
                if made_key is UNKNOWN:
                    return Sensitive(UNKNOWN) if hidden else UNKNOWN
                if made_key is None:
                    raise EvalError("a key is null")
            rows.append((made_key, self.eval(e.value, inner)))
            if len(rows) > MAX_ITEMS:
                raise TooMuch("a for expression makes too many elements")
        made = collected(e, rows)
        return Sensitive(made) if hidden else made

    def _template(self, e: Template, env: Env) -> Any:
        made: list[str] = []
        hidden = unknown = False
        for part in e.parts:
            value = self.eval(part, env)
            if isinstance(value, Sensitive):
                hidden, value = True, value.value
            text = UNKNOWN if is_partial(value) else to_string(value)
            if text is None:
                raise EvalError("null in a template")
            if text is UNKNOWN:
                unknown = True
            else:
                made.append(str(text))
        whole: Any = UNKNOWN if unknown else bounded("".join(made))
        return Sensitive(whole) if hidden else whole

    def _template_for(self, e: TemplateFor, env: Env) -> Any:
        return self._template_join(self._for(For(e.key_name, e.value_name, e.of, None, e.body, None), env))

    def _template_join(self, value: Any) -> Any:
        if isinstance(value, Sensitive):
            return Sensitive(self._template_join(value.value))
        if value is UNKNOWN or not wholly_known(value, self.budget):
            return UNKNOWN
        plain, hidden = unmark(value, self.budget)
        text = bounded("".join(to_string(v) for v in plain))
        return Sensitive(text) if hidden else text

    # --- operators

    def _conditional(self, e: Conditional, env: Env) -> Any:
        test, hidden = unmark(self.eval(e.test, env), self.budget)
        test = to_bool(UNKNOWN if is_partial(test) else test)
        if test is UNKNOWN:
            return Sensitive(UNKNOWN) if hidden else UNKNOWN
        if test is None:
            raise EvalError("the condition is null")
        chosen, other = (e.then, e.other) if test else (e.other, e.then)
        value = self.eval(chosen, env)
        if isinstance(value, (bool, tuple)) or type(value) is dict or is_number(value):
            beside = self.quiet(other, env)
            value = one_type(value, beside.value if isinstance(beside, Sensitive) else beside)
        return Sensitive(value) if hidden else value

    def _unary(self, e: Unary, env: Env) -> Any:
        value = self.eval(e.of, env)
        hidden = isinstance(value, Sensitive)
        value = value.value if hidden else value
        made: Any = UNKNOWN
        if value is not UNKNOWN and not is_partial(value):
            if value is None:
                raise EvalError("the operand is null")
            made = not to_bool(value) if e.op == "!" else -to_number(value)
        return Sensitive(made) if hidden else made

    def _binary(self, e: Binary, env: Env) -> Any:
        left = self.eval(e.left, env)
        try:
            right = self.eval(e.right, env)
        except EvalError:
            plain = left.value if isinstance(left, Sensitive) else left
            if plain is {"&&": False, "||": True}.get(e.op):
                return left  # it decides, since Terraform 1.12 whatever the other one is
            raise
        hidden = isinstance(left, Sensitive) or isinstance(right, Sensitive)
        if hidden or isinstance(left, (dict, list, tuple)) or isinstance(right, (dict, list, tuple)):
            left, mark = unmark(left, self.budget)
            right, other = unmark(right, self.budget)
            hidden = mark or other
        made = operate(e.op, left, right, self.budget)
        return Sensitive(made) if hidden else made

    # --- functions

    def _call(self, e: Call, env: Env) -> Any:
        name = e.name.removeprefix("core::")
        special = SPECIAL.get(name)
        if special is not None:
            return special(self, e, env)
        args = self.arguments(e, env)
        if args is None:
            return UNKNOWN
        return self._apply(name, args)

    def arguments(self, e: Call, env: Env) -> list[Any] | None:
        """Evaluated arguments, `...` spread out; None where what is spread is unknown."""
        args = [self.eval(a, env) for a in e.args]
        if e.expand:
            last = args.pop()
            hidden = isinstance(last, Sensitive)
            last = last.value if hidden else last
            if last is UNKNOWN or is_partial(last):
                return None
            if not isinstance(last, (list, tuple)):
                raise EvalError("only a list can be spread")
            args.extend(Sensitive(v) for v in last) if hidden else args.extend(last)
        return args

    def _apply(self, name: str, given: list[Any]) -> Any:
        """A pure function: sensitive in, sensitive out; unknown in, unknown out, elements aside where shape decides."""
        function = PURE.get(name)
        if function is None:
            return UNKNOWN
        args: list[Any] = []
        hidden = False
        for value in given:
            plain, mark = unmark(value, self.budget)
            hidden = hidden or mark
            args.append(plain)
        made = self._known(name, function, args)
        return Sensitive(made) if hidden else made

    def _known(self, name: str, function: Callable[..., Any], args: list[Any]) -> Any:
        if any(a is UNKNOWN or is_partial(a) for a in args):
            return UNKNOWN
        if name not in SHAPE_ONLY and not all(wholly_known(a, self.budget) for a in args):
            return UNKNOWN
        if name in ("tolist", "tomap") and not all(_one_kind(a) or wholly_known(a, self.budget) for a in args):
            return UNKNOWN
        self.budget.spend(sum(len(a) for a in args if isinstance(a, (str, list, tuple, dict))) // 4 + 1)
        try:
            return function(*args)
        except _FAILURES as e:  # a wrong type or number of arguments: Terraform refuses it, too
            raise EvalError(f"{name}: {type(e).__name__}") from e


def _one_kind(value: Any) -> bool:
    """Whether the elements need no common type whatever the unknowns among them are: one alone, or no text and no number."""
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return len(items) < 2 or not any(isinstance(v, str) or is_number(v) or isinstance(v, bool) for v in items)


_EVALUATE: Final[Mapping[type, Callable[[Evaluator, Any, Env], Any]]] = {
    Name: Evaluator._name, GetAttr: Evaluator._getattr, GetIndex: Evaluator._getindex, Splat: Evaluator._splat,
    Element: Evaluator._element, Call: Evaluator._call, Unary: Evaluator._unary, Binary: Evaluator._binary,
    Conditional: Evaluator._conditional, Tuple: Evaluator._tuple, Object: Evaluator._object, For: Evaluator._for,
    Template: Evaluator._template, TemplateFor: Evaluator._template_for, Literal: lambda _, e, __: e.value,
}  # fmt: skip
