#!/usr/bin/env python3
"""Writes `computed_blocks.csv` of a cloud from a provider's source.

`scripts/import_schema_source.py CLOUD PROVIDER VERSION FOLDER`

A provider schema in JSON does not tell which nested blocks the provider fills in where nobody wrote them; the Go source does
(`Optional: true, Computed: true`). FOLDER is a checkout (or a part of one) of a provider built on the plugin SDK. Schemas are
read as the literals they are written as; what stands in a function or a variable of the same package is followed, what is made
by a computation is not read. Types whose schema cannot be read are listed on stderr; rows of other sources are kept.

    scripts/import_schema_source.py gcp hashicorp/google e03b7622a26c ../terraform-provider-google/google
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent / "provider_catalog"
_TOKEN = re.compile(
    r'\s+|//[^\n]*|/\*.*?\*/|(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`|\'(?:[^\'\\]|\\.)*\')|(?P<word>\w+)|(?P<mark>.)', re.DOTALL
)
_FUNC = re.compile(r"^func (?:\(\w* ?\*?(?P<of>\w+)\) )?(?P<name>\w+)\(", re.MULTILINE)
_VAR = re.compile(
    r"^(?:var )?\t?(?P<name>\w+)(?:\s+\S+)?\s+=\s+(?=&?(?:map\[string\]\*|\w+\.(?:Schema|Resource)\b))", re.MULTILINE
)
_MADE = re.compile(r"(?:return|:?=)\s+(?=&?(?:map\[string\]\*?\w+\.Schema|\w+\.(?:Resource|Schema))\{)")
_RETURNED = re.compile(r"\breturn\s+")
_REGISTERED = (
    re.compile(
        r'Name:\s+"(?P<type>\w+)",\s+ProductName:[^\n]*\s+Type:\s+registry\.SchemaTypeResource,\s+Schema:\s+(?P<name>\w+)\('
    ),
    re.compile(r'RegisterResource\("(?P<type>\w+)", (?P<name>\w+)\('),
    re.compile(r'^\t+"(?P<type>azurerm_\w+|azuread_\w+)":\s+(?P<name>resource\w+)\(', re.MULTILINE),
)
_TYPED = re.compile(r'^func \(\w* ?\*?(?P<of>\w+)\) ResourceType\(\) string \{\s+return "(?P<type>\w+)"', re.MULTILINE)


class Token(NamedTuple):
    """kind: text | word | mark."""

    kind: str
    value: str


def tokens(text: str) -> Iterator[Token]:
    for m in _TOKEN.finditer(text):
        if m.lastgroup:
            yield Token(m.lastgroup, m[0])


class Package:
    """The functions and variables of one folder of Go files."""

    def __init__(self, folder: Path) -> None:
        self.bodies: dict[str, str] = {}  # `name`, or `Receiver.name` -> text from the opening brace, or the value
        self.registered: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        for file in sorted(folder.glob("*.go")):
            if file.name.endswith("_test.go"):
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            for m in _FUNC.finditer(text):
                name = f"{m['of']}.{m['name']}" if m["of"] else m["name"]
                end = text.find("\n}\n\n", m.start())  # without the empty line it may stand in a text
                self.bodies.setdefault(name, text[m.start() : end if end > 0 else len(text)])
            for m in _VAR.finditer(text):
                self.bodies.setdefault(m["name"], text[m.end() : m.end() + 400_000])
            for pattern in _REGISTERED:
                self.registered.update((m["type"], m["name"]) for m in pattern.finditer(text))
            self.registered.update((m["type"], f"{m['of']}.Arguments") for m in _TYPED.finditer(text))

    def value(self, name: str) -> Any:
        """What a function returns, or a variable holds: the first schema literal in it."""
        if name not in self._values:
            self._values[name] = None  # a schema in itself ends here
            self._values[name] = self._read(name)
        return self._values[name]

    def _read(self, name: str) -> Any:
        body = self.bodies.get(name)
        if body is None:
            return None
        if body.startswith("func "):
            at = _MADE.search(body) or _RETURNED.search(body)
            if at is None:
                return None
            body = body[at.end() :]
        return Reader(self, body).expression()


class Reader:
    """Reads one Go expression: `Schema` maps become {name: {field: value}}, other things None."""

    def __init__(self, package: Package, text: str) -> None:
        self.package = package
        self.stream = tokens(text)
        self.head = next(self.stream, Token("end", ""))

    def step(self) -> Token:
        was, self.head = self.head, next(self.stream, Token("end", ""))
        return was

    def is_(self, value: str) -> bool:
        return self.head.kind != "text" and self.head.value == value

    def expression(self, follow: bool = True) -> Any:
        while self.is_("&") or self.is_("*"):
            self.step()
        if self.head.kind == "text":
            return self.rest(self.step().value[1:-1])
        if self.is_("{"):
            return self.literal()
        if self.is_("map") or self.is_("["):
            while not (self.is_("{") or self.head.kind == "end"):
                self.step()
            return self.literal()
        if self.head.kind != "word":
            self.skip()
            return None
        name = self.step().value
        if name == "func":
            self.skip()
            return None
        while self.is_("."):
            self.step()
            name += "." + self.step().value
        if name in ("true", "false"):
            return self.rest(name == "true")
        if self.is_("{"):
            return self.literal()
        if self.is_("("):
            given = self.arguments() if follow and name not in self.package.bodies else self.balanced()
            return self.rest(self.package.value(name) if follow and given is None else given)
        return self.rest(self.package.value(name) if follow and name in self.package.bodies else name)

    def rest(self, value: Any) -> Any:
        """The value, if the expression ends here; a computation is not known."""
        if self.head.kind == "end" or self.head.value in (",", "}", ")", "\n") or self.head.kind == "word":
            return value
        self.skip()
        return None

    def literal(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self.step()
        while not self.is_("}") and self.head.kind != "end":
            if self.is_(","):
                self.step()
                continue
            key = self.step() if self.head.kind in ("text", "word") else None
            if key is not None and self.is_(":"):
                self.step()
                made[key.value.strip('"')] = self.expression(key.kind == "text" or key.value in ("Schema", "Elem"))
            elif self.is_(")"):
                self.step()  # of a text that a variable was cut from
            else:
                self.skip()
        self.step()
        return made

    def arguments(self) -> dict[str, Any]:
        """What a call of another package is given, all of it together: such a call merges schemas."""
        made: dict[str, Any] = {}
        self.step()
        while not self.is_(")") and self.head.kind != "end":
            if self.is_(","):
                self.step()
                continue
            given = self.expression()
            if isinstance(given, dict):
                made |= given
            elif self.is_("}"):
                self.step()
        self.step()
        return made

    def balanced(self) -> None:
        depth = 0
        while self.head.kind != "end":
            value = self.step()
            if value.kind == "mark" and value.value in "([{":
                depth += 1
            elif value.kind == "mark" and value.value in ")]}":
                depth -= 1
                if not depth:
                    return

    def skip(self) -> None:
        """To the end of an element: a comma or a closing brace of this level."""
        while self.head.kind != "end" and not (self.is_(",") or self.is_("}") or self.is_(")")):
            if self.head.kind == "mark" and self.head.value in "([{":
                self.balanced()
            else:
                self.step()


def blocks(schema: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, bool]]:
    """(path, whether it is Optional and Computed) of every nested block."""
    for name, field in schema.items():
        if not isinstance(field, dict) or depth > 12:
            continue
        elem = field.get("Elem")
        inner = elem.get("Schema") if isinstance(elem, dict) else None
        if isinstance(inner, dict):
            yield f"{prefix}{name}", field.get("Optional") is True and field.get("Computed") is True
            yield from blocks(inner, f"{prefix}{name}.", depth + 1)


def main() -> None:
    cloud, provider, version, folder = sys.argv[1:]
    today = datetime.now(tz=UTC).date().isoformat()
    out = ROOT / cloud / "computed_blocks.csv"
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    read: set[str] = set()
    unread: list[str] = []
    for place in sorted({f.parent for f in Path(folder).rglob("*.go")}):
        package = Package(place)
        for kind, name in package.registered.items():
            made = package.value(name)
            schema = made.get("Schema", made) if isinstance(made, dict) else None
            if not isinstance(schema, dict) or not any(isinstance(v, dict) for v in schema.values()):
                unread.append(kind)
                continue
            read.add(kind)
            for path, computed in blocks(schema):
                if computed:
                    found[kind, path] = (f"Optional and Computed in the source of {provider} {version}", today, "verified")
    with out.open(encoding="utf-8") as f:
        for row in csv.DictReader(f):
            if row["resource_type"] not in read or row["confidence"] == "verified":
                found.setdefault((row["resource_type"], row["block"]), (row["source"], row["date"], row["confidence"]))
            elif (row["resource_type"], row["block"]) not in found:
                print(f"recalled, and not so: {row['resource_type']} {row['block']}", file=sys.stderr)
    with out.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(("resource_type", "block", "source", "date", "confidence"))
        writer.writerows((*key, *value) for key, value in sorted(found.items()))
    print(f"{len(read)} types read, {len(found)} blocks; not read: {' '.join(sorted(unread))}", file=sys.stderr)


if __name__ == "__main__":
    main()
