"""`auditor gates`: go or no-go."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, pairs, read_config, read_with_source, workload_near
from auditor.cli.output import Target, put, spare
from auditor.cli.variables import InOrder, in_order, source_options, variable_options
from auditor.errors import ExitCode
from auditor.model import Report
from auditor.report.escape import clean
from auditor.rules import select


@click.command("gates", cls=InOrder)
@click.argument("paths", nargs=-1, required=True, shell_complete=complete.files)
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
@click.option("--workload", type=click.Path(path_type=Path), help="A workload manifest.")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report here instead of to stdout.")
@click.option("--strict", is_flag=True, help="An UNDECIDED gate or a partial plan is exit 2.")
@click.option("--exit-zero", is_flag=True, help="NO-GO does not fail the run; errors still do.")
@click.option("--as-of", help="The date to judge for (default: today).")
@click.option("--assume", multiple=True, help="Fill an undecided region: aws.region=eu-central-1.")
@click.option("--quiet", is_flag=True, help="No notices on stderr.")
@source_options
@variable_options
def gates_command(
    paths: tuple[str, ...], policy: str | None, workload: Path | None, catalog_dir: Path | None, form: str,
    output: Path | None, strict: bool, exit_zero: bool, as_of: str | None, assume: tuple[str, ...], quiet: bool,
    hcl_dir: Path | None, binary_plan: Path | None, variables: tuple[str, ...], var_files: tuple[str, ...],
) -> int:  # fmt: skip
    """Should we build it this way? Four gates, from the plan and the declared workload.

    \b
    1 data gravity    ECO001 ECO002           dataset, saving, egress
    2 latency         NET and PLC rules       fabric and zones of GPU jobs, measured p99
    3 sovereignty     SOV rules               every location, and whether data is regulated
    4 inference 24/7  ECO003                  a repatriation analysis

    GO, NO-GO, UNDECIDED (and what to declare) or N/A. Exit 1 for NO-GO, 0 otherwise; --strict makes UNDECIDED exit 2.
    """
    from auditor.pipeline import audit
    from auditor.report import gates as page

    when = as_of_date(as_of)
    catalog = Catalog(catalog_dir)
    every = known_rules()
    overrides: dict[str, Any] = {"assume": pairs(assume)} if assume else {}
    manifest = workload or workload_near(paths)
    config = read_config(policy, manifest, overrides, catalog, every, when)
    rules = select(every.values(), (), {k: v.off for k, v in config.rules.items()})
    plans = read_with_source(paths, in_order(variables, var_files), hcl_dir, binary_plan)
    report = audit(plans, config, catalog, rules, every, when)
    color = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text = page.as_json(report) if form == "json" else page.markdown(report) if form == "markdown" else page.text(report, color)
    target = Target(form, output)
    spare([target], [*(i.path for i in report.inputs), *(f for f in (config.policy, manifest, *var_files) if f)])
    put(text, target)
    if not quiet:
        for notice in report.notices:
            click.echo(f"auditor: {clean(notice)}", err=True)
    return exit_code(report, strict, exit_zero)


def exit_code(report: Report, strict: bool, exit_zero: bool) -> int:
    """The worst wins: UNDECIDED or a partial plan under --strict, then NO-GO."""
    if strict and (report.partial or any(g.verdict == "UNDECIDED" for g in report.gates)):
        return ExitCode.CANNOT_AUDIT
    return ExitCode.FINDINGS if report.overall == "NO-GO" and not exit_zero else ExitCode.OK
