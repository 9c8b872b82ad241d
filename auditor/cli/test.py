"""`auditor test`: two-sided policy tests."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.catalog import Catalog
from auditor.cli.common import known_rules
from auditor.errors import ExitCode, InputError


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def test_command(paths: tuple[Path, ...]) -> int:
    """Run cases (YAML files, or folders of them): every finding expected, no other."""
    from auditor.policytest import read_cases, rules_beside, run_case

    paths = paths or (Path("auditor-rules"),)
    if missing := [p for p in paths if not p.exists()]:
        raise InputError(f"{missing[0]}: no such file or folder", "give the folder of the rules and their cases")
    catalog, rules = Catalog(), known_rules()
    shown: set[str] = set()
    failed = 0
    cases = [case for path in paths for case in read_cases(path)]
    for case in cases:
        result = run_case(case, catalog, rules)
        shown |= set(result.rules)
        if result.problems:
            failed += 1
            click.echo(f"{case.where}: FAILED {case.name}")
            for problem in result.problems:
                click.echo(f"  {problem}")
    if not cases:
        raise InputError("no cases were found: a test of nothing would pass anything", "see docs/write-a-rule.md")
    for rule in sorted(rules_beside(paths)):
        for kind, does in (("fail", "fails"), ("pass", "passes")):
            if f"{rule} {kind}" not in shown:
                click.echo(f"{rule} has no case that {does}", err=True)
    click.echo(f"{len(cases) - failed} passed, {failed} failed")
    return ExitCode.FINDINGS if failed else ExitCode.OK
