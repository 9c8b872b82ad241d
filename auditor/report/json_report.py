"""The JSON report, `auditor-report/1`: its own shape, built field by field, stable byte for byte.

Its schema is `auditor/schemas/report.schema.json`. Control and bidi characters inside strings are written
as visible escapes, as in every format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from auditor.model import BaselineCounts, Evidence, Finding, Job, Location, Node, Report, SourceRange, Waived, Workload
from auditor.report import wording
from auditor.report.escape import clean, prose
from auditor.report.grouping import sort_key

if TYPE_CHECKING:
    from auditor.report import RenderOptions

SCHEMA: Final = "auditor-report/1"
WITHHELD: Final = "(sensitive)"


def render(report: Report, options: RenderOptions) -> str:
    """The report as indented JSON; the same bytes for the same report, whatever the options."""
    del options
    return msgspec.json.format(msgspec.json.encode(as_dict(report)), indent=2).decode() + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    """The report in the published shape, ready to encode."""
    c, s = report.coverage, report.summary
    return {
        "schema": SCHEMA,
        "tool": {"name": "auditor", "version": clean(report.version), "catalog": clean(report.catalog)},
        "as_of": clean(report.as_of),
        "inputs": [
            {
                "path": clean(i.path),
                "kind": i.kind,
                "terraform_version": clean(i.terraform_version),
                "partial": i.partial,
            }
            for i in report.inputs
        ],
        "verdict": report.verdict,
        "fail_on": report.fail_on,
        "summary": {
            "error": s.error,
            "warning": s.warning,
            "note": s.note,
            "open": s.open,
            "waived": s.waived,
            "unchanged": s.unchanged,
        },
        "findings": [_finding(f) for f in sorted(report.findings, key=sort_key)],
        "waived": [_waived(w) for w in sorted(report.waived, key=lambda w: (sort_key(w.finding), w.waiver.source))],
        "unchanged": [_finding(f) for f in sorted(report.unchanged, key=sort_key)],
        "baseline": _baseline(report.baseline),
        "jobs": [job_record(j) for j in sorted(report.jobs, key=lambda j: (j.name, j.addresses))],
        "workloads": [workload_record(w) for w in sorted(report.workloads, key=lambda w: (w.address, w.path))],
        "locations": [
            _location(x) for x in sorted(report.locations, key=lambda x: (x.address, x.path, x.role, x.value, x.source))
        ],
        "coverage": {
            "resources": c.resources,
            "located": c.located,
            "global": c.global_,
            "undecided": c.undecided,
            "unknown_types": c.unknown_types,
            "rules_run": c.rules_run,
        },
        "rules": sorted(clean(r.id) for r in report.rules),
        "allow": _strings(report.allow),
        "assumptions": _strings(report.assumptions),
        "not_configured": _strings(report.not_configured),
        "partial": _strings(report.partial),
        "notices": _strings(report.notices),
        "errors": _strings(report.errors),
        "disclaimer": wording.disclaimer(report),
    }


def _strings(items: tuple[str, ...]) -> list[str]:
    return [clean(i) for i in items]


def _finding(f: Finding) -> dict[str, Any]:
    return {
        "rule": clean(f.rule),
        "aliases": _strings(f.aliases),
        "kind": f.kind,
        "level": f.level,
        "address": clean(f.address),
        "path": clean(f.path),
        "observed": clean(f.observed),
        "expected": clean(f.expected),
        "countries": _strings(f.countries),
        "role": clean(f.role) if f.role else None,
        "job": clean(f.job) if f.job else None,
        "cause": prose(f.cause),
        "message": prose(f.message),
        "remediation": prose(f.remediation),
        "fingerprint": clean(f.fingerprint),
        "evidence": [_evidence(e) for e in f.evidence],
        "location": _range(f.location),
    }


def _evidence(e: Evidence) -> dict[str, Any]:
    return {"what": prose(e.what), "file": clean(e.file) or None, "line": e.line or None}


def _range(r: SourceRange | None) -> dict[str, Any] | None:
    if r is None:
        return None
    return {
        "file": clean(r.file),
        "start_line": r.start_line,
        "start_column": r.start_column,
        "end_line": r.end_line,
        "end_column": r.end_column,
    }


def _waived(w: Waived) -> dict[str, Any]:
    waiver = {
        "reason": prose(w.waiver.reason),
        "expires": clean(w.waiver.expires),
        "source": clean(w.waiver.source),
        "owner": clean(w.waiver.owner),
    }
    return {"finding": _finding(w.finding), "waiver": waiver}


def _baseline(b: BaselineCounts | None) -> dict[str, Any] | None:
    if b is None:
        return None
    return {"source": clean(b.source), "new": b.new, "fixed": b.fixed, "unchanged": b.unchanged}


def job_record(j: Job) -> dict[str, Any]:
    """One job, as `auditor jobs --format json` prints it too. Numbers are null where they are not known."""
    return {
        "name": clean(j.name),
        "cloud": clean(j.cloud),
        "providers": _strings(j.providers),
        "addresses": _strings(j.addresses),
        "role": j.role,
        "role_reason": clean(j.role_reason),
        "nodes_min": j.nodes_min,
        "nodes_max": j.nodes_max,
        "unbounded": j.unbounded,
        "nodes_in_plan": not j.dynamic_nodes,
        "gpus_min": j.gpus_min,
        "gpus_max": j.gpus_max,
        "domains_min": j.domains_min,
        "domains_max": j.domains_max,
        "instance_types": _strings(j.instance_types),
        "unknown_types": _strings(j.unknown_types),
        "accelerators": _strings(j.accelerators),
        "local_nvme_gb": j.local_nvme_gb,
        "fabric": clean(j.fabric),
        "fabric_state": j.fabric_state,
        "missing": _strings(j.missing),
        "zones": _strings(j.zones),
        "zones_max": j.zones_max,
        "regions": _strings(j.regions),
        "spot": j.spot,
        "placement": clean(j.placement),
        "reservation": j.reservation,
        "capacity_block": j.capacity_block,
        "parallelism": clean(j.parallelism),
        "zones_mode": clean(j.zones_mode),
        "declared_as": clean(str(j.declared.get("name", ""))) or None,
        "existing": j.existing,
        "unconfirmed": _strings(j.facts),
        "cause": clean(j.cause),
        "nodes": [_node(n) for n in j.nodes],
        "evidence": [_evidence(e) for e in j.evidence],
    }


def _node(n: Node) -> dict[str, Any]:
    return {
        "address": clean(n.address),
        "nodes_min": n.nodes_min,
        "nodes_max": n.nodes_max,
        "instance_types": _strings(n.types),
        "zones": _strings(n.zones),
    }


def workload_record(w: Workload) -> dict[str, Any]:
    """One Kubernetes workload whose pods take accelerators."""
    return {
        "address": clean(w.address),
        "role": w.role,
        "role_reason": clean(w.role_reason),
        "pods": w.pods,
        "gpus_per_pod": w.gpus,
        "asks_for_fabric": w.fabric,
        "path": clean(w.path),
        "read_from_text": w.read_from_text,
    }


def _location(x: Location) -> dict[str, Any]:
    # A sensitive value is judged, but neither it nor what gives it away is printed.
    hidden = x.sensitive
    return {
        "address": clean(x.address),
        "path": clean(x.path),
        "role": x.role,
        "value": WITHHELD if hidden else clean(x.value),
        "countries": [] if hidden else _strings(x.countries),
        "places": [] if hidden else sorted({clean(f"{p.cloud}:{p.region}") for p in x.places}),
        "source": clean(x.source),
        "decided": x.decided,
        "candidates": x.candidates,
        "sensitive": hidden,
        "cause": "" if hidden else clean(x.cause),
        "unconfirmed": "" if hidden else clean(x.unconfirmed),
    }
