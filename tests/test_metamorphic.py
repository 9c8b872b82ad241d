"""What must not change a verdict does not: names, order, nesting, neighbours. What may only make it milder never does more."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from inprocess import PLANS, judge, verdicts

from auditor.model import Report

PATHS = sorted(PLANS.glob("*/plan.json"))
WORST = {"pass": 0, "open": 1, "fail": 2}
Key = tuple[str, str, str, str, str]
each_plan = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.parent.name)


def read(path: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(path.read_bytes())
    return plan


def placed(report: Report) -> list[Key]:
    """Verdicts about single resources: those about a whole plan or provider may rightly count differently."""
    return [v for v in verdicts(report) if v[0].startswith("SOV") and v[0] not in ("SOV007", "SOV008")]


@each_plan
def test_order(path: Path) -> None:
    plan, held = read(path), verdicts(judge(path.read_bytes()))
    for seed in range(3):
        random.Random(seed).shuffle(plan["resource_changes"])
        random.Random(seed).shuffle(plan["configuration"]["root_module"].get("resources", []))
        assert verdicts(judge(plan)) == held


@each_plan
def test_key_order(path: Path) -> None:
    plan = read(path)
    assert verdicts(judge(json.dumps(plan, sort_keys=True).encode())) == verdicts(judge(path.read_bytes()))
    assert verdicts(judge(json.dumps(plan, indent=3).encode())) == verdicts(judge(path.read_bytes()))


def _rename(text: str) -> str:
    return re.sub(r"\bmodule\.(\w+)", r"module.q_\1", text)


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            (_rename(k) if k.startswith("module.") else k): (
                {f"q_{n}": _renamed(m) for n, m in v.items()} if k == "module_calls" else _renamed(v)
            )
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_renamed(v) for v in value]
    return _rename(value) if isinstance(value, str) and "module." in value else value


@each_plan
def test_names_of_modules(path: Path) -> None:
    held = [(r, k, lv, _rename(a), p) for r, k, lv, a, p in verdicts(judge(path.read_bytes()))]
    assert verdicts(judge(_renamed(read(path)))) == sorted(held)


@each_plan
def test_unrelated_neighbours(path: Path) -> None:
    plan = read(path)
    held = placed(judge(plan))
    for i in range(40):
        plan["resource_changes"].insert(
            i * 2 % (len(plan["resource_changes"]) + 1),
            {"address": f"random_id.n[{i}]", "mode": "managed", "type": "random_id", "name": "n", "index": i,
             "provider_name": "registry.terraform.io/hashicorp/random",
             "change": {"actions": ["create"], "before": None, "after": {"byte_length": 4}, "after_unknown": {"id": True}}},
        )  # fmt: skip
    assert placed(judge(plan)) == held


@each_plan
def test_two_plans_instead_of_one(path: Path) -> None:
    """Halves of a plan audited together, where no resource needs the other half."""
    plan = read(path)
    held = placed(judge(plan))
    whole = plan["resource_changes"]
    halves = [{**plan, "resource_changes": part} for part in (whole, [])]
    halves[1] = {**halves[1], "planned_values": None, "resource_drift": []}
    assert placed(judge(*halves)) == held


@each_plan
def test_count_or_for_each(path: Path) -> None:
    """The key of an instance is a name: no verdict rests on it."""
    plan = read(path)
    text = json.dumps([r["address"] for r in plan["resource_changes"]])
    single = [r for r in plan["resource_changes"] if "index" not in r and text.count(f"{r['type']}.{r['name']}") == 1]
    held = placed(judge(plan))
    names: dict[str, str] = {}
    drifted = {r["address"]: r for r in plan.get("resource_drift", ())}
    for r in single:
        if r["address"] in drifted:
            drifted[r["address"]] |= {"index": "only", "address": r["address"] + '["only"]'}
        names[r["address"]] = r["address"] + '["only"]'
        r["index"], r["address"] = "only", r["address"] + '["only"]'
    moved = sorted((rule, kind, level, names.get(a, a), p) for rule, kind, level, a, p in held)
    assert placed(judge(plan)) == moved


ALLOWS: list[list[str]] = [["DE"], ["DE", "IE"], ["EU"], ["EU", "US"], ["EU", "US", "JP", "BR", "AU", "SG"]]


@each_plan
def test_a_longer_allow_list_fails_nothing_more(path: Path) -> None:
    before: set[tuple[str, str, str]] | None = None
    for allow in ALLOWS:
        report = judge(path.read_bytes(), policy={"allow": allow})
        fails = {(f.address, f.path, f.role or "") for f in report.findings if f.kind == "fail" and f.rule in MILD}
        assert before is None or fails <= before, (allow, fails - before)
        before = fails


MILD = ("SOV001", "SOV002", "SOV003", "SOV004", "SOV005", "SOV006", "SOV011", "SOV012")


def test_what_becomes_unknown_never_turns_a_fail_into_a_pass() -> None:
    """The value at the very place that failed is taken away: the place is then open, or fails for another reason."""
    assert sum(map(_taken_away, PATHS)) > 10


def _taken_away(path: Path) -> int:
    held = judge(path.read_bytes())
    tried = 0
    for finding in held.findings:
        if finding.kind != "fail" or finding.rule not in MILD:
            continue
        plan = read(path)
        root = re.split(r"[.\[]", finding.path)[0]
        for r in plan["resource_changes"]:
            change = r["change"]
            if r["address"] != finding.address or change["actions"] == ["no-op"] or root not in (change["after"] or {}):
                continue
            del change["after"][root]
            change["after_unknown"] = {**(change.get("after_unknown") or {}), root: True}
            tried += 1
            told = [f for f in judge(plan).findings if f.address == finding.address and f.rule.startswith("SOV")]
            assert told, (finding.address, finding.path)
    return tried
