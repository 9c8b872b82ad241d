"""Order and grouping of findings for the formats that people read.

Instances of one block with one verdict are one group; opens group by rule and cause, whatever the block.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from auditor.model import LEVELS, Finding, Level, Report, strip_keys
from auditor.report.escape import clean

# Prefix of a rule id -> heading; a rule of a user's own stands under its prefix, after these.
SETS: Final[tuple[tuple[str, str], ...]] = (
    ("SOV", "SOVEREIGNTY"),
    ("NET", "INTERCONNECT"),
    ("PLC", "PLACEMENT"),
    ("CAP", "CAPACITY"),
    ("LAG", "LAG"),
    ("WRK", "WORKAROUNDS"),
    ("ECO", "ECONOMICS"),
    ("SEC", "SECURITY"),
    ("RES", "RESILIENCE"),
    ("META", "META"),
)
_PREFIX: Final = re.compile(r"[A-Za-z_-]*[A-Za-z]")
_NUMBER: Final = re.compile(r"(\d+)")


class Group(msgspec.Struct, frozen=True):
    """Findings told as one. `findings` is never empty; the first one speaks for all."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        return self.findings[0]

    @property
    def by_cause(self) -> bool:
        """True for an open that stands for several subjects with one cause."""
        return self.first.kind == "open" and bool(self.first.cause) and len(self.findings) > 1

    @property
    def remediation(self) -> str:
        """The one thing to do: what most of the findings ask for."""
        return Counter(f.remediation for f in self.findings).most_common(1)[0][0]

    @property
    def addresses(self) -> list[str]:
        """Distinct addresses in natural order (`gpu[2]` before `gpu[10]`)."""
        return list(dict.fromkeys(f.address for f in self.findings))  # `group` sorted the findings so


def natural(text: str) -> list[tuple[int, int, str, str]]:
    """Sort key that reads digits as numbers, however many: by length, then digit by digit."""
    parts = [(p, p.lstrip("0") if p.isdigit() and p.isascii() else None) for p in _NUMBER.split(text) if p]
    return [(0, len(n), n, p) if n is not None else (1, 0, "", p) for p, n in parts]


def level_rank(level: Level) -> int:
    """0 for error, 1 for warning, 2 for note."""
    return LEVELS.index(level)


def sort_key(f: Finding) -> tuple[int, str, str, str, str, str, str, str]:
    """The total order of every format: level, rule, address, path; the rest only breaks ties."""
    return (level_rank(f.level), f.rule, f.address, f.path, f.kind, f.fingerprint, f.observed, f.message)


def prefix_of(rule: str) -> str:
    """`SOV` of `SOV003`."""
    match = _PREFIX.match(rule)
    return match.group().rstrip("-_") if match else rule


def heading_of(prefix: str) -> str:
    """The heading of a set; an unknown prefix is its own."""
    return dict(SETS).get(prefix, prefix.upper())


def set_order(prefixes: Iterable[str]) -> list[str]:
    """Distinct prefixes, shipped sets first in their fixed order."""
    known = [p for p, _ in SETS]
    return sorted(set(prefixes), key=lambda p: (known.index(p) if p in known else len(known), p))


def group(findings: Sequence[Finding]) -> list[Group]:
    """Groups in the order of their worst finding; fails before opens."""
    found: dict[tuple[str, ...], list[Finding]] = {}
    for f in sorted(findings, key=lambda f: (f.kind != "fail", sort_key(f))):
        if f.kind == "open" and f.cause:
            key: tuple[str, ...] = (f.rule, f.kind, f.level, f.cause)
        else:
            block = strip_keys(f.address)
            key = (f.rule, f.kind, f.level, block, f.path, f.observed, f.expected, f.cause, f.role or "")
        found.setdefault(key, []).append(f)
    return [Group(tuple(sorted(fs, key=lambda f: natural(f.address)) if len(fs) > 1 else fs)) for fs in found.values()]


def by_set(report: Report) -> list[tuple[str, list[Group]]]:
    """(heading, groups) of every set that has findings, in the order of sets."""
    found: dict[str, list[Finding]] = {}
    for f in report.findings:
        found.setdefault(prefix_of(f.rule), []).append(f)
    return [(heading_of(p), group(found[p])) for p in set_order(found)]


def fair(groups: Sequence[Group]) -> list[Group]:
    """The order in which groups get room where not all fit: by level, then the first of every rule, the second of every rule …

    So no rule is crowded out by another one of its level.
    """
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, int]] = []
    for i, g in enumerate(groups):
        ranked.append((level_rank(g.first.level), seen[g.first.rule], i))
        seen[g.first.rule] += 1
    return [groups[i] for *_, i in sorted(ranked)]


def left_out(groups: Sequence[Group], shown: int) -> str:
    """`9797 of 12085 groups of findings left out (SOV001 9000, NET001 797)`; the most frequent rules only."""
    missing = Counter(g.first.rule for g in groups[shown:])
    told = [f"{clean(rule)} {count}" for rule, count in sorted(missing.items(), key=lambda x: (-x[1], x[0]))[:5]]
    told += ["…"] if len(missing) > len(told) else []
    return f"{len(groups) - shown} of {len(groups)} groups of findings left out ({', '.join(told)})"


def configured(report: Report, prefix: str) -> bool:
    """False for a set that a *not configured* line speaks of, by heading or by prefix."""
    names = (heading_of(prefix).lower(), prefix.lower())
    return not any(line.lower().startswith(names) for line in report.not_configured)


def clean_sets(report: Report) -> list[str]:
    """Headings of the sets that ran and found nothing; META is not a set a reader asks about."""
    seen = {prefix_of(f.rule) for f in report.findings} | {"META"}
    ran = set_order(prefix_of(r.id) for r in report.rules)
    return [heading_of(p) for p in ran if p not in seen and configured(report, p)]


def rule_title(report: Report, rule: str) -> str:
    """The title of a rule that ran, or ""."""
    return next((r.title for r in report.rules if r.id == rule), "")
