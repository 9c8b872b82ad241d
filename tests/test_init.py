"""What `auditor init` writes is valid as it stands, and stays valid with every comment taken out."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auditor.catalog import Catalog
from auditor.cli import cli
from auditor.cli import init as module
from auditor.documents import Document, read_file, read_yaml, validate
from auditor.errors import PolicyError
from auditor.survey import survey

PLANS = Path(__file__).parent / "plans"
CATALOG = Catalog()
SOURCE = """
terraform { required_providers { aws = { source = "hashicorp/aws" } } }
provider "aws" {
  region = "eu-central-1"
  default_tags { tags = { owner = "ml", DataClass = "personal", database_password = "hunter2" } }
}
provider "aws" {
  alias  = "burst"
  region = "us-east-1"
}
variable "backup_region" { default = "us-west-2" }
resource "aws_instance" "gpu" {
  provider          = aws.burst
  instance_type     = "p5.48xlarge"
  availability_zone = "us-east-1a"
}
resource "aws_s3_bucket" "raw" { tags = merge({ DataClass = "open" }, var.tags) }
"""


def init(*args: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["init", *args], standalone_mode=False, input=answers)


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(*args: str, answers: str | None = None) -> Document:
    done = init(*args, answers=answers)
    assert done.return_value == 0, done.exception
    document = read_file(Path(".auditor.yaml"))
    validate(document, "policy")
    shown = CliRunner().invoke(cli, ["validate", ".auditor.yaml"], standalone_mode=False)
    assert shown.stdout == ".auditor.yaml: valid policy\n"
    return document


def uncommented(path: str) -> Document:
    """The file with every commented key in force."""
    text = re.sub(r"(?m)^# (?=[a-z_]+:|  (?: *[a-z]+:|- ))", "", Path(path).read_text())
    document = read_yaml(text, path)
    validate(document, "policy" if "auditor" in path else "workload")
    return document


def test_an_empty_folder() -> None:
    assert written().value == {"version": 1, "allow": ["EU"], "fail_on": "error"}
    assert len(Path(".auditor.yaml").read_text().splitlines()) <= 10


def test_places_that_are_given() -> None:
    assert written("--allow", "NO", "--allow", "aws:eu-west-2").value["allow"] == ["NO", "aws:eu-west-2"]


def test_what_stands_in_the_tree() -> None:
    Path("train").mkdir()
    Path("train/main.tf").write_text(SOURCE)
    Path("train/broken.tf").write_text("resource {")
    Path(".terraform").mkdir()
    Path(".terraform/x.tf").write_text('provider "google" { region = "asia-east1" }')
    Path(".terraform.lock.hcl").write_text('provider "registry.terraform.io/hashicorp/google" {\n  version = "6.50.0"\n}\n')
    assert written().value == {"version": 1, "allow": ["EU"], "fail_on": "error"}
    text = Path(".auditor.yaml").read_text()
    assert "seen: eu-central-1 (DE)" in text
    assert "# outside of it: us-east-1 (US), train/main.tf:9\n" in text
    assert "# outside of it: us-west-2 (US), train/main.tf:11\n" in text
    assert "p5.48xlarge (train/main.tf:14)" in text
    assert "asia-east1" not in text
    assert "hunter2" not in text
    whole = uncommented(".auditor.yaml").value
    assert whole["workload"] == {"role": "training", "regulated": ["gdpr"]}
    assert whole["scopes"] == [
        {"name": "classified", "match": {"tags": {"DataClass": ["personal", "open"]}}, "allow": ["EU"]}
    ]


def test_what_was_seen_is_told() -> None:
    Path("main.tf").write_text(SOURCE)
    Path("broken.tf").write_text("resource {")
    said = init().stdout
    assert "2 Terraform files, 1 of them not readable; clouds (resources): " in said
    assert "GPU types: p5.48xlarge (main.tf:14)\n" in said
    assert "tag DataClass: personal (main.tf:5), open (main.tf:17)\n" in said


def test_questions_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_on_terminal", lambda: True)
    Path("main.tf").write_text(SOURCE)
    answers = "EUU\nDE, NO\ngdpr, hipaa\ntraining\nDE\n"
    assert written(answers=answers).value == {
        "version": 1, "allow": ["DE", "NO"], "workload": {"role": "training", "regulated": ["gdpr", "hipaa"]}, "fail_on": "error",
        "scopes": [{"name": "classified", "match": {"tags": {"DataClass": ["personal", "open"]}}, "allow": ["DE"]}],
    }  # fmt: skip
    assert written("--force", answers="\n\n\n\n").value == {"version": 1, "allow": ["EU"], "fail_on": "error"}
    said = written("--force", "--allow", "CH", answers="none\nmixed\nnone\n").value
    assert said["workload"] == {"role": "mixed", "regulated": []}
    assert written("--force", "--no-input").value["allow"] == ["EU"]


def test_nothing_is_asked_without_a_terminal() -> None:
    assert "Where" not in init(answers="DE\n").output


@pytest.mark.parametrize(
    ("text", "allow"),
    [
        ('provider "aws" { region = "us-east-1" }', ["US"]),
        ('provider "aws" { region = "eu-north-1" }\nlocals { location = "West Europe" }', ["EU"]),
        ('provider "google" { zone = "europe-west6-a" }', ["CH"]),
        ('provider "azurerm" {}\nlocals { location = "Norway East" }', ["EEA"]),
        ('provider "aws" { region = var.region }\nvariable "region" { default = "eu-west-2" }', ["GB"]),
        ('provider "aws" { region = "eu-central-1" }\nprovider "aws" {\n alias = "z"\n region = "eu-central-2"\n}', ["DACH"]),
        ('provider "aws" { region = var.home_region }\nvariable "home_region" { default = "eu-west-1" }\n'
         'locals { regions = ["us-east-1", "us-west-2", "us-east-2"] }', ["EU"]),
        ('provider "aws" { region = local.region }\nlocals {\n  region = "us-east-1"\n'
         '  regions = ["eu-west-1", "eu-west-2"]\n}', ["US"]),
        ('provider "aws" { region = data.x.y.z }\n'
         'locals { regions = ["us-east-1", "us-west-2", "eu-west-1", "eu-west-3", "eu-north-1"] }', ["EU"]),
        ('provider "aws" {}\nlocals { description = "us-east-1" }', ["EU"]),
    ],
)  # fmt: skip
def test_the_list_that_is_proposed(text: str, allow: list[str]) -> None:
    Path("main.tf").write_text(text)
    assert written().value["allow"] == allow


def test_json_and_variable_files() -> None:
    Path("main.tf.json").write_text('{"provider": {"aws": {"region": "eu-west-3"}}, "resource": {"aws_sqs_queue": {"q": {}}}}')
    Path("prod.tfvars").write_text('replica_region = "sa-east-1"\n')
    assert written().value["allow"] == ["EU"]
    assert "outside of it: sa-east-1 (BR), prod.tfvars:1" in Path(".auditor.yaml").read_text()


@pytest.mark.parametrize("folder", sorted(p.parent for p in PLANS.glob("*/*.tf")), ids=lambda p: p.name)
def test_the_sources_of_the_recorded_plans(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = survey(folder, CATALOG)
    assert seen.unread == 0
    assert set(seen.clouds) or "lag" in folder.name
    monkeypatch.setattr(module.Path, "cwd", lambda: folder)
    text = module._policy((), ask=False)
    assert read_yaml(text, "p").value["version"] == 1
    (tmp_path / ".auditor.yaml").write_text(text)
    validate(read_file(tmp_path / ".auditor.yaml"), "policy")
    uncommented(str(tmp_path / ".auditor.yaml"))


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


def test_a_policy_above_is_named() -> None:
    Path(".auditor.yaml").write_text("version: 1\nallow: [DE]\n")
    Path("team").mkdir()
    os.chdir("team")
    assert "no longer counts here; extend it with `extends: [../.auditor.yaml]`" in init().stderr
