"""`# auditor:ignore RULE reason="..." until=DATE` in Terraform source, in a source scan and beside a plan alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import PLANS, Auditor

ALLOW = "version: 1\nallow: [EU]\n"
NOTE = '# auditor:ignore SOV001,SOV004 reason="CDN logs, DPO-114" until=2026-12-31'
PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'


def run(auditor: Auditor, tmp_path: Path, main: str, **modules: str) -> tuple[list[str], list[str], list[str]]:
    """(active SOV rules, waived SOV rules, META rules) of a root module."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text(PROVIDER + main)
    for name, text in modules.items():
        (root / name).mkdir()
        (root / name / "main.tf").write_text(text)
    report = auditor("check", str(root), "--rules", "SOV,META", policy=ALLOW).report
    rules = [f["rule"] for f in report["findings"]]
    waived = [w["finding"]["rule"] for w in report["waived"]]
    return [r for r in rules if r[:3] == "SOV"], waived, [r for r in rules if r[:4] == "META"]


BUCKET = 'resource "aws_s3_bucket" "b" {\n  region = "us-east-1"\n}\n'
TABLE = """resource "aws_dynamodb_table" "t" {
  replica {
    region_name = "us-east-1"%s
  }
%s
  replica {
    region_name = "us-west-2"
  }
}
"""
COVERED = {
    "above a block": f"{NOTE}\n{BUCKET}",
    "above a block, another comment between": f"{NOTE}\n# the bucket of the web site\n{BUCKET}",
    "on the line of a block": BUCKET.replace("{\n", "{ " + NOTE + "\n", 1),
    "above an attribute": BUCKET.replace("  region", f"  {NOTE}\n  region"),
    "on the line of an attribute": BUCKET.replace('"us-east-1"', f'"us-east-1" {NOTE}'),
    "with other comment signs": f"/* {NOTE[2:]} */\n{BUCKET.replace('b', 'b', 1)}",
    "above a block with instances": f"// {NOTE[2:]}\n{BUCKET.replace('{', '{' + chr(10) + '  count = 1', 1)}",
}


@pytest.mark.parametrize("main", COVERED.values(), ids=list(COVERED))
def test_covered(auditor: Auditor, tmp_path: Path, main: str) -> None:
    assert run(auditor, tmp_path, main) == ([], ["SOV001"], ["META008"])  # SOV004 of the comment matched nothing


@pytest.mark.parametrize(
    "main",
    [
        f"{NOTE}\n\n{BUCKET}",
        f"{BUCKET}{NOTE}\n",
        f'resource "aws_s3_bucket" "eu" {{\n  {NOTE}\n  bucket = "x"\n}}\n{BUCKET}',
        BUCKET.replace("{\n", '{\n  bucket = "' + NOTE.replace('"', "'") + '"\n', 1),
        BUCKET.replace("{\n", "{\n  tags = {\n    a = <<E\n" + NOTE + "\nE\n  }\n", 1),
    ],
    ids=["a blank line between", "below", "at another attribute", "in a string", "in a heredoc"],
)
def test_not_covered(auditor: Auditor, tmp_path: Path, main: str) -> None:
    active, waived, _ = run(auditor, tmp_path, main)
    assert (active, waived) == (["SOV001"], [])


def test_one_of_two_nested_blocks(auditor: Auditor, tmp_path: Path) -> None:
    active, waived, _ = run(auditor, tmp_path, TABLE % ("", f"  {NOTE}"))
    assert (active, waived) == (["SOV004"], ["SOV004"])


def test_above_a_module_call_and_at_its_argument(auditor: Auditor, tmp_path: Path) -> None:
    child = 'variable "r" {}\nresource "aws_s3_bucket" "b" {\n  region = var.r\n}\n'
    calls = f'{NOTE}\nmodule "a" {{\n  source = "./m"\n  r = "us-east-1"\n}}\nmodule "b" {{\n  source = "./m"\n  r = "us-west-2" {NOTE}\n}}\n'
    calls += 'module "c" {\n  source = "./m"\n  r = "us-west-2"\n}\n'
    active, waived, _ = run(auditor, tmp_path, calls, m=child)
    assert (active, waived) == (["SOV001"], ["SOV001", "SOV001"])


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("# auditor:ignore SOV001 until=2026-12-31", "no reason"),
        ('# auditor:ignore SOV001 reason="x"', "no until"),
        ('# auditor:ignore SOV0O1 reason="x" until=2026-12-31', 'unknown rule "SOV0O1"'),
        ('# auditor:ignore reason="x" until=2026-12-31', "names no rule"),
        ('# auditor:ignore SOV001 reason="x" until=soon', "not a date"),
        ('# auditor:ignore META002 reason="x" until=2026-12-31', "cannot be waived"),
        ('# auditor:ignore SOV003 reason="x" until=2029-12-31', "90 days"),
    ],
)
def test_a_malformed_waiver_ends_the_run(auditor: Auditor, tmp_path: Path, note: str, says: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "main.tf").write_text(f"{note}\n{BUCKET}")
    done = auditor("check", str(tmp_path / "root"), policy=ALLOW)
    assert done.code == 2
    assert says in done.err
    assert "main.tf:1" in done.err


def test_an_expired_one_covers_nothing(auditor: Auditor, tmp_path: Path) -> None:
    main = f"{NOTE.replace('2026-12-31', '2026-01-31')}\n{BUCKET}"
    active, waived, meta = run(auditor, tmp_path, main)
    assert (active, waived) == (["SOV001"], [])
    assert "META002" in meta


def test_a_comment_counts_beside_a_plan_too(auditor: Auditor, tmp_path: Path) -> None:
    case = PLANS / "a-eu-alias"
    shutil.copytree(case, tmp_path / "a")
    file = tmp_path / "a" / "main.tf"
    file.write_text(file.read_text().replace('    region_name = "us-west-2"', f'    region_name = "us-west-2" {NOTE}'))
    plan = str(tmp_path / "a" / "plan.json")
    report = auditor("check", plan, "--hcl-dir", str(tmp_path / "a"), "--rules", "SOV", policy=ALLOW).report
    assert [w["finding"]["path"] for w in report["waived"]] == ["replica[1].region_name"]
    assert report["waived"][0]["waiver"]["source"].endswith("main.tf:70")


def test_a_downloaded_module_waives_nothing(auditor: Auditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    inner = root / ".terraform" / "modules" / "a"
    inner.mkdir(parents=True)
    (root / "main.tf").write_text(PROVIDER + 'module "a" {\n  source = "acme/a/aws"\n}\n')
    (inner.parent / "modules.json").write_text('{"Modules":[{"Key":"a","Dir":".terraform/modules/a"}]}')
    (inner / "main.tf").write_text(f"{NOTE}\n{BUCKET}")
    assert auditor("check", str(root), "--rules", "SOV", policy=ALLOW).report["waived"] == []


def test_in_json_syntax_a_comment_property_counts(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    note = NOTE[2:].replace('"', '\\"')
    text = '{"resource": {"aws_s3_bucket": {"b": {\n  "//": "' + note + '",\n  "region": "us-east-1"\n}}}}'
    (tmp_path / "root" / "main.tf.json").write_text(text)
    report = auditor("check", str(tmp_path / "root"), "--rules", "SOV", policy=ALLOW).report
    assert [w["finding"]["rule"] for w in report["waived"]] == ["SOV001"]
