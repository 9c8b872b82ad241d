"""Report formats: pure functions from a `Report` to text. Each format is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from auditor.model import Report, SourceRange

if TYPE_CHECKING:
    from auditor.facts import Coordinates


class Revision(msgspec.Struct, frozen=True):
    """A commit of a repository: its address without user or password, and the id of the commit ("" when unknown)."""

    repository: str
    commit: str = ""


class RenderOptions(msgspec.Struct, frozen=True):
    """What a renderer may know besides the report; it never looks at the terminal or the disk itself.

    width: columns to wrap at, 0 for no wrapping.
    sarif_include_waived: waived results too, with `suppressions`.
    stack: tells several uploads for one commit apart (SARIF `automationDetails.id`).
    root: the repository root, absolute; paths below it become relative to it.
    cwd: the folder that relative paths of the report count from, absolute.
    coordinates: reads where regions stand, asked only by formats with a map.
    excerpt: the source text of exactly a range, "" where it is not at hand.
    revision: the commit that the source stands at, where there is one.
    """

    color: bool = False
    width: int = 100
    verbose: bool = False
    sarif_include_waived: bool = False
    stack: str = ""
    root: str = ""
    cwd: str = ""
    coordinates: Callable[[], Coordinates] | None = None
    excerpt: Callable[[SourceRange], str] | None = None
    revision: Revision | None = None


Renderer = Callable[[Report, RenderOptions], str]


def _text(report: Report, options: RenderOptions) -> str:
    from auditor.report.text import render

    return render(report, options)


def _json(report: Report, options: RenderOptions) -> str:
    from auditor.report.json_report import render

    return render(report, options)


def _sarif(report: Report, options: RenderOptions) -> str:
    from auditor.report.sarif import render

    return render(report, options)


def _markdown(report: Report, options: RenderOptions) -> str:
    from auditor.report.markdown import render

    return render(report, options)


def _github(report: Report, options: RenderOptions) -> str:
    from auditor.report.github import render

    return render(report, options)


def _gitlab(report: Report, options: RenderOptions) -> str:
    from auditor.report.gitlab import render

    return render(report, options)


def _junit(report: Report, options: RenderOptions) -> str:
    from auditor.report.junit import render

    return render(report, options)


def _html(report: Report, options: RenderOptions) -> str:
    from auditor.report.html import render

    return render(report, options)


FORMATS: Final[Mapping[str, Renderer]] = MappingProxyType(
    {
        "text": _text,
        "json": _json,
        "sarif": _sarif,
        "markdown": _markdown,
        "github": _github,
        "gitlab": _gitlab,
        "junit": _junit,
        "html": _html,
    }
)


def diagnostics(name: str, report: Report, options: RenderOptions) -> tuple[str, ...]:
    """Sentences for stderr about what format `name` had to leave out; usually none."""
    if name != "sarif":
        return ()
    from auditor.report.sarif import diagnostics as sarif_diagnostics

    return sarif_diagnostics(report, options)
