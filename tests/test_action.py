"""The scripts of the GitHub Action in a runner's environment, with a `gh` that writes down what it is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import PLANS

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "ci" / "action"
BAD = PLANS / "a-eu-alias" / "plan.json"
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="runners have jq")


@dataclass(frozen=True)
class Runner:
    """A runner's folder: environment files, a temp folder, a PATH that starts with fakes."""

    root: Path

    def run(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": f"{self.root}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.root),
            "GITHUB_OUTPUT": str(self.root / "output"),
            "GITHUB_STEP_SUMMARY": str(self.root / "summary"),
            "GITHUB_EVENT_PATH": str(self.root / "event.json"),
            "GITHUB_REPOSITORY": "owner/stack",
            "GITHUB_ACTION_PATH": str(ROOT),
            "AUDITOR": str(self.root / "auditor-under-test"),
        }
        return subprocess.run(
            ["bash", str(SCRIPTS / script)], cwd=self.root, env=env | more, capture_output=True, text=True, check=False
        )

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.root / "output").read_text().splitlines())

    def program(self, name: str, text: str) -> None:
        path = self.root / name
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    made.program("auditor-under-test", f'#!/bin/sh\nexec "{sys.executable}" -c "from auditor.cli import main; main()" "$@"\n')
    (tmp_path / ".auditor.yaml").write_text("version: 1\nallow: [EU]\n")
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}))
    return made


def test_findings_reach_every_report_and_only_the_gate_fails(runner: Runner) -> None:
    done = runner.run("audit.sh", INPUT_PLAN=str(BAD), INPUT_STACK="prod/eu")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("::error ")
    assert runner.outputs["exit-code"] == "1"
    log = json.loads(Path(runner.outputs["sarif"]).read_text())
    assert log["runs"][0]["automationDetails"]["id"] == "auditor/prod/eu/"
    assert json.loads(Path(runner.outputs["json"]).read_text())["verdict"] == "fail"
    assert Path(runner.outputs["html"]).read_text().startswith("<!DOCTYPE html>")
    assert (runner.root / "summary").read_text().startswith("## auditor: FAIL")
    assert runner.run("gate.sh", EXIT_CODE=runner.outputs["exit-code"]).returncode == 1


def test_a_plan_that_cannot_be_read_is_exit_2_and_a_summary_that_says_so(runner: Runner) -> None:
    (runner.root / "plan.json").write_text('{"format_version": "1.2", ')
    done = runner.run("audit.sh", INPUT_PLAN="plan.json")
    assert done.returncode == 0
    assert runner.outputs == {"exit-code": "2"}
    assert "could not audit" in (runner.root / "summary").read_text()
    assert runner.run("gate.sh", EXIT_CODE="2").returncode == 2


def test_hostile_inputs_stay_words(runner: Runner) -> None:
    """A file name that is a command, an option and an expression is only a file that is not there."""
    name = "--exit-zero $(touch pwned) `touch pwned`; touch pwned\n::error::x"
    done = runner.run("audit.sh", INPUT_PLAN=name, INPUT_POLICY=name)
    assert runner.outputs["exit-code"] == "2"
    assert not (runner.root / "pwned").exists()
    assert not [line for line in (done.stdout + done.stderr).splitlines() if line.lstrip().startswith("::")]


@pytest.mark.parametrize("code", ["", "x", "1; exit 0"])
def test_no_exit_code_is_no_pass(runner: Runner, code: str) -> None:
    assert runner.run("gate.sh", EXIT_CODE=code).returncode == 2


def test_a_clean_plan_passes_the_gate(runner: Runner) -> None:
    (runner.root / ".auditor.yaml").write_text("version: 1\nallow: [EU, US]\n")
    runner.run("audit.sh", INPUT_PLAN=str(BAD))
    assert runner.outputs["exit-code"] == "0"
    assert runner.run("gate.sh", EXIT_CODE="0").returncode == 0


@needs_jq
@pytest.mark.parametrize(("known", "method", "path"), [
    ("", "POST", "repos/owner/stack/issues/7/comments"),
    ("42", "PATCH", "repos/owner/stack/issues/comments/42"),
])  # fmt: skip
def test_one_comment_is_written_then_edited(runner: Runner, known: str, method: str, path: str) -> None:
    runner.program(
        "gh",
        '#!/bin/bash\ncase "$*" in *--paginate*) echo "$KNOWN"; echo "$MARKER" >marker ;;\n'
        '*) printf "%s\\n" "$@" >asked ;; esac\n',
    )
    (runner.root / "summary.md").write_text("## auditor: FAIL\n")
    done = runner.run("comment.sh", SUMMARY="summary.md", INPUT_STACK="prod/eu -->\n<script>", KNOWN=known)
    assert done.returncode == 0, done.stderr
    asked = (runner.root / "asked").read_text().splitlines()
    assert method in asked
    assert path in asked
    body = Path(asked[-1].removeprefix("body=@")).read_text()
    assert body.startswith("<!-- auditor:prod/eu --script -->\n## auditor: FAIL")
    assert (runner.root / "marker").read_text().strip() == body.splitlines()[0]


@needs_jq
def test_outside_a_pull_request_there_is_no_comment(runner: Runner) -> None:
    (runner.root / "event.json").write_text("{}")
    runner.program("gh", "#!/bin/sh\ntouch asked\n")
    assert runner.run("comment.sh", SUMMARY="summary.md").returncode == 0
    assert not (runner.root / "asked").exists()
