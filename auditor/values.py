"""Reading attribute values out of raw resource bodies: paths, unknown and sensitive marks.

Terraform writes three parallel trees: values, `after_unknown` and `after_sensitive`. A single nested
block of an SDKv2 provider is a list of one; `walk` therefore steps through lists wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from auditor.errors import InputError
from auditor.model import NULL, UNKNOWN, Resource


class Value(NamedTuple):
    """One value found under a path. `path` is concrete (`replica[1].region_name`)."""

    path: str
    value: Any  # UNKNOWN where Terraform will know it only after apply
    sensitive: bool = False


class Body:
    """A resource body, decoded: all of it, or only the root attributes a type's facts name."""

    __slots__ = ("_sensitive_raw", "_sensitive_tree", "unknown", "values")

    def __init__(self, values: Mapping[str, Any], unknown: Any, sensitive_raw: bytes) -> None:
        self.values = values
        self.unknown = unknown
        self._sensitive_raw = sensitive_raw
        self._sensitive_tree: Any = None

    def get(self, path: tuple[str, ...]) -> list[Value]:
        """Every value under `path`; an absent or null attribute gives none."""
        root = path[0]
        unknown = self.unknown
        mark = unknown.get(root) if type(unknown) is dict else unknown
        value = self.values.get(root)
        if value is None and not mark:
            return []
        if len(path) == 1 and not mark and type(value) is str:
            found = [Value(root, value)]
        else:
            found = [Value(p, v) for p, v in _walk(value, mark, path, 1, root)]
        if found and b"true" in self._sensitive_raw:
            return [v._replace(sensitive=True) if self.is_sensitive(v.path) else v for v in found]
        return found

    def with_values(self, values: Mapping[str, Any]) -> Body:
        """The same marks over other values."""
        return Body(values, self.unknown, self._sensitive_raw)

    def decoded(self, names: Iterable[str]) -> Body:
        """The same body with attributes that hold JSON text decoded; text that is none stays text."""
        values = dict(self.values)
        for name in names:
            if isinstance(values.get(name), str):
                try:
                    values[name] = msgspec.json.decode(values[name])
                except (msgspec.DecodeError, RecursionError):
                    continue
        return self.with_values(values)

    def first(self, path: str) -> Any:
        """The first value under a dotted path: the value, UNKNOWN or None."""
        found = self.get(tuple(path.split(".")))
        return found[0].value if found else None

    def is_sensitive(self, path: str) -> bool:
        """Whether the value at a concrete path, or anything that holds it, is marked sensitive."""
        if b"true" not in self._sensitive_raw:
            return False
        if self._sensitive_tree is None:
            try:
                self._sensitive_tree = msgspec.json.decode(self._sensitive_raw)
            except (msgspec.DecodeError, RecursionError) as e:
                raise shapeless("a resource's sensitive marks", e) from e
        node = self._sensitive_tree
        for step in _steps(path):
            if node is True:
                return True
            if isinstance(node, dict):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return False
        return _any_true(node)


class LateBody(Body):
    """All planned values of a resource, decoded when the first of them is asked for: many are never asked."""

    __slots__ = ("_resource",)

    def __init__(self, resource: Resource) -> None:  # `values` and `unknown` stay unset until then
        self._resource = resource
        self._sensitive_raw = bytes(resource.change.after_sensitive)
        self._sensitive_tree: Any = None

    def __getattr__(self, name: str) -> Any:
        if name not in ("values", "unknown"):
            raise AttributeError(name)
        whole = decode_after(self._resource)
        self.values, self.unknown = whole.values, whole.unknown
        return getattr(self, name)


def _any_true(node: Any) -> bool:
    if node is True:
        return True
    if isinstance(node, dict):
        return any(_any_true(v) for v in node.values())
    if isinstance(node, list):
        return any(_any_true(v) for v in node)
    return False


_WHOLE: Final = re.compile(r"\s*[0-9]{1,15}\s*")  # more digits count nothing, and Python refuses thousands of them
_LARGE: Final = 10**15


def whole(value: object) -> int | None:
    """A count, written as number or text; None for anything else."""
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_LARGE < value < _LARGE:
        return None
    return int(value)


def _steps(path: str) -> Iterator[str | int]:
    for part in path.split("."):
        name, *indices = part.split("[")
        yield name
        for i in indices:
            yield int(i[:-1][:15])


def names_of(path: str) -> tuple[str, ...]:
    """The steps of a concrete path without indexes: `replica[1].region_name` -> ("replica", "region_name")."""
    return tuple(part.partition("[")[0] for part in path.split("."))


def _walk(value: Any, mark: Any, path: tuple[str, ...], depth: int, at: str) -> Iterator[tuple[str, Any]]:
    """`mark` is the matching node of `after_unknown`: true means unknown from here down."""
    if mark is True:
        yield at, UNKNOWN
        return
    if isinstance(value, list) or (value is None and isinstance(mark, list)):
        values: list[Any] = value or []
        marks = mark if isinstance(mark, list) else []
        for i in range(max(len(values), len(marks))):
            v = values[i] if i < len(values) else None
            m = marks[i] if i < len(marks) else None
            yield from _walk(v, m, path, depth, f"{at}[{i}]")
        return
    if depth == len(path):
        if value is not None:
            yield at, value
        return
    step = path[depth]
    inner_mark = mark.get(step) if isinstance(mark, dict) else None
    inner = value.get(step) if isinstance(value, dict) else None
    if inner is None and not inner_mark:
        return
    yield from _walk(inner, inner_mark, path, depth + 1, f"{at}.{step}")


class Projection:
    """Decodes only the named root attributes of a body: the rest is skipped without a copy.

    `told` reads ids: in the roots `ids`, `key` takes texts of which it tells the same for equal.
    """

    __slots__ = ("_after", "_ids", "_marks", "_names", "_raw", "_tell")

    def __init__(
        self, roots: Iterable[str], ids: Iterable[str] = (), told: Callable[[str], str] = lambda text: text
    ) -> None:
        self._names = tuple(sorted(set(roots)))
        self._marks: dict[bytes, bytes] = {}  # alike instances repeat the same `after_unknown`
        self._ids = tuple(i for i, n in enumerate(self._names) if n in set(ids))
        self._tell = told
        rename = {f"f{i}": name for i, name in enumerate(self._names)}
        fields = [(f, Any, None) for f in rename]
        struct = msgspec.defstruct("Projected", fields, rename=rename, gc=False)
        self._after = msgspec.json.Decoder(struct | None)
        raw_fields = [(f, msgspec.Raw, NULL) for f in rename]
        raw = msgspec.defstruct("RawProjected", raw_fields, rename=rename, gc=False)
        self._raw = msgspec.json.Decoder(raw | None)

    def key(self, resource: Resource) -> tuple[bytes, bytes, bytes]:
        """Equal where the named attributes, and the marks beside them, are equal: nothing is decoded."""
        change = resource.change
        marks = bytes(change.after_unknown)
        if marks in (b"{}", b"false", b"null"):
            marks = b""
        elif marks != b"true":
            held = self._marks.get(marks)
            if held is None:
                held = self._marks[marks] = self._told(change.after_unknown, resource.address)
            marks = held
        sensitive = bytes(change.after_sensitive)
        return self._told(change.after, resource.address), marks, sensitive if b"true" in sensitive else b""

    def key_before(self, resource: Resource) -> tuple[bytes, bytes]:
        """The same of the values before the change."""
        change = resource.change
        sensitive = bytes(change.before_sensitive)
        return self._told(change.before, resource.address), sensitive if b"true" in sensitive else b""

    def _told(self, raw: bytes, address: str) -> bytes:
        """The named attributes as they are written, one after the other; "" of no body."""
        try:
            got = self._raw.decode(raw)
            if got is None:
                return b""
            found: Sequence[bytes] = msgspec.structs.astuple(got)
            if self._ids:
                found = list(found)
                for i in self._ids:
                    found[i] = self._id(bytes(found[i]))
            return _BETWEEN.join(found)
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            raise shapeless(address, e) from e

    def _id(self, raw: bytes) -> bytes:
        """What an id tells, instead of the id; an empty or escaped text, and what is no text, is itself."""
        if raw[0] != _QUOTE or len(raw) < 3 or b"\\" in raw:
            return raw
        return b"+" + self._tell(raw[1:-1].decode()).encode()

    def _decode(self, raw: bytes, address: str) -> dict[str, Any]:
        try:
            got = self._after.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            raise shapeless(address, e) from e
        if got is None:
            return {}
        return {
            name: value
            for i, name in enumerate(self._names)
            if (value := getattr(got, f"f{i}")) is not None
        }

    def after(self, resource: Resource) -> Body:
        """The planned values (for a resource about to be deleted: none)."""
        change = resource.change
        unknown_raw = bytes(change.after_unknown)
        if unknown_raw in (b"{}", b"false", b"null"):
            unknown: Any = {}
        elif unknown_raw == b"true":
            unknown = True
        else:
            unknown = self._decode(change.after_unknown, resource.address)
        return Body(self._decode(change.after, resource.address), unknown, bytes(change.after_sensitive))

    def before(self, resource: Resource) -> Body:
        """The values before the change; nothing in them is unknown."""
        change = resource.change
        return Body(self._decode(change.before, resource.address), {}, bytes(change.before_sensitive))


@lru_cache(maxsize=4096)
def projection_of(roots: frozenset[str]) -> Projection:
    """The projection of some root attributes, made once: the blocks of a type ask for the same ones again and again."""
    return Projection(roots)


_QUOTE: Final = ord('"')
_BETWEEN: Final = b"\0"  # nowhere in JSON text
_MAPPING = msgspec.json.Decoder(dict[str, Any] | None)


def _mapping(raw: bytes, resource: Resource) -> dict[str, Any]:
    try:
        return _MAPPING.decode(raw) or {}
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise shapeless(resource.address, e) from e


def shapeless(address: str, error: Exception) -> InputError:
    """A body that is no object: bodies stay undecoded until a rule asks, and so this comes up late."""
    return InputError(f"{address}: not of the shape that Terraform writes: {error}", "Run: terraform show -json tfplan")


def decode_after(resource: Resource) -> Body:
    """All planned values of a resource, for the few types whose whole body matters."""
    change = resource.change
    unknown_raw = bytes(change.after_unknown)
    unknown: Any = True if unknown_raw == b"true" else {}
    if unknown_raw not in (b"{}", b"false", b"null", b"true"):
        try:
            unknown = msgspec.json.decode(unknown_raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            raise shapeless(resource.address, e) from e
    return Body(_mapping(change.after, resource), unknown, bytes(change.after_sensitive))


def decode_before(resource: Resource) -> Body:
    """All values of a resource before the change."""
    change = resource.change
    return Body(_mapping(change.before, resource), {}, bytes(change.before_sensitive))


_PATH = re.compile(r"(?<=[^/:])/.*", re.DOTALL)


def origin_of(text: str) -> str:
    """Scheme and host of a URL to which data goes: of a webhook the path alone may be the key; other text as it is."""
    return _PATH.sub("", without_credentials(text)) if "://" in text else text


_AUTHORITY = re.compile(r"(?<=://)[^/?#\s]*@")
_QUERY = re.compile(r"[?#].*", re.DOTALL)


def without_credentials(text: str) -> str:
    """A URL without user, password, query and fragment, any of which may be a key; other text as it is."""
    return _QUERY.sub("", _AUTHORITY.sub("", text)) if "://" in text else text
