"""The arithmetic of the gates: savings, egress, repatriation, serverless against dedicated, core licences.

Money and quantities come in as `Decimal` and are compared as exact fractions: equality is equality, and one cent
over is over. Nothing is rounded before it is printed. Units: 1 TB = 1000 GB; a month = 30 days = 720 h = 2,592,000 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

import msgspec

GB_PER_TB: Final = 1000
TB_PER_PB: Final = 1000
HOURS_PER_MONTH: Final = 720
SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * 3600
UNITS: Final = "1 TB = 1000 GB; month = 30 days = 720 h = 2,592,000 s"

UNIT_NOTE: Final = " [1 TB = 1000 GB; month = 720 h]"  # ends every economic finding

CENT: Final = Decimal("0.01")


def exact(value: Decimal | int | float | str) -> Decimal:
    """The decimal that was written: a float stands for its shortest spelling (0.09, not 0.0899999...)."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def as_decimal(value: Fraction, step: Decimal, up: bool = False) -> Decimal:
    """The multiple of `step` next to an exact value: below it, or above it when `up`."""
    steps = (ceil if up else floor)(value / Fraction(step))
    return steps * step


# --- prices and transfers ----------------------------------------------------------------------------


class Tier(msgspec.Struct, frozen=True):
    """A price per GB up to so many GB a month; `up_to_gb` None: for everything above."""

    usd_gb: Decimal
    up_to_gb: Decimal | None = None


class Price(msgspec.Struct, frozen=True):
    """What a GB costs on its way out. One tier is a flat price, the upper bound of a tiered one."""

    tiers: tuple[Tier, ...]
    as_of: str = ""
    declared: bool = False

    @property
    def flat(self) -> bool:
        return len(self.tiers) == 1

    @property
    def free(self) -> bool:
        return all(t.usd_gb == 0 for t in self.tiers)

    def cost(self, gb: Fraction) -> Fraction:
        """USD for so many GB in one month."""
        total, start = Fraction(0), Fraction(0)
        for tier in self.tiers:
            end = gb if tier.up_to_gb is None else min(gb, Fraction(tier.up_to_gb))
            if end > start:
                total += (end - start) * Fraction(tier.usd_gb)
                start = end
        return total

    def volume(self, usd: Fraction) -> Fraction | None:
        """The most GB that cost no more than `usd`; None where no amount costs more."""
        start, left = Fraction(0), usd
        for tier in self.tiers:
            price = Fraction(tier.usd_gb)
            if tier.up_to_gb is None:
                return None if price == 0 else start + left / price
            size = Fraction(tier.up_to_gb) - start
            if size * price > left:
                return start + left / price
            left -= size * price
            start += size
        return start


def flat_price(usd_gb: Decimal, as_of: str = "", declared: bool = False) -> Price:
    return Price((Tier(usd_gb),), as_of, declared)


def tier_problem(tiers: Sequence[Mapping[str, Any]]) -> str:
    """Why a list of tiers is no price; "" where it is one."""
    ends = [t.get("up_to_tb") for t in tiers]
    if any(e is None for e in ends[:-1]):
        return "only the last tier may lack up_to_tb"
    if ends and ends[-1] is not None:
        return "the last tier must have no up_to_tb: it holds for everything above"
    sizes = [exact(e) for e in ends[:-1] if e is not None]
    if any(b <= a for a, b in zip([Decimal(0), *sizes], sizes, strict=False)):
        return "up_to_tb must rise from tier to tier"
    return ""


def tiered_price(tiers: Sequence[Mapping[str, Any]], as_of: str = "", declared: bool = True) -> Price:
    """From `[{up_to_tb, usd_gb}, ..., {usd_gb}]`. Raises ValueError where `tier_problem` finds one."""
    if problem := tier_problem(tiers):
        raise ValueError(problem)
    made = (Tier(exact(t["usd_gb"]), exact(t["up_to_tb"]) * GB_PER_TB if t.get("up_to_tb") is not None else None) for t in tiers)
    return Price(tuple(made), as_of, declared)


MODES: Final = ("full_each_run", "full_once", "shards")


def hub_gb(
    mode: str, dataset_tb: Decimal, runs: Decimal = Decimal(1), active_fraction: Decimal = Decimal(1),
    amortise_months: Decimal = Decimal(1),
) -> Fraction:  # fmt: skip
    """GB a month from hub to spoke."""
    gb = Fraction(dataset_tb) * GB_PER_TB
    if mode == "full_each_run":
        return gb * Fraction(runs)
    if mode == "full_once":
        return gb / Fraction(amortise_months)
    if mode == "shards":
        return gb * Fraction(active_fraction) * Fraction(runs)
    raise ValueError(f"unknown transfer mode {mode!r}")


def spoke_gb(checkpoint_tb: Decimal, runs: Decimal) -> Fraction:
    """GB a month from spoke back to hub."""
    return Fraction(checkpoint_tb) * GB_PER_TB * Fraction(runs)


# --- gate 1 ------------------------------------------------------------------------------------------


class Saving(msgspec.Struct, frozen=True):
    """What the same work costs less on the spoke, a month."""

    hub: Decimal
    spoke: Decimal

    @property
    def usd(self) -> Decimal:
        return self.hub - self.spoke

    @property
    def pct(self) -> Fraction:
        """Per cent of the hub's cost; a hub that costs nothing leaves nothing to save."""
        return Fraction(self.usd) / Fraction(self.hub) * 100 if self.hub else Fraction(0)


def most_spoke_usd(hub: Decimal, min_saving_pct: Decimal) -> Decimal | None:
    """The dearest spoke, in cents, whose saving is above the limit; None where none can be."""
    limit = Fraction(hub) * (100 - Fraction(min_saving_pct)) / 100
    most = as_decimal(limit, CENT, up=True) - CENT
    return most if most >= 0 else None


class Egress(msgspec.Struct, frozen=True):
    """A month of transfers against the saving they must not eat."""

    hub_gb: Fraction
    spoke_gb: Fraction
    hub_usd: Fraction
    spoke_usd: Fraction
    saving_usd: Decimal
    max_share: Decimal

    @property
    def usd(self) -> Fraction:
        return self.hub_usd + self.spoke_usd

    @property
    def share(self) -> Fraction | None:
        """Share of the saving; None where there is no saving to take a share of."""
        return self.usd / Fraction(self.saving_usd) if self.saving_usd > 0 else None

    @property
    def passes(self) -> bool:
        share = self.share
        return share is not None and share <= Fraction(self.max_share)

    @property
    def budget_usd(self) -> Fraction:
        """What egress may cost a month."""
        return max(Fraction(self.saving_usd) * Fraction(self.max_share), Fraction(0))

    def needed_saving(self) -> Decimal | None:
        """The least saving, in cents, that this egress leaves intact; None where no saving would do."""
        if self.usd == 0:
            return CENT
        if not self.max_share:
            return None
        return as_decimal(self.usd / Fraction(self.max_share), CENT, up=True)

    def most_hub_gb(self, price: Price) -> Fraction | None:
        """The most GB from hub to spoke within the budget; None: any amount. The way back is paid first."""
        left = self.budget_usd - self.spoke_usd
        return Fraction(0) if left < 0 or self.saving_usd <= 0 else price.volume(left)


def egress(
    hub_volume: Fraction, spoke_volume: Fraction, hub: Price, spoke: Price, saving_usd: Decimal, max_share: Decimal
) -> Egress:
    """Volumes in GB a month."""
    return Egress(
        hub_volume, spoke_volume, hub.cost(hub_volume), spoke.cost(spoke_volume), saving_usd, max_share
    )  # fmt: skip


# --- gate 4 ------------------------------------------------------------------------------------------


class Repatriation(msgspec.Struct, frozen=True):
    """A node rented in the cloud against the same node owned; USD a month and node, upfront USD a node."""

    cloud_usd: Decimal
    pod_usd: Decimal
    months: int = 36
    nodes: int = 1
    upfront_usd: Decimal = Decimal(0)

    @property
    def multiple(self) -> Fraction | None:
        """How many times the pod's monthly cost the cloud costs; None for a pod that costs nothing."""
        return Fraction(self.cloud_usd) / Fraction(self.pod_usd) if self.pod_usd else None

    @property
    def monthly_delta(self) -> Decimal:
        return self.cloud_usd - self.pod_usd

    @property
    def total_delta(self) -> Decimal:
        """Over all months, a node, what was paid upfront taken off."""
        return self.monthly_delta * self.months - self.upfront_usd

    @property
    def crossover_month(self) -> int | None:
        """The first month after which the pod has cost no more than the cloud; None: never."""
        if self.monthly_delta <= 0:
            return None if self.upfront_usd or self.monthly_delta < 0 else 1
        return max(ceil(Fraction(self.upfront_usd) / Fraction(self.monthly_delta)), 1)


class Cliff(msgspec.Struct, frozen=True):
    """Serverless, paid by the request, against dedicated nodes, paid by the month."""

    price_req: Decimal
    seconds: Decimal
    gb: Decimal
    price_gb_s: Decimal
    dedicated_month_usd: Decimal

    @property
    def per_request(self) -> Decimal:
        """USD a request."""
        made = Fraction(self.price_req) + Fraction(self.seconds) * Fraction(self.gb) * Fraction(self.price_gb_s)
        return Decimal(made.numerator) / Decimal(made.denominator)

    def serverless_usd(self, rps: Decimal) -> Fraction:
        """USD a month at a steady rate."""
        per = Fraction(self.price_req) + Fraction(self.seconds) * Fraction(self.gb) * Fraction(self.price_gb_s)
        return per * Fraction(rps) * SECONDS_PER_MONTH

    @property
    def rps(self) -> Fraction | None:
        """Requests a second above which one dedicated node's month costs less; None for free requests."""
        month = self.serverless_usd(Decimal(1))
        return Fraction(self.dedicated_month_usd) / month if month else None

    def past(self, rps: Decimal) -> bool:
        cliff = self.rps
        return cliff is not None and Fraction(rps) > cliff


def nodes_for(rps: Decimal, rps_per_node: Decimal) -> int:
    return ceil(Fraction(rps) / Fraction(rps_per_node))


class CoreLicence(msgspec.Struct, frozen=True):
    """Virtualisation licensed by the core, with a least number of cores billed for each socket."""

    sockets: int
    cores_per_socket: int
    min_cores_per_socket: int
    usd_per_core_year: Decimal
    hosts: int = 1

    @property
    def billed_cores(self) -> int:
        """Cores billed on one host."""
        return self.sockets * max(self.cores_per_socket, self.min_cores_per_socket)

    @property
    def usd_year(self) -> Decimal:
        return self.billed_cores * self.hosts * self.usd_per_core_year


# --- printing ----------------------------------------------------------------------------------------


def usd(value: Fraction | Decimal, cents: bool = True) -> str:
    """`$10,800.00`; without cents where there are none and `cents` is false."""
    made = _round(Fraction(value), 2)
    text = f"{abs(made):,.2f}"
    if not cents and text.endswith(".00"):
        text = text[:-3]
    return f"-${text}" if made < 0 else f"${text}"


def plain(value: Fraction | Decimal | int, places: int | None = None) -> str:
    """A number with thousands separators: as written, or rounded to at most `places`, no trailing zeros."""
    made = value if isinstance(value, Decimal) and places is None else _round(Fraction(value), places or 0)
    text = f"{made:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: Fraction, limit: Fraction | None = None) -> str:
    """A value in per cent with one decimal, or as many as show on which side of the limit it is."""
    for places in range(1, 16):
        made = _round(value, places)
        if limit is None or _side(Fraction(made), limit) == _side(value, limit):
            return f"{made:,f}%"
    return f"{_round(value, 16):,f}%"


def _side(value: Fraction, limit: Fraction) -> int:
    return (value > limit) - (value < limit)


def _round(value: Fraction, places: int) -> Decimal:
    """Half away from zero, exact for numbers of any size."""
    scale = 10**places
    whole = floor(abs(value) * scale + Fraction(1, 2))
    return Decimal(-whole if value < 0 else whole).scaleb(-places)
