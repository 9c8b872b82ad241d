"""What the economic rules and the gates are told: manifest and prices from the configuration, compute from the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from auditor.catalog import Catalog
from auditor.checks.economics import as_of_text, price_text
from auditor.checks.economics_context import SPOKES, EconomicsContext, Home
from auditor.checks.running_costs import inference_capacity
from auditor.config import Config
from auditor.economics import Price, exact, flat_price, tier_problem, tiered_price
from auditor.errors import PolicyError
from auditor.facts import Index, Trace
from auditor.gates import EVERY, NOT_HERE, GateFacts, Graded
from auditor.hydration import hydration
from auditor.model import Finding, Hydration, Job, Location, Plan, Rule, strip_keys
from auditor.resolve.traits import traces
from auditor.workload import Declared

DEFAULT_AS_OF = "2026-11-20"  # of the shipped price: hub egress at the figure of the hyperscalers' public lists


def prices(config: Config) -> tuple[Price, Price]:
    """What a GB costs out of the hub and out of the spoke. Raises PolicyError for tiers that are no price."""
    p, declared = config.prices, config.prices_declared
    as_of = str(p.get("as_of", ""))

    def when(key: str) -> str:
        return as_of if key in declared else as_of or DEFAULT_AS_OF

    tiers: Sequence[Mapping[str, Any]] = p.get("hub_egress_tiers") or ()
    if tiers:
        if problem := tier_problem(tiers):
            raise PolicyError(f"{config.policy}: prices.hub_egress_tiers: {problem}")
        hub = tiered_price(tiers, when("hub_egress_tiers"))
    else:
        key = "hub_egress_usd_gb"
        hub = flat_price(exact(p[key]), when(key), key in declared)
    key = "spoke_egress_usd_gb"
    return hub, flat_price(exact(p[key]), when(key), key in declared)


def cloud_of(name: str, index: Index) -> str:
    """The cloud that a cloud id, a title or a provider source names; the name itself where none does."""
    lower = name.lower()
    if lower in index.clouds:
        return lower
    provider = index.providers.get(lower)
    if provider is not None and provider.cloud:
        return provider.cloud
    return next((i for i, c in index.clouds.items() if c.title.lower() == lower), name)


def home_of(declared: str, index: Index, homes: Mapping[str, Location]) -> Home:
    """`data_home` as a place: `cloud:region`, a cloud, or the address of a resource of this plan."""
    if not declared:
        return Home()
    cloud, colon, region = declared.partition(":")
    if cloud_of(cloud, index) in index.clouds and "[" not in cloud:
        return Home(declared, cloud_of(cloud, index), region.strip() if colon else "")
    found = homes.get(declared) or homes.get(strip_keys(declared))
    if found is None or not found.places:
        return Home(declared)
    clouds, regions = {p.cloud for p in found.places}, {p.region for p in found.places}
    if len(clouds) > 1:
        return Home(declared)
    return Home(declared, clouds.pop(), regions.pop() if len(regions) == 1 else "")


def economics_context(
    plan: Plan, config: Config, catalog: Catalog, as_of: date, *,
    providers: Mapping[str, tuple[str, str, int]], homes: Mapping[str, Location], jobs: Sequence[Job],
) -> EconomicsContext:  # fmt: skip
    """providers: source -> (cloud, class, planned resources); homes: block address -> where it stands."""
    hub, spoke = prices(config)
    index = catalog.index

    @cache
    def traced() -> tuple[Trace, ...]:
        table = catalog.traits
        if not config.regulated:  # only regulated data asks about plain stores: their many bodies stay undecoded
            asked = {kind: [row for row in rows if not row.name.endswith("_plain")] for kind, rows in table.items()}
            table = {kind: rows for kind, rows in asked.items() if rows}
        return traces(plan, table)

    return EconomicsContext(
        as_of=as_of,
        declared=Declared(config.workload) if config.workload is not None else None,
        gates=config.gates,
        hub_price=hub,
        spoke_price=spoke,
        home=home_of(str(config.declared.get("data_home", "")), index, homes),
        classes={
            cloud or source: cls
            for source, (cloud, cls, count) in sorted(providers.items())
            if count and cls != "utility"
        },
        spokes=tuple(dict.fromkeys(cloud_of(s, index) for s in config.spoke)),
        jobs=jobs,
        traces=traced,
    )


def gate_facts(
    contexts: Sequence[EconomicsContext], graded: Sequence[Graded], passed: Mapping[str, str], config: Config, *,
    rules: Sequence[Rule], every: Mapping[str, Rule], locations: int, partial: Sequence[str],
) -> GateFacts:  # fmt: skip
    """Everything that the gates of a run are decided from, over all its plans."""
    ran = {r.id for r in rules}
    missing = {}
    for rule in EVERY:
        if rule not in ran:
            override = config.rules.get(rule)
            if override is not None and override.off:
                missing[rule] = f"is off ({override.reason})"
            else:
                missing[rule] = "was not selected" if rule in every else NOT_HERE
    return GateFacts(
        graded=graded,
        passed=passed,
        missing=missing,
        jobs=[j for c in contexts for j in c.accelerated],
        declared=Declared(config.workload) if config.workload is not None else None,
        neoclouds=sorted({n for c in contexts for n in c.neoclouds}),
        inference=sorted({a for c in contexts for a in inference_capacity(c)}),
        allow=config.places.top.describe("home") if config.places is not None else "",
        locations=locations,
        max_p99_ms=exact(config.interconnect["max_p99_ms"]),
        partial=partial,
    )


def spokes_of(contexts: Sequence[EconomicsContext]) -> tuple[str, ...]:
    """Clouds that are the spoke: those declared, else every neocloud and marketplace that carries resources."""
    declared = tuple(dict.fromkeys(s for c in contexts for s in c.spokes))
    return declared or tuple(sorted({cloud for c in contexts for cloud, k in c.classes.items() if k in SPOKES}))


def hydration_of(
    contexts: Sequence[EconomicsContext], stores: Sequence[tuple[str, str, str]], findings: Sequence[Finding],
    config: Config, catalog: Catalog, ran: bool,
) -> Hydration | None:  # fmt: skip
    """stores: (cloud, address, category) of planned data stores; ran: SOV013 was among the rules. None: no spoke."""
    spokes = spokes_of(contexts)
    if not spokes:
        return None
    jobs = [j for c in contexts for j in c.accelerated]
    nvme: dict[str, float | None] = {}
    for job in jobs:
        cloud = catalog.cloud(job.cloud) if job.cloud in spokes else None
        for kind in job.instance_types:
            nvme[kind] = (cloud.instances.get(kind) or {}).get("local_nvme_gb") if cloud is not None else None
    judged = ran and (config.regulated or config.declared.get("pattern") == "jit")
    here = {address: category for cloud, address, category in stores if cloud in spokes}
    return hydration(spokes, here, findings, jobs, nvme, judged)


def prices_said(context: EconomicsContext) -> tuple[str, ...]:
    """Every price that an economic rule uses, with its date."""
    return tuple(
        f"{name} {price_text(price).removeprefix('x ').removeprefix('at ')} ({as_of_text(price)})"
        for name, price in (("hub egress", context.hub_price), ("spoke egress", context.spoke_price))
    )
