"""One recorded plan beside the lock files, constraints and sources it could come with."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import PLANS

from auditor.cli import cli

LOCK = 'provider "{host}/hashicorp/aws" {{\n  version = "{version}"\n  constraints = ">= 6.0.0"\n}}\n'


def lock(version: str, host: str = "registry.terraform.io") -> str:
    return LOCK.format(host=host, version=version)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    shutil.copytree(PLANS / "lag-nested", tmp_path / "stack")
    return tmp_path / "stack"


def check(folder: Path, *words: str, rules: str = "LAG003,LAG007,LAG009") -> list[tuple[str, str, str, str]]:
    plan = [str(folder / "plan.json")]
    options = ["--rules", rules, "--format", "json", "--as-of", "2026-11-20", "--quiet"]
    done = CliRunner().invoke(cli, ["check", *plan, *options, *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return [(f["rule"], f["kind"], f["address"], f["message"]) for f in json.loads(done.stdout)["findings"]]


def scan(folder: Path) -> list[tuple[str, str, str, str]]:
    """Findings of a source scan."""
    words = ["check", str(folder), "--rules", "LAG003,LAG007,LAG009", "--as-of", "2026-01-01", "--format", "json"]
    made = CliRunner().invoke(cli, words)
    return [(f["rule"], f["kind"], f["address"], f["message"]) for f in json.loads(made.stdout)["findings"]]


def rules(found: list[tuple[str, str, str, str]]) -> list[tuple[str, str]]:
    return [(rule, address) for rule, _, address, _ in found]


BUCKET, INDEX = "module.vectors.aws_s3vectors_vector_bucket.v", "module.vectors.aws_s3vectors_index.i"


def test_the_lock_is_one_patch_too_old(stack: Path) -> None:
    (stack / ".terraform.lock.hcl").write_text(lock("6.23.0"))
    assert rules(check(stack)) == [("LAG003", INDEX), ("LAG003", BUCKET)]
    (stack / ".terraform.lock.hcl").write_text(lock("6.24.0"))
    assert check(stack) == []


def test_the_lock_of_opentofu(stack: Path) -> None:
    (stack / ".terraform.lock.hcl").write_text(lock("6.23.0", "registry.opentofu.org"))
    assert rules(check(stack)) == [("LAG003", INDEX), ("LAG003", BUCKET)]


def test_no_lock_and_a_constraint_open_below(stack: Path) -> None:
    (stack / ".terraform.lock.hcl").unlink()
    found = check(stack)
    assert rules(found) == [("LAG007", "hashicorp/aws"), ("LAG009", INDEX), ("LAG009", BUCKET)]
    assert ">= 6.0.0 admits 6.0.0" in found[1][3]


def test_the_source_adds_the_constraint_of_the_module(stack: Path) -> None:
    (stack / ".terraform.lock.hcl").unlink()
    found = check(stack, "--hcl-dir", str(stack))
    assert rules(found) == [("LAG009", INDEX), ("LAG009", BUCKET)]  # the module's upper bound pins, for LAG007
    assert "admits 6.10.0" in found[0][3]


def test_modules_that_conflict(stack: Path) -> None:
    (stack / ".terraform.lock.hcl").unlink()
    main = stack / "vectors" / "main.tf"
    main.write_text(main.read_text().replace(">= 6.10, < 7.0", "~> 5.0"))
    assert [(r, k) for r, k, _, _ in check(stack, "--hcl-dir", str(stack))] == [("LAG007", "open")]


def test_an_override_file_replaces_a_requirement(tmp_path: Path) -> None:
    """An override's entry of `required_providers` is the only one of its name: its version is not held against the base's."""
    text = 'terraform {\n  required_providers {\n    %s = { source = "hashicorp/%s", version = "%s" }\n  }\n}\n'
    (tmp_path / "main.tf").write_text(text % ("aws", "aws", "6.23.0") + 'resource "aws_s3vectors_index" "i" {}\n')
    assert [(r, k) for r, k, _, _ in scan(tmp_path)] == [("LAG003", "fail")]
    (tmp_path / "versions_override.tf").write_text(text % ("random", "random", "3.7.0"))
    assert [(r, k) for r, k, _, _ in scan(tmp_path)] == [("LAG003", "fail")]
    (tmp_path / "versions_override.tf").write_text(text % ("aws", "aws", "~> 6.24"))
    assert scan(tmp_path) == []


def test_a_lock_that_is_given_beats_the_one_beside(stack: Path) -> None:
    (stack.parent / "old.lock.hcl").write_text(lock("6.23.0"))
    assert rules(check(stack, "--lock", str(stack.parent / "old.lock.hcl"))) == [("LAG003", INDEX), ("LAG003", BUCKET)]


def test_a_damaged_lock_is_no_pass(stack: Path) -> None:
    (stack / ".terraform.lock.hcl").write_text('provider "registry.terraform.io/hashicorp/aws" {\n  version = ')
    done = CliRunner().invoke(cli, ["check", str(stack / "plan.json")], standalone_mode=False)
    assert "terraform.lock.hcl" in str(done.exception)


def test_a_command_with_gaps_is_read_from_the_source() -> None:
    folder = PLANS / "lag-hatches"
    assert [k for _, k, _, _ in check(folder, rules="WRK002")] == ["open"]
    [(_, kind, address, message)] = check(folder, "--hcl-dir", str(folder), rules="WRK002")
    assert (kind, address) == ("fail", "null_resource.pool")
    assert "`gcloud container node-pools create`" in message


def test_the_same_bytes_each_time() -> None:
    words = ["check", str(PLANS / "lag-hatches" / "plan.json"), "--format", "json", "--as-of", date(2026, 11, 20).isoformat()]
    first, second = (CliRunner().invoke(cli, words, standalone_mode=False).stdout for _ in range(2))
    assert first == second != ""
