"""What a finding says to change: a value of the catalogue that would pass, or the thing to point at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.catalog import Catalog
from auditor.cli.common import known_rules
from auditor.policytest import Case, _audit

AWS = {"aws": {"region": "eu-central-1"}, "aws.us": {"region": "us-east-1"}}
RG = {"address": "azurerm_resource_group.rg", "values": {"location": "westeurope"}}


@pytest.mark.parametrize(
    ("allow", "plan", "wanted"),
    [
        (
            ["EU"],
            {"providers": {"aws": {"region": "us-east-1"}}, "resources": [{"address": "aws_sqs_queue.q", "values": {}}]},
            "Use a provider whose region is allowed, such as eu-central-1.",
        ),
        (
            ["EU"],
            {"providers": AWS, "resources": [
                {"address": "aws_sqs_queue.q", "values": {"region": "eu-north-1"}},
                {"address": "aws_s3_bucket.b", "values": {"region": "us-east-1"}},
            ]},
            'Set region = "eu-north-1" or use a provider of that region.',
        ),
        (
            ["EU"],
            {"providers": {"google": {}}, "resources": [
                {"address": "google_compute_disk.d", "values": {"zone": "us-central1-a"}},
            ]},
            "Set zone to a zone of an allowed region, such as europe-central2.",
        ),
        (
            ["NL"],
            {"providers": {"azurerm": {}}, "resources": [
                {"address": "azurerm_storage_account.s", "values": {
                    "location": "westeurope", "account_replication_type": "GRS"}},
            ]},
            'Set account_replication_type = "LRS" or "ZRS": that stays in the region.',
        ),
        (
            ["IE"],
            {"providers": {"azurerm": {}}, "resources": [RG]},
            'Set location = "northeurope".',
        ),
        (
            ["DE"],
            {"providers": {"azurerm": {}}, "resources": [RG]},
            'Set location = "germanywestcentral".',
        ),
        (
            ["azure:germanynorth"],
            {"providers": {"azurerm": {}}, "resources": [RG]},
            'Set location = "germanynorth".',
        ),
        (
            ["DE", "IE"],
            {"providers": {"aws": {"region": "eu-central-1"}}, "resources": [
                {"address": "aws_dynamodb_table.t", "values": {"replica": [{"region_name": "us-east-1"}]}},
            ]},
            'Set replica[0].region_name = "eu-west-1", or remove the copy.',
        ),
        (
            ["aws:eu-central-1"],
            {"providers": {"aws": {"region": "eu-central-1"}}, "resources": [
                {"address": "aws_dynamodb_table.t", "values": {"replica": [{"region_name": "us-east-1"}]}},
            ]},
            "Change replica[0].region_name to an allowed place, or remove the copy.",
        ),
    ],
    ids=[
        "provider", "a place the plan uses", "zone", "stays", "the only one", "none that opens on request only",
        "unless it is the only one", "a copy elsewhere", "no place for a copy",
    ],
)  # fmt: skip
def test_remedy(tmp_path: Path, allow: list[str], plan: dict[str, Any], wanted: str) -> None:
    case = Case("remedy", "", tmp_path, {"policy": {"allow": allow}, "rules": ["SOV"], "plan": plan})
    findings, _ = _audit(case, Catalog(), known_rules(), tmp_path)
    assert [f.remediation for f in findings] == [wanted]
