"""What the job rules share: the trigger, the adjustments of a level, and sentences about a job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from auditor.model import Accelerator, Job, Kind, Level, Outcome, SharedStore, strip_keys

Verdict = Literal["yes", "max", "maybe", "no"]  # holds; only at the maximum size; cannot be decided; does not
EFFICIENCY: Final = 0.35  # of a job over three zones; article 000


class JobContext(msgspec.Struct, frozen=True):
    """Policy values that the job rules need. `nearest` names a type with an RDMA fabric in the job's cloud."""

    max_gpus: int = 8
    trigger: str = "total_gpus"
    accept: tuple[str, ...] = ("infiniband", "roce", "efa")
    max_zones: int = 1
    gpu_hour_usd: float | None = None
    nearest: Mapping[str, Accelerator] = msgspec.field(default_factory=dict)  # job name -> type
    checkpointing: bool = False  # of the workload; a declared job may say otherwise
    elastic: bool = False
    shared: tuple[SharedStore, ...] = ()  # file systems of the plan
    max_p99_ms: float = 1.0
    stack: str = "none"  # software that shows RDMA to pods: shown | missing | unknown | none (no cluster in the plan)

    def tells(self, job: Job, key: str) -> bool:
        """What the manifest says of the job, else of the workload."""
        said = job.declared.get(key)
        return bool(said) if said is not None else bool(getattr(self, key))


def trigger(job: Job, context: JobContext) -> Verdict:
    """Whether a job is big enough to need a fabric: more GPUs than the threshold, on several domains."""
    if job.parallelism == "independent":
        return "no"
    at_max = _over(job.gpus_max, job.domains_max, context)
    if at_max is None:
        return "maybe"
    if not at_max:
        return "no"
    return "yes" if _over(job.gpus_min, job.domains_min, context) is not False else "max"


def _over(gpus: int | None, domains: int | None, context: JobContext) -> bool | None:
    several = None if domains is None else domains > 1
    if context.trigger == "multi_node":
        return several
    many = None if gpus is None else gpus > context.max_gpus
    if several is False or many is False:
        return False
    return True if several and many else None


def outcome(
    rule: str, kind: Kind, job: Job, path: str, observed: str, expected: str, message: str, remediation: str,
    *, only_at_max: bool = False, level: Level | None = None, cause: str = "", adjust: bool = True, down: int = 0,
) -> Outcome:  # fmt: skip
    """One verdict about a job, with the adjustments that the rules state: maximum size, unknown role, existing.

    adjust: false for what the cloud would refuse whatever the job is for. down: levels lower by the rule's own text.
    """
    shift, why = -down if kind == "fail" else 0, []
    if kind == "fail" and adjust:
        if only_at_max:
            shift -= 1
            why.append("it gets that big only at its maximum size")
        if job.role == "unknown":
            shift -= 1
            why.append("nothing in the plan says whether it trains or serves")
    floor: Level | None = "warning" if kind == "fail" and (job.existing or job.role == "inference") else None
    if why:
        message += f" One level lower: {'; '.join(why)}."
    address = strip_keys(job.name.partition(" (")[0])
    return Outcome(
        rule, kind, address, path, observed, expected, message, remediation, job=job.name, cause=cause,
        evidence=job.evidence, shift=shift, floor=floor, level=level, shift_why="; ".join(why), block=address,
    )  # fmt: skip


def size_text(job: Job) -> str:
    """`16 x p5.48xlarge = 128 GPUs`, `1-4 x p5.48xlarge = 8-32 GPUs`."""
    types = " / ".join(job.instance_types) or "unknown type"
    nodes = _range(job.nodes_min, job.nodes_max, job.unbounded)
    gpus = _range(job.gpus_min, job.gpus_max, job.unbounded)
    return f"{nodes} x {types} = {gpus} GPUs"


def _range(low: int | None, high: int | None, unbounded: bool) -> str:
    if high is None:
        return "any number of" if unbounded else "?"
    return str(high) if low in (None, high) else f"{low}-{high}"


def burn_text(job: Job, context: JobContext) -> str:
    """What idling costs, where a price is declared: `128 x $4.00 x 24 h x 65% = $7,987.20/day`."""
    if context.gpu_hour_usd is None or not job.gpus_max:
        return ""
    cost = job.gpus_max * context.gpu_hour_usd * 24 * (1 - EFFICIENCY)
    return (
        f" Idle burn if efficiency is {EFFICIENCY:.0%}: {job.gpus_max} x ${context.gpu_hour_usd:,.2f} x 24 h x "
        f"{1 - EFFICIENCY:.0%} = ${cost:,.2f}/day (declared price)."
    )


def nearest_text(job: Job, context: JobContext) -> str:
    """The nearest type of the cloud that has a fabric."""
    better = context.nearest.get(job.name)
    if better is None or better.instance_type in job.instance_types:
        return ""
    return f" Nearest RDMA type: {better.instance_type} ({better.gpus} x {better.accelerator}, {better.fabric})."


def several(job: Job) -> bool | None:
    """Whether it runs on more than one node or NVLink domain, at its maximum."""
    if job.unbounded:
        return True
    return None if job.domains_max is None else job.domains_max > 1


def about(job: Job) -> str:
    """`module.train.aws_x.y: 16 x p5.48xlarge = 128 GPUs`, the start of a message."""
    return f"{job.name}: {size_text(job)}"


def training_jobs(jobs: Sequence[Job]) -> Iterator[Job]:
    """Jobs that the interconnect and placement rules judge: inference is left in peace."""
    return (j for j in jobs if j.role != "inference")


def overlay_lines(job: Job) -> str:
    """The lines a policy needs for types that the catalogue lacks."""
    return " ".join(
        f'catalog: {{instances: [{{cloud: {job.cloud}, instance_type: {t}, accelerator: NAME, gpus_per_node: N, '
        f'fabric: FABRIC, source: "vendor page", date: DATE}}]}}'
        for t in job.unknown_types
    )


