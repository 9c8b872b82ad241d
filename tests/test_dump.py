"""`auditor dump` and `auditor regions`: what was understood, and what a policy expands to."""

from __future__ import annotations

import json

from conftest import PLANS, Auditor


def test_dump_prints_every_location(auditor: Auditor) -> None:
    plan = str(PLANS / "s-copies-aws" / "plan.json")
    run = auditor("dump", plan)
    assert run.code == 0
    lines = [line.split() for line in run.out.splitlines()]
    assert lines[0] == ["ADDRESS", "ROLE", "PATH", "VALUE", "COUNTRIES", "SOURCE"]
    assert ["aws_dynamodb_table.sessions", "home", "region", "eu-central-1", "DE", "attribute"] in lines
    assert ["aws_dynamodb_table.sessions", "replica", "replica[1].region_name", "us-east-1", "US", "attribute"] in lines
    held = json.loads(auditor("dump", plan, "--format", "json").out)
    assert len(held["locations"]) == len(lines) - 2
    assert {"address", "role", "value", "countries", "source"} <= set(held["locations"][0])


def test_dump_says_what_was_assumed_and_what_is_open(auditor: Auditor) -> None:
    plan = str(PLANS / "s-oci-nebius" / "plan.json")
    assert "oci_core_vcn.env" in auditor("dump", plan).out
    run = auditor("dump", plan, "--assume", "oci.region=eu-madrid-1")
    assert "assumed: oci.region = eu-madrid-1" in run.out
    assert any(line.split()[-2:] == ["ES", "assumed"] for line in run.out.splitlines())


def test_dump_withholds_sensitive_places(auditor: Auditor) -> None:
    run = auditor("dump", str(PLANS / "g-unknown-sensitive" / "plan.json"))
    assert "(sensitive)" in run.out
    assert "hunter2" not in run.out


def test_regions_counts_per_cloud_and_role(auditor: Auditor) -> None:
    run = auditor("regions", policy='version: 1\nallow: {home: [DE], backup: ["NO"]}\n')
    assert "allow home: DE" in run.out
    assert "allow backup: NO" in run.out
    assert "eu-central-1 (DE)" in run.out
    assert "norwayeast (NO)" in run.out
    assert "us-east-1" not in run.out
    assert "regions of" in run.out
