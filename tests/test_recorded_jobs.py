"""Recorded plans of GPU jobs: every job as it must be read, and every finding about it.

A case is a folder under `tests/plans/jobs/`: the HCL, the plan that Terraform made of it, and `expected.json` with

- `jobs`: all jobs of the plan, sorted by name. `nodes` and `gpus` are [fewest, most], null where not known;
  `zones_max` is the number of zones used at once at most, null where the plan does not say.
- `findings`: [rule, kind, level, address, path] of all findings of the sets below; none that is not listed may appear.

`policy.json` replaces the policy `allow: [EU]`. Expectations are derived from the rules, not from the auditor.
`owed.json` names the cases whose expectation is right and not yet met, each with the reason; they must fail.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inprocess import EU, PLANS, judge

from auditor.model import Job, Report

JOBS = PLANS / "jobs"
SETS = ("NET", "PLC", "CAP", "SOV")
OWED: dict[str, str] = json.loads((JOBS / "owed.json").read_text(encoding="utf-8"))


def _case(folder: Path) -> Any:
    owed = OWED.get(folder.name)
    return pytest.param(folder, id=folder.name, marks=[pytest.mark.xfail(reason=owed, strict=True)] if owed else [])


CASES = [_case(p.parent) for p in sorted(JOBS.glob("*/expected.json"))]


def read(job: Job) -> dict[str, Any]:
    """The record of `expected.json` for one job."""
    held: dict[str, Any] = {
        "name": job.name, "role": job.role, "nodes": [job.nodes_min, job.nodes_max], "gpus": [job.gpus_min, job.gpus_max],
        "types": list(job.instance_types), "fabric": job.fabric, "state": job.fabric_state,
        "zones": sorted(job.zones), "zones_max": job.zones_max, "placement": job.placement,
    }  # fmt: skip
    if job.spot:
        held["spot"] = True
    if job.reservation:
        held["reserved"] = True
    return held


def audit(case: Path) -> Report:
    policy = case / "policy.json"
    return judge(
        (case / "plan.json").read_bytes(), policy=json.loads(policy.read_text(encoding="utf-8")) if policy.exists() else EU
    )


def findings(report: Report) -> list[list[str]]:
    return sorted([f.rule, f.kind, f.level, f.address, f.path] for f in report.findings if f.rule.startswith(SETS))


@pytest.mark.parametrize("case", CASES)
def test_jobs_and_findings(case: Path) -> None:
    held = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    report = audit(case)
    assert [read(j) for j in report.jobs] == held["jobs"]
    assert findings(report) == held["findings"]


def test_every_case_is_complete() -> None:
    folders = {p.name for p in JOBS.iterdir() if p.is_dir()}
    assert folders == {p.parent.name for p in JOBS.glob("*/expected.json")}
    assert all((JOBS / name / "plan.json").exists() and (JOBS / name / "main.tf").exists() for name in folders)
    assert folders.issuperset(OWED)
