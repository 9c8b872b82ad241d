"""Adopting on a dirty estate: the baseline file, `--baseline`, `--new-only`, and waivers written into YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from auditor.cli import cli
from auditor.documents import load_schema, read_yaml
from auditor.errors import AuditorError, PolicyError
from auditor.policytest import to_plan
from auditor.yamledit import add_waiver

AS_OF = ("--as-of", "2026-11-20")
POLICY = "version: 1\nallow: [EU]\n"
Bucket = dict[str, Any]


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A folder with a policy; call it to write a plan of resources."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".auditor.yaml").write_text(POLICY)
    lock = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.58.0"\n}\n'
    (tmp_path / ".terraform.lock.hcl").write_text(lock)

    def plan(name: str, *resources: Bucket) -> Path:
        (tmp_path / name).write_text(json.dumps(to_plan({"resources": resources})))
        return tmp_path / name

    return plan


def bucket(address: str, region: str = "us-east-1", **more: Any) -> Bucket:
    return {"address": f"aws_s3_bucket.{address}", "values": {"region": region}, **more}


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words, *AS_OF], standalone_mode=False)


def check(*words: str) -> dict[str, Any]:
    done = run("check", *words, "--format", "json")
    assert done.exception is None, done.exception
    return json.loads(done.stdout)


def baseline(plan: str) -> None:
    Path("base.json").write_text(run("baseline", plan).stdout)


def test_unchanged_findings_do_not_count(estate: Callable[..., Path]) -> None:
    estate("plan.json", bucket("a"), bucket("b"))
    baseline("plan.json")
    jsonschema.validate(json.loads(Path("base.json").read_text()), load_schema("baseline"))
    report = check("plan.json", "--baseline", "base.json")
    assert report["verdict"] == "pass"
    assert report["findings"] == []
    assert report["baseline"] == {"source": "base.json", "new": 0, "fixed": 0, "unchanged": 2}
    assert [f["address"] for f in report["unchanged"]] == ["aws_s3_bucket.a", "aws_s3_bucket.b"]
    assert run("check", "plan.json", "--baseline", "base.json").return_value == 0
    assert run("check", "plan.json").return_value == 1


def test_new_only_hides_them(estate: Callable[..., Path]) -> None:
    estate("plan.json", bucket("a"), bucket("b"), bucket("c"))
    done = run("check", "plan.json", "--new-only", "plan.json")
    assert "3 unchanged findings hidden, 0 new" in done.stdout
    assert "aws_s3_bucket.a" not in done.stdout
    assert done.return_value == 0
    Path("report.json").write_text(run("check", "plan.json", "--format", "json").stdout)
    assert check("plan.json", "--new-only", "report.json")["baseline"]["unchanged"] == 3


@pytest.mark.parametrize(
    ("base", "head", "new", "fixed"),
    [
        ([bucket('a["x"]')], [bucket('a["x"]'), bucket('a["b"]')], ['aws_s3_bucket.a["b"]'], 0),
        ([bucket("a[0]"), bucket("a[1]")], [bucket("a[1]"), bucket("a[2]")], [], 0),
        ([bucket("a")], [bucket("a", "us-west-2")], ["aws_s3_bucket.a"], 1),
        ([bucket("a")], [bucket("z", previous_address="aws_s3_bucket.a")], [], 0),
        ([bucket("a")], [bucket("z")], ["aws_s3_bucket.z"], 1),
        ([bucket("a")], [bucket("a", "eu-central-1")], [], 1),
        ([bucket("a")], [{"address": "aws_s3_bucket.a", "values": {}, "unknown": {"region": True}}], ["aws_s3_bucket.a"], 1),
    ],
    ids=["one instance more", "renumbered", "another value", "moved", "renamed", "fixed", "fail became open"],
)
def test_what_is_new(
    estate: Callable[..., Path], base: list[Bucket], head: list[Bucket], new: list[str], fixed: int
) -> None:
    estate("base-plan.json", *base)
    estate("plan.json", *head)
    baseline("base-plan.json")
    report = check("plan.json", "--baseline", "base.json")
    assert [f["address"] for f in report["findings"]] == new
    assert report["baseline"]["fixed"] == fixed
    assert report["baseline"]["new"] == len(new)


def test_meta_and_sov008_are_never_baselined(estate: Callable[..., Path]) -> None:
    Path(".auditor.yaml").write_text(POLICY + "workload: {regulated: true}\n")
    path = estate("plan.json", {"address": "aws_sqs_queue.q", "values": {}, "unknown": {"region": True}})
    path.write_text(json.dumps({**json.loads(path.read_text()), "errored": True}))
    baseline("plan.json")
    assert {f["rule"] for f in json.loads(Path("base.json").read_text())["findings"]} == {"SOV002"}
    report = check("plan.json", "--baseline", "base.json")
    assert {f["rule"] for f in report["findings"]} == {"META006", "SOV008"}


def test_the_baseline_of_a_policy_is_read_from_its_folder(estate: Callable[..., Path]) -> None:
    estate("plan.json", bucket("a"))
    baseline("plan.json")
    Path(".auditor.yaml").write_text(POLICY + "baseline: base.json\n")
    assert check("plan.json")["baseline"]["unchanged"] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "auditor-baseline/2"}', '{"format_version": "1.2"}'])
def test_a_damaged_baseline_is_an_error(estate: Callable[..., Path], text: str) -> None:
    estate("plan.json", bucket("a"))
    Path("base.json").write_text(text)
    assert isinstance(run("check", "plan.json", "--baseline", "base.json").exception, AuditorError)
    assert isinstance(run("check", "plan.json", "--baseline", "missing.json").exception, AuditorError)


# --- waive ----------------------------------------------------------------------------------------

ENTRY = {"rule": "SOV001", "address": 'aws_s3_bucket.a["x"]', "reason": "logs: no #personal data", "expires": "2027-01-31"}
ITEM = """  - rule: SOV001
    address: "aws_s3_bucket.a[\\"x\\"]"
    reason: "logs: no #personal data"
    expires: 2027-01-31
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: 1 # v\nallow: [EU]", "version: 1 # v\nallow: [EU]\n\nwaivers:\n" + ITEM),
        ("version: 1\nwaivers: [] # none yet\nallow: [EU]\n", "version: 1\nwaivers:  # none yet\n" + ITEM + "allow: [EU]\n"),
        (
            "version: 1\nwaivers:\n  # the old one\n  - {rule: SOV002, address: b, reason: c, expires: 2027-01-01}\n\n"
            "# places\nallow: [EU]\n",
            "version: 1\nwaivers:\n  # the old one\n  - {rule: SOV002, address: b, reason: c, expires: 2027-01-01}\n"
            + ITEM + "\n# places\nallow: [EU]\n",
        ),
        (
            "waivers:\n- rule: SOV002\n  address: b\n  reason: >-\n    two\n    lines\n  expires: 2027-01-01\nversion: 1\n",
            "waivers:\n- rule: SOV002\n  address: b\n  reason: >-\n    two\n    lines\n  expires: 2027-01-01\n"
            + "".join(line[2:] + "\n" for line in ITEM.splitlines()) + "version: 1\n",
        ),
        ("version: 1\r\nwaivers:\r\n", "version: 1\r\nwaivers:\r\n" + ITEM.replace("\n", "\r\n")),
    ],
    ids=["no key", "empty list", "block list, comment after", "items at the margin", "CRLF"],
)  # fmt: skip
def test_a_waiver_is_written_in_place(before: str, after: str) -> None:
    assert add_waiver(before, "p.yaml", ENTRY) == after


@pytest.mark.parametrize("text", ["{version: 1}", "version: 1\nwaivers: [{rule: SOV002, address: b, reason: c, expires: x}]\n"])
def test_what_cannot_be_edited_is_left_alone(text: str) -> None:
    with pytest.raises(PolicyError, match="add by hand"):
        add_waiver(text, "p.yaml", ENTRY)
    assert read_yaml(text, "p.yaml").value["version"] == 1


def test_waive_then_check(estate: Callable[..., Path]) -> None:
    estate("plan.json", bucket("a"))
    args = ("--reason", "CDN logs", "--owner", "platform")
    assert run("waive", "SOV001", "aws_s3_bucket.a", "--expires", "2027-01-31", *args).return_value == 0
    assert Path(".auditor.yaml").read_text().startswith(POLICY)
    assert check("plan.json")["waived"][0]["waiver"] == {
        "reason": "CDN logs", "expires": "2027-01-31", "source": ".auditor.yaml:5", "owner": "platform",
    }  # fmt: skip
    held = Path(".auditor.yaml").read_text()
    for rule, end in (("SOV003", "2027-02-19"), ("META006", "2027-01-01"), ("SOV999", "2027-01-01"), ("SOV001", "2026-11-19")):
        assert run("waive", rule, "x", "--expires", end, *args).exception is not None
    assert Path(".auditor.yaml").read_text() == held


def test_waive_goes_into_the_waiver_file(estate: Callable[..., Path]) -> None:
    Path(".auditor.yaml").write_text(POLICY + "waiver_files: [w.yaml]\n")
    estate("plan.json", bucket("a"))
    assert run("waive", "SOV001", "*", "--expires", "2027-01-31", "--reason", "r").return_value == 0
    assert read_yaml(Path("w.yaml").read_text(), "w.yaml").value["waivers"][0]["rule"] == "SOV001"
    assert check("plan.json")["summary"]["waived"] == 1


def test_waive_knows_rules_of_your_own(estate: Callable[..., Path]) -> None:
    own = "id: ACME001\ntitle: t\nlevel: error\ncheck: region\nwhy: w\nremediation: r\nparams: {allow: [DE]}\n"
    Path("own").mkdir()
    Path("own/ACME001.yaml").write_text(own + "waiver_max_days: 30\n")
    Path(".auditor.yaml").write_text(POLICY + "rules_dirs: [own]\nwaiver_files: [w.yaml]\n")
    Path("w.yaml").write_text("version: 1\nwaivers: []\n")
    estate("plan.json", bucket("a", "eu-west-1"))
    args = ("--reason", "r")
    assert "at most" in str(run("waive", "ACME001", "*", "--expires", "2027-01-31", *args).exception)
    assert run("waive", "acme001", "aws_s3_bucket.a", "--expires", "2026-12-20", *args).return_value == 0
    assert check("plan.json")["summary"]["waived"] == 1
    assert run("validate", "w.yaml").stdout == "w.yaml: valid waivers\n"
    assert 'did you mean "ACME001"' in str(run("waive", "ACME01", "*", "--expires", "2026-12-20", *args).exception)
    assert run("waive", "ACME001", "other", "--file", ".auditor.yaml", "--expires", "2026-12-20", *args).return_value == 0
    double = run("waive", "ACME001", "aws_s3_bucket.a", "--expires", "2026-12-19", *args).exception
    assert str(double).startswith("w.yaml:3 waives ACME001 aws_s3_bucket.a already, until 2026-12-20")


def test_a_new_waiver_file_that_would_not_be_valid_is_not_left_behind(estate: Callable[..., Path]) -> None:
    end = ("--expires", "2026-12-20", "--reason", "r")
    assert run("waive", "SOV001", "a", "--fingerprint", "xyz", "--file", "new.yaml", *end).exception is not None
    assert not Path("new.yaml").exists()
