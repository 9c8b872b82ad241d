"""The tags of a resource as the cloud will see them: its own, over the default tags of its provider block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.model import UNKNOWN, ProviderConfig, Resource, Unknown
from auditor.resolve.provider import Providers
from auditor.values import decode_after

# Attributes that hold the merged tags already; the plan computes them.
_MERGED: Final = ("tags_all", "effective_labels", "terraform_labels")
_OWN: Final = ("tags", "labels", "freeform_tags", "defined_tags")
# Blocks or maps of a provider configuration whose tags every resource gets.
_DEFAULTS: Final = ("default_tags", "default_labels")


def tags_of(resource: Resource, providers: Providers) -> Mapping[str, object] | Unknown:
    """Tag name -> value; a value (or all of them) may be UNKNOWN."""
    body = decode_after(resource)
    marks = body.unknown if isinstance(body.unknown, dict) else {}
    if body.unknown is True:
        return UNKNOWN
    for name in _MERGED:
        if name in body.values or marks.get(name):
            found = _map(body.values.get(name), marks.get(name))
            # Unknown as a whole beside tags of its own that are known: the provider computes it from those and the defaults.
            if found if not isinstance(found, Unknown) else not any(n in body.values and not marks.get(n) for n in _OWN):
                return found
    made: dict[str, object] = {}
    blocks = providers.blocks_for(providers.key_of(resource), resource.provider_name)
    for default in _defaults(blocks):
        if isinstance(default, Unknown):
            return UNKNOWN
        made.update(default)
    for name in _OWN:
        own = _map(body.values.get(name), marks.get(name))
        if isinstance(own, Unknown):
            return UNKNOWN
        made.update(own)
    return made


def _map(value: Any, mark: Any) -> Mapping[str, object] | Unknown:
    """A map of tags, with what is unknown in it; anything else (a list of network tags) has none."""
    if mark is True:
        return UNKNOWN
    values = dict(value) if isinstance(value, dict) else {}
    if isinstance(mark, dict):
        values.update({k: UNKNOWN for k, m in mark.items() if m})
    return values


def _defaults(blocks: tuple[ProviderConfig, ...]) -> Iterator[Mapping[str, object] | Unknown]:
    """Default tags of the provider block; unknown where several blocks come into question and one has some."""
    for block in blocks:
        for name in _DEFAULTS:
            expression = block.expressions.get(name)
            if expression is None:
                continue
            held = expression[0] if isinstance(expression, list) and expression else expression
            inner = held.get("tags", held) if isinstance(held, dict) else {}
            constant = inner.get("constant_value") if isinstance(inner, dict) else None
            known = isinstance(constant, dict) and len(blocks) == 1
            yield constant if known and isinstance(constant, dict) else UNKNOWN
