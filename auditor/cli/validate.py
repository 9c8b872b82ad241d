"""`auditor validate` and `auditor schema`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from auditor.catalog import Catalog, data_dir
from auditor.checks.custom import CUSTOM
from auditor.cli.common import as_of_date, known_rules, read_config, rules_with_own
from auditor.documents import Document, load_schema, read_file, schema_names, validate
from auditor.errors import AuditorError, ExitCode, PolicyError
from auditor.spelling import suggest

# Documents that people write; a report is the tool's own.
_WRITTEN = ("policy", "workload", "waivers", "rule", "cases")


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(_WRITTEN), help="What the files are; told from their keys where absent.")
@click.option("--as-of", help="The date to validate for (default: today): some waivers may not end too far ahead.")
def validate_command(files: tuple[Path, ...], kind: str | None, as_of: str | None) -> int:
    """Check policies, workload manifests, waiver files, rules and cases without auditing anything."""
    worst = ExitCode.OK
    for file in files:
        try:
            found = _validate(file, kind, as_of)
        except AuditorError as error:
            click.echo(str(error), err=True)
            worst = ExitCode.CANNOT_AUDIT
        else:
            click.echo(f"{file}: valid {found}")
            for note in _doubts(read_file(file), found):
                click.echo(f"note: {note}", err=True)
    return worst


def _doubts(document: Document, kind: str) -> Iterator[str]:
    """Resource types that a scope or rule names and no catalogue knows: a typo would match nothing, and say nothing."""
    named: list[tuple[tuple[str | int, ...], str]] = []
    value = document.value
    if kind == "rule":
        match = value.get("params", {}).get("match")
        types = match.get("type", ()) if isinstance(match, dict) and value["check"] in CUSTOM else ()
        named = [(("params", "match", "type", i), t) for i, t in enumerate(types)]
    elif kind == "policy":
        for key in ("scopes", "+scopes"):
            for n, scope in enumerate(value.get(key, ())):
                named += [((key, n, "match", "type", i), t) for i, t in enumerate(scope["match"].get("type", ()))]
    catalog = Catalog()
    sources = {p.short: (source, p.cloud) for source, p in catalog.index.providers.items() if p.short}
    for path, name in named:
        source, cloud = sources.get(name.partition("_")[0], ("", ""))
        shard = catalog.shard(source) if source and not {"*", "?"} & set(name) else None
        tables = catalog.cloud(cloud) if shard is not None else None
        known = tables.types if tables is not None else {}
        if shard is None or name in known or shard.first("resource", name) or shard.without_first("resource", name):
            continue
        yield f'{document.where(path)} no resource type "{name}" in the catalogue of {source}{suggest(name, known)}'


def _validate(file: Path, kind: str | None, as_of: str | None) -> str:
    """The kind that a file is valid as. Raises AuditorError with file and line."""
    from auditor.config import read_waiver_file
    from auditor.policytest import read_cases

    when = as_of_date(as_of)
    catalog, rules = Catalog(), known_rules()
    document = read_file(file)
    kind = kind or kind_of(document.value, file)
    if kind == "policy":
        read_config(os.path.realpath(file), None, {}, catalog, rules, when)
    elif kind == "waivers":
        own = rules
        with contextlib.suppress(PolicyError):  # a policy above that is damaged says so itself, where it is validated
            own = rules_with_own(None, file.resolve().parent, when)
        read_waiver_file(file, str(file), own, when.isoformat())
    elif kind == "cases":
        read_cases(file)
    elif kind == "workload":
        from auditor.config import read_workload

        read_workload(file, str(file))
    elif file.resolve().is_relative_to(data_dir("policies").resolve()):
        validate(document, kind)
    else:
        from auditor.ownrules import read_rule

        read_rule(document, catalog.index, when.isoformat())
    return kind


def kind_of(value: Any, file: Path) -> str:
    """The kind whose keys the document has most of; by file name where that does not decide."""
    keys = set(value) if isinstance(value, dict) else set()
    if "cases" in keys:
        return "cases"
    if "check" in keys or {"id", "title"} <= keys:
        return "rule"
    if "waivers" in keys and keys <= {"version", "waivers"}:
        return "waivers"
    scores = {kind: len(keys & set(load_schema(kind)["properties"])) for kind in ("policy", "workload")}
    if scores["policy"] == scores["workload"]:
        return "workload" if "workload" in file.name else "policy"
    return max(scores, key=lambda k: scores[k])


@click.command("schema")
@click.argument("kind", type=click.Choice(schema_names()))
def schema_command(kind: str) -> int:
    """Print a JSON Schema (draft 2020-12), for editors and other tools."""
    import json

    click.echo(json.dumps(load_schema(kind), indent=2, ensure_ascii=False))
    return ExitCode.OK
