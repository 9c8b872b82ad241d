"""The region tables: every id has a country or is marked open, and no cloud answers for another one's id."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import pytest

from auditor.catalog import Catalog
from auditor.facts import Cloud
from auditor.places import _ISO as ISO
from auditor.resolve.readings import Reader

TABLES = Path(__file__).parent.parent / "provider_catalog"
CATALOG = Catalog()
CLOUDS = sorted(p.parent.name for p in TABLES.glob("*/regions.csv"))

# id -> country per cloud, as the vendors list them: one id, other places
COLLISIONS = {
    "eu-west-1": {"aws": "IE", "alicloud": "GB"},
    "eu-central-1": {"aws": "DE", "alicloud": "DE"},
    "eu-west-2": {"aws": "GB", "alicloud": "FR"},
    "me-west-1": {"aws": "SA", "lambda": "IL"},
    "ap-southeast-2": {"aws": "AU", "alicloud": "AU"},
    "ap-southeast-3": {"aws": "ID", "alicloud": "MY"},
    "ap-southeast-5": {"aws": "MY", "alicloud": "ID"},
    "ap-southeast-6": {"aws": "NZ", "alicloud": "PH"},
    "ap-southeast-7": {"aws": "TH", "alicloud": "TH"},
    "ap-northeast-2": {"aws": "KR"},
    "me-central-1": {"aws": "AE", "alicloud": "SA"},
    "me-west1": {"gcp": "IL", "nebius": "IL"},
    "us-central1": {"gcp": "US", "nebius": "US"},
    "ap-south": {"linode": "SG"},
    "ap-west": {"linode": "IN"},
    "eu-west": {"linode": "GB"},
    "eu-central": {"linode": "DE", "hetzner": "DE FI"},
}
# A name is not a country.
TRAPS = {
    "aws": {"eu-west-2": "GB", "eu-central-2": "CH", "eu-central-1-ist-1a": "TR"},
    "gcp": {"europe-west2": "GB", "europe-west6": "CH"},
    "oci": {"eu-zurich-1": "CH", "eu-crissier-1": "CH", "eu-dcc-zurich-1": "CH", "eu-jovanovac-1": "RS"},
    "linode": {"eu-west": "GB"},
    "coreweave": {"EU-WEST-01": "GB", "EU-WEST-02": "GB", "EU-NORTH-02": "NO", "AUS1": "US"},
    "crusoe": {"eu-iceland1-a": "IS", "eu-norway1-a": "NO"},
    "nebius": {"eu-north2": "IS"},
    "exoscale": {"ch-dk-2": "CH"},
    "ovhcloud": {"eu-west-lz-mnc": "GB", "eu-west-lz-zrh": "CH", "eu-north-lz-osl": "NO"},
    "runpod": {"US-CA-1": "US", "US-DE-1": "US", "US-IL-1": "US", "US-GA-1": "US"},
}


def cloud(name: str) -> Cloud:
    found = CATALOG.cloud(name)
    assert found is not None
    return found


def countries(name: str, value: str, resource_type: str = "") -> set[str]:
    held = cloud(name)
    found = Reader(held, CATALOG, resource_type, held.reading).place(value)
    return {p.country for p in found[0]} if found is not None else set()


@pytest.mark.parametrize("name", CLOUDS)
def test_every_region_has_a_country_or_is_open(name: str) -> None:
    with (TABLES / name / "regions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        named = set(row["country"].split()) | set(row["member_countries"].split())
        assert named <= ISO | {"*"}, row["region_id"]
        assert named or (row["use"] == "listed" and row["reason"]), f"{row['region_id']}: neither a country nor open"
        held = cloud(name).regions[row["region_id"]]
        if not named:
            assert cloud(name).places(row["region_id"], held) == ((), False)
        assert all(row[column] for column in ("source", "date", "confidence")), row["region_id"]


@pytest.mark.parametrize("value", COLLISIONS)
def test_same_id_other_cloud(value: str) -> None:
    for name, expected in COLLISIONS[value].items():
        assert countries(name, value) == set(expected.split()), name


@pytest.mark.parametrize("name", TRAPS)
def test_a_name_is_no_country(name: str) -> None:
    for value, expected in TRAPS[name].items():
        assert countries(name, value) == {expected}, value


def test_shared_ids_never_answer_for_each_other() -> None:
    """Of two clouds that share an id, a policy that allows one cloud's region allows nothing of the other."""
    from auditor.model import Place
    from auditor.places import compile_allow

    shared = 0
    for a, b in combinations(CLOUDS, 2):
        for region in sorted(CATALOG.index.clouds[a].regions.keys() & CATALOG.index.clouds[b].regions.keys()):
            allow = compile_allow([f"{a}:{region}"], [], CATALOG.index, "2026-11-20")
            assert allow.permits("home", Place(a, region, CATALOG.index.clouds[a].regions[region]))
            assert not allow.permits("home", Place(b, region, CATALOG.index.clouds[b].regions[region]))
            shared += 1
    assert shared > 10


def test_case_chooses_the_table() -> None:
    """Cloud Storage EUR7 and Spanner eur7 are other places; a bucket's lower-case name is the same bucket location."""
    assert countries("gcp", "EUR7", "google_storage_bucket") == {"GB", "DE"}
    assert countries("gcp", "eur7", "google_storage_bucket") == {"GB", "DE"}
    assert countries("gcp", "eur7", "google_spanner_instance") == {"IT", "DE"}
    assert countries("gcp", "regional-europe-west3", "google_spanner_instance") == {"DE"}
    assert countries("gcp", "eur5", "google_spanner_instance") == {"GB", "BE", "NL"}
    assert "CA" in countries("gcp", "nam14")
    assert countries("gcp", "nam10") == {"US"}


@pytest.mark.parametrize("written", ["westeurope", "West Europe", "WestEurope", "WEST EUROPE", " West Europe "])
def test_display_names_are_the_same_region(written: str) -> None:
    assert countries("azure", written) == {"NL"}
