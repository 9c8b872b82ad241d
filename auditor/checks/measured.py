"""Measured latency between the nodes of a job (NET007). Nothing is measured here: the manifest says what was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from auditor.checks.economics_context import EconomicsContext
from auditor.checks.jobs import JobContext, about, outcome, training_jobs, trigger
from auditor.economics import exact, plain
from auditor.model import Job, Level, Outcome

_OLD_DAYS: Final = 90
_FEW_SAMPLES: Final = 1000


def latency_outcomes(jobs: Sequence[Job], context: JobContext, economics: EconomicsContext | None) -> Iterator[Outcome]:
    """One verdict per measurement, and a note for a large job over zones that nobody measured."""
    if economics is None or economics.declared is None:
        return
    measurements = economics.declared.get("measurements") or ()
    for i, m in enumerate(measurements):
        yield _measured(i, m, context, economics.as_of)
    if measurements:
        return
    for job in training_jobs(jobs):
        if job.zones_mode != "fallback" and trigger(job, context) in ("yes", "max") and (job.zones_max or 0) > 1:
            yield outcome(
                "NET007", "fail", job, job.zone_path, "no measurement", f"p99 under {plain(exact(context.max_p99_ms))} ms",
                f"{about(job)} over {job.zones_max} zones, and no measurement of the latency between them is declared.",
                "Measure the round trip between the nodes (`auditor calc latency` reads ping, sockperf and nccl-tests) and "
                "declare it under measurements.", level="note",
            )  # fmt: skip


def _measured(i: int, m: Mapping[str, Any], context: JobContext, today: date) -> Outcome:
    p99, limit = exact(m["p99_ms"]), exact(context.max_p99_ms)
    ends = " - ".join(str(e) for e in m["between"])
    path = f"measurements[{i}]"
    expected = f"p99 under {plain(limit)} ms"
    lead = f"{ends}: p99 {plain(p99)} ms"
    if p99 >= limit:
        return Outcome(
            "NET007", "fail", path=path, observed=f"{plain(p99)} ms", expected=expected,
            message=f"{lead} is not under {plain(limit)} ms; one slow message stalls every step.",
            remediation="Place the nodes closer together, or on a fabric, and measure again.",
        )  # fmt: skip
    doubts = []
    day = date.fromisoformat(str(m["measured_on"])) if m.get("measured_on") else None
    if day is not None and (today - day).days > _OLD_DAYS:
        doubts.append(f"measured {(today - day).days} days ago, over {_OLD_DAYS}")
    samples = m.get("samples")
    if isinstance(samples, int) and samples < _FEW_SAMPLES:
        doubts.append(f"{samples} samples, under {_FEW_SAMPLES}")
    if doubts:
        note: Level = "note"
        return Outcome(
            "NET007", "fail", path=path, observed="; ".join(doubts), expected=expected,
            message=f"{lead}, {' and '.join(doubts)}: it does not show much.", remediation="Measure again.", level=note,
        )  # fmt: skip
    return Outcome("NET007", "pass", path=path)

