"""`auditor query`: SQL over the store of `auditor sweep`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.streams import emit
from auditor.errors import ExitCode
from auditor.report.escape import clean

if TYPE_CHECKING:
    from auditor.sweep.query import Table


@click.command("query")
@click.argument("sql", required=False)
@click.option("--store", type=click.Path(path_type=Path), help="The folder that `auditor sweep --store` wrote.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv", "markdown"]), default="text", help="How to print it.")
@click.option("--schema", is_flag=True, help="Print the tables and their columns instead.")
def query_command(sql: str | None, store: Path | None, form: str, schema: bool) -> int:
    """Ask the store in SQL (DuckDB). It is only read: one SELECT, and no other file.

    \b
    auditor query --schema
    auditor query --store estate "SELECT team, count(*) FROM findings
      WHERE run = (SELECT run FROM latest) AND rule = 'SOV003' GROUP BY team"
    """
    if schema:
        from auditor.sweep.schema_page import page

        emit(page(), False)
        return ExitCode.OK
    if sql is None or store is None:
        raise click.UsageError("give SQL and --store DIR, or --schema")
    from auditor.sweep.query import Answerer

    answerer = Answerer(store)
    try:
        emit(_FORMATS[form](answerer.query(sql)), form != "text")
    finally:
        answerer.close()
    return ExitCode.OK


def _json(t: Table) -> str:
    import json

    return json.dumps([dict(zip(t.names, row, strict=True)) for row in t.rows], indent=1, default=str, ensure_ascii=False) + "\n"


def _csv(t: Table) -> str:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(t.names)
    writer.writerows([[_formula(_cell(v)) for v in row] for row in t.rows])
    return out.getvalue()


def _formula(text: str) -> str:
    """A cell that a spreadsheet would run is made text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and not text[1:].replace(".", "").isdecimal() else text


def _markdown(t: Table) -> str:
    from auditor.report.markdown import escape

    lines = [f"| {' | '.join(map(escape, t.names))} |", "|" + " --- |" * len(t.names)]
    lines += [f"| {' | '.join(escape(_cell(v)) for v in row)} |" for row in t.rows]
    return "\n".join(lines) + "\n"


def _text(t: Table) -> str:
    rows: list[Sequence[str]] = [[clean(n) for n in t.names], *([_cell(v) for v in row] for row in t.rows)]
    widths = [max(len(r[i]) for r in rows) for i in range(len(t.names))]
    return "".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() + "\n" for r in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_cell(v) for v in value)
    return clean(str(value))


_FORMATS = {"text": _text, "json": _json, "csv": _csv, "markdown": _markdown}
