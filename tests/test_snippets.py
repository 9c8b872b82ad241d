"""What docs/ci.md and the README tell people to paste into a pipeline: parsed, and run where it can be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from inprocess import PLANS, run

ROOT = Path(__file__).parent.parent
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("docs/ci.md", "README.md")}
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
CASE = PLANS / "a-eu-alias"


def blocks(language: str, page: str = "docs/ci.md") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)


def parsed(word: str, page: str = "docs/ci.md") -> Any:
    """The one YAML block that holds `word`."""
    (found,) = [b for b in blocks("yaml", page) if word in b]
    return yaml.safe_load(found)


def commands() -> Iterator[str]:
    for page in PAGES:
        for language in ("yaml", "sh", "groovy"):
            for block in blocks(language, page):
                for line in block.splitlines():
                    for found in re.findall(r"(?<![\w/-])auditor check ([^|'#]*?)(?='|$| \|\|| #)", line):
                        if "$SHOWFILE" not in found and "docker run" not in line and found.strip() != "-":
                            yield found.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(CASE, tmp_path, dirs_exist_ok=True)
    for name in (".auditor.yaml", "policy.yaml"):
        (tmp_path / name).write_text("version: 1\nallow: [EU]\n")
    return tmp_path


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_commands_run_and_write_what_they_name(checkout: Path, command: str) -> None:
    done = run("check", *command.split(), "--as-of", "2026-11-20", cwd=checkout)
    assert done.code in {0, 1}, done.err
    for file in re.findall(r"--format \w+=(\S+)", command):
        assert (checkout / file).stat().st_size > 0


def test_the_commands_were_found() -> None:
    assert len(set(commands())) >= 4


@pytest.mark.parametrize("page", PAGES)
def test_actions_are_pinned_by_commit(page: str) -> None:
    for used in re.findall(r"uses: (\S+/\S+(?: # v\S+)?)", PAGES[page]):
        assert PINNED.match(used) or used.startswith("OWNER/auditor@"), used


def test_the_pages_and_the_action_pin_the_same_commits() -> None:
    own = (ROOT / "action.yml").read_text(encoding="utf-8")
    pins: dict[str, set[str]] = {}
    for text in (*PAGES.values(), own):
        for name, commit in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", text):
            pins.setdefault(name, set()).add(commit)
    assert {name: len(commits) for name, commits in pins.items() if len(commits) > 1} == {}


def test_github_workflow_audits_before_it_applies_and_gives_inputs_that_exist() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    workflow = parsed("runs-on")
    (job,) = workflow["jobs"].values()
    steps = job["steps"]
    (audit,) = [i for i, s in enumerate(steps) if s.get("uses", "").startswith("OWNER/auditor@")]
    (apply,) = [i for i, s in enumerate(steps) if "terraform apply" in s.get("run", "")]
    assert audit < apply
    assert "continue-on-error" not in str(workflow)
    assert set(steps[audit]["with"]) <= set(action["inputs"])
    assert not [s for s in steps if "${{" in s.get("run", "")]
    assert job["permissions"] == {"contents": "read", "security-events": "write", "pull-requests": "write"}
    documented = set(re.findall(r"`([a-z-]+)`", PAGES["docs/ci.md"].split("| input |")[1].split("Outputs:")[0]))
    assert set(action["inputs"]) - {"token"} <= documented
    (readme,) = [s for s in parsed("OWNER/auditor", "README.md") if "uses" in s]
    assert set(readme["with"]) <= set(action["inputs"])


def test_gitlab_publishes_the_files_that_are_written() -> None:
    job = parsed("codequality")["audit"]
    written = dict(re.findall(r"--format (\w+)=(\S+)", " ".join(job["script"])))
    reports = job["artifacts"]["reports"]
    assert (reports["codequality"], reports["junit"]) == (written["gitlab"], written["junit"])
    assert job["artifacts"]["when"] == "always"


def test_pre_commit_hooks_exist() -> None:
    hooks = {h["id"] for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (repo,) = parsed("auditor-hcl")["repos"]
    assert {h["id"] for h in repo["hooks"]} == hooks


def fake(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)


def shell(checkout: Path, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    bin_ = checkout / "bin"
    bin_.mkdir(exist_ok=True)
    fake(bin_, "auditor", f'#!/bin/sh\nexec "{sys.executable}" -c "from auditor.cli import main; main()" "$@"\n')
    more = {"PATH": f"{bin_}:{os.environ['PATH']}"} | env
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=checkout, env=os.environ | more, capture_output=True, text=True, check=False
    )


def test_atlantis_step_fails_the_plan(checkout: Path) -> None:
    steps = parsed("$SHOWFILE")["workflows"]["audited"]["plan"]["steps"]
    script = "\n".join(s["run"] for s in steps if isinstance(s, dict))
    (checkout / "bin").mkdir()
    fake(checkout / "bin", "terraform", '#!/bin/sh\ncat plan.json\n')
    done = shell(checkout, script, PLANFILE="tfplan", SHOWFILE="show.json")
    assert done.returncode == 1, done.stderr
    assert "SOV0" in done.stdout


@pytest.mark.parametrize(
    ("plan", "policy", "status", "message"),
    [
        ("plan.json", "allow: [EU, US]", "passed", "nothing at or above fail_on"),
        ("plan.json", "allow: [EU]", "failed", "findings"),
        ("main.tf", "allow: [EU]", "failed", "could not audit (exit 2)"),
        ("absent", "allow: [EU]", "failed", "could not audit (exit 2)"),
    ],
)
def test_run_task_receiver_answers_what_the_audit_said(
    checkout: Path, plan: str, policy: str, status: str, message: str
) -> None:
    (script,) = [b for b in blocks("sh") if "TASK_RESULT_CALLBACK_URL" in b]
    (checkout / "policy.yaml").write_text(f"version: 1\n{policy}\n")
    (checkout / "bin").mkdir()
    fake(
        checkout / "bin",
        "curl",
        '#!/bin/bash\nwhile [ $# -gt 1 ]; do case $1 in -d) body=$2 ;; -o) out=$2 ;; esac; shift; done\n'
        'if [ -n "$body" ]; then echo "$body" >answer; echo "$1" >where; exit; fi\n'
        '[ -f "$1" ] && cat "$1" >fetched && mv fetched "$out"\n',
    )
    env = {"ACCESS_TOKEN": "t", "PLAN_JSON_API_URL": plan, "TASK_RESULT_CALLBACK_URL": "callback"}
    done = shell(checkout, script, **env)
    assert done.returncode == 0, done.stderr
    answer = yaml.safe_load((checkout / "answer").read_text())["data"]
    assert answer == {"type": "task-results", "attributes": {"status": status, "message": f"auditor: {message}"}}
    assert (checkout / "where").read_text() == "callback\n"
