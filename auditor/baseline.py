"""Findings that are known already: what a baseline holds, and which findings of a run it covers.

An entry is a fingerprint with kind, observed value and the addresses that had it. A finding is unchanged where all
three match and the number of instances is not exceeded; its resource's previous address is tried too. No line is in
a fingerprint, so moved code changes nothing; renumbered instances keep the number, which is what counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from auditor.errors import InputError
from auditor.identity import UNWAIVABLE, fingerprint
from auditor.model import BaselineCounts, Finding, Level, Plan, strip_keys

SCHEMA: Final = "auditor-baseline/1"
_REPORT: Final = "auditor-report/1"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Alike findings of one rule, resource block and attribute."""

    fingerprint: str
    rule: str
    kind: str
    observed: str
    count: int
    addresses: tuple[str, ...] = ()
    path: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.fingerprint, self.kind, self.observed)


class Baseline(msgspec.Struct, frozen=True, gc=False):
    """source: where it was read, as messages print it. hide: reports leave the unchanged findings out."""

    source: str
    entries: tuple[Entry, ...]
    hide: bool = False


class _File(msgspec.Struct):
    schema: str
    findings: tuple[Entry, ...]
    as_of: str = ""


def entries_of(findings: Iterable[Finding]) -> tuple[Entry, ...]:
    """Entries of findings, sorted; what may not be baselined is left out."""
    grouped: dict[tuple[str, str, str], list[Finding]] = {}
    for f in findings:
        if not f.rule.startswith(UNWAIVABLE):
            grouped.setdefault((f.fingerprint, f.kind, f.observed), []).append(f)
    made = [
        Entry(fp, fs[0].rule, kind, observed, len(fs), tuple(sorted(f.address for f in fs)), fs[0].path)
        for (fp, kind, observed), fs in grouped.items()
    ]
    return tuple(sorted(made, key=lambda e: (e.rule, e.addresses, e.path, e.kind, e.observed)))


def dump(entries: Sequence[Entry], as_of: str) -> str:
    """The text of a baseline file: sorted and indented, so that a change of it can be reviewed."""
    raw = msgspec.json.encode(_File(SCHEMA, tuple(entries), as_of))
    return msgspec.json.format(raw, indent=2).decode() + "\n"


def parse(data: bytes, name: str) -> tuple[Entry, ...] | None:
    """Entries of a baseline or of a JSON report; None where the JSON is neither (a plan, say). Raises InputError."""
    try:
        head = msgspec.json.decode(data, type=_Head)
    except msgspec.DecodeError as e:
        raise InputError(f"{name}: not a baseline: {e}", "`auditor baseline plan.json > FILE` writes one") from None
    if head.schema == SCHEMA:
        try:
            return msgspec.json.decode(data, type=_File).findings
        except msgspec.DecodeError as e:
            raise InputError(f"{name}: damaged baseline: {e}", "write it again with `auditor baseline`") from None
    if head.schema == _REPORT:
        try:
            report = msgspec.json.decode(data, type=_Report)
        except msgspec.DecodeError as e:
            raise InputError(f"{name}: damaged report: {e}", "write it again with `auditor check --format json`") from None
        return entries_of(_known(f) for f in [*report.findings, *report.unchanged])
    if head.schema:
        raise InputError(f"{name}: holds {head.schema}, not {SCHEMA} or {_REPORT}")
    return None


class _Head(msgspec.Struct):
    schema: str = ""


class _Reported(msgspec.Struct):
    rule: str
    kind: Literal["fail", "open"]
    level: Level
    address: str
    path: str
    observed: str
    expected: str
    fingerprint: str


class _Report(msgspec.Struct):
    findings: tuple[_Reported, ...] = ()
    unchanged: tuple[_Reported, ...] = ()


def _known(f: _Reported) -> Finding:
    """As much of a reported finding as an entry needs."""
    return Finding(f.rule, f.kind, f.level, f.address, f.path, f.observed, f.expected, "", "", f.fingerprint)


def previous_addresses(plans: Iterable[Plan]) -> dict[str, str]:
    """Address -> the address before a `moved` block, for instances and (without keys) for their blocks."""
    found: dict[str, str] = {}
    for plan in plans:
        for r in plan.resources:
            if r.previous_address:
                found[r.address] = r.previous_address
                found.setdefault(strip_keys(r.address), strip_keys(r.previous_address))
    return found


def apply_baseline(
    findings: Sequence[Finding],
    waived: Iterable[Finding],
    baseline: Baseline,
    previous: Mapping[str, str],
    judged: Container[str],
) -> tuple[list[Finding], list[Finding], BaselineCounts]:
    """(new findings, unchanged ones, counts). Entries of rules that were not asked are neither fixed nor unchanged."""
    left = Counter({e.key: e.count for e in baseline.entries if not e.rule.startswith(UNWAIVABLE)})
    held = {(e.key, address) for e in baseline.entries for address in e.addresses}
    fresh: list[Finding] = []
    unchanged: list[Finding] = []
    # Instances that the baseline names come first, so that of one too many the stranger is the new one.
    for f in sorted(findings, key=lambda f: not any((k, a) in held for k, a in _keys(f, previous))):
        key = next((k for k, _ in _keys(f, previous) if left[k] > 0), None)
        if key is None or f.rule.startswith(UNWAIVABLE):
            fresh.append(f)
        else:
            left[key] -= 1
            unchanged.append(f)
    for f in waived:
        for k, _ in _keys(f, previous):
            left[k] -= 1 if left[k] > 0 else 0
    fixed = sum(left[e.key] for e in baseline.entries if e.rule in judged)
    new = sum(1 for f in fresh if not f.rule.startswith(UNWAIVABLE))
    return fresh, unchanged, BaselineCounts(baseline.source, new, fixed, len(unchanged), baseline.hide)


def _keys(f: Finding, previous: Mapping[str, str]) -> list[tuple[tuple[str, str, str], str]]:
    """Entry keys that a finding may have, each with the address it goes by there."""
    keys: list[tuple[tuple[str, str, str], str]] = [((f.fingerprint, f.kind, f.observed), f.address)]
    if before := previous.get(f.address):
        keys.append(((fingerprint(f.rule, before, f.path), f.kind, f.observed), before))
    return keys
