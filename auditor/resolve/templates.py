"""The API types inside what escape hatches carry: ARM and CloudFormation templates, Deployment Manager configurations.

JSON is decoded; YAML is read line by line, as far as the types of its resources need, because a template is full of tags
that no plain YAML reader knows. What cannot be read is None, never an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

_MAX_DEPTH: Final = 12
_KEY: Final = re.compile(r"""^(\s*)(?:-\s+)?(["']?)([A-Za-z0-9_:.${}-]+)\2\s*:(?:\s+(.*))?$""")
_FLOW: Final = r"""[{{,]\s*(["']?){0}\1\s*:\s*(["']?)([A-Za-z0-9_:.-]+)\2\s*[,}}]"""  # `{{ Type: X, ... }}` on one line
_DEPLOYMENT: Final = "microsoft.resources/deployments"


def types_of(form: str, value: Any) -> list[str] | None:
    """The API types that a value names, in order, each once; None where it cannot be read."""
    if form == "unreadable" or not isinstance(value, (str, Mapping)):
        return None
    found: Iterable[str] | None
    if form == "arm_type":
        found = [value.partition("@")[0]] if isinstance(value, str) and "/" in value else None
    elif form == "cfn_type":
        found = [value] if isinstance(value, str) and "::" in value else None
    elif form == "arm_template":
        found = _arm(_json(value))
    elif form == "cfn_template":
        document = _json(value)
        found = _cfn(document) if document is not None else _yaml_map(value, "Resources", "Type")
    elif form == "dm_config":
        document = _json(value)
        found = _dm(document) if document is not None else _yaml_list(value, "resources", "type")
    else:
        return None
    return list(dict.fromkeys(found)) if found is not None else None


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None


def _arm(document: Any) -> list[str] | None:
    if not isinstance(document, Mapping) or "resources" not in document:
        return None
    return list(_arm_resources(document["resources"], "", 0))


def _arm_resources(resources: Any, parent: str, depth: int) -> Iterator[str]:
    """Types of a `resources` list (or map, in newer templates); a child's type is relative to its parent's."""
    if depth > _MAX_DEPTH:
        return
    items = resources.values() if isinstance(resources, Mapping) else resources if isinstance(resources, list) else ()
    for item in items:
        if not isinstance(item, Mapping) or not isinstance(item.get("type"), str) or item.get("existing") is True:
            continue
        kind = item["type"]
        full = kind if "." in kind.partition("/")[0] or not parent else f"{parent}/{kind}"
        template = (item.get("properties") or {}).get("template") if isinstance(item.get("properties"), Mapping) else None
        if full.lower() == _DEPLOYMENT and isinstance(template, Mapping):
            yield from _arm_resources(template.get("resources"), "", depth + 1)
            continue
        yield full
        yield from _arm_resources(item.get("resources"), full, depth + 1)


def _cfn(document: Any) -> list[str] | None:
    resources = document.get("Resources") if isinstance(document, Mapping) else None
    if not isinstance(resources, Mapping):
        return None
    kinds = [r.get("Type") for r in resources.values() if isinstance(r, Mapping)]
    return [k for k in kinds if isinstance(k, str)] if len(kinds) == len(resources) else None


def _dm(document: Any) -> list[str] | None:
    resources = document.get("resources") if isinstance(document, Mapping) else None
    if not isinstance(resources, list):
        return None
    return [r["type"] for r in resources if isinstance(r, Mapping) and isinstance(r.get("type"), str)]


def _lines(text: str) -> Iterator[tuple[int, str, str, bool]]:
    """(indent, key, rest, begins a list item) of the lines that are `key: rest`; comments and blanks are left out."""
    for line in text.splitlines():
        match = _KEY.match(line)
        if match and not line.lstrip().startswith("#"):
            dash = line.lstrip().startswith("- ")
            rest = (match.group(4) or "").partition(" #")[0].strip()
            yield len(match.group(1)) + (2 if dash else 0), match.group(3), rest, dash


def _yaml_map(text: Any, section: str, wanted: str) -> list[str] | None:
    """`section:` holds entries that each hold `wanted:`; one level of indentation each."""
    if not isinstance(text, str):
        return None
    inside, entry, field, found = False, -1, -1, []
    entries = 0
    for indent, key, raw, _ in _lines(text):
        rest = raw.strip("'\"")
        if indent == 0:
            inside = key == section
            continue
        if not inside:
            continue
        if entry < 0:
            entry = indent
        if indent == entry:
            entries += 1
            field = -1
            if flow := re.match(_FLOW.format(wanted), raw):
                found.append(flow.group(3))
        elif indent > entry and (field in (-1, indent)):
            field = indent
            if key == wanted and rest:
                found.append(rest)
    return found if entries and len(found) == entries else None


def _yaml_list(text: Any, section: str, wanted: str) -> list[str] | None:
    """`section:` is a list of maps that each hold `wanted:`."""
    if not isinstance(text, str):
        return None
    inside, level, items, found = False, -1, 0, []
    for indent, key, raw, dash in _lines(text):
        rest = raw.strip("'\"")
        if indent == 0 and not dash:
            inside = key == section
            continue
        if not inside:
            continue
        if dash and level in (-1, indent):
            level = indent
            items += 1
        if indent == level and key == wanted and rest:
            found.append(rest)
    return found if items and len(found) == items else None
