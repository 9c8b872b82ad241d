"""Every shipped rule has a case that fails and one that passes; rules that are only ever open, one that is open."""

from __future__ import annotations

from pathlib import Path

from auditor.cli.common import known_rules
from auditor.policytest import read_cases

RULES = known_rules()
# Report lines and errors: they are no findings and have no verdict.
NO_VERDICT = {"META001", "META004", "META005", "RES001"}
# Rules that are only ever open.
ONLY_OPEN = {"SOV002", "NET004", "LAG004"}


def shown() -> dict[str, set[str]]:
    """Rule -> kinds of verdict that some case shows."""
    found: dict[str, set[str]] = {}
    for case in read_cases(Path(__file__).parent / "rules"):
        for want in case.body.get("expect", ()):
            found.setdefault(want["rule"], set()).add(want.get("kind", "fail"))
        for rule in case.body.get("passes", ()):
            found.setdefault(rule, set()).add("pass")
    return found


def missing() -> set[str]:
    held = shown()
    wanted = {(r, "pass") for r in RULES} | {(r, "open" if r in ONLY_OPEN else "fail") for r in RULES}
    return {f"{r} {kind}" for r, kind in wanted if r not in NO_VERDICT and kind not in held.get(r, set())}


# What is not shown yet, with a case still to be written. It only ever shrinks.
OWED = {
    "ECO008 fail", "ECO008 pass", "ECO009 fail", "ECO009 pass", "LAG001 pass", "LAG002 pass", "LAG005 fail", "LAG005 pass",
    "LAG006 fail", "LAG006 pass", "LAG008 pass", "LAG012 fail", "LAG012 pass", "SOV003 fail", "SOV003 pass", "SOV009 fail",
    "SOV009 pass", "SOV012 pass", "SOV014 fail", "SOV014 pass", "WRK003 pass", "WRK004 fail", "WRK004 pass",
}  # fmt: skip
# Sets whose rules are shown by recorded plans instead; each leaves this list when its cases are there.
OWED_SETS = {"NET", "PLC", "CAP"}


def test_no_rule_is_added_without_its_cases() -> None:
    assert {m for m in missing() if RULES[m.split()[0]].set not in OWED_SETS} - OWED == set()


def test_what_is_owed_speaks_of_rules_that_exist() -> None:
    assert {o.split()[0] for o in OWED} <= RULES.keys()
