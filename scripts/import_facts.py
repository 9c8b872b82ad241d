#!/usr/bin/env python3
"""First import of the shared facts into the reviewable tables of `provider_catalog/`.

Usage: scripts/import_facts.py [FACTS_DIR] [--schemas DIR] [--force]

Run once. From then on the tables are the source of truth and are mended by hand, so the script refuses to overwrite
them without --force. Decisions about single rows stand in `import_decisions.yaml`. No row is dropped: a row that
cannot decide a verdict carries `use=listed` and a reason. Paths are checked against provider schemas
(`terraform providers schema -json`, xz-compressed, in --schemas) where one is held. Nothing here runs at build, test or
run time.
"""

from __future__ import annotations

import argparse
import csv
import json
import lzma
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "provider_catalog"
DATE = "2026-11-20"
Row = dict[str, str]

REGION_COLUMNS = [
    "region_id",
    "display_name",
    "city_or_metro",
    "country",
    "partition",
    "sovereign",
    "zone_pattern",
    "kind",
    "member_countries",
    "parent",
    "region_guarantee",
    "use",
    "reason",
    "source",
    "date",
    "confidence",
]
LOCATION_COLUMNS = [
    "resource_type",
    "path",
    "role",
    "kind",
    "use",
    "topic",
    "effects",
    "absent",
    "absent_confirmed",
    "lookup",
    "place_cloud",
    "when",
    "unless",
    "computed",
    "provider",
    "notes",
    "reason",
    "checked",
    "source",
    "date",
    "confidence",
]
PARENT_COLUMNS = ["resource_type", "parents", "provider", "source", "date", "confidence"]
GLOBAL_COLUMNS = ["resource_type", "class", "use", "notes", "reason", "source", "date", "confidence"]
BEARING_COLUMNS = [
    "resource_type",
    "data_bearing",
    "category",
    "suggested_severity",
    "method",
    "provider",
    "source",
    "date",
    "confidence",
]
PAIR_COLUMNS = ["region", "paired_region", "direction", "source", "date", "confidence"]
PROVIDER_COLUMNS = ["provider_source", "cloud", "class", "short", "channel", "source", "date", "confidence"]

# The order of the rows of one type: what a reader looks for first.
ROLES = ("home", "processing", "replica", "backup", "logs", "cache")
KINDS = ("region", "location", "multi_region", "zone", "arn")
# Attributes that name the other end, a key or a policy: never tried before the parent itself.
OTHER_END = re.compile(r"(remote|peer|partner|target|destination|linked|source|key_vault_key|policy|base_policy)_")


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Schemas:
    """Resource schemas of the providers held, by provider source and version."""

    def __init__(self, directory: Path) -> None:
        self.held: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for path in sorted(directory.glob("*-[0-9]*.json.xz")):
            document = json.loads(lzma.decompress(path.read_bytes()))
            for name, schema in document.get("provider_schemas", {}).items():
                source = name.split("/", 1)[1].lower()
                version = path.name.removesuffix(".json.xz")
                self.held[source][version] = schema.get("resource_schemas") or {}

    def versions_with_type(self, source: str, resource_type: str) -> list[str]:
        return [v for v, types in self.held.get(source, {}).items() if resource_type in types]

    def versions_with_path(self, source: str, resource_type: str, path: str) -> list[str]:
        segments = [s.replace("[]", "") for s in path.split(".")]
        return [
            v
            for v in self.versions_with_type(source, resource_type)
            if _has(self.held[source][v][resource_type]["block"], segments)
        ]

    def computed(self, source: str, resource_type: str, path: str) -> str:
        """Whether the provider may fill the attribute when it is unset, by the newest schema held: y, n or ""."""
        versions = self.versions_with_path(source, resource_type, path)
        if not versions:
            return ""
        newest = max(versions, key=lambda v: [int(n) for n in v.rpartition("-")[2].split(".")])
        segments = [s.replace("[]", "") for s in path.split(".")]
        return "y" if _computed(self.held[source][newest][resource_type]["block"], segments) else "n"

    def full_paths(self, source: str, resource_type: str, leaf: str) -> list[str]:
        """Paths a user can set whose last segment is `leaf`, over all versions held."""
        found: dict[str, None] = {}
        for version in self.versions_with_type(source, resource_type):
            for path, attribute in _leaves(self.held[source][version][resource_type]["block"]):
                settable = attribute.get("optional") or attribute.get("required")
                if settable and path.rpartition(".")[2].replace("[]", "") == leaf:
                    found[path] = None
        return list(found)


def _has(block: dict[str, Any], segments: list[str]) -> bool:
    if not segments:
        return True
    head, rest = segments[0], segments[1:]
    attribute = block.get("attributes", {}).get(head)
    if attribute is not None:
        if not rest:
            return True
        if "nested_type" in attribute:
            return _has({"attributes": attribute["nested_type"].get("attributes", {})}, rest)
        return _type_has(attribute.get("type"), rest)
    nested = block.get("block_types", {}).get(head)
    return nested is not None and _has(nested["block"], rest)


def _computed(block: dict[str, Any], segments: list[str]) -> bool:
    attribute = block.get("attributes", {}).get(segments[0])
    if attribute is not None:
        if attribute.get("computed"):
            return True
        nested = attribute.get("nested_type")
        return bool(nested and segments[1:]) and _computed({"attributes": nested.get("attributes", {})}, segments[1:])
    nested = block.get("block_types", {}).get(segments[0])
    return bool(nested and segments[1:]) and _computed(nested["block"], segments[1:])


def _type_has(kind: Any, segments: list[str]) -> bool:
    if not segments or kind == "dynamic":
        return True
    if isinstance(kind, list) and kind[0] in ("list", "set", "map"):
        return _type_has(kind[1], segments)
    if isinstance(kind, list) and kind[0] == "object":
        return segments[0] in kind[1] and _type_has(kind[1][segments[0]], segments[1:])
    return False


def _leaves(block: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, attribute in block.get("attributes", {}).items():
        nested = attribute.get("nested_type")
        if nested is not None:
            mark = "[]" if nested.get("nesting_mode") in ("list", "set", "map") else ""
            yield from _leaves({"attributes": nested.get("attributes", {})}, f"{prefix}{name}{mark}.")
        else:
            yield prefix + name, attribute
    for name, nested in block.get("block_types", {}).items():
        mark = "[]" if nested.get("nesting_mode") in ("list", "set", "map") and nested.get("max_items") != 1 else ""
        yield from _leaves(nested["block"], f"{prefix}{name}{mark}.")


class Import:
    """One run: facts in, tables out."""

    def __init__(self, facts: Path, schemas: Schemas, decisions: dict[str, Any]) -> None:
        self.facts = facts
        self.schemas = schemas
        self.decisions = decisions
        self.tables: dict[Path, tuple[list[str], list[Row]]] = {}
        self.counts: Counter[str] = Counter()
        self.rules = [
            ({k: re.compile(v) for k, v in rule.items() if k != "set"}, rule["set"]) for rule in decisions["rows"]
        ]

    def cloud_of(self, source: str) -> str:
        return str(self.decisions["providers"][source.lower()][0])

    def put(self, path: str, columns: list[str], rows: Iterable[Row], key: Any) -> None:
        self.tables[CATALOG / path] = (columns, sorted(rows, key=key))

    def per_cloud(self, name: str, columns: list[str], rows: dict[str, list[Row]], key: Any) -> None:
        for cloud, found in rows.items():
            self.put(f"{cloud}/{name}.csv", columns, found, key)
            self.counts[name] += len(found)

    def providers(self) -> None:
        reasons = self.decisions["class_reasons"]
        rows = []
        for source, (cloud, class_, short, channel) in self.decisions["providers"].items():
            confidence = "judged" if class_ in ("hyperscaler", "neocloud", "onprem") else "stated"
            rows.append(
                {"provider_source": source, "cloud": cloud, "class": class_, "short": short, "channel": channel}
                | {"source": reasons[class_], "date": DATE, "confidence": confidence}
            )
        self.put("providers.csv", PROVIDER_COLUMNS, rows, lambda r: r["provider_source"])

    def regions(self) -> None:
        rows: dict[str, list[Row]] = defaultdict(list)
        for fact in read(self.facts / "regions.csv"):
            row = {**fact, "date": DATE, "parent": "", "use": "decide", "reason": ""}
            if fact["zone_pattern"].startswith("parent="):
                row["parent"] = fact["zone_pattern"].removeprefix("parent=")
            if fact["cloud"] == "azure" and fact["region_id"] == "global":
                row |= {"member_countries": "*", "reason": "`global` on a type that is not global means any place"}
            if not row["country"] and not row["member_countries"]:
                why = "a pattern, resolved by its own rows" if fact["kind"] == "pattern_per_city" else "names no place"
                row |= {"use": "listed", "reason": f"{fact['kind']}: {why}"}
            rows[fact["cloud"]].append(row)
            if fact["kind"] == "alias":  # 'app_platform:nyc|ams': one row per slug, country of the numbered slugs
                rows[fact["cloud"]].extend(self._slugs(row, rows[fact["cloud"]]))
        rows["hetzner"].append(
            {"region_id": "eu-central", "display_name": "network zone eu-central", "kind": "multi_region"}
            | {"member_countries": "DE FI", "partition": "public", "region_guarantee": "y", "use": "decide"}
            | {"source": "regions.csv zone_pattern; value_semantics.yaml collisions", "date": DATE}
            | {"confidence": "verified"}
        )
        self.per_cloud("regions", REGION_COLUMNS, rows, lambda r: r["region_id"])

    @staticmethod
    def _slugs(row: Row, known: list[Row]) -> Iterator[Row]:
        prefix, _, slugs = row["region_id"].partition(":")
        for slug in slugs.split("|"):
            countries = {r["country"] for r in known if re.fullmatch(re.escape(slug) + r"\d", r["region_id"])}
            if len(countries) == 1:
                yield {
                    **row,
                    "region_id": f"{prefix}:{slug}",
                    "country": countries.pop(),
                    "use": "decide",
                    "reason": "",
                }

    def locations(self) -> None:
        parents = self.parents()
        rows: dict[str, list[Row]] = defaultdict(list)
        for fact in read(self.facts / "location_attributes.csv"):
            for row in self._location(fact):
                rows[self.cloud_of(fact["provider_source"])].append(row)
        for added in self.decisions["added"]:
            row = dict.fromkeys(LOCATION_COLUMNS, "") | {k: v for k, v in added.items() if k != "type"}
            row |= {"resource_type": added["type"], "use": "decide", "date": DATE, "confidence": "verified"}
            rows[self.cloud_of(added["provider"])].append(row)
        for cloud, found in rows.items():
            self._parents_from_refs(cloud, found, parents)
        for found in rows.values():
            for row in found:
                self.counts[f"use {row['use']}"] += 1
        self.per_cloud("locations", LOCATION_COLUMNS, rows, _location_key)
        self.per_cloud("parents", PARENT_COLUMNS, parents, lambda r: r["resource_type"])

    def _location(self, fact: Row) -> Iterator[Row]:
        source = fact["provider_source"].lower()
        cloud = self.cloud_of(source)
        row = dict.fromkeys(LOCATION_COLUMNS, "") | {
            "resource_type": fact["resource_type"],
            "path": fact["attribute_path"],
            "role": fact["role"],
            "kind": fact["value_kind"],
            "use": "decide",
            "provider": source,
            "notes": fact["notes"],
            "source": fact["verified_against"],
            "date": DATE,
            "confidence": "auto from docs" if fact["notes"] == "auto from docs" else "verified",
        }
        told = {"type": row["resource_type"], "path": row["path"], "notes": row["notes"], "kind": row["kind"]}
        told |= {"role": row["role"], "cloud": cloud}
        decided: dict[str, str] = {}
        for conditions, values in self.rules:
            if all(pattern.fullmatch(told[key]) for key, pattern in conditions.items()):
                decided = {**values, **decided}
        row |= {k: v.replace("{path}", row["path"]) for k, v in decided.items()}
        yield from self._checked(source, row, renamed="path" in decided)

    def _checked(self, source: str, row: Row, renamed: bool) -> Iterator[Row]:
        """The row with its path checked against the schemas held; one row per full path where only a leaf was known."""
        resource_type, path = row["resource_type"], row["path"]
        if source not in self.schemas.held or resource_type == "*":
            self.counts["path unchecked (no schema held)"] += 1
            yield row
            return
        versions = self.schemas.versions_with_path(source, resource_type, path)
        if not versions and source == "hashicorp/google":  # one table for both: a type may be held by the preview only
            source = "hashicorp/google-beta"
            versions = self.schemas.versions_with_path(source, resource_type, path)
        if versions:
            self.counts["path in schema"] += 1
            computed = self.schemas.computed(source, resource_type, path)
            yield {**row, "checked": " ".join(versions), "computed": computed}
            return
        full = [] if renamed else self.schemas.full_paths(source, resource_type, path)
        if full:
            self.counts["path found nested"] += 1
            for found in full:
                seen = self.schemas.versions_with_path(source, resource_type, found)
                computed = self.schemas.computed(source, resource_type, found)
                yield {**row, "path": found, "checked": " ".join(seen), "computed": computed}
            return
        # The facts' own machine check against a schema newer than the ones held here stands.
        newer = re.match(r"Go schema hashicorp/google 7|docs azurerm 5", row["source"])
        if newer:
            self.counts["path checked against a newer schema by the facts"] += 1
            yield {**row, "checked": f"{row['source']} (newer than the schemas held)"}
            return
        held = " ".join(self.schemas.held[source])
        print(f"  not in schema {held}: {resource_type}.{path}")
        self.counts["path not in schema"] += 1
        yield {**row, "use": "listed", "reason": row["reason"] or f"not in schema {held}"}

    def parents(self) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = defaultdict(list)
        for fact in read(self.facts / "inherits_location_from.csv"):
            names = _parent_order(fact["resource_type"], fact["parent_reference_attributes"].split())
            rows[self.cloud_of(fact["provider_source"])].append(
                {"resource_type": fact["resource_type"], "parents": " ".join(names)}
                | {"provider": fact["provider_source"], "source": fact["verified_against"], "date": DATE}
                | {"confidence": "by name"}
            )
        for resource_type, names in self.decisions["added_parents"].items():
            provider = "hashicorp/azurerm" if resource_type.startswith("azurerm") else "hashicorp/google"
            for name in names:
                if not self.schemas.versions_with_path(provider, resource_type, name):
                    sys.exit(f"added_parents: {resource_type}.{name} is in no schema held")
            rows[self.cloud_of(provider)].append(
                {"resource_type": resource_type, "parents": " ".join(names), "provider": provider, "date": DATE}
                | {"source": f"schema {' '.join(self.schemas.held[provider])}", "confidence": "by name"}
            )
        return rows

    def _parents_from_refs(self, cloud: str, rows: list[Row], parents: dict[str, list[Row]]) -> None:
        """A reference row that only says where the resource itself stands becomes a parent."""
        own = {r["resource_type"] for r in rows if r["role"] == "home" and r["kind"] in KINDS}
        known = {r["resource_type"]: r for r in parents.get(cloud, [])}
        for row in rows:
            resource_type, path = row["resource_type"], row["path"]
            if row["kind"] != "resource_ref" or row["use"] != "decide" or "." in path or "[]" in path:
                continue
            entry = known.get(resource_type)
            listed = entry is not None and path in entry["parents"].split()
            locates = row["role"] in ("home", "processing") and resource_type not in own and not row["topic"]
            if cloud == "aws" or not (locates or (listed and row["role"] == "home")):
                continue
            if entry is None:
                entry = {"resource_type": resource_type, "parents": "", "provider": row["provider"], "date": DATE}
                entry |= {"source": row["source"], "confidence": "verified"}
                known[resource_type] = entry
                parents[cloud].append(entry)
            rest = [p for p in entry["parents"].split() if p != path]
            entry["parents"] = " ".join([path, *rest])
            row |= {"use": "listed", "reason": "read as the parent (parents.csv)"}

    def global_types(self) -> None:
        rows: dict[str, list[Row]] = defaultdict(list)
        for fact in read(self.facts / "global_resources.csv"):
            if fact["class"] == "no_cloud":
                continue  # utility types: their providers have class utility
            use = "decide" if fact["class"] == "global" else "listed"
            reason = "" if use == "decide" else "no location argument, yet not known to be global"
            rows[self.cloud_of(fact["provider_source"])].append(
                {"resource_type": fact["resource_type"], "class": fact["class"], "use": use, "notes": fact["notes"]}
                | {"reason": reason, "source": fact["verified_against"], "date": DATE, "confidence": "verified"}
            )
        for version, types in self.schemas.held.get("hashicorp/azuread", {}).items():
            for resource_type in types:
                rows["azure"].append(
                    {"resource_type": resource_type, "class": "global", "use": "decide", "date": DATE, "reason": ""}
                    | {"notes": "directory object, no location argument", "source": f"schema {version}"}
                    | {"confidence": "verified"}
                )
        self.per_cloud("global", GLOBAL_COLUMNS, rows, lambda r: r["resource_type"])

    def data_bearing(self) -> None:
        rows: dict[str, list[Row]] = defaultdict(list)
        for fact in read(self.facts / "data_bearing.csv"):
            source = fact["provider_source"].lower()
            confidence = "verified" if fact["method"] == "curated" else "guessed by pattern"
            row = {**fact, "provider": source, "source": "data_bearing.csv", "date": DATE, "confidence": confidence}
            rows[self.cloud_of(source)].append(row)
        self.per_cloud("data_bearing", BEARING_COLUMNS, rows, lambda r: r["resource_type"])

    def instances(self) -> None:
        facts = read(self.facts / "gpu_instances.csv")
        columns = [c for c in facts[0] if c not in ("cloud", "confidence", "source")] + ["source", "date", "confidence"]
        rows: dict[str, list[Row]] = defaultdict(list)
        for fact in facts:
            cloud = self.decisions["cloud_ids"].get(fact["cloud"], fact["cloud"])
            rows[cloud].append({**fact, "date": DATE})
        self.per_cloud("instances", columns, rows, lambda r: r["instance_type"])

    def pairs(self) -> None:
        rows = [{**fact, "date": DATE, "confidence": "verified"} for fact in read(self.facts / "azure_pairs.csv")]
        self.per_cloud("pairs", PAIR_COLUMNS, {"azure": rows}, lambda r: r["region"])

    def write(self) -> None:
        for path, (columns, rows) in self.tables.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        groups = yaml.safe_load((self.facts / "jurisdictions.yaml").read_text(encoding="utf-8"))
        head = (
            "# Groups of countries a policy can allow, and who owns each cloud.\n"
            "# conf: v = read in the source named, r = recalled: must be confirmed before it decides a fail.\n"
            "# Quote 'NO' (Norway): unquoted it is false in YAML.\n"
        )
        text = yaml.safe_dump(groups, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None)
        (CATALOG / "jurisdictions.yaml").write_text(head + text, encoding="utf-8")


def _parent_order(resource_type: str, names: list[str]) -> list[str]:
    """Attributes that share most words with the type's name first; the other end of a link last."""
    words = resource_type.split("_")[1:]

    def shared(name: str) -> int:
        stem = re.sub(r"_(id|ids|name)$", "", name).split("_")
        return next(
            (i for i, (a, b) in enumerate(zip(words, stem, strict=False)) if a != b), min(len(words), len(stem))
        )

    return sorted(names, key=lambda n: (bool(OTHER_END.match(n)), -shared(n)))


def _location_key(row: Row) -> tuple[Any, ...]:
    role = ROLES.index(row["role"])
    kind = KINDS.index(row["kind"]) if row["kind"] in KINDS else len(KINDS)
    return row["resource_type"], role, kind, row["path"], row["provider"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("facts", type=Path, nargs="?", default=ROOT.parent / "shared" / "facts")
    parser.add_argument("--schemas", type=Path, default=None, help="default: FACTS_DIR/../rig/schemas")
    parser.add_argument("--force", action="store_true", help="overwrite tables that may have been mended by hand")
    args = parser.parse_args()
    if (CATALOG / "providers.csv").exists() and not args.force:
        sys.exit("provider_catalog/ holds tables already; they are mended by hand. Use --force to overwrite them.")
    decisions = yaml.safe_load((Path(__file__).parent / "import_decisions.yaml").read_text(encoding="utf-8"))
    run = Import(args.facts, Schemas(args.schemas or args.facts.parent / "rig" / "schemas"), decisions)
    run.providers()
    run.regions()
    run.locations()
    run.global_types()
    run.data_bearing()
    run.instances()
    run.pairs()
    run.write()
    for name, count in sorted(run.counts.items()):
        print(f"{count:6d}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
