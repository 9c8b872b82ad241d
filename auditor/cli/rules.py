"""`auditor regions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, read_config
from auditor.errors import ExitCode
from auditor.facts import Index
from auditor.report.escape import clean


@click.command("regions")
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
def regions_command(policy: str | None) -> int:
    """What the policy's `allow` expands to, per cloud and role, with counts; without a policy every region known."""
    from auditor.places import ROLES, expand

    catalog = Catalog()
    every = known_rules()
    config = read_config(policy, None, {}, catalog, every, as_of_date(None))
    catalog = catalog.over(config.overlay)
    index = catalog.index
    if config.places is None:
        _regions({cloud: sorted(summary.regions) for cloud, summary in sorted(index.clouds.items())}, index)
        return ExitCode.OK
    top = config.places.top
    for role in (r for r in ROLES if r in top.roles):
        click.echo(f"allow {role}: {top.describe(role)}" if len(top.roles) > 1 else f"allow: {top.describe(role)}")
        _regions(expand(top, index, role), index)
        for group in top.unconfirmed(role):
            click.echo(f"note: the members of {group} are recalled, not read in a source")
    for scope in config.places.scopes:
        click.echo(f"scope {clean(scope.name)}: {scope.allow.describe('home')}")
        _regions(expand(scope.allow, index), index)
    return ExitCode.OK


def _regions(allowed: Mapping[str, Sequence[str]], index: Index) -> None:
    """One line for each cloud, and how many there are."""
    total = 0
    for cloud, regions in allowed.items():
        if regions:
            summary = index.clouds[cloud]
            total += len(regions)
            shown = ", ".join(f"{r} ({summary.regions[r]})" for r in regions)
            click.echo(f"  {summary.title or cloud} [{cloud}] {len(regions)}: {shown}")
    clouds = sum(1 for regions in allowed.values() if regions)
    click.echo(f"  {total} regions of {clouds} clouds")
