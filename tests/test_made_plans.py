"""Properties over configurations that nobody recorded: drawn whole, with the place of every resource known as it is drawn.

The examples come from a fixed seed; AUDITOR_FUZZ draws as many new ones.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
import transform
from fuzz_targets import whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inprocess import audited, judge, render
from made_plans import EU as EU_COUNTRIES
from made_plans import PLACE_OF, PLACES, SECRET, Made, Place, made
from test_metamorphic import _rename, _renamed, local, told

from auditor.cli.check import _exit_code
from auditor.levels import at_least
from auditor.load.hcl.inputs import SourceOptions
from auditor.load.lockfile import parse_lock
from auditor.load.plan import load
from auditor.load.source import with_source
from auditor.model import Report, strip_keys
from auditor.report import FORMATS

FUZZ = int(os.environ.get("AUDITOR_FUZZ", "0"))
GROWING = (["DE"], ["DE", "IE"], ["EU"], ["EU", "JP"], ["EU", "JP", "US"])
Fails = set[tuple[str, str]]


def _examples(number: int) -> settings:
    return settings(
        max_examples=FUZZ or number, derandomize=not FUZZ, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def _places(report: Report, wanted: dict[str, set[str]]) -> dict[str, set[str]]:
    """Address -> kinds of its findings about places; SOV003 speaks of the whole job."""
    found: dict[str, set[str]] = {a: set() for a in wanted}
    for f in report.findings:
        if f.rule.startswith("SOV"):
            named = [a for a in wanted if f.address in (a, strip_keys(a))]
            assert named, f
            for a in named:
                found[a].add(f.kind)
    return found


@_examples(90)
@given(made())
def test_every_resource_is_judged_by_where_it_comes_to_stand(drawn: Made) -> None:
    plan = drawn.plan()
    report = judge(plan)
    whole(report, plan)
    assert _places(report, drawn.expected()) == drawn.expected()


@_examples(35)
@given(made())
def test_jobs_are_counted_as_they_were_drawn(drawn: Made) -> None:
    report = judge(drawn.plan())
    found = {j.name: (j.nodes_min, j.nodes_max, j.gpus_min, j.gpus_max) for j in report.jobs}
    assert found == {name: (low, high, 8 * low, 8 * high) for name, (low, high) in drawn.jobs().items()}
    for name, efa in drawn.fabric().items():
        [job] = [j for j in report.jobs if j.name == name]
        triggers = job.nodes_max is not None and job.nodes_max > 1
        assert job.fabric_state == ("on" if efa else "off" if triggers else "not_needed"), job
    asked = {f.address: f.kind for f in report.findings if f.rule == "PLC001"}
    for name, (zones, most) in drawn.zones().items():
        [job] = [j for j in report.jobs if j.name == name]
        assert (sorted(job.zones), job.zones_max) == (zones, most)
        if job.nodes_max is not None and job.nodes_max > 1:
            assert asked.get(name) == (None if most == 1 else "open" if most is None else "fail"), job


@_examples(35)
@given(made(), st.integers(0, 999))
def test_the_same_written_otherwise(drawn: Made, seed: int) -> None:
    plan = drawn.plan()
    before = judge(plan)
    held = told(before)
    assert told(judge(transform.shuffled(plan, seed))) == held
    assert told(judge(_renamed(plan))) == told(before, _rename)
    for inside in (False, True):
        nested = judge(transform.wrapped(plan, providers_too=inside))
        assert sorted(_unwrapped(k) for k in told(nested)) == held
        assert nested.coverage.resources == before.coverage.resources


def _unwrapped(key: tuple[str, ...]) -> tuple[str, ...]:
    return (*key[:3], *(part.replace(f"{transform.WRAP}.", "") for part in key[3:]))


@_examples(35)
@given(made())
def test_counted_by_number_or_by_key(drawn: Made) -> None:
    plan = drawn.plan()
    before = sorted((r, k, lv, transform.keyed(a), p, o) for r, k, lv, a, p, o in told(judge(plan)))
    assert told(judge(transform.by_key(plan))) == before


@_examples(35)
@given(made())
def test_one_plan_or_two(drawn: Made) -> None:
    plan = drawn.plan()
    first, second = transform.halves(plan)
    apart, before = judge(first, second), judge(plan)
    assert apart.coverage.resources == before.coverage.resources
    assert [k for k in local(told(apart)) if k[0].startswith("SOV")] == [
        k for k in local(told(before)) if k[0].startswith("SOV")
    ]
    assert sorted((j.name, j.nodes_max, j.fabric_state) for j in apart.jobs) == sorted(
        (j.name, j.nodes_max, j.fabric_state) for j in before.jobs
    )


@_examples(35)
@given(made())
def test_a_longer_allow_list_fails_nothing_more(drawn: Made) -> None:
    plan = drawn.plan()
    before: Fails | None = None
    for allow in GROWING:
        report = judge(plan, policy={"allow": allow})
        fails = {(f.address, f.path) for f in report.findings if f.kind == "fail" and f.rule.startswith("SOV")}
        assert before is None or fails <= before, (allow, fails - (before or set()))
        before = fails
    assert before == set()  # every country that is drawn


@_examples(30)
@given(made(), st.randoms(use_true_random=False))
def test_what_becomes_unknown_fails_still_or_is_open(drawn: Made, rnd: random.Random) -> None:
    plan = drawn.plan()
    before = _decided(judge(plan))
    changes = [r for r in plan["resource_changes"] if r["change"]["after"] and r["type"] != "random_pet"]
    for r in rnd.sample(changes, min(len(changes), 3)):
        name = rnd.choice(sorted(r["change"]["after"]))
        less = copy.deepcopy(plan)
        [change] = [c["change"] for c in less["resource_changes"] if c["address"] == r["address"]]
        del change["after"][name]
        change["after_unknown"] = {**change["after_unknown"], name: True}
        _computed(less["configuration"]["root_module"], strip_keys(r["address"]).split("."), name)
        lost = before - _decided(judge(less), open_too=True)
        assert not lost, (r["address"], name, lost)


def _decided(report: Report, *, open_too: bool = False) -> Fails:
    """(set, address without keys) of what fails, advice (notes) aside; job rules answer for one another (NET002, NET004)."""
    return {
        ("SOV" if f.rule.startswith("SOV") else "JOB", strip_keys(f.address))
        for f in report.findings
        if f.rule.startswith(("SOV", "NET", "PLC", "CAP")) and (open_too or (f.kind == "fail" and f.level != "note"))
    }


def _computed(module: dict[str, Any], steps: list[str], name: str) -> None:
    """The expression of an attribute as one whose value the plan does not show."""
    while steps[0] == "module":
        module, steps = module["module_calls"][steps[1]]["module"], steps[2:]
    for block in module["resources"]:
        if block["address"] == ".".join(steps):
            block["expressions"][name] = {"references": ["local.computed"]}


@_examples(35)
@given(
    made(), st.sampled_from(["SOV001", "SOV002", "SOV004", "NET002"]), st.sampled_from(["*", "aws_*", "module.*", "*n1*", "*[*"])
)
def test_waived_and_unwaived_are_all(drawn: Made, rule: str, address: str) -> None:
    plan = drawn.plan()
    waiver = {"rule": rule, "address": address, "reason": "r", "expires": "2026-12-31", "owner": "o"}
    before, after = judge(plan), judge(plan, policy={"allow": ["EU"], "waivers": [waiver]})
    waived = [w.finding for w in after.waived]
    kept = [f for f in after.findings if not f.rule.startswith("META")]
    key = [(f.rule, f.kind, f.address, f.path, f.observed) for f in [*kept, *waived]]
    assert sorted(key) == sorted((f.rule, f.kind, f.address, f.path, f.observed) for f in before.findings if f.rule[:4] != "META")
    assert {f.rule for f in waived} <= {rule}
    assert after.summary.waived == len(waived)


@_examples(35)
@given(made(), st.sampled_from(["error", "warning", "note"]), st.sampled_from(["error", "warning", "note"]))
def test_exit_codes_say_what_the_report_says(drawn: Made, fail_on: str, on_unknown: str) -> None:
    report = judge(drawn.plan(), policy={"allow": ["EU"], "fail_on": fail_on, "on_unknown": on_unknown})
    failing = any(at_least(f.level, fail_on) for f in report.findings)  # type: ignore[arg-type]
    opened = any(f.kind == "open" for f in report.findings)
    assert _exit_code(report, False, False) == (1 if failing else 0)
    assert _exit_code(report, False, True) == 0
    assert _exit_code(report, True, False) == _exit_code(report, True, False)
    assert _exit_code(report, True, True) == (2 if opened else 0)
    assert (report.verdict == "pass") == (not opened and not any(at_least(f.level, fail_on) for f in report.findings))  # type: ignore[arg-type]
    render(report, "json")


@_examples(30)
@given(made(), *[st.sets(st.sampled_from(["DE", "IE", "NL", "US", "JP"]), min_size=1, max_size=4)] * 2)
def test_places_allowed_by_role(drawn: Made, home: set[str], replica: set[str]) -> None:
    report = judge(drawn.plan(), policy={"allow": {"home": sorted(home), "replica": sorted(replica)}})
    assert _places(report, drawn.expected(home, replica)) == drawn.expected(home, replica)


@_examples(30)
@given(made(), st.sampled_from(sorted(FORMATS)))
def test_a_secret_region_is_judged_and_stays_inside(drawn: Made, form: str) -> None:
    """The provider takes its region from a sensitive variable; the plan repeats it, unmarked, in every resource."""
    for key, place in drawn.providers.items():
        if key.startswith("aws") and place.by == "var":
            drawn.providers[key] = Place(SECRET, "var")
    plan = drawn.plan()
    for variable in plan["configuration"]["root_module"]["variables"].values():
        variable["sensitive"] = True
    report = judge(plan)
    assert _places(report, drawn.expected()) == drawn.expected()
    text = render(report, form)
    assert SECRET not in text
    assert "Australia" not in text
    assert SECRET not in repr([(f.message, f.observed, f.evidence, f.remediation) for f in report.findings])


@_examples(30)
@given(made())
def test_states_are_judged_by_where_everything_stands(drawn: Made) -> None:
    state = drawn.state()
    report = judge(state)
    queue, wanted = [state["values"]["root_module"]], set()
    for module in queue:
        queue += module.get("child_modules", ())
        for r in module["resources"]:
            cloud = r["type"].partition("_")[0]
            places = [r["values"][PLACE_OF[cloud]], *(x["region_name"] for x in r["values"].get("replica", ()))]
            if not {PLACES[cloud][p] for p in places} <= set(EU_COUNTRIES):
                wanted.add(r["address"])
    assert {f.address for f in report.findings if f.rule.startswith("SOV") and f.kind == "fail"} == wanted


@_examples(30)
@given(made())
def test_source_beside_the_plan(tmp_path_factory: pytest.TempPathFactory, drawn: Made) -> None:
    """A source scan is never silent where the plan fails, and no finding points into another block."""
    folder = tmp_path_factory.mktemp("made")
    for name, text in drawn.source().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "plan.json").write_text(json.dumps(drawn.plan()))
    scanned = audited(load(str(folder), bytes, SourceOptions()))
    planned = audited(with_source(load(str(folder / "plan.json"), bytes), folder))
    silent = {(k, a) for k, a in _decided(planned)} - _decided(scanned, open_too=True)
    assert not silent
    assert told(planned) == told(judge(drawn.plan()))  # source adds lines, and takes no verdict away
    for f in [*planned.findings, *scanned.findings]:
        if f.location is None or not f.rule.startswith(("SOV", "NET")):
            continue
        at = Path(f.location.file)
        lines = (at if at.is_absolute() else Path.cwd() / at).read_text().splitlines()[: f.location.start_line]
        header = next(line for line in reversed(lines) if re.match(r"[a-z]", line))
        *modules, type_, name = strip_keys(f.address).split(".")
        assert at.resolve() == (folder / "/".join(m for m in modules if m != "module") / "main.tf").resolve(), f
        assert header == f'resource "{type_}" "{name}" {{', f


@_examples(35)
@given(st.dictionaries(st.sampled_from(["hashicorp/aws", "acme/x", "Azure/azapi"]),
                       st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.sampled_from(["", "-beta1"])),
                       max_size=3), st.booleans())  # fmt: skip
def test_lock_files_are_read_as_they_were_drawn(drawn: dict[str, tuple[int, int, int, str]], windows: bool) -> None:
    text = "# This file is maintained automatically by \"terraform init\".\n"
    versions = {f"registry.terraform.io/{k}": f"{a}.{b}.{c}{d}" for k, (a, b, c, d) in drawn.items()}
    for source, version in versions.items():
        text += f'\nprovider "{source}" {{\n  version     = "{version}"\n  constraints = "~> 1.0, != 1.1.0"\n'
        text += '  hashes = [\n    "h1:ab=",\n    "zh:0a",\n  ]\n}\n'
    held = parse_lock(text.replace("\n", "\r\n") if windows else text, "x")
    assert {k: v.version for k, v in held.providers.items()} == {k.partition("/")[2].lower(): v for k, v in versions.items()}
