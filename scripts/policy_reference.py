#!/usr/bin/env python3
"""Writes docs/policy-reference.md from the JSON Schemas. Usage: scripts/policy_reference.py [--check]"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from auditor.documents import load_schema

TARGET = Path(__file__).resolve().parent.parent / "docs" / "policy-reference.md"
TITLES = {
    "policy": "The policy, `.auditor.yaml`", "workload": "The workload manifest, `workload.yaml` or `workload:`",
    "waivers": "Waiver files", "overlay": "Rows of `catalog:`", "rule": "Rules of your own", "checks": "`params` of a rule",
    "cases": "Cases",
}  # fmt: skip


def resolve(schema: Any, root: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    while "$ref" in schema:
        name, _, pointer = schema["$ref"].partition("#")
        root = root["$defs"][name] if name else root
        target: Any = root
        for part in pointer.split("/")[1:]:
            target = target[part]
        schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema, root


def kind(schema: Any) -> str:
    if "enum" in schema:
        return " \\| ".join("off" if v is False else str(v) for v in schema["enum"])
    if "anyOf" in schema or "oneOf" in schema:
        return "one of several shapes"
    types = schema.get("type", "any")
    return " or ".join(types) if isinstance(types, list) else str(types)


def rows(schema: Any, root: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[str]:
    for key, found in schema.get("properties", {}).items():
        if key.startswith("+"):
            continue
        value, within = resolve(found, root)
        default = f" Default: `{value['default']}`." if "default" in value else ""
        need = " **Required.**" if key in schema.get("required", ()) else ""
        text = value.get("description", "").replace("|", "\\|")
        yield f"| `{prefix}{key}` | {kind(value)} | {text}{default}{need} |"
        if depth < 4:
            yield from rows(value, within, f"{prefix}{key}.", depth + 1)
            if "items" in value:
                item, inner = resolve(value["items"], within)
                for option in [item, *item.get("anyOf", ())]:
                    option, inner = resolve(option, inner)
                    yield from rows(option, inner, f"{prefix}{key}[].", depth + 1)


def build() -> str:
    parts = [
        "# Policy reference\n\nGenerated from the JSON Schemas by `scripts/policy_reference.py`; "
        "`auditor schema KIND` prints them.\n"
        "Later layers of `extends` win, maps merge by key, lists replace, `+key` appends to the inherited list.\n"
    ]
    for name, title in TITLES.items():
        schema = load_schema(name)
        parts.append(f"\n## {title}\n\n{schema.get('description', '')}\n\n| key | value | meaning |\n|---|---|---|\n")
        parts.append("\n".join(dict.fromkeys(rows(schema, schema))) + "\n")
    return "".join(parts)


def main() -> int:
    text = build()
    if "--check" in sys.argv[1:]:
        return int(not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
