"""Policies, workload manifests and waiver files: what is read, what is refused, and where it says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auditor.catalog import Catalog, data_dir
from auditor.cli import cli
from auditor.cli.common import known_rules
from auditor.config import DEFAULTS, Config, find_policy, find_workload, load_config
from auditor.documents import load_schema, schema_names
from auditor.errors import PolicyError

AS_OF = "2026-11-20"
CATALOG, RULES = Catalog(), known_rules()


def load(folder: Path, text: str, name: str = ".auditor.yaml", **flags: object) -> Config:
    (folder / name).write_text(text, encoding="utf-8")
    return load_config(
        str(folder / name), None, flags, index=CATALOG.index, rules=RULES, as_of=AS_OF,
        cwd=folder, policies_dir=data_dir("policies"),
    )  # fmt: skip


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)


REFUSED = {
    "unknown key": ("version: 1\nalow: [EU]\n", 'p.yaml:2 unknown key "alow"; did you mean "allow"?'),
    "unknown key, nothing near": ("version: 1\nzzz: 1\n", "p.yaml:2 unknown key \"zzz\"; allowed: version, extends"),
    "no version": ("allow: [EU]\n", 'p.yaml:1 missing key "version"'),
    "newer version": ("version: 2\n", "p.yaml:1 2 is not allowed for version; allowed: 1"),
    "enum": ("version: 1\nfail_on: eror\n", 'p.yaml:2 "eror" is not allowed for fail_on; allowed: "error"'),
    "number": ("version: 1\ngates: {dataset_tb: -1}\n", "p.yaml:2 expected a number >= 0 for gates.dataset_tb, got -1"),
    "per cent": ("version: 1\ngates:\n  min_saving_pct: 101\n", "p.yaml:3"),
    "share": ("version: 1\ngates:\n  max_egress_share: 1.01\n", "p.yaml:3"),
    "Norway": ("version: 1\nallow: [NO]\n", 'p.yaml:2 YAML reads this as false for allow[0]: quote country codes: "NO"'),
    "unknown place": ("version: 1\nallow:\n  - EU\n  - aws:eu-centrl-1\n", 'p.yaml:4 unknown region "aws:eu-centrl-1"'),
    "lower case": ("version: 1\nallow: [de]\n", 'p.yaml:2 unknown place "de"; did you mean "DE"?'),
    "empty allow": ("version: 1\nallow: []\n", "p.yaml:2 allow is empty"),
    "no cloud region": ("version: 1\n\nallow: [DZ]\n", "p.yaml:3 allow [DZ] expands to no cloud region"),
    "denied away": ("version: 1\nallow: [DE]\ndeny: [EU]\n", "p.yaml:2 allow [DE] without the denied places expands to no"),
    "role without home": ("version: 1\nallow: {replica: [EU]}\n", "p.yaml:2 allow per role needs `home`"),
    "deny alone": ("version: 1\ndeny: [EU]\n", "p.yaml:2 `deny` needs a top-level `allow`"),
    "scope alone": ("version: 1\nscopes: [{name: a, match: {type: [x]}, allow: [EU]}]\n", "p.yaml:2 `scopes` needs"),
    "scope class": (
        "version: 1\nallow: [EU]\nscopes:\n  - name: a\n    match:\n      class: [object_store]\n    allow: [EU]\n",
        'p.yaml:6 unknown class "object_store"; did you mean "object_storage"?',
    ),
    "operators with a region": ("version: 1\noperators:\n  allow: [aws:eu-central-1]\n", "p.yaml:3 operators.allow takes"),
    "off without a reason": ("version: 1\nrules:\n  SOV001: {level: off}\n", "p.yaml:3 SOV001 is off without a reason"),
    "off, short": ("version: 1\nrules:\n  SOV001: off\n", "p.yaml:3 YAML reads this as false for rules.SOV001: a rule is"),
    "off for a blank reason": (
        'version: 1\nrules:\n  SOV001: {level: "off", reason: " "}\n', "p.yaml:3 expected text (not blank)",
    ),
    "a waiver for a blank reason": (
        'version: 1\nwaivers:\n  - {rule: SOV001, address: a, reason: " ", expires: 2027-01-01}\n',
        "p.yaml:3 expected text (not blank)",
    ),
    "meta off": ("version: 1\nrules:\n  META006: {level: off, reason: x}\n", "p.yaml:3 META006 cannot be switched off"),
    "unknown rule": ("version: 1\nrules:\n  SOV01: {level: note}\n", 'p.yaml:3 unknown rule "SOV01"; did you mean "SOV0'),
    "unknown parameter": ("version: 1\nrules:\n  SOV001: {params: {a: 1}}\n", 'p.yaml:3 SOV001 has no parameter "a"'),
    "assumption": ("version: 1\nassume:\n  aws.regoin: x\n", 'p.yaml:3 "aws.regoin" assumes nothing; did you mean "aws.region"'),
    "assumed region": ("version: 1\nassume:\n  aws.region: eu-centrl-1\n", 'p.yaml:3 "eu-centrl-1" is no region of aws'),
    "append beside": ("version: 1\nallow: [EU]\n+allow: [CH]\n", 'p.yaml:3 "+allow" appends to an inherited list, but allow'),
    "extends nothing": ("version: 1\nextends: [eu-gdrp]\n", 'p.yaml:2 no policy "eu-gdrp"; did you mean "eu-gdpr"?'),
    "extends itself": ("version: 1\nextends: [./p.yaml]\n", "p.yaml:2 extends itself: p.yaml -> p.yaml"),
    "waiver file": ("version: 1\n\nwaiver_files: [none.yaml]\n", "p.yaml:3 no waiver file none.yaml"),
    "waiver without an end": (
        "version: 1\nwaivers:\n  - {rule: SOV001, address: a, reason: b}\n", 'p.yaml:3 missing key "expires"'
    ),
    "waiver, no such day": (
        "version: 1\nwaivers:\n  - rule: SOV001\n    address: a\n    reason: b\n    expires: 2027-02-30\n", "p.yaml:6"
    ),
    "waiver of META": (
        "version: 1\nwaivers:\n  - {rule: META006, address: a, reason: b, expires: 2027-01-01}\n", "META006 cannot be waived"
    ),
    "waiver of SOV008": (
        "version: 1\nwaivers:\n  - {rule: SOV008, address: ., reason: b, expires: 2027-01-01}\n", "SOV008 cannot be waived"
    ),
    "waiver, 91 days of 90": (
        "version: 1\nwaivers:\n  - {rule: SOV003, address: a, reason: b, expires: 2027-02-19}\n",
        "p.yaml:3 a waiver of SOV003 may end 90 days ahead at most: 2027-02-18 or earlier, not 2027-02-19",
    ),
    "duplicate key": ("version: 1\nallow: [EU]\nallow: [US]\n", 'p.yaml:3 duplicate key "allow"; the first is on line 2'),
    "key that is no text": ("version: 1\nworkload: {1: 2}\n", 'p.yaml:2 the key 1 is not text'),
    "key NO": ("version: 1\nNO: 2\n", 'p.yaml:2 the key NO is not text'),
    "cycle": ("version: 1\nallow: &a [*a]\n", "p.yaml:2 the alias *a stands inside its own anchor: a cycle"),
    "bomb": (
        "version: 1\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)),
        "aliases expand to more than 200000 values",
    ),
    "deep": ("version: 1\na: " + "[" * 60 + "]" * 60 + "\n", "p.yaml:2 nested deeper than 40 levels"),
    "two documents": ("version: 1\n---\nversion: 1\n", "p.yaml:2 a second document begins"),
    "tag": ("version: 1\nallow: !!python/object:os.system [x]\n", "p.yaml:2 the tag"),
    "infinity": ("version: 1\ngates: {dataset_tb: .inf}\n", "p.yaml:2 "),
    "tabs": ("version: 1\nworkload:\n\trole: training\n", "p.yaml:3 "),
    "nothing": ("", "p.yaml:1 is empty"),
    "a list": ("- a\n", "p.yaml:1 expected a mapping, got a list"),
    "workload key": ("version: 1\nworkload:\n  datset_tb: 1\n", 'p.yaml:3 unknown key "datset_tb"; did you mean "dataset_tb"?'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, text, "p.yaml")
    assert says in str(caught.value)
    assert caught.value.message.startswith("p.yaml:")


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n",
        "version: 1\nallow: ['NO', EU, \"aws:eu-west-2\"]\n",
        "version: 1\nrules: {SOV001: {level: off, reason: bought centrally}}\n",
        'version: 1\nrules: {SOV001: {level: "off", reason: bought centrally}}\n',
        "version: 1\nwaivers:\n  - {rule: SOV003, address: a, reason: b, expires: 2027-02-18}\n",
        "version: 1\ngates: {min_saving_pct: 100, max_egress_share: 0}\n",
        "version: 1\nextends: [eu-gdpr]\n+allow: [CH]\n",
        "version: 1\nallow: &a [EU]\nscopes: [{name: x, match: {type: ['*']}, allow: *a}]\n",
    ],
)
def test_accepted(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, "version: 1\nalow: []\nfail_on: x\n", "p.yaml")
    assert [line.split(" ")[0] for line in caught.value.message.splitlines()] == ["p.yaml:2", "p.yaml:3"]


def test_later_layers_win_and_lists_append(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team/base.yaml").write_text(
        "version: 1\nextends: [eu-gdpr]\nfail_on: note\ngates: {dataset_tb: 10}\nwaiver_files: [w.yaml]\n"
    )
    (tmp_path / "team/w.yaml").write_text(
        "version: 1\nwaivers:\n  - {rule: SOV001, address: a, reason: b, expires: 2027-01-31}\n"
    )
    config = load(tmp_path, "version: 1\nextends: [./team/base.yaml]\n+allow: [CH]\ngates: {min_saving_pct: 45}\n")
    assert config.places is not None
    assert config.places.top.describe("home") == "EU, CH"
    assert config.fail_on == "note"
    assert config.gates == {"dataset_tb": 10, "min_saving_pct": 45, "max_egress_share": 0.15}
    assert [w.source for w in config.waivers] == ["team/w.yaml:3"]
    assert load(tmp_path, "version: 1\nfail_on: note\n", fail_on="warning").fail_on == "warning"


def test_defaults_are_those_of_the_schema() -> None:
    properties = load_schema("policy")["properties"]
    for key, value in DEFAULTS.items():
        held = properties[key].get("default")
        if isinstance(value, dict):
            inner = properties[key]["properties"]
            held = {k: inner[k].get("default", []) for k in value}
        if key == "workarounds":
            held = {"allow": []}
        assert held == value, key


def test_found_upward_under_either_name(tmp_path: Path) -> None:
    deep = tmp_path / "a/b"
    deep.mkdir(parents=True)
    (tmp_path / ".auditor.yml").write_text("version: 1\n")
    assert find_policy(deep) == tmp_path / ".auditor.yml"
    (tmp_path / ".auditor.yaml").write_text("version: 1\n")
    with pytest.raises(PolicyError, match="keep one of them"):
        find_policy(deep)


def test_workload_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s/workload.yaml").write_text("apiVersion: v1\nkind: Pod\n")
    (tmp_path / "workload.yaml").write_text("version: 1\nrole: training\n")
    assert find_workload([tmp_path / "k8s", tmp_path]) == tmp_path / "workload.yaml"
    assert find_workload([tmp_path / "k8s"]) is None


def test_validate_names_the_kind(tmp_path: Path) -> None:
    files = {
        "policy": "version: 1\nallow: [EU]\n",
        "workload": "version: 1\nrole: training\nregulated: [gdpr]\n",
        "waivers": "version: 1\nwaivers: []\n",
        "cases": "cases:\n  - {name: a, plan: {}}\n",
    }
    for kind, text in files.items():
        (tmp_path / f"{kind}.yaml").write_text(text)
    done = run("validate", *(str(tmp_path / f"{kind}.yaml") for kind in files))
    assert done.return_value == 0
    assert [line.rpartition("valid ")[2] for line in done.output.splitlines()] == list(files)
    (tmp_path / "bad.yaml").write_text("version: 1\nrole: trianing\n")
    done = run("validate", str(tmp_path / "bad.yaml"), str(tmp_path / "policy.yaml"))
    assert done.return_value == 2
    assert 'bad.yaml:2 "trianing" is not allowed for role' in done.output
    assert "policy.yaml: valid policy" in done.output


@pytest.mark.parametrize("kind", schema_names())
def test_every_schema_is_printed_whole(kind: str) -> None:
    import json

    from jsonschema import Draft202012Validator

    done = run("schema", kind)
    Draft202012Validator.check_schema(json.loads(done.output))
    assert done.return_value == 0


@pytest.mark.parametrize("file", sorted(data_dir("policies").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_policies_are_valid(file: Path) -> None:
    assert run("validate", str(file)).return_value == 0
    assert date.fromisoformat(AS_OF)


@pytest.mark.parametrize("file", sorted(data_dir("policies").glob("*/*.yaml")), ids=lambda p: p.stem)
def test_shipped_rules_fit_the_schema(file: Path) -> None:
    from auditor.documents import read_file, validate

    validate(read_file(file), "rule")
