"""What the economic rules are told: the manifest and its prices from the configuration, compute and data from the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from auditor.catalog import Catalog
from auditor.checks.economics_context import EconomicsContext, Home
from auditor.config import Config
from auditor.economics import Price, exact, flat_price, tier_problem, tiered_price
from auditor.errors import PolicyError
from auditor.facts import Index, Trace
from auditor.model import Job, Location, Plan, strip_keys
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
        return traces(plan, catalog.traits)

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
