"""Recorded plans about one question each, under several allow lists, compared exactly with the verdicts held right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import PLANS, Auditor

CASES = [(p, allow) for p in sorted(PLANS.glob("*/sovereignty.json")) for allow in json.loads(p.read_text())]


@pytest.mark.parametrize(("held", "allow"), CASES, ids=[f"{p.parent.name} under {a}" for p, a in CASES])
def test_recorded(auditor: Auditor, held: Path, allow: str) -> None:
    run = auditor("check", str(held.parent / "plan.json"), "--rules", "SOV", policy=f"version: 1\nallow: {allow}\n")
    assert run.verdicts == json.loads(held.read_text())[allow]


def test_evidence_walks_from_the_module_to_the_root_variable(auditor: Auditor) -> None:
    for version in (4, 5):
        plan = PLANS / f"s-alias-aws{version}" / "plan.json"
        run = auditor("check", str(plan), "--rules", "SOV", policy="version: 1\nallow: [EU]\n")
        whats = [e["what"] for e in run.report["findings"][0]["evidence"]]
        assert whats.index('provider alias "aws.burst"') < whats.index("variable far")
