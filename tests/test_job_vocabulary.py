"""The small vocabulary of `jobs.yaml`: paths, amounts and conditions, and that every row of every cloud is written in it."""

from __future__ import annotations

import re

import pytest

from auditor.catalog import Catalog
from auditor.facts import Cloud
from auditor.jobfacts import Amount, Condition, Row, amount, condition, pointer, segments

CATALOG = Catalog()
CLOUDS = [c for name in sorted({p.cloud for p in CATALOG.index.providers.values()}) if name and (c := CATALOG.cloud(name))]
OPEN = {"google_hypercomputecluster_cluster"}  # how many nodes is said elsewhere, under another id: the size stays open
ROWS = [(c.id, kind, i, row) for c in CLOUDS for kind, rows in c.jobs.rows.items() for i, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("scaling_config.max_size", ("scaling_config", "max_size")),
        ('manifest.spec.limits["nvidia.com/gpu"]', ("manifest", "spec", "limits", "nvidia.com/gpu")),
        ('a["b.c/d"].e', ("a", "b.c/d", "e")),
        ("spec.rules[key=karpenter.sh/zone].values", ("spec", "rules[key=karpenter.sh/zone]", "values")),
        ("/vpc_config.subnets", ("/vpc_config", "subnets")),
    ],
)  # fmt: skip
def test_paths(text: str, steps: tuple[str, ...]) -> None:
    assert segments(text) == steps


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("max_size", Amount("max_size", "", 1, "")),
        ("node_count per zone", Amount("node_count", "zone", 1, "")),
        ("compute_resources.max_vcpus per vcpu", Amount("compute_resources.max_vcpus", "vcpu", 1, "")),
        ("manifest.spec.targetRacks times 18", Amount("manifest.spec.targetRacks", "", 18, "")),
        ("max_nodes if autoscale = true", Amount("max_nodes", "", 1, "autoscale = true")),
    ],
)
def test_amounts(text: str, parts: Amount) -> None:
    assert amount(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("priority = Spot", Condition(("priority",), "=", "Spot")),
        ("a.b != false", Condition(("a", "b"), "!=", "false")),
        ("count > 1", Condition(("count",), ">", "1")),
        ("node_pool written", Condition(("node_pool",), "written", "")),
        ("offset set", Condition(("offset",), "set", "")),
        ("r[key=a/b].values = spot", Condition(("r[key=a/b]", "values"), "=", "spot")),
        (r"type ~ (?i)^Microsoft\.Compute/x@", Condition(("type",), "~", r"(?i)^Microsoft\.Compute/x@")),
    ],
)
def test_conditions(text: str, parts: Condition) -> None:
    assert condition(text) == parts


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="not a condition"):
        condition("priority")


@pytest.mark.parametrize(("cloud", "kind", "i", "row"), ROWS, ids=[f"{c}-{k}-{i}" for c, k, i, _ in ROWS])
def test_every_row_is_written_in_the_vocabulary(cloud: str, kind: str, i: int, row: Row) -> None:
    fabric = [*row.fabric.any, *row.fabric.needs] if row.fabric is not None else []
    placement = [c for conditions in row.placement.values() for c in conditions]
    conditions = [*row.when, *row.spot, *row.reservation, *row.block, *row.single_zone, *row.select, *row.uncounted]
    for text in (*conditions, *row.exempt, *placement, *fabric):
        assert condition(text).path
    for text in (*row.min, *row.max, *row.add):
        part = amount(text)
        assert part.path
        assert part.per in ("", "zone", "vcpu")
        assert not part.condition or condition(part.condition).path
    for text in (*row.templates, *row.parts, *row.attach):
        assert pointer(text).types, f"{text}: a reference names the types it may lead to"
    assert row.source
    assert row.date
    assert row.confidence
    if row.kind in ("instance", "fleet"):
        assert row.type or row.templates or row.selects or row.unit, "nothing says what its nodes are"
    if row.kind == "fleet":
        assert row.min or row.max or row.nodes_absent is not None or kind in OPEN, "nothing says how many nodes"


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda c: c.id)
def test_types_of_the_catalogue_look_like_accelerators(cloud: Cloud) -> None:
    """A type that the catalogue gains must not be one that the pattern would pass by while it is missing."""
    if cloud.jobs.accelerator_types and cloud.instances:
        strangers = [n for n in cloud.instances if not re.search(cloud.jobs.accelerator_types, n) and " " not in n]
        assert strangers == []
