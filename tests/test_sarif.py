"""SARIF against its published schema, and against what GitHub code scanning takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import PLANS, Auditor
from report_samples import ALIAS, GPU, RULES, finding, hostile_report, report, rich_report, undecided

from auditor.catalog import data_dir
from auditor.cli.revision import revision
from auditor.model import Evidence, Report, SourceRange, Waived, WaiverRef
from auditor.report import RenderOptions, Revision, diagnostics
from auditor.report.excerpt import pieces
from auditor.report.sarif import as_dict, render
from auditor.rules import load_rules

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.json").read_text())
VALID = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
WAIVER = WaiverRef("CDN logs", "2027-01-31", ".auditor.yaml:31", "platform")


def run_of(made: Report, **options: Any) -> dict[str, Any]:
    log = json.loads(render(made, RenderOptions(**options)))
    assert [e.message for e in VALID.iter_errors(log)] == []
    assert len(log["runs"]) == 1
    run: dict[str, Any] = log["runs"][0]
    return run


def only(made: Report, **options: Any) -> dict[str, Any]:
    (found,) = run_of(made, **options)["results"]
    return found


@pytest.mark.parametrize("made", [report(), rich_report(), hostile_report()], ids=["clean", "rich", "hostile"])
@pytest.mark.parametrize("waived", [False, True])
def test_what_github_requires_is_there(made: Report, waived: bool) -> None:
    run = run_of(made, sarif_include_waived=waived)
    assert run["tool"]["driver"]["rules"]
    for rule in run["tool"]["driver"]["rules"]:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["properties"].get("tags", [])) <= 10
        severities = {"security-severity", "problem.severity"} & rule["properties"].keys()
        assert len(severities) == 1, rule["id"]
    for found in run["results"]:
        assert 0 < len(found["message"]["text"]) <= 1024
        assert run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == found["ruleId"]
        assert found["partialFingerprints"].keys() == {"auditor/v1"}
        physical = found["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uri"]
        assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert "://" not in physical["artifactLocation"]["uri"]
        assert not physical["artifactLocation"]["uri"].startswith(("/", ".."))
        assert physical["region"].keys() == {"startLine", "startColumn", "endLine", "endColumn"}
        assert min(physical["region"].values()) >= 1


def test_every_shipped_sovereignty_rule_is_a_security_rule_and_no_other_is() -> None:
    run = run_of(report(rules=tuple(load_rules(data_dir("policies")))))
    for rule in run["tool"]["driver"]["rules"]:
        severity = rule["properties"].get("security-severity")
        if rule["id"].startswith("SOV"):
            assert 0.0 < float(severity) <= 10.0, rule["id"]
        elif not rule["id"].startswith("SEC"):
            assert severity is None, rule["id"]
        assert rule["properties"]["precision"] in {"very-high", "high", "medium", "low"}


def test_source_line_is_the_narrow_region_and_evidence_a_linked_code_flow() -> None:
    found = only(report(finding(location=GPU, evidence=ALIAS)))
    physical = found["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "train/main.tf"
    assert physical["region"] == {"startLine": 14, "startColumn": 3, "endLine": 14, "endColumn": 30}
    flow = found["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [s["location"]["message"]["text"] for s in flow] == [
        "cloud_bucket.raw", "module call module.train", "provider block cloud.us",
    ]  # fmt: skip
    assert [s["location"]["physicalLocation"]["region"]["startLine"] for s in flow] == [14, 3, 6]
    assert [r["id"] for r in found["relatedLocations"]] == [1, 2]
    assert "[provider block cloud.us](2)" in found["message"]["text"]


LINES = {14: '  region = "us-east-1" # ask jo, pin 4711', 15: 'password = "hunter2"', 1: '{"format_version":"1.2"}'}


def excerpt(at: SourceRange) -> str:
    return LINES.get(at.start_line, "")[at.start_column - 1 : at.end_column - 1]


@pytest.mark.parametrize(
    ("changes", "snippet", "line"),
    [
        ({}, 'region = "us-east-1"', '  region = "us-east-1"[REDACTED]'),
        ({"observed": "x", "message": "y"}, "region = [REDACTED]", "  region = [REDACTED][REDACTED]"),
        ({"observed": "(sensitive)"}, "[REDACTED]", "  [REDACTED][REDACTED]"),
        ({"rule": "SEC001", "location": SourceRange("a.tf", 15, 1, 15, 21)}, "[REDACTED]", "[REDACTED]"),
        ({"location": SourceRange("a.tf", 14, 1, 15, 21)}, "[REDACTED]", "[REDACTED]"),
        ({"location": None}, "{", "{[REDACTED]"),
    ],
)
def test_snippets_tell_nothing_that_the_finding_does_not(changes: dict[str, Any], snippet: str, line: str) -> None:
    at = SourceRange("a.tf", 14, 3, 14, 23)
    run = run_of(report(finding(**{"location": at} | changes)), excerpt=excerpt)
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["region"]["snippet"]["text"] == snippet
    assert physical["contextRegion"]["snippet"]["text"] == line
    assert run["redactionTokens"] == ["[REDACTED]"]
    assert "hunter2" not in str(run)


@pytest.mark.parametrize(
    ("source", "cut"),
    [
        ('a = "b"', [("a = ", False), ('"b"', True)]),
        ('"${f("x", {y = "}"})}z" w', [('"${f("x", {y = "}"})}z"', True), (" w", False)]),
        ('"\\"b" c "d', [('"\\"b"', True), (" c ", False), ('"d', True)]),
        ('"$${" + "%{if x}${"y"}%{endif}"', [('"$${"', True), (" + ", False), ('"%{if x}${"y"}%{endif}"', True)]),
        ("", []),
    ],
)
def test_templates_end_at_their_own_quote(source: str, cut: list[tuple[str, bool]]) -> None:
    assert pieces(source) == cut


def test_provenance_names_the_commit() -> None:
    run = run_of(report(), revision=Revision("https://example.org/a b.git", "0" * 40))
    assert run["versionControlProvenance"] == [
        {
            "repositoryUri": "https://example.org/a%20b.git",
            "revisionId": "0" * 40,
            "mappedTo": {"uriBaseId": "%SRCROOT%"},
        }
    ]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://jo:word@example.org:8443/a/b.git?token=x#y", "https://example.org:8443/a/b.git"),
        ("git@example.org:a/b.git", "ssh://example.org/a/b.git"),
        ("ssh://git@example.org/a/b.git", "ssh://example.org/a/b.git"),
        ("/srv/git/b.git", None),
        ("../b.git", None),
        ("C:/git/b.git", None),
        ("file:///srv/b.git", None),
        ("https://[bad/b.git", None),
    ],
)
def test_revision_is_read_from_git_without_passwords_and_paths(tmp_path: Path, url: str, address: str | None) -> None:
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    fork = '[core]\n\turl = no\n[remote "fork"]\n\turl = https://example.org/f\n'
    (git / "config").write_text(f'{fork}[remote "origin"]\n\turl = {url}\n')
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{'b' * 40} refs/heads/main\n")
    assert revision(tmp_path) == (Revision(address, "b" * 40) if address else None)
    (git / "refs" / "heads" / "main").write_text("c" * 40 + "\n")
    tree = git / "worktrees" / "w"
    tree.mkdir(parents=True)
    (tree / "HEAD").write_text("d" * 40)
    (tree / "commondir").write_text("../..\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / ".git").write_text(f"gitdir: {tree}\n")
    assert revision(tmp_path) == (Revision(address, "c" * 40) if address else None)
    assert revision(other) == (Revision(address, "d" * 40) if address else None)


@pytest.mark.parametrize("head", ["ref: ../../outside", "ref: /etc/passwd", "not a commit", ""])
def test_head_names_a_commit_or_nothing(tmp_path: Path, head: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text('[remote "origin"]\nurl = https://example.org/f\n')
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert revision(tmp_path) == Revision("https://example.org/f")


def test_one_place_is_no_code_flow() -> None:
    same = Evidence("region", GPU.file, GPU.start_line)
    assert "codeFlows" not in only(report(finding(location=GPU, evidence=(same,))))
    assert "codeFlows" not in only(report(finding(evidence=(same,))))


def test_without_source_the_plan_file_line_one() -> None:
    physical = only(report(finding()))["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "plan.json"
    assert physical["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}


@pytest.mark.parametrize(
    ("file", "cwd", "uri"),
    [
        ("main.tf", "/repo", "main.tf"),
        ("main.tf", "/repo/infra", "infra/main.tf"),
        ("../modules/a.tf", "/repo/infra", "modules/a.tf"),
        ("/repo/x/a b.tf", "/repo", "x/a%20b.tf"),
        ("../../etc/a.tf", "/repo/infra", "plan.json"),
        ("/elsewhere/a.tf", "/repo", "plan.json"),
    ],
)
def test_paths_are_relative_to_the_repository(file: str, cwd: str, uri: str) -> None:
    found = only(report(finding(location=SourceRange(file, 2, 3, 2, 9))), root="/repo", cwd=cwd)
    made = found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert made == (f"{cwd.removeprefix('/repo')}/plan.json".lstrip("/") if uri == "plan.json" else uri)


def test_one_result_per_rule_and_line_names_the_instances() -> None:
    gpus = [finding(address=f"x.gpu[{i}]", location=GPU) for i in (0, 1, 10, 2)]
    found = only(report(*gpus))
    assert "4 findings on this line; also x.gpu\\[1\\], x.gpu\\[2\\], x.gpu\\[10\\]." in found["message"]["text"]
    assert [x["fullyQualifiedName"] for x in found["locations"][0]["logicalLocations"]] == [
        "x.gpu[0]", "x.gpu[1]", "x.gpu[2]", "x.gpu[10]",
    ]  # fmt: skip
    other_line = finding(address="x.other", location=SourceRange("train/main.tf", 15, 3, 15, 30))
    assert len(run_of(report(*gpus, other_line))["results"]) == 2


def test_an_undecided_result_says_so() -> None:
    found = only(report(undecided("cloud_queue.q")))
    assert (found["level"], found["properties"]["kind"]) == ("warning", "open")
    assert "kind" not in found


def test_waived_results_stay_out_unless_asked_for() -> None:
    made = report(finding(), waived=(Waived(finding(address="cloud_bucket.old"), WAIVER),))
    assert only(made)["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "cloud_bucket.raw"
    active, waived = run_of(made, sarif_include_waived=True)["results"]
    assert active["suppressions"] == []
    assert waived["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "CDN logs (until 2027-01-31, .auditor.yaml:31)"}
    ]


def test_the_stack_is_the_category() -> None:
    assert run_of(report())["automationDetails"]["id"] == "auditor/"
    assert run_of(report(), stack="prod/eu")["automationDetails"]["id"] == "auditor/prod/eu/"


def test_over_five_thousand_the_worst_stay_and_it_is_said() -> None:
    notes = [finding("LAG001", f"x.n{i}", level="note") for i in range(5000)]
    made = report(*notes, finding(address="x.worst"))
    run = as_dict(made, RenderOptions())["runs"][0]
    assert len(run["results"]) == 5000
    assert run["results"][0]["level"] == "error"
    said = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"] if "5000" in n["message"]["text"]]
    assert said == list(diagnostics("sarif", made, RenderOptions()))
    assert "5001" in said[0]


def test_many_instances_of_one_line_are_no_overflow() -> None:
    made = report(*[finding(address=f"x.gpu[{i}]", location=GPU) for i in range(6000)])
    assert diagnostics("sarif", made, RenderOptions()) == ()
    assert len(only(made)["locations"][0]["logicalLocations"]) == 100


def test_links_in_names_are_not_links() -> None:
    found = only(report(finding(message="[evil](1) is in US", evidence=(Evidence("step", "a.tf", 1),))))
    assert found["message"]["text"].startswith("\\[evil\\](1) is in US.")


def test_rule_names_are_pascal_case() -> None:
    names = [r["name"] for r in run_of(report(rules=RULES))["tool"]["driver"]["rules"]]
    assert names == ["FeatureWithoutNativeSupport", "FabricNotSwitchedOn", "JobOverSeveralZones",
                     "ResourceOutsideAllowList", "LocationCannotBeDecided"]  # fmt: skip


def test_recorded_scenarios_are_valid(auditor: Auditor, tmp_path: Path) -> None:
    for plan in sorted(PLANS.glob("*/plan.json"))[::4]:
        run = auditor("check", str(plan), "--format", "sarif=out.sarif", "--stack", "s", policy="version: 1\nallow: [EU]\n")
        log = json.loads((tmp_path / "out.sarif").read_text())
        assert [e.message for e in VALID.iter_errors(log)] == [], plan
        assert run.report["schema"] == "auditor-report/1"
