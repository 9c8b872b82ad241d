"""The level of a finding: rule default, adjustments, the policy's own word, and what regulated data forces."""

from __future__ import annotations

from typing import Final

from auditor.model import LEVELS, Level, Outcome, Rule

_REGULATED: Final = tuple(f"SOV{n:03}" for n in range(1, 14))


def level_of(outcome: Outcome, rule: Rule, override: Level | None, on_unknown: Level, regulated: bool) -> Level:
    """The level of a fail or an open, in the order the rules state it."""
    fixed = outcome.level
    if outcome.kind == "open":
        level: Level = fixed or rule.open_level or on_unknown
    else:
        level = fixed or rule.level
        if fixed is None:
            level = _shift(level, outcome)
        if outcome.floor is not None and _rank(level) < _rank(outcome.floor):
            level = outcome.floor
    if override is not None:
        level = override
    if regulated and outcome.rule in _REGULATED and fixed != "note" and rule.level != "note":
        level = "error"
    return level


def _rank(level: Level) -> int:
    """0 is the most severe."""
    return LEVELS.index(level)


def _shift(level: Level, outcome: Outcome) -> Level:
    moved = LEVELS[min(max(_rank(level) - outcome.shift, 0), len(LEVELS) - 1)]
    if outcome.shift_guessed and "error" in (level, moved):
        return level
    return moved


def at_least(level: Level, threshold: Level) -> bool:
    """Whether a finding of `level` reaches `threshold`."""
    return _rank(level) <= _rank(threshold)
