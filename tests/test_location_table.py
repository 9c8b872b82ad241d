"""Walks the shipped location table: every deciding row passes, fails and stays open where it should.

Per row one minimal resource is planned three times: with an allowed value (no finding at the row's path), with a value
outside (a fail at that path) and with a value known only after apply (an open). Rows that cannot be walked are listed
with the reason, and each reason is checked against the row.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from auditor.catalog import Catalog, data_dir
from auditor.cli.common import known_rules
from auditor.config import load_config
from auditor.facts import Cloud, LocationSpec, split_path
from auditor.load.plan import load
from auditor.model import Finding
from auditor.pipeline import audit
from auditor.policytest import to_plan
from auditor.resolve import embedded
from auditor.rules import select

TABLES = Path(__file__).parent.parent / "provider_catalog"
CATALOG = Catalog()
RULES = known_rules()
AS_OF = date(2026, 11, 20)
FOREIGN = "known only after apply"
PLACES = ("region", "zone", "location", "multi_region")

# Forms of a zone in a region; clouds that are not named take the region itself.
ZONES = {
    "aws": "{}a", "gcp": "{}-a", "alicloud": "{}-a", "ibm": "{}-1", "scaleway": "{}-1", "opentelekomcloud": "{}-01",
    "stackit": "{}-1", "crusoe": "{}-a", "coreweave": "{}A", "oci": "x:{}-AD-1",
}  # fmt: skip
# A resource of each provider that says nothing but where it stands: what references point at.
ANCHORS = {
    "hashicorp/aws": ("aws_sqs_queue", "region"), "hashicorp/azurerm": ("azurerm_resource_group", "location"),
    "azure/azapi": ("azapi_resource", "location"), "hashicorp/google": ("google_pubsub_schema_settings", "region"),
}  # fmt: skip
# Values that meet a row's `when`: by type and path, else by type and role, else by type.
WHEN = {
    "aws_sns_topic_subscription": {"protocol": "sqs"},
    "azapi_resource": {"type": "Microsoft.CognitiveServices/accounts/deployments@2025-06-01", "parent_id": FOREIGN},
    "azapi_resource body.properties.computeLocation": {"type": "Microsoft.MachineLearningServices/workspaces/computes@2024-10"},
    "azapi_resource replica": {"type": "Microsoft.Storage/storageAccounts@2023-01-01"},
    "azapi_resource (always)": {"type": "Microsoft.KeyVault/vaults@2023-07-01"},
    "azapi_update_resource replica": {"type": "Microsoft.Storage/storageAccounts@2023-01-01"},
    "azapi_update_resource": {"type": "Microsoft.CognitiveServices/accounts/deployments@2025-06-01"},
    "aws_dms_s3_endpoint": {"endpoint_type": "target"},
}
for _path, _type in {
    "geoDataReplication.locations[].locationName": "EventHub/namespaces",
    "locations[].locationName": "DocumentDB/databaseAccounts",
    "additionalLocations[].location": "ApiManagement/service",
    "dataProtection.replication.remoteVolumeRegion": "NetApp/netAppAccounts/capacityPools/volumes",
    "publishingProfile.targetRegions[].name": "Compute/galleries/images/versions",
    "linkedRedisCacheLocation": "Cache/redis/linkedServers",
    "flowAnalyticsConfiguration.networkWatcherFlowAnalyticsConfiguration.workspaceRegion": "Network/networkWatchers/flowLogs",
    "storageSettings[].type": "DataProtection/backupVaults",
    "requestedBackupStorageRedundancy": "Sql/servers/databases",
    "backupPolicy.periodicModeProperties.backupStorageRedundancy": "DocumentDB/databaseAccounts",
    "redundancySettings.standardTierStorageRedundancy": "RecoveryServices/vaults",
    "backup.geoRedundantBackup": "DBforPostgreSQL/flexibleServers",
    "template": "Resources/deployments",
}.items():
    for _kind in ("azapi_resource", "azapi_update_resource"):
        WHEN[f"{_kind} body.properties.{_path}"] = {"type": f"Microsoft.{_type}@2025-01-01"}


@dataclass(frozen=True)
class Row:
    cloud: Cloud
    type: str
    spec: LocationSpec
    provider: str
    where: str
    number: int

    @property
    def address(self) -> str:
        return f"{self.type}.r{self.number}"


def rows() -> Iterator[Row]:
    """The deciding rows, as compiled; the provider of each from its table."""
    number = 0
    for table in sorted(TABLES.glob("*/locations.csv")):
        cloud = CATALOG.cloud(table.parent.name)
        assert cloud is not None
        with table.open(newline="", encoding="utf-8") as file:
            written = [r for r in csv.DictReader(file) if r["use"] == "decide" and r["resource_type"] != "*"]
        seen: Counter[tuple[str, str]] = Counter()
        for r in written:
            found = [s for s in cloud.types[r["resource_type"]].locations if s.path == r["path"] and s.use == "decide"]
            at = (r["resource_type"], r["path"])
            yield Row(cloud, r["resource_type"], found[seen[at]], r["provider"], f"{table.parent.name}/locations.csv", number)
            seen[at] += 1
            number += 1


def listed() -> list[tuple[str, str, str]]:
    """(cloud, type.path, reason) of the rows that the table itself keeps out of verdicts."""
    found = []
    for table in sorted(TABLES.glob("*/locations.csv")):
        with table.open(newline="", encoding="utf-8") as file:
            for r in csv.DictReader(file):
                if r["use"] != "decide":
                    found.append((table.parent.name, f"{r['resource_type']}.{r['path']}", r["reason"]))
    return found


# --- values ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A value inside `allow`, one outside; `unknown_kind` is what a value known only after apply is judged by."""

    allow: tuple[str, ...]
    inside: Any
    outside: Any
    allow_outside: tuple[str, ...] = ()  # another list for the value outside, where a cloud has one country


def plain_regions(cloud: Cloud, prefix: str) -> dict[str, str]:
    """Region ids with the country their table names; those of a service of its own stand behind a prefix."""
    special = ("internal_test", "retired", "local_zone", "wavelength_zone", "network_zone")
    return {
        k.removeprefix(prefix): r.country
        for k, r in cloud.regions.items()
        if r.country and r.confirmed and k.startswith(prefix) and (prefix or ":" not in k) and r.kind not in special
    }


@cache
def two_places(cloud_id: str, prefix: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Two regions of a cloud in different countries, as (id, country)."""
    cloud = CATALOG.cloud(cloud_id)
    assert cloud is not None
    if not cloud.regions:  # a service on other clouds' regions
        return two_places("aws", "")
    found = plain_regions(cloud, prefix) or plain_regions(cloud, "")
    first = sorted(found.items(), key=lambda kv: (kv[1] not in ("DE", "NL", "FR", "FI"), kv[0]))[0]
    others = sorted((kv for kv in found.items() if kv[1] != first[1]), key=lambda kv: (kv[1] != "US", kv[0]))
    return first, next(iter(others), first)


PREFIX = {"cos": "cos:", "s3": "s3:", "app_platform": "app_platform:"}


def choice(row: Row) -> Choice | str:
    """What to write into the row's attribute, or why the row cannot be walked."""
    spec, cloud = row.spec, row.cloud
    if spec.path == "(always)":
        return "holds for every instance, whatever is written: judged by its own case"
    if cloud.regions and not plain_regions(cloud, ""):
        return "every place of the cloud is of several countries: judged by its own cases"
    if spec.effects:
        return effect_choice(row)
    if spec.kind == "sku_enum":
        return "an endpoint outside every catalogue: open as soon as it is set, never a fail"
    if spec.kind in embedded.KINDS:
        return "a text that may write out places inside: judged by its own cases"
    if spec.kind == "inference_profile_prefix":
        return Choice(("EU", "GB", "CH"), "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.amazon.nova-lite-v1:0")
    if cloud.reading.elsewhere and not spec.cloud:
        prefix, other = next(iter(cloud.reading.elsewhere.items()))
        (inside, country), (outside, _) = two_places(other, "")
        return Choice((country,), prefix + inside, prefix + outside)
    if not cloud.regions and not spec.cloud and spec.kind != "resource_ref":
        return "a region of the cloud that another attribute names: judged by its own cases"
    if spec.lookup == "network_zone":
        return Choice(("DE", "FI"), "eu-central", "us-east")
    if spec.lookup == "geography":
        return Choice(("DE",), "Germany", "United States")
    source = spec.cloud or cloud.id
    (inside, country), (outside, abroad) = two_places(source, PREFIX.get(spec.lookup, ""))
    elsewhere = ("JP",) if country == abroad else ()
    form = ZONES.get(source, "{}") if spec.kind == "zone" else "{}"
    if spec.kind == "arn":
        form = "arn:aws:kinesis:{}:123456789012:stream/x"
    if spec.kind == "resource_ref":
        return Choice((country,), inside, outside, elsewhere)
    if any(attempt.case == "dashed" for attempt in cloud.reading.lookups.get(spec.lookup, ())):
        inside, outside = (value.upper().replace("-", "_") for value in (inside, outside))
    return Choice((country,), form.format(inside), form.format(outside), elsewhere)


def effect_choice(row: Row) -> Choice | str:
    """SKUs and switches: the home is West Europe, its pair is in Ireland; a zone or any place is outside NL."""
    by_effect = {e: v for v, e in row.spec.effects.items()}
    outside = next((by_effect[e] for e in ("pair", "any") if e in by_effect), None)
    if outside is None:
        return "a switch whose effect names no place: open when it is on, never a fail"
    (_, country), _ = two_places(row.cloud.id, "")
    allow = ("NL",) if row.cloud.id == "azure" else (country,)
    made = {"true": True, "false": False}
    return Choice(allow, made.get(by_effect["stays"], by_effect["stays"]), made.get(outside, outside))


# --- plans -----------------------------------------------------------------------------------------


def nested(path: str, leaf: Any) -> dict[str, Any]:
    """`a.b[].c` -> {"a": [{"b": [{"c": leaf}]}]}: single blocks are lists in plan JSON as well."""
    steps = split_path(path)
    value: Any = [leaf] if path.endswith("[]") else leaf
    for step in reversed(steps[1:]):
        value = [{step: value}]
    return {steps[0]: value}


def home_value(row: Row, spec: LocationSpec, inside: str) -> str:
    form = ZONES.get(row.cloud.id, "{}") if spec.kind == "zone" else "{}"
    return form.format(inside)


def met(row: Row) -> Mapping[str, Any]:
    """Values that meet the row's condition."""
    kinds = (f"{row.type} {row.spec.path}", f"{row.type} {row.spec.role}", row.type)
    found = next((WHEN[k] for k in kinds if k in WHEN), None)
    path, _, pattern = row.spec.when.partition("=")
    plain = re.fullmatch(r"\^(?:\(\?i:)?([\w.-]+?)\)?\$", pattern)
    return found if found is not None else nested(path, plain[1]) if plain else {}


def resource(row: Row, value: Any, unknown: bool) -> list[dict[str, Any]]:
    """The resource of one row, with its home allowed where the row is about a copy; and what it refers to."""
    spec = row.spec
    (inside, _), _ = two_places(row.cloud.id, "")
    if spec.effects and row.cloud.id == "azure":
        inside = "westeurope"
    values: dict[str, Any] = dict(met(row)) if spec.when else {}
    expressions: dict[str, Any] = {}
    parents: list[dict[str, Any]] = []
    short = row.provider.rpartition("/")[2]
    is_home = spec.role == "home" or not any(s.role == "home" for s in row.cloud.types[row.type].locations)
    if not is_home or spec.effects:
        for home in row.cloud.types[row.type].locations:
            if home.role == "home" and home.use == "decide" and home.kind in PLACES and home.path != spec.path:
                values |= nested(home.path, home_value(row, home, inside))
                break
        else:
            grandparent = row.cloud.readings.get(row.provider, row.cloud.reading).grandparent
            for parent in [*row.cloud.types[row.type].parents, *grandparent][:1]:
                kind, attribute = ANCHORS[row.provider]
                values_of = {attribute: inside}
                parents = [{"address": f"{kind}.p{row.number}", "provider": f"{short}.r", "values": values_of}]
                expressions[parent] = {"references": [f"{parents[0]['address']}.id", parents[0]["address"]]}
    made: list[dict[str, Any]] = []
    unknowns: dict[str, Any] = {}
    if spec.kind == "resource_ref":
        made, target = referred(row, value)
        reference = {"references": [f"{target}.id", target] if target else ["data.external.x.result"]}
        if unknown:
            reference = {"references": ["random_pet.x.id", "random_pet.x"]}
        expressions |= nested(spec.path, reference)
        unknowns |= nested(spec.path, True)
    elif unknown:
        expressions |= nested(spec.path, {"references": ["random_pet.x.id", "random_pet.x"]})
        unknowns |= nested(spec.path, True)
    else:
        values = merge(values, nested(spec.path, value))
        expressions |= nested(spec.path, value)
    alias = f"{short}.r"
    return [*parents, *made, {
        "address": row.address, "provider": alias, "values": values, "unknown": unknowns, "expressions": expressions,
    }]  # fmt: skip


def merge(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merge, single blocks merge element by element, the rest is replaced."""
    made = dict(a)
    for key, value in b.items():
        match made.get(key), value:
            case dict(old), dict(new):
                made[key] = merge(old, new)
            case [dict(old)], [dict(new)]:
                made[key] = [merge(old, new)]
            case _:
                made[key] = value
    return made


def referred(row: Row, region: str) -> tuple[list[dict[str, Any]], str]:
    """A located resource to refer to. Types of a cloud without an anchor stand through their provider or location."""
    kind, attribute = ANCHORS.get(row.provider) or ("", "")
    if not kind:
        own = [
            (t, s.path) for t, f in sorted(row.cloud.types.items()) for s in f.locations
            if s.role == "home" and s.use == "decide" and s.kind in ("region", "location", "zone") and "." not in s.path
            and t != row.type
        ]  # fmt: skip
        kind, attribute = own[0]
        zone = next(s.kind for s in row.cloud.types[kind].locations if s.path == attribute) == "zone"
        region = (ZONES.get(row.cloud.id, "{}") if zone else "{}").format(region)
    target = f"{kind}.t{row.number}"
    made = {"address": target, "provider": row.provider.rpartition("/")[2] + ".r", "values": {attribute: region}}
    return [{**made, "expressions": {attribute: region}}], target


def run(
    resources: list[dict[str, Any]], provider: str, attributes: Mapping[str, Any], allow: tuple[str, ...], folder: Path
) -> list[Finding]:  # fmt: skip
    short = provider.rpartition("/")[2]
    plan = to_plan({"providers": {f"{short}.r": {"source": provider, **attributes}}, "resources": resources})
    file, policy = folder / "plan.json", folder / "policy.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    policy.write_text(json.dumps({"version": 1, "allow": list(allow)}), encoding="utf-8")
    config = load_config(
        str(policy), None, {}, index=CATALOG.index, rules=RULES, as_of=AS_OF.isoformat(), cwd=folder,
        policies_dir=data_dir("policies"),
    )  # fmt: skip
    return list(audit(load(str(file), bytes), config, CATALOG, select(RULES.values(), ["SOV"], {}), RULES, AS_OF).findings)


def at_row(findings: list[Finding], row: Row, exact: bool) -> list[Finding]:
    """Findings of the row's resource, at the row's own path."""
    wanted = split_path(row.spec.path)
    return [
        f for f in findings
        if f.address == row.address and (not exact or split_path("".join(c for c in f.path if not c.isdigit())) == tuple(
            "".join(c for c in w if not c.isdigit()) for w in wanted))
    ]  # fmt: skip


def told(findings: list[Finding]) -> list[str]:
    return [f"{f.rule} {f.kind} {f.path}: {f.message}" for f in findings]


@cache
def walked() -> tuple[list[Row], list[tuple[Row, str]]]:
    every = list(rows())
    left = [(r, c) for r in every if isinstance(c := choice(r), str)]
    return [r for r in every if not isinstance(choice(r), str)], left


def batches(found: list[Row]) -> dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Row]]:
    """Rows that can share a plan: one provider, one allow list."""
    made: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Row]] = {}
    for row in found:
        c = choice(row)
        assert isinstance(c, Choice)
        made.setdefault((row.provider, c.allow, c.allow_outside), []).append(row)
    return made


def provider_attributes(row: Row, known: bool) -> dict[str, Any]:
    reading = row.cloud.readings.get(row.provider) or row.cloud.reading
    names = reading.provider.get("") or []
    (inside, _), _ = two_places(row.cloud.id, "")
    return {names[0]: inside} if names and known else {}


def test_every_row_decides(tmp_path: Path) -> None:
    found, left = walked()
    problems = []
    for (provider, allow, other), group in batches(found).items():
        inside, outside, unknown = [], [], []
        for row in group:
            c = choice(row)
            assert isinstance(c, Choice)
            inside += resource(row, c.inside, unknown=False)
            outside += resource(row, c.outside, unknown=False)
            unknown += resource(row, c.inside, unknown=True)
        known = provider_attributes(group[0], known=True)
        passes, fails = run(inside, provider, known, allow, tmp_path), run(outside, provider, known, other or allow, tmp_path)
        opens = run(unknown, provider, provider_attributes(group[0], known=False), allow, tmp_path)
        for row in group:
            what = f"{row.where} {row.type}.{row.spec.path} ({row.spec.role}, {row.spec.kind})"
            if seen := at_row(passes, row, exact=True):
                problems.append(f"{what}: an allowed value does not pass: {told(seen)}")
            if not any(f.kind == "fail" for f in at_row(fails, row, exact=True)):
                problems.append(f"{what}: a value outside does not fail: {told(at_row(fails, row, exact=False))}")
            seen = at_row(opens, row, exact=False)
            if not any(f.kind == "open" for f in seen):
                problems.append(f"{what}: an unknown value is not open: {told(seen)}")
    reasons = Counter(reason for _, reason in left)
    print(f"\n{len(found)} rows walked, {len(left)} left out:")
    for reason, count in sorted(reasons.items()):
        print(f"  {count:4}  {reason}")
    kept_out = listed()
    print(f"{len(kept_out)} more rows decide nothing, each with its reason in the table:")
    for cloud, what, reason in kept_out:
        print(f"        {cloud} {what}: {reason}")
    assert [what for _, what, reason in kept_out if not reason] == []
    assert not problems, f"{len(problems)} rows:\n" + "\n".join(problems)
    assert len(found) >= 1900
