"""SARIF results: one per rule and source line, instances named in the message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from auditor.model import Evidence, Finding, Report, SourceRange, WaiverRef
from auditor.report.escape import block, clean, cut, prose
from auditor.report.excerpt import quotable
from auditor.report.excerpt import quote as quoted
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
REDACTED: Final = "[REDACTED]"
MAX_LINE: Final = 1 << 20  # columns of a line of source


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
        "locations": [_location(m, report, options, base)],
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


def _location(m: Merged, report: Report, options: RenderOptions, base: Paths) -> dict[str, Any]:
    f = m.findings[0]
    place = source(f.location, base)
    if place:
        physical: dict[str, Any] = {"artifactLocation": _artifact(place[0]), "region": _region(place[1])}
        snippet = _snippet(f, options)
    else:
        physical = _line(base.input(report), 1)
        snippet = _first_character(report, options)
    physical["contextRegion"] = _context(physical["region"])
    if snippet:
        before, text, after = snippet
        physical["region"]["snippet"] = {"text": text}
        physical["contextRegion"]["snippet"] = {"text": before + text + after}
    addresses = sorted({clean(f.address) for f in m.findings}, key=natural)[:MAX_LOCATIONS]
    logical = [{"fullyQualifiedName": a, "kind": "resource"} for a in addresses]
    return {"physicalLocation": physical, "logicalLocations": logical}


def _context(region: dict[str, int]) -> dict[str, Any]:
    """The whole lines of a region."""
    return {k: region[k] for k in ("startLine", "endLine")}


def _snippet(f: Finding, options: RenderOptions) -> tuple[str, str, str] | None:
    """What stands before, at and behind the finding's place on its lines.

    Redacted are the literals it does not tell, all of a place that may be no location or size, and all around it but white space.
    """
    at = f.location
    if options.excerpt is None or at is None:
        return None
    text = block(quoted(f, options.excerpt, REDACTED)) if quotable(f) else ""
    before = options.excerpt(SourceRange(at.file, at.start_line, 1, at.start_line, max(at.start_column, 1)))
    after = options.excerpt(SourceRange(at.file, at.end_line, max(at.end_column, 1), at.end_line, MAX_LINE))
    return _around(before), text or REDACTED, _around(after)


def _around(text: str) -> str:
    return REDACTED if text.strip() else text.expandtabs(4)


def _first_character(report: Report, options: RenderOptions) -> tuple[str, str, str] | None:
    """The brace of the plan that a finding without a source line stands at."""
    path = Paths.source(report)
    start = options.excerpt(SourceRange(path, 1, 1, 1, 3)) if options.excerpt and path else ""
    return ("", block(start[:1]), REDACTED if start[1:].strip() else "") if start.strip() else None


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
