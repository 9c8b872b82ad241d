"""Every rule about GPU jobs that was considered is a rule, part of one, or refused with a reason."""

from __future__ import annotations

import csv
from pathlib import Path

from auditor.cli.common import known_rules

ROOT = Path(__file__).parent.parent
ROWS = list(csv.DictReader((ROOT / "scripts" / "candidates.csv").read_text(encoding="utf-8").splitlines()))
RULES = known_rules()
ALIASES = {alias: rule for rule in RULES.values() for alias in rule.aliases}
# Errors by the sources themselves: more than 8 GPUs need RDMA; what holds between zones holds between regions.
BY_SOURCE = {"NET001", "PLC003"}


def test_each_is_an_alias_or_refused() -> None:
    assert len(ROWS) == len({r["id"] for r in ROWS}) == 50
    assert {r["id"] for r in ROWS if not r["refused"]} == {a for a in ALIASES if a.startswith("GPU-")}


def test_what_is_refused_has_its_reason_in_the_docs() -> None:
    page = (ROOT / "docs" / "interconnect-candidates.md").read_text(encoding="utf-8")
    refused = [r for r in ROWS if r["refused"]]
    assert refused
    assert all(r["refused"] in page and r["id"] in page for r in refused)


def test_reasoning_alone_makes_no_error() -> None:
    basis: dict[str, set[str]] = {}
    for row in ROWS:
        if row["id"] in ALIASES:
            basis.setdefault(ALIASES[row["id"]].id, set()).add(row["basis"])
    derived = {rule for rule, held in basis.items() if held == {"derived"}}
    assert {rule for rule in derived if RULES[rule].level == "error"} <= BY_SOURCE
    assert derived > BY_SOURCE
