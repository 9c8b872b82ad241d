"""Read what people write (policy, workload, waivers, rules): YAML with line numbers, held to a JSON Schema.

The only module that imports `yaml` and `jsonschema`, both lazily: `jsonschema` costs more start-up time than a
whole audit, so a structural check of our own decides first, and `jsonschema` is loaded only to explain an error.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.conform import conforms
from auditor.errors import AuditorError, PolicyError
from auditor.files import read_bytes
from auditor.spelling import suggest

Key = tuple[str | int, ...]

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 40
MAX_VALUES: Final = 200_000  # after aliases are expanded
_SCALARS: Final = frozenset(f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null", "timestamp"))
_STR: Final = "tag:yaml.org,2002:str"
_FLOAT: Final = "tag:yaml.org,2002:float"
_EXPONENT: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?[eE][-+]?[0-9]+")
_SCHEMAS: Final = Path(__file__).parent / "schemas"


class Document(msgspec.Struct, frozen=True):
    """A parsed file. `lines` maps the path of a key or list item to the 1-based line it starts on."""

    name: str
    value: Any
    lines: Mapping[Key, int] = msgspec.field(default_factory=dict)

    def line(self, path: Iterable[str | int]) -> int:
        """The line of a path, else of its nearest ancestor."""
        key = tuple(path)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def where(self, path: Iterable[str | int] = ()) -> str:
        return f"{self.name}:{self.line(path)}"

    def error(self, path: Iterable[str | int], message: str, hint: str = "") -> PolicyError:
        return PolicyError(f"{self.where(path)} {message}", hint)


# --- reading ----------------------------------------------------------------------------------------


def read_file(path: Path, name: str = "") -> Document:
    """Read one YAML (or JSON) file; every reason why it cannot be read is a PolicyError."""
    name = name or str(path)
    try:
        data = read_bytes(path, 10 * MAX_BYTES)
    except FileNotFoundError:
        raise PolicyError(f"{name}: no such file") from None
    except OSError as error:
        raise PolicyError(f"{name}: cannot be read: {error.strerror or error}") from None
    return read_yaml(decoded(data, name), name)


def decoded(data: bytes, name: str) -> str:
    """The text of a file of this kind; PolicyError where it is none or too long."""
    if len(data) > MAX_BYTES:
        raise PolicyError(f"{name}: {len(data)} bytes; a file of this kind may have {MAX_BYTES}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PolicyError(f"{name}:{line} is not UTF-8 text", "save the file as UTF-8") from None


def yaml_events(text: str) -> list[Any] | None:
    """The parser's events of a text that is no document of ours; None where it is not YAML."""
    import yaml

    try:
        return list(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, RecursionError):
        return None


def read_yaml(text: str, name: str) -> Document:
    """Parse one YAML document; dates become ISO strings.

    Refused, with file and line: duplicate and non-text keys, foreign tags, cycles, alias bombs, deep nesting,
    several documents, NaN and infinity.
    """
    import yaml

    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_class(text.removeprefix("\ufeff"))
        try:
            return _Reader(name, loader).document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise PolicyError(f"{name}:{line} {_yaml_problem(error, line)}", _yaml_hint(text, line)) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        raise PolicyError(f"{name}:{line} holds a character that YAML does not allow") from None


def _yaml_problem(error: Any, line: int) -> str:
    """What the parser says, and where the thing it was in the middle of begins."""
    problem = str(error.problem or "is not YAML")
    start = error.context_mark
    if start is None or start.line + 1 == line or not error.context:
        return problem
    return f"{problem} {error.context}, which begins on line {start.line + 1}"


def _yaml_hint(text: str, line: int) -> str:
    lines = text.splitlines()
    at = lines[line - 1] if line <= len(lines) else ""
    return "indent with spaces; YAML allows no tabs" if "\t" in at[: len(at) - len(at.lstrip())] else ""


class _Open:
    """A mapping or list that is still being filled."""

    __slots__ = ("anchor", "count", "first", "key", "path", "value")

    def __init__(self, value: dict[str, Any] | list[Any], path: Key, anchor: str | None, count: int) -> None:
        self.value = value
        self.path = path
        self.anchor = anchor
        self.count = count  # values seen before this one opened
        self.key: str | None = None
        self.first: dict[str, int] = {}


class _Reader:
    """Build values from parser events, without recursion: nesting depth is a number, not a stack overflow."""

    def __init__(self, name: str, loader: Any) -> None:
        self.name = name
        self.loader = loader
        self.lines: dict[Key, int] = {}
        self.anchors: dict[str, tuple[Any, int, int]] = {}  # value, number of values in it, height
        self.stack: list[_Open] = []
        self.count = 0
        self.root: Any = None

    def fail(self, line: int, message: str, hint: str = "") -> PolicyError:
        return PolicyError(f"{self.name}:{line} {message}", hint)

    def document(self) -> Document:
        import yaml

        documents = 0
        while self.loader.check_event():
            event = self.loader.get_event()
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.fail(line, "a second document begins; one file holds one")
            elif isinstance(event, yaml.ScalarEvent):
                self.scalar(event, line)
            elif isinstance(event, yaml.AliasEvent):
                self.alias(str(event.anchor), line)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self.open(event, {} if isinstance(event, yaml.MappingStartEvent) else [], line)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self.close()
        return Document(self.name, self.root, self.lines)

    def scalar(self, event: Any, line: int) -> None:
        import yaml

        tag = event.tag
        if tag is None or tag == "!":
            tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)
            if event.implicit[0] and tag == _STR and _EXPONENT.fullmatch(event.value):
                tag = _FLOAT  # 2e-07: a number in JSON and YAML 1.2, text to a YAML 1.1 reader
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            return self.take_key(top, event.value, tag, line)
        if tag not in _SCALARS:
            raise self.fail(line, f'the tag "{tag}" is not allowed here')
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            value = self.loader.construct_object(node)
        except (ValueError, KeyError, AttributeError):
            if not tag.endswith(":timestamp"):
                raise self.fail(line, f'"{_brief(event.value)}" is not a valid {tag.rpartition(":")[2]}') from None
            value = event.value  # 2027-13-01: text, which no schema takes for a date
        if isinstance(value, datetime.date):
            value = value.isoformat()
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fail(line, f'"{_brief(event.value)}" is not a finite number')
        if isinstance(value, int | float) and not isinstance(value, bool) and not _as_written(event.value, value):
            hint = "write at most 15 digits, no leading zero, no colon; quote it if it is text"
            raise self.fail(line, f'"{_brief(event.value)}" would not be kept as it is written', hint)
        self.count += 1
        self.put(value, line)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1, 0)
        return None

    def take_key(self, top: _Open, text: str, tag: str, line: int) -> None:
        if tag == "tag:yaml.org,2002:merge":
            raise self.fail(line, 'the merge key "<<" is not supported', "write the keys out, or use `extends`")
        if tag != "tag:yaml.org,2002:str":
            raise self.fail(line, f"the key {_brief(text) or 'null'} is not text", f'quote it: "{_brief(text)}"')
        if text in top.first:
            raise self.fail(line, f'duplicate key "{_brief(text)}"; the first is on line {top.first[text]}')
        top.first[text] = line
        top.key = text
        self.lines[(*top.path, text)] = line

    def alias(self, anchor: str, line: int) -> None:
        if any(o.anchor == anchor for o in self.stack):
            raise self.fail(line, f"the alias *{anchor} stands inside its own anchor: a cycle")
        if anchor not in self.anchors:
            raise self.fail(line, f"the alias *{anchor} has no anchor before it")
        value, size, height = self.anchors[anchor]
        self.count += size
        if self.count > MAX_VALUES:
            raise self.fail(line, f"aliases expand to more than {MAX_VALUES} values")
        if len(self.stack) + height > MAX_DEPTH:
            raise self.fail(line, f"nested deeper than {MAX_DEPTH} levels")
        self.put(value, line)

    def open(self, event: Any, value: dict[str, Any] | list[Any], line: int) -> None:
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise self.fail(line, f'the tag "{event.tag}" is not allowed here')
        if len(self.stack) >= MAX_DEPTH:
            raise self.fail(line, f"nested deeper than {MAX_DEPTH} levels")
        self.count += 1
        before = self.count - 1
        path = self.put(value, line)
        self.stack.append(_Open(value, path, event.anchor, before))

    def close(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.value, self.count - done.count, _height(done.value))

    def put(self, value: Any, line: int) -> Key:
        """Store a value where the parser stands; returns its path."""
        if not self.stack:
            self.root = value
            return ()
        top = self.stack[-1]
        if isinstance(top.value, list):
            path: Key = (*top.path, len(top.value))
            self.lines[path] = line
            top.value.append(value)
            return path
        if top.key is None:
            raise self.fail(line, "a key must be text, not a list, a mapping or an alias")
        path = (*top.path, top.key)
        top.value[top.key] = value
        top.key = None
        return path


def _brief(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _as_written(text: str, value: int | float) -> bool:
    """Whether the number is the decimal that stands in the file: YAML reads 010 as 8, 1:30 as 90, and floats round."""
    if text.lower().lstrip("+-").startswith(("0x", "0b")):
        return True
    try:
        return Decimal(text.replace("_", "")) == Decimal(str(value))
    except InvalidOperation:
        return False


def _height(value: Any) -> int:
    """Levels of nesting; bounded by MAX_DEPTH because deeper values are refused when they are built."""
    if isinstance(value, dict):
        return 1 + max(map(_height, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_height, value), default=0)
    return 0


# --- schemas ----------------------------------------------------------------------------------------


def schema_names() -> tuple[str, ...]:
    """Names that `load_schema` takes."""
    return tuple(sorted(p.name.removesuffix(".schema.json") for p in _SCHEMAS.glob("*.schema.json")))


def load_schema(name: str) -> dict[str, Any]:
    """A shipped schema, with the schemas it refers to bundled under `$defs` (draft 2020-12)."""
    try:
        schema: dict[str, Any] = msgspec.json.decode((_SCHEMAS / f"{name}.schema.json").read_bytes())
    except FileNotFoundError:
        raise AuditorError(f'no schema "{name}"{suggest(name, schema_names())}') from None
    for other in sorted(set(_foreign(schema))):
        schema.setdefault("$defs", {})[other] = load_schema(other.removesuffix(".schema.json"))
    return schema


def _foreign(schema: Any) -> Iterator[str]:
    """File names of other schemas that this one refers to."""
    if isinstance(schema, dict):
        ref = schema.get("$ref")
        if isinstance(ref, str) and not ref.startswith("#"):
            yield ref.partition("#")[0]
        for value in schema.values():
            yield from _foreign(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _foreign(value)


def validate(document: Document, schema_name: str) -> None:
    """Raise one PolicyError that lists every mistake, a line each, in the order of the file."""
    schema = load_schema(schema_name)
    if conforms(document.value, schema):
        return
    problems = explain(document, schema)
    if problems:
        raise PolicyError("\n".join(problems))


# --- explaining -------------------------------------------------------------------------------------


def explain(document: Document, schema: Mapping[str, Any]) -> list[str]:
    """Every mistake as `FILE:LINE message`, in file order; empty when the document is valid."""
    from jsonschema import Draft202012Validator

    found: list[tuple[int, str]] = []
    for error in Draft202012Validator(schema).iter_errors(document.value):
        found += _messages(document, error)
    return list(dict.fromkeys(f"{document.name}:{line} {text}" for line, text in sorted(found)))


def _messages(document: Document, error: Any) -> list[tuple[int, str]]:
    path: Key = tuple(error.absolute_path)
    spot = f" for {_spell(path)}" if path else ""
    line = document.line(path)
    value = error.instance
    match error.validator:
        case "additionalProperties" if isinstance(value, dict):
            known = list(error.schema.get("properties", {}))
            extra = [k for k in value if k not in known]
            shown = ", ".join(k for k in known if not k.startswith("+"))
            return [
                (document.line((*path, k)), f'unknown key "{k}"{suggest(k, known) or f"; allowed: {shown}"}')
                for k in extra
            ]
        case "required":
            missing = [k for k in error.validator_value if k not in value]
            return [(line, f'missing key "{k}"{f" in {_spell(path)}" if path else ""}') for k in missing]
        case "enum":
            allowed = ", ".join(_show(v) for v in error.validator_value)
            words = [v for v in error.validator_value if isinstance(v, str)]
            near = suggest(value, words) if isinstance(value, str) else ""
            return [(line, f"{_show(value)} is not allowed{spot}; allowed: {allowed}{near}")]
        case "oneOf" | "anyOf":
            return _best_branch(document, error, line, spot)
        case "type" if isinstance(value, bool) and "x-boolean" in error.schema:
            said = {True: "true", False: "false"}[value]
            return [(line, f"YAML reads this as {said}{spot}: {error.schema['x-boolean']}")]
    return [(line, f"expected {_expected(error.schema)}{spot}, got {_show(value)}")]


def _best_branch(document: Document, error: Any, line: int, spot: str) -> list[tuple[int, str]]:
    """Of several shapes, explain the one whose type fits; else name the types."""
    branches: dict[int, list[Any]] = {}
    for sub in error.context or ():
        branches.setdefault(sub.schema_path[0], []).append(sub)
    for subs in branches.values():
        if not any(s.validator == "type" and not s.relative_path for s in subs):
            return [m for s in subs for m in _messages(document, s)]
    for subs in branches.values():
        for s in subs:
            if isinstance(s.instance, bool) and "x-boolean" in s.schema:
                return _messages(document, s)
    wanted = " or ".join(dict.fromkeys(_expected(s.schema) for subs in branches.values() for s in subs))
    return [(line, f"expected {wanted or 'another shape'}{spot}, got {_show(error.instance)}")]


def _expected(schema: Any) -> str:
    if not isinstance(schema, dict):
        return "nothing"
    kinds: Sequence[str] = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    names = {"string": "text", "array": "a list", "object": "a mapping", "number": "a number"}
    names |= {"integer": "a whole number", "boolean": "true or false", "null": "nothing"}
    text = " or ".join(names.get(k, k) for k in kinds) or "another value"
    if "pattern" in schema:
        text += f" ({schema.get('title', schema['pattern'])})"
    limits = [f"{sign} {schema[k]}" for k, sign in _LIMITS.items() if k in schema]
    if schema.get("minLength") or schema.get("minItems") or schema.get("minProperties"):
        text += ", not empty" if "maxItems" not in schema else f" of {schema['maxItems']}"
    return f"{text} {' and '.join(limits)}" if limits else text


_LIMITS: Final[Mapping[str, str]] = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<="}


def _spell(path: Key) -> str:
    """("waivers", 0, "reason") -> `waivers[0].reason`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


def _show(value: Any) -> str:
    """A value as the file shows it, short."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + '..."'
