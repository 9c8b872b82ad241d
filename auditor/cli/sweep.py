"""`auditor sweep`: every plan of an organisation."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_findings, known_rules, pairs, read_config
from auditor.cli.output import put, spare, targets
from auditor.config import find_workload
from auditor.errors import AuditorError, ExitCode
from auditor.report.escape import clean
from auditor.rules import asked, select

if TYPE_CHECKING:
    from auditor.sweep.answers import Answers
    from auditor.sweep.run import Engine, Swept
    from auditor.sweep.sources import Item

_STEP: Final = 0.2  # seconds between two drawings of the bar


@click.command("sweep")
@click.argument("paths", nargs=-1, required=True, shell_complete=complete.files)
@click.option("--store", "store_dir", type=click.Path(path_type=Path), help="Keep the results here, with those of earlier runs.")
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
@click.option("--workload", type=click.Path(path_type=Path), help="One manifest for all (default: beside each plan, else here).")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
@click.option("--rules", "wanted", help="Only these rules or sets, comma-separated (SOV,META).")
@click.option("--fail-on", type=click.Choice(["error", "warning", "note"]), help="Exit 1 from this level on.")
@click.option("--strict", is_flag=True, help="Unreadable plans, open verdicts and partial plans are exit 2.")
@click.option("--exit-zero", is_flag=True, help="Findings do not fail the run; unreadable plans and errors still do.")
@click.option("--as-of", help="The date to audit for (default: today).")
@click.option("--assume", multiple=True, help="Fill an undecided region: aws.region=eu-central-1.")
@click.option("--baseline", "baseline_path", type=click.Path(path_type=Path), help="Findings that are known already.")
@click.option("--team", default="path", show_default=True, help="Whose a plan is: path, path:N (Nth folder) or tag:NAME.")
@click.option("--engine", type=click.Choice(["pool", "dask"]), default="pool", show_default=True, help="This machine, or many.")
@click.option("--jobs", type=click.IntRange(1), help="Processes of the pool (default: one per core).")
@click.option("--scheduler", help="Address of the Dask scheduler: tcp://host:8786.")
@click.option(
    "--format", "formats", multiple=True, metavar="FMT[=FILE]",
    help="text, json, markdown or html; with =FILE into a file. May be repeated.",
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), help="Write the report here instead of to stdout.")
@click.option("--sarif-dir", type=click.Path(path_type=Path), help="One gzipped SARIF file per stack into this folder.")
@click.option("--timeout", type=click.FloatRange(1), default=120, show_default=True, help="Seconds for one object of a store.")
@click.option("--max-bytes", type=click.IntRange(1), default=2_000_000_000, help="Larger plans are unreadable.")
@click.option("--quiet", is_flag=True, help="No progress and no summary on stderr; errors still.")
def sweep_command(
    paths: tuple[str, ...], store_dir: Path | None, policy: str | None, workload: Path | None, catalog_dir: Path | None,
    wanted: str | None, fail_on: str | None, strict: bool, exit_zero: bool, as_of: str | None, assume: tuple[str, ...],
    baseline_path: Path | None, team: str, engine: str, jobs: int | None, scheduler: str | None, formats: tuple[str, ...],
    output: Path | None, sarif_dir: Path | None, timeout: float, max_bytes: int, quiet: bool,
) -> int:  # fmt: skip
    """Audit every plan under PATHS: folders, globs, archives (zip, tar) and object stores.

    \b
    auditor sweep plans/ --store estate --format html=estate.html --format text
    auditor sweep s3://plans/prod/ gs://plans/ 'team-*/**/plan.json' --jobs 8
    auditor sweep plans/ --engine dask --scheduler tcp://scheduler:8786 --store estate

    Each plan is judged as `auditor check` judges it. With --store, plans that were audited before (same content,
    policy, catalogue, date and version) are not audited again, and an interrupted sweep goes on where it was.

    \b
    Exit 0: nothing at or above --fail-on, all read. 1: findings, or unreadable plans. 2: could not sweep, or nothing
    could be read; with --strict also unreadable plans and open verdicts. 130: interrupted; what was done is kept.
    """
    from auditor.sweep.discover import Finder
    from auditor.sweep.render import FORMATS, render
    from auditor.sweep.run import sweep
    from auditor.sweep.settings import settings_of
    from auditor.sweep.sources import shown
    from auditor.sweep.store import Store

    gc.enable()  # this process lives longer than most
    team_tag = _team(team)
    wanted_reports = targets(formats, output, FORMATS)
    when = as_of_date(as_of)
    catalog, every = Catalog(catalog_dir), known_rules()
    overrides: dict[str, Any] = {"assume": pairs(assume)} if assume else {}
    if fail_on:
        overrides["fail_on"] = fail_on
    own = read_config(policy, None, overrides, catalog, every, when)
    given = workload or find_workload([Path.cwd()])
    config = read_config(policy, given, overrides, catalog, every, when) if given else own
    rules = select(every.values(), asked(wanted), {k: v.off for k, v in config.rules.items()})
    known = known_findings(baseline_path or config.baseline, None, policy, workload, wanted, when)
    settings = settings_of(
        config, own, rules, every, when, catalog_dir, manifests=workload is None, tag=team_tag, baseline=known,
        sarif=sarif_dir is not None, timeout=timeout, limit=max_bytes,
    )  # fmt: skip
    run_engine = _engine(engine, scheduler, jobs)
    began = datetime.now(tz=UTC)
    with ExitStack() as stack:
        folder = store_dir or Path(stack.enter_context(TemporaryDirectory(prefix="auditor-sweep-")))
        store = Store(folder)
        stack.callback(store.close)
        items, total = _counted(Finder(team, timeout, max_bytes).find(paths))
        read = [i.url for i in items] if isinstance(items, list) else []
        spare(wanted_reports, [*paths, *read, *(p for p in (given, baseline_path, policy) if p)])
        bar = stack.enter_context(_Bar(total, quiet))
        record = {
            "schema": _schema(), "catalog": catalog.index.as_of, "policy": config.policy,
            "allow": config.places.top.describe("home") if config.places is not None else "", "fail_on": config.fail_on,
            "team": team, "roots": sorted({shown(p) for p in paths}),
        }  # fmt: skip
        swept = sweep(
            items, settings, store, run_engine, began.strftime("%Y-%m-%dT%H-%M-%SZ"), record, _now, sarif_dir, bar.draw
        )
        bar.wipe()
        found = _ask(folder, swept.run, Catalog(catalog_dir))
        for target in sorted(wanted_reports, key=lambda t: t.path is None):
            put(render(target.format, found, catalog.coordinates()), target)
    if not quiet:
        click.echo(f"auditor: {_summary(swept, (datetime.now(tz=UTC) - began).total_seconds())}", err=True)
    return _exit_code(found, swept, strict, exit_zero)


def _now() -> str:
    return datetime.now(tz=UTC).strftime("%Y-%m-%dT%H-%M-%SZ")


def _schema() -> str:
    from auditor.sweep.tables import SCHEMA

    return SCHEMA


def _team(text: str) -> str:
    """The tag of `tag:NAME`, "" for a path. Anything else is a usage error."""
    kind, colon, rest = text.partition(":")
    if kind == "tag" and rest:
        return rest
    if kind == "path" and (not colon or (rest.isdecimal() and int(rest) > 0)):
        return ""
    raise click.BadParameter(f"{text!r} is not path, path:N or tag:NAME", param_hint="--team")


def _engine(name: str, scheduler: str | None, jobs: int | None) -> Engine:
    if name == "dask":
        if scheduler is None:
            raise click.UsageError("--engine dask needs --scheduler ADDRESS")
        from auditor.sweep import cluster

        return lambda items, settings, known: cluster.run(items, settings, known, scheduler)
    if scheduler is not None:
        raise click.UsageError("--scheduler goes with --engine dask")
    from auditor.sweep import pool

    return lambda items, settings, known: pool.run(items, settings, known, jobs or os.cpu_count() or 1)


def _counted(found: Iterator[Item]) -> tuple[Iterable[Item], int]:
    """The items and how many they are; 0 where a compressed archive is read as it goes, and nobody knows yet."""
    listed: list[Item] = []
    for item in found:
        if item.data is not None:
            return chain(listed, [item], found), 0
        listed.append(item)
    if not listed:
        raise AuditorError("no plan found under the given paths", "Plans are *.json, *.tfplan and tfplan files.")
    return listed, len(listed)


def _ask(folder: Path, run: str, catalog: Catalog) -> Answers:
    from auditor.sweep.answers import answers
    from auditor.sweep.query import Answerer

    store = Answerer(folder)
    try:
        return answers(store, run, catalog.shard)
    finally:
        store.close()


def _summary(s: Swept, seconds: float) -> str:
    rate = f", {s.plans / seconds:.0f} plans/s" if seconds > 0 else ""
    peak = f", at most {s.peak / 1e6:.0f} MB a worker" if s.peak else ""
    end = "interrupted: what was done is kept; " if s.interrupted else ""
    return clean(f"{end}run {s.run}: {s.audited} audited, {s.reused} audited before, {seconds:.1f} s{rate}{peak}")


def _exit_code(a: Answers, s: Swept, strict: bool, exit_zero: bool) -> int:
    if s.interrupted:
        return ExitCode.INTERRUPTED
    if not a.read or (strict and (a.unread or a.opening)):
        return ExitCode.CANNOT_AUDIT
    if a.unread or (a.failing and not exit_zero):
        return ExitCode.FINDINGS
    return ExitCode.OK


class _Bar:
    """How many are done, how fast, how long yet: on a terminal's stderr, never in CI or a file."""

    def __init__(self, total: int, quiet: bool) -> None:
        out = sys.stderr
        self._total = total
        self._on = not quiet and out.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"
        self._began = self._due = monotonic()
        self._drawn = False

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def draw(self, done: int) -> None:
        now = monotonic()
        if not self._on or now < self._due:
            return
        self._due = now + _STEP
        rate = done / max(now - self._began, 1e-6)
        bar = left = ""
        if self._total:
            full = 24 * done // self._total
            left = f", {_span((self._total - done) / max(rate, 1e-6))} left"
            bar = f"[{'#' * full}{'.' * (24 - full)}] "
        sys.stderr.write(f"\r\x1b[Ksweeping {bar}{done}{f'/{self._total}' if self._total else ''} {rate:.0f}/s{left}")
        sys.stderr.flush()
        self._drawn = True

    def wipe(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False


def _span(seconds: float) -> str:
    whole = int(seconds + 0.5)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"
