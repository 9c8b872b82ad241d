"""`auditor test`: two-sided policy tests."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.catalog import Catalog, data_dir
from auditor.cli.common import known_rules
from auditor.errors import ExitCode, InputError
from auditor.layers import display


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def test_command(paths: tuple[Path, ...]) -> int:
    """Run cases (YAML files, or folders of them): every finding expected, no other.

    Without PATHS those in the policy's rules_dirs, else in auditor-rules.
    """
    from auditor.policytest import read_cases, rules_beside, run_case

    paths = paths or _folders() or (Path("auditor-rules"),)
    if missing := [p for p in paths if not p.exists()]:
        raise InputError(f"{missing[0]}: no such file or folder", "give the folder of the rules and their cases")
    catalog, rules = Catalog(), known_rules()
    shown: set[str] = set()
    failed = 0
    worst = ExitCode.OK
    cases = [case for path in paths for case in read_cases(path)]
    for case in cases:
        result = run_case(case, catalog, rules)
        shown |= set(result.rules)
        if result.problems:
            failed += 1
            worst = max(worst, ExitCode.CANNOT_AUDIT if result.broken else ExitCode.FINDINGS)
            click.echo(f"{case.where}: FAILED {case.name}")
            for problem in result.problems:
                click.echo(f"  {problem}")
    if not cases:
        shown_paths = ", ".join(map(str, paths))
        raise InputError(
            f"no cases in {shown_paths}: a test of nothing would pass anything",
            "a file of cases begins with `cases:`; `auditor schema cases` says what a case holds",
        )
    for rule in sorted(rules_beside(paths)):
        for kind, does in (("fail", "fails"), ("pass", "passes")):
            if f"{rule} {kind}" not in shown:
                click.echo(f"{rule} has no case that {does}", err=True)
    click.echo(f"{len(cases) - failed} passed, {failed} failed")
    return worst


def _folders() -> tuple[Path, ...]:
    from auditor.config import rules_folders

    cwd = Path.cwd()
    return tuple(Path(display(f.resolve(), cwd)) for f in rules_folders(cwd, data_dir("policies")))
