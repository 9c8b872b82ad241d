"""What people get wrong in policies, waivers, rules and cases: exit 2, file, line, what is wrong and the nearest name."""

# ruff: noqa: E501 - tables with one mistake a line

from __future__ import annotations

from pathlib import Path

import pytest
from inprocess import PLANS, run

PLAN = str(PLANS / "a-eu-alias" / "plan.json")
OK = "version: 1\nallow: [EU]\n"
RULE = (
    "id: ACME001\ntitle: t\nlevel: error\ncheck: attribute\nwhy: w\nremediation: r\n"
    "params: {match: {type: [aws_s3_bucket]}, path: bucket, op: exists}\n"
)
OWN = OK + "rules_dirs: [./r]\n"
W = OK + "waivers:\n  - {rule: SOV001, address: a.b, reason: r, expires: 2027-01-31"
TABLE = OK + "catalog: {regions: [./r.csv]}\n"
Files = dict[str, str | bytes]

POLICIES: dict[str, tuple[Files, str]] = {
    "empty": ({"": ""}, ".auditor.yaml:1 is empty"),
    "a comment alone": ({"": "# later\n"}, ".auditor.yaml:1 is empty"),
    "a list": ({"": "- EU\n"}, ".auditor.yaml:1 expected a mapping, got a list"),
    "UTF-16": ({"": OK.encode("utf-16")}, ".auditor.yaml:1 is not UTF-8 text"),
    "Latin-1": ({"": OK.encode() + b"# caf\xe9\n"}, ".auditor.yaml:3 is not UTF-8 text"),
    "a zero byte": ({"": b"version: 1\nallow: [EU\0]\n"}, ".auditor.yaml:2 holds a character that YAML does not allow"),
    "a tab": ({"": "version: 1\nworkload:\n\trole: training\n"}, "indent with spaces"),
    "an open list": ({"": "version: 1\nallow: [EU\nfail_on: error\n"}, "which begins on line 2"),
    "an open quote": ({"": 'version: 1\nallow: ["EU]\n'}, "which begins on line 2"),
    "a key of another alphabet": ({"": OK + "ällow: [EU]\n"}, '.auditor.yaml:3 unknown key "ällow"; did you mean "allow"?'),
    "a mistake after CRLF": ({"": (OK + "fail_on: errors\n").replace("\n", "\r\n")}, '.auditor.yaml:3 "errors" is not allowed'),
    "a country that is false": ({"": "version: 1\nallow: [NO]\n"}, 'YAML reads this as false for allow[0]: quote country codes: "NO"'),
    "lower case": ({"": "version: 1\nallow: [eu]\n"}, '.auditor.yaml:2 unknown place "eu"; did you mean "EU"?'),
    "two scopes of a name": (
        {"": OK + "scopes:\n  - {name: a, match: {type: [x]}, allow: [DE]}\n  - {name: a, match: {type: [y]}, allow: [DE]}\n"},
        '.auditor.yaml:5 two scopes have the name "a"; the first is on line 4',
    ),
    "two jobs of a name": (
        {"": OK + "workload:\n  jobs:\n    - {name: a, match: x}\n    - {name: a, match: y}\n"},
        '.auditor.yaml:6 two jobs have the name "a"; the first is on line 5',
    ),
    "a chain that ends where it began": (
        {"": OK + "extends: [./b.yaml]\n", "b.yaml": "version: 1\nextends: [./.auditor.yaml]\n"},
        "b.yaml:2 extends itself: .auditor.yaml -> b.yaml -> .auditor.yaml",
    ),
    "a base that is not there": ({"": OK + "extends: [eu-gdrp]\n"}, '.auditor.yaml:3 no policy "eu-gdrp"; did you mean "eu-gdpr"?'),
    "a mistake in the base": ({"": OK + "extends: [./b.yaml]\n", "b.yaml": "version: 1\nalow: [EU]\n"}, 'b.yaml:2 unknown key "alow"'),
    "aliases without end": (
        {"": OK + "x: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(f"{c}: &{c}{c} [{','.join(['*' + p] * 10)}]\n" for p, c in zip(
            ("a", "bb", "cc", "dd", "ee"), "bcdef", strict=True))},
        "aliases expand to more than 200000 values",
    ),
    "a waiver of no day": ({"": W.replace("01-31", "02-30") + "}\n"}, '.auditor.yaml:4 "2027-02-30" is no day of the calendar'),
    "a waiver of a rule that is none": ({"": W.replace("SOV001", "SOV-100") + "}\n"}, '.auditor.yaml:4 unknown rule "SOV-100"; did you mean'),
    "a waiver of what cannot be waived": ({"": W.replace("SOV001", "META002") + "}\n"}, ".auditor.yaml:4 META002 cannot be waived"),
    "a waiver with a wrong key": ({"": W + ", until: x}\n"}, '.auditor.yaml:4 unknown key "until"; allowed: rule, address'),
    "an empty waiver file": ({"": OK + "waiver_files: [w.yaml]\n", "w.yaml": ""}, "w.yaml:1 is empty"),
    "a waiver file by pattern": ({"": OK + 'waiver_files: ["w/*.yaml"]\n'}, ".auditor.yaml:3 no waiver file w/*.yaml"),
    "a folder of rules that is a file": ({"": OK + "rules_dirs: [./a.yaml]\n", "a.yaml": RULE}, "rules_dirs names folders"),
    "a folder without rules": ({"": OWN, "r/readme.txt": "x"}, ".auditor.yaml:3 no rule in r"),
    "a file that is no rule": ({"": OWN, "r/a.yaml": RULE, "r/b.yaml": "hello: world\n"}, 'r/b.yaml:1 unknown key "hello"; allowed: id, title'),
    "an empty rule": ({"": OWN, "r/a.yaml": RULE, "r/b.yaml": ""}, "r/b.yaml:1 is empty"),
    "a rule that is no YAML": ({"": OWN, "r/a.yaml": "id: [\n"}, "r/a.yaml:2 did not find expected node content"),
    "an id of a shipped rule": ({"": OWN, "r/a.yaml": RULE.replace("ACME001", "SOV001")}, 'r/a.yaml:1 the set "SOV" is a shipped one'),
    "an alias of a shipped rule": (
        {"": OWN, "r/a.yaml": RULE + "aliases: [SOV001]\n"}, "r/a.yaml:1 the name SOV001 is taken: a shipped rule has it",
    ),
    "two rules of an id": (
        {"": OWN, "r/a.yaml": RULE, "r/b.yaml": RULE}, "r/b.yaml:1 the name ACME001 is taken: r/a.yaml:1 has it",
    ),
    "an id that is none": ({"": OWN, "r/a.yaml": RULE.replace("ACME001", "acme-1")}, "letters and three digits, such as ACME001"),
    "a path that can match nothing": ({"": OWN, "r/a.yaml": RULE.replace("path: bucket", "path: a..b")}, "r/a.yaml:7 expected text (names with dots"),
    "an empty table": ({"": TABLE, "r.csv": ""}, "r.csv:1 is empty"),
    "a table of something else": ({"": TABLE, "r.csv": "a,b\n1,2\n"}, 'r.csv:2 missing key "cloud" in regions[0]'),
    "an empty baseline": ({"": OK + "baseline: b.json\n", "b.json": ""}, "b.json: is empty, not a baseline"),
    "a baseline of another version": ({"": OK + "baseline: b.json\n", "b.json": '{"schema": "auditor-baseline/9"}'}, "b.json: holds auditor-baseline/9"),
}  # fmt: skip


def write(folder: Path, files: Files) -> None:
    for name, text in files.items():
        path = folder / (name or ".auditor.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("name", POLICIES)
def test_policy(name: str, tmp_path: Path) -> None:
    files, says = POLICIES[name]
    write(tmp_path, files)
    done = run("check", PLAN, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("auditor: ")
    assert says in done.err


@pytest.mark.parametrize("text", [OK.replace("\n", "\r\n"), OK.replace("\n", "\r"), "\ufeff" + OK, OK + "# größer 你好\n"])
def test_line_endings_marks_and_alphabets_do_not_matter(text: str, tmp_path: Path) -> None:
    write(tmp_path, {"": text, "r/a.yaml": RULE.replace("\n", "\r\n")})
    assert run("check", PLAN, "--rules", "SOV", "--as-of", "2026-11-20", cwd=tmp_path).code == 1


def test_a_thousand_waivers(tmp_path: Path) -> None:
    row = "  - {{rule: SOV001, address: a.b{}, reason: r, expires: 2027-01-31}}\n"
    write(tmp_path, {"": OK + "waivers:\n" + "".join(map(row.format, range(1000)))})
    done = run("check", PLAN, "--rules", "SOV", "--as-of", "2026-11-20", "--format", "json", cwd=tmp_path)
    assert done.out.count('"META008"') >= 1000


CASES: dict[str, tuple[str, int, str]] = {
    "an empty file": ("", 2, "r/cases.yaml:1 is empty"),
    "no case": ("cases: []\n", 2, "r/cases.yaml:1 expected a list, not empty for cases, got an empty list"),
    "a key that is none": ("{name: a, plan: {}, expects: []}", 2, 'unknown key "expects"; did you mean "expect"?'),
    "neither plan nor source": ("{name: a}", 2, 'r/cases.yaml:2 the case "a" has neither `plan` nor `hcl`'),
    "plan and source": ('{name: a, plan: {}, hcl: ""}', 2, 'r/cases.yaml:2 the case "a" has both `plan` and `hcl`'),
    "a plan of a wrong key": ("{name: a, plan: {resource: []}}", 2, 'unknown key "resource"; did you mean "resources"?'),
    "a resource of a wrong key": ("{name: a, plan: {resources: [{address: a.b, value: {}}]}}", 2, 'did you mean "values"?'),
    "a resource without address": ("{name: a, plan: {resources: [{values: {}}]}}", 2, 'missing key "address" in cases[0].plan.resources[0]'),
    "an address that is none": ("{name: a, plan: {resources: [{address: bucket}]}}", 2, "an address such as TYPE.NAME"),
    "a version that YAML cuts": ("{name: a, lock: {hashicorp/aws: 6.0}, plan: {}}", 2, "for cases[0].lock.hashicorp/aws, got 6.0"),
    "a day that is none": ('{name: a, as_of: "2026-02-30", plan: {}}', 2, '"2026-02-30" is no day of the calendar'),
    "a plan that is not there": ("{name: a, plan: ./no.json}", 2, "r/cases.yaml:2: FAILED a\n  could not be audited: r/no.json: cannot be read"),
    "source that is none": ('{name: a, hcl: "resource {"}', 2, "could not be audited: main.tf:1:11: syntax error"),
    "source outside": ('{name: a, hcl: {"../x.tf": ""}}', 2, "the file ../x.tf would lie outside the case's folder"),
    "a policy of its own": ("{name: a, policy: {alow: [EU]}, plan: {}}", 2, 'its policy: unknown key "alow"; did you mean "allow"?'),
    "a selection that is none": ("{name: a, rules: [ACM001], plan: {}}", 2, "no rule or set is called 'ACM001'; did you mean \"ACME001\"?"),
    "a rule that is none": ("{name: a, plan: {}, rules: [ACME001], passes: [ACME009]}", 1, 'unknown rule "ACME009"; did you mean "ACME001"?'),
    "a rule that was not run": ("{name: a, plan: {}, rules: [ACME001], passes: [SOV001]}", 1, "SOV001 cannot be shown to pass: it was not run"),
    "another finding": (
        "{name: a, rules: [ACME001], plan: {resources: [{address: aws_s3_bucket.b, values: {}}]}, expect: [{rule: ACME001, level: note}]}",
        1, "unexpected: ACME001 fail error aws_s3_bucket.b bucket",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str, tmp_path: Path) -> None:
    text, code, says = CASES[name]
    write(tmp_path, {"r/a.yaml": RULE, "r/cases.yaml": f"cases:\n  - {text}\n" if text.startswith("{") else text})
    done = run("test", "r", cwd=tmp_path)
    assert done.code == code
    assert says in done.out + done.err
    assert str(tmp_path) not in done.out + done.err


def test_cases_are_found_through_the_policy(tmp_path: Path) -> None:
    case = "cases: [{name: a, rules: [ACME001], plan: {resources: [{address: aws_s3_bucket.b, values: {bucket: x}}]}, passes: [ACME001]}]"
    write(tmp_path, {"": OWN, "r/a.yaml": RULE, "r/cases.yaml": case})
    done = run("test", cwd=tmp_path)
    assert (done.code, done.out) == (0, "1 passed, 0 failed\n")
    assert done.err == "ACME001 has no case that fails\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("chek", PLAN), "no command 'chek'; did you mean \"check\"?"),
        (("explain", "SOV0001"), "no rule is called 'SOV0001'; did you mean \"SOV001\"?"),
        (("check", PLAN, "--rules", "SOVX"), "no rule or set is called 'SOVX'; did you mean \"SOV\"?"),
        (("diff", "none.json", "none.json"), "none.json: cannot be read: No such file or directory"),
        (("diff", ".auditor.yaml", "none.json"), ".auditor.yaml: not JSON"),
        (("baseline", PLAN, "--output", "no/where.json"), "no/where.json: cannot be written: No such file or directory"),
        (("validate", "none.yaml"), "none.yaml: no such file"),
    ],
)
def test_command_lines(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    write(tmp_path, {"": OK})
    done = run(*words, cwd=tmp_path)
    assert done.code == 2
    assert says in done.err


def test_a_type_that_matches_nothing_is_named_when_the_file_is_validated(tmp_path: Path) -> None:
    scope = "scopes:\n  - name: a\n    match: {type: [aws_s3_bucket, aws_s3_buckt, 'aws_nothing_*', acme_vault]}\n    allow: [DE]\n"
    write(tmp_path, {"": OK + scope, "r.yaml": RULE.replace("aws_s3_bucket", "google_storage_bukcet")})
    done = run("validate", ".auditor.yaml", "r.yaml", cwd=tmp_path)
    assert (done.code, done.out) == (0, ".auditor.yaml: valid policy\nr.yaml: valid rule\n")
    assert done.err.splitlines() == [
        'note: .auditor.yaml:5 no resource type "aws_s3_buckt" in the catalogue of hashicorp/aws; did you mean "aws_s3_bucket"?',
        'note: r.yaml:7 no resource type "google_storage_bukcet" in the catalogue of hashicorp/google; did you mean "google_storage_bucket"?',
    ]
