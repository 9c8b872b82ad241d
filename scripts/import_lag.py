#!/usr/bin/env python3
"""Makes the shards of `provider_catalog/lag/` from the lag tables.

Usage: scripts/import_lag.py FACTS_DIR SCHEMAS_DIR

FACTS_DIR holds provider_releases.csv, first_support.csv, removed_or_deprecated.csv, lag_catalog.csv and auto_*.csv,
SCHEMAS_DIR provider schemas (`terraform providers schema -json`, xz-compressed, NAME-VERSION.json.xz). Arguments that
`scripts/import_arguments.py` found stand in `provider_catalog/lag/arguments/`. One shard a provider, one record a line,
sorted. Decisions about single records stand in `provider_catalog/lag/overrides.yaml`.
Dates and versions are stored, lag never is: it is derived. Nothing here runs at build, test or run time.

What is done to the tables, and why:
- evidence becomes exact | at_most | approximate. A version that gains over 40 types at once, or the first release of a
  provider, proves only "at most": what looks new there may be a gap in what came before.
- a removal is dropped where the type stands in the newest list of types, or in a schema of that version or a later one.
- a type that only a schema shows came with that schema's version at the latest: "at most". One of a generated family
  (`untracked`) is held as known, without a first version: nothing is asked about it.
- `provider_catalog/lag/registered.csv` (made by `scripts/import_registered.py`) overrules what documentation tells: the
  source had the type earlier.
"""

from __future__ import annotations

import csv
import json
import lzma
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import yaml

from auditor.versions import Version, parse_version

ROOT = Path(__file__).resolve().parent.parent
LAG = ROOT / "provider_catalog" / "lag"
CHECKED = "2026-11-20"  # the day the tables were made
MIRRORS = "2026-08-05"  # no source of the tables is older than this day
GAIN = 40  # types one version may gain before "new in it" is doubted
SCHEMA_SOURCE = {"hashicorp/oci": "oracle/oci"}
CLOUDS = {"aws": "hashicorp/aws", "azure": "hashicorp/azurerm", "google": "hashicorp/google", "oci": "oracle/oci"}
SPOILED = re.compile(r"\(<=|upper bound|first-tag|no index|may be|present when")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def order(version: str) -> Version:
    made = parse_version(version)
    if made is None:
        raise SystemExit(f"no version: {version}")
    return made


def filename(source: str) -> str:
    return source.replace("/", "__")


def schemas(folder: Path) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Provider source -> [(version, schema)], oldest first."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for path in folder.glob("*-*.json.xz"):
        version = path.name.removesuffix(".json.xz").rpartition("-")[2]
        with lzma.open(path) as f:
            for source, schema in (json.load(f).get("provider_schemas") or {}).items():
                name = "/".join(source.lower().split("/")[-2:])
                found[SCHEMA_SOURCE.get(name, name)].append((version, schema))
    for held in found.values():
        held.sort(key=lambda pair: order(pair[0]))
    return found


KINDS = {
    "resource": "resource_schemas",
    "data-source": "data_source_schemas",
    "ephemeral": "ephemeral_resource_schemas",
    "list": "list_resource_schemas",
    "action": "action_schemas",
}


def paths(block: dict[str, Any], name: str, prefix: str = "", depth: int = 0) -> list[str]:
    """Dotted paths below a schema block at which an argument of that name stands (not in computed-only ones)."""
    found = []
    if depth > 12:  # some schemas repeat themselves endlessly
        return found
    for attribute, spec in (block.get("attributes") or {}).items():
        settable = spec.get("optional") or spec.get("required")
        if attribute == name and settable:
            found.append(prefix + attribute)
        if settable and "nested_type" in spec:
            found += paths(spec["nested_type"], name, f"{prefix}{attribute}.", depth + 1)
    for inner, spec in (block.get("block_types") or {}).items():
        if inner == name:
            found.append(prefix + inner)
        found += paths(spec.get("block") or {}, name, f"{prefix}{inner}.", depth + 1)
    return found


def supports(
    rows: list[dict[str, str]], releases: dict[str, list[str]], held: list[tuple[str, dict[str, Any]]],
    registered: list[dict[str, str]], untracked: list[str],
) -> dict[str, dict[str, list[str]]]:  # fmt: skip
    """Kind -> type -> [version, evidence, source]. A schema of an older version that holds the type overrules the row."""
    first = min(releases, key=order)
    gained = Counter((r["kind"], r["first_version"]) for r in rows if not SPOILED.search(r["evidence"]))
    made: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for r in rows:
        version, evidence = r["first_version"], "exact"
        if version not in releases:
            base = order(".".join(version.split(".")[:3]))
            version = min((v for v in releases if order(v) > base), key=order)
        doubtful = version in (first,) or version != r["first_version"] or gained[r["kind"], version] > GAIN
        if SPOILED.search(r["evidence"]) or doubtful:
            evidence = "at_most"
        source = r["evidence"].partition("(")[0]
        for shown, schema in held:  # oldest first
            if r["resource_type"] in (schema.get(KINDS.get(r["kind"], "")) or {}) and order(shown) < order(version):
                version, evidence, source = shown, "at_most", "schema"
                break
        if not r["resource_type"].endswith("_"):  # a family that a changelog names by its beginning
            made[r["kind"]][r["resource_type"]] = [version, evidence, source]
    for kind, key in KINDS.items():
        for shown, schema in held:  # oldest first
            for type_ in schema.get(key) or {}:
                if shown in releases and not any(re.search(p, type_) for p in untracked):
                    made[kind].setdefault(type_, [shown, "at_most", "schema"])
    for r in registered:
        old = made[r["kind"]].get(r["resource_type"])
        if old is not None and order(r["first_version"]) < order(old[0]):
            made[r["kind"]][r["resource_type"]] = [r["first_version"], r["evidence"], "source"]
    return made


def removals(
    rows: list[dict[str, str]], newest: set[str], held: list[tuple[str, dict[str, Any]]]
) -> dict[str, list[str]]:
    """Type -> [deprecated in, removed in, replacement, stated | major | absent]."""
    made = {}
    for r in rows:
        kind, removed = r["resource_type"], r["removed_in"]
        doubtful = removed.startswith("<=")
        removed = removed.removeprefix("<=")
        if removed and kind in newest:
            removed = ""
        if removed and any(
            order(version) >= order(removed) and kind in (schema.get(key) or {})
            for version, schema in held
            for key in ("resource_schemas", "data_source_schemas")
        ):
            removed = ""
        if not removed and not r["deprecated_in"]:
            continue
        numbers = [int(n) for n in removed.partition("-")[0].split(".")] if removed else [1]
        trusted = numbers[0] == 0 or not any(numbers[1:])
        evidence = "stated" if r["evidence"] == "changelog" else "major" if trusted and not doubtful else "absent"
        made[kind] = [r["deprecated_in"], removed, r["replacement"], evidence]
    return made


def attributes(
    features: list[dict[str, str]], held: dict[str, list[tuple[str, dict[str, Any]]]], edits: dict[str, Any],
    extra: dict[str, Any],
) -> dict[str, dict[str, dict[str, list[Any]]]]:  # fmt: skip
    """Source -> type -> `path` or `path=value` -> [version, evidence, source]."""
    made: dict[str, dict[str, dict[str, list[Any]]]] = defaultdict(lambda: defaultdict(dict))
    for f in features:
        if not f["attribute"] or not f["first_version"]:
            continue
        evidence = "exact" if f["confidence"] == "high" and not SPOILED.search(f["note"]) else "approximate"
        record = [f["first_version"], evidence, f["note"].partition("tf:")[2].partition(";")[0].partition("(")[0]]
        for kind in f["resource_types"].split("|"):
            places = edits.get(f["feature_id"])
            if places is None:
                places = []
                for _, schema in held.get(f["provider_source"], ()):
                    block = ((schema.get("resource_schemas") or {}).get(kind) or {}).get("block")
                    places += paths(block, f["attribute"]) if block else []
            for place in dict.fromkeys(places):
                made[f["provider_source"]][kind][place] = record
    for source, rows in extra.items():
        for kind, places in rows.items():
            for place, record in places.items():
                made[source][kind][place] = list(record)
    return made


def read_arguments(made: dict[str, dict[str, dict[str, list[Any]]]], released: dict[str, dict[str, list[str]]]) -> None:
    """Adds what `scripts/import_arguments.py` read in the source of a provider; of two exact versions the older holds.

    A row without a version only tells of an argument that the provider never fills it in.
    """
    for path in sorted((LAG / "arguments").glob("*.csv")):
        source = path.stem.replace("__", "/")
        for r in table(path):
            held = made[source][r["resource_type"]]
            old = held.get(r["argument"])
            written = r["written"] == "yes"
            if not r["first_version"]:
                if old is not None and written:
                    held[r["argument"]] = [*old[:3], True]
                continue
            if r["first_version"] not in released[source]:
                raise SystemExit(f"{path.name}: {r['first_version']} is no release")
            if old is not None and old[1] == "exact" and order(old[0]) < order(r["first_version"]):
                made[source][r["resource_type"]][r["argument"]] = [*old[:3], *([True] if written else [])]
                continue
            held[r["argument"]] = [r["first_version"], "exact", r["evidence"], *([True] if written else [])]


def noun(operation: str) -> str:
    return re.sub(r"^(Create|Put|Register|Start|Associate|Enable|Add|Set|Attach|Import|Allocate|Run)", "", operation)


def squeeze(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def plainest(name: str) -> tuple[int, str]:
    """The shortest name first: `aws_subnet` before `aws_default_subnet`."""
    return name.count("_"), name


def natives(facts: Path, support: dict[str, list[dict[str, str]]], edits: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """API namespace -> key -> native types. ARM types in lower case; CloudFormation types squeezed (`s3bucket`)."""
    arm: dict[str, set[str]] = defaultdict(set)
    for r in table(facts / "auto_azure.csv"):
        if r["arm_type"]:
            arm[r["arm_type"].lower()].add(r["resource_type"])
    by_key: dict[str, set[str]] = defaultdict(set)
    for r in table(facts / "auto_aws.csv"):
        name = squeeze(r["resource_type"].removeprefix("aws_"))
        by_key[name].add(r["resource_type"])
        if r["service_package"]:
            by_key[squeeze(r["service_package"]) + name].add(r["resource_type"])
        if r["api_operation"] and squeeze(noun(r["api_operation"])) in name:
            by_key[squeeze(r["botocore_service"]) + squeeze(noun(r["api_operation"]))].add(r["resource_type"])
    # CloudFormation also has types that Cloud Control, and with it awscc, lacks: a name that begins with a service counts.
    held = [r["resource_type"].removeprefix("awscc_") for r in support["hashicorp/awscc"] if r["kind"] == "resource"]
    services = {name.partition("_")[0] for name in held}
    keys = {squeeze(name) for name in held} | {k for k in by_key if any(k.startswith(s) and k != s for s in services)}
    cfn = {key: sorted(by_key[key], key=plainest) for key in sorted(keys & set(by_key))}
    made = {"arm": {k: sorted(v, key=plainest) for k, v in arm.items()}, "cfn": cfn, "dm": {}}
    for r in support["hashicorp/google"]:  # compute.v1.instance is google_compute_instance
        service, _, rest = r["resource_type"].removeprefix("google_").partition("_")
        if r["kind"] == "resource" and rest:
            made["dm"].setdefault(f"{service}.{squeeze(rest)}", []).append(r["resource_type"])
    for space, changed in edits.items():
        for key, types in changed.items():
            if types:
                made[space][key] = types
            else:
                made[space].pop(key, None)
    return made


# The day a record of a cloud begins says nothing of what it holds that day: such features are older.
RECORD_BEGINS = {"aws": "2015-05", "azure": "2020-12", "oci": "2017-10"}


def starts(f: dict[str, str]) -> list[list[str]]:
    """[kind, date, source] each; kinds beginning with `ga` are statements of general availability."""
    made = []
    begins = RECORD_BEGINS.get(f["cloud"], "")
    if not f["ga_kind"].startswith("ga") and f["ga_kind"] != "api-version-date" and f["ga_date"] < begins:
        return []
    if f["ga_date"]:
        made.append([f["ga_kind"] or "api", f["ga_date"], f["ga_source"]])
    if f["api_first_date"] and f["api_first_date"] != f["ga_date"]:
        made.append(["api", f["api_first_date"], f["ga_source"] if not f["ga_date"] else "first public API model"])
    return made


WORDS = yaml.safe_load((LAG / "overrides.yaml").read_text(encoding="utf-8"))["words"]


LEAD = {"gcp": -1}  # days by which support may come before the API was first seen; elsewhere a release in preview leads


def titled(words: list[str]) -> str:
    """A readable title of the words of a type: the first capital, names as they are spelled."""
    made = [WORDS.get(w, w) for w in words]
    return " ".join([made[0][:1].upper() + made[0][1:], *made[1:]])


def retitled(title: str) -> str:
    """Titles made of service and noun are spelled out; those written by hand (with capitals of their own) stay."""
    if any(c.isupper() for c in title.partition("(")[0][1:]) and title.partition(" ")[0] not in WORDS:
        return title
    return titled(title.split(" "))


AUTO = {
    "aws": ("api_first_seen", "api", "botocore_service", "service model"),
    "azure": ("stable_seen_in_bicep_types", "api-stable-published", "arm_type", "published type index"),
    "google": ("rpc_first_seen", "api-proto", "mm_product", "published API definition"),
    "oci": ("sdk_first_seen", "sdk", "sdk_service", "SDK changelog"),
}


def feature_rows(facts: Path, edits: dict[str, Any], awscc: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Cloud -> features, sorted by id. `types` are looked up for versions, so none is stored here."""
    made: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    covered: set[tuple[str, str]] = set()
    for f in table(facts / "lag_catalog.csv"):
        status = f["status"].replace("preview-provider-only", "preview")
        if f["status"] == "partial":
            status = "rollup"
        if f["attribute"] == "instance_type":
            status = "free"
        api = re.findall(r"type=(\S+)", f["workaround"]) + [
            "cfn:" + squeeze(name) for name in re.findall(r"awscc_(\w+)@", f["workaround"])
        ]
        if f["cloud"] == "azure" and not api and not f["attribute"]:
            named = re.sub(r"^.*bicep-types-az:|[@#].*$", "", f["ga_source"])
            api = [named] if named.count("/") == 1 and "generated" not in named else []
        record = {
            "id": f["feature_id"], "service": f["service"], "title": retitled(f["title"]), "provider": f["provider_source"],
            "types": [t for t in f["resource_types"].split("|") if t], "attribute": f["attribute"], "status": status,
            "starts": starts(f), "workarounds": [w for w in [f["workaround"]] if w and w != "see feature rows"],
            "api": api, "confidence": f["confidence"],
        }  # fmt: skip
        made[f["cloud"]][f["feature_id"]] = record
        if not f["attribute"]:
            covered |= {(f["provider_source"], t) for t in record["types"]}
    for table_name, (column, kind, service, source) in AUTO.items():
        provider = CLOUDS[table_name]
        cloud = {"google": "gcp"}.get(table_name, table_name)
        for r in table(facts / f"auto_{table_name}.csv"):
            own = r.get("provider_source") or provider
            name = r["resource_type"]
            if (own, name) in covered or not r["first_version"]:
                continue
            words = name.split("_")[1:]
            identity = f"{cloud}.{'-'.join(words)}"
            if identity in made[cloud]:
                continue
            seen = r[column] if r["lag_days"] and r[column] >= RECORD_BEGINS.get(cloud, "") else ""
            if seen and int(r["lag_days"]) < LEAD.get(cloud, -30):
                seen = ""  # Terraform had it before the API was seen: it was there earlier, no honest date
            made[cloud][identity] = {
                "id": identity, "service": r[service].partition("/")[0], "title": titled(words), "provider": own,
                "types": [name], "attribute": "", "status": "preview" if own.endswith("-beta") else "supported",
                "starts": [[kind, seen, source]] if seen else [], "workarounds": [], "api": [],
                "confidence": "medium" if seen else "low", "mechanical": True,
            }  # fmt: skip
    for identity, changed in edits.items():
        made[identity.partition(".")[0]][identity].update(changed)
        if "title" in changed:
            made[identity.partition(".")[0]][identity].pop("mechanical", None)
    for rows in made.values():
        for row in rows.values():
            for key in [k for k, v in row.items() if v in ("", [], False)]:
                del row[key]
    return {cloud: [rows[k] for k in sorted(rows)] for cloud, rows in made.items()}


def text(value: Any, depth: int) -> str:
    """JSON with one record a line: objects above `depth` are spread, what is below stands on one line."""
    if depth and isinstance(value, dict) and value:
        inner = ",\n".join(f"{json.dumps(k)}: {text(v, depth - 1)}" for k, v in value.items())
        return "{\n" + inner + "\n}"
    if depth and isinstance(value, list) and value:
        return "[\n" + ",\n".join(text(v, depth - 1) for v in value) + "\n]"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    facts, folder = Path(sys.argv[1]), Path(sys.argv[2])
    edits = yaml.safe_load((LAG / "overrides.yaml").read_text(encoding="utf-8"))
    held = schemas(folder)
    released: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for r in table(facts / "provider_releases.csv"):
        if parse_version(r["version"]) is None:
            continue  # a tag of four numbers: nothing Terraform can install
        released[r["provider_source"]][r["version"]] = [r["released"], r["date_source"].partition("(")[0]]
    support: dict[str, list[dict[str, str]]] = defaultdict(list)
    for r in table(facts / "first_support.csv"):
        support[r["provider_source"]].append(r)
    removed: dict[str, list[dict[str, str]]] = defaultdict(list)
    for r in table(facts / "removed_or_deprecated.csv"):
        removed[r["provider_source"]].append(r)
    registered: dict[str, list[dict[str, str]]] = defaultdict(list)
    for r in table(LAG / "registered.csv"):
        registered[r["provider_source"]].append(r)
    newest = {CLOUDS[n]: {r["resource_type"] for r in table(facts / f"auto_{n}.csv")} for n in CLOUDS}
    catalog = table(facts / "lag_catalog.csv")
    gated = attributes(catalog, held, edits["attribute_paths"], edits["arguments"])
    read_arguments(gated, released)
    for source, releases in released.items():
        untracked = edits["untracked"].get(source, [])
        known = supports(support[source], releases, held.get(source, []), registered[source], untracked)
        extra: dict[str, list[str]] = {}
        for kind, key in KINDS.items():
            shown = {t for _, schema in held.get(source, ()) for t in schema.get(key) or {}}
            if missing := sorted(shown - set(known.get(kind, {}))):
                extra[kind] = missing
        shard = {
            "schema": "auditor-lag/1",
            "source": source,
            "as_of": max(MIRRORS, max(d for d, _ in releases.values())),
            "checked": CHECKED,
            "releases": {v: releases[v] for v in sorted(releases, key=order)},
            "support": {k: dict(sorted(known[k].items())) for k in sorted(known) if k != "function"},
            "attributes": {t: dict(sorted(a.items())) for t, a in sorted(gated.get(source, {}).items()) if a},
            "removed": dict(sorted(removals(removed[source], newest.get(source, set()), held.get(source, [])).items())),
            "known": extra,
            "untracked": untracked,
        }
        depth = {"support": 2, "attributes": 2}
        parts = [f"{json.dumps(k)}: {text(v, depth.get(k, 1))}" for k, v in shard.items()]
        path = LAG / f"{filename(source)}.json"
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    awscc = {r["resource_type"] for r in support["hashicorp/awscc"]}
    (LAG / "features").mkdir(exist_ok=True)
    for cloud, rows in feature_rows(facts, edits["features"], awscc).items():
        (LAG / "features" / f"{cloud}.json").write_text(text(rows, 1) + "\n", encoding="utf-8")
    made = natives(facts, support, edits["natives"])
    for space, rows in made.items():
        (LAG / f"natives-{space}.json").write_text(text(dict(sorted(rows.items())), 1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
