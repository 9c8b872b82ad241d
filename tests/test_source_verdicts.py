"""What a plan's own source settles: plan JSON keeps of an expression only the names that it mentions."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import PLANS, Auditor
from test_source_lines import report_of, zipped

from auditor.load.archive import Archive
from auditor.load.folder import load_folder
from auditor.load.hcl.inputs import SourceOptions
from auditor.load.plan import load
from auditor.load.source import with_source
from auditor.model import Plan

CASE = PLANS / "source-decides"
FLEET = "aws_autoscaling_group.train_%s"


def planned() -> list[Plan]:
    return load(str(CASE / "plan.json"), bytes)


def verdicts(plans: list[Plan], tmp_path: Path) -> dict[str, str]:
    """Rule and kind by address, of the rules that depend on the reading of an expression."""
    found = report_of(plans, tmp_path).findings
    return {f.address: f"{f.rule} {f.kind}" for f in found if f.rule in ("SOV001", "SOV002", "SOV003", "PLC001")}


BY_SOURCE = {
    FLEET % "all": "PLC001 fail",
    FLEET % "unknown": "PLC001 open",  # its `for` drops some of the subnets: which, nobody knows before apply
    "aws_s3_bucket.cond": "SOV001 fail",
    "aws_s3_bucket.map": "SOV001 fail",
    "aws_s3_bucket.hidden": "SOV001 fail",
}
OPEN_WORKSPACE = {"aws_s3_bucket.ws": "SOV002 open"}


def test_a_folder_decides_but_for_the_workspace(tmp_path: Path) -> None:
    assert verdicts(with_source(planned(), CASE), tmp_path) == BY_SOURCE | OPEN_WORKSPACE


def test_a_named_workspace_decides(tmp_path: Path) -> None:
    plans = with_source(planned(), CASE, workspace="prod")
    assert verdicts(plans, tmp_path) == BY_SOURCE | {"aws_s3_bucket.ws": "SOV001 fail"}


def test_a_binary_plan_knows_its_workspace(tmp_path: Path) -> None:
    assert verdicts(with_source(planned(), None, CASE / "tfplan", workspace="prod"), tmp_path) == BY_SOURCE


def test_a_source_scan_reads_the_same(tmp_path: Path) -> None:
    assert verdicts([load_folder(CASE, SourceOptions())], tmp_path) == BY_SOURCE | OPEN_WORKSPACE


def test_without_source_the_names_stand_for_all_they_mention(tmp_path: Path) -> None:
    found = verdicts(planned(), tmp_path)
    assert found[FLEET % "element"] == "PLC001 fail"
    assert found["aws_s3_bucket.map"] == "SOV002 open"


def test_the_evidence_says_where_it_was_read(tmp_path: Path) -> None:
    findings = report_of(with_source(planned(), CASE), tmp_path).findings
    found = next(f for f in findings if f.rule == "SOV001" and f.address == "aws_s3_bucket.cond")
    line = (CASE / "main.tf").read_text().splitlines().index('  region = var.r == "x" ? "eu-central-1" : "us-east-1"') + 1
    read = [(Path(e.file).name, e.line) for e in found.evidence if e.what == "region as its source has it"]
    assert read == [("main.tf", line)]


def test_what_is_sensitive_is_judged_and_never_shown(tmp_path: Path) -> None:
    report = report_of(with_source(planned(), CASE), tmp_path)
    hidden = [f for f in report.findings if f.address == "aws_s3_bucket.hidden"]
    assert [f.observed for f in hidden if f.rule == "SOV001"] == ["(sensitive)"]
    assert "us-west-2" not in str(hidden)


@pytest.mark.parametrize(
    ("was", "now", "address"),
    [
        ('region = var.r == "x" ? "eu-central-1" : "us-east-1"', 'region = var.env == "x" ? "eu-central-1" : "us-east-1"', ""),
        ("element(aws_subnet.x[*].id, 0)", "aws_vpc.v.id", FLEET % "element"),
    ],
)
def test_source_that_the_plan_was_not_made_from_decides_nothing(tmp_path: Path, was: str, now: str, address: str) -> None:
    other = tmp_path / "other"
    shutil.copytree(CASE, other, ignore=shutil.ignore_patterns("*.json", "tfplan"))
    text = (other / "main.tf").read_text()
    assert was in text
    (other / "main.tf").write_text(text.replace(was, now))
    found = verdicts(with_source(planned(), other), tmp_path)
    assert found.get("aws_s3_bucket.cond") == (None if not address else "SOV001 fail")
    assert found.get(FLEET % "element") == ("PLC001 fail" if address else None)


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\x6b", b"\x6a\x7f", b"\x0f\x00"])
def test_bytes_that_are_no_plan_name_no_workspace(data: bytes) -> None:
    assert Archive("tfplan", zipped({"tfplan": data})).workspace == ""


UNKNOWN_BLOCKS = PLANS / "unknown-blocks"  # `dynamic` blocks over a value known only after apply
OPEN_COPIES = {
    "aws_dynamodb_table.dyn": "SOV004 open",
    "aws_ecr_replication_configuration.r": "SOV004 open",
    "azurerm_container_registry.dyn": "SOV004 open",
}


def _unknown_blocks(plans: list[Plan], tmp_path: Path) -> dict[str, str]:
    found = report_of(plans, tmp_path).findings
    return {f.address: f"{f.rule} {f.kind}" for f in found if f.rule[:3] in ("SOV", "NET")}


def test_a_block_unknown_as_a_whole_was_written_unless_the_provider_fills_it_in(tmp_path: Path) -> None:
    """A plan keeps nothing else of it. What the provider fills in (a secret's replicas) may be unset as well."""
    plans = load(str(UNKNOWN_BLOCKS / "plan.json"), bytes)
    assert _unknown_blocks(plans, tmp_path) == OPEN_COPIES | {"aws_autoscaling_group.train": "NET004 open"}


def test_source_tells_unknown_blocks_that_the_provider_fills_in_otherwise(tmp_path: Path) -> None:
    plans = with_source(load(str(UNKNOWN_BLOCKS / "plan.json"), bytes), UNKNOWN_BLOCKS)
    secret = {"aws_secretsmanager_secret.dyn": "SOV004 open"}
    assert _unknown_blocks(plans, tmp_path) == OPEN_COPIES | secret | {"aws_autoscaling_group.train": "NET002 fail"}


def test_an_ephemeral_variable_is_open_whatever_its_default(tmp_path: Path) -> None:
    case = PLANS / "ephemeral-region"
    with_values = load(str(case / "plan.json"), bytes)
    found = verdicts(with_source(with_values, case), tmp_path)
    assert found == {
        "aws_sqs_queue.where": "SOV002 open",
        "module.m.aws_sqs_queue.inner": "SOV002 open",
        "aws_sqs_queue.plain": "SOV001 fail",
    }


HIDDEN_PARENTS = PLANS / "gcp-hidden-parents"  # parents behind a local, `dynamic` blocks that may make none
WITHOUT_POLICY = {
    "module.none.google_pubsub_topic.t": "SOV005 fail",  # its `dynamic` block makes none: any region
    "module.later.google_pubsub_topic.t": "SOV002 open",
    "module.abroad.google_kms_key_ring.k[0]": "SOV001 fail",
    'google_pubsub_topic.each["none"]': "SOV005 fail",
    'google_pubsub_topic.each["later"]': "SOV002 open",
}


def test_source_tells_parents_behind_a_local_and_dynamic_blocks_that_make_none(tmp_path: Path) -> None:
    plans = load(str(HIDDEN_PARENTS / "plan.json"), bytes)
    keys = {f"module.{m}.google_kms_crypto_key.k": "SOV002 open" for m in ("none", "some", "later", "abroad")}
    assert _unknown_blocks(plans, tmp_path) == WITHOUT_POLICY | keys
    plans = with_source(load(str(HIDDEN_PARENTS / "plan.json"), bytes), HIDDEN_PARENTS)
    assert _unknown_blocks(plans, tmp_path) == WITHOUT_POLICY | {"module.abroad.google_kms_crypto_key.k": "SOV001 fail"}


def test_source_tells_what_is_written_as_null_for_every_instance(tmp_path: Path) -> None:
    """A reservation that a local may name is not taken for the one in the plan; source tells that none is named."""
    case = PLANS / "oci-nulls-in-source"
    held = "oci_core_cluster_network.reserved CAP003 fail"

    def capacity(plans: list[Plan]) -> set[str]:
        found = report_of(plans, tmp_path).findings
        return {f"{f.address} {f.rule} {f.kind}" for f in found if f.rule in ("CAP003", "PLC010")}

    plans = load(str(case / "plan.json"), bytes)
    assert capacity(plans) == {held, "oci_core_cluster_network.on_demand PLC010 open"}
    assert capacity(with_source(plans, case)) == {held, "oci_core_cluster_network.on_demand PLC010 fail"}


TRIED_PARENTS = PLANS / "azure-tried-parents"  # accounts of which one of two is made: `try(a[0].id, b[0].id)`


def test_what_is_tried_first_is_taken_where_it_is_there(tmp_path: Path) -> None:
    deployments = {f"module.{m}.azapi_resource.this" for m in ("one", 'each["x"]', 'each["y"]')}
    found = report_of(load(str(TRIED_PARENTS / "plan.json"), bytes), tmp_path).findings
    assert {f.address for f in found if f.kind == "open" and f.rule in ("SOV002", "SOV006")} == deployments
    plans = with_source(load(str(TRIED_PARENTS / "plan.json"), bytes), TRIED_PARENTS)
    assert [f.address for f in report_of(plans, tmp_path).findings if f.rule.startswith("SOV")] == []


def test_what_is_tried_first_takes_its_place_abroad_along(tmp_path: Path) -> None:
    shutil.copytree(TRIED_PARENTS, tmp_path / "us")
    for name in ("plan.json", "main.tf"):
        file = tmp_path / "us" / name
        file.write_text(file.read_text().replace("swedencentral", "eastus2"))
    plans = with_source(load(str(tmp_path / "us" / "plan.json"), bytes), tmp_path / "us")
    found = {(f.rule, f.kind) for f in report_of(plans, tmp_path).findings if f.address.startswith("module.")}
    assert ("SOV006", "fail") in found
    assert not any(kind == "open" for rule, kind in found if rule.startswith("SOV"))


IN_DYNAMIC = PLANS / "s-copies-in-dynamic"  # destinations in `dynamic` blocks, and behind locals, instance by instance
ABROAD = {
    "aws_s3_bucket.us",
    'aws_s3_bucket_inventory.dynamic["there"]',
    'aws_s3_bucket_inventory.local["there"]',
    "module.there.aws_s3_bucket_analytics_configuration.a",
    "module.there.aws_s3_bucket_replication_configuration.r[0]",
    "module.there.aws_s3_bucket_replication_configuration.unknown[0]",
}


@pytest.mark.parametrize("way", ["plan", "plan and source", "source scan"])
def test_source_tells_where_dynamic_blocks_copy_to(tmp_path: Path, way: str) -> None:
    plans = load(str(IN_DYNAMIC) if way == "source scan" else str(IN_DYNAMIC / "plan.json"), bytes)
    if way == "plan and source":
        plans = with_source(plans, IN_DYNAMIC)
    found = [f for f in report_of(plans, tmp_path).findings if f.rule.startswith("SOV")]
    fails, opens = {f.address for f in found if f.kind == "fail"}, {f.address for f in found if f.kind == "open"}
    if way == "plan":
        assert fails == {"aws_s3_bucket.us"}
        assert ABROAD - fails < opens
    else:
        assert (fails, opens) == (ABROAD, {"aws_s3_bucket_replication_configuration.outside"})
        assert [f.path for f in found if f.address.endswith("outside")] == ["rule[0].destination[0].bucket"]
        assert [f.path for f in found if f.address.endswith("r[0]")] == ["rule[1].destination[0].bucket"]


@pytest.mark.parametrize("command", ["dump", "jobs", "gates"])
def test_what_was_understood_is_shown_with_the_source_too(auditor: Auditor, command: str) -> None:
    plan = str(IN_DYNAMIC / "plan.json")
    alone, beside = (auditor(command, plan, *more) for more in ((), ("--hcl-dir", str(IN_DYNAMIC))))
    assert alone.code == beside.code
    assert (alone.out.count(" ?  ") > beside.out.count(" ?  ")) is (command == "dump")
    assert auditor(command, plan, "--hcl-dir", "nowhere").code == 2


SUBNETS = PLANS / "j-subnets-per-instance"  # behind a local, and one of all beside all of them
ONE, ALL = ("eu-central-1a",), ("eu-central-1a", "eu-central-1b", "eu-central-1c")


@pytest.mark.parametrize("way", ["plan", "plan and source", "source scan"])
def test_source_tells_the_subnets_of_each_fleet(tmp_path: Path, way: str) -> None:
    plans = load(str(SUBNETS) if way == "source scan" else str(SUBNETS / "plan.json"), bytes)
    if way == "plan and source":
        plans = with_source(plans, SUBNETS)
    found = {j.name: (j.nodes_max, j.zones, j.zones_max) for j in report_of(plans, tmp_path).jobs}
    if way == "plan":
        assert found == {"aws_autoscaling_group.g": (4, (), None), "aws_autoscaling_group.h": (2, (), None)}
    else:
        assert found == {
            'aws_autoscaling_group.g["one"]': (2, ONE, 1),
            'aws_autoscaling_group.g["all"]': (2, ALL, 3),
            "aws_autoscaling_group.h": (2, ALL, 3),
        }
