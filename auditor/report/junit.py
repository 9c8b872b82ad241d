"""JUnit XML: a suite per rule set, a case per rule that found nothing and one per finding.

A finding at or above `fail_on` is a failure; one below it, an open below it and a waived one are skipped: seen, not passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from auditor.model import Finding, Report
from auditor.report import wording
from auditor.report.escape import block, clean, prose
from auditor.report.grouping import configured, heading_of, level_rank, prefix_of, set_order, sort_key

if TYPE_CHECKING:
    from auditor.report import RenderOptions

_ENTITIES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&apos;"}
Result = Literal["pass", "failure", "skipped", "error"]


@dataclass(frozen=True, slots=True)
class _Case:
    classname: str
    name: str
    result: Result
    kind: str = ""
    message: str = ""
    body: str = ""
    file: str = ""
    line: int = 0


def render(report: Report, options: RenderOptions) -> str:
    """The document, encoded for UTF-8; no times and no host name, so that the same input gives the same bytes."""
    del options
    suites = [(heading_of(p), _cases(report, p)) for p in _prefixes(report)]
    if trouble := _trouble(report):
        suites.insert(0, ("AUDIT", trouble))
    every = [c for _, cases in suites for c in cases]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="auditor" {_counts(every)}>']
    for name, cases in suites:
        lines.append(f"  <testsuite name={_quoted(name)} {_counts(cases)}>")
        if name == suites[0][0]:
            lines += _properties(report)
        lines += [line for c in cases for line in _element(c)]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _prefixes(report: Report) -> list[str]:
    found = {prefix_of(f.rule) for f in report.findings} | {prefix_of(w.finding.rule) for w in report.waived}
    return set_order(found | {prefix_of(r.id) for r in report.rules})


def _cases(report: Report, prefix: str) -> list[_Case]:
    limit = level_rank(report.fail_on)
    found = [f for f in report.findings if prefix_of(f.rule) == prefix]
    made = [_finding(f, level_rank(f.level) <= limit) for f in sorted(found, key=sort_key)]
    waived = sorted((w for w in report.waived if prefix_of(w.finding.rule) == prefix), key=lambda w: sort_key(w.finding))
    made += [
        _Case(w.finding.rule, _name(w.finding), "skipped", "waived", f"waived: {w.waiver.reason} ({w.waiver.source})")
        for w in waived
    ]
    speaking = {c.classname for c in made}
    for rule in sorted(report.rules, key=lambda r: r.id):
        if prefix_of(rule.id) == prefix and rule.id not in speaking:
            if configured(report, prefix):
                made.append(_Case(rule.id, rule.title, "pass"))
            else:
                made.append(_Case(rule.id, rule.title, "skipped", "not configured", "not configured"))
    return made


def _finding(f: Finding, failing: bool) -> _Case:
    word = f"open ({f.level})" if f.kind == "open" else f.level
    parts = [prose(f.message)]
    parts += [f"via: {prose(e.what)}" + (f" ({clean(e.file)}:{e.line})" if e.file and e.line else "") for e in f.evidence]
    parts += [f"fix: {prose(f.remediation)}"] if f.remediation else []
    where = (f.location.file, f.location.start_line) if f.location else ("", 0)
    return _Case(
        f.rule, _name(f), "failure" if failing else "skipped", word, f"{word}: {prose(f.message)}", "\n".join(parts), *where
    )


def _name(f: Finding) -> str:
    return f"{f.address} {f.path}".strip()


def _trouble(report: Report) -> list[_Case]:
    made = [_Case("auditor", "run", "error", "could not audit", e, e) for e in report.errors]
    if partial := wording.partial_line(report):
        made.append(_Case("auditor", "input", "skipped", "partial", partial))
    return made


def _counts(cases: Iterable[_Case]) -> str:
    made = list(cases)
    by = {kind: sum(1 for c in made if c.result == kind) for kind in ("failure", "error", "skipped")}
    return f'tests="{len(made)}" failures="{by["failure"]}" errors="{by["error"]}" skipped="{by["skipped"]}"'


def _properties(report: Report) -> list[str]:
    pairs = [("verdict", wording.verdict_line(report)), ("coverage", wording.coverage_line(report))]
    pairs += [("disclaimer", text) for text in (wording.disclaimer(report),) if text]
    rows = [f"      <property name={_quoted(k)} value={_quoted(v)}/>" for k, v in pairs]
    return ["    <properties>", *rows, "    </properties>"]


def _element(c: _Case) -> list[str]:
    place = f' file={_quoted(c.file)} line="{c.line}"' if c.file else ""
    head = f"    <testcase classname={_quoted(c.classname)} name={_quoted(c.name)}{place}"
    if c.result == "pass":
        return [head + "/>"]
    message = f"message={_quoted(prose(c.message))}"
    if c.result == "skipped":
        inner = f"      <skipped {message}/>"
    else:
        inner = f"      <{c.result} type={_quoted(c.kind)} {message}>{block(c.body).translate(_ENTITIES)}</{c.result}>"
    return [head + ">", inner, "    </testcase>"]


def _quoted(text: str) -> str:
    return f'"{clean(text).translate(_ENTITIES)}"'
