"""Capacity: would the nodes start, all at once, and stay (CAP001, CAP003, PLC007-PLC010)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditor.checks.jobs import JobContext, about, outcome, training_jobs, trigger
from auditor.model import Job, Outcome, Reserved, Rule
from auditor.spelling import plural


def reserved_outcomes(jobs: Sequence[Job]) -> Iterator[Outcome]:
    """CAP001 and CAP003: a reservation of the plan in another zone than the nodes, or smaller than the job."""
    for job in jobs:
        yield from _elsewhere(job)
    for job in training_jobs(jobs):
        yield from _short(job)


def _elsewhere(job: Job) -> Iterator[Outcome]:
    if not job.reserved or not all(_apart(job, r) for r in job.reserved):
        return
    r, zones = job.reserved[0], ", ".join(job.zones)
    yield outcome(
        "CAP001", "fail", job, job.zone_path, zones, r.zone,
        f"{about(job)}: its reservation {r.block} is in {r.zone}, its nodes are in {zones}; they cannot start in it.",
        f"Reserve in {zones}, or move the nodes to {r.zone}.", adjust=False,
    )  # fmt: skip


def _apart(job: Job, r: Reserved) -> bool:
    """Whether a reservation is surely in none of the job's zones. A zone's name and its id (`-1a`, `-az1`) cannot be compared."""
    comparable = bool(r.zone and job.zones) and all(z.count("-") == r.zone.count("-") for z in job.zones)
    return comparable and r.zone not in job.zones


def _short(job: Job) -> Iterator[Outcome]:
    usable = [r for r in job.reserved if not _apart(job, r)]
    counts = [r.count for r in usable]
    held = sum(c for c in counts if c is not None)
    if not counts or None in counts or job.nodes_max is None or held >= job.nodes_max:
        return
    names = ", ".join(dict.fromkeys(r.block for r in usable))
    yield outcome(
        "CAP003", "fail", job, job.size_path or usable[0].path, f"{held} reserved", plural(job.nodes_max, "node"),
        f"{about(job)}: {names} holds {plural(held, 'instance')}, the job may have {plural(job.nodes_max, 'node')}; "
        "the last ones may never start.",
        f"Reserve {plural(job.nodes_max, 'instance')}, or lower the maximum to {held}.",
    )  # fmt: skip


def lasting_outcomes(jobs: Sequence[Job], context: JobContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """PLC007-PLC010: spot, scaling and reservations of training jobs."""
    least = int(rules["PLC010"].params.get("min_gpus", 32)) if "PLC010" in rules else 32
    for job in training_jobs(jobs):
        if job.dynamic_nodes or job.parallelism == "independent":
            continue
        verdict = trigger(job, context)
        if verdict in ("yes", "max"):
            yield from _spot(job, context, verdict == "max")
            yield from _elastic(job, context)
        yield from _could_be_spot(job, context)
        yield from _unreserved(job, least)


def _spot(job: Job, context: JobContext, at_max: bool) -> Iterator[Outcome]:
    """PLC007: one node taken back stops the whole job."""
    said = job.asks("spot")
    if said.verdict is False or (job.capacity_block and said.verdict is None) or context.tells(job, "checkpointing"):
        return
    expected = "capacity that stays, or checkpointing: true"
    remedy = "Use on-demand or reserved capacity, or declare checkpointing: true for the job."
    if said.verdict is None:
        yield outcome(
            "PLC007", "open", job, said.path, "", expected,
            f"{about(job)}: whether its nodes are spot cannot be decided: {said.cause}.", remedy, cause=said.cause,
        )  # fmt: skip
        return
    yield outcome(
        "PLC007", "fail", job, said.path, said.seen, expected,
        f"{about(job)}: a synchronous job on spot capacity ({said.seen}); one node taken back stops all of them.",
        remedy, only_at_max=at_max,
    )  # fmt: skip


def _elastic(job: Job, context: JobContext) -> Iterator[Outcome]:
    """PLC009: a synchronous job does not grow while it runs."""
    if context.tells(job, "elastic") or job.nodes_min is None or job.nodes_min == job.nodes_max:
        return
    if job.nodes_max is None and not job.unbounded:
        return
    most = "any number" if job.nodes_max is None else str(job.nodes_max)
    yield outcome(
        "PLC009", "fail", job, job.size_path, f"{job.nodes_min} to {most} nodes", "one fixed size, or elastic: true",
        f"{about(job)}: it may grow from {job.nodes_min} to {most} nodes while it runs; a synchronous job starts again then.",
        "Fix the size for the run, or declare elastic: true.",
    )  # fmt: skip


def _could_be_spot(job: Job, context: JobContext) -> Iterator[Outcome]:
    """PLC008: a small job loses little when a node is taken back."""
    small = job.gpus_max is not None and 0 < job.gpus_max <= context.max_gpus
    if job.role != "training" or not small or job.existing or (job.reservation is not False and "reservation" in job.said):
        return
    if "spot" in job.said and job.asks("spot").verdict is False and not job.capacity_block:
        yield outcome(
            "PLC008", "fail", job, job.type_path, "on demand", "spot capacity with checkpoints",
            f"{about(job)}: a training job of {context.max_gpus} GPUs or fewer on demand; spot capacity costs less.",
            "Use spot capacity with checkpoints, if the work can wait for it.",
        )  # fmt: skip


def _unreserved(job: Job, least: int) -> Iterator[Outcome]:
    """PLC010: a large job starts all at once or not at all."""
    if job.gpus_max is None or job.gpus_max < least or not {"reservation", "block"} & job.said.keys():
        return
    if job.reservation is True or job.capacity_block or job.asks("spot").verdict is True:
        return
    if "queued" in job.said and job.asks("queued").verdict is not False:
        return  # waits until all of its nodes can start at once
    opens = [job.asks(k) for k in ("reservation", "block") if job.asks(k).verdict is None]
    remedy = "Reserve capacity (a reservation, capacity block or training plan) and point the nodes at it."
    if opens:
        yield outcome(
            "PLC010", "open", job, opens[0].path, "", "reserved capacity",
            f"{about(job)}: whether its capacity is reserved cannot be decided: {opens[0].cause}.", remedy,
            cause=opens[0].cause,
        )  # fmt: skip
        return
    yield outcome(
        "PLC010", "fail", job, job.size_path or job.type_path, "no reservation", "reserved capacity",
        f"{about(job)}: {least} GPUs or more on demand; so many seldom start all at once.", remedy,
    )  # fmt: skip
