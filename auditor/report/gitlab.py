"""GitLab Code Quality: a list of violations for the merge-request widget and its diff annotations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from auditor.model import Report
from auditor.report import wording
from auditor.report.escape import clean, cut, prose
from auditor.report.lines import Merged, merge, source
from auditor.report.paths import Paths

if TYPE_CHECKING:
    from auditor.report import RenderOptions

MAX_TEXT: Final = 2000
_SEVERITY: Final = {"error": "critical", "warning": "major", "note": "info"}


def render(report: Report, options: RenderOptions) -> str:
    """The list as indented JSON, most severe first; what kept the audit from being whole comes before."""
    base = Paths(report, options)
    where = base.input(report)
    made = [_trouble("auditor-error", "blocker", prose(e), where) for e in report.errors]
    if partial := wording.partial_line(report):
        made.append(_trouble("auditor-partial", "major", partial, where))
    seen: Counter[str] = Counter()
    for m in merge(report, _without_waived(options)):
        made.append(_violation(m, base, where, seen))
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"


def _without_waived(options: RenderOptions) -> RenderOptions:
    from msgspec.structs import replace

    return replace(options, sarif_include_waived=False)


def _violation(m: Merged, base: Paths, where: str, seen: Counter[str]) -> dict[str, Any]:
    f = m.findings[0]
    place = source(f.location, base)
    text = prose(f.message) or clean(f.rule)
    if (more := len(m.findings) - 1) > 0:
        text += f" (and {more} more on this line)"
    if (fix := prose(f.remediation)) and fix not in text:
        text += f" Fix: {fix}"
    fingerprint = clean(f.fingerprint)
    seen[fingerprint] += 1
    if seen[fingerprint] > 1:  # the widget drops a second violation with the same one
        fingerprint += f"-{seen[fingerprint]}"
    return {
        "description": cut(f"{'open: ' if f.kind == 'open' else ''}{text}", MAX_TEXT),
        "check_name": clean(f.rule),
        "fingerprint": fingerprint,
        "severity": _SEVERITY[m.level],
        "location": {
            "path": clean(place[0] if place else where),
            "lines": {"begin": place[1].start_line if place else 1},
        },
    }


def _trouble(name: str, severity: str, text: str, where: str) -> dict[str, Any]:
    return {
        "description": cut(text, MAX_TEXT),
        "check_name": name,
        "fingerprint": f"{name}:{cut(text, 200)}",
        "severity": severity,
        "location": {"path": clean(where), "lines": {"begin": 1}},
    }
