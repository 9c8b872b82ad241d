"""Applies waivers to findings: match, expiry, and waivers that matched nothing. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, timedelta

from auditor.identity import Patterns, Waiver
from auditor.model import Finding, Outcome, Rule, Waived, WaiverRef

_SOON = timedelta(days=14)


def apply_waivers(
    findings: Iterable[Finding], waivers: Sequence[Waiver], rules: Mapping[str, Rule], as_of: date, judged: Container[str]
) -> tuple[list[Finding], list[Waived], list[Outcome]]:
    """(active findings, waived ones, META002/META007/META008 outcomes about the waivers themselves).

    judged: ids of the rules that were asked; a waiver of another rule is not called unused.
    """
    active: list[Finding] = []
    waived: list[Waived] = []
    used: set[int] = set()
    outcomes: dict[int, Outcome] = {}
    patterns = Patterns(w.address for w in waivers)
    for finding in findings:
        match = None
        for i in patterns.covering(finding.address) if waivers else ():
            waiver = waivers[i]
            if not _matches(waiver, finding):
                continue
            used.add(i)
            if as_of > date.fromisoformat(waiver.expires):
                message = f"waiver for {waiver.rule} {waiver.address} expired {waiver.expires} ({waiver.source})."
                outcomes[i] = _about("META002", waiver, message, rules)
            elif match is None:
                match = i
        if match is None:
            active.append(finding)
            continue
        waiver = waivers[match]
        ref = WaiverRef(waiver.reason, waiver.expires, waiver.source, waiver.owner)
        waived.append(Waived(finding, ref))
        if date.fromisoformat(waiver.expires) - as_of <= _SOON:
            message = f"waiver for {waiver.rule} {waiver.address} ends {waiver.expires} ({waiver.source})."
            outcomes[match] = _about("META007", waiver, message, rules)
    for i, waiver in enumerate(waivers):
        if i in used:
            continue
        expired = as_of > date.fromisoformat(waiver.expires)
        if not expired and waiver.rule not in judged:
            continue
        what = f"expired {waiver.expires}" if expired else "matches no finding"
        message = f"waiver for {waiver.rule} {waiver.address} {what} ({waiver.source})."
        outcomes[i] = _about("META002" if expired else "META008", waiver, message, rules)
    return active, waived, [outcomes[i] for i in sorted(outcomes)]


def _matches(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver of the finding's address is meant for it."""
    if finding.rule.startswith("META") or finding.rule == "SOV008":
        return False
    return (
        waiver.rule in (finding.rule, *finding.aliases)
        and (not waiver.path or waiver.path == finding.path)
        and (not waiver.fingerprint or waiver.fingerprint == finding.fingerprint)
        and (waiver.lines == (0, 0) or _points_between(waiver, finding))
    )


def _points_between(waiver: Waiver, finding: Finding) -> bool:
    """Whether the finding, or a step of its evidence (the argument of a module call, say), stands on the waiver's lines."""
    first, last = waiver.lines
    places = [(e.file, e.line) for e in finding.evidence if e.ref[:1] == ("input",)]
    if finding.location is not None:
        places.append((finding.location.file, finding.location.start_line))
    return any(file == waiver.file and first <= line <= last for file, line in places)


def _about(rule: str, waiver: Waiver, message: str, rules: Mapping[str, Rule]) -> Outcome:
    return Outcome(
        rule, "fail", path=f"{waiver.rule} {waiver.address}", observed=waiver.expires,
        expected="a waiver in force that covers a finding", message=message, remediation=rules[rule].remediation,
    )  # fmt: skip
