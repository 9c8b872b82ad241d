"""SARIF of one stack, gzipped and held under what code scanning takes for one upload."""

from __future__ import annotations

import gzip
from typing import Final

import msgspec

from auditor.model import Report
from auditor.report import RenderOptions
from auditor.report.sarif import as_dict

MAX_BYTES: Final = 10_000_000  # GitHub refuses larger uploads


def capped(report: Report, stack: str, limit: int = MAX_BYTES) -> bytes:
    """The gzipped log, the same bytes for the same report; where it is too large, the least severe half of its results goes."""
    log = as_dict(report, RenderOptions(stack=stack))
    run = log["runs"][0]
    total = len(run["results"])
    while True:
        data = gzip.compress(msgspec.json.encode(log), compresslevel=6, mtime=0)
        kept = len(run["results"])
        if len(data) <= limit or not kept:
            return data
        run["results"] = run["results"][: kept // 2]
        notes = run["invocations"][0]["toolExecutionNotifications"]
        text = f"SARIF holds the {kept // 2} most severe of {total} results: more would be too large to upload."
        notes[:] = [n for n in notes if not n["message"]["text"].startswith("SARIF holds the")]
        notes.insert(0, {"level": "warning", "message": {"text": text}})
