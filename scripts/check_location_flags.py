#!/usr/bin/env python3
"""Holds the location table of a cloud against a provider's source, and fills in what the source tells.

`scripts/check_location_flags.py CLOUD PROVIDER VERSION FOLDER [FOLDER...]`

FOLDERs are checkouts (or parts) of one provider built on the plugin SDK, as in `import_schema_source.py`. For each row of
`provider_catalog/CLOUD/locations.csv` whose type the source registers:

- `computed` becomes what the source says of the argument: `y` where the provider fills it in when nobody wrote it, else `n`;
- a path that the source does not hold, or that cannot be set, is listed on stderr: such a row reads nothing;
- `absent`, where it is empty, becomes the `Default` of the source: `any` for `global`, else that place. Such an argument never
  falls back to the region of the provider block, and source that is scanned without a plan does not show the default.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from import_schema_source import ROOT, Package

PLACES = ("region", "zone", "location", "multi_region")


def field(schema: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """The schema of the argument at a path of the location table (`a.b[].c`); None where there is none."""
    found: Mapping[str, Any] | None = None
    inner: Any = schema
    for name in path.replace("[]", "").split("."):
        found = inner.get(name) if isinstance(inner, dict) else None
        if not isinstance(found, dict):
            return None
        elem = found.get("Elem")
        inner = elem.get("Schema") if isinstance(elem, dict) else None
    return found


def schemas(folders: list[str]) -> dict[str, Mapping[str, Any]]:
    """Resource type -> its arguments, of every type that can be read."""
    found: dict[str, Mapping[str, Any]] = {}
    for place in sorted({f.parent for folder in folders for f in Path(folder).rglob("*.go")}):
        package = Package(place)
        for kind, name in package.registered.items():
            made = package.value(name)
            schema = made.get("Schema", made) if isinstance(made, dict) else None
            if isinstance(schema, dict) and any(isinstance(v, dict) for v in schema.values()):
                found[kind] = schema
    return found


def main() -> None:
    cloud, provider, version, *folders = sys.argv[1:]
    table = ROOT / cloud / "locations.csv"
    with table.open(encoding="utf-8") as f:
        reader = csv.DictReader(f)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    held = schemas(folders)
    seen = changed = 0
    for row in rows:
        kind, path = row["resource_type"], row["path"]
        if kind not in held or path.startswith("(") or row["provider"] != provider:
            continue
        seen += 1
        found = field(held[kind], path)
        if found is None or not (found.get("Optional") is True or found.get("Required") is True):
            print(f"no such argument: {kind} {path} ({row['use']})", file=sys.stderr)
            continue
        default = found.get("Default")
        if default and row["kind"] in PLACES and not row["absent"]:
            row["absent"] = "any" if default == "global" else f"place:{default}"
            print(f"default {default}: {kind} {path} ({row['use']})", file=sys.stderr)
        computed = "y" if found.get("Computed") is True else "n"
        if row["computed"] != computed:
            changed += 1
            if row["computed"]:
                print(f"computed {row['computed']} -> {computed}: {kind} {path} ({row['use']})", file=sys.stderr)
            row["computed"] = computed
            if not row["checked"]:
                row["checked"] = f"Go schema {provider} {version}"
    with table.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(held)} types read, {seen} rows held against them, {changed} changed", file=sys.stderr)


if __name__ == "__main__":
    main()
