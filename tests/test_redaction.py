"""Nothing that Terraform marks sensitive comes out: not in a report of any format, an error, a notice or a traceback.

Two canaries over every recorded plan and state. The first plants a marker at each place that is marked sensitive, and in
places that hold secrets without a mark. The second marks every value sensitive and leaves it as it is, so that the paths
that read a region, a SKU or a replica are walked with the real thing: whatever comes out then must come from elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from inprocess import RECORDED, STATES, judge, render, run

from auditor.policytest import to_plan
from auditor.report import FORMATS

MARK = "CANARY"
POLICIES: list[dict[str, Any]] = [{"allow": ["EU"]}, {"allow": ["DE"]}, {}]
REGULATED = {"workload": {"name": "w", "regulated": ["gdpr"], "role": "training"}}
LEVELS = {"after": "after_sensitive", "before": "before_sensitive"}


class Planter:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"{MARK}-{self.count:04d}"

    def everywhere(self, value: Any) -> Any:
        """The same shape with a marker for each scalar."""
        if isinstance(value, dict):
            return {k: self.everywhere(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.everywhere(v) for v in value]
        return self() if isinstance(value, str | int | float) and not isinstance(value, bool) else value

    def marked(self, value: Any, marks: Any) -> Any:
        if marks is True:
            return self.everywhere(value) if value is not None else value
        if isinstance(value, dict) and isinstance(marks, dict):
            return {k: self.marked(v, marks.get(k)) for k, v in value.items()}
        if isinstance(value, list) and isinstance(marks, list):
            return [self.marked(v, m) for v, m in zip(value, [*marks, *[None] * len(value)], strict=False)]
        return value


def changes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("resource_changes", "resource_drift"):
        yield from plan.get(key, ())


def modules(values: Any) -> Iterator[dict[str, Any]]:
    """Every module with resources, of planned values, prior state or a state."""
    if isinstance(values, dict):
        root = values.get("root_module") or values
        yield root
        for child in root.get("child_modules", ()):
            yield from modules({"root_module": child})


def holders(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for values in (plan.get("planned_values"), plan.get("values"), (plan.get("prior_state") or {}).get("values")):
        if values:
            yield values


def plant(plan: dict[str, Any]) -> int:
    """Markers at each sensitive place; how many."""
    new = Planter()
    for r in changes(plan):
        change = r["change"]
        for key, marks in LEVELS.items():
            change[key] = new.marked(change.get(key), change.get(marks))
            if isinstance(change.get(key), dict) and change[key]:  # and places that recorded plans do not show
                change[key] |= {"secret_wo": new(), "nested": [{"deep": {"secret": new()}}], "whole": {"a": [new()]}}
                marked = change[marks] if isinstance(change.get(marks), dict) else {}
                change[marks] = marked | {"secret_wo": True, "nested": [{"deep": {"secret": True}}], "whole": True}
    for values in holders(plan):
        for module in modules(values):
            for r in module.get("resources", ()):
                r["values"] = new.marked(r.get("values"), r.get("sensitive_values"))
                if isinstance(r["values"], dict):
                    r["values"]["secret_wo"] = new()
                    r["sensitive_values"] = {**(r.get("sensitive_values") or {}), "secret_wo": True}
        outputs = values.setdefault("outputs", {})
        outputs["planted"] = {"sensitive": True, "value": new(), "type": "string"}
        for output in outputs.values():
            if output.get("sensitive"):
                output["value"] = new.everywhere(output.get("value"))
    plan.setdefault("output_changes", {})["planted"] = {
        "actions": ["create"], "before": new(), "after": new(), "before_sensitive": True, "after_sensitive": True,
    }  # fmt: skip
    configuration = plan.get("configuration", {})
    root = configuration.setdefault("root_module", {})
    root.setdefault("variables", {})["planted"] = {"sensitive": True, "default": new()}
    variables = plan.setdefault("variables", {})
    variables["planted"] = {"value": new()}
    for name, declared in root["variables"].items():
        if declared.get("sensitive"):
            declared["default"] = new()
            if name in variables:
                variables[name]["value"] = new.everywhere(variables[name]["value"])
    for block in configuration.get("provider_config", {}).values():
        block.setdefault("expressions", {}).update(
            {"secret_key": {"constant_value": new()}, "token": {"references": ["var.planted"]}}
        )
    return new.count


def all_sensitive(plan: dict[str, Any]) -> None:
    """Every value marked, none changed."""
    for r in changes(plan):
        for key, marks in LEVELS.items():
            if r["change"].get(key) is not None:
                r["change"][marks] = True
    for values in holders(plan):
        for module in modules(values):
            for r in module.get("resources", ()):
                r["sensitive_values"] = dict.fromkeys(r.get("values") or {}, True)
    for declared in plan.get("configuration", {}).get("root_module", {}).get("variables", {}).values():
        declared["sensitive"] = True


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for v in value.values():
            yield from leaves(v)
    elif isinstance(value, list):
        for v in value:
            yield from leaves(v)
    elif isinstance(value, str):
        yield value


def values_of(plan: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for r in changes(plan):
        for key in LEVELS:
            found.update(leaves(r["change"].get(key)))
    for values in holders(plan):
        for module in modules(values):
            for r in module.get("resources", ()):
                found.update(leaves(r.get("values")))
    found.update(leaves({k: v.get("value") for k, v in plan.get("variables", {}).items()}))
    return found


def emptied(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan without any value: what a report on it says, it says of its own."""
    bare = json.loads(json.dumps(plan))
    for r in changes(bare):
        for key in LEVELS:
            if r["change"].get(key) is not None:
                r["change"][key] = {}
    for values in holders(bare):
        for module in modules(values):
            for r in module.get("resources", ()):
                r["values"] = {}
    for variable in bare.get("variables", {}).values():
        variable["value"] = None
    return bare


def told(plan: dict[str, Any], policy: dict[str, Any], workload: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    report = judge(plan, policy=policy, workload=workload)
    for name in FORMATS:
        yield name, render(report, name)


@pytest.mark.parametrize("path", [*RECORDED, *STATES], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_marker_comes_out(path: Path) -> None:
    plan = json.loads(path.read_bytes())
    assert plant(plan) > 3
    for policy in POLICIES:
        for workload in (None, REGULATED["workload"]):
            for name, text in told(plan, policy, workload):
                assert MARK not in text, (name, _around(text, MARK))


@pytest.mark.parametrize("path", [*RECORDED, *STATES], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_value_comes_out_when_all_are_sensitive(path: Path) -> None:
    plan = json.loads(path.read_bytes())
    own = json.dumps({**emptied(plan), "prior_state": None})
    all_sensitive(plan)
    secrets = {v for v in values_of(plan) if len(v) > 3 and v not in own}
    bare = emptied(plan)
    for policy in POLICIES:
        said = dict(told(bare, policy, None))
        for name, text in told(plan, policy, None):
            words = set(re.findall(r"[\w./:-]+", text)) - set(re.findall(r"[\w./:-]+", said[name]))
            judged = judge(plan, policy=policy)
            titles = {r.id: r.title for r in judged.rules}  # shipped text, which may name a value that a plan happens to hold
            offered = {w for f in judged.findings for w in re.findall(r"[\w./:-]+", f"{f.remediation} {titles.get(f.rule, '')}")}
            leaked = {s for s in secrets - offered if s in words}
            # What stands there whatever the value is comes from a shipped table, not from the plan.
            leaked = {s for s in leaked if s not in re.findall(r"[\w./:-]+", dict(told(with_other(plan, s), policy, None))[name])}
            assert not leaked, (name, {s: _around(text, s) for s in leaked})


def with_other(plan: Any, secret: str) -> Any:
    """The same plan with another value in place of every `secret`."""
    if isinstance(plan, dict):
        return {k: with_other(v, secret) for k, v in plan.items()}
    if isinstance(plan, list):
        return [with_other(v, secret) for v in plan]
    return "another" if plan == secret else plan


def _around(text: str, word: str) -> str:
    at = text.find(word)
    return text[max(0, at - 200) : at + 100]


def _cli_texts(plan: bytes, folder: Path, *args: str) -> str:
    (folder / "plan.json").write_bytes(plan)
    (folder / "policy.yaml").write_text("version: 1\nallow: [EU]\n")
    env = {"AUDITOR_TRACEBACK": "1"}
    done = run("check", "plan.json", "--policy", "policy.yaml", "--verbose", *args, cwd=folder, env=env)
    return done.out + done.err


BREAKS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "cut off": lambda data: data[: int(len(data) * 0.6)],
    "a control character in a secret": lambda data: data.replace(MARK.encode(), b"\x01" + MARK.encode()),
    "a broken escape in a secret": lambda data: data.replace(MARK.encode(), b"\\x" + MARK.encode()),
    "invalid UTF-8 in a secret": lambda data: data.replace(MARK.encode(), b"\xff" + MARK.encode()),
    "a secret as a type": lambda data: re.sub(rb'"type": "[^"]*"', b'"type": ["CANARY"]', data),
    "a secret as an action": lambda data: data.replace(b'["create"]', b'"CANARY"'),
    "a secret as a version": lambda data: re.sub(rb'"format_version": "[^"]*"', b'"format_version": 7, "x": "CANARY"', data),
    "not JSON": lambda data: b"CANARY " * 3,
}


@pytest.mark.parametrize("broken", BREAKS)
def test_no_marker_comes_out_of_errors(tmp_path: Path, broken: str) -> None:
    plan = json.loads((RECORDED[0].parent.parent / "g-unknown-sensitive" / "plan.json").read_bytes())
    plant(plan)
    said = _cli_texts(BREAKS[broken](json.dumps(plan).encode()), tmp_path)
    assert said
    assert MARK not in said, _around(said, MARK)


def test_a_traceback_tells_no_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst case: a bug whose exception holds a secret, chained to another, with the traceback asked for."""

    def crash(*_: object, **__: object) -> None:
        try:
            int(f"{MARK}-1")
        except ValueError as e:
            raise KeyError(f"{MARK}-2") from e

    monkeypatch.setattr("auditor.pipeline.audit", crash)
    said = _cli_texts((RECORDED[0]).read_bytes(), tmp_path)
    assert "internal error KeyError" in said
    assert "test_redaction.py" in said  # where it happened is told
    assert "ValueError" in said
    assert MARK not in said, said


def test_dump_tells_no_sensitive_place(tmp_path: Path) -> None:
    path = next(p for p in RECORDED if p.parent.name == "g-unknown-sensitive")
    said = run("dump", str(path), cwd=tmp_path).out
    line = next(x for x in said.splitlines() if x.startswith("aws_s3_bucket.secret_region"))
    assert "us-east-1" not in line
    assert "(sensitive)" in line


QUEUE = {"address": "aws_sqs_queue.q", "values": {"name": "q"}}
REGION = "us-gov-west-1"  # one that no remedy would offer


def test_a_region_from_a_sensitive_output_is_withheld() -> None:
    calls = {"where": {"module": {"outputs": {"region": {"sensitive": True, "expression": {"constant_value": REGION}}}}}}
    providers = {"aws": {"region": {"references": ["module.where.region", "module.where"]}}}
    plan = to_plan({"providers": providers, "module_calls": calls, "resources": [QUEUE]})
    found = [f.rule for f in judge(plan).findings if f.address == "aws_sqs_queue.q"]
    assert found == ["SOV001"]
    assert not [name for name, text in told(plan, {"allow": ["EU"]}, None) if REGION in text]
    calls["where"]["module"]["outputs"]["region"]["sensitive"] = False
    plan = to_plan({"providers": providers, "module_calls": calls, "resources": [QUEUE]})
    assert REGION in dict(told(plan, {"allow": ["EU"]}, None))["text"]  # nothing else hides it


@pytest.mark.parametrize("marks", [{"value": True}, True, {}], ids=["the attribute", "all of it", "not marked"])
def test_a_region_from_a_sensitive_data_source_is_withheld(marks: Any) -> None:
    held = {
        "address": "data.aws_ssm_parameter.where", "mode": "data", "type": "aws_ssm_parameter", "name": "where",
        "provider_name": "registry.terraform.io/hashicorp/aws", "values": {"value": REGION}, "sensitive_values": marks,
    }  # fmt: skip
    reference = {"references": ["data.aws_ssm_parameter.where.value", "data.aws_ssm_parameter.where"]}
    plan = to_plan({
        "providers": {"aws": {"region": reference}}, "resources": [QUEUE],
        "raw": {"prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": [held]}}}},
    })  # fmt: skip
    found = [f.rule for f in judge(plan).findings if f.address == "aws_sqs_queue.q"]
    assert found == ["SOV001"]
    shown = {name for name, text in told(plan, {"allow": ["EU"]}, None) if REGION in text}
    assert bool(shown) is not bool(marks)


@pytest.mark.parametrize("hidden", [True, False])
def test_a_region_that_source_calls_sensitive_is_withheld(tmp_path: Path, hidden: bool) -> None:
    value = 'sensitive("us-gov-west-1")' if hidden else '"us-gov-west-1"'
    rest = 'provider "aws" {\n  region = local.where\n}\nresource "aws_sqs_queue" "q" {\n}\n'
    source = f"locals {{\n  where = {value}\n}}\n{rest}"
    (tmp_path / "main.tf").write_text(source, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text("version: 1\nallow: [EU]\n")
    for name in FORMATS:
        done = run("check", ".", "--policy", "policy.yaml", "--verbose", "--format", name, cwd=tmp_path)
        assert done.code == 1
        assert not hidden or REGION not in done.out + done.err, name
    assert hidden or REGION in run("check", ".", "--policy", "policy.yaml", cwd=tmp_path).out
