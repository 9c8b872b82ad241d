"""A source scan that cannot count a block's instances leaves its job open: never a pass, never a guess."""

from __future__ import annotations

from pathlib import Path

from conftest import Auditor

SOURCE = """
variable "n" { type = number }
provider "aws" { region = "eu-central-1" }
resource "aws_instance" "train" {
  count         = var.n
  ami           = "ami-1"
  instance_type = "p4d.24xlarge"
}
"""


def test_unknown_count(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "main.tf").write_text(SOURCE)
    unknown = auditor("check", "stack", "--rules", "NET", policy="version: 1\n")
    assert [(f["rule"], f["kind"]) for f in unknown.report["findings"]] == [("NET004", "open")]
    known = auditor("check", "stack", "--rules", "NET", "--var", "n=2", policy="version: 1\n")
    assert [(f["rule"], f["kind"]) for f in known.report["findings"]] == [("NET002", "fail")]
    one = auditor("check", "stack", "--rules", "NET", "--var", "n=1", policy="version: 1\n")
    assert one.report["findings"] == []
