"""Any mutation of a valid policy validates or is refused with a line; any that validates runs on every recorded plan.

Mutations are drawn from a seeded generator: the same ones in every run, a failure names its seed.
"""

from __future__ import annotations

import copy
import json
import random
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conftest import PLANS
from test_policy import CATALOG, RULES, load

from auditor.errors import PolicyError
from auditor.load.plan import load as load_plan
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


@pytest.fixture(scope="module")
def plans() -> list[Any]:
    return [plan for path in sorted(PLANS.glob("*/plan.json")) for plan in load_plan(str(path), bytes)]


def test_a_mutated_policy_validates_and_runs_or_names_its_line(tmp_path: Path, plans: list[Any]) -> None:
    valid = refused = 0
    for seed in range(400):
        policy = mutated(seed)
        try:
            config = load(tmp_path, json.dumps(policy, indent=1), "p.json")
        except PolicyError as error:
            refused += 1
            assert re.match(r"p\.json:\d+ ", error.message), f"seed {seed}: {error.message}"  # noqa: PT017 - most raise none
            continue
        valid += 1
        plan = plans[seed % len(plans)]
        chosen = select({**RULES, **config.own_rules}.values(), (), {k: v.off for k, v in config.rules.items()})
        audit([plan], config, CATALOG, chosen, RULES, date(2026, 11, 20))
    assert valid > 30
    assert refused > 150


def test_the_base_runs_on_every_recorded_plan(tmp_path: Path, plans: list[Any]) -> None:
    config = load(tmp_path, json.dumps(BASE), "p.json")
    chosen = select(RULES.values(), (), {k: v.off for k, v in config.rules.items()})
    for plan in plans:
        report = audit([plan], config, CATALOG, chosen, RULES, date(2026, 11, 20))
        assert report.coverage.rules_run > 0
