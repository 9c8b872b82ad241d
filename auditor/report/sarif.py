"""SARIF 2.1.0 as GitHub code scanning takes it: one run, every required field, its caps kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from auditor.model import Report, Rule
from auditor.report import wording
from auditor.report.escape import block, clean, cut, prose
from auditor.report.lines import merge
from auditor.report.paths import Paths
from auditor.report.sarif_results import MAX_TEXT, REDACTED, SRCROOT, fit, result

if TYPE_CHECKING:
    from auditor.report import RenderOptions, Revision

MAX_RESULTS: Final = 5000
MAX_TAGS: Final = 10
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SEVERITY: Final = {"error": "error", "warning": "warning", "note": "recommendation"}
_WORD: Final = re.compile(r"[A-Za-z]+|[0-9]+")
_ARTICLES: Final = {"a", "an", "the"}
_URL: Final = re.compile(r"https?://[^\s<>()\[\]\"'`]+$")


def render(report: Report, options: RenderOptions) -> str:
    """The log as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(as_dict(report, options)), indent=2).decode() + "\n"


def diagnostics(report: Report, options: RenderOptions) -> tuple[str, ...]:
    """What the cap left out, as sentences for stderr."""
    if len(report.findings) + len(report.waived) <= MAX_RESULTS:
        return ()
    return _cut_notice(len(merge(report, options)))


def _cut_notice(total: int) -> tuple[str, ...]:
    if total <= MAX_RESULTS:
        return ()
    return (
        f"SARIF holds the {MAX_RESULTS} most severe of {total} results, the most that GitHub shows. "
        "The JSON report lists all of them.",
    )


def as_dict(report: Report, options: RenderOptions) -> dict[str, Any]:
    """The log as plain objects."""
    merged = merge(report, options)
    base = Paths(report, options)
    kept = merged[:MAX_RESULTS]
    rules = [_descriptor(r) for r in sorted(report.rules, key=lambda r: r.id)]
    known = {r.id for r in report.rules}
    used = {m.findings[0].rule: m.findings[0] for m in kept}
    rules += [_bare_descriptor(rule, used[rule].level) for rule in sorted(used.keys() - known)]
    ids = sorted(known) + sorted(used.keys() - known)
    rule_index = {rule: i for i, rule in enumerate(ids)}
    run = {
        "tool": {
            "driver": {
                "name": "auditor",
                "version": clean(report.version),
                "semanticVersion": clean(report.version),
                "informationUri": "urn:auditor:tool",
                "rules": rules,
            }
        },
        "automationDetails": {"id": _category(options.stack)},
        "invocations": [
            {
                "executionSuccessful": not report.errors,
                "toolExecutionNotifications": _notifications(report, len(merged)),
            }
        ],
        "originalUriBaseIds": {SRCROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "redactionTokens": [REDACTED],
        **_provenance(options.revision),
        "results": [result(m, report, options, rule_index, base) for m in kept],
        "properties": {
            "catalog": clean(report.catalog),
            "asOf": clean(report.as_of),
            "verdict": report.verdict,
            "coverage": wording.coverage_line(report),
            "disclaimer": wording.disclaimer(report),
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _provenance(revision: Revision | None) -> dict[str, Any]:
    """Which commit of which repository the paths belong to."""
    if revision is None:
        return {}
    found: dict[str, Any] = {"repositoryUri": quote(revision.repository, safe=":/%~@+,=&;!$'()*", errors="replace")}
    if revision.commit:
        found["revisionId"] = clean(revision.commit)
    return {"versionControlProvenance": [found | {"mappedTo": {"uriBaseId": SRCROOT}}]}


def _category(stack: str) -> str:
    # A slash at the end: all of it is the category, the run id stays empty.
    name = clean(stack).strip("/")
    return f"auditor/{name}/" if name else "auditor/"


def _notifications(report: Report, total: int) -> list[dict[str, Any]]:
    found: list[tuple[str, str]] = [("error", e) for e in report.errors]
    found += [("warning", line) for line in (wording.partial_line(report),) if line]
    found += [("warning", line) for line in _cut_notice(total)]
    found += [("note", line) for line in (wording.source_scan_line(report),) if line]
    found += [("note", f"not configured: {line}") for line in report.not_configured]
    found += [("note", f"assumed: {line}") for line in report.assumptions]
    found += [("note", line) for line in (*report.notices, wording.coverage_line(report))]
    found += [("note", line) for line in (wording.disclaimer(report),) if line]
    return [{"level": level, "message": {"text": fit(prose(text), MAX_TEXT)}} for level, text in found]


def _descriptor(rule: Rule) -> dict[str, Any]:
    title = prose(rule.title) or clean(rule.id)
    properties: dict[str, Any] = {
        "tags": [clean(t) for t in (rule.set, *(["security"] if rule.security_severity else [])) if t][:MAX_TAGS],
        "precision": rule.precision,
    }
    if rule.security_severity:
        properties["security-severity"] = rule.security_severity
    else:
        properties["problem.severity"] = _SEVERITY[rule.level]
    if rule.aliases:
        properties["aliases"] = [clean(a) for a in rule.aliases]
    out: dict[str, Any] = {
        "id": clean(rule.id),
        "name": _pascal(title) or clean(rule.id),
        "shortDescription": {"text": cut(title, MAX_TEXT)},
        "fullDescription": {"text": cut(prose(rule.why) or title, MAX_TEXT)},
        "help": {"text": _help_text(rule, title), "markdown": _help_markdown(rule, title)},
        "defaultConfiguration": {"level": rule.level},
        "properties": properties,
    }
    link = next((s for s in rule.sources if _URL.fullmatch(s)), "")
    return out | {"helpUri": link or _urn(rule.id)}


def _urn(rule: str) -> str:
    """A name for the rule where no page stands behind it: readers other than GitHub want an URI."""
    return f"urn:auditor:rule:{quote(rule, safe='-_.', errors='replace')}"


def _bare_descriptor(rule: str, level: str) -> dict[str, Any]:
    """A rule that reported without being among the rules of the run: what the result needs, no more."""
    text = {"text": clean(rule)}
    return {
        "id": clean(rule),
        "name": clean(rule),
        "shortDescription": text,
        "fullDescription": text,
        "help": {"text": clean(rule), "markdown": f"`{clean(rule).replace('`', '')}`"},
        "defaultConfiguration": {"level": level},
        "properties": {"precision": "high", "problem.severity": _SEVERITY[level]},
        "helpUri": _urn(rule),
    }


def _pascal(title: str) -> str:
    """`AiEndpoint...`: one capital a word, so that a reader can take the name apart again."""
    words = [w.capitalize() for w in _WORD.findall(title) if w.lower() not in _ARTICLES]
    name = "".join(words)[:255]
    return name if name[:1].isalpha() else f"Rule{name}"


def _limits(rule: Rule) -> str:
    if not rule.id.startswith("SOV"):
        return ""
    return "It checks locations against an allow list you own; it is not legal advice."


def _help_text(rule: Rule, title: str) -> str:
    parts = [prose(rule.why), f"What to do: {prose(rule.remediation)}" if rule.remediation else "", _limits(rule)]
    return "\n\n".join(p for p in parts if p) or title


def _help_markdown(rule: Rule, title: str) -> str:
    parts = [f"## {title}", prose(rule.why)]
    if rule.remediation:
        parts.append(f"**What to do:** {prose(rule.remediation)}")
    parts += [f"**{name}**\n\n{_fenced(code)}" for name, code in (("Bad", rule.bad), ("Good", rule.good)) if code]
    if rule.sources:
        parts.append("**Sources:** " + ", ".join(f"<{s}>" if _URL.fullmatch(s) else prose(s) for s in rule.sources))
    parts += [_limits(rule), f"`auditor explain {clean(rule.id)}` prints this and more."]
    return "\n\n".join(p for p in parts if p)


def _fenced(code: str) -> str:
    # Longer than any run of backticks inside, so that an example cannot leave its fence.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
    return f"{fence}hcl\n{block(code)}\n{fence}"
