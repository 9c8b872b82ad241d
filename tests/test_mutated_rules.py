# ruff: noqa: PT017 - what is valid raises nothing
"""Own rules, cases and manifests with faults: valid, or refused with file and line; what is valid runs without a crash."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from faults import mutate
from hypothesis import given
from hypothesis import strategies as st
from inprocess import AS_OF, PLANS, facts
from test_mutations import _examples

from auditor.config import read_workload
from auditor.documents import read_file, read_yaml
from auditor.errors import AuditorError, PolicyError
from auditor.ownrules import read_rule
from auditor.policytest import read_cases, run_case

OWN = Path(__file__).parent / "own"
RULES = [read_file(p).value for p in sorted(OWN.rglob("*.yaml")) if p.name != "cases.yaml"]
CASES = [c for p in sorted(OWN.rglob("cases.yaml")) for c in read_file(p).value["cases"]]
PLAN = str(PLANS / "c-gpu-asg-efa-pg" / "plan.json")
MANIFEST = """
version: 1
stage: production
reviewed_on: 2026-11-01
role: training
regulated: [gdpr]
dataset_tb: 2000
data_home: azure:westeurope
pattern: jit
transfer: {mode: shards, active_fraction: 0.05, runs_per_month: 2, checkpoint_tb: 2}
monthly_usd: {hub: 400000, spoke: 220000}
spoke: [coreweave]
region_guarantees: {coreweave: "MSA 2026-07 s.4.2"}
needed_gpus: 128
inference: {cloud_node_usd: 18000, pod_node_usd: 4200, nodes: 6}
serverless: {price_req: 0.0000002, seconds: 2, gb: 4, price_gb_s: 0.0000167, dedicated_month_usd: 4200, rps: 40}
monthly_split_pct: {compute: 68, storage: 18, network: 14}
repatriation: {decision: "keep", date: 2026-10-05}
features: [azure.app.agents]
jobs: [{name: pretrain, match: "aws_*.train*", role: training}]
measurements: [{between: [a, b], p99_ms: 0.35, samples: 10000, measured_on: 2026-11-10, tool: sockperf}]
"""


def refused_with_line(error: AuditorError, name: str) -> bool:
    return re.match(rf"{name}:\d+ ", str(error)) is not None


@_examples(150)
@given(st.sampled_from(RULES), st.randoms(use_true_random=False))
def test_rules_with_faults(tmp_path_factory: pytest.TempPathFactory, rule: Any, rnd: random.Random) -> None:
    folder = tmp_path_factory.mktemp("rules")
    text = json.dumps(mutate(rule, rnd), indent=1)
    catalog, every = facts()
    try:
        made = read_rule(read_yaml(text, "r.yaml"), catalog.index, AS_OF)
    except PolicyError as error:
        assert refused_with_line(error, "r.yaml"), error
        return
    (folder / "r.yaml").write_text(text)
    case = {"name": "runs", "rules": [made.id], "plan": PLAN}
    (folder / "cases.yaml").write_text(json.dumps({"cases": [case]}))
    for problem in run_case(read_cases(folder)[0], catalog, every).problems:
        assert problem.startswith("unexpected: "), problem


@_examples(100)
@given(st.sampled_from(CASES), st.randoms(use_true_random=False))
def test_cases_with_faults(tmp_path_factory: pytest.TempPathFactory, case: Any, rnd: random.Random) -> None:
    path = tmp_path_factory.mktemp("cases") / "c.yaml"
    path.write_text(json.dumps({"cases": [mutate(case, rnd)]}, indent=1))
    try:
        found = read_cases(path)
    except PolicyError as error:
        assert re.match(r".*c\.yaml:\d+ ", str(error)), error
        return
    for one in found:
        run_case(one, *facts())


@_examples(100)
@given(st.randoms(use_true_random=False))
def test_manifests_with_faults(tmp_path_factory: pytest.TempPathFactory, rnd: random.Random) -> None:
    folder = tmp_path_factory.mktemp("manifest")
    path = folder / "workload.yaml"
    path.write_text(json.dumps(mutate(read_yaml(MANIFEST, "m").value, rnd), indent=1))
    try:
        held = read_workload(path, "workload.yaml").value
    except PolicyError as error:
        assert refused_with_line(error, "workload.yaml"), error
        return
    body = {k: v for k, v in held.items() if k != "version"}
    case = {"name": "runs", "policy": {"allow": ["EU"]}, "workload": body, "plan": PLAN}
    (folder / "c.yaml").write_text(json.dumps({"cases": [case]}))
    for problem in run_case(read_cases(folder / "c.yaml")[0], *facts()).problems:
        assert problem.startswith("unexpected: "), problem
