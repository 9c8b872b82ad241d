"""Terraform's pure functions over plain values (no unknowns, no marks): collections, numbers, types.

Each takes what `evaluate.py` hands it once its arguments are known, and raises EvalError where Terraform would.
Text and encoding functions are in `text_functions.py`. What is in neither table is unknown.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from auditor.load.hcl.values import (
    MAX_ITEMS,
    NUMBERS,
    Budget,
    EvalError,
    Map,
    Set,
    TooMuch,
    as_number,
    is_partial,
    key_of,
    make_set,
    to_bool,
    to_number,
    to_string,
    unify,
)
from auditor.model import UNKNOWN

Function = Callable[..., Any]
_FREE: Final = Budget(10**9)


def _list(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise EvalError("a list is needed")
    return value


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EvalError("a map is needed")
    return value


def _set(value: Any) -> Set:
    made = value if isinstance(value, Set) else make_set(_list(value), _FREE)
    return made if isinstance(made, Set) else Set()


def _int(value: Any) -> int:
    number = to_number(value)
    if isinstance(number, int):
        return number
    raise EvalError("a whole number is needed")


def _num(value: Any) -> Any:
    number = to_number(value)
    if number is None:
        raise EvalError("a number is needed")
    return number


def _bounded(made: Any) -> Any:
    if len(made) > MAX_ITEMS:
        raise TooMuch(f"a collection of {len(made)} elements is too large")
    return made


# --- numbers


def _decimal(value: Any) -> Any:
    return as_number(value) if isinstance(value, Decimal) else value


def ceil(x: Any) -> Any:
    return int(_num(x).__ceil__())


def floor(x: Any) -> Any:
    return int(_num(x).__floor__())


def log(x: Any, base: Any) -> Any:
    try:
        return _decimal(Decimal(repr(math.log(float(_num(x))) / math.log(float(_num(base))))))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise EvalError("no such logarithm") from None


def power(x: Any, y: Any) -> Any:
    base, exponent = _num(x), _num(y)
    if abs(exponent) > 1024 or abs(base) > 10**30:
        raise TooMuch("a power is too large")
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        return base**exponent
    try:
        return _decimal(NUMBERS.power(Decimal(base), Decimal(exponent)))
    except ArithmeticError:
        raise EvalError("no such power") from None


def parseint(text: Any, base: Any) -> int:
    radix = _int(base)
    if not isinstance(text, str) or not 2 <= radix <= 36 or len(text) > 1000 or "_" in text or text.strip() != text:
        raise EvalError("not a number")
    try:
        return int(text, radix)
    except ValueError:
        raise EvalError("not a number") from None


def total(values: Any) -> Any:
    items = [_num(v) for v in _list(values)]
    if not items:
        raise EvalError("sum of nothing")
    made: Any = 0
    for item in items:
        made = add(made, item)
    return made


def add(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    return _decimal(NUMBERS.add(Decimal(a), Decimal(b)))


def extreme(pick: Callable[..., Any]) -> Function:
    def run(*values: Any) -> Any:
        if not values:
            raise EvalError("at least one number is needed")
        return pick(_num(v) for v in values)

    return run


# --- collections


def length(value: Any) -> int:
    if isinstance(value, str):
        from auditor.load.hcl.text_functions import graphemes

        return len(graphemes(value))
    if isinstance(value, (list, tuple, dict)):
        return len(value)
    raise EvalError("a collection or string is needed")


def concat(*lists: Any) -> Any:
    made = [v for one in lists for v in _list(one)]
    return _bounded(unify(made) if lists and all(type(one) is list for one in lists) else tuple(made))


def flatten(value: Any) -> Any:
    made: list[Any] = []
    stack = [iter(_list(value))]
    while stack:
        for v in stack[-1]:
            if isinstance(v, (list, tuple)):
                stack.append(iter(v))
                break
            if v is UNKNOWN or is_partial(v):
                return UNKNOWN  # it may be a list
            made.append(v)
            if len(made) > MAX_ITEMS:
                raise TooMuch("a collection is too large")
        else:
            stack.pop()
    return tuple(made)


def distinct(value: Any) -> list[Any]:
    items = unify(list(_list(value)))
    seen: set[Any] = set()
    made = []
    for v in items:
        if key_of(v) not in seen:
            seen.add(key_of(v))
            made.append(v)
    return made


def element(value: Any, index: Any) -> Any:
    items, at = _list(value), _int(index)
    if not items or isinstance(items, Set) or at < 0:
        raise EvalError("no such element")
    return items[at % len(items)]


def position(value: Any, wanted: Any) -> int:
    for i, v in enumerate(_list(value)):
        if key_of(v) == key_of(wanted):
            return i
    raise EvalError("not in the list")


def keys(value: Any) -> Any:
    found = sorted(_map(value))
    return list(found) if isinstance(value, Map) else tuple(found)


def values(value: Any) -> Any:
    found = [v for _, v in sorted(_map(value).items())]
    return found if isinstance(value, Map) else tuple(found)


def merge(*maps: Any) -> Any:
    made: dict[str, Any] = {}
    given = [m for m in maps if m is not None]
    for m in given:
        made.update(_map(m))
    return Map(_bounded(made)) if given and all(isinstance(m, Map) for m in given) else _bounded(made)


def one(value: Any) -> Any:
    items = _list(value)
    if len(items) > 1:
        raise EvalError("more than one element")
    return items[0] if items else None


def range_(*bounds: Any) -> list[Any]:
    numbers = [_num(b) for b in bounds]
    if not 1 <= len(numbers) <= 3:
        raise EvalError("range takes one to three numbers")
    start, limit = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) == 3 else (1 if limit >= start else -1)
    if step == 0 or (limit > start and step < 0) or (limit < start and step > 0):
        raise EvalError("the step does not lead there")
    made: list[Any] = []
    while (step > 0 and start < limit) or (step < 0 and start > limit):
        made.append(_decimal(start))
        if len(made) > 1024:
            raise EvalError("more than 1024 values")
        start = add(start, step)
    return made


def slice_(value: Any, start: Any, end: Any) -> Any:
    items, a, b = _list(value), _int(start), _int(end)
    if isinstance(items, Set) or not 0 <= a <= b <= len(items):
        raise EvalError("no such slice")
    return items[a:b]


def reverse(value: Any) -> Any:
    items = _list(value)
    return list(reversed(items)) if isinstance(items, (list, Set)) else tuple(reversed(items))


def sort(value: Any) -> list[Any]:
    return sorted(_text(v) for v in _list(value))


def _text(value: Any) -> str:
    made = to_string(value)
    if not isinstance(made, str):
        raise EvalError("a string is needed")
    return made


def setproduct(*sets: Any) -> Any:
    if len(sets) < 2:
        raise EvalError("at least two sets are needed")
    if math.prod(len(_list(s)) for s in sets) > MAX_ITEMS:
        raise TooMuch("a product is too large")
    made = [tuple(p) for p in itertools.product(*sets)]
    return Set(made) if all(isinstance(s, Set) for s in sets) else made


def transpose(value: Any) -> Map:
    made: dict[str, list[str]] = {}
    for k, vs in _map(value).items():
        for v in _list(vs):
            made.setdefault(_text(v), []).append(k)
    return Map({k: sorted(v) for k, v in sorted(made.items())})


def zipmap(names: Any, vs: Any) -> Any:
    ks, items = _list(names), _list(vs)
    if len(ks) != len(items):
        raise EvalError("as many keys as values are needed")
    made = {_text(k): v for k, v in zip(ks, items, strict=True)}
    return Map(made) if isinstance(items, list) else made


def chunklist(value: Any, size: Any) -> list[Any]:
    items, n = list(_list(value)), _int(size)
    if n < 0:
        raise EvalError("a size below zero")
    return [items[i : i + n] for i in range(0, len(items), n)] if n else [items]


def coalescelist(*lists: Any) -> Any:
    for one_ in lists:
        if one_ is not None and len(_list(one_)):
            return one_
    raise EvalError("no list that is not empty")


def compact(value: Any) -> list[Any]:
    return [_text(v) for v in _list(value) if v not in (None, "")]


def matchkeys(vs: Any, ks: Any, wanted: Any) -> list[Any]:
    hits = {key_of(w) for w in _list(wanted)}
    if len(_list(vs)) != len(_list(ks)):
        raise EvalError("as many keys as values are needed")
    return [v for v, k in zip(vs, ks, strict=True) if key_of(k) in hits]


def all_true(value: Any) -> bool:
    return all(to_bool(v) is True for v in _list(value))


def any_true(value: Any) -> bool:
    return any(to_bool(v) is True for v in _list(value))


def union(*sets: Any) -> Any:
    return make_set([v for s in sets for v in _set(s)], _FREE)


def intersection(first: Any, *others: Any) -> Set:
    common = [{key_of(v) for v in _set(s)} for s in others]
    return Set(v for v in _set(first) if all(key_of(v) in c for c in common))


def subtract(a: Any, b: Any) -> Set:
    gone = {key_of(v) for v in _set(b)}
    return Set(v for v in _set(a) if key_of(v) not in gone)


# --- types


def tolist(value: Any) -> Any:
    return None if value is None else unify(list(_list(value)))


def toset(value: Any) -> Any:
    return None if value is None else _set(value)


def tomap(value: Any) -> Any:
    if value is None:
        return None
    names = sorted(_map(value))
    return Map(zip(names, unify([value[n] for n in names]), strict=True))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": lambda x: abs(_num(x)), "ceil": ceil, "floor": floor, "log": log, "max": extreme(max), "min": extreme(min),
    "parseint": parseint, "pow": power, "sum": total,
    "signum": lambda x: (_num(x) > 0) - (_num(x) < 0),
    "alltrue": all_true, "anytrue": any_true, "chunklist": chunklist, "coalescelist": coalescelist,
    "compact": compact, "concat": concat, "distinct": distinct,
    "element": element, "flatten": flatten, "index": position, "keys": keys, "length": length,
    "matchkeys": matchkeys, "merge": merge, "one": one, "range": range_, "reverse": reverse,
    "setintersection": intersection, "setproduct": setproduct, "setsubtract": subtract, "setunion": union,
    "slice": slice_, "sort": sort, "transpose": transpose, "values": values, "zipmap": zipmap,
    "tobool": to_bool, "tolist": tolist, "tomap": tomap, "tonumber": to_number, "toset": toset, "tostring": to_string,
}  # fmt: skip

# Functions that look at the shape of their arguments alone: elements may be unknown.
SHAPE_ONLY: Final = frozenset(
    ("chunklist", "concat", "element", "flatten", "keys", "length", "merge", "one", "reverse", "slice", "tolist", "values",
     "zipmap", "coalescelist", "tomap")
)  # fmt: skip
