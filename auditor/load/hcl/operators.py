"""Operators, and what `for`, `for_each` and conditionals make of values that carry no marks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from auditor.load.hcl.functions import add
from auditor.load.hcl.values import (
    NUMBERS,
    Budget,
    EvalError,
    Map,
    Set,
    TooMuch,
    as_number,
    equal,
    is_number,
    is_partial,
    to_bool,
    to_number,
    to_string,
    unify,
)
from auditor.model import UNKNOWN
from auditor.syntax import For


def operate(op: str, left: Any, right: Any, budget: Budget) -> Any:
    """A binary operator over values without marks."""
    if op in ("==", "!="):
        same = equal(left, right, budget)
        return same if same is UNKNOWN or op == "==" else not same
    if left is UNKNOWN or right is UNKNOWN or is_partial(left) or is_partial(right):
        return UNKNOWN
    if left is None or right is None:
        raise EvalError("an operand is null")
    if op in ("&&", "||"):
        a, b = to_bool(left), to_bool(right)
        return (a and b) if op == "&&" else (a or b)
    a, b = to_number(left), to_number(right)
    if op in ("<", ">", "<=", ">="):
        return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[op]
    return arithmetic(op, a, b)


def one_type(value: Any, beside: Any) -> Any:
    """The chosen branch of a conditional as the other one's type has it: text beside a string, a list beside a tuple
    of another length."""
    if isinstance(value, bool) or is_number(value):
        mixed = isinstance(beside, str) or (is_scalar(beside) and isinstance(beside, bool) != isinstance(value, bool))
        return to_string(value) if mixed else value
    if type(value) is tuple and (type(beside) is list or (type(beside) is tuple and len(beside) != len(value))):
        return unify(list(value) + list(beside))[: len(value)]
    if type(value) is dict and (isinstance(beside, Map) or (type(beside) is dict and beside.keys() != value.keys())):
        return Map(zip(value, unify([*value.values(), *beside.values()]), strict=False))
    return value


def is_scalar(value: Any) -> bool:
    return isinstance(value, (str, bool)) or is_number(value)


def collected(e: For, rows: list[tuple[Any, Any]]) -> Any:
    """The tuple or object that the rows of a for expression make."""
    if e.key is None:
        return tuple(v for _, v in rows)
    if e.group:
        groups: dict[str, list[Any]] = {}
        for k, v in rows:
            groups.setdefault(k, []).append(v)
        return {k: tuple(v) for k, v in groups.items()}
    made: dict[str, Any] = {}
    for k, v in rows:
        if k in made:
            raise EvalError("two elements with one key")
        made[k] = v
    return made


def arithmetic(op: str, a: Any, b: Any) -> Any:
    if op == "+":
        return add(a, b)
    if op == "-":
        return add(a, -b)
    try:
        if op == "*":
            if isinstance(a, int) and isinstance(b, int):
                if a.bit_length() + b.bit_length() > 4096:
                    raise TooMuch("a number is too large")
                return a * b
            return as_number(NUMBERS.multiply(Decimal(a), Decimal(b)))
        if op == "/":
            return as_number(NUMBERS.divide(Decimal(a), Decimal(b)))
        return as_number(NUMBERS.remainder(Decimal(a), Decimal(b)))
    except ArithmeticError:
        raise EvalError("no such number") from None


def pairs_of(value: Any) -> list[tuple[Any, Any]] | None:
    """What a `for` goes over; None where that is unknown."""
    if value is UNKNOWN or is_partial(value):
        return None
    if isinstance(value, dict):
        return sorted(value.items())
    if isinstance(value, Set):
        return [(v, v) for v in value]
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    raise EvalError("nothing to go over")


def each_items(value: Any, any_list: bool) -> list[tuple[Any, Any]] | None:
    """Key and value of each instance of `for_each`; a dynamic block takes lists, too."""
    if isinstance(value, dict):
        return sorted(value.items())
    if isinstance(value, Set):
        return [(v, v) for v in value] if any_list or all(isinstance(v, str) for v in value) else None
    if any_list and isinstance(value, (list, tuple)):
        return list(enumerate(value))
    return None
