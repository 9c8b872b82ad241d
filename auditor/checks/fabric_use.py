"""A fabric that is there: whether all of it is used, and whether it works (NET005, NET006, NET009 and on)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from auditor.checks.jobs import JobContext, about, outcome, several, size_text, training_jobs, trigger
from auditor.model import Accelerator, Job, Level, Outcome, strip_keys

_RACK: Final = re.compile(r"GB[23]00")  # 72 GPUs of a rack are one NVLink domain: 18 nodes of 4
_RACK_GPUS: Final = 72


def use_outcomes(jobs: Sequence[Job], context: JobContext) -> Iterator[Outcome]:
    """Every verdict about the use of a fabric, job by job."""
    for job in jobs:
        yield from _unsupported(job)
    for job in training_jobs(jobs):
        if job.parallelism == "independent":
            continue
        verdict = trigger(job, context)
        at_max = verdict == "max"
        if verdict in ("yes", "max"):
            yield from _mixed(job, at_max)
            yield from _bus(job, at_max)
            if job.raw_state == "on":
                yield from _shield(job, at_max)
                yield from _direct(job, at_max)
        if several(job) and job.raw_state == "on":
            yield from _cards(job, at_max)
            yield from _stack(job, context)
        yield from _lone(job)
        yield from _rack(job)


def _unsupported(job: Job) -> Iterator[Outcome]:
    """NET011: the fabric's interface on a type without that fabric. Applies to every job."""
    said = job.asks("fabric_interface")
    bare = [t.instance_type for t in job.types if t.fabric == "none" and t.confirmed and t.fabric_confirmed]
    if said.verdict is True and bare and not (job.type_unknown and len(job.types) > 1):  # candidates: NET004 asks which
        yield outcome(
            "NET011", "fail", job, said.path, said.seen, "a type with that fabric, or a plain interface",
            f"{about(job)}: {said.seen}, and {', '.join(bare)} has no such fabric; the launch would be refused.",
            f"Remove the interface type, or choose a type with the fabric in place of {', '.join(bare)}.", adjust=False,
        )  # fmt: skip


def _mixed(job: Job, at_max: bool) -> Iterator[Outcome]:
    """NET005: the slowest rank sets the pace, and collectives expect the same topology everywhere."""
    if len(job.types) < 2 or job.type_unknown:  # which types start is NET004's question
        return
    kinds = {t.accelerator for t in job.types}
    counts = {t.gpus for t in job.types}
    shown = ", ".join(f"{t.instance_type} ({t.gpus if t.gpus is not None else '?'} x {t.accelerator})" for t in job.types)
    differs = [
        name for name, values in (("accelerator", kinds), ("GPUs per node", counts)) if len(values) > 1
    ]  # fmt: skip
    shaky = next((t.instance_type for t in job.types if not t.confirmed), None)
    expected = "one instance type"
    if differs and shaky is not None:
        yield outcome(
            "NET005", "open", job, job.type_path, shown, expected,
            f"{about(job)}: its types seem to differ in {' and '.join(differs)}: {shown}; {shaky} is not confirmed.",
            "Confirm the type, or use one type.", cause=f"not confirmed in the catalogue: {shaky}",
        )  # fmt: skip
        return
    what = " and ".join(differs) or "size or fabric"
    yield outcome(
        "NET005", "fail", job, job.type_path, shown, expected,
        f"{about(job)}: nodes of one job differ in {what}: {shown}. The slowest rank sets the pace.",
        "Use one instance type for the job; another type makes a job of its own.", only_at_max=at_max,
        down=0 if differs else 1,
    )  # fmt: skip


def _shield(job: Job, at_max: bool) -> Iterator[Outcome]:
    """NET006: security groups, agents and networks that the fabric needs besides its switch."""
    fails = [s for s in job.unshielded if s.verdict is False]
    lenient = [s for s in job.unshielded if s.verdict is True]
    opens = [s for s in job.unshielded if s.verdict is None]
    expected = "what the fabric needs besides its switch"
    if fails or lenient:
        shown = "; ".join(s.seen for s in (fails or lenient))
        level: Level | None = None if fails else "note"
        hint = "" if fails else " A custom image may configure it by itself, which the plan cannot show."
        yield outcome(
            "NET006", "fail", job, strip_keys((fails or lenient)[0].path) or job.fabric_path, shown, expected,
            f"{about(job)}: {job.fabric} is switched on and would not work: {shown}.{hint}",
            "Allow all protocols in and out between the members of one security group by reference to itself (a rule to "
            "0.0.0.0/0 does not count), or enable what the message names.",
            only_at_max=at_max, level=level,
        )  # fmt: skip
    elif opens:
        cause = opens[0].cause
        yield outcome(
            "NET006", "open", job, strip_keys(opens[0].path) or job.fabric_path, "", expected,
            f"{about(job)}: {job.fabric} is switched on; whether its traffic passes cannot be decided: {cause}.",
            "Manage what the fabric needs in the same plan, or check it by hand.", cause=cause,
        )  # fmt: skip
    elif not any(r.rule == "NET006" for r in job.refused):
        yield Outcome("NET006", "pass", job.name, job=job.name)


def _cards(job: Job, at_max: bool) -> Iterator[Outcome]:
    """NET009: bandwidth is the sum over the cards."""
    wanted = max((t.max_efa_interfaces for t in job.types), default=0)
    cards = job.cards
    if cards is None or not wanted:
        return
    gbps = max((t.fabric_gbps for t in job.types), default=0.0)
    twice = f"; card {', '.join(map(str, cards.twice))} is named more than once" if cards.twice else ""
    if cards.more and (cards.sure < wanted):
        yield outcome(
            "NET009", "open", job, job.fabric_path, f"{cards.sure} or more", f"{wanted} cards",
            f"{about(job)}: {job.fabric} on at least {cards.sure} of {wanted} cards; the rest cannot be decided: {cards.cause}.",
            "Name the interfaces so that the plan knows them.", cause=cards.cause,
        )  # fmt: skip
    elif cards.sure < wanted or cards.twice:
        share = f", about {gbps * cards.sure / wanted:,.0f} of {gbps:,.0f} Gbps" if cards.sure < wanted and gbps else ""
        yield outcome(
            "NET009", "fail", job, job.fabric_path, f"{cards.sure} of {wanted} cards{twice}", f"{wanted} cards, each named once",
            f"{about(job)}: {job.fabric} on {cards.sure} of {wanted} cards{share}{twice}.",
            f"Add one interface of the fabric per card: {wanted} in all, each with its own network card index.",
            only_at_max=at_max,
        )  # fmt: skip
    else:
        yield Outcome("NET009", "pass", job.name, job.fabric_path, job=job.name)


def _direct(job: Job, at_max: bool) -> Iterator[Outcome]:
    """NET014: without GPUDirect RDMA every message goes through host memory."""
    lacking = [t for t in job.types if t.gpudirect is False and t.max_efa_interfaces]
    if not lacking:
        return
    names = ", ".join(t.instance_type for t in lacking)
    recalled = next((t.instance_type for t in lacking if "gpudirect_rdma" in t.memory or not t.confirmed), None)
    message = f"{about(job)}: {job.fabric} is on, and {names} has no GPUDirect RDMA: traffic goes through host memory."
    if recalled is not None:
        cause = f"not confirmed in the catalogue: GPUDirect RDMA of {recalled}"
        yield outcome(
            "NET014", "open", job, job.type_path, names, "GPUDirect RDMA", f"{message} That is not confirmed.",
            "Choose a type with GPUDirect RDMA for a job of several nodes.", cause=cause,
        )  # fmt: skip
        return
    yield outcome(
        "NET014", "fail", job, job.type_path, names, "GPUDirect RDMA", message,
        "Choose a type with GPUDirect RDMA for a job of several nodes.", only_at_max=at_max,
    )  # fmt: skip


def _stack(job: Job, context: JobContext) -> Iterator[Outcome]:
    """NET016: in a Kubernetes pool the fabric reaches no container without operator or device plugin."""
    said = job.asks("operator")
    if said.verdict is not True or job.fabric != "infiniband":
        return
    if context.stack == "shown":
        yield Outcome("NET016", "pass", job.name, job=job.name)
        return
    expected = "a network operator or RDMA device plugin"
    message = f"{about(job)}: InfiniBand pool of several nodes, and {expected} is not in the plan"
    remedy = "Install the network operator (or an RDMA device plugin) on the cluster, and ask for rdma/* in the pods."
    if context.stack == "unknown":
        yield outcome(
            "NET016", "open", job, said.path, "", expected, f"{message} as far as it is known before apply.", remedy,
            cause="the chart of a release is known only after apply",
        )  # fmt: skip
        return
    if context.stack == "none":
        message += ": nothing of the cluster's software is in this plan"
    yield outcome(
        "NET016", "fail", job, said.path, "not in the plan", expected, f"{message}.", remedy,
        level="note" if context.stack == "none" else None,
    )  # fmt: skip


def _bus(job: Job, at_max: bool) -> Iterator[Outcome]:
    """NET017: all-reduce inside the node runs over PCIe."""
    slow = [t for t in job.types if t.intra_node.startswith("PCIe") and _per_node(job, t) >= 2]
    if job.type_unknown and len(slow) < len(job.types):
        return  # candidates: NET004 asks which
    if not slow or job.parallelism in ("pipeline", "data"):
        return
    names = ", ".join(f"{t.instance_type} ({_per_node(job, t)} x {t.accelerator})" for t in slow)
    message = f"{about(job)}: the GPUs of a node are joined by PCIe only: {names}"
    remedy = "Choose a type with NVLink inside the node, or declare parallelism: pipeline or data."
    if any("intra_node" in t.memory or not t.confirmed for t in slow):
        cause = f"not confirmed in the catalogue: what joins the GPUs of {slow[0].instance_type}"
        yield outcome("NET017", "open", job, job.type_path, names, "NVLink", f"{message}; {cause}.", remedy, cause=cause)
    else:
        yield outcome("NET017", "fail", job, job.type_path, names, "NVLink", f"{message}.", remedy, only_at_max=at_max)


def _per_node(job: Job, t: Accelerator) -> int:
    """Accelerators of a node; where they are attached one by one, as many as the job has for each node."""
    if t.gpus is not None:
        return t.gpus
    return job.gpus_max // job.nodes_max if job.gpus_max and job.nodes_max else 0


def _lone(job: Job) -> Iterator[Outcome]:
    """NET018: with one GPU a node, every hop of a collective leaves the node."""
    single = bool(job.types) and all(_per_node(job, t) == 1 for t in job.types) and not job.unknown_types and not job.type_unknown
    if not single or job.nodes_max is None or job.nodes_max <= 8 or _renders(job):
        return
    yield outcome(
        "NET018", "fail", job, job.type_path, size_text(job), "more GPUs on fewer nodes",
        f"{about(job)}: {job.nodes_max} nodes of one GPU; every hop of a collective leaves the node.",
        "Use a type with several GPUs a node.", only_at_max=job.nodes_min is not None and job.nodes_min <= 8,
    )  # fmt: skip


def _renders(job: Job) -> bool:
    return any(re.search(r"(^|[^a-z])render", w.lower()) for w in (job.name, *job.label_words))


def _rack(job: Job) -> Iterator[Outcome]:
    """NET019: a rack is one NVLink domain, and nodes beyond a whole one leave it."""
    racked: list[Accelerator] = [t for t in job.types if _RACK.search(t.accelerator) and t.gpus]
    if not racked or job.nodes_max is None or job.nodes_max < 2:
        return
    per_node = racked[0].gpus or 4
    per_rack = (job.domain_gpus or _RACK_GPUS) // per_node
    remedy = f"Use a multiple of {per_rack} nodes."
    if job.topology_missing:
        message = f"no NVLink topology is asked for ({job.topology_missing} need it)"
        remedy = 'Ask for the NVLink domain: accelerator_topology = "1x72" (1x64 where that is offered).'
    elif per_rack and job.nodes_max % per_rack:
        message = f"{job.nodes_max} nodes are no multiple of the {per_rack} of an NVLink domain"
    else:
        return
    yield outcome(
        "NET019", "fail", job, job.size_path or job.type_path, f"{job.nodes_max} nodes", f"{per_rack} nodes a domain",
        f"{about(job)}: {message}.", remedy,
    )  # fmt: skip
