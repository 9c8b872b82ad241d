#!/usr/bin/env python3
"""Writes docs/policy-reference.md from the JSON Schemas. Usage: scripts/policy_reference.py [--check]"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from auditor.catalog import data_dir
from auditor.documents import load_schema
from auditor.rules import load_rules

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
        return " \\| ".join(dict.fromkeys("off" if v is False else str(v) for v in schema["enum"]))
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
        if depth < 4 and key != "defaults":  # what `defaults` of cases holds stands under `cases` once more
            yield from inner_rows(value, within, f"{prefix}{key}", depth + 1)


def inner_rows(value: Any, root: dict[str, Any], name: str, depth: int) -> Iterator[str]:
    """What stands below a key: keys of a mapping, of the items of a list, of a mapping with names of one's own."""
    for shape in [value, *value.get("anyOf", ()), *value.get("oneOf", ())]:
        option, within = resolve(shape, root)
        yield from rows(option, within, f"{name}.", depth)
        if "items" in option:
            item, inner = resolve(option["items"], within)
            for each in [item, *item.get("anyOf", ())]:
                one, held = resolve(each, inner)
                yield from rows(one, held, f"{name}[].", depth)
        if isinstance(option.get("additionalProperties"), dict):
            each, held = resolve(option["additionalProperties"], within)
            yield from inner_rows(each, held, f"{name}.<name>", depth)


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
    parts.append("\n## Parameters of the shipped rules\n\n`rules: {ID: {params: {...}}}` takes these; any other value of a rule ")
    parts.append("is a key of its own above.\n\n| rule | parameter | default |\n|---|---|---|\n")
    for rule in sorted(load_rules(data_dir("policies")), key=lambda r: r.id):
        parts += [f"| [{rule.id}](rules/{rule.id}.md) | `{k}` | `{json.dumps(v)}` |\n" for k, v in rule.params.items()]
    return "".join(parts)


def write() -> None:
    TARGET.write_text(build(), encoding="utf-8")


def main() -> int:
    if "--check" in sys.argv[1:]:
        return int(not TARGET.exists() or TARGET.read_text(encoding="utf-8") != build())
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
