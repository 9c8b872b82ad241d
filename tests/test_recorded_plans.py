"""Recorded Terraform output, audited under `allow: [EU]` and compared exactly with the verdicts held right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import PLANS, Auditor

CASES = sorted(PLANS.glob("*/expected.json"))


@pytest.mark.parametrize("expected", CASES, ids=lambda p: p.parent.name)
def test_recorded(auditor: Auditor, expected: Path) -> None:
    held = json.loads(expected.read_text())
    for name, findings in held.items():
        run = auditor("check", str(expected.parent / name), policy="version: 1\nallow: [EU]\n")
        assert run.verdicts == findings, name


def test_alias_is_the_evidence(auditor: Auditor) -> None:
    run = auditor("check", str(PLANS / "a-eu-alias" / "plan.json"), policy="version: 1\nallow: [EU]\n")
    found = next(f for f in run.report["findings"] if f["address"].endswith("aws_s3_bucket.archive"))
    assert 'provider alias "aws.global"' in [e["what"] for e in found["evidence"]]


def test_same_input_same_bytes(auditor: Auditor) -> None:
    args = ("check", str(PLANS / "f-gcp" / "plan.json"))
    assert auditor(*args, policy="version: 1\nallow: [EU]\n").out == auditor(*args, policy="version: 1\nallow: [EU]\n").out


def test_without_a_policy_sovereignty_is_not_configured(auditor: Auditor) -> None:
    run = auditor("check", str(PLANS / "a-eu-alias" / "plan.json"), json_report=False)
    assert run.code == 0
    assert "no allow list" in run.out
