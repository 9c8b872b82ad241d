"""All formats at once: golden files, hostile names, several targets of one run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from conftest import PLANS, Auditor
from report_samples import GOLDEN, HOSTILE, INERT, finding, golden, named_report, report, rich_report, undecided

import auditor as auditor_package
from auditor.model import Report
from auditor.report import FORMATS, RenderOptions, Revision, gates

ALLOW = "version: 1\nallow: [EU]\n"
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
HUGE = 'cloud_x.y["' + "n" * 10_000 + '"]'


@pytest.mark.parametrize("name", sorted(golden()))
def test_golden(name: str) -> None:
    """Refresh with scripts/update_golden.py, and read the difference."""
    assert golden()[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_golden_holds_no_file_of_a_format_that_is_gone() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == set(golden())


def render(name: str, made: Report, source: str = "") -> str:
    revision = Revision(f"https://example.org/{source}", source) if source else None
    return FORMATS[name](
        made, RenderOptions(sarif_include_waived=True, verbose=True, stack=source, revision=revision, excerpt=lambda _: source)
    )


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", [HOSTILE, HUGE, HOSTILE * 40], ids=["hostile", "huge", "hostile-and-huge"])
def test_names_come_out_inert(format_: str, name: str) -> None:
    text = render(format_, named_report(name), f'{name} = "{name}"')
    assert not UNSEEN.search(text)
    assert text.encode("utf-8")
    assert shape(format_, text) == shape(format_, render(format_, named_report(INERT), f'{INERT} = "{INERT}"'))


class _Tags(HTMLParser):
    """The structure of a page: tags with the names of their attributes, no text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(f"<{tag} {' '.join(sorted(k for k, _ in attrs))}>")

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"</{tag}>")

    def handle_comment(self, data: str) -> None:
        self.seen.append("comment")


def shape(format_: str, text: str) -> object:
    """What a reader's program makes of the text, names left out: hostile names must not change it."""
    if format_ in {"json", "sarif", "gitlab"}:
        return _outline(json.loads(text))
    if format_ == "junit":
        return [(e.tag, sorted(e.attrib)) for e in ET.fromstring(text).iter()]
    if format_ == "html":
        tags = _Tags()
        tags.feed(text)
        return tags.seen
    if format_ == "github":
        return [m.group() if (m := re.match(r"::\w+", line)) else "" for line in text.splitlines()]
    if format_ == "markdown":
        unescaped = re.sub(r"&#\d+;", "", text)
        tags = re.findall(r"</?[a-z][^>]*>|<", unescaped)
        links = re.findall(r"\]\(|https?://|(?<![\w])@\w|#\d", unescaped)
        rows = [line.count("|") for line in unescaped.splitlines() if line.startswith("|")]
        return sorted(set(tags)), links, unescaped.count("`"), sorted(set(rows))
    return re.findall(r"\x1b", text)


def _outline(value: object) -> object:
    if isinstance(value, dict):
        return {k: _outline(v) for k, v in value.items() if k not in {"message", "notifications"}}
    if isinstance(value, list):
        return [_outline(v) for v in value]
    return type(value).__name__


@pytest.mark.parametrize("name", [HOSTILE, HUGE], ids=["hostile", "huge"])
def test_names_come_out_inert_on_the_page_of_gates(name: str) -> None:
    hostile, plain = named_report(name), named_report(INERT)
    for page, format_ in ((gates.text, "text"), (gates.markdown, "markdown"), (gates.as_json, "json")):
        assert not UNSEEN.search(page(hostile))
        assert shape(format_, page(hostile)) == shape(format_, page(plain))


def test_hostile_names_through_the_command_line(auditor: Auditor, tmp_path: Path) -> None:
    """The same from the plan on: addresses, keys, tags, file name, variable values."""
    plan = tmp_path / "<img src=x onerror=alert(1)>,::error::\u202e.json"
    change = {"actions": ["create"], "before": None, "after_unknown": {}, "before_sensitive": False, "after_sensitive": {}}
    tags = {"workload": HOSTILE, HOSTILE: HOSTILE}
    plan.write_text(
        json.dumps(
            {
                "format_version": "1.2",
                "terraform_version": "1.11.4",
                "variables": {"v": {"value": HOSTILE}},
                "resource_changes": [
                    {
                        "address": f"aws_s3_bucket.b[{json.dumps(key)}]",
                        "mode": "managed",
                        "type": "aws_s3_bucket",
                        "name": "b",
                        "index": key,
                        "provider_name": "registry.terraform.io/hashicorp/aws",
                        "change": change | {"after": {"region": region, "bucket": HOSTILE, "tags": tags}},
                    }
                    for key, region in ((HOSTILE, "us-east-1"), ("ok", HOSTILE), ("n" * 10_000, "us-east-1"))
                ],
                "configuration": {},
            }
        )
    )
    wanted = [arg for name in FORMATS for arg in ("--format", f"{name}=out.{name}")]
    run = auditor("check", str(plan), *wanted, policy=ALLOW, json_report=False)
    assert run.code == 1, run.err
    assert not UNSEEN.search(run.err)
    for name in FORMATS:
        text = (tmp_path / f"out.{name}").read_text(encoding="utf-8")
        assert not UNSEEN.search(text), name
        assert "<script>alert" not in text or name in {"json", "sarif", "gitlab", "text", "github"}, name
        assert "<img src=x" not in text or name in {"json", "sarif", "gitlab", "text", "github"}, name
        assert not re.search(r"^::error::", text, re.MULTILINE), name
        shape(name, text)


@pytest.mark.parametrize("made", [report(), rich_report(), named_report(HOSTILE)], ids=["clean", "rich", "hostile"])
def test_json_fits_its_published_schema(made: Report) -> None:
    schema = json.loads((Path(auditor_package.__file__).parent / "schemas" / "report.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert [e.message for e in validator.iter_errors(json.loads(render("json", made)))] == []


def test_two_formats_cannot_share_stdout(auditor: Auditor) -> None:
    path = str(PLANS / "a-eu-alias" / "plan.json")
    run = auditor("check", path, "--format", "sarif", "--format", "text", policy=ALLOW, json_report=False)
    assert run.code == 2
    assert "give each a file" in run.err


def test_several_formats_of_one_run(auditor: Auditor, tmp_path: Path) -> None:
    path = str(PLANS / "a-eu-alias" / "plan.json")
    args = ("--format", "sarif=a.sarif", "--format", "markdown=b.md", "--format", "text")
    run = auditor("check", path, *args, policy=ALLOW, json_report=False)
    assert run.code == 1
    assert run.out.endswith("0 unchanged\n")
    assert json.loads((tmp_path / "a.sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "b.md").read_text().startswith("## auditor: FAIL")


def test_markdown_fits_a_comment_and_says_what_is_missing() -> None:
    opens = [undecided(f"cloud_queue.q{i}", cause=f"cause {i} {'x' * 500}") for i in range(500)]
    text = render("markdown", report(*opens))
    assert len(text) <= 65_536
    assert re.search(r"\d+ of 500 groups of findings left out \(SOV002 \d+\)", text)


def crowd() -> Report:
    """One rule with more findings than any page has room for, and two others behind it."""
    many = [finding("AAA001", f"cloud_x.y{i}", observed=str(i)) for i in range(2500)]
    return report(*many, finding("NET002", "cloud_x.net"), finding("PLC001", "cloud_x.plc"), finding("ZZZ001", "z", level="note"))


@pytest.mark.parametrize("format_", ["html", "markdown"])
def test_no_rule_is_crowded_out_by_another_one(format_: str) -> None:
    text = render(format_, crowd())
    shown = set(re.findall(r"(?:class=\"rule\">|<br>)([A-Z]{3}\d{3})", text))
    assert shown == {"AAA001", "NET002", "PLC001"}  # the note is less than any error
    left = re.search(r"(\d+) of 2503 groups of findings left out (?:\(|&#40;)AAA001 (\d+), ZZZ001 1", text)
    assert left is not None
    assert int(left[1]) == int(left[2]) + 1


def test_gitlab_fingerprints_are_unique_and_paths_real() -> None:
    made = json.loads(render("gitlab", rich_report()))
    assert len({v["fingerprint"] for v in made}) == len(made)
    assert {v["location"]["path"] for v in made} <= {"train/main.tf", "queue.tf", "plan.json"}
    assert {v["severity"] for v in made} <= {"info", "minor", "major", "critical", "blocker"}


def test_junit_fails_at_fail_on_and_skips_what_is_not_a_pass() -> None:
    suites = ET.fromstring(render("junit", rich_report()))
    by = {c.get("name"): c for c in suites.iter("testcase")}
    assert by["module.train.cloud_instance.gpu[0] region"].find("failure") is not None
    assert by["cloud_queue.q1 region"].find("skipped") is not None
    assert by["cloud_bucket.legacy region"].find("skipped").get("message").startswith("waived:")
    assert list(by["Job over several zones"]) == []
    assert int(suites.get("failures")) == 5


def test_formats_are_imported_when_asked_for() -> None:
    plan = str(PLANS / "a-eu-alias" / "plan.json")
    code = (
        "import sys; from auditor.cli import cli; cli.main(['check', sys.argv[1]], standalone_mode=False);"
        "print([m for m in sys.modules if m.startswith('auditor.report.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, plan], capture_output=True, text=True, check=True)
    loaded = re.findall(r"auditor\.report\.(\w+)", done.stderr)
    assert set(loaded) == {"escape", "grouping", "text", "wording"}
