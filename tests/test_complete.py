"""Every shipped rule has a case that fails, one that passes, and one that is open wherever an open can occur.

The kinds that a rule cannot have are written down with the reason, and held against every case and recorded plan:
a rule that turns out to have one leaves its list. What is not listed is demanded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auditor.cli.common import known_rules
from auditor.policytest import read_cases

HERE = Path(__file__).parent
RULES = known_rules()
# Report lines and errors: they are no findings and have no verdict.
NO_VERDICT = {"META001", "META004", "META005", "RES001"}
# Rules that are only ever open.
NEVER_FAIL = {"SOV002", "NET004", "LAG004"}
# Rules that are never open, and who speaks instead where what they ask about is not known.
NEVER_OPEN = {
    **dict.fromkeys(("SOV001", "SOV003"), "an undecided location is SOV002"),
    "SOV008": "it says that something else is open",
    **dict.fromkeys(("NET001", "NET002", "NET003", "NET008"), "an undecided size or fabric is NET004"),
    "LAG001": "without a known start there is no lag: LAG002 is open",
    **dict.fromkeys(("LAG005", "LAG006", "LAG008", "LAG010", "LAG012"), "only what the catalogue dates is counted"),
    "LAG009": "a first version that is not sure fails nothing: the lock decides, as LAG003",
    "SEC001": "that a key is made or given counts, not its value",
    **dict.fromkeys(("CAP001", "CAP003", "PLC017"), "what is not in the plan is not compared"),
    "CAP005": "an autoscaler is in the plan, or not",
    **dict.fromkeys(("NET010", "NET011", "NET018", "NET019", "PLC009", "PLC011"), "an undecided size or fabric is NET004"),
    "NET007": "only what is declared is judged",
    **dict.fromkeys(("PLC003", "PLC012"), "zones and regions that are not known are PLC001"),
    "PLC008": "advice is given only where all is known",
    "PLC013": "a placement that is not known is PLC002",
    "ECO007": "a share that is not declared is not asked about",
    "ECO009": "an unknown type is NET004",
    **dict.fromkeys(("META002", "META003", "META006", "META007", "META008"), "dates and counts are always known"),
}


def shown() -> dict[str, set[str]]:
    """Rule -> kinds of verdict that some case shows."""
    found: dict[str, set[str]] = {}
    for case in read_cases(HERE / "rules"):
        for want in case.body.get("expect", ()):
            found.setdefault(want["rule"], set()).add(want.get("kind", "fail"))
        for rule in case.body.get("passes", ()):
            found.setdefault(rule, set()).add("pass")
    return found


def missing() -> set[str]:
    held = shown()
    asked = [r for r in RULES if r not in NO_VERDICT]
    wanted = {(r, "pass") for r in asked} | {(r, "fail") for r in asked if r not in NEVER_FAIL}
    wanted |= {(r, "open") for r in asked if r not in NEVER_OPEN}
    return {f"{r} {kind}" for r, kind in wanted if kind not in held.get(r, set())}


def test_every_rule_has_its_cases() -> None:
    assert missing() == set()


def _recorded(value: Any) -> set[tuple[str, str]]:
    """(rule, kind) of the findings that recorded plans give: lists that begin with both."""
    match value:
        case [str(rule), "fail" | "open" as kind, *_]:
            return {(rule, kind)}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(_recorded, inner))


def test_what_is_said_to_be_impossible_never_happens() -> None:
    seen = {(rule, kind) for rule, kinds in shown().items() for kind in kinds}
    recorded = set().union(*(_recorded(json.loads(p.read_bytes())) for p in HERE.glob("plans/*/expected*.json")))
    assert len(recorded) > 20
    seen |= recorded
    assert {r for r in NEVER_OPEN if (r, "open") in seen} == set()
    assert {r for r in NEVER_FAIL if (r, "fail") in seen} == set()
    assert {r for r in NO_VERDICT if {(r, "open"), (r, "fail")} & seen} == set()
    assert {*NEVER_OPEN, *NEVER_FAIL, *NO_VERDICT} <= RULES.keys()
