"""Any mutation of a valid policy validates or is refused with a line; any that validates runs on every recorded plan.

Mutations are drawn from a seeded generator: the same ones in every run, a failure names its seed. Plans are sampled: each
recorded one meets some policies, hypothesis draws pairs of both.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
import tempfile
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import PLANS
from hypothesis import given, settings
from hypothesis import strategies as st
from test_policy import CATALOG, RULES, load

from auditor.errors import PolicyError
from auditor.load.plan import load as load_plan
from auditor.model import Plan
from auditor.pipeline import audit
from auditor.rules import select

BASE: dict[str, Any] = {
    "version": 1, "allow": {"home": ["EU", "CH"], "backup": ["EU"]}, "deny": ["azure:northeurope"],
    "operators": {"allow": ["EU", "US"]}, "on_unknown": "warning", "fail_on": "error",
    "scopes": [{"name": "pii", "match": {"tags": {"data": ["personal"]}, "type": ["aws_s3_*"]}, "allow": ["DE"]}],
    "assume": {"aws.region": "eu-central-1"}, "interconnect": {"max_gpus_without_rdma": 8, "accept_fabrics": ["efa"]},
    "lag": {"max_months": 3}, "gates": {"dataset_tb": 50, "max_egress_share": 0.15},
    "rules": {"SOV001": {"level": "note"}, "SOV005": {"level": "off", "reason": "r"}},
    "waivers": [{"rule": "SOV001", "address": "aws_s3_bucket.*", "reason": "r", "expires": "2027-01-31"}],
    "catalog": {"regions": [{"cloud": "aws", "region_id": "eu-x-1", "country": "DE", "source": "s"}]},
    "workload": {"role": "training", "regulated": ["gdpr"], "dataset_tb": 80, "jobs": [{"name": "a", "match": "module.*"}]},
}  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 8, 1.5, "", "EU", "NO", "aws:eu-central-1", "x", "2027-02-30", [], ["EU"], ["DZ"], {},
    {"home": ["DE"]}, "*" * 50, "[", "off", "note", 10**30,
]  # fmt: skip


def mutated(seed: int) -> dict[str, Any]:
    """The base policy with one to three changes: a value replaced, a key dropped, added, renamed or doubled."""
    rng = random.Random(seed)
    made = copy.deepcopy(BASE)
    for _ in range(rng.randint(1, 3)):
        holders = [made]
        for holder in holders:
            entries = holder.values() if isinstance(holder, dict) else holder
            holders += [v for v in entries if isinstance(v, dict | list) and v]
        holder = rng.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = rng.choice(keys)
        change = rng.randrange(4)
        if change == 0:
            holder[key] = rng.choice(VALUES)
        elif change == 1:
            del holder[key]
            if not holder and holder is made:
                holder["version"] = 1
        elif isinstance(holder, dict):
            holder[rng.choice(["+", "x", "_"]) + str(key) if change == 2 else str(key)[:-1] or "k"] = rng.choice(VALUES)
        else:
            holder.append(rng.choice(VALUES))
    return made


FOLDER = Path(tempfile.mkdtemp(prefix="auditor-properties-"))
PATHS = sorted(PLANS.glob("*/*plan*.json"))
VALID: list[int] = []  # seeds whose policy is valid, found by the first test


@cache
def plan_of(path: Path) -> list[Plan]:
    return list(load_plan(str(path), bytes))


def run_on(policy: dict[str, Any], path: Path) -> None:
    config = load(FOLDER, json.dumps(policy, indent=1), "p.json")
    every = {**RULES, **config.own_rules}
    chosen = select(every.values(), (), {k: v.off for k, v in config.rules.items()})
    report = audit(plan_of(path), config, CATALOG, chosen, every, date(2026, 11, 20))
    assert report.coverage.rules_run > 0


def test_a_mutated_policy_is_valid_or_names_its_line() -> None:
    refused = 0
    for seed in range(600):
        try:
            load(FOLDER, json.dumps(mutated(seed), indent=1), "p.json")
        except PolicyError as error:
            refused += 1
            assert re.match(r"p\.json:\d+ ", error.message), f"seed {seed}: {error.message}"  # noqa: PT017 - most raise none
            continue
        VALID.append(seed)
    assert len(VALID) > 60
    assert refused > 250


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_recorded_plan_runs_under_valid_policies(path: Path) -> None:
    """Three policies a plan, others for each: together every valid one is used."""
    if not VALID:
        test_a_mutated_policy_is_valid_or_names_its_line()
    run_on(BASE, path)
    at = PATHS.index(path)
    for k in range(3):
        run_on(mutated(VALID[(3 * at + k) % len(VALID)]), path)


@settings(max_examples=int(os.environ.get("AUDITOR_FUZZ", "60")), derandomize=True, deadline=None, database=None)
@given(st.integers(1_000, 1_000_000), st.sampled_from(PATHS))
def test_any_policy_on_any_plan(seed: int, path: Path) -> None:
    try:
        run_on(mutated(seed), path)
    except PolicyError as error:
        assert re.match(r"p\.json:\d+ ", error.message), error.message  # noqa: PT017 - valid ones raise none
