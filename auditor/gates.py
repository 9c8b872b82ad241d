"""Go or no-go: the four gates, decided from the findings of their rules, the jobs and the manifest.

A rule that fails at level error is NO-GO; else an open, an undeclared fact, a rule that did not run or a partial plan
is UNDECIDED; else GO. Fails below error are remarks. Nothing undeclared is ever taken for a GO.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from auditor.economics import UNIT_NOTE, exact, plain
from auditor.model import Finding, Gate, GateVerdict, Job, Level
from auditor.workload import Declared

NAMES: Final = {1: "Data gravity", 2: "Latency", 3: "Sovereignty", 4: "Inference 24/7"}
RULES: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("ECO001", "ECO002"),
    2: ("NET001", "NET002", "NET003", "NET004", "NET006", "NET008", "NET010", "PLC001", "PLC003"),
    3: (*(f"SOV{n:03}" for n in range(1, 9)), "SOV010", "SOV011", "SOV013"),
    4: ("ECO003",),
}
# Rules of the second ring: a version without them says so and may still answer.
_LATER: Final = frozenset(("NET006", "NET010", "PLC003"))
NOT_HERE: Final = "is not in this version"
_EVIDENCE: Final = {1: ("PLC004",), 2: ("NET007",), 3: (), 4: ("ECO004",)}
EVERY: Final = tuple(rule for rules in RULES.values() for rule in rules)


class Graded(msgspec.Struct, frozen=True):
    """A finding with the level it has for a gate: existing resources and inference are not spared there."""

    finding: Finding
    level: Level
    waived: bool = False


class GateFacts(msgspec.Struct, frozen=True):
    """All that the gates are decided from.

    passed: rule -> what its pass said, with numbers. missing: rule -> why it did not run.
    """

    graded: Sequence[Graded]
    passed: Mapping[str, str] = msgspec.field(default_factory=dict)
    missing: Mapping[str, str] = msgspec.field(default_factory=dict)
    jobs: Sequence[Job] = ()
    declared: Declared | None = None
    neoclouds: Sequence[str] = ()
    inference: Sequence[str] = ()
    allow: str = ""  # what the allow list says; "" where there is none
    locations: int = 0
    max_p99_ms: Decimal = Decimal(1)
    partial: Sequence[str] = ()


def overall(gates: Sequence[Gate]) -> GateVerdict:
    """The worst of the gates; gates that do not apply decide nothing."""
    verdicts = {g.verdict for g in gates}
    return "NO-GO" if "NO-GO" in verdicts else "UNDECIDED" if "UNDECIDED" in verdicts else "GO"


def judge_gates(facts: GateFacts) -> tuple[Gate, ...]:
    return (_gravity(facts), _latency(facts), _sovereignty(facts), _inference(facts))


def _of(facts: GateFacts, number: int) -> list[Graded]:
    return [g for g in facts.graded if g.finding.rule in RULES[number]]


def _make(
    facts: GateFacts, number: int, go: str, *, na: str = "", declare: Sequence[str] = (), also_fails: Sequence[str] = (),
    any_fail: bool = False,
) -> Gate:  # fmt: skip
    """na: why the gate does not apply; declare: facts whose absence leaves it undecided; also_fails: other NO-GO lines."""
    active = [g for g in _of(facts, number) if not g.waived]
    remarks = [f"{g.finding.rule} waived: {_line(g.finding)}" for g in _of(facts, number) if g.waived]
    failed = [g for g in active if g.finding.kind == "fail"]
    against = [g.finding for g in failed if g.level == "error" or any_fail]
    opens = [g.finding for g in active if g.finding.kind == "open"]
    lesser = [g.finding for g in failed if not (g.level == "error" or any_fail)]
    lesser += [g.finding for g in facts.graded if g.finding.rule in _EVIDENCE[number] and not g.waived]
    remarks += [f"{f.rule} {f.level}: {_line(f)}" for f in lesser]
    missing = {r: w for r, w in facts.missing.items() if r in RULES[number]}
    unheld = [r for r, w in missing.items() if r in _LATER and w == NOT_HERE]
    missing = {r: w for r, w in missing.items() if r not in unheld}
    if unheld and not na:
        remarks.append(f"not checked in this version: {', '.join(unheld)}")
    name = NAMES[number]
    if against or also_fails:
        rules = tuple(dict.fromkeys([*(f.rule for f in against), *(["NET007"] if also_fails else [])]))
        said = [*dict.fromkeys(_line(f) for f in against), *also_fails]
        fixes = tuple(dict.fromkeys(f.remediation for f in against if f.remediation))
        remarks += [f"{f.rule} open: {_line(f)}" for f in opens]
        even = " ".join(fixes) if number == 1 else ""
        return Gate(number, name, "NO-GO", _some(said), rules, (), even, "" if even else " ".join(fixes[:2]), tuple(remarks))
    if na and not missing and not opens:
        return Gate(number, name, "N/A", na, remarks=tuple(remarks))
    reasons = [f"{r} {w}" for r, w in missing.items()]
    reasons += [f"partial plan: {p}" for p in facts.partial]
    if opens or reasons or declare:
        said = [*(f"declare {d}" for d in declare), *reasons, *dict.fromkeys(f"{f.rule}: {_line(f)}" for f in opens)]
        lacking = (path for f in opens if f.expected.startswith("workload.") for path in f.expected.split(", "))
        wanted = tuple(dict.fromkeys([*declare, *lacking]))
        rules = tuple(dict.fromkeys(f.rule for f in opens))
        return Gate(number, name, "UNDECIDED", _some(said), rules, wanted, remarks=tuple(remarks))
    ran = tuple(r for r in RULES[number] if r not in unheld)
    return Gate(number, name, "GO", go, ran, remarks=tuple(remarks))


def _line(finding: Finding) -> str:
    return _bare(finding.message)


def _bare(message: str) -> str:
    """A sentence to join with others; the report says the units once."""
    return message.removesuffix(UNIT_NOTE).removesuffix(".")


def _some(lines: Sequence[str], most: int = 3) -> str:
    shown = "; ".join(lines[:most])
    return shown + (f"; and {len(lines) - most} more" if len(lines) > most else "")


def _gravity(facts: GateFacts) -> Gate:
    d = facts.declared
    size = d.number("dataset_tb") if d is not None else None
    na = "no dataset declared, and no neocloud in the plan" if size is None and not facts.neoclouds else ""
    declare = ["workload.dataset_tb"] if size is None and facts.neoclouds else []
    go = "; ".join(_bare(facts.passed[r]) for r in RULES[1] if r in facts.passed)
    return _make(facts, 1, go or f"{plain(size or Decimal(0))} TB", na=na, declare=declare)


def _latency(facts: GateFacts) -> Gate:
    slow = []
    for i, m in enumerate(facts.declared.get("measurements") or () if facts.declared is not None else ()):
        p99 = exact(m["p99_ms"])
        waived = any(g.waived and g.finding.rule == "NET007" and f"[{i}]" in g.finding.path for g in facts.graded)
        if p99 >= facts.max_p99_ms and not waived:
            ends = " - ".join(str(e) for e in m["between"])
            slow.append(f"p99 {plain(p99)} ms between {ends} is not under {plain(facts.max_p99_ms)} ms")
    unknown = {j.name for j in facts.jobs if j.role == "unknown"}
    doubtful = [
        g.finding for g in _of(facts, 2)
        if g.finding.kind == "fail" and g.finding.job in unknown and g.level != "error" and not g.waived
    ]  # fmt: skip
    na = "" if facts.jobs or slow else "no accelerators in the plan"
    declare = [f"the role of {f.job} (workload.jobs)" for f in doubtful]
    go = "; ".join(dict.fromkeys(job_line(j) for j in facts.jobs))
    return _make(facts, 2, go, na=na, declare=list(dict.fromkeys(declare)), also_fails=slow if facts.jobs else ())


_FABRIC: Final = {"infiniband": "InfiniBand", "roce": "RoCE", "efa": "EFA", "tcpx": "GPUDirect-TCPX", "ici": "ICI"}


def job_line(job: Job) -> str:
    """`16 GPUs on InfiniBand (Standard_ND96isr_H100_v5), one zone`."""
    gpus = str(job.gpus_max) if job.gpus_max is not None else "?"
    if job.gpus_min not in (None, job.gpus_max):
        gpus = f"{job.gpus_min} to {gpus}"
    types = f" ({', '.join(job.instance_types)})" if job.instance_types else ""
    fabric = f"on {_FABRIC.get(job.fabric, job.fabric)}" if job.fabric_state == "on" else "without a fabric"
    if job.fabric_state == "not_needed":
        fabric = "that need no fabric"
    zones = {None: "", 0: "", 1: ", one zone"}.get(job.zones_max, f", {job.zones_max} zones")
    return f"{gpus} GPUs {fabric}{types}{zones}"


def _sovereignty(facts: GateFacts) -> Gate:
    d = facts.declared
    regulated = d.get("regulated") if d is not None else None
    na = "not regulated, and no allow list" if regulated in (False, []) and not facts.allow else ""
    declare = ["workload.regulated"] if regulated is None else []
    if not facts.allow and not na:
        declare.append("allow")
    found = [g.finding for g in _of(facts, 3) if g.finding.rule.startswith("SOV0") and g.finding.path and not g.waived]
    off = len({(f.address, f.path) for f in found})
    regimes = ", ".join(str(r) for r in regulated) if isinstance(regulated, list) and regulated else str(bool(regulated)).lower()
    go = f"regulated: {regimes}; {max(facts.locations - off, 0)}/{facts.locations} locations in {facts.allow}"
    return _make(facts, 3, go, na=na, declare=declare)


def _inference(facts: GateFacts) -> Gate:
    always = facts.declared.get("inference_24x7") if facts.declared is not None else None
    opens = any(g.finding.rule == "ECO003" and g.finding.kind == "open" for g in facts.graded)
    na = "" if facts.inference or opens else "no inference capacity in the plan"
    declare = ["workload.inference_24x7"] if facts.inference and always is None else []
    unknown = [j.name for j in facts.jobs if j.role == "unknown"]
    if na and unknown:
        na += f" (role of {_some(unknown)} unknown)"
    return _make(facts, 4, _bare(facts.passed.get("ECO003", "")), na=na, declare=declare, any_fail=facts.declared is not None)
