"""Go or no-go: every verdict of every gate, its exit code, and what each page says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.catalog import Catalog, data_dir
from auditor.cli.common import known_rules
from auditor.cli.gates import exit_code
from auditor.config import load_config
from auditor.documents import load_schema
from auditor.gates import RULES, GateFacts, Graded, judge_gates, overall
from auditor.load.plan import load
from auditor.model import Finding, Gate, Job, Level, Report
from auditor.pipeline import audit
from auditor.policytest import to_plan
from auditor.report import gates as page
from auditor.rules import select
from auditor.workload import Declared

CATALOG, EVERY = Catalog(), known_rules()
BUCKET = {"address": "aws_s3_bucket.gold", "values": {"bucket": "g", "region": "eu-central-1"}}
CLUSTER = {"address": "coreweave_cks_cluster.train", "values": {"name": "t"}}
HUB = {"providers": {"aws": {"region": "eu-central-1"}}, "resources": [BUCKET]}
SPOKE = {"providers": {"coreweave": {"source": "coreweave/coreweave"}}, "resources": [BUCKET, CLUSTER]}
ENDPOINT = {
    "resources": [
        {
            "address": "aws_sagemaker_endpoint_configuration.s",
            "values": {"region": "eu-central-1", "production_variants": [{"instance_type": "ml.p5.48xlarge"}]},
        }
    ]
}


def run(
    folder: Path, plan: dict[str, Any], policy: dict[str, Any] | None = None, workload: dict[str, Any] | None = None
) -> Report:
    (folder / "plan.json").write_text(json.dumps(to_plan(plan)))
    (folder / "policy.json").write_text(json.dumps({"version": 1, **(policy or {})}))
    manifest = None
    if workload is not None:
        manifest = folder / "workload.json"
        manifest.write_text(json.dumps({"version": 1, **workload}))
    config = load_config(
        str(folder / "policy.json"), manifest, {}, index=CATALOG.index, rules=EVERY, as_of="2026-11-20", cwd=folder,
        policies_dir=data_dir("policies"),
    )  # fmt: skip
    rules = select(EVERY.values(), (), {k: v.off for k, v in config.rules.items()})
    return audit(list(load(str(folder / "plan.json"), bytes)), config, CATALOG, rules, EVERY, date(2026, 11, 20))


def gate(report: Report, number: int) -> Gate:
    return report.gates[number - 1]


COSTS = {"monthly_usd": {"hub": 100000, "spoke": 55000}, "data_home": "aws:eu-central-1"}


@pytest.mark.parametrize(
    ("plan", "workload", "verdict", "says"),
    [
        (HUB, None, "N/A", "no dataset declared"),
        (SPOKE, None, "UNDECIDED", "declare workload.dataset_tb"),
        (SPOKE, {"role": "training"}, "UNDECIDED", "declare workload.dataset_tb"),
        (SPOKE, {"dataset_tb": 80, **COSTS}, "UNDECIDED", "what moves is not known"),
        (SPOKE, {"dataset_tb": 80, **COSTS, "savings_pct": 1, "transfer": {"mode": "full_once"}}, "NO-GO", "16.0% of the"),
        (
            SPOKE,
            {"dataset_tb": 2000, **COSTS, "pattern": "jit",
             "transfer": {"mode": "shards", "active_fraction": 0.01, "runs_per_month": 1}},
            "GO", "saving 45.0% is > 40%",
        ),
        (SPOKE, {"dataset_tb": 80, "data_home": "aws:eu-central-1", "savings_pct": 40}, "NO-GO", "saving 40.0% is not > 40%"),
    ],
)  # fmt: skip
def test_gate_1(tmp_path: Path, plan: dict[str, Any], workload: dict[str, Any] | None, verdict: str, says: str) -> None:
    found = gate(run(tmp_path, plan, workload=workload), 1)
    assert (found.verdict, says in found.summary) == (verdict, True), found


def test_gate_1_lists_each_lacking_fact_once(tmp_path: Path) -> None:
    found = gate(run(tmp_path, SPOKE, workload={"role": "training", "data_home": "aws:eu-central-1"}), 1)
    assert sorted(found.declare) == ["workload.dataset_tb", "workload.transfer"]


def test_gate_1_says_what_would_pass(tmp_path: Path) -> None:
    found = gate(run(tmp_path, SPOKE, workload={"dataset_tb": 80, **COSTS, "monthly_usd": {"hub": 100000, "spoke": 65000}}), 1)
    assert "find a spoke for $59,999.99 a month or less" in found.break_even
    assert found.rules == ("ECO001",)


@pytest.mark.parametrize(
    ("policy", "workload", "verdict", "says"),
    [
        ({"allow": ["EU"]}, None, "UNDECIDED", "declare workload.regulated"),
        ({}, None, "UNDECIDED", "declare allow"),
        ({}, {"regulated": False}, "N/A", "no allow list"),
        ({"allow": ["EU"]}, {"regulated": False}, "GO", "regulated: false; 1/1 locations in EU"),
        ({"allow": ["EU"]}, {"regulated": ["gdpr"]}, "GO", "regulated: gdpr; 1/1 locations in EU"),
        ({"allow": ["FR"]}, {"regulated": ["gdpr"]}, "NO-GO", "eu-central-1 (DE)"),
        ({}, {"regulated": True}, "NO-GO", "there is no allow list"),
    ],
)
def test_gate_3(
    tmp_path: Path, policy: dict[str, Any], workload: dict[str, Any] | None, verdict: str, says: str
) -> None:
    found = gate(run(tmp_path, HUB, policy, workload), 3)
    assert (found.verdict, says in found.summary) == (verdict, True), found


@pytest.mark.parametrize(
    ("plan", "workload", "verdict", "says"),
    [
        (HUB, {"inference_24x7": True}, "N/A", "no inference capacity"),
        (ENDPOINT, None, "UNDECIDED", "declare workload.inference_24x7"),
        (ENDPOINT, {"role": "inference"}, "UNDECIDED", "declare workload.inference_24x7"),
        (ENDPOINT, {"inference_24x7": False}, "GO", "declared not to run 24/7"),
        (ENDPOINT, {"inference_24x7": True}, "NO-GO", "no repatriation record"),
        (
            ENDPOINT, {"inference_24x7": True, "repatriation": {"decision": "stay", "date": "2026-10-05"}}, "GO",
            "repatriation analysed on 2026-10-05: stay",
        ),
    ],
)  # fmt: skip
def test_gate_4(tmp_path: Path, plan: dict[str, Any], workload: dict[str, Any] | None, verdict: str, says: str) -> None:
    found = gate(run(tmp_path, plan, workload=workload), 4)
    assert (found.verdict, says in found.summary) == (verdict, True), found


def test_gate_4_is_no_go_at_any_level_of_its_rule(tmp_path: Path) -> None:
    policy = {"rules": {"ECO003": {"level": "note"}}}
    report = run(tmp_path, ENDPOINT, policy, {"inference_24x7": True})
    assert [f.level for f in report.findings if f.rule == "ECO003"] == ["note"]
    assert gate(report, 4).verdict == "NO-GO"


def test_a_rule_switched_off_decides_nothing(tmp_path: Path) -> None:
    report = run(tmp_path, HUB, {"rules": {"ECO001": {"level": "off", "reason": "prices are secret"}}}, {"dataset_tb": 1})
    assert gate(report, 1).verdict == "UNDECIDED"
    assert "ECO001 is off (prices are secret)" in gate(report, 1).summary


def test_a_partial_plan_is_never_a_go(tmp_path: Path) -> None:
    workload = {"dataset_tb": 1, "data_home": "aws:eu-central-1"}
    report = run(tmp_path, {**HUB, "raw": {"errored": True}}, {"allow": ["EU"]}, workload)
    assert gate(report, 1).verdict == "UNDECIDED"
    assert "partial plan" in gate(report, 1).summary


def test_a_waived_finding_is_a_remark(tmp_path: Path) -> None:
    waiver = {"rule": "ECO001", "address": ".", "reason": "board, 2026-11", "expires": "2026-12-31"}
    workload = {"dataset_tb": 80, "data_home": "aws:eu-central-1", "savings_pct": 40}
    found = gate(run(tmp_path, SPOKE, {"waivers": [waiver]}, workload), 1)
    assert found.verdict != "NO-GO"
    assert any(r.startswith("ECO001 waived: ") for r in found.remarks)


# --- gate 2, from jobs and findings as records -------------------------------------------------------


def job(**changes: Any) -> Job:
    given: dict[str, Any] = {
        "name": "vm.train", "cloud": "a", "addresses": ("vm.train",), "role": "training", "role_reason": "declared",
        "nodes_min": 2, "nodes_max": 2, "gpus_min": 16, "gpus_max": 16, "instance_types": ("Standard_ND96isr_H100_v5",),
        "accelerators": ("H100",), "fabric": "infiniband", "fabric_state": "on", "zones": ("1",), "zones_max": 1,
        "regions": ("r",),
    }  # fmt: skip
    return Job(**{**given, **changes})


def finding(rule: str, level: Level, kind: Any = "fail") -> Graded:
    said = Finding(rule, kind, level, "vm.train", "", "seen", "wanted", f"{rule} speaks.", "mend it", "0", job="vm.train")
    return Graded(said, level)


def latency(graded: list[Graded], jobs: list[Job], **manifest: Any) -> Gate:
    return judge_gates(GateFacts(graded, jobs=jobs, declared=Declared(manifest)))[1]


def test_gate_2() -> None:
    go = latency([], [job()])
    assert (go.verdict, go.summary) == ("GO", "16 GPUs on InfiniBand (Standard_ND96isr_H100_v5), one zone")
    assert latency([], []).verdict == "N/A"
    assert latency([finding("NET001", "error")], [job()]).verdict == "NO-GO"
    assert latency([finding("NET008", "warning")], [job()]).verdict == "GO"
    assert latency([finding("NET008", "warning")], [job()]).remarks == ("NET008 warning: NET008 speaks",)
    assert latency([finding("NET004", "note", "open")], [job()]).verdict == "UNDECIDED"
    undecided = latency([finding("NET001", "warning")], [job(role="unknown")])
    assert (undecided.verdict, undecided.declare) == ("UNDECIDED", ("the role of vm.train (workload.jobs)",))


def test_gate_2_says_which_rules_it_does_not_hold() -> None:
    facts = {"jobs": [job()], "declared": Declared({})}
    later = judge_gates(GateFacts([], missing={"NET010": "is not in this version"}, **facts))[1]
    assert (later.verdict, later.remarks) == ("GO", ("not checked in this version: NET010",))
    assert "NET010" not in later.rules
    core = judge_gates(GateFacts([], missing={"NET001": "is not in this version"}, **facts))[1]
    assert core.verdict == "UNDECIDED"
    off = judge_gates(GateFacts([], missing={"NET010": "is off (slow)"}, **facts))[1]
    assert (off.verdict, "NET010 is off (slow)" in off.summary) == ("UNDECIDED", True)


@pytest.mark.parametrize(("p99", "verdict"), [(0.99, "GO"), (1.0, "NO-GO"), (2.0, "NO-GO"), (5.0, "NO-GO")])
def test_gate_2_measured(p99: float, verdict: str) -> None:
    found = latency([], [job()], measurements=[{"between": ["a", "b"], "p99_ms": p99}])
    assert found.verdict == verdict
    assert (found.rules == ("NET007",)) == (verdict == "NO-GO")


def test_overall_is_the_worst() -> None:
    def made(*verdicts: Any) -> str:
        return overall([Gate(1, "x", v, "") for v in verdicts])

    assert made("GO", "N/A") == "GO"
    assert made("GO", "UNDECIDED", "N/A") == "UNDECIDED"
    assert made("UNDECIDED", "NO-GO") == "NO-GO"
    assert sum(len(r) for r in RULES.values()) == len({r for rules in RULES.values() for r in rules})


# --- the pages and the way out -----------------------------------------------------------------------


def test_pages(tmp_path: Path) -> None:
    workload = {"dataset_tb": 80, "data_home": "aws:eu-central-1", "savings_pct": 35, "inference_24x7": False}
    report = run(tmp_path, SPOKE, {"allow": ["EU"]}, workload)
    text, markdown, data = page.text(report), page.markdown(report), json.loads(page.as_json(report))
    assert text.startswith("GATE 1 Data gravity    NO-GO      80 TB > 50 TB and saving 35.0% is not > 40%")
    assert text.rstrip().endswith("OVERALL NO-GO")
    assert text.count("1 TB = 1000 GB") == 1
    assert markdown.startswith("## Gates: NO-GO")
    assert data["overall"] == "NO-GO"
    assert [g["number"] for g in data["gates"]] == [1, 2, 3, 4]
    assert data["hydration"]["spokes"] == ["coreweave"]
    assert text == page.text(run(tmp_path, SPOKE, {"allow": ["EU"]}, workload))


@pytest.mark.parametrize(
    ("verdicts", "strict", "zero", "code"),
    [
        (["GO", "N/A"], False, False, 0), (["NO-GO"], False, False, 1), (["NO-GO"], False, True, 0),
        (["UNDECIDED"], False, False, 0), (["UNDECIDED"], True, False, 2), (["UNDECIDED", "NO-GO"], True, True, 2),
    ],
)  # fmt: skip
def test_exit_codes(tmp_path: Path, verdicts: list[Any], strict: bool, zero: bool, code: int) -> None:
    import msgspec

    gates = tuple(Gate(1, "x", v, "") for v in verdicts)
    report = msgspec.structs.replace(run(tmp_path, HUB), gates=gates, overall=overall(gates))
    assert exit_code(report, strict, zero) == code


# --- the published schema ------------------------------------------------------------------------------

SCHEMA = jsonschema.Draft202012Validator(load_schema("gates"))


def mistakes(report: Report) -> list[str]:
    return [e.message for e in SCHEMA.iter_errors(json.loads(page.as_json(report)))]


@pytest.mark.parametrize(
    ("plan", "workload"),
    [
        (HUB, None), (SPOKE, {"pattern": "jit", "regulated": ["gdpr"], "dataset_tb": 80}), (ENDPOINT, {"inference_24x7": True}),
        (SPOKE, {"dataset_tb": 80, "data_home": "aws:eu-central-1", "monthly_usd": {"hub": 100000, "spoke": 65000}}),
    ],
)  # fmt: skip
def test_json_fits_its_published_schema(tmp_path: Path, plan: dict[str, Any], workload: dict[str, Any] | None) -> None:
    assert mistakes(run(tmp_path, plan, {"allow": ["EU"]}, workload)) == []


def test_the_gates_of_every_recorded_plan_fit(tmp_path: Path) -> None:
    for path in sorted((Path(__file__).parent / "plans").glob("*/plan.json")):
        config = load_config(
            "eu-gdpr", None, {}, index=CATALOG.index, rules=EVERY, as_of="2026-11-20", cwd=tmp_path,
            policies_dir=data_dir("policies"),
        )  # fmt: skip
        rules = select(EVERY.values(), (), {})
        report = audit(list(load(str(path), bytes)), config, CATALOG, rules, EVERY, date(2026, 11, 20))
        assert mistakes(report) == [], path


def test_the_schema_is_closed() -> None:
    assert [e.validator for e in SCHEMA.iter_errors({"schema": "auditor-gates/1", "verdict": "GO"})].count("required") == 11
    assert any(e.validator == "additionalProperties" for e in SCHEMA.iter_errors({"verdict": "GO"}))
