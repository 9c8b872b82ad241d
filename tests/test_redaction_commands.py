"""No sensitive value comes out of any command, nor into any file that a run leaves behind: plans, binary plans and source."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from inprocess import PLANS, RECORDED, STATES, Run, run
from test_redaction import MARK, plant

from auditor.report import FORMATS

FILES = [*RECORDED, *STATES]
ENV = {"AUDITOR_TRACEBACK": "1"}
WORKLOAD = "version: 1\nrole: training\nregulated: [gdpr]\ndataset_tb: 80\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "policy.yaml").write_text("version: 1\nallow: [EU]\n")
    (tmp_path / "workload.yaml").write_text(WORKLOAD)
    return tmp_path


def planted(path: Path, folder: Path) -> Path:
    plan = json.loads(path.read_bytes())
    assert plant(plan) > 3
    made = folder / path.name
    made.write_text(json.dumps(plan))
    return made


def silent(done: Run, *, of: str) -> None:
    said = done.out + done.err
    assert done.code in (0, 1, 2), (of, done.err)
    assert MARK not in said, (of, said[max(0, said.find(MARK) - 200) :][:300])


def left_clean(folder: Path, *inputs: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and file not in inputs:
            assert MARK.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
@pytest.mark.parametrize("command", ["dump", "jobs", "gates"])
def test_commands_that_print_a_plan(folder: Path, path: Path, command: str) -> None:
    made = planted(path, folder)
    more = ["--workload", "workload.yaml"] if command == "gates" else []
    silent(run(command, made.name, *more, "--policy", "policy.yaml", cwd=folder, env=ENV), of=command)
    left_clean(folder, made)


NAMES = ("g-unknown-sensitive", "h-drift", "l-workaround", "i-lifecycle")
SOME = [p for p in FILES if p.parent.name in NAMES and p.name != "plan-noop.json"]


@pytest.mark.parametrize("path", SOME, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_commands_that_audit_a_plan(folder: Path, path: Path) -> None:
    made = planted(path, folder)
    flags = ("--policy", "policy.yaml", "--as-of", "2026-11-20")
    targets = [word for name in FORMATS for word in ("--format", f"{name}={folder / 'out'}.{name}")]
    silent(run("check", made.name, *flags, "--verbose", "--workload", "workload.yaml", *targets, cwd=folder, env=ENV), of="check")
    silent(run("baseline", made.name, *flags, "--output", "known.json", cwd=folder, env=ENV), of="baseline")
    silent(run("check", made.name, *flags, "--baseline", "known.json", "--format", "text", cwd=folder, env=ENV), of="--baseline")
    for finding in json.loads((folder / "out.json").read_text())["findings"][:10]:
        words = ("explain", finding["fingerprint"], "--plan", made.name, "--policy", "policy.yaml")
        silent(run(*words, cwd=folder, env=ENV), of="explain")
    (folder / "old.json").write_text((folder / "out.json").read_text().replace("SOV001", "SOV002"))
    silent(run("diff", "old.json", "out.json", cwd=folder, env=ENV), of="diff")
    for name in ("text", "json", "markdown", "html"):
        silent(run("sweep", made.name, *flags, "--jobs", "1", "--format", name, cwd=folder, env=ENV), of=f"sweep {name}")
    left_clean(folder, made)


def test_state_and_values_of_a_binary_plan(folder: Path) -> None:
    """The zip holds state and every planned value beside the source."""
    case = PLANS / "a-eu-alias"
    out = io.BytesIO()
    with zipfile.ZipFile(case / "tfplan") as z, zipfile.ZipFile(out, "w") as made:
        for entry in z.infolist():
            source = entry.filename.startswith(("tfconfig", ".terraform"))
            made.writestr(entry.filename, z.read(entry) if source else f"{MARK} " * 50)
        made.writestr("tfstate-prev", f"{MARK}\n")
    (folder / "tfplan").write_bytes(out.getvalue())
    plan = planted(case / "plan.json", folder)
    flags = ("--policy", "policy.yaml", "--as-of", "2026-11-20", "--verbose")
    for name in FORMATS:
        silent(run("check", "plan.json", "--binary-plan", "tfplan", *flags, "--format", name, cwd=folder, env=ENV), of=name)
    silent(run("check", "tfplan", *flags, cwd=folder, env={**ENV, "PATH": ""}), of="binary plan alone")
    left_clean(folder, plan, folder / "tfplan")


SOURCE = {
    "main.tf": """
variable "password" {
  sensitive = true
  default   = "CANARY-default"
}
variable "place" {
  sensitive = true
  type      = string
}
variable "given" {
  sensitive = true
  type      = string
}
locals {
  joined = "${var.password}-${var.given}"
  place  = lower(var.place)
}
provider "aws" {
  region     = local.place
  access_key = var.password
}
resource "aws_s3_bucket" "b" {
  bucket = local.joined
  tags   = { (var.password) = var.given }
}
resource "aws_instance" "gpu" {
  for_each      = toset(["x"])
  ami           = var.password
  instance_type = "p5.48xlarge"
  count_of      = "${var.given}"
}
module "m" {
  source = "./m"
  secret = var.given
}
resource "aws_sqs_queue" "q" {
  region = module.m.out
}
resource "null_resource" "run" {
  provisioner "local-exec" {
    command = "aws s3 cp ${var.given} s3://x"
  }
}
output "out" {
  value     = module.m.out
  sensitive = true
}
""",
    "m/main.tf": """
variable "secret" {}
resource "aws_s3_bucket" "b" {
  region = var.secret
}
output "out" {
  value     = var.secret
  sensitive = true
}
""",
    "terraform.tfvars": 'place = "us-east-1-CANARY"\n',
}


def test_sensitive_variables_of_a_source_scan(folder: Path) -> None:
    root = folder / "root"
    for name, text in SOURCE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    flags = ("--policy", "policy.yaml", "--var", f"given={MARK}-given", "--verbose", "--as-of", "2026-11-20")
    for name in FORMATS:
        done = run("check", "root", *flags, "--format", name, cwd=folder, env={**ENV, "TF_VAR_password": f"{MARK}-env"})
        assert done.code == 1, done.err
        silent(done, of=name)
    for command in ("dump", "jobs"):
        silent(run(command, "root", "--policy", "policy.yaml", "--var", f"given={MARK}-given", cwd=folder, env=ENV), of=command)
    left_clean(folder, *(root / name for name in SOURCE))


BROKEN = ['password = "CANARY', 'password = CANARY-x\n', "password = { CANARY\n", 'password = "${CANARY}"\n', "CANARY {\n}\n"]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_files_of_variables(folder: Path, text: str) -> None:
    root = folder / "root"
    root.mkdir()
    (root / "main.tf").write_text('variable "password" {\n  sensitive = true\n}\n')
    (root / "terraform.tfvars").write_text(text)
    done = run("check", "root", "--policy", "policy.yaml", "--verbose", cwd=folder, env=ENV)
    assert done.code == 2
    silent(done, of=text)
