"""Lag rows and statistics as text, JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from auditor.lagrows import WITHIN, Row, Stat
from auditor.report.escape import clean

COLUMNS = ("feature", "title", "provider", "status", "since", "kind", "supported_on", "version", "days", "lag", "confidence")


def record(row: Row) -> dict[str, object]:
    """One row in full: both dates with their sources."""
    f = row.feature
    return {
        "feature": f.id, "title": f.title, "cloud": row.cloud, "service": f.service, "provider": f.provider,
        "types": list(f.types), "attribute": f.attribute or None, "status": row.status,
        "since": row.start.date if row.start else None, "kind": row.kind, "since_source": row.start.source if row.start else None,
        "version": row.first.version if row.first else None, "supported_on": row.supported_on or None,
        "evidence": row.first.evidence if row.first else None, "version_source": row.first.source if row.first else None,
        "days": row.days, "lag": row.lag or None, "over": row.over, "workarounds": list(f.workarounds),
        "confidence": f.confidence, "catalog": row.as_of,
    }  # fmt: skip


def _cells(row: Row) -> tuple[str, ...]:
    f = row.feature
    version = row.first.version if row.first else ""
    if row.first and row.first.evidence != "exact":
        version = ("<= " if row.first.evidence == "at_most" else "~ ") + version
    return (
        f.id, f.title, f.provider, row.status, row.start.date if row.start else "", row.kind, row.supported_on, version,
        "" if row.days is None else str(row.days), row.lag, f.confidence,
    )  # fmt: skip


def table(rows: Sequence[Row], form: str, as_of: str) -> str:
    if form == "json":
        made = {"schema": "auditor-lag-list/1", "as_of": as_of, "features": [record(r) for r in rows]}
        return json.dumps(made, indent=1) + "\n"
    cells = [_cells(r) for r in rows]
    if form == "csv":
        return _csv(COLUMNS, cells)
    if form == "markdown":
        return _markdown(COLUMNS, cells)
    shown = [(c[0], c[3], f"{c[5]} {c[4]}".strip(), f"{c[2]} {c[7]}".strip(), c[6], c[9]) for c in cells]
    return _text(("FEATURE", "STATUS", "CLOUD", "PROVIDER", "SINCE", "LAG"), shown) + f"{len(rows)} features as of {as_of}\n"


def stat_table(stats: Sequence[Stat], form: str, as_of: str) -> str:
    names = ("cloud", "year", "supported", "open", "median_days", "p90_days", f"within_{WITHIN}_days", "of", "share_pct")
    cells = [
        (s.cloud, s.year, str(s.supported), str(s.open), _n(s.median), _n(s.p90), str(s.within), str(s.of), _share(s))
        for s in stats
    ]
    if form == "json":
        made = [
            {"cloud": s.cloud, "year": s.year, "supported": s.supported, "open": s.open, "median_days": s.median,
             "p90_days": s.p90, f"within_{WITHIN}_days": s.within, "of": s.of,
             "share": None if s.share is None else round(s.share, 4)}
            for s in stats
        ]  # fmt: skip
        return json.dumps({"schema": "auditor-lag-stats/1", "as_of": as_of, "groups": made}, indent=1) + "\n"
    if form == "csv":
        return _csv(names, cells)
    if form == "markdown":
        return _markdown(names, cells)
    heads = ("CLOUD", "YEAR", "SUPPORTED", "OPEN", "MEDIAN", "P90", f"WITHIN {WITHIN} D", "OF", "SHARE")
    note = (
        f"as of {as_of}; days. Medians are of supported features alone and look fast where the slow ones are still missing: "
        f"quote the share, whose denominator holds the open ones (features of the last {WITHIN} days left out).\n"
    )
    return _text(heads, [(*c[:8], c[8] + "%" if c[8] else "") for c in cells]) + note


def _n(value: int | None) -> str:
    return "" if value is None else str(value)


def _share(s: Stat) -> str:
    return "" if s.share is None else f"{100 * s.share:.0f}"


def _csv(names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Cells that a spreadsheet would take for a formula are quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([f"'{c}" if c[:1] in ("=", "+", "-", "@") else c for c in row] for row in cells)
    return out.getvalue()


def _markdown(names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(clean(c).replace("|", "\\|").replace("<", "&lt;") for c in row) + " |" for row in cells]
    return "\n".join(lines) + "\n"


def _text(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    rows = [tuple(heads), *[tuple(clean(c) for c in row) for row in cells]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    return "".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)
