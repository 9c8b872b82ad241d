"""Properties of the arithmetic: verdicts turn at the limit, one way; break-evens hold; units convert exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from auditor.documents import read_yaml
from auditor.economics import (
    CENT,
    Cliff,
    Repatriation,
    Saving,
    as_decimal,
    egress,
    exact,
    flat_price,
    hub_gb,
    most_spoke_usd,
    tiered_price,
)

pytest.importorskip("hypothesis", reason="a development dependency: pip install -e .[dev]")
from hypothesis import given, settings
from hypothesis import strategies as st

D = Decimal
MONEY = st.decimals(min_value=0, max_value=10**9, places=2, allow_nan=False, allow_infinity=False)
PRICE = st.decimals(min_value=0, max_value=1, places=4)
SIZE = st.decimals(min_value=0, max_value=5000, places=3)
quick = settings(max_examples=60, deadline=None)


@quick
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=5))
def test_what_is_written_comes_back(value: D) -> None:
    assert exact(read_yaml(f"x: {value:f}\n", "w.yaml").value["x"]) == value


# --- units -------------------------------------------------------------------------------------------


@quick
@given(SIZE, st.integers(0, 50))
def test_units_convert_exactly(tb: D, runs: int) -> None:
    assert hub_gb("full_each_run", tb, D(runs)) == Fraction(tb) * 1000 * runs
    assert hub_gb("shards", tb, D(runs), D("0.05")) * 20 == hub_gb("full_each_run", tb, D(runs))
    assert hub_gb("full_once", tb, amortise_months=D(3)) * 3 == Fraction(tb) * 1000


# --- verdicts turn at the limit, one way -------------------------------------------------------------


@quick
@given(SIZE, MONEY, MONEY, PRICE)
def test_more_data_never_mends_the_share_and_more_saving_never_spoils_it(tb: D, hub: D, spoke: D, price: D) -> None:
    def passes(size: D, saving: D) -> bool:
        return egress(hub_gb("full_once", size), Fraction(0), flat_price(price), flat_price(D(0)), saving, D("0.15")).passes

    saving = hub - spoke
    if not passes(tb, saving):
        assert not passes(tb + 1, saving)
    if passes(tb, saving):
        assert passes(tb, saving + CENT)


@quick
@given(SIZE, MONEY, PRICE.filter(bool), st.booleans())
def test_the_break_even_volume_passes_and_a_step_beyond_fails(tb: D, saving: D, price: D, tiered: bool) -> None:
    hub = tiered_price([{"up_to_tb": "10", "usd_gb": str(price)}, {"usd_gb": str(price / 2)}]) if tiered else flat_price(price)
    saving += CENT

    def passes(gb: Fraction) -> bool:
        return egress(gb, Fraction(0), hub, flat_price(D(0)), saving, D("0.15")).passes

    most = egress(hub_gb("full_once", tb), Fraction(0), hub, flat_price(D(0)), saving, D("0.15")).most_hub_gb(hub)
    assert most is not None
    assert passes(most)
    assert not passes(most + Fraction(1, 10**9))
    step = D("0.1")
    shown = Fraction(as_decimal(most / 1000, step)) * 1000
    assert passes(shown)
    assert not passes(shown + Fraction(step) * 1000)


@quick
@given(SIZE.filter(bool), PRICE.filter(bool))
def test_the_saving_that_would_pass_passes_and_a_cent_less_fails(tb: D, price: D) -> None:
    bill = egress(hub_gb("full_once", tb), Fraction(0), flat_price(price), flat_price(D(0)), D(1), D("0.15"))
    needed = bill.needed_saving()
    assert needed is not None

    def passes(saving: D) -> bool:
        return egress(bill.hub_gb, Fraction(0), flat_price(price), flat_price(D(0)), saving, D("0.15")).passes

    assert passes(needed)
    assert not passes(needed - CENT)


@quick
@given(MONEY.filter(bool), st.integers(0, 100))
def test_the_dearest_spoke_passes_gate_1_and_a_cent_more_does_not(hub: D, limit: int) -> None:
    most = most_spoke_usd(hub, D(limit))
    if most is None:
        assert Saving(hub, D(0)).pct <= limit
        return
    assert Saving(hub, most).pct > limit
    assert Saving(hub, most + CENT).pct <= limit


@quick
@given(MONEY, MONEY.filter(bool), st.integers(1, 60), MONEY)
def test_the_crossover_month_is_the_first_that_pays(cloud: D, pod: D, months: int, upfront: D) -> None:
    r = Repatriation(cloud, pod, months, 1, upfront)
    month = r.crossover_month
    if month is None:
        assert cloud <= pod
        return
    assert cloud * month >= pod * month + upfront
    assert month == 1 or cloud * (month - 1) < pod * (month - 1) + upfront


@quick
@given(st.decimals(min_value=D("0.0000001"), max_value=1, places=7), MONEY)
def test_the_cliff_itself_is_not_past_it(price: D, month: D) -> None:
    cliff = Cliff(price, D(0), D(0), D(0), month)
    assert cliff.rps is not None
    assert cliff.serverless_usd(D(1)) * cliff.rps == Fraction(month)
    at = as_decimal(cliff.rps, CENT)
    assert not cliff.past(at)
    assert cliff.past(at + CENT)
