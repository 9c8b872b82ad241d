"""The HTML page: self-contained, strict about what runs, the map and the job cards as the report says."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from report_samples import GPU, finding, report, rich_report

from auditor.catalog import Catalog
from auditor.facts import Coordinates
from auditor.model import Job, Location, Place, Report, SourceRange
from auditor.report import RenderOptions
from auditor.report.html import render
from auditor.report.html.jobs import span
from auditor.report.html.spots import gather

DE, US, NL = Place("cloud", "eu-1", "DE"), Place("cloud", "us-1", "US"), Place("cloud", "nl-1", "NL")
AT = Coordinates({"cloud": {"eu-1": (50.1, 8.7), "us-1": (39.0, -77.5)}}, {"NL": (52.4, 4.9)})
VOID = {"meta", "input", "br", "img", "link"}


def page(made: Report, **options: Any) -> str:
    return render(made, RenderOptions(coordinates=lambda: AT, **options))


def home(address: str, *places: Place, **changes: Any) -> Location:
    return Location(address, "region", "home", places[0].region if places else "", "attribute", places, **changes)


def copy(address: str, place: Place) -> Location:
    return Location(address, "replica[0].region", "replica", place.region, "attribute", (place,))


class _Nesting(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [v for k, v in attrs if k == "id" and v]
        assert not [k for k, _ in attrs if k == "style" or k.startswith("on")], tag
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [v for k, v in attrs if k == "id" and v]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("made", [report(), rich_report()], ids=["clean", "rich"])
def test_page_is_well_formed_and_self_contained(made: Report) -> None:
    text = page(made)
    seen = _Nesting()
    seen.feed(text)
    assert seen.open == []
    assert len(seen.ids) == len(set(seen.ids))
    assert set(re.findall(r'aria-labelledby="([^"]+)"', text))
    assert all(i in seen.ids for group in re.findall(r'aria-labelledby="([^"]+)"', text) for i in group.split())
    assert all(link[1:] in seen.ids for link in re.findall(r'href="([^"]+)"', text))
    assert not re.search(r"https?://|@import|url\(|src=", text)


def test_only_the_shipped_script_and_style_may_run() -> None:
    text = page(rich_report())
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert f"{tag}-src 'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in policy


def test_places_take_the_worst_verdict_and_copies_start_at_home() -> None:
    made = report(
        finding(address="a.one", path="replica[0].region", rule="SOV004"),
        locations=(home("a.one", DE), copy("a.one", US), home("a.two", DE), home("a.three", NL)),
    )
    found = gather(made, AT)
    assert [(s.key[1], s.verdict, s.count, s.at) for s in found.spots] == [
        ("us-1", "fail", 1, (39.0, -77.5)),
        ("eu-1", "pass", 2, (50.1, 8.7)),
        ("nl-1", "pass", 1, (52.4, 4.9)),
    ]
    assert [(a.source[1], a.target[1], a.role, a.verdict, a.count) for a in found.arcs] == [
        ("eu-1", "us-1", "replica", "fail", 1)
    ]


def test_without_an_allow_list_no_place_is_called_allowed() -> None:
    made = report(locations=(home("a.one", US),), not_configured=("sovereignty: no allow list",))
    assert [s.verdict for s in gather(made, AT).spots] == ["none"]
    assert "not judged" in page(made)
    assert '<span class="badge pass">allowed' not in page(made)


def test_sensitive_and_undecided_locations_are_counted_not_shown() -> None:
    made = report(locations=(home("a.secret", US, sensitive=True), home("a.unknown")))
    text = page(made)
    assert gather(made, AT).spots == []
    assert "marked sensitive: 1 location" in text
    assert "undecided: 1 location" in text
    assert "us-1" not in text


def test_a_multi_region_is_one_row_and_small_marks() -> None:
    members = tuple(Place("cloud", "", c) for c in ("AT", "BE", "DE", "FR", "NL", "SE"))
    found = gather(report(locations=(Location("a.b", "location", "home", "EU", "attribute", members),)), AT)
    assert [(w.value, w.places, w.count) for w in found.wide] == [("EU", 6, 1)]
    assert all(s.wide for s in found.spots)


@pytest.mark.parametrize(
    ("changes", "source", "shown"),
    [
        ({}, 'region = "us-east-1"', "region = &quot;us-east-1&quot;"),
        ({}, 'region = "us-east-1", token = "s3cret"', "region = &quot;us-east-1&quot;, token = &quot;…&quot;"),
        ({}, 'token = "s3cret', "token = &quot;…&quot;"),
        ({"observed": "(sensitive)"}, 'region = "us-east-1"', ""),
        ({"rule": "SEC001"}, 'access_key = "us-east-1"', ""),
        ({"location": SourceRange("a.tf", 1, 1, 3, 2)}, "several lines", ""),
        ({"location": None}, "no place", ""),
    ],
)
def test_source_is_quoted_where_it_tells_nothing_new(changes: dict[str, Any], source: str, shown: str) -> None:
    text = page(report(finding(**{"location": GPU} | changes)), excerpt=lambda _: source)
    assert re.findall(r"<pre><code>(.*)</code></pre>", text) == ([shown] if shown else [])
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(4, 4, "4"), (2, 16, "2 to 16"), (2, None, "2 or more"), (None, None, "unknown"), (None, 3, "up to 3")],
)
def test_spans(low: int | None, high: int | None, words: str) -> None:
    assert span(low, high) == words


@pytest.mark.parametrize(("state", "words"), [("on", "on"), ("open", "undecided"), ("off", "available, not switched on")])
def test_job_card_says_the_fabric_state(state: Any, words: str) -> None:
    job = Job("module.train.x", "cloud", ("module.train.x",), "training", "declared", 2, 6, 16, 48, ("big.48",), ("H100",),
              "efa", state, ("eu-1a", "eu-1b", "eu-1c", "eu-1d"), 4, ("eu-1",))  # fmt: skip
    text = page(report(jobs=(job,)))
    assert f"2 to 6 nodes over 4 zones, fabric efa: {words}" in text
    assert text.count('class="node"') == 6


def test_shipped_coordinates_cover_every_region_that_has_a_country() -> None:
    catalog = Catalog()
    at = catalog.coordinates()
    missing = {
        (cloud, region)
        for cloud, facts in catalog.index.clouds.items()
        for region, country in facts.regions.items()
        if region not in at.regions.get(cloud, {}) and country not in at.countries
    }
    assert missing == set()
    assert at.regions["aws"]["eu-central-1"] == (50.12, 8.68)
    for place in [p for regions in at.regions.values() for p in regions.values()]:
        assert -90 <= place[0] <= 90
        assert -180 <= place[1] <= 180


def test_timeline_is_in_order_with_the_day_of_judgement() -> None:
    made = report(finding("LAG001", dates=(("2026-09-12", "limit passed"), ("2026-06-12", "API first public"), ("soon", "x"))))
    (dates,) = re.findall(r'<ol class="dates">(.*?)</ol>', page(made))
    assert re.findall(r"<li>(.*?)</li>", dates) == [
        "2026-06-12 API first public", "2026-09-12 limit passed", "2026-11-20 judged",
    ]  # fmt: skip


def test_gates_stand_on_top() -> None:
    text = page(rich_report())
    assert text.index('<span class="badge fail">NO-GO</span>') < text.index('id="map"')
    assert "declare workload.role" in text
