"""`auditor test`: two-sided policy tests."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.catalog import Catalog
from auditor.cli.common import known_rules
from auditor.errors import ExitCode


@click.command("test")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def test_command(paths: tuple[Path, ...]) -> int:
    """Run cases (YAML files, or folders of them): every finding expected, no other."""
    from auditor.policytest import read_cases, run_case

    catalog, rules = Catalog(), known_rules()
    failed = 0
    cases = [case for path in paths for case in read_cases(path)]
    for case in cases:
        result = run_case(case, catalog, rules)
        if result.problems:
            failed += 1
            click.echo(f"{case.where}: FAILED {case.name}")
            for problem in result.problems:
                click.echo(f"  {problem}")
    click.echo(f"{len(cases) - failed} passed, {failed} failed")
    return ExitCode.FINDINGS if failed else ExitCode.OK
