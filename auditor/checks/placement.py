"""Placement: would the nodes of one job stand together (PLC)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from auditor.checks.jobs import JobContext, burn_text, outcome, size_text, training_jobs, trigger
from auditor.model import Job, Outcome


def zone_outcomes(jobs: Sequence[Job], context: JobContext) -> Iterator[Outcome]:
    """PLC001: one training job over several zones."""
    for job in training_jobs(jobs):
        if job.parallelism == "independent" or job.zones_mode == "fallback" or job.dynamic_nodes:
            continue
        several = job.unbounded or (job.nodes_max is not None and job.nodes_max > 1)
        if not several or job.type_unknown:
            continue
        most = job.zones_max
        sure = len(job.zones) if not job.single_zone_policy else 1
        if max(most or 0, sure) > context.max_zones:
            yield _spread(job, context, max(most or 0, sure))
        elif most is None:
            yield _unknown(job)
        else:
            yield Outcome("PLC001", "pass", job.name, job.zone_path, job=job.name)


def _spread(job: Job, context: JobContext, zones: int) -> Outcome:
    verdict = trigger(job, context)
    listed = f" ({', '.join(job.zones)})" if job.zones else ""
    about_efa = " The fabric does not cross zones." if job.fabric not in ("none", "unknown") else ""
    message = (
        f"{job.name}: one job of {size_text(job)} over {zones} zones{listed}; at most {context.max_zones}. "
        f"000: three zones added 2 ms and left training at 35% efficiency.{about_efa}{burn_text(job, context)}"
    )
    shown = ", ".join(job.zones) or f"{zones} zones"
    made = outcome(
        "PLC001", "fail", job, job.zone_path, shown, f"{context.max_zones} zone", message,
        "Give the job one subnet or zone; separate jobs may use one fleet per zone.", only_at_max=verdict == "max",
    )  # fmt: skip
    if verdict in ("no", "maybe"):
        return replace(made, level="note" if job.role == "unknown" else "warning")
    return made


def _unknown(job: Job) -> Outcome:
    where = f" through {job.zone_path}" if job.zone_path else ""
    message = f"{job.name}: {size_text(job)}; in how many zones its nodes may run{where} cannot be decided."
    return outcome(
        "PLC001", "open", job, job.zone_path, "", "zones known at plan time", message,
        "Name the zone or subnet so that the plan knows it.", cause="zones or subnets are not known at plan time",
    )  # fmt: skip
