"""`auditor check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import (
    as_of_date,
    known_findings,
    known_rules,
    pairs,
    read_config,
    read_with_source,
    workload_near,
)
from auditor.cli.output import targets, write
from auditor.cli.variables import InOrder, in_order, source_options, variable_options
from auditor.errors import ExitCode
from auditor.levels import at_least
from auditor.model import Report
from auditor.report.escape import clean
from auditor.rules import asked, select


@click.command("check", cls=InOrder)
@click.argument("paths", nargs=-1, required=True, shell_complete=complete.files)
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
@click.option("--workload", type=click.Path(path_type=Path), help="A workload manifest.")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
@click.option(
    "--rules", "wanted", shell_complete=complete.rule_list, help="Only these rules or sets, comma-separated (SOV,META)."
)  # fmt: skip
@click.option(
    "--format", "formats", multiple=True, metavar="FMT[=FILE]", shell_complete=complete.formats,
    help="text, json, sarif, markdown, github, gitlab, junit or html; with =FILE into a file. May be repeated.",
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), help="Write the report here instead of to stdout.")
@click.option("--fail-on", type=click.Choice(["error", "warning", "note"]), help="Exit 1 from this level on.")
@click.option("--strict", is_flag=True, help="Open verdicts and partial plans are exit 2.")
@click.option("--exit-zero", is_flag=True, help="Findings do not fail the run; errors still do.")
@click.option("--as-of", help="The date to audit for (default: today).")
@click.option("--assume", multiple=True, help="Fill an undecided region: aws.region=eu-central-1.")
@click.option("--sarif-include-waived", is_flag=True, help="Waived results into SARIF too, as suppressions.")
@click.option("--stack", default="", help="Name of this stack: tells several SARIF uploads for one commit apart.")
@source_options
@click.option("--lock", "lock_file", type=click.Path(path_type=Path), help="The dependency lock file (default: found).")
@variable_options
@click.option("--keep-going", is_flag=True, help="Skip Terraform files that cannot be read, and say which.")
@click.option("--baseline", "baseline_path", type=click.Path(path_type=Path), help="Findings that are known already.")
@click.option("--new-only", help="A plan, JSON report or baseline: findings that it has are hidden.")
@click.option("--quiet", is_flag=True, help="No notices and no progress on stderr; errors still.")
@click.option("--verbose", is_flag=True, help="Text with rule titles, all evidence, fingerprints and waivers.")
def check_command(
    paths: tuple[str, ...], policy: str | None, workload: Path | None, catalog_dir: Path | None, wanted: str | None,
    formats: tuple[str, ...], output: Path | None, fail_on: str | None, strict: bool, exit_zero: bool,
    as_of: str | None, assume: tuple[str, ...], hcl_dir: Path | None, binary_plan: Path | None,
    lock_file: Path | None, variables: tuple[str, ...], var_files: tuple[str, ...], keep_going: bool,
    sarif_include_waived: bool, stack: str, quiet: bool, verbose: bool,
    baseline_path: Path | None, new_only: str | None,
) -> int:  # fmt: skip
    """Audit plans before they are applied.

    PATHS: plan JSON, a binary plan, state JSON, a folder of plans, a Terraform folder (or files of it), or - (stdin).

    \b
    terraform show -json tfplan | auditor check -
    auditor check plan.json --binary-plan tfplan --policy eu-gdpr
    auditor check plan.json --format sarif=auditor.sarif --format html=report.html --format text
    auditor check .                  source scan: fewer facts than a plan, no credentials

    \b
    Exit 0: nothing at or above --fail-on. 1: findings. 2: could not audit; with --strict also
    anything undecided. 3: a bug. An undecided location is never a pass.
    """
    from auditor.load.lockfile import with_locks
    from auditor.pipeline import audit

    when = as_of_date(as_of)
    wanted_reports = targets(formats, output)
    catalog = Catalog(catalog_dir)
    every = known_rules()
    overrides: dict[str, Any] = {"assume": pairs(assume)} if assume else {}
    if fail_on:
        overrides["fail_on"] = fail_on
    manifest = workload or workload_near(paths)
    config = read_config(policy, manifest, overrides, catalog, every, when)
    rules = select(every.values(), asked(wanted), {k: v.off for k, v in config.rules.items()})
    plans = with_locks(
        read_with_source(paths, in_order(variables, var_files), hcl_dir, binary_plan, keep_going, quiet), lock_file
    )
    known = known_findings(baseline_path or config.baseline, new_only, policy, workload, wanted, when)
    report = audit(plans, config, catalog, rules, every, when, known)
    del plans  # the report stands for itself: a big plan leaves room for a big page
    others = (config.policy, manifest, binary_plan, lock_file, baseline_path or config.baseline, new_only, *var_files)
    left_out = write(
        report, wanted_reports, catalog, verbose=verbose, include_waived=sarif_include_waived, stack=stack,
        inputs=[f for f in others if f],
    )  # fmt: skip
    if not quiet:
        for notice in (*report.notices, *left_out):
            click.echo(f"auditor: {clean(notice)}", err=True)
    return _exit_code(report, strict, exit_zero)


def _exit_code(report: Report, strict: bool, exit_zero: bool) -> int:
    if strict and (report.summary.open or report.partial):
        return ExitCode.CANNOT_AUDIT
    if not exit_zero and any(at_least(f.level, report.fail_on) for f in report.findings):
        return ExitCode.FINDINGS
    return ExitCode.OK
