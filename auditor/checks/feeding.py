"""How training data reaches the nodes: distance, local disks and shared file systems (PLC004, PLC005, PLC017)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.checks.economics_context import EconomicsContext
from auditor.checks.jobs import JobContext, about, outcome, training_jobs
from auditor.economics import exact
from auditor.model import Job, Outcome, SharedStore


def feeding_outcomes(
    jobs: Sequence[Job], context: JobContext, economics: EconomicsContext | None
) -> Iterator[Outcome]:
    """Every verdict about the way of the data, job by job."""
    for job in training_jobs(jobs):
        if job.dynamic_nodes:
            continue
        if economics is not None and economics.home.declared:
            yield from _distance(job, economics)
        yield from _local(job, context)
        yield from _other_zone(job, context)


# --- PLC004


def _distance(job: Job, economics: EconomicsContext) -> Iterator[Outcome]:
    """Provider or region of the data against those of the job; only shards on local disks may be apart."""
    home, declared = economics.home, economics.declared
    here = ", ".join(job.regions) or "a region that is not known"
    expected = home.place or home.declared
    remedy = f"Run the job where the data is ({expected}), or hydrate shards just in time onto local disks (pattern: jit)."
    if not home.cloud:
        cause = f"where {home.declared} is cannot be decided"
        yield outcome(
            "PLC004", "open", job, "", here, expected, f"{about(job)}: {cause}.", remedy, cause=cause
        )  # fmt: skip
        return
    elsewhere = [p for p in job.providers if p != home.cloud]
    if not elsewhere:
        if not home.region or not job.regions:
            cause = f"the region of {'the job' if home.region else home.declared} is not known"
            yield outcome("PLC004", "open", job, "", here, expected, f"{about(job)}: {cause}.", remedy, cause=cause)
            return
        if all(r == home.region for r in job.regions):
            yield Outcome("PLC004", "pass", job.name, job=job.name)
            return
    jit = declared is not None and declared.text("pattern") == "jit"
    disks = [_has_disks(job, t.local_nvme_gb) for t in job.types]
    if jit and disks and all(d is True for d in disks):
        yield Outcome("PLC004", "pass", job.name, job=job.name)
        return
    where = f"{', '.join(elsewhere)}, {here}" if elsewhere else here
    if jit and False not in disks:
        cause = "whether its nodes have local disks for the shards is not in the catalogue"
        yield outcome("PLC004", "open", job, "", where, expected, f"{about(job)} in {where}: {cause}.", remedy, cause=cause)
        return
    size = declared.number("dataset_tb") if declared is not None else None
    limit = exact(economics.gates["dataset_tb"])
    heavy = size is not None and size > limit
    much = f" ({size} TB, over {limit})" if heavy else ""
    yield outcome(
        "PLC004", "fail", job, "", where, expected,
        f"{about(job)} in {where}, its data{much} in {expected}: every epoch would read across that distance.", remedy,
        down=-1 if heavy else 0,
    )  # fmt: skip


# --- PLC005


def _has_disks(job: Job, held: float | None) -> bool | None:
    """Whether a node has local NVMe; None where neither catalogue nor plan says."""
    attached = job.asks("local_ssd").verdict
    if attached is True or (held or 0) > 0:
        return True
    return None if held is None or attached is None else False


def _local(job: Job, context: JobContext) -> Iterator[Outcome]:
    """Types whose local storage the catalogue does not hold are not judged, save where disks may be attached."""
    if job.declared.get("storage") in ("external", "streaming") or not job.types:
        return
    bare = [t for t in job.types if _has_disks(job, t.local_nvme_gb) is False]
    unsure = [t for t in job.types if _has_disks(job, t.local_nvme_gb) is None and job.asks("local_ssd").verdict is None]
    if (not bare and not unsure) or (job.type_unknown and len(bare) < len(job.types)):
        return  # unknown types are candidates: NET004 asks which start
    near = [s for s in context.shared if s.parallel and s.cloud == job.cloud and _together(s, job)]
    if near:
        yield Outcome("PLC005", "pass", job.name, job=job.name)
        return
    names = ", ".join(t.instance_type for t in (bare or unsure))
    expected = "local NVMe, or a parallel file system in the region"
    remedy = (
        "Choose a type with local NVMe or attach local disks, add a parallel file system (Lustre, Weka, VAST), or declare "
        "storage: external or streaming for the job."
    )
    said = job.asks("local_ssd")
    recalled = next((t.instance_type for t in bare if "local_nvme_gb" in t.memory or not t.confirmed), None)
    cause = ""
    if not bare:
        cause = said.cause
    elif recalled is not None:
        cause = f"not confirmed in the catalogue: local storage of {recalled}"
    elif any(s.parallel and s.cloud == job.cloud and not s.regions for s in context.shared):
        cause = "in which region a parallel file system of the plan stands is not known"
    message = f"{about(job)}: {names} has no local NVMe, and the plan no parallel file system in the region"
    if cause:
        yield outcome("PLC005", "open", job, job.type_path, names, expected, f"{message}; {cause}.", remedy, cause=cause)
        return
    yield outcome(
        "PLC005", "fail", job, job.type_path, names, expected,
        f"{message}. Training on remote storage kills throughput (000; 003: by 30-40%).", remedy,
    )  # fmt: skip


def _together(store: SharedStore, job: Job) -> bool:
    """Whether a file system stands in a region of the job; without the job's region any of its cloud may."""
    return not job.regions or bool(set(store.regions) & set(job.regions))


# --- PLC017


def _other_zone(job: Job, context: JobContext) -> Iterator[Outcome]:
    """A file system of one zone, where no node runs: latency, and a charge for every byte."""
    zonal = [s for s in context.shared if s.zones and s.cloud == job.cloud and set(s.regions) & set(job.regions)]
    if not zonal or not job.zones:
        return
    comparable = [s for s in zonal if all(z.count("-") == s.zones[0].count("-") for z in job.zones)]
    apart = [s for s in comparable if not set(s.zones) & set(job.zones)]
    if not comparable:
        return
    if len(apart) < len(comparable):
        yield Outcome("PLC017", "pass", job.name, job=job.name)
        return
    store, nodes = apart[0], ", ".join(job.zones)
    yield outcome(
        "PLC017", "fail", job, job.zone_path, nodes, ", ".join(store.zones),
        f"{about(job)}: its nodes are in {nodes}, and {store.block} is in {', '.join(store.zones)}.",
        f"Put file system and nodes into one zone ({nodes}), or use a regional file system.",
    )  # fmt: skip
