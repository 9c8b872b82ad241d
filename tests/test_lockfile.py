"""The dependency lock file: what is read, and what ends the run instead of being an empty lock."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import PLANS

from auditor.errors import InputError
from auditor.load.lockfile import find_lock, parse_lock, read_lock

GENUINE = '''# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.45.0" // a comment
  constraints = ">= 5.0.0, ~> 6.20"
  hashes = [
    "h1:abc/def+{}=",
    "zh:0123",
  ]
}

provider "registry.opentofu.org/Azure/AzAPI" {
  version = "2.9.0"
}
provider "terraform-provider.example.cloud/nebius/nebius" { version = "0.6.22-rc1" }
'''


def test_genuine() -> None:
    lock = parse_lock(GENUINE, "x").providers
    assert {k: (p.version, p.constraints, p.line, p.host) for k, p in lock.items()} == {
        "hashicorp/aws": ("6.45.0", ">= 5.0.0, ~> 6.20", 4, "registry.terraform.io"),
        "azure/azapi": ("2.9.0", "", 13, "registry.opentofu.org"),
        "nebius/nebius": ("0.6.22-rc1", "", 16, "terraform-provider.example.cloud"),
    }


def test_empty_is_no_provider() -> None:
    assert parse_lock("# nothing yet\n", "x").providers == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.0.0"\n', "x:1"),
        ('provider "registry.terraform.io/hashicorp/aws" {\n}\n', "x:1"),
        ('\nprovider "aws" {\n version = "1.0.0"\n}\n', "x:2"),
        ('provider "a/b/c" {\n version = var.x\n}\n', "x"),
        ('provider "a/b/c" {\n version = "latest"\n}\n', "x:1"),
        ('{"provider": {}}', "x:1"),
        ("<<<<<<< HEAD\n", "x:1: conflict markers"),
        ('provider "a/b/c" {\r\n<<<<<<< HEAD\r\n version = "1.0.0"\r\n=======\r\n version = "2.0.0"\r\n', "x:2: conflict"),
        ('provider "a/b/c" {\n version = "1.0.0"\n}\n' * 2, "x:4: .* locked twice, first in line 1"),
        ('resource "aws_s3_bucket" "b" {}\n', "x:1"),
    ],
)
def test_not_a_lock_file(text: str, line: str) -> None:
    with pytest.raises(InputError, match=line):
        parse_lock(text, "x")


def test_the_lock_inside_a_binary_plan(tmp_path: Path) -> None:
    (tmp_path / "tfplan").write_bytes((PLANS / "a-eu-alias" / "tfplan").read_bytes())
    lock = find_lock(tmp_path / "tfplan")
    assert lock is not None
    assert lock.providers["hashicorp/aws"].version == "6.45.0"


def test_the_lock_beside_a_plan_and_in_the_source_folder(tmp_path: Path) -> None:
    assert find_lock(tmp_path / "plan.json") is None
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / ".terraform.lock.hcl").write_text(GENUINE)
    found = find_lock(tmp_path / "plan.json", [tmp_path / "src"])
    assert found is not None
    assert len(found.providers) == 3


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_lock(tmp_path / "none")
