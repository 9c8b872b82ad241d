"""`auditor lag`: answers that can be worked out again from the shipped facts by hand."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auditor.catalog import Catalog
from auditor.cli import cli
from auditor.errors import AuditorError
from auditor.lagfacts import add_months, months_between, over
from auditor.lagrows import rows, stats

AS_OF = "2026-11-20"
FOLDER = Path(__file__).parent.parent / "provider_catalog" / "lag"


def run(*words: str) -> Result:
    done = CliRunner().invoke(cli, ["lag", *words, "--as-of", AS_OF], standalone_mode=False)
    if isinstance(done.exception, AuditorError):
        raise done.exception
    assert done.exception is None, done.exception
    return done


GOLDEN = [  # feature or type, exit, what the first line says, what it comes down to
    ("aws.sagemaker.cluster", 1, "2023-11-29   hashicorp/aws: none   open for 35 months 22 days", "DO NOT BUILD"),
    ("aws.datazone.domain-unit", 1, "API first public 2024-08-30   hashicorp/aws: none", "DO NOT BUILD"),
    ("aws.eks-zonal-shift", 0, "2024-10-21   hashicorp/aws 5.74.0 2024-10-31   lag 0 months 10 days", ">= 5.74.0"),
    ("aws.bedrockagentcore-memory", 0, "GA 2025-10-13   hashicorp/aws 6.18.0 2025-10-23   lag 0 months 10 days", ">= 6.18.0"),
    ("aws.ecs-managed-instances", 0, "API first public 2025-09-30   hashicorp/aws 6.15.0 2025-10-02", ">= 6.15.0"),
    ("aws.bedrock-ds-web-crawler", 0, "2024-07-10   hashicorp/aws 5.85.0 2025-02-04   lag 6 months 25 days", "5.85.0"),
    ("aws_s3vectors_index", 0, "API first public 2025-07-15   hashicorp/aws 6.24.0 2025-12-02   lag 4 months 17 days", "6.24.0"),
    ("aws.service.batch", 2, "lag unknown", "a whole service"),
    ("azure.app.agents", 1, "API first public 2026-03-30   hashicorp/azurerm: none   open for 7 months 21 days", "DO NOT BUILD"),
    ("azure.machinelearningservices.workspaces.onlineendpoints", 1, "API first public 2022-06-09", "DO NOT BUILD"),
    ("azure.vm-capacity-reservation", 0, "2021-08-09   hashicorp/azurerm 3.13.0 2022-07-08", "3.13.0"),
    ("azure.documentdb.garnetclusters", 2, "no date of the cloud   hashicorp/azurerm: none", "nobody can tell"),
    ("azurerm_cognitive_deployment", 0, "API first public 2021-12-10   hashicorp/azurerm 3.37.0 2022-12-21", "3.37.0"),
    ("gcp.managed-kafka-topic", 0, "GA 2024-11-12   hashicorp/google 6.12.0 2024-11-18   lag 0 months 6 days", "6.12.0"),
    ("gcp.tpu-spot", 1, "GA 2024-02-13   hashicorp/google-beta 6.25.0 2025-03-11   open for", "DO NOT BUILD"),
    ("gcp.vertex-ai-rag-corpus", 1, "API first public 2024-11-21   hashicorp/google: none", "DO NOT BUILD"),
    ("gcp.dataform-config", 1, "2025-03-10   hashicorp/google-beta 7.23.0 2026-03-10   open for", "DO NOT BUILD"),
    ("nebius.capacity-v1-capacity-allowance", 0, "2026-07-16   nebius/nebius 0.6.28 2026-07-16   lag 0 months 0 days", "0.6.28"),
    ("digitalocean.gradientai-agent", 1, "API first public 2026-01-12   digitalocean/digitalocean: none", "DO NOT BUILD"),
    ("aws_caller_identity", 0, "aws_caller_identity (data-source)   hashicorp/aws", "needs hashicorp/aws"),
]


@pytest.mark.parametrize(("name", "code", "first", "verdict"), GOLDEN, ids=[g[0] for g in GOLDEN])
def test_check(name: str, code: int, first: str, verdict: str) -> None:
    done = run("check", name)
    assert first in done.stdout
    assert verdict in done.stdout.splitlines()[-1]
    assert "sources: " in done.stdout
    assert done.return_value == code


def test_the_numbers_follow_from_the_files() -> None:
    """Plain JSON and calendar arithmetic, none of auditor's code."""
    shard = json.loads((FOLDER / "hashicorp__aws.json").read_text())
    feature = next(f for f in json.loads((FOLDER / "features" / "aws.json").read_text()) if f["id"] == "aws.s3vectors-index")
    version = shard["support"]["resource"]["aws_s3vectors_index"][0]
    assert (feature["starts"][0][1], version, shard["releases"][version][0]) == ("2025-07-15", "6.24.0", "2025-12-02")
    made = json.loads(run("show", "aws.s3vectors-index", "--format", "json").stdout)
    assert made["days"] == (date(2025, 12, 2) - date(2025, 7, 15)).days == 140
    assert (made["since"], made["supported_on"], made["version"]) == ("2025-07-15", "2025-12-02", "6.24.0")


def test_only_stated_dates_are_called_ga() -> None:
    listed = json.loads(run("list", "--format", "json").stdout)["features"]
    held = {f["id"]: f for p in (FOLDER / "features").glob("*.json") for f in json.loads(p.read_text())}
    for row in listed:
        kinds = {s[0]: s[1] for s in held[row["feature"]].get("starts", [])}
        if row["kind"] == "GA":
            assert row["since"] in {day for kind, day in kinds.items() if kind.startswith("ga")}


@pytest.mark.parametrize(
    ("option", "value", "code", "says"),
    [
        ("--constraint", "~> 6.0", 1, "TOO OLD: the constraint admits 6.0.0"),
        ("--constraint", "~> 6.24", 0, "supported: the constraint admits 6.24.0"),
        ("--constraint", "hashicorp/aws=>= 6.0", 1, "TOO OLD"),
        ("--constraint", "azure/azapi=~> 2.0", 0, "supported: needs"),
        ("--constraint", "= 99.0.0", 2, "nobody can tell"),
        ("--lock", "6.23.0", 1, "TOO OLD: locked 6.23.0, needs >= 6.24.0"),
        ("--lock", "6.24.0", 0, "supported: locked 6.24.0"),
        ("--lock", "", 2, "does not hold hashicorp/aws"),
    ],
)
def test_check_of_a_version(tmp_path: Path, option: str, value: str, code: int, says: str) -> None:
    if option == "--lock":
        block = f'provider "registry.terraform.io/hashicorp/aws" {{\n  version = "{value}"\n}}\n'
        (tmp_path / "lock.hcl").write_text(block if value else "")
        value = str(tmp_path / "lock.hcl")
    done = run("check", "aws_s3vectors_index", option, value)
    assert says in done.stdout
    assert done.return_value == code


def test_a_name_nobody_knows() -> None:
    with pytest.raises(AuditorError, match=r'did you mean "aws.sagemaker.cluster".*no proof that it is unsupported'):
        run("check", "aws.sagemaker.clusterx")


def test_list_filters_and_sorts() -> None:
    found = json.loads(run("list", "--cloud", "aws", "--status", "open", "--sort", "lag", "--format", "json").stdout)["features"]
    assert {f["status"] for f in found} == {"open"}
    assert {f["cloud"] for f in found} == {"aws"}
    assert [f["days"] for f in found] == sorted((f["days"] for f in found), reverse=True)
    young = json.loads(run("list", "--min-days", "1", "--max-days", "30", "--format", "json").stdout)["features"]
    assert young
    assert all(1 <= f["days"] <= 30 for f in young)


def test_formats_agree() -> None:
    made = json.loads(run("list", "--cloud", "nebius", "--format", "json").stdout)["features"]
    cells = list(csv.DictReader(io.StringIO(run("list", "--cloud", "nebius", "--format", "csv").stdout)))
    assert [c["feature"] for c in cells] == [f["feature"] for f in made]
    assert run("list", "--cloud", "nebius", "--format", "markdown").stdout.count("\n") == len(made) + 2


def test_the_page_stands_alone(tmp_path: Path) -> None:
    run("list", "--cloud", "gcp", "--format", "html", "--output", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert "default-src 'none'" in page
    assert "<svg" in page
    assert not any(mark in page for mark in ("src=", "href=", "@import", "url("))
    assert page.count("<tr>") > len(Catalog().features("gcp"))


def test_statistics_count_the_open_ones() -> None:
    when = date.fromisoformat(AS_OF)
    held = [r for r in rows(Catalog(), when, ["aws"]) if r.start is not None and r.start.date[:4] == "2024"]
    made = next(s for s in stats(held, when) if s.year == "2024")
    counted = [r for r in held if r.days is not None and r.sure and not (r.first and r.first.evidence == "at_most")]
    assert made.of == len(counted)
    assert made.open == sum(1 for r in counted if r.first is None) > 0
    soon = [r for r in counted if r.first is not None and r.days is not None and r.days <= 90]
    assert made.within == len(soon)
    days = sorted(r.days for r in counted if r.first is not None and r.days is not None)
    assert made.median == days[(len(days) + 1) // 2 - 1]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2025-11-30", 3, "2026-02-28"),
        ("2023-11-30", 3, "2024-02-29"),
        ("2026-03-31", 3, "2026-06-30"),
        ("2026-10-15", 3, "2027-01-15"),
    ],
)
def test_calendar_months_clamp(start: str, months: int, end: str) -> None:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    assert add_months(first, months) == last
    assert not over(first, last, months)
    assert over(first, date.fromordinal(last.toordinal() + 1), months)


def test_months_and_days() -> None:
    assert months_between(date(2026, 3, 2), date(2026, 11, 20)) == (8, 18)
    assert months_between(date(2026, 3, 2), date(2026, 3, 1)) == (0, 0)
