"""Input that must not pass silently: each row of the table, through the command line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from conftest import PLANS, Auditor

PLAN = (PLANS / "m-errored" / "plan.json").read_bytes()
ALLOW = "version: 1\nallow: [EU]\n"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty", b"", "empty"),
        ("blank", b" \n", "empty"),
        ("truncated", PLAN[: len(PLAN) // 2], "broken JSON"),
        ("no plan", b'{"a": 1}', "no format_version"),
        ("a list", b"[]", "broken JSON|not a plan"),
        ("prose", b"Error: no such file", "broken JSON"),
        ("newer major", PLAN.replace(b'"format_version":"1.2"', b'"format_version":"2.0"'), "newer than this auditor"),
        ("wrong type", b'{"format_version": "1.2", "resource_changes": "x"}', "not a plan"),
        ("null change", b'{"format_version": "1.2", "resource_changes": [{"address": "a.b", "change": null}]}', "plan"),
        ("deep nesting", b'{"format_version": ' + b"[" * 100_000, "broken JSON|nested|not a plan"),
        ("compressed", gzip.compress(PLAN), "compressed (gzip)"),
        ("plan log", b'{"@level":"info","@message":"Terraform 1.11.4"}\n{"@level":"info"}\n', "streaming log"),
    ],
)
def test_refused(auditor: Auditor, tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / "plan.json").write_bytes(data)
    run = auditor("check", "plan.json", policy=ALLOW)
    assert run.code == 2, run.err
    assert any(part in run.err for part in says.split("|")), run.err
    assert run.out == ""


@pytest.mark.parametrize("where", ["missing.json", "."])
def test_missing_file_and_folder_without_plans(auditor: Auditor, where: str) -> None:
    assert auditor("check", where, policy=ALLOW).code == 2


@pytest.mark.parametrize(
    "data",
    [
        b"[command]/usr/bin/terraform show -json tfplan\n" + PLAN,
        PLAN + b"\n::debug::stdout: done\n",
        b"\xef\xbb\xbf" + PLAN,
        PLAN.decode().encode("utf-16"),
        PLAN.decode().encode("utf-16-le"),
    ],
    ids=["wrapper before", "wrapper after", "utf-8 mark", "utf-16", "utf-16 without mark"],
)
def test_read_all_the_same(auditor: Auditor, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(data)
    (tmp_path / "clean.json").write_bytes(PLAN)
    run, clean = (auditor("check", name, policy=ALLOW) for name in ("plan.json", "clean.json"))
    assert run.verdicts == clean.verdicts != []
    assert auditor("check", "-", policy=ALLOW, stdin=data).verdicts == clean.verdicts


@pytest.mark.parametrize("form", ["text", "json", "sarif", "markdown", "github"])
def test_partial_plan_is_said_in_every_format(auditor: Auditor, form: str) -> None:
    path = str(PLANS / "m-errored" / "plan.json")
    run = auditor("check", path, "--format", form, policy=ALLOW, json_report=False)
    assert "partial" in run.out.lower()
    assert auditor("check", path, "--strict", policy=ALLOW).code == 2


def test_state_is_audited_as_existing(auditor: Auditor) -> None:
    run = auditor("check", str(PLANS / "a-eu-alias" / "state.json"), policy=ALLOW)
    assert {f["rule"] for f in run.report["findings"]} == {"SOV011", "LAG006"}
    assert run.report["inputs"][0]["kind"] == "state"


@pytest.mark.parametrize(
    ("allow", "says"), [("[DZ]", "expands to no cloud region"), ("[NO]", 'quote country codes: "NO"'), ("[]", "allow")]
)
def test_policy_traps(auditor: Auditor, allow: str, says: str) -> None:
    run = auditor("check", str(PLANS / "m-errored" / "plan.json"), policy=f"version: 1\nallow: {allow}\n")
    assert run.code == 2
    assert says in run.err


def test_no_sensitive_value_comes_out(auditor: Auditor, tmp_path: Path) -> None:
    plan = json.loads((PLANS / "g-unknown-sensitive" / "plan.json").read_text())
    assert "hunter2" in json.dumps(plan)
    for form in ("text", "json", "sarif", "markdown", "github"):
        run = auditor(
            "check", str(PLANS / "g-unknown-sensitive" / "plan.json"), "--format", form, policy=ALLOW, json_report=False
        )
        assert "hunter2" not in run.out + run.err


def _fake_terraform(folder: Path, body: str) -> dict[str, str]:
    """A program of that name on PATH, as a user's machine has it; what it prints is the plan."""
    program = folder / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:/usr/bin:/bin"}


def test_binary_plan_is_read_through_terraform(auditor: Auditor, tmp_path: Path) -> None:
    for name in ("tfplan", ".terraform.lock.hcl"):  # the archive holds the same lock file
        (tmp_path / name).write_bytes((PLANS / "m-errored" / name).read_bytes())
    (tmp_path / "shown.json").write_bytes(PLAN)
    # The program runs in the folder of the plan, where its provider schemas are.
    env = _fake_terraform(tmp_path, 'test "$1 $2" = "show -json" && test -f tfplan && cat shown.json')
    run = auditor("check", "tfplan", policy=ALLOW, env=env)
    (tmp_path / "plan.json").write_bytes(PLAN)
    assert run.verdicts == auditor("check", "plan.json", policy=ALLOW).verdicts != []


@pytest.mark.parametrize("body", ["exit 1", "echo broken", "true"], ids=["fails", "prints prose", "prints nothing"])
def test_binary_plan_that_cannot_be_shown(auditor: Auditor, tmp_path: Path, body: str) -> None:
    (tmp_path / "tfplan").write_bytes((PLANS / "m-errored" / "tfplan").read_bytes())
    run = auditor("check", "tfplan", policy=ALLOW, env=_fake_terraform(tmp_path, body))
    assert run.code == 2
    assert "tfplan" in run.err


def test_binary_plan_without_terraform(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "tfplan").write_bytes((PLANS / "m-errored" / "tfplan").read_bytes())
    run = auditor("check", "tfplan", policy=ALLOW, env={"PATH": "/nowhere"})
    assert run.code == 2
    assert "terraform show -json tfplan > plan.json" in run.err
    assert run.out == ""


def _with(**keys: object) -> bytes:
    return json.dumps({**json.loads((PLANS / "a-eu-alias" / "plan.json").read_bytes()), **keys}).encode()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"errored": True}, "errored: true"),
        ({"complete": False}, "complete: false"),
        ({"deferred_changes": [{"reason": "provider_config_unknown"}]}, "1 deferred"),
        ({"action_invocations": [{"address": "action.aws_lambda_invoke.f"}] * 2}, "1 action not judged"),
        ({"deferred_action_invocations": [{"action_invocation": {"address": "action.a.b"}}]}, "action.a.b"),
    ],
    ids=lambda x: next(iter(x)) if isinstance(x, dict) else "",
)
def test_partial_plans(auditor: Auditor, tmp_path: Path, keys: dict[str, object], says: str) -> None:
    (tmp_path / "plan.json").write_bytes(_with(**keys))
    run = auditor("check", "plan.json", policy=ALLOW)
    found = [f for f in run.report["findings"] if f["rule"] == "META006"]
    assert [says in f["message"] for f in found] == [True]
    assert run.report["inputs"][0]["partial"] is True
    # Nothing fails under this list, and still a strict run does not pass.
    loose = "version: 1\nallow: [EU, US, BR, JP, AU]\n"
    assert auditor("check", "plan.json", policy=loose).code == 0
    assert auditor("check", "plan.json", "--strict", policy=loose).code == 2
    assert auditor("check", "plan.json", "--strict", "--exit-zero", policy=loose).code == 2


def test_a_filtered_plan_is_partial(auditor: Auditor, tmp_path: Path) -> None:
    """What `planned_values` holds stands in `resource_changes`, or somebody took it out."""
    plan = json.loads(_with())
    gone = [r for r in plan["resource_changes"] if r["address"].endswith("aws_s3_bucket.archive")]
    assert gone
    plan["resource_changes"] = [r for r in plan["resource_changes"] if r not in gone]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    loose = "version: 1\nallow: [EU, US, BR, JP, AU]\n"
    run = auditor("check", "plan.json", policy=loose)
    assert gone[0]["address"] in run.report["partial"][0]
    assert auditor("check", "plan.json", "--strict", policy=loose).code == 2


def test_deferred_resources_are_audited(auditor: Auditor, tmp_path: Path) -> None:
    plan = json.loads(_with())
    moved = next(r for r in plan["resource_changes"] if r["address"].endswith("aws_s3_bucket.archive"))
    plan["resource_changes"].remove(moved)
    plan["deferred_changes"] = [{"reason": "instance_count_unknown", "resource_change": moved}]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    found = auditor("check", "plan.json", policy=ALLOW).report["findings"]
    assert moved["address"] in [f["address"] for f in found if f["rule"] == "SOV001"]


@pytest.mark.parametrize(
    "data",
    [b'{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":{}},"resource_changes":[]}',
     b'{"format_version":"1.0","terraform_version":"1.11.4"}'],
    ids=["plan", "state"],
)  # fmt: skip
def test_a_pass_over_nothing_says_so(auditor: Auditor, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(data)
    run = auditor("check", "plan.json", policy=ALLOW)
    assert run.code == 0
    assert "plan.json: holds no resource: nothing was judged" in run.err


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.9"])
def test_format_versions(auditor: Auditor, tmp_path: Path, version: str) -> None:
    (tmp_path / "plan.json").write_bytes(_with(format_version=version, some_key_of_the_future={"a": [1]}))
    (tmp_path / "clean.json").write_bytes(_with())
    verdicts = auditor("check", "plan.json", policy=ALLOW).verdicts
    assert verdicts == auditor("check", "clean.json", policy=ALLOW).verdicts != []


def test_coverage_counts_every_resource(auditor: Auditor) -> None:
    """Resources in = resources reported; deletions and data sources are not counted."""
    for path in sorted(PLANS.glob("*/plan.json")):
        plan = json.loads(path.read_bytes())
        managed = [
            r
            for r in plan["resource_changes"]
            if r["mode"] == "managed" and r["change"]["actions"] != ["delete"] and "deposed" not in r
        ]
        c = auditor("check", str(path), policy=ALLOW).report["coverage"]
        assert c["resources"] == len(managed), path
        assert c["located"] + c["global"] + c["undecided"] == len(managed), path


def test_zero_rules_selected_is_no_pass(auditor: Auditor) -> None:
    for wanted in ("NOSUCH", "", " , "):
        run = auditor("check", str(PLANS / "a-eu-alias" / "plan.json"), "--rules", wanted, policy=ALLOW)
        assert run.code == 2, wanted


def test_state_values_of_another_shape_are_refused(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"format_version": "1.0", "terraform_version": "1.11.0", "values": {"outputs": {}}}')
    assert auditor("check", "state.json", policy=ALLOW, json_report=False).code == 2


@pytest.mark.parametrize("form", ["text", "json", "sarif", "markdown", "github"])
def test_output_file_that_cannot_be_written(auditor: Auditor, form: str) -> None:
    path = str(PLANS / "a-eu-alias" / "plan.json")
    run = auditor("check", path, "--format", f"{form}=no/such/folder/x", policy=ALLOW, json_report=False)
    assert run.code == 2


def test_state_places_children_by_what_they_depend_on(auditor: Auditor) -> None:
    """State has no expressions; `depends_on` and the id an attribute holds tell the parent."""
    run = auditor("check", str(PLANS / "e-azure" / "state.json"), policy=ALLOW)
    subnet = next(x for x in run.report["locations"] if x["address"] == "azurerm_subnet.s")
    assert (subnet["path"], subnet["source"], subnet["countries"]) == ("virtual_network_name", "reference", ["NL"])


def test_state_follows_each_instance_to_the_one_it_names(auditor: Auditor, tmp_path: Path) -> None:
    """`depends_on` names a whole block; the id that an instance holds names one of its instances."""
    provider = "registry.terraform.io/hashicorp/azurerm"
    resources = []
    for key, region in (("a", "westeurope"), ("b", "eastus"), ("c", "westeurope")):
        network = {"name": f"n-{key}", "id": f"/subscriptions/1/n-{key}", "location": region}
        subnet = {"name": f"s-{key}", "id": f"/subscriptions/1/s-{key}", "virtual_network_name": f"n-{key}"}
        for kind, values, needs in (
            ("azurerm_virtual_network", network, []), ("azurerm_subnet", subnet, ["azurerm_virtual_network.x"]),
        ):
            resources.append({
                "address": f'{kind}.x["{key}"]', "mode": "managed", "type": kind, "name": "x", "index": key,
                "provider_name": provider, "values": values, "sensitive_values": {}, "depends_on": needs,
            })
    state = {"format_version": "1.0", "terraform_version": "1.11.0", "values": {"root_module": {"resources": resources}}}
    (tmp_path / "state.json").write_text(json.dumps(state))
    run = auditor("check", "state.json", policy=ALLOW)
    subnets = {x["address"]: x["countries"] for x in run.report["locations"] if x["address"].startswith("azurerm_subnet")}
    assert subnets == {f'azurerm_subnet.x["{k}"]': [c] for k, c in (("a", "NL"), ("b", "US"), ("c", "NL"))}


def test_deposed_objects_of_a_state_are_not_judged(auditor: Auditor, tmp_path: Path) -> None:
    state = json.loads((PLANS / "a-eu-alias" / "state.json").read_bytes())
    (tmp_path / "state.json").write_text(json.dumps(state))
    before = auditor("check", "state.json", policy=ALLOW).report["coverage"]["resources"]
    root = state["values"]["root_module"]["resources"]
    root.append({**root[0], "deposed_key": "0a1b2c3d"})
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert auditor("check", "state.json", policy=ALLOW).report["coverage"]["resources"] == before


@pytest.mark.parametrize("form", ["text", "sarif", "markdown", "html", "gitlab"])
def test_numbers_of_thousands_of_digits(auditor: Auditor, form: str) -> None:
    plan = PLANS.parent / "corpus" / "plan" / "numbers-of-thousands-of-digits.json"
    assert auditor("check", str(plan), "--format", form, policy=ALLOW, json_report=False).code == 1
