"""What must not change a verdict does not: names, order, nesting, neighbours. What may only make it milder never does more."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import transform
from inprocess import PLANS, judge

from auditor.model import Report, strip_keys

PATHS = sorted(PLANS.glob("*/plan.json"))
WORKLOAD = {"role": "training", "regulated": ["gdpr"], "dataset_tb": 80}
MODES = [(path, workload) for path in PATHS for workload in (None, WORKLOAD)]
Key = tuple[str, str, str, str, str, str]
IDS = [f"{path.parent.name}{'-regulated' if workload else ''}" for path, workload in MODES]
each_plan = pytest.mark.parametrize(("path", "workload"), MODES, ids=IDS)


def read(path: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(path.read_bytes())
    return plan


def told(report: Report, moved: Callable[[str], str] = lambda a: a) -> list[Key]:
    def moved_in(observed: str) -> str:  # what was seen may name a template or part beside its value
        return re.sub(r'[\w.\-]+(?:\["?[\w.\-]+"?\][\w.]*)*', lambda m: moved(m[0]), observed)

    return sorted((f.rule, f.kind, f.level, moved(f.address), moved(f.path), moved_in(f.observed)) for f in report.findings)


@cache
def held(path: Path, regulated: bool) -> Report:
    return judge(path.read_bytes(), workload=WORKLOAD if regulated else None, beside=path)


def local(keys: list[Key]) -> list[Key]:
    """Verdicts about resources and jobs: those about a run or a provider count what else the run holds."""
    return [k for k in keys if k[3] != "." and "/" not in k[3] and not k[3].startswith("feature:")]


@each_plan
def test_order(path: Path, workload: dict[str, Any] | None) -> None:
    plan = read(path)
    for seed in range(2):
        assert told(judge(transform.shuffled(plan, seed), workload=workload, beside=path)) == told(held(path, bool(workload)))


@each_plan
def test_key_order(path: Path, workload: dict[str, Any] | None) -> None:
    text = json.dumps(read(path), sort_keys=True, indent=3).encode()
    assert told(judge(text, workload=workload, beside=path)) == told(held(path, bool(workload)))


SAME = """
import sys
from inprocess import PLANS, STATES, judge, render
for path in [*STATES, *sorted(PLANS.glob("jobs/*/plan.json"))[::12]]:
    sys.stdout.write(render(judge(path.read_bytes(), beside=path), "json"))
"""


def test_no_order_of_a_set_shows() -> None:
    """Sets of texts have another order in every process: reports have not."""
    made = {
        subprocess.run(
            [sys.executable, "-c", SAME], cwd=Path(__file__).parent, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "3", "8")
    }  # fmt: skip
    assert len(made) == 1
    assert len(made.pop()) > 100_000


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
def test_names_of_modules(path: Path, workload: dict[str, Any] | None) -> None:
    assert told(judge(_renamed(read(path)), workload=workload, beside=path)) == told(held(path, bool(workload)), _rename)


def _outside(text: str) -> str:
    return text.replace(f"{transform.WRAP}.", "")


@each_plan
@pytest.mark.parametrize("providers_too", [False, True], ids=["providers-passed", "providers-inside"])
def test_nesting(path: Path, workload: dict[str, Any] | None, providers_too: bool) -> None:
    plan = read(path)
    if not providers_too and not transform.self_contained(plan):
        pytest.skip("its provider blocks mention resources, and so cannot stand outside")
    nested = judge(transform.wrapped(plan, providers_too=providers_too), workload=workload, beside=path)
    assert sorted((r, k, lv, _outside(a), _outside(p), _outside(o)) for r, k, lv, a, p, o in told(nested)) == told(
        held(path, bool(workload))
    )
    coverage, before = nested.coverage, held(path, bool(workload)).coverage
    assert (coverage.resources, coverage.located, coverage.undecided) == (before.resources, before.located, before.undecided)


@each_plan
def test_unrelated_neighbours(path: Path, workload: dict[str, Any] | None) -> None:
    plan = read(path)
    for i in range(40):
        plan["resource_changes"].insert(
            i * 2 % (len(plan["resource_changes"]) + 1),
            {"address": f"random_id.n[{i}]", "mode": "managed", "type": "random_id", "name": "n", "index": i,
             "provider_name": "registry.terraform.io/hashicorp/random",
             "change": {"actions": ["create"], "before": None, "after": {"byte_length": 4}, "after_unknown": {"id": True}}},
        )  # fmt: skip
    before = local(told(held(path, bool(workload))))
    assert [k for k in local(told(judge(plan, workload=workload, beside=path))) if not k[3].startswith("random_id.n")] == before


# Rules that ask what else the run holds: a file system, an operator, another cloud.
BEYOND = ("PLC005", "NET016", "SEC001")


@each_plan
def test_two_plans_instead_of_one(path: Path, workload: dict[str, Any] | None) -> None:
    plan = read(path)
    first, second = transform.halves(plan)
    apart = judge(first, second, workload=workload, beside=path)
    assert apart.coverage.resources == held(path, bool(workload)).coverage.resources
    assert [k for k in local(told(apart)) if k[0] not in BEYOND] == [
        k for k in local(told(held(path, bool(workload)))) if k[0] not in BEYOND
    ]


@each_plan
def test_count_or_for_each(path: Path, workload: dict[str, Any] | None) -> None:
    """The key of an instance is a name: no verdict rests on it."""
    plan = transform.by_key(read(path))
    before = sorted((r, k, lv, transform.keyed(a), p, o) for r, k, lv, a, p, o in told(held(path, bool(workload))))
    assert told(judge(plan, workload=workload, beside=path)) == before


ALLOWS: list[list[str]] = [["DE"], ["DE", "IE"], ["EU"], ["EU", "US"], ["EU", "US", "JP", "BR", "AU", "SG"]]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.parent.name)
def test_a_longer_allow_list_fails_nothing_more(path: Path) -> None:
    before: set[tuple[str, str, str]] | None = None
    for allow in ALLOWS:
        report = judge(path.read_bytes(), policy={"allow": allow})
        fails = {(f.address, f.path, f.role or "") for f in report.findings if f.kind == "fail" and f.rule.startswith("SOV")}
        assert before is None or fails <= before, (allow, fails - before)
        before = fails


# Not taken away: labels, which may declare a role; and the type inside an escape hatch, without which it is nothing known.
NAMES = ("tags", "tags_all", "labels", "type")
FAMILIES = {"SOV": "SOV", "NET": "JOB", "PLC": "JOB", "CAP": "JOB"}


def _family(rule: str) -> str:
    return FAMILIES.get(rule[:3], "")


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.parent.name)
def test_what_becomes_unknown_never_turns_a_fail_into_a_pass(path: Path) -> None:
    """A value of any resource is taken away: what failed then fails still, is open, or is told by a rule beside it."""
    rnd = random.Random(path.parent.name)
    whole = read(path)
    spots = [
        (i, name)
        for i, r in enumerate(whole["resource_changes"])
        if r["change"]["actions"] not in (["no-op"], ["delete"], ["read"])
        for name, value in (r["change"]["after"] or {}).items()
        if value not in (None, [], {}, "", False) and name not in NAMES
    ]
    fails = [f for f in held(path, False).findings if f.kind == "fail" and _family(f.rule)]
    for i, name in rnd.sample(spots, min(len(spots), 30)) if fails else ():
        plan = read(path)
        r = plan["resource_changes"][i]
        del r["change"]["after"][name]
        r["change"]["after_unknown"] = {**(r["change"].get("after_unknown") or {}), name: True}
        _computed(plan, strip_keys(r["address"]), name)
        now = {(_family(f.rule), strip_keys(f.address)) for f in judge(plan, beside=path).findings}
        lost = [(f.rule, f.address) for f in fails if (_family(f.rule), strip_keys(f.address)) not in now]
        assert not lost, (r["address"], name, lost)


def _computed(plan: dict[str, Any], block: str, name: str) -> None:
    """The expression of an attribute as one whose value the plan does not show."""
    module = plan["configuration"]["root_module"]
    steps = block.split(".")
    while steps[0] == "module":
        module = module.get("module_calls", {}).get(steps[1], {}).get("module", {})
        steps = steps[2:]
    for found in module.get("resources", ()):
        if found["address"] == ".".join(steps):
            found.setdefault("expressions", {})[name] = {"references": ["local.computed"]}
