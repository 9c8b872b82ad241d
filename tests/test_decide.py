"""`decide`: one location against the allowed places, over every kind of doubt."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from auditor.checks.sovereignty import decide
from auditor.model import Location, Place

DE, US = Place("aws", "eu-central-1", "DE"), Place("aws", "us-east-1", "US")
GUESSED = Place("aws", "us-x-9", "US", "", False)


@dataclass(frozen=True)
class Germany:
    def permits(self, role: str, place: Place) -> bool:
        return role == "home" and place.country == "DE"

    def describe(self, role: str) -> str:
        return "DE"


def located(*places: Place, candidates: bool = False, complete: bool = True, unconfirmed: str = "") -> Location:
    return Location(
        "a.b", "region", "home", "x", "attribute", places, candidates=candidates, complete=complete, unconfirmed=unconfirmed
    )


CASES = [
    ("inside", located(DE), "pass", "pass"),
    ("outside", located(US), "fail", "fail"),
    ("nothing known", located(complete=False), "open", "open"),
    ("no places", located(), "open", "open"),
    ("all of them, one outside", located(DE, US), "fail", "fail"),
    ("more than listed", located(DE, complete=False), "open", "open"),
    ("more than listed, one outside", located(US, complete=False), "fail", "fail"),
    ("outside by a guess", located(GUESSED), "open", "open"),
    ("inside, and outside by a guess", located(DE, GUESSED), "open", "open"),
    ("inside by an unconfirmed fact", located(DE, unconfirmed="pair of eu-central-1"), "pass", "open"),
    ("outside by an unconfirmed row", located(US, unconfirmed="row of aws_x"), "open", "open"),
    ("outside by an unconfirmed pair", located(US, unconfirmed="pair of x"), "open", "open"),
    ("outside by unconfirmed members", located(US, unconfirmed="members of x"), "open", "open"),
    ("candidates inside", located(DE, DE, candidates=True), "pass", "pass"),
    ("candidates outside", located(US, US, candidates=True), "fail", "fail"),
    ("candidates mixed", located(DE, US, candidates=True), "open", "open"),
    ("no candidates", located(candidates=True), "open", "open"),
    ("candidates inside, more of them", located(DE, candidates=True, complete=False), "open", "open"),
    ("candidates outside, more of them", located(US, candidates=True, complete=False), "open", "open"),
    ("candidates outside by a guess", located(US, GUESSED, candidates=True), "open", "open"),
    ("candidates outside by an unconfirmed fact", located(US, candidates=True, unconfirmed="row"), "open", "open"),
    ("candidates inside by an unconfirmed fact", located(DE, candidates=True, unconfirmed="row"), "pass", "open"),
]


@pytest.mark.parametrize(("location", "held", "regulated"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_decide(location: Location, held: str, regulated: str) -> None:
    assert decide(location, [("", Germany())]) == held
    assert decide(location, [("", Germany())], regulated=True) == regulated


def test_every_applying_list_must_permit() -> None:
    class Everywhere(Germany):
        def permits(self, role: str, place: Place) -> bool:
            return True

    assert decide(located(US), [("", Everywhere()), ("scope", Germany())]) == "fail"
    assert decide(located(US), [("", Everywhere())]) == "pass"
