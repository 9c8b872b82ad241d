"""Rules of a user's own: refused with file and line, run beside the shipped ones, with checks from packages too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_adopt import bucket, check, estate, run  # noqa: F401 - `estate` is a fixture
from test_policy import AS_OF, CATALOG, RULES

from auditor.checks import AuditContext
from auditor.checks.custom import CUSTOM, OPERATORS
from auditor.documents import load_schema, read_yaml
from auditor.errors import AuditorError, PolicyError, RuleError
from auditor.model import Outcome
from auditor.ownrules import read_rule, read_rules_dir
from auditor.policytest import read_cases, run_case

OWN = Path(__file__).parent / "own"
HEAD = "id: ACME001\ntitle: t\nlevel: error\nwhy: w\nremediation: r\n"


@pytest.mark.parametrize("case", read_cases(OWN), ids=lambda c: c.name)
def test_case(case: Any) -> None:
    assert run_case(case, CATALOG, RULES).problems == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("check: atribute\n", 'r.yaml:6 no check "atribute" for rules of your own; did you mean "attribute"?'),
        ("check: sovereignty\n", 'r.yaml:6 no check "sovereignty"'),
        ("check: attribute\n", 'r.yaml:1 missing key "match" in attribute'),
        ("check: attribute\nparams:\n  match: {type: [a]}\n  path: x\n  op: equal\n", 'r.yaml:10 "equal" is not allowed'),
        ("check: attribute\nparams:\n  match: {type: [a]}\n  path: x\n  op: in\n  value: 1\n", 'r.yaml:11 "in" takes a list'),
        ("check: attribute\nparams:\n  match: {type: [a]}\n  path: x\n  op: exists\n  value: 1\n", 'takes no value'),
        ("check: attribute\nparams:\n  match: {type: [a]}\n  path: x\n  op: equals\n", 'r.yaml:10 "equals" takes one value'),
        ("check: attribute\nparams:\n  match: {tpye: [a]}\n  path: x\n  op: exists\n", 'r.yaml:8 unknown key "tpye"'),
        ("check: region\nparams:\n  roles: [home]\n", "r.yaml:7 the rule needs params.allow or params.deny"),
        ("check: region\nparams:\n  allow: [EUU]\n", 'r.yaml:7 params: unknown place "EUU"; did you mean "EU"?'),
        ("check: region\nparams:\n  allow: [NO]\n", 'r.yaml:8 YAML reads this as false'),
        ("check: provider_version\nparams: {provider: a/b, constraint: latest}\n", "is no version constraint"),
        ("check: job\nparams: {role: training}\n", "r.yaml:7 the rule limits nothing"),
        ("check: region\nparams: {allow: [EU]}\nregex: x\n", 'r.yaml:8 unknown key "regex"'),
    ],
)  # fmt: skip
def test_refused(body: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_rule(read_yaml(HEAD + body, "r.yaml"), CATALOG.index, AS_OF)
    assert says in str(caught.value)


def test_a_shipped_set_is_taken() -> None:
    text = HEAD.replace("ACME", "SOV") + "check: region\nparams: {allow: [EU]}\n"
    with pytest.raises(PolicyError, match="the set \"SOV\" is a shipped one"):
        read_rule(read_yaml(text, "r.yaml"), CATALOG.index, AS_OF)


def test_the_schema_names_every_check_and_operator() -> None:
    checks = load_schema("checks")["properties"]
    assert set(checks) == set(CUSTOM)
    assert set(checks["attribute"]["properties"]["op"]["enum"]) == set(OPERATORS)


def test_every_check_and_operator_has_cases_of_every_kind() -> None:
    shown: dict[str, set[str]] = {}
    checks: dict[str, str] = {}
    for folder in (OWN, OWN / "operators"):
        for rule, _ in read_rules_dir(folder, folder.name, CATALOG.index, AS_OF):
            checks[rule.id] = rule.params["op"] if folder.name == "operators" else rule.check
    for case in read_cases(OWN):
        for want in case.body.get("expect", ()):
            shown.setdefault(checks[want["rule"]], set()).add(want.get("kind", "fail"))
        for rule_id in case.body.get("passes", ()):
            shown.setdefault(checks[rule_id], set()).add("pass")
    assert set(shown) == {*CUSTOM, *OPERATORS}
    lacking = {name: {"fail", "open", "pass"} - kinds for name, kinds in shown.items()}
    assert {n: k for n, k in lacking.items() if k} == {"exists": {"open"}}, "whatever it will be, it is set"


def test_rules_dirs_level_waiver_and_selection(estate: Any) -> None:  # noqa: F811
    estate("plan.json", bucket("a"))
    Path("own").mkdir()
    Path("own/ACME001.yaml").write_text(
        HEAD + "check: attribute\nparams: {match: {type: [aws_s3_bucket]}, path: region, op: matches, value: eu-*}\n"
    )
    policy = "version: 1\nallow: [EU]\nrules_dirs: [own]\n"
    Path(".auditor.yaml").write_text(policy)
    assert [f["rule"] for f in check("plan.json", "--rules", "ACME")["findings"]] == ["ACME001"]
    assert sorted(f["rule"] for f in check("plan.json", "--rules", "ACME,SOV")["findings"]) == ["ACME001", "SOV001"]
    for form in ("text", "sarif", "markdown", "github"):
        assert "ACME001" in run("check", "plan.json", "--format", form).stdout
    Path(".auditor.yaml").write_text(policy + "rules: {ACME001: {level: note}}\n")
    assert check("plan.json", "--rules", "ACME")["findings"][0]["level"] == "note"
    Path(".auditor.yaml").write_text(
        policy + "waivers: [{rule: ACME001, address: '*', reason: r, expires: 2027-01-31}]\n"
    )
    assert check("plan.json", "--rules", "ACME")["summary"]["waived"] == 1
    Path("own/ACME002.yaml").write_text(Path("own/ACME001.yaml").read_text())
    assert "own/ACME002.yaml:1 the name ACME001 is taken: own/ACME001.yaml:1 has it" in str(run("check", "plan.json").exception)
    Path(".auditor.yaml").write_text("version: 1\nrules_dirs: [none]\n")
    assert str(run("check", "plan.json").exception).startswith(".auditor.yaml:2 no folder none")


class _Installed:
    """What `importlib.metadata` hands out for a package that registers a check."""

    name = "acme_names"
    value = "acme:names"

    @staticmethod
    def load() -> Any:
        def names(context: AuditContext, rules: Any) -> Iterator[Outcome]:
            for rule in rules.values():
                for r in context.plan.resources:
                    if not r.name.startswith(rule.params["prefix"]):
                        yield Outcome(rule.id, "fail", r.address, "name", r.name, rule.params["prefix"], "bad name")

        return names


def test_a_check_of_an_installed_package(estate: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def found(group: str, name: str = "") -> list[type[_Installed]]:
        return [_Installed] if group == "auditor.checks" and name in ("", "acme_names") else []

    estate("plan.json", bucket("a"))
    Path("own").mkdir()
    Path("own/ACME001.yaml").write_text(HEAD + "check: acme_names\nparams: {prefix: b}\n")
    Path(".auditor.yaml").write_text("version: 1\nrules_dirs: [own]\n")
    assert isinstance(run("check", "plan.json").exception, AuditorError)
    monkeypatch.setattr("importlib.metadata.entry_points", found)
    assert [f["rule"] for f in check("plan.json", "--rules", "ACME")["findings"]] == ["ACME001"]
    monkeypatch.setattr(_Installed, "load", staticmethod(lambda: 1 / 0))
    assert isinstance(run("check", "plan.json", "--rules", "ACME").exception, RuleError)
