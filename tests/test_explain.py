"""`rules`, `explain`, `diff`, the generated reference, and the examples of the docs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_adopt import bucket, estate, run  # noqa: F401 - `estate` is a fixture
from test_policy import CATALOG, RULES
from test_policy import run as plain

from auditor.errors import AuditorError, InputError
from auditor.policytest import read_cases, run_case

ROOT = Path(__file__).resolve().parent.parent


def test_rules_in_three_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".auditor.yaml").write_text("version: 1\nrules: {SOV001: {level: off, reason: elsewhere}}\n")
    assert {r["id"]: r["level"] for r in json.loads(plain("rules", "--format", "json").stdout)}["SOV001"] == "off"
    assert "| SOV001 | off |" in plain("rules", "--format", "markdown").stdout
    assert len(plain("rules").stdout.splitlines()) == len(RULES)
    assert "This policy: off (elsewhere)" in plain("explain", "SOV001").stdout


def test_explain_a_finding(estate: Any) -> None:  # noqa: F811
    estate("plan.json", bucket("a"))
    report = run("check", "plan.json", "--format", "json").stdout
    Path("report.json").write_text(report)
    print_ = json.loads(report)["findings"][0]["fingerprint"]
    for args in (("--plan", "plan.json"), ("--report", "report.json")):
        text = plain("explain", print_[:8], *args).stdout
        assert "aws_s3_bucket.a" in text
        assert "step 1" in text
    for wrong in ((print_,), ("0" * 32, "--report", "report.json"), (print_, "--report", "plan.json")):
        with pytest.raises(InputError):
            plain("explain", *wrong)
    with pytest.raises(AuditorError):
        plain("explain", "NOPE1")


def test_diff_of_two_reports(estate: Any) -> None:  # noqa: F811
    for name, found in (("a", [bucket("a"), bucket("b")]), ("b", [bucket("b"), bucket("c")])):
        estate("plan.json", *found)
        Path(f"{name}.json").write_text(run("check", "plan.json", "--format", "json").stdout)
    done = plain("diff", "a.json", "b.json")
    assert done.return_value == 1
    assert done.stdout.splitlines()[-1].startswith("1 new, 1 gone")
    assert plain("diff", "a.json", "a.json").return_value == 0


def test_reference_is_fresh() -> None:
    assert subprocess.run([sys.executable, str(ROOT / "scripts/policy_reference.py"), "--check"], check=False).returncode == 0


def test_the_example_of_the_docs_works(tmp_path: Path) -> None:
    blocks = re.findall(
        r"<!-- file: auditor-rules/(\S+) -->\n```yaml\n(.*?)```", (ROOT / "docs/write-a-rule.md").read_text(), re.DOTALL
    )
    assert [name for name, _ in blocks] == ["ACME001.yaml", "cases.yaml"]
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    for case in read_cases(tmp_path):
        assert run_case(case, CATALOG, RULES).problems == ()


@pytest.mark.parametrize("page", ["adopt.md", "write-a-rule.md", "getting-started.md"])
def test_commands_of_the_docs_exist(page: str) -> None:
    from auditor.cli import COMMANDS

    named = set(re.findall(r"auditor ([a-z]+)", (ROOT / "docs" / page).read_text()))
    assert named <= {*COMMANDS, "plan"}
