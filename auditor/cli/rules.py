"""`auditor rules`, `explain` and `regions`."""

from __future__ import annotations

import click

from auditor.catalog import Catalog, data_dir
from auditor.cli.common import as_of_date, known_rules, read_config
from auditor.errors import ExitCode, PolicyError
from auditor.rules import load_rules


@click.command("rules")
def rules_command() -> int:
    """Every rule with its level."""
    for rule in load_rules(data_dir("policies")):
        click.echo(f"{rule.id:8} {rule.level:8} {rule.title}")
    return ExitCode.OK


@click.command("explain")
@click.argument("name")
def explain_command(name: str) -> int:
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


@click.command("regions")
@click.option("--policy", help="A policy file, or the name of a shipped one.")
def regions_command(policy: str | None) -> int:
    """What the policy's `allow` expands to, per cloud; without a policy every region known."""
    from auditor.places import expand

    catalog = Catalog()
    every = known_rules()
    config = read_config(policy, None, {}, catalog, every, as_of_date(None))
    catalog = catalog.over(config.overlay)
    for cloud, summary in sorted(catalog.index.clouds.items()):
        allowed = expand(config.places.top, catalog.index).get(cloud, []) if config.places else sorted(summary.regions)
        if allowed:
            shown = ", ".join(f"{r} ({summary.regions[r]})" for r in allowed)
            click.echo(f"{summary.title or cloud} [{cloud}] {len(allowed)}: {shown}")
    return ExitCode.OK
