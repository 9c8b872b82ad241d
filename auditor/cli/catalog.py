"""`auditor catalog status|verify|refresh`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from auditor.catalog import Catalog, user_cache
from auditor.cli.common import as_of_date
from auditor.errors import CatalogError, ExitCode
from auditor.facts import provider_source
from auditor.report.escape import clean


@click.group("catalog")
def catalog_command() -> None:
    """How old the facts are, whether they are whole, and newer ones."""


_DIRECTORY = click.option(
    "--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder, taken as it stands."
)


@catalog_command.command("status")
@_DIRECTORY
@click.option("--as-of", help="The date to count age to (default: today).")
def status_command(catalog_dir: Path | None, as_of: str | None) -> int:
    """Every provider with its newest release, the day its facts end, and where they lie."""
    from datetime import date

    from auditor.config import DEFAULTS

    catalog, when = Catalog(catalog_dir), as_of_date(as_of)
    note, stale = DEFAULTS["lag"]["catalog_note_days"], DEFAULTS["lag"]["catalog_stale_days"]
    for source in sorted(catalog.lag_index.shards):
        shard = catalog.shard(source)
        assert shard is not None
        age = (when - date.fromisoformat(shard.as_of)).days
        told = "stale" if age > stale else "old" if age > note else "fresh"
        types = sum(len(rows) for rows in shard.support.values())
        click.echo(
            f"{source:40} {shard.newest!s:10} ends {shard.as_of}  {age:4} days  {told:5}  {types:5} types  "
            f"{catalog.origin[source]}"
        )
    click.echo(f"facts of places and sizes: {catalog.index.as_of}")
    return ExitCode.OK


@catalog_command.command("verify")
@_DIRECTORY
def verify_command(catalog_dir: Path | None) -> int:
    """Read everything and hold it to its own gates. Exit 2 where something is damaged."""
    from auditor.verify import problems

    catalog = Catalog(catalog_dir)
    found = list(problems(catalog))
    for problem in found:
        click.echo(f"auditor: {clean(problem)}", err=True)
    click.echo(f"{len(catalog.lag_index.shards)} providers, {len(catalog.index.clouds)} clouds: {len(found)} problems")
    return ExitCode.CANNOT_AUDIT if found else ExitCode.OK


@catalog_command.command("refresh")
@click.option("--provider", "providers", multiple=True, help="Only this provider (hashicorp/aws). May be repeated.")
@click.option("--registry", default="", help="Another registry that speaks the same API.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where newer shards go (default: the user's cache).")
@_DIRECTORY
@click.option("--as-of", help="The date of the facts (default: today).")
def refresh_command(
    providers: tuple[str, ...], registry: str, cache: Path | None, catalog_dir: Path | None, as_of: str | None
) -> int:
    """Get provider versions, their dates and new types from the registry. Proxies of the environment are honoured.

    What is held is never lost. Exit 0 where at least one provider could be refreshed, else 2.
    """
    from auditor.refresh import REGISTRY, Network, refresh

    target = cache or user_cache()
    catalog = Catalog(catalog_dir, cache=target)
    known = sorted(catalog.lag_index.shards)
    wanted = [catalog.lag_index.shard_of(provider_source(p)) for p in providers] or known
    if "" in wanted:
        name = clean(providers[wanted.index("")])
        raise CatalogError(f"the catalogue has no shard of {name}", "`auditor catalog status` lists them.")
    network = Network((registry or REGISTRY).rstrip("/"))
    results = []
    steps = refresh(catalog, target, wanted, network, as_of_date(as_of))
    with click.progressbar(
        steps, length=len(wanted), file=sys.stderr, label="refreshing", hidden=not sys.stderr.isatty()
    ) as bar:
        results = list(bar)
    for r in results:
        if r.problem:
            click.echo(f"auditor: {r.source}: not refreshed: {clean(r.problem)}; what is held stays", err=True)
        else:
            click.echo(f"{r.source}: " + ("unchanged" if r.unchanged else f"{r.versions} new versions, {r.types} new types"))
    return ExitCode.OK if any(not r.problem for r in results) else ExitCode.CANNOT_AUDIT
