"""Gate 1 (ECO001 data gravity, ECO002 egress): declared numbers against declared limits.

Every function yields the outcome of its rule for the run, passes included: their numbers are what a gate prints.
A declared fact that is missing makes the outcome open and is named; it is never taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final

from auditor.checks.economics_context import SPOKES, EconomicsContext, open_for, outcome
from auditor.checks.running_costs import JUDGES, never_to_zero, proprietary
from auditor.economics import Egress, Price, egress, exact, hub_gb, most_spoke_usd, percent, plain, spoke_gb, usd
from auditor.model import Outcome, Rule
from auditor.spelling import plural
from auditor.workload import Declared


def economics_outcomes(context: EconomicsContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """The outcomes of the selected ECO rules. Without a manifest only what the plan alone decides."""
    for rule_id, judge in _ALL.items():
        if rule_id in rules and context.declared is not None:
            yield from judge(context, context.declared, rules[rule_id])
    if "ECO003" in rules and context.declared is None:
        yield from never_to_zero(context)
    if "ECO009" in rules:
        yield from proprietary(context, rules["ECO009"])


# --- ECO001 ------------------------------------------------------------------------------------------


def _saving(d: Declared) -> tuple[Fraction | None, tuple[str, ...]]:
    """Saving in per cent, and what is missing where it is not known."""
    if d.saving is not None:
        return d.saving.pct, ()
    declared = d.number("savings_pct")
    if declared is not None:
        return Fraction(declared), ()
    return None, d.missing("monthly_usd.hub", "monthly_usd.spoke")


def _gravity(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    limit, floor_pct = exact(c.gates["dataset_tb"]), exact(c.gates["min_saving_pct"])
    size = d.number("dataset_tb")
    if size is None:
        if c.neoclouds:
            yield open_for(
                "ECO001", ["dataset_tb"], f"compute on {', '.join(c.neoclouds)}, and the size of the dataset is not known"
            )
        return
    tb = f"{plain(size)} TB"
    if size <= limit:
        yield outcome("ECO001", "pass", f"{tb} is not above {plain(limit)} TB.", tb, f"<= {plain(limit)} TB")
        return
    saving, missing = _saving(d)
    enough = saving is not None and saving > Fraction(floor_pct)
    shown = "unknown" if saving is None else percent(saving, Fraction(floor_pct))
    jit = " Pattern jit, data not moved: shards only." if d.text("pattern") == "jit" else ""
    expected = f"saving > {plain(floor_pct)}% above {plain(limit)} TB"
    if enough:
        yield outcome(
            "ECO001", "pass", f"{tb} > {plain(limit)} TB, and saving {shown} is > {plain(floor_pct)}%.{jit}", shown, expected
        )
        return
    head = f"{tb} > {plain(limit)} TB"
    if not c.home.cloud and (c.compute or not c.home.declared):
        unread = f"cannot be read from data_home {c.home.declared!r} (write cloud:region, or an address of this plan)"
        about = f"{head}, and where the data is {unread if c.home.declared else 'is not known'}"
        yield open_for("ECO001", ["data_home", *missing], about)
        return
    away = {cloud: k for cloud, k in c.compute.items() if cloud != c.home.cloud}
    spokes = sorted(cloud for cloud, k in away.items() if k in SPOKES or cloud in c.spokes)
    if not spokes and "unknown" in away.values():
        unknown = ", ".join(sorted(cloud for cloud, k in away.items() if k == "unknown"))
        yield outcome(
            "ECO001", "open", f"{head}; compute on {unknown}, whose class is not in the catalogue.", unknown, expected,
            "Declare it under catalog.providers of the policy.", f"class of {unknown} not known",
        )  # fmt: skip
    elif spokes and saving is None:
        yield open_for("ECO001", missing, f"{head}; compute on {', '.join(spokes)}, away from {c.home.place}")
    elif spokes:
        yield outcome(
            "ECO001", "fail",
            f"{head} and saving {shown} is not > {plain(floor_pct)}%: NO-GO. "
            f"Compute on {', '.join(spokes)}, data in {c.home.place}.{jit}",
            shown, expected, f"Bring compute to {c.home.place}{_enough_spoke(d, floor_pct)}.",
        )  # fmt: skip
    elif "hyperscaler" in away.values():
        others = ", ".join(sorted(cloud for cloud, k in away.items() if k == "hyperscaler"))
        why = "is not declared" if saving is None else f"{shown} is not > {plain(floor_pct)}%"
        yield outcome(
            "ECO001", "fail", f"{head}; compute on {others}, data in {c.home.place}; saving {why}. "
            "The gate names neoclouds: a note.",
            shown, expected, f"Bring compute to {c.home.place}.", level="note",
        )  # fmt: skip
    else:
        place = f" ({c.home.place})" if c.home.cloud else ""
        yield outcome("ECO001", "pass", f"{head}, and no compute away from the data{place}.", tb, expected)


def _enough_spoke(d: Declared, floor_pct: Decimal) -> str:
    hub = d.number("monthly_usd.hub")
    most = most_spoke_usd(hub, floor_pct) if hub is not None else None
    return f", or find a spoke for {usd(most, cents=False)} a month or less" if most is not None else ""


# --- ECO002 ------------------------------------------------------------------------------------------


def same_place(c: EconomicsContext) -> bool:
    """All compute is proven to stand in the cloud and region of the data."""
    if not c.home.cloud or set(c.compute) != {c.home.cloud} or not c.home.region:
        return False
    jobs = c.accelerated
    return bool(jobs) and all(j.regions == (c.home.region,) for j in jobs)


def _volumes(d: Declared) -> tuple[Fraction | None, Fraction | None, tuple[str, ...], tuple[str, ...]]:
    """GB to the spoke, GB back, and what each lacks."""
    mode = d.text("transfer.mode")
    there: tuple[str, ...] = d.missing("dataset_tb")
    if mode in ("full_each_run", "shards"):
        there += d.missing("transfer.runs_per_month")
    if mode == "shards":
        there += d.missing("transfer.active_fraction")
    back = d.missing("transfer.checkpoint_tb", "transfer.runs_per_month")
    out = None
    if not there:
        out = hub_gb(
            mode, d.number("dataset_tb") or Decimal(0), d.number("transfer.runs_per_month") or Decimal(0),
            d.number("transfer.active_fraction") or Decimal(0), d.number("transfer.amortise_months") or Decimal(1),
        )  # fmt: skip
    home = None
    if not back:
        home = spoke_gb(d.number("transfer.checkpoint_tb") or Decimal(0), d.number("transfer.runs_per_month") or Decimal(0))
    return out, home, there, back


def _egress(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    limit = exact(c.gates["max_egress_share"])
    if same_place(c):
        yield outcome("ECO002", "pass", f"compute and data share {c.home.place}: no egress.", "$0.00", _share_text(limit))
        return
    if d.get("transfer") is None:
        if d.number("dataset_tb") is None and not c.neoclouds:
            return
        if not c.compute:
            yield outcome("ECO002", "pass", "no transfer declared, and no compute in the plan.", "$0.00", _share_text(limit))
            return
        yield open_for(
            "ECO002",
            ["transfer", *d.missing("dataset_tb")],
            f"compute on {', '.join(sorted(c.compute))}; what moves is not known",
        )
        return
    out, back, lacks_out, lacks_back = _volumes(d)
    missing = list(lacks_out if not c.hub_price.free else ())
    missing += [m for m in lacks_back if not c.spoke_price.free and m not in missing]
    hub_volume, spoke_volume = out or Fraction(0), back or Fraction(0)
    saving = d.saving
    if saving is None:
        pct = d.number("savings_pct")
        if pct and not missing and c.hub_price.cost(hub_volume) + c.spoke_price.cost(spoke_volume) == 0:
            yield outcome("ECO002", "pass", f"egress $0.00/month of a saving of {plain(pct)}%.", "$0.00", _share_text(limit))
            return
        lacks = [*d.missing("monthly_usd.hub", "monthly_usd.spoke"), *missing]
        yield open_for("ECO002", lacks, "egress has no saving in USD to be measured against")
        return
    bill = egress(hub_volume, spoke_volume, c.hub_price, c.spoke_price, saving.usd, limit)
    if missing and bill.passes:
        yield open_for("ECO002", missing, f"what moves is not known; so far {usd(bill.usd)}/month")
        return
    yield _billed(c, d, bill)


def _share_text(limit: Decimal) -> str:
    return f"<= {plain(limit * 100)}% of the saving"


def _billed(c: EconomicsContext, d: Declared, bill: Egress) -> Outcome:
    limit = Fraction(bill.max_share) * 100
    price = price_text(c.hub_price)
    flow = f"{plain(bill.hub_gb / 1000, 1)} TB {price} hub->spoke"
    if bill.spoke_gb and not c.spoke_price.free:
        flow += f" + {plain(bill.spoke_gb / 1000, 1)} TB {price_text(c.spoke_price)} spoke->hub"
    flow = f"{transfer_text(d)} = {flow} ({as_of_text(c.hub_price)})"
    if bill.share is None:
        none = f"and there is no saving ({usd(bill.saving_usd, cents=False)})"
        return outcome(
            "ECO002", "fail", f"egress {usd(bill.usd)}/month, {none}: {flow}.",
            usd(bill.usd), _share_text(bill.max_share), "Stay where the data is.",
        )  # fmt: skip
    share = percent(bill.share * 100, limit)
    of_saving = f"of the {usd(bill.saving_usd, cents=False)} saving (limit {plain(Decimal(100) * bill.max_share)}%)"
    head = f"egress {usd(bill.usd)}/month = {share} {of_saving}"
    even, remedy = break_even(c, d, bill)
    if bill.passes:
        free = (
            " The hub's price is declared to be 0 (a waiver of egress): it must hold."
            if c.hub_price.free and c.hub_price.declared
            else ""
        )
        return outcome("ECO002", "pass", f"{head}: {flow}. {even}{free}", share, _share_text(bill.max_share))
    return outcome("ECO002", "fail", f"{head}: {flow}. {even}", share, _share_text(bill.max_share), remedy)


def break_even(c: EconomicsContext, d: Declared, bill: Egress) -> tuple[str, str]:
    """The most that may move within the limit, as a sentence, and what to do where more does."""
    most = bill.most_hub_gb(c.hub_price)
    needed = bill.needed_saving()
    if most is None:
        return "Any amount may move at this price.", ""
    tb = most / 1000
    said = f"Break-even: {plain(Fraction(floor(tb * 10), 10), 1)} TB/month"
    if needed is not None and not bill.passes:
        said += f", or a saving of {usd(needed, cents=False)}"
    remedy = "Stay on the hyperscaler"
    size, runs = d.number("dataset_tb"), d.number("transfer.runs_per_month")
    if size and runs and d.text("transfer.mode") in ("full_each_run", "shards"):
        share = min(most / (Fraction(size) * 1000 * Fraction(runs)), Fraction(1))
        remedy += f", or hydrate <= {floor(share * 100)}% of the dataset per run"
    return f"{said}.", f"{remedy}."


def price_text(price: Price) -> str:
    if price.flat:
        return f"x {_usd_gb(price.tiers[0].usd_gb)}"
    return f"at {len(price.tiers)} tiers from {_usd_gb(price.tiers[0].usd_gb)}"


def _usd_gb(price: Decimal) -> str:
    """At least two decimals: $0.10/GB."""
    text = plain(price)
    whole, _, decimals = text.partition(".")
    return f"${whole}.{decimals.ljust(2, '0')}/GB"


def as_of_text(price: Price) -> str:
    """`price as of 2026-11-20, flat`: where a price comes from is always said."""
    when = f"as of {price.as_of}" if price.as_of else "of no declared date"
    return f"{'price' if price.declared else 'default price'} {when}, {'flat' if price.flat else 'tiered'}"


def transfer_text(d: Declared) -> str:
    """`30 TB x 4 runs`."""
    size, runs = d.number("dataset_tb"), d.number("transfer.runs_per_month")
    said = f"{plain(size)} TB" if size is not None else "? TB"
    match d.text("transfer.mode"):
        case "shards":
            said += f" x {plain((d.number('transfer.active_fraction') or Decimal(0)) * 100)}%"
        case "full_once":
            return f"{said} once over {plural(plain(d.number('transfer.amortise_months') or Decimal(1)), 'month')}"
    return f"{said} x {plural(plain(runs), 'run')}" if runs is not None else said


_ALL: Final[Mapping[str, Callable[[EconomicsContext, Declared, Rule], Iterator[Outcome]]]] = {
    "ECO001": _gravity,
    "ECO002": _egress,
    **JUDGES,
}
