"""The jobs of a plan, and what the policy says of them: glue between resolving and judging."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from auditor.catalog import Catalog
from auditor.checks.jobs import JobContext
from auditor.checks.sovereignty import Subject
from auditor.config import Config
from auditor.model import Accelerator, Job, Outcome, Plan, Resource, SharedStore
from auditor.resolve.instances import accelerator
from auditor.resolve.jobs import JobBuilder, Settings
from auditor.resolve.location import Locator
from auditor.resolve.references import References
from auditor.resolve.shared import read_shared
from auditor.resolve.units import covers
from auditor.spelling import suggest

SHOWN: Final = 5  # jobs that a message lists


class Seen(NamedTuple):
    """What the plan holds beside its jobs. stack: as in `JobContext`."""

    stack: str = "none"
    shared: tuple[SharedStore, ...] = ()


def build_jobs(
    plan: Plan, refs: References, locator: Locator, config: Config, catalog: Catalog
) -> tuple[list[Job], Seen]:
    """Every job of a plan, sorted by name, and what else the plan holds for them."""

    def regions(resource: Resource) -> tuple[str, ...]:
        homes = locator.home(resource)
        hidden = any(h.sensitive for h in homes)
        return () if hidden else tuple(dict.fromkeys(p.region for h in homes if h.decided for p in h.places))

    settings = Settings(
        max_gpus=int(config.interconnect["max_gpus_without_rdma"]),
        trigger=str(config.interconnect["trigger"]),
        role=config.role,
        declared=config.jobs,
    )
    builder = JobBuilder(plan, refs, catalog, regions, settings)
    jobs = builder.build()
    if not jobs:
        return [], Seen()
    stack = builder.stack() if any(j.asks("operator").verdict for j in jobs) else "none"
    return jobs, Seen(stack, read_shared(plan, refs, catalog, regions))


def unmatched(jobs: Sequence[Job], config: Config) -> Iterator[Outcome]:
    """META008 for every declared job that covers no job of the run: its words decide nothing."""
    addresses = list(dict.fromkeys(a for j in jobs for n in j.nodes for a in (n.block, n.address)))
    listed = ", ".join(dict.fromkeys(j.name for j in jobs[:SHOWN])) + (" ..." if len(jobs) > SHOWN else "")
    for declared in config.jobs:
        pattern = str(declared.get("match", ""))
        if covers(pattern, addresses):
            continue
        name = str(declared.get("name", ""))
        there = f"the jobs of this run: {listed}" if jobs else "there is no job in this run"
        yield Outcome(
            "META008", "fail", path=f"job {name}", observed=pattern, expected="a pattern that covers the nodes of a job",
            message=f'declared job {name}: "{pattern}" matches no job{suggest(pattern, addresses)}; {there}.',
            remediation="Correct its match: `auditor jobs` prints the addresses. Or delete it.",
        )  # fmt: skip


def job_context(jobs: Iterable[Job], config: Config, catalog: Catalog, read: Seen | None = None) -> JobContext:
    """Thresholds and prices of the policy, and for each job the nearest type with a fabric."""
    price: Any = config.prices.get("gpu_hour_usd")
    accept = tuple(str(f) for f in config.interconnect["accept_fabrics"])
    return JobContext(
        max_gpus=int(config.interconnect["max_gpus_without_rdma"]),
        trigger=str(config.interconnect["trigger"]),
        accept=accept,
        max_zones=int(config.placement["max_zones_per_job"]),
        gpu_hour_usd=float(price) if price is not None else None,
        nearest=_nearest(jobs, catalog, accept),
        checkpointing=bool(config.declared.get("checkpointing", False)),
        elastic=bool(config.declared.get("elastic", False)),
        stack=read.stack if read is not None else "none",
        shared=read.shared if read is not None else (),
        max_p99_ms=float(config.interconnect["max_p99_ms"]),
    )


def _nearest(jobs: Iterable[Job], catalog: Catalog, accept: Sequence[str]) -> Mapping[str, Accelerator]:
    """Per job without an accepted fabric: a type of its cloud with one, the same accelerator first."""
    found: dict[str, Accelerator] = {}
    for job in jobs:
        cloud = catalog.cloud(job.cloud)
        if job.fabric in accept or cloud is None:
            continue
        wanted = {a.partition("-")[0] for a in job.accelerators}
        size = max((t.gpus or 0 for t in job.types), default=8)
        types = [accelerator(cloud, name, row) for name, row in cloud.instances.items()]
        fit = [t for t in types if t.fabric in accept and t.confirmed and t.fabric_confirmed and t.gpus and t.multi_node]
        best = min(
            fit, default=None,
            key=lambda t: (
                t.accelerator.partition("-")[0] not in wanted, abs((t.gpus or 0) - max(size, 8)), t.instance_type
            ),
        )  # fmt: skip
        if best is not None:
            found[job.name] = best
    return found


def with_jobs(subjects: Sequence[Subject], jobs: Iterable[Job]) -> list[Subject]:
    """Subjects with the job they size, where its nodes hold accelerators: SOV003 speaks for those."""
    of = {a: j for j in jobs if j.accelerators or j.unknown_types for a in j.addresses}
    return [replace(s, job=of[s.resource.address]) if s.resource.address in of else s for s in subjects] if of else list(subjects)
