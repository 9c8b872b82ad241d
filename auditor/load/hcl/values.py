"""Values of expressions: what Terraform's type system makes of them, unknown and sensitive ones included.

str, bool, int, Decimal, None stand for themselves; tuple is a tuple, list a list, `Set` a set, dict an object,
`Map` a map; `UNKNOWN` is a value that only a plan or apply can tell; `Sensitive` wraps what must not be shown.
An object with lazy or missing attributes (a resource, a module) is a `Partial`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import Any, Final, Protocol

from auditor.model import UNKNOWN
from auditor.syntax import Call, Literal, Name, Object, Tuple

NUMBERS: Final = Context(prec=150)
MAX_TEXT: Final = 1_000_000  # characters of one string
MAX_ITEMS: Final = 100_000  # elements of one collection


class EvalError(Exception):
    """Terraform would refuse the expression; `try` and `can` catch it, everything else takes the value as unknown."""


class TooMuch(Exception):
    """The evaluation grows beyond its bounds: the file ends the run."""


class Set(tuple[Any, ...]):
    """A set: unique elements in Terraform's order."""

    __slots__ = ()


class Map(dict[str, Any]):
    """A map; a plain dict is an object."""

    __slots__ = ()


class Sensitive:
    """A value that must not be shown; what is computed from it is sensitive too."""

    __slots__ = ("value",)

    value: Any

    def __init__(self, value: Any) -> None:
        self.value = value.value if isinstance(value, Sensitive) else value


class Partial(Protocol):
    """A resource, data source or module: attributes that are not written down are unknown."""

    def attribute(self, name: str) -> Any: ...


class Budget:
    """Steps that one scan may take; a hostile file ends in TooMuch, not in hours."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooMuch("evaluating it takes too many steps")


def bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise TooMuch("a string is too long")
    return text


def is_partial(value: Any) -> bool:
    return hasattr(value, "attribute")


IDENTITY: Final = frozenset(("id", "arn", "name", "self_link"))  # attributes that a resource always has, once it is there


class Later:
    """An attribute of a resource that is not known before apply, and then not null."""

    __slots__ = ()

    def attribute(self, name: str) -> Any:
        return UNKNOWN

    def __repr__(self) -> str:
        return repr(UNKNOWN)


LATER: Final = Later()


def is_later(value: Any) -> bool:
    """Whether a value, and not only a part of it, is known after apply alone."""
    return value is UNKNOWN or value is LATER or (is_partial(value) and hasattr(value, "origin"))


def never_null(value: Any) -> bool:
    """Whether a value is not null, known or not: an object whose parts are asked for one by one, an id."""
    if not is_partial(value):
        return value is not None and value is not UNKNOWN
    origin = getattr(value, "origin", None)
    return origin is None or (bool(origin.path) and origin.path[-1] in IDENTITY)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def wholly_known(value: Any, budget: Budget) -> bool:
    """Whether nothing inside a value is unknown."""
    stack = [value]
    while stack:
        v = stack.pop()
        if type(v) is str or v is None:
            continue
        budget.spend()
        if v is UNKNOWN or is_partial(v):
            return False
        if isinstance(v, Sensitive):
            stack.append(v.value)
        elif isinstance(v, dict):
            stack.extend(v.values())
        elif isinstance(v, (list, tuple)):
            stack.extend(v)
    return True


def unmark(value: Any, budget: Budget) -> tuple[Any, bool]:
    """The value without any sensitive marks, and whether there was one."""
    if isinstance(value, Sensitive):
        return unmark(value.value, budget)[0], True
    if isinstance(value, (dict, list, tuple)):
        budget.spend(len(value) + 1)
        marked = False
        if isinstance(value, dict):
            items = {}
            for k, v in value.items():
                items[k], m = unmark(v, budget)
                marked = marked or m
            return (type(value)(items), True) if marked else (value, False)
        made = []
        for v in value:
            inner, m = unmark(v, budget)
            made.append(inner)
            marked = marked or m
        return (type(value)(made), True) if marked else (value, False)
    return value, False


# --- conversion ------------------------------------------------------------------------------------------


def text_of_number(value: int | Decimal) -> str:
    if isinstance(value, int):
        return str(value)
    return format(value.normalize(NUMBERS), "f")


def as_number(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else value


def to_string(value: Any) -> Any:
    if isinstance(value, str) or value is None or value is UNKNOWN:
        return value
    if is_later(value):
        return UNKNOWN
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return text_of_number(value)
    raise EvalError("a string is needed")


def to_number(value: Any) -> Any:
    if value is None or value is UNKNOWN or is_number(value):
        return value
    if is_later(value):
        return UNKNOWN
    if isinstance(value, str):
        from auditor.load.hcl.scanner import number

        try:
            if value != value.strip() or "_" in value:
                raise ValueError
            return -number(value[1:]) if value.startswith("-") else number(value)
        except (ValueError, ArithmeticError):
            raise EvalError("not a number") from None
    raise EvalError("a number is needed")


def to_bool(value: Any) -> Any:
    if value is None or value is UNKNOWN or isinstance(value, bool):
        return value
    if is_later(value):
        return UNKNOWN
    if value in ("true", "false"):
        return value == "true"
    raise EvalError("a bool is needed")


def order_key(value: Any) -> tuple[int, Any]:
    """The order of set elements: numbers by size, strings by code points, the rest by its text."""
    if isinstance(value, bool):
        return (0, value)
    if is_number(value):
        return (1, value)
    if isinstance(value, str):
        return (2, value)
    return (3, repr(value))


def make_set(values: Iterable[Any], budget: Budget) -> Any:
    """A set of the values, converted to one primitive type; UNKNOWN where one of them is."""
    items = list(values)
    if not all(wholly_known(v, budget) for v in items):
        return UNKNOWN
    items = unify(items)
    budget.spend(len(items))
    made = {key_of(v): v for v in items}
    return Set(sorted(made.values(), key=order_key))


def key_of(value: Any) -> Any:
    """Something hashable that is equal for equal values of one type."""
    if isinstance(value, bool):
        return ("bool", value)
    if is_number(value):
        return ("number", value)
    if isinstance(value, dict):
        return ("map", tuple(sorted((k, key_of(v)) for k, v in value.items())))
    if isinstance(value, (list, tuple)):
        return ("list", tuple(key_of(v) for v in value))
    return value


def unify(items: list[Any]) -> list[Any]:
    """Elements of one primitive type, as a list or set has them: mixed ones become strings."""
    kinds = {_kind(v) for v in items if v is not None and v is not UNKNOWN}
    if len(kinds) > 1 and kinds <= {"string", "number", "bool"}:
        return [to_string(v) for v in items]
    return items


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    return "number" if is_number(value) else "other"


def equal(a: Any, b: Any, budget: Budget) -> Any:
    """Terraform's `==`: values of different types are never equal; unknown where that cannot be told."""
    budget.spend()
    if (a is None and never_null(b)) or (b is None and never_null(a)):
        return False
    if a is UNKNOWN or b is UNKNOWN or is_partial(a) or is_partial(b):
        return UNKNOWN
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return False
        return _all_equal([(a[k], b[k]) for k in a], type(a) is type(b), budget)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if len(a) != len(b):
            return False
        return _all_equal(list(zip(a, b, strict=True)), type(a) is type(b), budget)
    return _kind(a) == _kind(b) and type(a) is not dict and _kind(a) != "other" and a == b


def _all_equal(pairs: list[tuple[Any, Any]], same_type: bool, budget: Budget) -> Any:
    found = [equal(x, y, budget) for x, y in pairs]
    if any(f is UNKNOWN for f in found):
        return UNKNOWN
    if any(f is False for f in found):
        return False
    if not same_type:
        return UNKNOWN  # equal in content, but a list is not a tuple: which one a value is, is not always known
    return True


# --- type constraints ----------------------------------------------------------------------------------------


def convert(value: Any, type_: Any, evaluate: Callable[[Any], Any], budget: Budget) -> Any:
    """A value as a variable's `type` makes it. `evaluate` gives the defaults of optional attributes."""
    if isinstance(value, Sensitive):
        return Sensitive(convert(value.value, type_, evaluate, budget))
    if value is None or value is UNKNOWN or is_partial(value):
        return value
    budget.spend()
    if isinstance(type_, Literal) and isinstance(type_.value, str):  # legacy quoted "string"
        type_ = Name(type_.value)
    if isinstance(type_, Name):
        return _primitive(value, type_.name)
    if not isinstance(type_, Call) or not type_.args:
        return value
    inner = type_.args[0]
    if type_.name == "optional":
        return convert(value, inner, evaluate, budget)
    if type_.name in ("list", "set"):
        if not isinstance(value, (list, tuple)):
            raise EvalError(f"a {type_.name} is needed")
        items = [convert(v, inner, evaluate, budget) for v in value]
        return unify(items) if type_.name == "list" else make_set(items, budget)
    if type_.name == "map":
        if not isinstance(value, dict):
            raise EvalError("a map is needed")
        return Map({k: convert(v, inner, evaluate, budget) for k, v in value.items()})
    if type_.name == "tuple" and isinstance(inner, Tuple):
        if not isinstance(value, (list, tuple)) or len(value) != len(inner.items):
            raise EvalError("a tuple is needed")
        return tuple(convert(v, t.value, evaluate, budget) for v, t in zip(value, inner.items, strict=True))
    if type_.name == "object" and isinstance(inner, Object):
        return _object(value, inner, evaluate, budget)
    return value


def _primitive(value: Any, name: str) -> Any:
    if name == "string":
        return to_string(value)
    if name == "number":
        return to_number(value)
    if name == "bool":
        return to_bool(value)
    if name == "list" and isinstance(value, tuple):
        return unify(list(value))
    if name == "map" and isinstance(value, dict):
        return Map(value)
    return value


def _object(value: Any, shape: Object, evaluate: Callable[[Any], Any], budget: Budget) -> Any:
    if not isinstance(value, dict):
        raise EvalError("an object is needed")
    made: dict[str, Any] = {}
    for item in shape.items:
        name = str(item.key.value) if isinstance(item.key, Literal) else ""
        kind = item.value
        optional = isinstance(kind, Call) and kind.name == "optional"
        given = value.get(name)
        if name not in value and not optional:
            raise EvalError(f"attribute {name} is required")
        if given is None and optional and len(kind.args) > 1:
            given = evaluate(kind.args[1])
        made[name] = convert(given, kind, evaluate, budget)
    return made
