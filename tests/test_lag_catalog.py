"""The lag shards: of one shape, dated, contiguous, and free of the gap that makes old types look new."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from auditor.catalog import Catalog
from auditor.documents import load_schema
from auditor.versions import parse_version

FOLDER = Path(__file__).parent.parent / "provider_catalog" / "lag"
SHARDS = sorted(FOLDER.glob("*__*.json"))
FEATURES = sorted((FOLDER / "features").glob("*.json"))
GAIN = 40  # types that one version may gain by exact evidence; cloudflare 5.0.0 was written anew


@pytest.fixture(params=SHARDS, ids=lambda p: p.stem)
def shard(request: pytest.FixtureRequest) -> dict:
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_all_providers_are_there() -> None:
    assert len(SHARDS) == 27
    assert set(Catalog().lag_index.shards) == {json.loads(p.read_text())["source"] for p in SHARDS}


@pytest.mark.parametrize("path", [*SHARDS, *FEATURES], ids=lambda p: p.stem)
def test_schema(path: Path) -> None:
    kind = "lag-shard" if path in SHARDS else "lag-features"
    problems = Draft202012Validator(load_schema(kind)).iter_errors(json.loads(path.read_text(encoding="utf-8")))
    assert [p.message for p in problems] == []


def test_releases(shard: dict) -> None:
    texts = list(shard["releases"])
    parsed = [parse_version(t) for t in texts]
    assert None not in parsed
    assert parsed == sorted(parsed)  # type: ignore[type-var]
    days = [date.fromisoformat(day) for day, _ in shard["releases"].values()]
    assert max(days) <= date.fromisoformat(shard["as_of"]) <= date.fromisoformat(shard["checked"])


def test_first_support_is_a_release(shard: dict) -> None:
    held = [s for kinds in (shard["support"], {"a": {}}) for rows in kinds.values() for s in rows.values()]
    held += [s for rows in shard["attributes"].values() for s in rows.values()]
    assert [s for s in held if s[0] not in shard["releases"]] == []
    assert {s[1] for s in held} <= {"exact", "at_most", "approximate"}


def test_an_argument_is_no_older_than_its_type(shard: dict) -> None:
    types = shard["support"].get("resource", {})
    for kind, rows in shard["attributes"].items():
        if kind in types:
            assert all(parse_version(s[0]) >= parse_version(types[kind][0]) for s in rows.values()), kind  # type: ignore[operator]


def test_no_version_gains_too_many_types(shard: dict) -> None:
    """A gap in the changelogs once turned every type of the gap into "new in the version after it"."""
    for kind, rows in shard["support"].items():
        gained = Counter(s[0] for s in rows.values() if s[1] == "exact")
        assert [v for v, n in gained.items() if n > GAIN] == [], kind


def test_removed_types_are_not_in_newer_ones(shard: dict) -> None:
    for kind, (deprecated, removed, _, evidence) in shard["removed"].items():
        assert deprecated or removed, kind
        assert evidence in ("stated", "major", "absent")


def test_sorted_one_record_a_line() -> None:
    for path in SHARDS:
        made = json.loads(path.read_text(encoding="utf-8"))
        for kind, rows in made["support"].items():
            assert list(rows) == sorted(rows), (path.name, kind)
        lines = path.read_text(encoding="utf-8").splitlines()
        assert sum(1 for line in lines if line.startswith('"') and '["' in line) >= len(made["releases"])


@pytest.mark.parametrize("path", FEATURES, ids=lambda p: p.stem)
def test_features(path: Path) -> None:
    catalog = Catalog()
    rows = json.loads(path.read_text(encoding="utf-8"))
    ids = [r["id"] for r in rows]
    assert ids == sorted(set(ids))
    for row in rows:
        assert row["provider"] in catalog.lag_index.shards, row["id"]
        assert not any(key.startswith("lag") for key in row), row["id"]  # derived, never stored
        for kind, day, source in row.get("starts", []):
            assert date.fromisoformat(day) <= date(2026, 8, 22), row["id"]
            assert kind, row["id"]
            assert source, row["id"]
        if row.get("confidence") == "high" and row["status"] == "supported" and row.get("starts"):
            assert row["starts"][0][2], row["id"]


def test_one_shard_loads_in_milliseconds() -> None:
    import time

    begun = time.perf_counter()
    shard = Catalog().shard("hashicorp/aws")
    assert shard is not None
    assert time.perf_counter() - begun < 0.1  # about 3 ms; a loaded machine gets its slack
