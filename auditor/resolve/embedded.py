"""Places that a text inside an attribute names: deployment templates, their parameters, definitions of containers.

Only what is written out counts: an expression of the template's own language is the template's business, and what it
comes to is not known. JSON is walked; YAML is read line by line, because a template is full of tags that no plain YAML
reader knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

# Kind of a location row -> where in a document it is looked for ("": everywhere), the keys that name a place, and where
# such a key surely says where something stands (searched in its path; elsewhere it may name a source, or a DNS policy).
_FORMS: Final[Mapping[str, tuple[str, re.Pattern[str], re.Pattern[str]]]] = {
    "arm_template": ("resources", re.compile(r"location(Name)?"), re.compile("")),
    "cfn_template": (
        "Resources", re.compile(r"(?!Source)[A-Za-z]*Regions?|[a-z]+-region"), re.compile("Replica|Destination|Target|Copy"),
    ),
    "json_regions": (
        "", re.compile(r"(?!Source|source)([A-Za-z]*R|[a-z]+-r|r)egions?"),
        re.compile("Replica|Destination|Target|Copy|logConfiguration"),
    ),
    "parameters": ("", re.compile(r"(?i)(?!source).*(region|location).*"), re.compile(r"^location(\.value)?$")),
    "dm_config": ("resources", re.compile(r"region|zone|location"), re.compile("")),
}  # fmt: skip
KINDS: Final = frozenset(_FORMS)
_ODD: Final = re.compile(r"[^\w-]")  # in a key: what a path has other uses for
_MAX_DEPTH: Final = 40
_MOST: Final = 200  # places of one text
_LINE: Final = re.compile(
    r"""^(\s*)(?:-\s+)?(["']?)([A-Za-z][A-Za-z0-9-]*)\2\s*:\s*(["']?)([A-Za-z0-9][A-Za-z0-9 -]*)\4\s*(?:#.*)?$"""
)


def named(kind: str, value: Any) -> Iterator[tuple[str, str]]:
    """(path inside the value, text) of what the keys of a kind hold; the caller asks whether it is a place."""
    section, keys, _ = _FORMS[kind]
    document = value
    if isinstance(value, str):
        try:
            document = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            yield from _lines(value, section, keys)
            return
    at = ""
    if section and isinstance(document, Mapping) and section in document:
        document, at = document[section], section
    for count, found in enumerate(_walk(document, keys, at, "", 0)):
        if count >= _MOST:
            return
        yield found


def sure(kind: str, path: str) -> bool:
    """Whether a key at this path surely says where something stands."""
    return _FORMS[kind][2].search(path) is not None


def _walk(value: Any, keys: re.Pattern[str], at: str, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """`key`: the name under which a value stands; a list and `{"value": ...}` stand under that of what holds them."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        if keys.fullmatch(key) and value and value[0].isalnum():
            yield at, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            under = key if name in ("value", "Value") and keys.fullmatch(key) else str(name)
            step = _ODD.sub("_", str(name)[:60])
            yield from _walk(inner, keys, f"{at}.{step}" if at else step, under, depth + 1)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _walk(inner, keys, f"{at}[{i}]", key, depth + 1)


def _lines(text: str, section: str, keys: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Of YAML: the lines `key: place` of the section."""
    inside = not section
    count = 0
    for line in text.splitlines():
        if section and line[:1] not in ("", " ", "\t", "#", "-"):
            inside = line.partition(":")[0].strip("'\" ") == section
        match = _LINE.match(line) if inside else None
        if match is not None and keys.fullmatch(match[3]):
            count += 1
            if count > _MOST:
                return
            yield match[3], match[5].strip()
