"""Damaged input of every kind: a clear refusal or a whole audit, never a crash, a lost resource or a silent pass.

The examples are drawn by hypothesis from a fixed seed, so that every run sees the same ones. `make fuzz` draws many more,
from new seeds (AUDITOR_FUZZ: examples per test).
"""

from __future__ import annotations

import json
import os
import random
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from faults import bytes_fault, mutate, retype
from fuzz_targets import whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inprocess import AS_OF, PLANS, RECORDED, STATES, facts, judge, render

from auditor.config import load_config
from auditor.documents import read_yaml
from auditor.errors import AuditorError
from auditor.load.hcl.inputs import SourceOptions
from auditor.load.lockfile import parse_lock
from auditor.load.plan import load
from auditor.model import Report

FUZZ = int(os.environ.get("AUDITOR_FUZZ", "0"))
JOBS = sorted(PLANS.glob("jobs/*/plan.json"))
SOURCES = sorted(p for p in PLANS.glob("*/main.tf"))
LOCKS = sorted(PLANS.glob("*/.terraform.lock.hcl"))


def _examples(number: int) -> settings:
    return settings(
        max_examples=FUZZ or number, derandomize=not FUZZ, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@lru_cache(maxsize=64)
def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _judged(data: bytes) -> Report | None:
    """The report, rendered whole as well; None where the input is refused in good order."""
    try:
        report = judge(data)
    except AuditorError as e:
        assert "crashed" not in str(e), e
        return None
    for name in ("json", "sarif"):
        render(report, name)
    return report


@_examples(400)
@given(st.sampled_from(RECORDED), st.randoms(use_true_random=False))
def test_plans_with_faults(path: Path, rnd: random.Random) -> None:
    plan = mutate(_read(path), rnd)
    report = _judged(json.dumps(plan).encode())
    if report is not None:
        assert isinstance(plan, dict)
        whole(report, plan)


@_examples(500)
@given(st.sampled_from(JOBS), st.randoms(use_true_random=False))
def test_values_of_other_types(path: Path, rnd: random.Random) -> None:
    """Whatever meets in resolving jobs and references: the audit is whole."""
    plan = retype(_read(path), rnd)
    report = _judged(json.dumps(plan).encode())
    if report is not None:
        whole(report, plan)


@_examples(120)
@given(st.sampled_from(STATES), st.randoms(use_true_random=False))
def test_states_with_faults(path: Path, rnd: random.Random) -> None:
    state = mutate(_read(path), rnd)
    report = _judged(json.dumps(state).encode())
    if report is None:
        return
    queue = [(state.get("values") or {}).get("root_module") or {}]
    count = 0
    for module in queue:
        queue += module.get("child_modules", ())
        count += sum(
            r.get("mode", "managed") != "data" and not r.get("deposed_key") for r in module.get("resources", ())
        )
    assert report.coverage.resources == count


@pytest.mark.parametrize("path", [*RECORDED, *STATES], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_prefix_is_a_plan(path: Path) -> None:
    data = path.read_bytes().rstrip()
    for at in [*range(0, 300, 19), *range(300, len(data) - 1, max(1, len(data) // 15)), len(data) - 1]:
        with pytest.raises(AuditorError) as refused:
            load("-", lambda at=at: data[:at])
        assert "-: " in str(refused.value)


@_examples(120)
@given(st.sampled_from(RECORDED), st.randoms(use_true_random=False))
def test_damaged_bytes_of_plans(path: Path, rnd: random.Random) -> None:
    data = bytes_fault(path.read_bytes(), rnd)
    report = _judged(data)
    if report is None:
        return
    try:
        plan = json.loads(data)
    except ValueError:  # read all the same: wrapper output around it, another encoding
        return
    whole(report, plan)


@_examples(200)
@given(st.sampled_from(LOCKS), st.randoms(use_true_random=False))
def test_damaged_lock_files(path: Path, rnd: random.Random) -> None:
    text = bytes_fault(path.read_bytes(), rnd).decode("utf-8", "replace")
    try:
        lock = parse_lock(text, "x")
    except AuditorError as e:
        assert str(e).startswith("x:")
        return
    assert set(lock.providers) <= {p.partition("/")[2].lower() for p in _labels(text)} | {p.lower() for p in _labels(text)}


def _labels(text: str) -> list[str]:
    return [part.split('"')[1] for part in text.split("provider ")[1:] if part.count('"') > 1]


@_examples(40)
@given(st.sampled_from(SOURCES), st.randoms(use_true_random=False))
def test_damaged_sources(tmp_path_factory: pytest.TempPathFactory, path: Path, rnd: random.Random) -> None:
    folder = tmp_path_factory.mktemp("hcl")
    (folder / "main.tf").write_bytes(bytes_fault(path.read_bytes(), rnd))
    try:
        plans = load(str(folder), bytes, SourceOptions())
    except AuditorError as e:
        assert "main.tf" in str(e) or str(folder) in str(e)
        return
    assert [p.kind for p in plans] == ["hcl"]


POLICY = """version: 1
extends: [eu-gdpr]
allow: [EU, "NO", aws:eu-central-2]
on_unknown: error
fail_on: warning
rules: {SOV002: {level: note}, LAG001: {level: "off", reason: old}}
scopes:
  - name: a
    match: {address: ["module.a.*"], class: [object_storage]}
    allow: [DE]
assume: {aws.region: eu-central-1}
waivers:
  - rule: SOV001
    address: aws_s3_bucket.logs
    reason: old logs
    owner: platform
    expires: 2026-12-31
"""


@_examples(120)
@given(st.randoms(use_true_random=False), st.booleans())
def test_damaged_policies(tmp_path_factory: pytest.TempPathFactory, rnd: random.Random, as_tree: bool) -> None:
    folder = tmp_path_factory.mktemp("policy")
    tree = read_yaml(POLICY, "p").value
    (folder / "p.yaml").write_bytes(
        json.dumps(mutate(tree, rnd)).encode() if as_tree else bytes_fault(POLICY.encode(), rnd)
    )
    catalog, rules = facts()
    try:
        load_config(
            str(folder / "p.yaml"), None, {}, index=catalog.index, rules=rules, as_of=AS_OF, cwd=folder,
            policies_dir=Path(__file__).parent.parent / "policies",
        )  # fmt: skip
    except AuditorError as e:
        assert re.match(r"p\.yaml:\d+ ", str(e)), e


def test_the_policy_that_is_damaged_is_valid(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(POLICY)
    catalog, rules = facts()
    held = load_config(
        str(tmp_path / "p.yaml"), None, {}, index=catalog.index, rules=rules, as_of=AS_OF, cwd=tmp_path,
        policies_dir=Path(__file__).parent.parent / "policies",
    )  # fmt: skip
    assert len(held.waivers) == 1


@pytest.mark.parametrize("lost", [{}, {"resource_changes": None}, {"resource_changes": []}])
def test_a_plan_without_its_changes_is_refused(lost: dict[str, Any]) -> None:
    """Terraform leaves the list out only where nothing is planned."""
    plan = {k: v for k, v in _read(PLANS / "a-eu-alias" / "plan.json").items() if k != "resource_changes"}
    with pytest.raises(AuditorError, match="resource_changes"):
        judge(plan | lost)
