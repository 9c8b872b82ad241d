"""Every row of the sizing and fabric tables, walked: a minimal plan for each, its twins, and the job that must be read.

`tests/interconnect/*.csv` are the tables (scripts/import_interconnect_rows.py). `tests/interconnect/*.yaml` gives for each row

    row       the row's key: `resource type`, or `resource type | attribute path` in the fabric table
    plan      the smallest good plan (`auditor.policytest.to_plan`); `refs: {"launch_template[].id": aws_launch_template.a}`
              writes an attribute that is unknown at plan time and refers to another resource (`[]` after a block)
    job       the job it must give; every key is compared, so a case asserts what its row is about
    twins     edits of that plan, each with the job it must give: `drop: [address path]`, `set: {"address path": value}`
    rule      instead of a job: the rule whose two-sided cases show the row, and a word of its cases that proves it
    left_out  the reason why nothing can show it

A plan must hold a resource type of its row; a twin must change an attribute that the row names, and nothing else.
"""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.catalog import Catalog, data_dir
from auditor.cli.common import known_rules
from auditor.config import load_config
from auditor.load.plan import load
from auditor.model import Job, Report
from auditor.pipeline import audit
from auditor.policytest import to_plan
from auditor.rules import select

HERE = Path(__file__).parent / "interconnect"
RULES = Path(__file__).parent / "rules"
CATALOG = Catalog()
EVERY = known_rules()


def table(name: str) -> dict[str, dict[str, str]]:
    """The rows of a table by key."""
    with (HERE / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    keyed: dict[str, dict[str, str]] = {}
    for r in rows:
        key = f"{r['resource_type']} | {r['attribute_path']}" if "attribute_path" in r else r["resource_type"]
        keyed[key if key not in keyed else f"{key} | {r['fabric']}"] = r
    assert len(keyed) == len(rows)
    return keyed


TABLES = {name: table(name) for name in ("sizing", "fabric_requirements")}
CASES: dict[str, list[dict[str, Any]]] = {n: yaml.safe_load((HERE / f"{n}.yaml").read_text("utf-8")) for n in TABLES}


GROUPS: list[dict[str, Any]] = yaml.safe_load((HERE / "groups.yaml").read_text("utf-8"))


def cases() -> Iterator[Any]:
    for name, given in CASES.items():
        for i, case in enumerate(given):
            if "plan" in case:
                yield pytest.param(name, case, id=f"{name}-{i}-{case['row']}"[:90])


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_walked_or_left_out_with_a_reason(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows, given = TABLES[name], CASES[name]
    strangers = [c["row"] for c in given if c["row"] not in rows]
    assert strangers == [], "cases of no row"
    walked = {c["row"] for c in given if "plan" in c}
    by_rule = {c["row"] for c in given if "rule" in c} - walked
    left_out = {c["row"]: c["left_out"] for c in given if "left_out" in c}
    assert sorted(set(rows) - walked - by_rule - set(left_out)) == [], "rows without a case or a reason"
    assert sorted(walked & set(left_out)) == []
    assert all(len(reason) > 20 for reason in left_out.values())
    with capsys.disabled():
        shown = f"{len(walked)} walked, {len(by_rule)} shown by a rule's cases, {len(left_out)} left out"
        print(f"\n{name}: {len(rows)} rows, {shown}")


@pytest.mark.parametrize("case", [c for g in CASES.values() for c in g if "rule" in c], ids=lambda c: c["row"][:70])
def test_the_rules_cases_show_the_row(case: dict[str, Any]) -> None:
    assert case["rule"] in EVERY
    text = (RULES / f"{case['rule']}.yaml").read_text(encoding="utf-8")
    assert case["word"] in text, f"no case of {case['rule']} speaks of {case['word']}"


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_row(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    row = TABLES[name][case["row"]]
    plan = case["plan"]
    types = {r["address"].removeprefix("data.").partition(".")[0] for r in plan["resources"]}
    assert any(_stands_for(t, row) for t in types)
    check(read(plan, case, tmp_path), case["job"], "good")
    for twin in case.get("twins", ()):
        text = " ".join(v for k, v in row.items() if k not in ("source", "confidence", "date"))
        assert any(_last(path) in text for path in changed(twin)) or twin.get("count"), f"{twin}: the row names nothing of it"
        check(read(edited(plan, twin), {**case, **twin}, tmp_path), twin["job"], json.dumps(twin))


@pytest.mark.parametrize("case", GROUPS, ids=lambda c: c["name"])
def test_group(case: dict[str, Any], tmp_path: Path) -> None:
    check(read(case["plan"], case, tmp_path), case["job"], "good")
    if "verdicts" in case:
        assert verdicts(case["plan"], case, tmp_path) == case["verdicts"]
    for twin in case.get("twins", ()):
        check(read(edited(case["plan"], twin), {**case, **twin}, tmp_path), twin["job"], json.dumps(twin))


def _stands_for(resource_type: str, row: dict[str, str]) -> bool:
    """`google_compute_(region_)instance_group_manager` and `same` stand for several types."""
    words = re.findall(r"[a-z][a-z0-9_]*(?:\(_?[a-z0-9]+_?\)[a-z0-9_]*)?", row["resource_type"])
    return any(re.fullmatch(w.replace("(", "(?:").replace(")", ")?"), resource_type) for w in words)


def changed(twin: dict[str, Any]) -> list[str]:
    return [*twin.get("drop", ()), *twin.get("set", {})]


def _last(path: str) -> str:
    """The attribute an edit is about: `aws_launch_template.a placement.0.group_name` -> group_name."""
    steps = [s for s in path.partition(" ")[2].split(".") if not s.isdigit()]
    return steps[-1] if steps else path.partition(".")[0]


def edited(plan: dict[str, Any], twin: dict[str, Any]) -> dict[str, Any]:
    """The plan with the edits of a twin; an edit of nothing is a mistake."""
    made = copy.deepcopy(plan)
    for path in twin.get("drop", ()):
        if not _forget(made, path):
            parent, key = _at(made, path)
            del parent[key]
    for path, value in twin.get("set", {}).items():
        parent, key = _at(made, path)
        assert not isinstance(parent, dict) or parent.get(key) != value, f"{path} is {value} already"
        parent[key] = value
        _forget(made, path)
    for address, number in twin.get("count", {}).items():
        next(r for r in made["resources"] if r["address"] == address)["count"] = number
    return made


SOURCES = {
    "oci": "oracle/oci", "nebius": "nebius/nebius", "crusoe": "crusoecloud/crusoe", "azapi": "azure/azapi",
    "ibm": "ibm-cloud/ibm", "ovh": "ovh/ovh", "verda": "verda-cloud/verda", "hyperstack": "nexgencloud/hyperstack",
    "vultr": "vultr/vultr", "lambdalabs": "elct9620/lambdalabs", "scaleway": "scaleway/scaleway",
}  # fmt: skip


def spelled(plan: dict[str, Any]) -> dict[str, Any]:
    """The fragment with its `refs` as unknown marks and references, and the sources of its providers."""
    made = copy.deepcopy(plan)
    prefixes = {strip_data(r["address"]).partition("_")[0] for r in made["resources"]}
    made.setdefault("providers", {k: {"source": s} for k, s in SOURCES.items() if k in prefixes})
    for r in made["resources"]:
        for path, targets in r.pop("refs", {}).items():
            references = [x for t in ([targets] if isinstance(targets, str) else targets) for x in (f"{t}.id", t)]
            _mark(r.setdefault("unknown", {}), path.split("."), True)
            _mark(r.setdefault("expressions", {}), path.split("."), {"references": references})
    return made


def strip_data(address: str) -> str:
    return address.removeprefix("data.")


def _mark(node: dict[str, Any], steps: list[str], leaf: Any) -> None:
    for step in steps[:-1]:
        name = step.removesuffix("[]")
        inner = node.setdefault(name, [{}] if step.endswith("[]") else {})
        node = inner[0] if isinstance(inner, list) else inner
    node[steps[-1]] = leaf


def _at(plan: dict[str, Any], path: str) -> tuple[Any, Any]:
    address, _, attribute = path.partition(" ")
    found = next(r for r in plan["resources"] if r["address"] == address)
    if not attribute:
        return plan["resources"], plan["resources"].index(found)
    *steps, last = [int(s) if s.isdigit() else s for s in attribute.split(".")]
    node: Any = found.setdefault("values", {})
    for step in steps:
        node = node[step]
    return node, last


def _forget(plan: dict[str, Any], path: str) -> bool:
    """What is dropped or set is no reference any more. Whether that was all there is of it."""
    address, _, attribute = path.partition(" ")
    bare = re.sub(r"\.\d+(?=\.|$)", "", attribute)
    for r in plan["resources"]:
        if attribute and r["address"] == address:
            refs = r.get("refs", {})
            r["refs"] = {k: v for k, v in refs.items() if not f"{k.replace('[]', '')}.".startswith(f"{bare}.")}
            return len(r["refs"]) < len(refs) and not (bare == attribute and bare in r.get("values", {}))
    return False


def read(plan: dict[str, Any], case: dict[str, Any], tmp_path: Path) -> list[Job]:
    return list(audited(plan, case, tmp_path).jobs)


def verdicts(plan: dict[str, Any], case: dict[str, Any], tmp_path: Path) -> list[str]:
    """What NET001-NET004 say, as `NET001 fail error ADDRESS`."""
    found = audited(plan, case, tmp_path).findings
    return [f"{f.rule} {f.kind} {f.level} {f.address}" for f in found if f.rule in ("NET001", "NET002", "NET003", "NET004")]


def audited(plan: dict[str, Any], case: dict[str, Any], tmp_path: Path) -> Report:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(to_plan(spelled(plan))), encoding="utf-8")
    policy, workload = tmp_path / "policy.json", None
    policy.write_text(json.dumps({"version": 1, **case.get("policy", {})}), encoding="utf-8")
    if "workload" in case:
        workload = tmp_path / "workload.json"
        workload.write_text(json.dumps({"version": 1, **case["workload"]}), encoding="utf-8")
    config = load_config(
        str(policy), workload, {}, index=CATALOG.index, rules=EVERY, as_of="2026-11-20", cwd=tmp_path,
        policies_dir=data_dir("policies"),
    )  # fmt: skip
    plans = list(load(str(file), bytes))
    return audit(plans, config, CATALOG, select(EVERY.values(), ["NET"], {}), EVERY, date(2026, 11, 20))


def check(jobs: list[Job], want: dict[str, Any] | None, what: str) -> None:
    """`want` is None where nothing holds accelerators."""
    if want is None:
        assert jobs == [], what
        return
    if "jobs" in want:
        assert [j.name for j in jobs] == want["jobs"], what
    job = jobs[0] if "name" not in want else next(j for j in jobs if j.name == want["name"])
    if "jobs" not in want and "name" not in want:
        assert len(jobs) == 1, f"{what}: {[j.name for j in jobs]}"
    seen = shown(job)
    for key, value in want.items():
        if key in ("missing", "cause"):
            assert value in seen[key], f"{what}: {key}: {seen[key]}"
        elif key not in ("jobs", "name"):
            assert seen[key] == value, f"{what}: {key}: {seen}"


def shown(job: Job) -> dict[str, Any]:
    def span(low: int | None, high: int | None) -> str:
        first, last = ("?" if n is None else str(n) for n in (low, high))
        return first if first == last else f"{first}-{last}"

    word = {True: "yes", False: "no", None: "?"}
    return {
        "nodes": span(job.nodes_min, job.nodes_max),
        "gpus": span(job.gpus_min, job.gpus_max),
        "types": ",".join(job.instance_types),
        "fabric": job.fabric,
        "state": job.raw_state,
        "needed": job.fabric_state != "not_needed",
        "missing": "; ".join(job.missing),
        "cause": job.cause,
        "zones": ",".join(job.zones),
        "zones_max": job.zones_max,
        "domains": span(job.domains_min, job.domains_max),
        "spot": word[job.spot],
        "reservation": word[job.reservation],
        "block": job.capacity_block,
        "placement": job.placement,
        "role": job.role,
        "dynamic": job.dynamic_nodes,
        "type_unknown": job.type_unknown,
        "unlisted": ",".join(job.unknown_types),
    }
