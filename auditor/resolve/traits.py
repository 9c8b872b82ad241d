"""Which resources have what the economic and security rules ask about (`traits.csv`): keys, links, endpoints, stores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.facts import Trace, Trait, provider_source, split_path
from auditor.model import UNKNOWN, Action, Plan, Resource, block_address
from auditor.values import Body, decode_after


def traces(plan: Plan, table: Mapping[str, Sequence[Trait]]) -> tuple[Trace, ...]:
    """Every trait of the plan's resources and provider blocks, one for each resource block, in address order."""
    found: dict[tuple[str, str, str], Trace] = {}
    for r in plan.resources:
        rows = table.get(r.type)
        if rows is None or r.is_data or r.deposed or r.action in (Action.DELETE, Action.FORGET):
            continue
        for trace in _of(r, rows, plan.kind == "state"):
            key = (trace.address, trace.trait.name, trace.path)
            if key not in found or (trace.sure and not found[key].sure):
                found[key] = trace
    for trace in _providers(plan, table):
        found.setdefault((trace.address, trace.trait.name, ""), trace)
    return tuple(found[k] for k in sorted(found))


def _of(resource: Resource, rows: Sequence[Trait], state: bool) -> Iterator[Trace]:
    body: Body | None = None
    existing = not resource.importing and (state or resource.action is Action.NOOP)
    for row in rows:
        sure = row.confirmed
        if row.when or row.unless:
            body = body if body is not None else decode_after(resource)
            wanted = _holds(row.when, body, "")
            refused = False if not row.unless else _holds(row.unless, body, row.absent)
            if wanted is False or refused is True:
                continue
            sure = sure and wanted is True and refused is False
        path = (row.when or row.unless).partition("=")[0]
        yield Trace(row, block_address(resource), resource.type, path, sure, existing)


def _holds(condition: str, body: Body, absent: str) -> bool | None:
    """Whether any value under the path matches; None where that hangs on a value known only after apply."""
    if not condition:
        return True
    path, _, pattern = condition.partition("=")
    values = [v.value for v in body.get(split_path(path))]
    if any(v is not UNKNOWN and re.search(pattern, _text(v)) for v in values):
        return True
    if any(v is UNKNOWN for v in values):
        return None
    return absent == "unless" and not values


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _providers(plan: Plan, table: Mapping[str, Sequence[Trait]]) -> Iterator[Trace]:
    """Static keys in provider blocks: that the argument is set counts, its value is never read."""
    for block in plan.configuration.provider_config.values():
        source = provider_source(block.full_name or block.name)
        for row in table.get(source, ()):
            if row.name == "provider_key" and _is_set(block.expressions, row.when.split(".")):
                yield Trace(row, source, source, row.when, row.confirmed)


def _is_set(expressions: Any, path: Sequence[str]) -> bool:
    if isinstance(expressions, list):
        return any(_is_set(e, path) for e in expressions)
    if not isinstance(expressions, dict):
        return False
    if not path or "references" in expressions:
        return bool(expressions.get("references")) or expressions.get("constant_value") not in (None, "")
    value = expressions.get("constant_value")
    if isinstance(value, dict):
        return value.get(path[0]) not in (None, "")
    return path[0] in expressions and _is_set(expressions[path[0]], path[1:])
