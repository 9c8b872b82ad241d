"""A structural check of plain values against the part of JSON Schema that the shipped schemas use.

It says yes where the value surely fits and no where it does not or where it cannot tell: `documents` then loads
`jsonschema`, which is right in every case but costs more start-up time than an audit. A test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_ANNOTATIONS: Final = frozenset(
    ("$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "x-boolean")
)


def conforms(value: Any, schema: Any, root: Mapping[str, Any] | None = None) -> bool:
    """True where the value surely fits the schema; a keyword this function does not know makes it false.

    `root` is the schema that `$ref` pointers start from; the schema itself where absent.
    """
    if isinstance(schema, bool):
        return schema
    within = schema if root is None else root
    return all(k in _ANNOTATIONS or _holds(k, wanted, value, schema, within) for k, wanted in schema.items())


def _holds(keyword: str, wanted: Any, value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match keyword:
        case "type":
            return any(_is(t, value) for t in ([wanted] if isinstance(wanted, str) else wanted))
        case "enum":
            return any(_same(value, w) for w in wanted)
        case "const":
            return _same(value, wanted)
        case "properties":
            return not isinstance(value, dict) or all(
                conforms(v, wanted[k], root) for k, v in value.items() if k in wanted
            )
        case "additionalProperties":
            known = schema.get("properties", {})
            return not isinstance(value, dict) or all(
                conforms(v, wanted, root) for k, v in value.items() if k not in known
            )
        case "required":
            return not isinstance(value, dict) or all(k in value for k in wanted)
        case "items":
            return not isinstance(value, list) or all(conforms(v, wanted, root) for v in value)
        case "pattern":
            return not isinstance(value, str) or re.search(wanted, value) is not None
        case "minimum":
            return not number or value >= wanted
        case "exclusiveMinimum":
            return not number or value > wanted
        case "maximum":
            return not number or value <= wanted
        case "minLength":
            return not isinstance(value, str) or len(value) >= wanted
        case "minItems":
            return not isinstance(value, list) or len(value) >= wanted
        case "maxItems":
            return not isinstance(value, list) or len(value) <= wanted
        case "minProperties":
            return not isinstance(value, dict) or len(value) >= wanted
        case "anyOf":
            return any(conforms(value, s, root) for s in wanted)
        case "oneOf":
            return sum(conforms(value, s, root) for s in wanted) == 1
        case "$ref":
            target, within = _resolve(wanted, root)
            return conforms(value, target, within)
        case _:
            return False


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    match kind:
        case "string":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float)
        case "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "null":
            return value is None
        case _:
            return False


def _same(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _resolve(ref: str, root: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The schema a `$ref` names, and the root that its own references start from."""
    name, _, pointer = ref.partition("#")
    if name:
        root = root["$defs"][name]
    target: Any = root
    for part in pointer.split("/")[1:]:
        target = target[part]
    return target, root
