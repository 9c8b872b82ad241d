"""Placement: would the nodes of one job stand together (PLC)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from auditor.checks.jobs import JobContext, about, burn_text, outcome, several, size_text, training_jobs, trigger
from auditor.model import Job, Outcome


def zone_outcomes(jobs: Sequence[Job], context: JobContext) -> Iterator[Outcome]:
    """PLC001 and PLC003: one training job over several zones, regions or providers."""
    for job in training_jobs(jobs):
        if job.parallelism == "independent" or job.zones_mode == "fallback" or job.dynamic_nodes:
            continue
        many = job.unbounded or (job.nodes_max is not None and job.nodes_max > 1)
        if not many:
            continue
        if job.type_unknown:
            yield from _untyped(job, context)
            continue
        if len(job.regions) > 1 or len(job.providers) > 1:
            yield _far(job, context)
            continue
        if any(r.rule == "PLC012" and r.verdict is True for r in job.refused):
            continue  # a refused launch says it
        most = job.zones_max
        sure = len(job.zones) if not job.single_zone_policy else 1
        if max(most or 0, sure) > context.max_zones:
            yield _spread(job, context, max(most or 0, sure))
        elif most is None:
            yield _unknown(job)
        else:
            yield Outcome("PLC001", "pass", job.name, job.zone_path, job=job.name)


def _untyped(job: Job, context: JobContext) -> Iterator[Outcome]:
    """Nodes of a type that is not known, where they may need a fabric: their spread matters only if it holds accelerators."""
    if trigger(job, context) != "maybe" or job.zones_mode == "fallback" or any(r.rule == "PLC012" for r in job.refused):
        return
    if job.zones_max is not None and max(job.zones_max, len(job.zones) if not job.single_zone_policy else 1) <= context.max_zones:
        yield Outcome("PLC001", "pass", job.name, job.zone_path, job=job.name)
        return
    where = f"over {job.zones_max} zones" if job.zones_max is not None else "over zones that are not known"
    cause = "the instance type is not known at plan time"
    yield outcome(
        "PLC001", "open", job, job.zone_path, ", ".join(job.zones), f"{context.max_zones} zone",
        f"{job.name}: {size_text(job)} {where}; whether its nodes hold accelerators, and are too far apart then, cannot be "
        f"decided: {cause}.",
        "Make the type known at plan time, or give the nodes one zone.", cause=cause,
    )  # fmt: skip


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


def _far(job: Job, context: JobContext) -> Outcome:
    """PLC003, with the levels of PLC001: what holds between zones holds all the more between regions."""
    verdict = trigger(job, context)
    places = ", ".join(job.regions) or ", ".join(job.providers)
    what = f"{len(job.regions)} regions" if len(job.regions) > 1 else f"{len(job.providers)} providers"
    made = outcome(
        "PLC003", "fail", job, job.zone_path, places, "one region of one provider",
        f"{job.name}: one job of {size_text(job)} over {what} ({places}); a step would wait tens of milliseconds for the "
        f"farthest node.{burn_text(job, context)}",
        "Keep the job in one region, or declare separate jobs.", only_at_max=verdict == "max",
    )  # fmt: skip
    if verdict in ("no", "maybe"):
        return replace(made, level="note" if job.role == "unknown" else "warning")
    return made


def tight_outcomes(jobs: Sequence[Job], context: JobContext) -> Iterator[Outcome]:
    """PLC002 and PLC013: nodes that nothing places together, or that something places apart."""
    for job in training_jobs(jobs):
        if job.parallelism == "independent" or job.dynamic_nodes:
            continue
        yield from _apart(job, context)
        yield from _loose(job, context)


def _apart(job: Job, context: JobContext) -> Iterator[Outcome]:
    """PLC013: a placement that spreads nodes on purpose."""
    verdict = trigger(job, context)
    scattered = job.placement == "scattered"
    if job.placement not in ("spread", "partition", "scattered") or verdict not in ("yes", "max"):
        return
    if scattered and job.fabric in ("none", "unknown"):
        return
    yield outcome(
        "PLC013", "fail", job, job.placement_path, job.placement_seen, job.tight or "a placement that keeps nodes together",
        f"{about(job)}: its placement spreads the nodes ({job.placement_seen}). A job that waits for its slowest "
        "message wants them close together.",
        f"Use {job.tight or 'a placement that keeps nodes together'}.", only_at_max=verdict == "max", down=int(scattered),
    )  # fmt: skip


def _loose(job: Job, context: JobContext) -> Iterator[Outcome]:
    """PLC002: nodes may land several switches apart."""
    if job.raw_state != "on" or several(job) is not True or not job.tight or job.placement not in ("", "unknown"):
        return
    if (job.zones_max is not None and job.zones_max > 1) or len(job.regions) > 1:
        return  # PLC001 and PLC003 say that they are farther apart than that
    if job.reservation is True or job.capacity_block:
        yield Outcome("PLC002", "pass", job.name, job=job.name)
        return
    path = job.fabric_path or job.type_path
    cause = ""
    if job.placement == "unknown":
        cause = f"{job.placement_seen or 'the placement'} is known only after apply"
    elif job.asks("grouped").verdict is not False:
        cause = f"{job.asks('grouped').seen or 'the group'}, and the group or policy it names is not in the plan"
    elif job.zones_max is None:
        cause = "in how many zones its nodes run is not known"
    elif any(job.asks(k).verdict is None for k in ("reservation", "block")):
        cause = next(job.asks(k).cause for k in ("reservation", "block") if job.asks(k).verdict is None)
    if cause:
        yield outcome(
            "PLC002", "open", job, path, "", job.tight,
            f"{about(job)}: {job.fabric} is on; whether its nodes are placed together cannot be decided: {cause}.",
            f"Name {job.tight} so that the plan knows it.", cause=cause,
        )  # fmt: skip
        return
    yield outcome(
        "PLC002", "fail", job, path, "no placement", job.tight,
        f"{about(job)}: {job.fabric} is on, and nothing places its nodes together; they may land several switches apart.",
        f"Use {job.tight}; a capacity block or reservation does it too.", only_at_max=trigger(job, context) == "max",
    )  # fmt: skip


def shared_outcomes(jobs: Sequence[Job]) -> Iterator[Outcome]:
    """PLC006 and PLC011: training and inference on the same nodes, or training nodes for inference."""
    for job in jobs:
        tainted = job.asks("tainted").verdict
        if job.both_roles and job.declared.get("shared_pool") != "accepted" and tainted is not True:
            what = f"{about(job)}: training and inference share these nodes ({job.both_roles})"
            remedy = "Give each its own pool, separate them by taints, or declare shared_pool: accepted."
            if tainted is None:
                cause = job.asks("tainted").cause
                yield outcome(
                    "PLC006", "open", job, "", job.both_roles, "one role a pool", f"{what}; {cause}.", remedy, cause=cause
                )
            else:
                yield outcome("PLC006", "fail", job, "", job.both_roles, "one role a pool", f"{what}.", remedy, adjust=False)
        big = [t.instance_type for t in job.types if not t.inference_class]
        small = job.gpus_max is not None and 0 < job.gpus_max < 8
        if job.role == "inference" and job.role_declared and small and job.types and len(big) == len(job.types):
            yield outcome(
                "PLC011", "fail", job, job.type_path, ", ".join(big), "an accelerator made for inference",
                f"{about(job)}: declared inference on {', '.join(big)}, a training-class type, with under 8 GPUs.",
                "An inference-class type (L4, L40S, A10, Inferentia ...) may do the same for less.",
            )  # fmt: skip


def _unknown(job: Job) -> Outcome:
    where = f" through {job.zone_path}" if job.zone_path else ""
    message = f"{job.name}: {size_text(job)}; in how many zones its nodes may run{where} cannot be decided."
    return outcome(
        "PLC001", "open", job, job.zone_path, "", "zones known at plan time", message,
        "Name the zone or subnet so that the plan knows it.", cause="zones or subnets are not known at plan time",
    )  # fmt: skip
