"""What the shell offers after Tab, asked only by the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def formats(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of formats."""
    from auditor.report import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Whatever the shell knows of files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def policies(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Shipped policies by name, and files."""
    from click.shell_completion import CompletionItem

    from auditor.catalog import data_dir

    names = sorted(p.stem for p in data_dir("policies").glob("*.yaml"))
    return [CompletionItem(n) for n in names if n.startswith(incomplete)] + files(ctx, param, incomplete)


def rules(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of shipped rules."""
    from auditor.cli.common import known_rules

    return [rule for rule in sorted(known_rules()) if rule.startswith(incomplete.upper())]


def rule_list(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Ids and sets, after a comma the next one."""
    from auditor.cli.common import known_rules

    before, comma, last = incomplete.rpartition(",")
    every = known_rules().values()
    names = sorted({"".join(c for c in r.id if not c.isdigit()) for r in every}) + sorted(r.id for r in every)
    return [f"{before}{comma}{name}" for name in names if name.startswith(last.upper())]
