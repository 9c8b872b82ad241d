"""What `auditor init` writes is valid as it stands, and stays valid with every comment taken out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auditor.cli import cli
from auditor.documents import read_file, read_yaml, validate
from auditor.errors import PolicyError


def init(*args: str) -> Result:
    return CliRunner().invoke(cli, ["init", *args], standalone_mode=False)


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_policy() -> None:
    assert init("--allow", "NO", "--allow", "aws:eu-west-2").return_value == 0
    document = read_file(Path(".auditor.yaml"))
    validate(document, "policy")
    assert document.value["allow"] == ["NO", "aws:eu-west-2"]


def test_workload_declares_nothing_but_its_date() -> None:
    assert init("--workload", "--as-of", "2026-11-20").return_value == 0
    document = read_file(Path("workload.yaml"))
    validate(document, "workload")
    assert document.value == {"version": 1, "reviewed_on": "2026-11-20"}


def test_every_commented_line_of_the_workload_is_valid() -> None:
    init("--workload")
    text = re.sub(r"(?m)^# (?=[a-z_0-9]+:|  - )", "", Path("workload.yaml").read_text())
    document = read_yaml(text, "workload.yaml")
    validate(document, "workload")
    assert len(document.value) > 20


def test_a_file_that_is_there_is_kept() -> None:
    Path(".auditor.yaml").write_text("version: 1\n")
    assert isinstance(init().exception, PolicyError)
    assert Path(".auditor.yaml").read_text() == "version: 1\n"
    assert init("--force").return_value == 0


def test_a_place_that_is_none() -> None:
    assert "EUU" in str(init("--allow", "EUU").exception)
