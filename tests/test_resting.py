"""State backends of a source tree (SOV009) and volumes that outlive a GPU node (SOV014)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.catalog import Catalog
from auditor.checks.resting import Resting, state_outcomes, volume_outcomes
from auditor.load.hcl.folders import Disk
from auditor.load.hcl.modules import read_tree
from auditor.load.plan import load
from auditor.model import Job, Outcome, Plan
from auditor.places import compile_allow
from auditor.policytest import to_plan
from auditor.resolve.backends import backend_locations
from auditor.resolve.references import References
from auditor.resolve.stores import mentioned, volumes

CATALOG = Catalog()
EU = (("", compile_allow(["EU"], [], CATALOG.index, "2026-11-20")),)


def judged(source: str, folder: Path) -> list[Outcome]:
    (folder / "main.tf").write_text(source, encoding="utf-8")
    return list(state_outcomes(backend_locations(read_tree(Disk(folder, "")), CATALOG), EU, regulated=False))


S3 = 'terraform {{\n  backend "s3" {{\n    bucket = "b"\n    {}\n  }}\n}}\n'


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        (S3.format('region = "us-east-1"'), "fail", "us-east-1 (US)"),
        (S3.format('region = "eu-central-1"'), "pass", ""),
        (S3.format(""), "open", "partial configuration"),
        (S3.format("region = var.r"), "open", "not a constant"),
        (S3.format('region = "eu-utopia-1"'), "open", "not a place in the catalogue"),
        (S3.format('region = "fr-par"\n    endpoints = { s3 = "https://s3.example.org" }'), "open", "server of its own"),
        ('terraform {\n  backend "azurerm" {}\n}\n', "open", "not in the block"),
        ('terraform {\n  backend "gcs" {\n    bucket = "b"\n  }\n}\n', "open", "not in the block"),
        ('terraform {\n  backend "oss" {\n    region = "eu-central-1"\n  }\n}\n', "pass", ""),
        ('terraform {\n  backend "oss" {\n    region = "eu-west-1"\n  }\n}\n', "fail", "(GB)"),
        ('terraform {\n  backend "novel" {}\n}\n', "open", "not in the catalogue"),
        ("terraform {\n  cloud {\n    organization = \"o\"\n  }\n}\n", "open", "HCP Terraform"),
        ('terraform {\n  backend "local" {}\n}\n', "pass", ""),
        ("terraform {}\n", "pass", ""),
    ],
)  # fmt: skip
def test_state(source: str, kind: str, says: str, tmp_path: Path) -> None:
    found = judged(source, tmp_path)
    assert [o.kind for o in found] == ([] if kind == "pass" else [kind])
    for outcome in found:
        assert (outcome.rule, outcome.address) == ("SOV009", "terraform.backend")
        assert says in outcome.message
        assert outcome.evidence[0].file.endswith("main.tf")
        assert outcome.evidence[0].line == 2


# --- volumes -----------------------------------------------------------------------------------------


def plan_of(fragment: dict[str, Any], folder: Path) -> Plan:
    (folder / "plan.json").write_text(json.dumps(to_plan(fragment)), encoding="utf-8")
    return load(str(folder / "plan.json"), bytes)[0]


def job(name: str, cloud: str = "aws", gpus: int = 8) -> Job:
    return Job(
        name, cloud, (name,), "training", "", 1, 1, gpus, gpus, ("p5.48xlarge",), ("H100",), "efa", "on", (), 1, (),
    )  # fmt: skip


def kept(fragment: dict[str, Any], jobs: list[Job], folder: Path, regulated: bool = True) -> list[tuple[str, str, str]]:
    plan = plan_of(fragment, folder)
    refs = References(plan)
    context = Resting(
        ("nebius",), (), tuple(volumes(plan, CATALOG.volumes, refs)), {j.name: mentioned(j.name, refs) for j in jobs},
        regulated=regulated,
    )  # fmt: skip
    return [(o.kind, o.address, o.path) for o in volume_outcomes(jobs, context)]


NODE = {
    "providers": {"aws": {"region": "eu-central-1"}},
    "resources": [
        {"address": "aws_instance.gpu", "values": {"ebs_block_device": [
            {"delete_on_termination": True}, {"delete_on_termination": False}, {"volume_size": 9}]}},
        {"address": "aws_volume_attachment.a", "unknown": {"instance_id": True},
         "expressions": {"instance_id": {"references": ["aws_instance.gpu.id", "aws_instance.gpu"]}}},
        {"address": "aws_volume_attachment.b", "unknown": {"instance_id": True},
         "expressions": {"instance_id": {"references": ["aws_instance.web.id", "aws_instance.web"]}}},
    ],
}  # fmt: skip


def test_volume_that_survives_a_gpu_node(tmp_path: Path) -> None:
    assert kept(NODE, [job("aws_instance.gpu")], tmp_path) == [
        ("fail", "aws_instance.gpu", "ebs_block_device[1].delete_on_termination"),
        ("fail", "aws_volume_attachment.a", "instance_id"),
    ]


def test_no_gpu_no_spoke_no_finding(tmp_path: Path) -> None:
    assert kept(NODE, [job("aws_instance.gpu", gpus=0)], tmp_path) == []
    assert kept(NODE, [job("aws_instance.gpu")], tmp_path, regulated=False) == []
    assert kept(NODE, [job("aws_instance.gpu", "nebius")], tmp_path, regulated=False) != []


def test_template_of_a_fleet_and_a_flag_known_after_apply(tmp_path: Path) -> None:
    fleet = {
        "providers": {"aws": {"region": "eu-central-1"}},
        "resources": [
            {"address": "aws_launch_template.t", "values": {"block_device_mappings": [{"ebs": [{}]}]},
             "unknown": {"block_device_mappings": [{"ebs": [{"delete_on_termination": True}]}]}},
            {"address": "aws_autoscaling_group.g", "values": {"max_size": 4},
             "expressions": {"launch_template": [{"id": {"references": ["aws_launch_template.t.id", "aws_launch_template.t"]}}]}},
        ],
    }  # fmt: skip
    path = "block_device_mappings[0].ebs[0].delete_on_termination"
    assert kept(fleet, [job("aws_autoscaling_group.g")], tmp_path) == [("open", "aws_launch_template.t", path)]
