"""A report as rows of the store, made from the JSON report: what that withholds, the store never sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from auditor.catalog import Catalog
from auditor.facts import provider_source
from auditor.levels import at_least
from auditor.model import Plan, Report, Resource, Unknown
from auditor.report.escape import clean, cut
from auditor.report.grouping import configured, prefix_of
from auditor.report.json_report import as_dict
from auditor.resolve.provider import Providers
from auditor.resolve.references import References
from auditor.resolve.tags import tags_of
from auditor.sweep.tables import AUDIT, Column

MAX_TAG = 200
Rows = dict[str, list[list[Any]]]


def rows_of(report: Report, plan: Plan, catalog: Catalog, key: str, content: str, tag: str) -> Rows:
    """Every table of AUDIT, rows in the order of the columns."""
    told = as_dict(report)
    by_address = {r.address: r for r in plan.resources}
    records: dict[str, Iterable[dict[str, Any]]] = {
        "audits": [_audit(report, told, plan, content, tag)],
        "findings": _findings(told),
        "locations": _locations(report, told, by_address, catalog),
        "jobs": _jobs(told),
        "providers": _providers(plan),
    }
    return {name: [_row({"key": key} | r, AUDIT[name]) for r in records[name]] for name in AUDIT}


def _row(record: dict[str, Any], columns: tuple[Column, ...]) -> list[Any]:
    return [record[c.name] for c in columns]


def _audit(report: Report, told: dict[str, Any], plan: Plan, content: str, tag: str) -> dict[str, Any]:
    s, c = told["summary"], told["coverage"]
    return {
        "content": content, "input": plan.kind, "terraform_version": clean(plan.terraform_version),
        "verdict": told["verdict"], "errors": s["error"], "warnings": s["warning"], "notes": s["note"], "opens": s["open"],
        "waived": s["waived"], "unchanged": s["unchanged"],
        "failing": any(at_least(f.level, report.fail_on) for f in report.findings),
        "resources": c["resources"], "located": c["located"], "global": c["global"], "undecided": c["undecided"],
        "unknown_types": c["unknown_types"], "rules_run": c["rules_run"], "partial": told["partial"],
        "tag": _team_tag(plan, tag) if tag else "", "as_of": told["as_of"],
        "version": told["tool"]["version"], "catalog": told["tool"]["catalog"],
    }  # fmt: skip


def _findings(told: dict[str, Any]) -> Iterable[dict[str, Any]]:
    none = {"reason": "", "expires": "", "source": ""}
    states = [(f, "active", none) for f in told["findings"]]
    states += [(w["finding"], "waived", w["waiver"]) for w in told["waived"]]
    states += [(f, "unchanged", none) for f in told["unchanged"]]
    for f, state, waiver in states:
        at = f["location"] or {"file": "", "start_line": 0}
        yield f | {
            "state": state, "role": f["role"] or "", "job": f["job"] or "", "file": at["file"], "line": at["start_line"],
            "evidence": [_step(e) for e in f["evidence"]], "waiver_reason": waiver["reason"],
            "waiver_expires": waiver["expires"], "waiver_source": waiver["source"],
        }  # fmt: skip


def _step(e: dict[str, Any]) -> str:
    where = f" ({e['file']}:{e['line']})" if e["file"] and e["line"] else f" ({e['file']})" if e["file"] else ""
    return f"{e['what']}{where}"


def _locations(
    report: Report, told: dict[str, Any], by_address: Mapping[str, Resource], catalog: Catalog
) -> Iterable[dict[str, Any]]:
    verdicts: dict[tuple[str, str], str] = {}
    for f in told["findings"]:
        if prefix_of(f["rule"]) == "SOV":
            at = (f["address"], f["path"])
            verdicts[at] = "fail" if f["kind"] == "fail" or verdicts.get(at) == "fail" else "open"
    judged = any(prefix_of(r.id) == "SOV" for r in report.rules) and configured(report, "SOV")
    calm = "pass" if judged else "none"
    bearings: dict[tuple[str, str], str] = {}
    raw = {clean(a): r for a, r in by_address.items()}
    for x in told["locations"]:
        r = raw.get(x["address"])
        bearing = ""
        if r is not None:
            known = (r.provider_name, r.type)
            if known not in bearings:
                bearings[known] = _bearing(r, catalog)
            bearing = bearings[known]
        verdict = verdicts.get((x["address"], x["path"])) or ("open" if not x["decided"] and judged and not x["places"] else calm)
        yield x | {
            "type": clean(r.type) if r is not None else "", "is_data": r is not None and r.is_data, "bearing": bearing,
            "verdict": verdict,
        }  # fmt: skip


def _bearing(r: Resource, catalog: Catalog) -> str:
    provider = catalog.index.providers.get(provider_source(r.provider_name))
    cloud = catalog.cloud(provider.cloud) if provider is not None and provider.cloud else None
    facts = cloud.types.get(r.type) if cloud is not None else None
    return facts.bearing if facts is not None else ""


def _jobs(told: dict[str, Any]) -> Iterable[dict[str, Any]]:
    homes: dict[str, set[str]] = {}
    for x in told["locations"]:
        if x["role"] in ("home", "processing"):
            homes.setdefault(x["address"], set()).update(x["countries"])
    for j in told["jobs"]:
        yield j | {"countries": sorted(set().union(*(homes.get(a, set()) for a in j["addresses"])))}


def _providers(plan: Plan) -> Iterable[dict[str, Any]]:
    counts = Counter(provider_source(r.provider_name) for r in plan.resources if not r.is_data and r.provider_name)
    locked = plan.lock.providers if plan.lock is not None else {}
    for source in sorted({*counts, *locked}):
        lock = locked.get(source)
        yield {"source": clean(source), "version": clean(lock.version) if lock else "", "resources": counts[source]}


def _withheld(r: Resource, tag: str) -> bool:
    """Whether the tag, or all tags of the resource, may be sensitive."""
    raw = bytes(r.change.after_sensitive)
    if b"true" not in raw:
        return False
    marks = msgspec.json.decode(raw)
    if not isinstance(marks, dict):
        return True
    for root, mark in marks.items():
        if mark is True and ("tag" in root or "label" in root):
            return True
        if isinstance(mark, dict) and mark.get(tag):
            return True
    return False


def _team_tag(plan: Plan, tag: str) -> str:
    """The value that most managed resources bear; of equals the first by name. A sensitive value is none."""
    providers = Providers(plan, References(plan))
    found: Counter[str] = Counter()
    for r in plan.resources:
        if r.is_data or r.change.actions == ("delete",) or _withheld(r, tag):
            continue
        tags = tags_of(r, providers)
        value = tags.get(tag) if not isinstance(tags, Unknown) else None
        if isinstance(value, str) and value:
            found[value] += 1
    best = sorted(found.items(), key=lambda kv: (-kv[1], kv[0]))
    return cut(clean(best[0][0]), MAX_TAG) if best else ""
