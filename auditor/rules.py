"""Reads the compiled rules of `policies/`, selects those of a run and binds each to its check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.checks import CHECKS, Check
from auditor.checks.custom import CUSTOM
from auditor.errors import CatalogError, RuleError
from auditor.model import Level, Rule
from auditor.spelling import suggest


class _RuleFile(msgspec.Struct):
    """One rule as `policies/compiled.json` holds it."""

    id: str
    title: str
    level: Level
    check: str
    why: str = ""
    remediation: str = ""
    ring: int = 1
    params: dict[str, Any] = {}
    aliases: list[str] = []
    sources: list[str] = []
    bad: str = ""
    good: str = ""
    security_severity: str = ""
    precision: str = "high"
    job_shift: bool = True
    open_level: Level | None = None
    waiver_max_days: int | None = None
    off: bool = False


def load_rules(policies: Path) -> tuple[Rule, ...]:
    """Every shipped rule, sorted by id. Raises CatalogError when the compiled file is missing or damaged."""
    path = policies / "compiled.json"
    try:
        files = msgspec.json.decode(path.read_bytes(), type=list[_RuleFile])
    except (OSError, msgspec.DecodeError) as e:
        raise CatalogError(f"cannot read the rules: {path.name}: {e}", "Run scripts/build_catalog.py.") from e
    rules = [
        Rule(
            id=f.id, title=f.title, why=f.why, remediation=f.remediation, level=f.level, check=f.check,
            set=set_of(f.id), ring=f.ring, params=f.params, aliases=tuple(f.aliases), sources=tuple(f.sources),
            bad=f.bad, good=f.good, security_severity=f.security_severity, precision=f.precision,
            job_shift=f.job_shift, open_level=f.open_level, waiver_max_days=f.waiver_max_days, off=f.off,
        )
        for f in files
    ]  # fmt: skip
    known = {name for name, _ in CHECKS}
    for rule in rules:
        if rule.check not in known:
            raise RuleError(f"rule {rule.id} names the check {rule.check!r}, which does not exist")
    return tuple(sorted(rules, key=lambda r: r.id))


def set_of(rule_id: str) -> str:
    """`SOV001` -> `SOV`."""
    return rule_id.rstrip("0123456789")


def asked(wanted: str | None) -> list[str]:
    """The names of a comma-separated list; none where no list was given. Raises RuleError for a list without names."""
    if wanted is None:
        return []
    if not wanted.strip(", \t"):
        raise RuleError("no rule is named", "Leave --rules out to run all; `auditor rules` lists them.")
    return wanted.split(",")


def select(rules: Iterable[Rule], wanted: Iterable[str], off: Mapping[str, bool]) -> tuple[Rule, ...]:
    """The rules of a run: `wanted` holds ids, aliases or sets (empty: all); `off` what the policy switches.

    META rules always run. Raises RuleError for an unknown name or when nothing but META is left.
    """
    rules = tuple(rules)
    names = [w.strip().upper() for w in wanted if w.strip()]
    for name in names:
        if not any(name in (r.id, r.set, *(a.upper() for a in r.aliases)) for r in rules):
            known = dict.fromkeys(n for r in rules for n in (r.id, r.set, *r.aliases))
            raise RuleError(f"no rule or set is called {name!r}{suggest(name, known)}", "`auditor rules` lists them.")
    chosen = []
    for rule in rules:
        named = not names or rule.set in names or rule.id in names or any(a.upper() in names for a in rule.aliases)
        is_off = off.get(rule.id, rule.off and rule.id not in names)
        if rule.set == "META" or (named and not is_off):
            chosen.append(rule)
    if all(r.set == "META" for r in chosen):
        raise RuleError("no rule is selected: an audit without rules would pass anything")
    return tuple(chosen)


def adjust(rules: Iterable[Rule], params: Mapping[str, Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules with the parameters that the policy gives, over their defaults."""
    return tuple(
        msgspec.structs.replace(r, params={**r.params, **params[r.id]}) if params.get(r.id) else r for r in rules
    )


def bind(rules: Iterable[Rule]) -> list[tuple[Check, dict[str, Rule]]]:
    """Each check that the selected rules need, once, with its rules by id."""
    by_check: dict[str, dict[str, Rule]] = {}
    for rule in rules:
        by_check.setdefault(rule.check, {})[rule.id] = rule
    made = [(check, by_check.pop(name)) for name, check in CHECKS if name in by_check]
    made += [(check, by_check.pop(name)) for name, check in CUSTOM.items() if name in by_check]
    return made + [(_python_check(name), bound) for name, bound in by_check.items()]


def _python_check(name: str) -> Check:
    """A check of an installed package. Raises RuleError where it is not there or cannot be loaded."""
    from importlib.metadata import entry_points  # heavy, and few runs have such a check

    found = list(entry_points(group="auditor.checks", name=name))
    if not found:
        raise RuleError(f"no check is called {name!r}", "is the package that brings it installed?")
    try:
        check: Check = found[0].load()
    except Exception as e:  # the package's code; whatever it raises, the run ends and says so
        raise RuleError(f"the check {name!r} of {found[0].value} cannot be loaded: {type(e).__name__}: {e}") from e
    return check
