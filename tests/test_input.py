"""Input that must not pass silently: each row of the table, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import PLANS, Auditor

PLAN = (PLANS / "m-errored" / "plan.json").read_bytes()
ALLOW = "version: 1\nallow: [EU]\n"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty", b"", "empty"),
        ("blank", b" \n", "empty"),
        ("truncated", PLAN[: len(PLAN) // 2], "broken JSON"),
        ("no plan", b'{"a": 1}', "no format_version"),
        ("a list", b"[]", "broken JSON|not a plan"),
        ("prose", b"Error: no such file", "broken JSON"),
        ("newer major", PLAN.replace(b'"format_version":"1.2"', b'"format_version":"2.0"'), "newer than this auditor"),
        ("wrong type", b'{"format_version": "1.2", "resource_changes": "x"}', "not a plan"),
        ("null change", b'{"format_version": "1.2", "resource_changes": [{"address": "a.b", "change": null}]}', "plan"),
        ("deep nesting", b'{"format_version": ' + b"[" * 100_000, "broken JSON|nested|not a plan"),
        ("plan log", b'{"@level":"info","@message":"Terraform 1.11.4"}\n{"@level":"info"}\n', "streaming log"),
    ],
)
def test_refused(auditor: Auditor, tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / "plan.json").write_bytes(data)
    run = auditor("check", "plan.json", policy=ALLOW)
    assert run.code == 2, run.err
    assert any(part in run.err for part in says.split("|")), run.err
    assert run.out == ""


@pytest.mark.parametrize("where", ["missing.json", "."])
def test_missing_file_and_folder_without_plans(auditor: Auditor, where: str) -> None:
    assert auditor("check", where, policy=ALLOW).code == 2


@pytest.mark.parametrize(
    "data",
    [
        b"[command]/usr/bin/terraform show -json tfplan\n" + PLAN,
        PLAN + b"\n::debug::stdout: done\n",
        b"\xef\xbb\xbf" + PLAN,
        PLAN.decode().encode("utf-16"),
        PLAN.decode().encode("utf-16-le"),
    ],
    ids=["wrapper before", "wrapper after", "utf-8 mark", "utf-16", "utf-16 without mark"],
)
def test_read_all_the_same(auditor: Auditor, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(data)
    (tmp_path / "clean.json").write_bytes(PLAN)
    run, clean = (auditor("check", name, policy=ALLOW) for name in ("plan.json", "clean.json"))
    assert run.verdicts == clean.verdicts != []
    assert auditor("check", "-", policy=ALLOW, stdin=data).verdicts == clean.verdicts


@pytest.mark.parametrize("form", ["text", "json", "sarif", "markdown", "github"])
def test_partial_plan_is_said_in_every_format(auditor: Auditor, form: str) -> None:
    path = str(PLANS / "m-errored" / "plan.json")
    run = auditor("check", path, "--format", form, policy=ALLOW, json_report=False)
    assert "partial" in run.out.lower()
    assert auditor("check", path, "--strict", policy=ALLOW).code == 2


def test_state_is_audited_as_existing(auditor: Auditor) -> None:
    run = auditor("check", str(PLANS / "a-eu-alias" / "state.json"), policy=ALLOW)
    assert {f["rule"] for f in run.report["findings"]} == {"SOV011"}
    assert run.report["inputs"][0]["kind"] == "state"


@pytest.mark.parametrize(
    ("allow", "says"), [("[DZ]", "expands to no cloud region"), ("[NO]", 'quote country codes: "NO"'), ("[]", "allow")]
)
def test_policy_traps(auditor: Auditor, allow: str, says: str) -> None:
    run = auditor("check", str(PLANS / "m-errored" / "plan.json"), policy=f"version: 1\nallow: {allow}\n")
    assert run.code == 2
    assert says in run.err


def test_no_sensitive_value_comes_out(auditor: Auditor, tmp_path: Path) -> None:
    plan = json.loads((PLANS / "g-unknown-sensitive" / "plan.json").read_text())
    assert "hunter2" in json.dumps(plan)
    for form in ("text", "json", "sarif", "markdown", "github"):
        run = auditor(
            "check", str(PLANS / "g-unknown-sensitive" / "plan.json"), "--format", form, policy=ALLOW, json_report=False
        )
        assert "hunter2" not in run.out + run.err
