"""Functions that look at unknowns, marks or failures of their arguments themselves: `try`, `lookup`, `sensitive` ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from auditor.load.hcl.file_functions import FILE_FUNCTIONS
from auditor.load.hcl.functions import SHAPE_ONLY
from auditor.load.hcl.operators import is_scalar
from auditor.load.hcl.values import (
    LATER,
    EvalError,
    Map,
    Sensitive,
    equal,
    is_partial,
    never_null,
    to_string,
    unmark,
    wholly_known,
)
from auditor.model import UNKNOWN
from auditor.syntax import Call, GetAttr, GetIndex, Literal, Name, Tuple, traversals

if TYPE_CHECKING:
    from auditor.load.hcl.evaluate import Evaluator
    from auditor.load.hcl.instances import Env


_SPACES: Final = ("var", "local", "each", "count", "path")  # what is declared there is there


def try_(ev: Evaluator, e: Call, env: Env) -> Any:
    for arg in e.args:
        if _succeeds(ev, arg, env) is None and _depends_on_unknown(ev, arg, env):
            return UNKNOWN
        try:
            return ev.eval(arg, env)
        except EvalError:
            continue
    raise EvalError("every argument of try fails")


def _succeeds(ev: Evaluator, expr: Any, env: Env) -> bool | None:
    """Whether an expression succeeds whatever the unknowns in it come to: its steps are there or not, its functions ask
    for shapes alone. None: that is not settled. Terraform does not look so closely, and leaves all of it until it applies.
    """
    try:
        match expr:
            case Literal():
                return True
            case Name(name):
                return True if name in env.names else None  # of a loop, or of what a `dynamic` block goes over
            case Tuple(items):
                return _all(_succeeds(ev, i.value, env) for i in items)
            case Call() if expr.name in SHAPE_ONLY and not expr.expand:
                settled = _all(_succeeds(ev, a, env) for a in expr.args)
                return (None if _open(ev.eval(expr, env)) else True) if settled else settled
            case GetAttr(of, name):
                if isinstance(of, Name) and of.name in _SPACES:
                    return True
                return True if _of_instance(ev, expr, env) else _step(ev, of, name, env)
            case GetIndex(of, key):
                settled = _succeeds(ev, key, env)
                return _step(ev, of, _plain(ev.eval(key, env)), env) if settled else settled
    except EvalError:
        return False  # of what is known already
    return None


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    held = list(verdicts)
    return False if False in held else (None if None in held else True)


def _step(ev: Evaluator, of: Any, key: Any, env: Env) -> bool | None:
    """Whether a step from a value is there: the value is an object with the key, or a list that is long enough."""
    settled = _succeeds(ev, of, env)
    if not settled:
        return settled
    held = _plain(ev.eval(of, env))
    if is_partial(held) and held is not LATER and not hasattr(held, "origin") and isinstance(key, str):
        held.attribute(key)  # of a module or a resource that there is: an EvalError, where it has none of that name
        return True
    if _open(held) or _open(key):
        return None
    if isinstance(held, dict):
        return str(key) in held
    return isinstance(held, (list, tuple)) and isinstance(key, int) and 0 <= key < len(held)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Sensitive) else value


def _open(value: Any) -> bool:
    return value is UNKNOWN or is_partial(value)


def _of_instance(ev: Evaluator, expr: GetAttr, env: Env) -> bool:
    """Whether this is an attribute of a resource instance that there is: it succeeds, known or not."""
    named = expr.of.of if isinstance(expr.of, GetIndex) else expr.of
    if not isinstance(named, GetAttr) or not isinstance(named.of, Name) or "_" not in named.of.name:
        return False  # a name with a provider's prefix is a resource type: `local.x` and `module.x` may hold anything
    held = ev.eval(expr.of, env)
    return held is not UNKNOWN and not hasattr(held, "origin")


def can_(ev: Evaluator, e: Call, env: Env) -> Any:
    if len(e.args) != 1:
        raise EvalError("can takes one argument")
    if _succeeds(ev, e.args[0], env) is None and _depends_on_unknown(ev, e.args[0], env):
        return UNKNOWN
    try:
        ev.eval(e.args[0], env)
    except EvalError:
        return False
    return True


def _depends_on_unknown(ev: Evaluator, expr: Any, env: Env) -> bool:
    """Whether a name that the expression mentions is not wholly known: then it may yet succeed or fail."""
    for traversal in traversals(expr, frozenset()):
        try:
            if not wholly_known(ev.eval(traversal, env), ev.budget):
                return True
        except EvalError:
            continue
    return False


def coalesce_(ev: Evaluator, e: Call, env: Env) -> Any:
    args = ev.arguments(e, env)
    if args is None:
        return UNKNOWN
    hidden = False
    texts = any(isinstance(a.value if isinstance(a, Sensitive) else a, str) for a in args)
    for arg in args:
        if isinstance(arg, Sensitive):
            hidden, arg = True, arg.value
        if _open(arg) and not never_null(arg):
            return Sensitive(UNKNOWN) if hidden else UNKNOWN
        if arg is None or arg == "":
            continue
        value = to_string(arg) if texts and is_scalar(arg) else arg
        return Sensitive(value) if hidden else value
    raise EvalError("nothing that is not null")


def lookup_(ev: Evaluator, e: Call, env: Env) -> Any:
    args = ev.arguments(e, env)
    if args is None:
        return UNKNOWN
    plain = [unmark(a, ev.budget) for a in args]
    hidden = any(m for _, m in plain)
    values = [v for v, _ in plain]
    made = _looked_up(ev, values)
    return Sensitive(made) if hidden else made


def _looked_up(ev: Evaluator, values: list[Any]) -> Any:
    if len(values) not in (2, 3):
        raise EvalError("lookup takes a map, a key and a default")
    of, key = values[:2]
    if of is UNKNOWN or key is UNKNOWN or is_partial(of):
        return UNKNOWN
    if not isinstance(of, dict):
        raise EvalError("a map is needed")
    if to_string(key) in of:
        return of[to_string(key)]
    if isinstance(of, Map) and not wholly_known(of, ev.budget):
        return UNKNOWN
    if len(values) == 3:
        return values[2]
    raise EvalError("no such key")


def contains_(ev: Evaluator, e: Call, env: Env) -> Any:
    args = ev.arguments(e, env)
    if args is None or len(args) != 2:
        return UNKNOWN
    (items, a), (wanted, b) = unmark(args[0], ev.budget), unmark(args[1], ev.budget)
    if items is UNKNOWN or is_partial(items):
        made: Any = UNKNOWN
    elif not isinstance(items, (list, tuple)):
        raise EvalError("a list is needed")
    else:
        if wanted is None:
            raise EvalError("the value is null")
        found = [equal(i, wanted, ev.budget) for i in items]
        made = True if True in found else UNKNOWN if any(f is UNKNOWN for f in found) else False
    return Sensitive(made) if a or b else made


def sensitive_(ev: Evaluator, e: Call, env: Env) -> Any:
    return Sensitive(ev.eval(e.args[0], env)) if e.args else UNKNOWN


def nonsensitive_(ev: Evaluator, e: Call, env: Env) -> Any:
    return unmark(ev.eval(e.args[0], env), ev.budget)[0] if e.args else UNKNOWN


def issensitive_(ev: Evaluator, e: Call, env: Env) -> Any:
    value = ev.eval(e.args[0], env) if e.args else UNKNOWN
    return UNKNOWN if value is UNKNOWN or is_partial(value) else isinstance(value, Sensitive)


SPECIAL: Final[Mapping[str, Callable[[Evaluator, Call, Env], Any]]] = {
    "try": try_, "can": can_, "coalesce": coalesce_, "lookup": lookup_, "contains": contains_,
    "sensitive": sensitive_, "nonsensitive": nonsensitive_, "issensitive": issensitive_,
    "ephemeralasnull": lambda _, e, __: UNKNOWN, **FILE_FUNCTIONS,
}  # fmt: skip
