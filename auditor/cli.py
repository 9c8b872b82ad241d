"""The command line: flags -> config -> audit -> render -> exit code. Nothing is decided here."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from auditor import __version__
from auditor.catalog import Catalog, data_dir
from auditor.config import Config, load_config
from auditor.errors import AuditorError, ExitCode, PolicyError
from auditor.levels import at_least
from auditor.model import Plan, Report, Rule
from auditor.rules import load_rules, select


def main() -> None:
    """Entry point. Every way out has its exit code; a bug prints one line, AUDITOR_TRACEBACK=1 prints the rest."""
    gc.disable()  # one short run over records without cycles: collecting would only scan them again and again
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as e:
        e.show(sys.stderr)
        sys.exit(ExitCode.CANNOT_AUDIT)
    except AuditorError as e:
        click.echo(f"auditor: {e}", err=True)
        sys.exit(e.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.CANNOT_AUDIT)
    except Exception as e:  # the one error boundary: a bug is exit 3, never a pass
        if os.environ.get("AUDITOR_TRACEBACK"):
            traceback.print_exc()
        python = ".".join(map(str, sys.version_info[:3]))
        click.echo(
            f"auditor {__version__} (Python {python}): internal error {type(e).__name__}; "
            "set AUDITOR_TRACEBACK=1 for the traceback",
            err=True,
        )
        sys.exit(ExitCode.BUG)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="auditor")
def cli() -> None:
    """Audit a Terraform plan before apply: where data would go, and how the auditor knows."""


def _as_of(text: str | None) -> date:
    if text is None:
        return datetime.now(tz=UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        raise click.BadParameter(f"{text!r} is not a date like 2026-11-20", param_hint="--as-of") from e


def _pairs(items: tuple[str, ...]) -> dict[str, str]:
    made = {}
    for item in items:
        name, eq, value = item.partition("=")
        if not eq or not name or not value:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE", param_hint="--assume")
        made[name] = value
    return made


def _config(
    policy: str | None, workload: Path | None, overrides: dict[str, Any], catalog: Catalog,
    every: dict[str, Rule], as_of: date,
) -> Config:  # fmt: skip
    return load_config(
        policy, workload, overrides, index=catalog.index, rules=every, as_of=as_of.isoformat(),
        cwd=Path.cwd(), policies_dir=data_dir("policies"),
    )  # fmt: skip


def _plans(paths: tuple[str, ...]) -> list[Plan]:
    from auditor.load.plan import load

    return [plan for p in paths for plan in load(p, sys.stdin.buffer.read)]


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--policy", help="A policy file, or the name of a shipped one.")
@click.option("--workload", type=click.Path(path_type=Path), help="A workload manifest.")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
@click.option("--rules", "wanted", help="Only these rules or sets, comma-separated (SOV,META).")
@click.option(
    "--format", "formats", multiple=True, help="text, json, sarif, markdown, github; FORMAT=FILE writes a file."
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report here instead of to stdout.")
@click.option("--fail-on", type=click.Choice(["error", "warning", "note"]), help="Exit 1 from this level on.")
@click.option("--strict", is_flag=True, help="Open verdicts and partial plans are exit 2.")
@click.option("--exit-zero", is_flag=True, help="Findings do not fail the run; errors still do.")
@click.option("--as-of", help="The date to audit for (default: today).")
@click.option("--assume", multiple=True, help="Fill an undecided region: aws.region=eu-central-1.")
@click.option("--quiet", is_flag=True, help="No notices on stderr.")
@click.option("--verbose", is_flag=True, help="More detail in text.")
def check(
    paths: tuple[str, ...], policy: str | None, workload: Path | None, catalog_dir: Path | None, wanted: str | None,
    formats: tuple[str, ...], output: Path | None, fail_on: str | None, strict: bool, exit_zero: bool,
    as_of: str | None, assume: tuple[str, ...], quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Audit plan JSON, a binary plan, state JSON, a folder of plans, or - (stdin)."""
    from auditor.pipeline import audit

    when = _as_of(as_of)
    targets = _targets(formats, output)
    catalog = Catalog(catalog_dir)
    every = {r.id: r for r in load_rules(data_dir("policies"))}
    overrides: dict[str, Any] = {"assume": _pairs(assume)} if assume else {}
    if fail_on:
        overrides["fail_on"] = fail_on
    config = _config(policy, workload, overrides, catalog, every, when)
    rules = select(every.values(), (wanted or "").split(","), {k: v.off for k, v in config.rules.items()})
    report = audit(_plans(paths), config, catalog, rules, every, when)
    _write(report, targets, verbose)
    if not quiet:
        for notice in report.notices:
            click.echo(f"auditor: {notice}", err=True)
    return _exit_code(report, strict, exit_zero)


def _targets(formats: tuple[str, ...], output: Path | None) -> list[tuple[str, Path | None]]:
    from auditor.report import FORMATS

    made: list[tuple[str, Path | None]] = []
    for item in formats or ("text",):
        name, eq, file = item.partition("=")
        if name not in FORMATS:
            raise click.BadParameter(f"unknown format {name!r}; one of {', '.join(FORMATS)}", param_hint="--format")
        made.append((name, Path(file) if eq else output))
    return made


def _write(report: Report, targets: list[tuple[str, Path | None]], verbose: bool) -> None:
    from auditor.report import FORMATS, RenderOptions

    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for name, path in targets:
        options = RenderOptions(color=color and path is None, verbose=verbose, root=str(Path.cwd()))
        text = FORMATS[name](report, options)
        text = text if text.endswith("\n") else text + "\n"
        if path is None:
            sys.stdout.write(text)
            continue
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as e:
            raise AuditorError(f"{path}: cannot be written: {e.strerror or e}") from e


def _exit_code(report: Report, strict: bool, exit_zero: bool) -> int:
    if strict and (report.summary.open or report.partial):
        return ExitCode.CANNOT_AUDIT
    if not exit_zero and any(at_least(f.level, report.fail_on) for f in report.findings):
        return ExitCode.FINDINGS
    return ExitCode.OK


@cli.command("rules")
def list_rules() -> int:
    """Every rule with its level."""
    for rule in load_rules(data_dir("policies")):
        click.echo(f"{rule.id:8} {rule.level:8} {rule.title}")
    return ExitCode.OK


@cli.command()
@click.argument("name")
def explain(name: str) -> int:
    """Why a rule exists, what is bad, what is good, where it comes from."""
    found = [r for r in load_rules(data_dir("policies")) if name.upper() in (r.id, *(a.upper() for a in r.aliases))]
    if not found:
        raise PolicyError(f"no rule is called {name!r}", "`auditor rules` lists them.")
    rule = found[0]
    click.echo(f"{rule.id}  {rule.title}  [{rule.level}]\n\n{rule.why}\n\nFix: {rule.remediation}")
    for title, text in (("Bad", rule.bad), ("Good", rule.good)):
        if text:
            click.echo(f"\n{title}:\n" + "\n".join(f"  {line}" for line in text.rstrip().splitlines()))
    for source in rule.sources:
        click.echo(f"\nSource: {source}")
    return ExitCode.OK


@cli.command()
@click.option("--policy", help="A policy file, or the name of a shipped one.")
def regions(policy: str | None) -> int:
    """What the policy's `allow` expands to, per cloud; without a policy every region known."""
    from auditor.places import expand

    catalog = Catalog()
    every = {r.id: r for r in load_rules(data_dir("policies"))}
    config = _config(policy, None, {}, catalog, every, _as_of(None))
    for cloud, summary in sorted(catalog.index.clouds.items()):
        allowed = expand(config.places.top, catalog.index).get(cloud, []) if config.places else sorted(summary.regions)
        if allowed:
            shown = ", ".join(f"{r} ({summary.regions[r]})" for r in allowed)
            click.echo(f"{summary.title or cloud} [{cloud}] {len(allowed)}: {shown}")
    return ExitCode.OK


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--policy", help="A policy file, or the name of a shipped one.")
def dump(paths: tuple[str, ...], policy: str | None) -> int:
    """Every location as it was understood: address, role, value, countries, rung."""
    from auditor.pipeline import audit

    catalog = Catalog()
    every = {r.id: r for r in load_rules(data_dir("policies"))}
    when = _as_of(None)
    config = _config(policy, None, {}, catalog, every, when)
    report = audit(_plans(paths), config, catalog, select(every.values(), (), {}), every, when)
    for loc in report.locations:
        value = "(sensitive)" if loc.sensitive else loc.value or "?"
        countries = "" if loc.sensitive else ",".join(loc.countries)
        click.echo(f"{loc.address}\t{loc.role}\t{loc.path}\t{value}\t{countries}\t{loc.source}")
    return ExitCode.OK
