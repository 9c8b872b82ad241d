#!/usr/bin/env python3
"""Compiles the tables of `provider_catalog/` and the rules of `policies/` into the JSON that auditor reads.

Usage: scripts/build_catalog.py [--check]

Without --check it also writes the pages of `docs/` that `build_docs.py` makes.

--check writes nothing and exits 1 when a compiled file is stale. Output is sorted and byte-identical for the same tables.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from auditor.overlays import recalled_columns

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "provider_catalog"
POLICIES = ROOT / "policies"
GUARANTEE = {"y": "yes", "n": "none", "": ""}
NOT_DEPLOYABLE = {"pseudo_global", "logical_geo", "internal_test", "retired", "alias", "pattern_per_city"}
UNCONFIRMED = re.compile(r"recalled|from_memory|^low$|guessed|uncertain", re.IGNORECASE)


def table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def document(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.exists() else {}


def trim(record: dict[str, Any]) -> dict[str, Any]:
    """Defaults are left out: the reader fills them in."""
    return {k: v for k, v in record.items() if v not in ("", [], {}, None)}


def confirmed(row: dict[str, str]) -> bool:
    return not UNCONFIRMED.search(row.get("confidence", ""))


def regions(cloud: Path) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for r in table(cloud / "regions.csv"):
        record = trim(
            {
                "country": r["country"],
                "kind": "" if r["kind"] == "region" else r["kind"],
                "name": r["display_name"],
                "members": r["member_countries"].split(),
                "partition": r["partition"],
                "parent": r["parent"],
                "guarantee": GUARANTEE.get(r["region_guarantee"], "contract"),
                "confidence": r["confidence"],
                "source": r["source"],
                "caveat": r["reason"] if r["use"] == "decide" else "",
            }
        )
        if not confirmed(r):
            record["confirmed"] = False
        made[r["region_id"]] = record
    return made


def types(cloud: Path, semantics: dict[str, dict[str, str]]) -> dict[str, Any]:
    made: dict[str, dict[str, Any]] = {}
    for r in table(cloud / "locations.csv"):
        if r["resource_type"] == "*":
            continue
        effects = semantics[r["effects"][1:]] if r["effects"] else {}
        record = trim(
            {
                "path": r["path"],
                "role": "" if r["role"] == "home" else r["role"],
                "kind": "" if r["kind"] == "region" else r["kind"],
                "use": "" if r["use"] == "decide" else r["use"],
                "topic": r["topic"],
                "effects": effects,
                "absent": r["absent"],
                "lookup": r["lookup"],
                "reason": r["reason"],
                "cloud": r["place_cloud"],
                "when": r["when"],
                "unless": r["unless"],
            }
        )
        if r["absent_confirmed"] == "n":
            record["absent_confirmed"] = False
        if r["computed"]:
            record["computed"] = r["computed"] == "y"
        if not confirmed(r):
            record["confirmed"] = False
        made.setdefault(r["resource_type"], {}).setdefault("locations", []).append(record)
    for r in table(cloud / "computed_blocks.csv"):
        record = made.get(r["resource_type"], {})
        read = [str(row["path"]).replace("[]", "") for row in record.get("locations", ())]
        if any(path.startswith(f"{r['block']}.") or path == r["block"] for path in read):  # of other blocks nothing is asked
            record.setdefault("computed_blocks", []).append(r["block"])
    for r in table(cloud / "parents.csv"):
        made.setdefault(r["resource_type"], {})["parents"] = r["parents"].split()
    for r in table(cloud / "global.csv"):
        if r["use"] == "decide":
            made.setdefault(r["resource_type"], {})["global"] = True
    for r in table(cloud / "guards.csv"):
        made.setdefault(r["resource_type"], {})["guard"] = True
    for r in table(cloud / "data_bearing.csv"):
        record = made.setdefault(r["resource_type"], {})
        record["bearing"] = "data" if r["data_bearing"] == "y" else "control"
        if r["method"] == "curated":
            record["curated"] = True
            record["category"] = r["category"]
    return made


def number(text: str) -> float | int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else value


def instances(cloud: Path) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for r in table(cloud / "instances.csv"):
        numeric = (
            "gpus_per_node",
            "gpu_memory_gb",
            "fabric_gbps",
            "max_efa_interfaces",
            "network_cards",
            "local_nvme_gb",
        )
        record: dict[str, Any] = trim(
            {k: r[k] for k in ("accelerator", "intra_node", "fabric", "gpudirect_rdma", "multi_node_capable", "source")}
        )
        record.update({k: n for k in numeric if (n := number(r[k])) is not None})
        if not confirmed(r):
            record["confirmed"] = False
        if any(t.strip().partition("=")[0] == "fabric" for t in r["from_memory"].split(";")):
            record["fabric_confirmed"] = False
        if memory := recalled_columns(r["from_memory"], r["instance_type"]):
            record["memory"] = memory
        made[r["instance_type"]] = record
    return made


def job_tables(cloud: Path) -> dict[str, Any]:
    """`jobs.yaml` with one list of rows per type; dates as text. Refuses a row without source, date or confidence."""
    tables = document(cloud / "jobs.yaml")
    rows: dict[str, Any] = {}
    for kind, given in tables.get("rows", {}).items():
        rows[kind] = [dict(r) for r in (given if isinstance(given, list) else [given])]
        for row in rows[kind]:
            if not all(row.get(k) for k in ("source", "date", "confidence")):
                raise SystemExit(f"{cloud.name}/jobs.yaml: {kind}: a row needs source, date and confidence")
            row["date"] = str(row["date"])
    return trim({**tables, "rows": rows})


def pairs(cloud: Path) -> dict[str, Any]:
    return {
        r["region"]: trim({"region": r["paired_region"].replace("none", ""), "source": r["source"]})
        | ({} if confirmed(r) else {"confirmed": False})
        for r in table(cloud / "pairs.csv")
    }


def build_cloud(cloud: Path, semantics: dict[str, dict[str, str]]) -> dict[str, Any]:
    meta = document(cloud / "cloud.yaml")
    return trim(
        {
            "id": cloud.name,
            "title": meta.get("title", cloud.name),
            "regions": regions(cloud),
            "types": types(cloud, semantics),
            "reading": meta.get("reading"),
            "readings": meta.get("readings"),
            "pairs": pairs(cloud),
            "profiles": meta.get("profiles"),
            "profile_pattern": meta.get("profile_pattern"),
            "jobs": job_tables(cloud),
            "instances": instances(cloud),
        }
    )


def traits() -> dict[str, Any]:
    made: dict[str, list[Any]] = {}
    for r in table(CATALOG / "traits.csv"):
        record = trim({"name": r["trait"], **{k: r[k] for k in ("cloud", "when", "unless", "absent", "remark", "source")}})
        for condition in (r["when"], r["unless"]):
            re.compile(condition.partition("=")[2])
        if not confirmed(r):
            record["confirmed"] = False
        made.setdefault(r["resource_type"], []).append(record)
    return made


def backends() -> dict[str, Any]:
    return {
        r["backend"]: trim({**{k: r[k] for k in ("cloud", "path", "reason")}, "elsewhere": r["elsewhere"].split()})
        for r in table(CATALOG / "backends.csv")
    }


def stores() -> dict[str, Any]:
    made: dict[str, list[Any]] = {}
    for r in table(CATALOG / "stores.csv"):
        lists = {k: r[k].split(";") for k in ("expiry", "partial", "through") if r[k]}
        plain = {k: r[k] for k in ("store", "rules", "enabled", "by", "boot")}
        fact = trim({**plain, **lists, "computed": r["computed"] == "y"})
        made.setdefault(r["resource_type"], []).append(fact)
    return made


def volumes() -> dict[str, Any]:
    made: dict[str, list[Any]] = {}
    for r in table(CATALOG / "volumes.csv"):
        re.compile(r["survives"])
        lists = {k: r[k].split(";") for k in ("tagged", "holders") if r[k]}
        plain = {k: r[k] for k in ("path", "survives", "node", "what", "when", "unless")}
        made.setdefault(r["resource_type"], []).append(trim({**plain, **lists}))
    return made


def owner_of(entry: dict[str, Any], default: str) -> dict[str, Any]:
    """Who owns a cloud; a partition that someone else runs has an owner of its own."""
    country = str(entry.get("country", entry.get("ultimate_parent_country", "")))
    return trim(
        {
            "country": country if len(country) == 2 else "",
            "name": entry.get("parent", entry.get("operator", "")),
            "confirmed": entry.get("conf", default) == "v",
            "disputed": entry.get("cloud_act_exposed") == "disputed",
            "partitions": {str(k): owner_of(v, default) for k, v in entry.get("partitions", {}).items()},
        }
    )


def groups(jurisdictions: dict[str, Any]) -> dict[str, Any]:
    raw = jurisdictions["groups"]

    def members(name: str, seen: tuple[str, ...] = ()) -> tuple[list[str], list[str], dict[str, str]]:
        if name in seen:
            raise SystemExit(f"jurisdictions.yaml: {name} includes itself")
        group = raw[name]
        countries: list[str] = []
        partial: list[str] = []
        expires: dict[str, str] = {}
        for other in group.get("include", ()):
            inner = members(other, (*seen, name))
            countries += inner[0]
            partial += inner[1]
            expires.update(inner[2])
        listed = group.get("countries", [])
        for country in listed:
            state = listed[country] if isinstance(listed, dict) else {}
            countries.append(country)
            if state.get("state", "full") != "full":
                partial.append(country)
            if state.get("expiry"):
                expires[country] = str(state["expiry"])
        return countries, partial, expires

    made: dict[str, Any] = {}
    for name, group in raw.items():
        countries, partial, expires = members(name)
        made[name] = trim(
            {
                "countries": sorted(set(countries)),
                "partitions": group.get("partitions", []),
                "partial": sorted(set(partial)),
                "expires": expires,
                "note": group.get("note", ""),
                "source": group.get("source", ""),
            }
        )
        if group.get("conf") != "v":
            made[name]["confirmed"] = False
    return made


def classes(clouds: Any) -> list[str]:
    """Curated data classes over all clouds."""
    return sorted({t["category"] for c in clouds for t in c.get("types", {}).values() if t.get("category")})


def summary(cloud: dict[str, Any], owner: dict[str, Any]) -> dict[str, Any]:
    deployable = {k: r for k, r in cloud.get("regions", {}).items() if r.get("kind") not in NOT_DEPLOYABLE}
    real = {k: r for k, r in deployable.items() if r.get("country")}
    guarantees = {r.get("guarantee", "") for k, r in deployable.items() if r.get("members") != ["*"]} - {""}
    weakest = next((g for g in ("none", "contract", "yes") if g in guarantees), "")
    partitions = {k: r["partition"] for k, r in real.items() if r.get("partition")}
    return trim(
        {
            "title": cloud["title"],
            "countries": sorted({r["country"] for r in real.values()}),
            "regions": {k: r["country"] for k, r in sorted(real.items())},
            "partitions": partitions if len(set(partitions.values())) > 1 else {},
            "guarantee": weakest,
            "owner": owner,
        }
    )  # fmt: skip


def coordinates() -> dict[str, Any]:
    """Regions at their city, else (left out here) at their country's capital."""
    at = {
        (r["country"], r["city_or_metro"]): [float(r["latitude"]), float(r["longitude"])]
        for r in table(CATALOG / "coordinates.csv")
    }
    made: dict[str, Any] = {}
    for path in sorted(CATALOG.glob("*/regions.csv")):
        for r in table(path):
            if r["city_or_metro"] and (place := at.get((r["country"], r["city_or_metro"]))):
                made.setdefault(path.parent.name, {})[r["region_id"]] = place
    return {"regions": made, "countries": {country: place for (country, city), place in at.items() if not city}}


def lag(providers: dict[str, dict[str, Any]]) -> dict[Path, Any]:
    """The index over the lag shards, and the escape hatches."""
    folder = CATALOG / "lag"
    shards = {}
    for path in sorted(folder.glob("*__*.json")):
        shard = json.loads(path.read_text(encoding="utf-8"))
        plain = [v for v in shard["releases"] if "-" not in v and "+" not in v]
        latest = max(plain or shard["releases"], key=lambda v: [int(n) for n in re.split(r"[.+-]", v)[:3]])
        cloud = providers.get(shard["source"], {}).get("cloud", "")
        shards[shard["source"]] = trim({"file": path.name, "as_of": shard["as_of"], "latest": latest, "cloud": cloud})
    return {
        folder / "index.json": {
            "shards": shards,
            "aliases": document(folder / "overrides.yaml")["aliases"],
            "changelogs": document(folder / "overrides.yaml")["changelogs"],
            "features": {p.stem: f"features/{p.name}" for p in sorted(folder.glob("features/*.json"))},
        },
        folder / "workarounds.json": document(folder / "workarounds.yaml"),
    }


def build() -> dict[Path, str]:
    semantics = document(CATALOG / "semantics.yaml")
    jurisdictions = document(CATALOG / "jurisdictions.yaml")
    out: dict[Path, Any] = {}
    clouds: dict[str, Any] = {}
    for folder in sorted({p.parent for name in ("regions.csv", "cloud.yaml") for p in CATALOG.glob(f"*/{name}")}):
        made = build_cloud(folder, semantics)
        out[CATALOG / "compiled" / f"{folder.name}.json"] = made
        owner = owner_of(jurisdictions["ownership"].get(folder.name, {}), str(jurisdictions.get("ownership_conf", "")))
        clouds[folder.name] = summary(made, owner)
    providers = {
        r["provider_source"]: trim({"cloud": r["cloud"], "class": r["class"], "short": r["short"], "channel": r["channel"]})
        for r in table(CATALOG / "providers.csv")
    }
    out[CATALOG / "compiled" / "coordinates.json"] = coordinates()
    out[CATALOG / "compiled" / "index.json"] = {
        "as_of": str(jurisdictions["as_of"]),
        "providers": providers,
        "clouds": clouds,
        "groups": groups(jurisdictions),
        "backends": backends(),
        "classes": classes(out.values()),
    }
    out[CATALOG / "compiled" / "traits.json"] = traits()
    out.update(lag(providers))
    out[CATALOG / "compiled" / "stores.json"] = stores()
    out[CATALOG / "compiled" / "volumes.json"] = volumes()
    rules = [document(p) for p in sorted(POLICIES.glob("*/*.yaml"))]
    ids = [r["id"] for r in rules]
    if len(ids) != len(set(ids)):
        raise SystemExit("policies: two rules share an id")
    out[POLICIES / "compiled.json"] = sorted(rules, key=lambda r: str(r["id"]))
    return {p: json.dumps(v, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n" for p, v in out.items()}


def main() -> int:
    stale = []
    for path, text in build().items():
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(str(path.relative_to(ROOT)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if "--check" not in sys.argv[1:]:
        import build_docs  # beside this script: the pages of the rules follow the rules
        import policy_reference

        build_docs.write()
        policy_reference.write()
    if stale:
        print("stale:", ", ".join(stale), "- run scripts/build_catalog.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
