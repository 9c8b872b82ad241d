"""What the calculators share: exact numbers as options, inputs with their source, the page they print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.economics import UNITS, plain

if TYPE_CHECKING:
    from auditor.economics import Price
    from auditor.workload import Declared


def number(value: Any, least: str = "0") -> Decimal:
    """A number, kept as it is written; at least `least`."""
    try:
        made = Decimal(str(value).replace("_", "").replace(",", ""))
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not a number") from None
    if not made.is_finite() or made < Decimal(least):
        raise click.BadParameter(f"{value!r} is not a number >= {least}")
    return made


def at_least_one(value: Any) -> Decimal:
    return number(value, "1")


form_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
check_option = click.option("--check", "checked", is_flag=True, help="Exit 1 where the limit is passed.")
from_option = click.option("--from", "plan", help="A plan that fills what it tells: clouds, regions, nodes, types.")
workload_option = click.option(
    "--workload", type=click.Path(path_type=Path), help="A manifest that fills what is not given (default: beside the plan)."
)


class Page:
    """Lines and data of one calculation, printed at the end."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.lines: list[str] = []
        self.data: dict[str, Any] = {"calculation": title}
        self.filled: list[str] = []

    def line(self, text: str, **data: Any) -> None:
        self.lines.append(text)
        self.data.update({k: _plain(v) for k, v in data.items()})

    def fill(self, what: str, source: str) -> None:
        """Say that an input was not given but found."""
        self.filled.append(f"{what} (from {source})")

    def show(self, form: str) -> None:
        if form == "json":
            click.echo(json.dumps({**self.data, "filled": self.filled, "units": UNITS}, indent=2, ensure_ascii=False))
            return
        for text in [*(f"filled: {f}" for f in self.filled), *self.lines, f"units: {UNITS}"]:
            click.echo(text)


def _plain(value: Any) -> Any:
    """JSON has no exact decimals: numbers of money and quantity are text."""
    return str(value) if isinstance(value, Decimal) else value


class Inputs:
    """What was given on the command line, else declared in the manifest, else told by the plan; says which."""

    def __init__(self, page: Page, plan: str | None, workload: Path | None) -> None:
        self.page = page
        self.plan = plan
        self.declared: Declared | None = None
        self.jobs: Sequence[Any] = ()
        self.home: Any = None
        self.same_place = False
        self.prices: tuple[Price, Price] | None = None  # of the policy: out of the hub, out of the spoke
        if plan is not None or workload is not None:
            self._read(plan, workload)

    def _read(self, plan: str | None, workload: Path | None) -> None:
        from auditor.catalog import Catalog
        from auditor.cli.common import as_of_date, known_rules, read_config, read_plans, workload_near
        from auditor.economic_facts import prices
        from auditor.pipeline import economics_of
        from auditor.workload import Declared

        catalog, every, when = Catalog(), known_rules(), as_of_date(None)
        near = workload or (workload_near((plan,)) if plan is not None else None)
        config = read_config(None, near, {}, catalog, every, when)
        self.prices = prices(config)
        if config.workload is not None:
            self.declared = Declared(config.workload)
            self.source = near.name if near is not None else config.policy
        if plan is None:
            return
        from auditor.checks.economics import same_place

        for one in read_plans((plan,)):
            context = economics_of(one, config, catalog, when)
            self.jobs = [*self.jobs, *context.accelerated]
            if context.compute:
                self.page.fill(f"compute on {', '.join(sorted(context.compute))}", plan)
            self.same_place = same_place(context)
        for job in self.jobs:
            nodes = job.nodes_max if job.nodes_max is not None else "an unknown number of"
            where = ", ".join(job.regions) or "an unknown region"
            self.page.fill(f"{job.name}: {nodes} x {', '.join(job.instance_types) or 'unknown type'} in {where}", plan)

    def number(self, given: Decimal | None, path: str) -> Decimal | None:
        if given is not None or self.declared is None:
            return given
        found = self.declared.number(path)
        if found is not None:
            self.page.fill(f"{path} = {plain(found)}", self.source)
        return found

    def needed(self, given: Decimal | None, path: str, option: str) -> Decimal:
        found = self.number(given, path)
        if found is None:
            raise click.UsageError(f"missing {option} (or workload.{path})")
        return found
