"""Exact numbers: how they are read and printed, and the golden ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from auditor.documents import read_yaml
from auditor.economics import CoreLicence, Repatriation, exact, hub_gb, percent, plain, tier_problem, usd
from auditor.errors import PolicyError
from auditor.workload import add_months

D = Decimal

# --- numbers as they are written ---------------------------------------------------------------------


WRITTEN = ["0.09", "0.1", "1333.3", "0.0000002", "2e-07", "40.01", "4e5", "1_000.5", "-3", "123456789012.34"]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_is_the_decimal_that_was_written(text: str) -> None:
    value = read_yaml(f"x: {text}\n", "w.yaml").value["x"]
    assert exact(value) == D(text.replace("_", ""))


@pytest.mark.parametrize("text", ["0.1000000000000000055", "010", "1:30", "12345678901234567.8"])
def test_a_number_that_would_change_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match=r"w.yaml:1 .*would not be kept as it is written"):
        read_yaml(f"x: {text}\n", "w.yaml")


# --- golden numbers ----------------------------------------------------------------------------------


def test_golden_numbers() -> None:
    r = Repatriation(D(18000), D(4200))
    assert r.multiple is not None
    assert (plain(r.multiple, 2), r.monthly_delta, r.total_delta) == ("4.29", 13800, 496800)
    assert CoreLicence(2, 8, 16, D(150), 3).usd_year == 14400
    assert plain(hub_gb("shards", D(2000), D(2), D("0.05"))) == "200,000"


def test_printing_never_hides_the_side_of_the_limit() -> None:
    assert percent(Fraction(15), Fraction(15)) == "15.0%"
    assert percent(Fraction(1500001, 100000), Fraction(15)) == "15.00001%"
    assert percent(Fraction(3999999, 100000), Fraction(40)) == "39.99999%"
    assert (usd(D("-0.005")), usd(D("1234.5")), usd(D(1200), cents=False)) == ("-$0.01", "$1,234.50", "$1,200")


@pytest.mark.parametrize(
    ("tiers", "says"),
    [
        ([{"usd_gb": 1}, {"usd_gb": 2}], "only the last"),
        ([{"up_to_tb": 10, "usd_gb": 1}], "must have no up_to_tb"),
        ([{"up_to_tb": 10, "usd_gb": 1}, {"up_to_tb": 10, "usd_gb": 1}, {"usd_gb": 1}], "must rise"),
        ([{"up_to_tb": 10, "usd_gb": 1}, {"usd_gb": 0.5}], ""),
    ],
)
def test_tiers(tiers: list[dict[str, float]], says: str) -> None:
    assert says in tier_problem(tiers)
    assert bool(says) == bool(tier_problem(tiers))


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2025-11-30", 3, "2026-02-28"),
        ("2026-05-20", 6, "2026-11-20"),
        ("2023-11-29", 3, "2024-02-29"),
        ("2026-08-31", 6, "2027-02-28"),
    ],
)
def test_months_are_calendar_months(start: str, months: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(end)
