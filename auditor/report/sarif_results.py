"""SARIF results: one per rule and source line, instances named in the message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from auditor.model import Evidence, Report, SourceRange, WaiverRef
from auditor.report.escape import clean, cut, prose
from auditor.report.grouping import natural
from auditor.report.lines import Merged, source
from auditor.report.paths import Paths

if TYPE_CHECKING:
    from auditor.report import RenderOptions

MAX_TEXT: Final = 1024
MAX_LOCATIONS: Final = 100
MAX_LINKS: Final = 10
MAX_PHRASE: Final = 160  # one name, step or value inside a message
SRCROOT: Final = "%SRCROOT%"


def escape_links(text: str) -> str:
    """Backslash-escape what SARIF would read as an embedded link (2.1.0, 3.11.6)."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def fit(text: str, limit: int) -> str:
    """`text` with links escaped, at most `limit` characters, never cut inside an escape."""
    size = limit
    while len(escaped := escape_links(cut(text, size))) > limit:
        size -= len(escaped) - limit
    return escaped


def result(m: Merged, report: Report, options: RenderOptions, rule_index: Mapping[str, int], base: Paths) -> dict[str, Any]:
    """One SARIF `result` object."""
    f = m.findings[0]
    steps = [(path, e) for e in f.evidence if e.file and e.line > 0 and (path := base.relative(e.file))]
    links = [_related(i, path, e) for i, (path, e) in enumerate(steps[:MAX_LINKS], start=1)]
    out: dict[str, Any] = {
        "ruleId": clean(f.rule),
        "ruleIndex": rule_index[f.rule],
        "level": m.level,
        "message": {"text": _message(m, steps[:MAX_LINKS])},
        "locations": [_location(m, report, base)],
        "partialFingerprints": {"auditor/v1": clean(f.fingerprint)},
        "properties": _properties(m),
    }
    if links:
        out["relatedLocations"] = links
    if flow := _flow(m, steps, base):
        out["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    if options.sarif_include_waived:
        # An empty list says "not suppressed"; SARIF wants all results to say so, or none.
        out["suppressions"] = [_suppression(m.waiver)] if m.waiver else []
    return out


def _flow(m: Merged, steps: Sequence[tuple[str, Evidence]], base: Paths) -> list[dict[str, Any]]:
    """From the line of the finding along its evidence; nothing where that is only one place."""
    f = m.findings[0]
    places = [(path, e.line, e.what) for path, e in steps[: MAX_LOCATIONS - 1]]
    own = source(f.location, base)
    if own is not None and (not places or places[0][:2] != (own[0], own[1].start_line)):
        places.insert(0, (own[0], own[1].start_line, f.address))
    if len(places) < 2:
        return []
    return [
        {"location": {"physicalLocation": _line(path, line), "message": {"text": _phrase(what)}}}
        for path, line, what in places
    ]


def _properties(m: Merged) -> dict[str, Any]:
    f = m.findings[0]
    out: dict[str, Any] = {"kind": f.kind, "instances": len(m.findings)}
    for key, value in (("path", f.path), ("observed", f.observed), ("expected", f.expected), ("cause", f.cause)):
        if value:
            out[key] = clean(value)
    if f.job:
        out["job"] = clean(f.job)
    others = sorted({clean(x.fingerprint) for x in m.findings[1:]} - {clean(f.fingerprint)})
    if others:
        out["otherFingerprints"] = others[:MAX_LOCATIONS]
    return out


def _suppression(waiver: WaiverRef) -> dict[str, Any]:
    until = f" (until {waiver.expires}, {waiver.source})" if waiver.expires else f" ({waiver.source})"
    kind = "inSource" if waiver.source.rpartition(":")[0].endswith((".tf", ".tofu")) else "external"
    return {"kind": kind, "status": "accepted", "justification": cut(prose(waiver.reason + until), MAX_TEXT)}


def _location(m: Merged, report: Report, base: Paths) -> dict[str, Any]:
    place = source(m.findings[0].location, base)
    physical = {"artifactLocation": _artifact(place[0]), "region": _region(place[1])} if place else _line(base.input(report), 1)
    addresses = sorted({clean(f.address) for f in m.findings}, key=natural)[:MAX_LOCATIONS]
    logical = [{"fullyQualifiedName": a, "kind": "resource"} for a in addresses]
    return {"physicalLocation": physical, "logicalLocations": logical}


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path, safe="/", errors="replace"), "uriBaseId": SRCROOT}


def _line(path: str, line: int) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2}
    return {"artifactLocation": _artifact(path), "region": region}


def _region(r: SourceRange) -> dict[str, int]:
    start_column = max(r.start_column, 1)
    end_line = max(r.end_line, r.start_line)
    # The end column is exclusive; an empty region would annotate nothing.
    least = start_column + 1 if end_line == r.start_line else 1
    end_column = max(r.end_column, least)
    return {"startLine": r.start_line, "startColumn": start_column, "endLine": end_line, "endColumn": end_column}


def _related(number: int, path: str, e: Evidence) -> dict[str, Any]:
    return {"id": number, "physicalLocation": _line(path, e.line), "message": {"text": _phrase(e.what)}}


def _phrase(text: str) -> str:
    return fit(prose(text), MAX_PHRASE) or "evidence"


def _message(m: Merged, steps: Sequence[tuple[str, Evidence]]) -> str:
    """Message, remedy, other instances, links to evidence: as much as fits, the message first."""
    f = m.findings[0]
    text = _sentence(fit(prose(f.message) or prose(f.rule), MAX_TEXT // 2))
    remediation = prose(f.remediation)
    extras = []
    if remediation and remediation not in prose(f.message):
        extras.append(" Fix: " + _sentence(fit(remediation, MAX_TEXT // 4)))
    extras.append(_others(m))
    extras += [f" See [{_phrase(e.what)}]({i})." for i, (_, e) in enumerate(steps, start=1)]
    for extra in extras:
        if len(text) + len(extra) <= MAX_TEXT:
            text += extra
    return text


def _sentence(text: str) -> str:
    return text if text.endswith(".") else text + "."


def _others(m: Merged) -> str:
    """The instances beside the first, each with what sets it apart; as many as fit into a quarter."""
    first, rest = m.findings[0], m.findings[1:]
    if not rest:
        return ""
    named: list[str] = []
    for f in rest:
        apart = [f.path] if f.path != first.path else []
        apart += [f.observed] if f.observed and f.observed != first.observed else []
        apart += ["open"] if f.kind != first.kind else []
        name = f.address + (f" ({', '.join(apart)})" if apart else "")
        if len(name := _phrase(name)) + sum(map(len, named)) > MAX_TEXT // 4:
            break
        named.append(name)
    more = len(rest) - len(named)
    tail = [f"{more} more"] if more else []
    return f" {len(m.findings)} findings on this line; also {', '.join(named + tail)}."
