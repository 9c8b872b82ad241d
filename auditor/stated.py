"""What a resource says about its place where the catalogue knows nothing of its type: attributes named for a place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from auditor.model import UNKNOWN, Resource
from auditor.values import Value, decode_after

# Names that mean a place with most providers, at the top of a resource; below it only what says `region`, since blocks
# call many other things `location` or `zone`. `zone_id` is a DNS zone as often as not.
_TOP: Final = re.compile(
    r"^(?:availability_zones?|data_?cent(?:er|re)s?|zones?|jurisdiction|data_residency|cloud_name"
    r"|(?:[a-z0-9]+_)*(?:region|location)s?(?:_(?:id|ids|name|names|slug|code|hint))?)$"
)
_BELOW: Final = re.compile(r"^(?:[a-z0-9]+_)*regions?(?:_(?:id|ids|name|names|slug|code))?$")
# A place is a short name: addresses, paths of files and longer texts are none, and are never printed.
_PLACE: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 ._:/()-]{0,63}$")
_MARKS: Final = (b"region", b"location", b"zone", b"datacent", b"data_cent", b"jurisdiction", b"residency", b"cloud_name")


def stated_place(resource: Resource) -> Value | None:
    """The first attribute that names a place, or will after apply: one that is known before one that is not.

    A sensitive one keeps its mark. Bodies whose text holds no such name are not decoded.
    """
    raw, marks = bytes(resource.change.after), bytes(resource.change.after_unknown)
    if not any(mark in raw or mark in marks for mark in _MARKS):
        return None
    body = decode_after(resource)
    found = min(_named(body.values, body.unknown, "", _TOP), key=_rank, default=None)
    return Value(found[0], found[1], body.is_sensitive(found[0])) if found is not None else None


def _rank(found: tuple[str, Any]) -> tuple[bool, int, str]:
    path, value = found
    return value is UNKNOWN, path.count("."), path


def _named(values: Any, unknown: Any, at: str, names: re.Pattern[str]) -> Iterator[tuple[str, Any]]:
    """(path, text or UNKNOWN) of the attributes so named, at any depth."""
    if isinstance(values, list):
        marks = unknown if isinstance(unknown, list) else []
        for i, item in enumerate(values):
            yield from _named(item, marks[i] if i < len(marks) else None, f"{at}[{i}]", names)
        return
    if not isinstance(values, dict) and not isinstance(unknown, dict):
        return
    held = values if isinstance(values, dict) else {}
    marks_of = unknown if isinstance(unknown, dict) else {}
    for name in {*held, *marks_of}:
        value, mark, path = held.get(name), marks_of.get(name), f"{at}.{name}" if at else name
        if names.match(name):
            if isinstance(value, list) and value and isinstance(value[0], str):
                path, value = f"{path}[0]", value[0]
            if isinstance(value, str) and _PLACE.match(value) and "://" not in value:
                yield path, value
                continue
            if mark is True:
                yield path, UNKNOWN
                continue
        yield from _named(value, mark, path, _BELOW)
