"""`auditor dump`: what was understood of a plan, findings or not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, pairs, read_config, read_with_source
from auditor.cli.variables import InOrder, in_order, source_options, variable_options
from auditor.errors import ExitCode
from auditor.model import Location
from auditor.report.escape import clean, inert
from auditor.rules import select

_HEAD = ("ADDRESS", "ROLE", "PATH", "VALUE", "COUNTRIES", "SOURCE")


@click.command("dump", cls=InOrder)
@click.argument("paths", nargs=-1, required=True, shell_complete=complete.files)
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
@click.option("--workload", type=click.Path(path_type=Path), help="A workload manifest.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="A table, or JSON.")
@click.option("--as-of", help="The date to audit for (default: today).")
@click.option("--assume", multiple=True, help="Fill an undecided region: aws.region=eu-central-1.")
@source_options
@variable_options
def dump_command(
    paths: tuple[str, ...], policy: str | None, workload: Path | None, form: str, as_of: str | None,
    assume: tuple[str, ...], hcl_dir: Path | None, binary_plan: Path | None, variables: tuple[str, ...],
    var_files: tuple[str, ...],
) -> int:  # fmt: skip
    """Every location as it was understood: address, role, path, value, countries and the rung that decided it."""
    from auditor.pipeline import audit
    from auditor.report.json_report import as_dict

    every = known_rules()
    when = as_of_date(as_of)
    overrides: dict[str, Any] = {"assume": pairs(assume)} if assume else {}
    catalog = Catalog()
    config = read_config(policy, workload, overrides, catalog, every, when)
    catalog = catalog.over(config.overlay)
    plans = read_with_source(paths, in_order(variables, var_files), hcl_dir, binary_plan)
    report = audit(plans, config, catalog, select(every.values(), (), {}), every, when)
    if form == "json":
        shown = as_dict(report)
        held = {k: shown[k] for k in ("schema", "inputs", "locations", "jobs", "coverage", "assumptions")}
        click.echo(json.dumps(held, indent=2, ensure_ascii=False))
        return ExitCode.OK
    for line in _table([_HEAD, *(_row(loc) for loc in report.locations)]):
        click.echo(inert(line))
    c = report.coverage
    unknown = f", {c.unknown_types} unknown types" if c.unknown_types else ""
    click.echo(f"{c.resources} resources, {c.located} located, {c.global_} global, {c.undecided} undecided{unknown}")
    for assumption in report.assumptions:
        click.echo(f"assumed: {clean(assumption)}")
    return ExitCode.OK


def _row(loc: Location) -> tuple[str, ...]:
    """A sensitive location shows that it is one, and nothing else of it."""
    if loc.sensitive:
        return loc.address, loc.role, loc.path, "(sensitive)", "", loc.source
    countries = "any" if "*" in loc.countries else " ".join(loc.countries)
    if loc.candidates and len(loc.places) > 1:
        countries = " or ".join(loc.countries)
    return loc.address, loc.role, loc.path, loc.value or "?", countries or "?", loc.source


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    cleaned = [[clean(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cleaned) for i in range(len(_HEAD))]
    for row in cleaned:
        yield "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
