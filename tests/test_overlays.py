"""Overlay rows become exactly the records that the compiled catalogue holds, from YAML and from CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from test_policy import load

from auditor.catalog import Catalog, data_dir
from auditor.documents import Document, validate
from auditor.errors import PolicyError
from auditor.overlays import Row, instance_record, region_record, type_record

FOLDER = data_dir("provider_catalog")
CLOUDS = sorted(p.stem for p in (FOLDER / "compiled").glob("*.json") if (FOLDER / p.stem / "regions.csv").exists())


def shipped(cloud: str, table: str) -> list[dict[str, str]]:
    path = FOLDER / cloud / f"{table}.csv"
    return list(csv.DictReader(path.open(newline="", encoding="utf-8"))) if path.exists() else []


def row(table: str, cells: dict[str, Any]) -> Row:
    return Row(table, {k: v for k, v in cells.items() if v != ""}, "t:1")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_shipped_row_makes_the_compiled_record(cloud: str) -> None:
    held = json.loads((FOLDER / "compiled" / f"{cloud}.json").read_text())
    for cells in shipped(cloud, "regions"):
        assert region_record(row("regions", cells)) == held["regions"][cells["region_id"]]
    for cells in shipped(cloud, "instances"):
        record = held["instances"][cells["instance_type"]]
        assert {k: v for k, v in instance_record(row("instances", cells)).items() if k in record} == record
    for cells in shipped(cloud, "locations"):
        if cells["resource_type"] == "*" or cells["effects"]:
            continue
        records = held["types"][cells["resource_type"]]["locations"]
        made = type_record(row("resource_types", cells), {})["locations"][0]
        assert any(r.items() >= made.items() for r in records), made


@pytest.mark.parametrize("table", ["regions", "instances"])
def test_shipped_tables_fit_the_schema_of_overlays(table: str) -> None:
    rows = [{k: v for k, v in cells.items() if v} | {"cloud": c} for c in CLOUDS for cells in shipped(c, table)]
    validate(Document("shipped", {table: rows}), "overlay")


def test_rows_from_files(tmp_path: Path) -> None:
    (tmp_path / "regions.csv").write_text("cloud,region_id,country,source\naws,eu-nowhere-9,CH,vendor page\n")
    (tmp_path / "more.yaml").write_text(
        "- {cloud: aws, instance_type: p9.48xlarge, accelerator: X100, gpus_per_node: 8, source: s}\n"
    )
    text = "version: 1\nallow: ['aws:eu-nowhere-9']\ncatalog:\n  regions: [regions.csv]\n  instances: [./more.yaml]\n"
    config = load(tmp_path, text)
    catalog = Catalog().over(config.overlay)
    cloud = catalog.cloud("aws")
    assert cloud is not None
    assert cloud.regions["eu-nowhere-9"].country == "CH"
    assert "p9.48xlarge" in cloud.instances
    assert "eu-nowhere-9" not in Catalog().index.clouds["aws"].regions


REFUSED = {
    "unknown column": ("regions: [{cloud: aws, region_id: a, cuntry: CH, source: s}]", 'p.yaml:3 unknown key "cuntry"; did you'),
    "no source": ("regions: [{cloud: aws, region_id: a, country: CH}]", 'p.yaml:3 missing key "source"'),
    "bare NO": ("regions: [{cloud: aws, region_id: a, country: NO, source: s}]", 'quote country codes: "NO"'),
    "no country": ("regions: [{cloud: aws, region_id: a, source: s}]", "p.yaml:3 the region needs a country"),
    "unknown cloud": (
        "regions: [{cloud: asw, region_id: a, country: CH, source: s}]", 'p.yaml:3 unknown cloud "asw"; did you mean "aws"'
    ),
    "no cloud": ("resource_types: [{resource_type: acme_x, path: a, source: s}]", "p.yaml:3 cannot tell the cloud"),
    "empty type": ("resource_types: [{resource_type: aws_x, source: s}]", "p.yaml:3 the type needs a path"),
    "missing file": ("regions: [none.csv]", "p.yaml:3 no file none.csv for catalog.regions"),
    "broken file": ("regions: [bad.csv]", 'bad.csv:2 unknown key "contry"; did you mean "country"?'),
    "ragged file": ("regions: [ragged.csv]", "ragged.csv:2 has more cells"),
}  # fmt: skip


@pytest.mark.parametrize(("catalog", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, catalog: str, says: str) -> None:
    (tmp_path / "bad.csv").write_text("cloud,region_id,contry,source\naws,a,CH,s\n")
    (tmp_path / "ragged.csv").write_text("cloud,region_id\naws,a,CH,s\n")
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, f"version: 1\ncatalog:\n  {catalog}\n", "p.yaml")
    assert says in str(caught.value)
