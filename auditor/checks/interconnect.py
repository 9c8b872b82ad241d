"""Interconnect: would a job over the threshold get an RDMA fabric, switched on (NET)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from auditor.checks.jobs import (
    JobContext,
    about,
    burn_text,
    nearest_text,
    outcome,
    overlay_lines,
    size_text,
    training_jobs,
    trigger,
)
from auditor.model import Job, Outcome


def fabric_outcomes(jobs: Sequence[Job], context: JobContext) -> Iterator[Outcome]:
    """NET001-NET004, NET008 and NET010: one verdict per job about its fabric, and one about what is not known."""
    for job in training_jobs(jobs):
        if job.parallelism == "independent":
            continue
        yield from _judge(job, context)


def _judge(job: Job, context: JobContext) -> Iterator[Outcome]:
    verdict = trigger(job, context)
    if job.dynamic_nodes or job.unknown_types or (verdict == "maybe" and _undecided(job)):
        yield _open(job, context)
        return
    if verdict in ("no", "maybe"):
        yield Outcome("NET001", "pass", job.name, job=job.name)
        return
    state = job.raw_state
    if state == "open":
        yield _open(job, context)
        return
    only_at_max = verdict == "max"
    if state == "on":
        if job.fabric in context.accept:
            yield Outcome("NET001", "pass", job.name, job=job.name)
        elif job.fabric == "tcpx":
            yield _tcpx(job, context, only_at_max)
        else:
            yield _without(job, context, only_at_max, f"fabric {job.fabric} is not accepted ({', '.join(context.accept)})")
        return
    if state == "impossible":
        yield _without(job, context, only_at_max, "fabric impossible: the type has none")
        return
    yield _off(job, context, only_at_max)


def _undecided(job: Job) -> bool:
    """Whether the job may need a fabric and nothing says that it has an accepted one."""
    return job.nodes_max is None or job.gpus_max is None or job.domains_max is None


def _autoscaled(job: Job, context: JobContext, what: str, path: str) -> Outcome:
    """NET003 stands in for NET001 and NET002 where only the maximum crosses the threshold."""
    message = (
        f"{job.name} ({size_text(job)}) can grow over {context.max_gpus} GPUs on several nodes: {what}."
        f"{nearest_text(job, context)}"
    )
    return outcome(
        "NET003", "fail", job, job.size_path or path, job.size_seen or size_text(job),
        f"at most {context.max_gpus} GPUs, or an RDMA fabric", message,
        f"Keep the maximum at {context.max_gpus} GPUs or below, or switch the fabric on before the group grows.",
        only_at_max=False,
    )  # fmt: skip


def _without(job: Job, context: JobContext, only_at_max: bool, what: str) -> Outcome:
    if only_at_max:
        return _autoscaled(job, context, what, job.type_path)
    message = (
        f"{job.name}: {size_text(job)}, {what}. Gate 2: more than {context.max_gpus} GPUs on several nodes need "
        f"RDMA/InfiniBand; standard Ethernet is a no-go.{nearest_text(job, context)}{burn_text(job, context)}"
    )
    return outcome(
        "NET001", "fail", job, job.type_path, " / ".join(job.instance_types), ", ".join(context.accept), message,
        "Choose an instance type with an RDMA fabric, or split the work into jobs that fit one node.",
    )  # fmt: skip


_ATTRIBUTE: Final = re.compile(r"[a-z0-9_.]*[_.\[][a-z0-9_.\[\]*]*(?: |$)")  # what is missing is an attribute, not a thing


def _off(job: Job, context: JobContext, only_at_max: bool) -> Outcome:
    if job.split:
        message = f"{about(job)}, {job.fabric} capable, and its nodes share no fabric partition: {job.split}."
        return outcome(
            "NET010", "fail", job, job.fabric_path, job.split, "one partition for all nodes", message + burn_text(job, context),
            "Put all nodes of the job into one scale set, availability set or partition.", only_at_max=only_at_max,
        )  # fmt: skip
    missing = "; ".join(job.missing) or "its switch is not set"
    what = f"{job.fabric} capable, not switched on: missing {missing}"
    if only_at_max:
        return _autoscaled(job, context, what, job.fabric_path)
    message = f"{job.name}: {size_text(job)}, {what}.{burn_text(job, context)}"
    return outcome(
        "NET002", "fail", job, job.fabric_path, "not set", missing, message,
        f"{'Set' if _ATTRIBUTE.match(missing) else 'Add'} {missing}.",
    )  # fmt: skip


def _tcpx(job: Job, context: JobContext, only_at_max: bool) -> Outcome:
    message = (
        f"{job.name}: {size_text(job)} over GPUDirect-TCPX: optimised, not RDMA. "
        f"Accept it with interconnect.accept_fabrics, or use a type with RDMA.{nearest_text(job, context)}"
    )
    return outcome(
        "NET008", "fail", job, job.fabric_path, job.fabric, ", ".join(context.accept), message,
        "Add tcpx to interconnect.accept_fabrics if that is intended, or choose a type with RDMA.",
        only_at_max=only_at_max,
    )  # fmt: skip


def _open(job: Job, context: JobContext) -> Outcome:
    if job.unknown_types:
        names = ", ".join(job.unknown_types)
        cause = f"{names} is not in the catalogue"
        message = f"{job.name}: {names} looks like an accelerator type and is not in the catalogue; its size and fabric are open."
        remedy = f"Add it to the policy: {overlay_lines(job)}"
        return outcome("NET004", "open", job, job.type_path, names, "a type in the catalogue", message, remedy, cause=cause)
    cause = job.cause or "the fabric cannot be decided"
    if job.dynamic_nodes:
        message = f"{job.name}: the nodes of this pool are not in the plan ({cause}); size and fabric are open."
        return outcome(
            "NET004", "open", job, job.size_path, "", "nodes in the plan", message,
            "Audit the node classes where they are made; a limit on accelerators bounds the pool.",
            cause=cause, level="note",
        )  # fmt: skip
    message = f"{job.name}: {size_text(job)}; whether its nodes get an RDMA fabric cannot be decided: {cause}."
    about_size = job.nodes_max is None and not job.type_unknown
    path = (about_size and job.size_path) or job.fabric_path or job.size_path
    return outcome(
        "NET004", "open", job, path, "", "a size and fabric known at plan time", message,
        "Make the value known at plan time, or declare the job in the workload manifest.", cause=cause,
    )  # fmt: skip
