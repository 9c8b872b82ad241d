"""What a person at a terminal sees beside the report: progress, completion, errors, help."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from conftest import PLANS, Auditor

from auditor.cli import cli, progress
from auditor.cli.progress import track
from auditor.report import FORMATS


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    made = _Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "STEP", 0.0)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_bar_counts_and_is_wiped(terminal: io.StringIO) -> None:
    assert list(track("abcd", "reading")) == list("abcd")
    assert "reading [############............] 2/4" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_bar_is_wiped_when_the_work_breaks_off(terminal: io.StringIO) -> None:
    with closing(track("ab", "reading")) as tracked:
        next(tracked)
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("why", ["quiet", "one", "ci", "dumb"])
def test_no_bar(terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "ci":
        monkeypatch.setenv("CI", "true")
    if why == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    list(track("a" if why == "one" else "abcd", "reading", quiet=why == "quiet"))
    assert terminal.getvalue() == ""


def test_no_bar_into_a_file(auditor: Auditor) -> None:
    paths = [str(PLANS / name / "plan.json") for name in ("a-eu-alias", "f-gcp")]
    assert "reading" not in auditor("check", *paths, policy="version: 1\nallow: [EU]\n").err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    code = "import sys; sys.argv = ['auditor']; from auditor.cli import main; main()"
    env = os.environ | {"_AUDITOR_COMPLETE": f"{shell}_source"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert "_AUDITOR_COMPLETE" in done.stdout


def test_formats_complete() -> None:
    code = "import sys; sys.argv = ['auditor']; from auditor.cli import main; main()"
    env = os.environ | {"_AUDITOR_COMPLETE": "bash_complete", "COMP_WORDS": "auditor check --format j", "COMP_CWORD": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,json", "plain,junit"]


def test_error_messages_send_no_control_characters(auditor: Auditor, tmp_path: Path) -> None:
    run = auditor("check", "no\x1b[31m\u202esuch.json", json_report=False)
    assert run.code == 2
    assert "\\u001b[31m\\u202esuch.json" in run.err
    assert "\x1b" not in run.err


def test_help_names_every_format() -> None:
    text = " ".join(CliRunner().invoke(cli, ["check", "--help"]).output.split())
    assert all(f"{name}" in text for name in FORMATS)


def test_documented_formats_are_the_formats() -> None:
    page = (Path(__file__).parent.parent / "docs" / "cli.md").read_text()
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert rows == list(FORMATS)


def test_pictures_are_there_and_small() -> None:
    docs = Path(__file__).parent.parent / "docs"
    for name in ("terminal.png", "report.png", "jobs.png"):
        assert (docs / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert (docs / name).stat().st_size < 250_000
