"""`auditor lag list|show|check|stats`: the tracker, and the answer before something is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, read_config
from auditor.errors import AuditorError, CatalogError, ExitCode
from auditor.facts import provider_source
from auditor.lagfacts import Feature, Shard, Support
from auditor.lagrows import Row, row_of, rows, stats
from auditor.model import LockFile
from auditor.report.escape import clean
from auditor.spelling import suggest
from auditor.versions import Version, admits, parse_constraint, parse_version

FORMATS: Final = ("text", "json", "csv", "markdown", "html")
_KINDS: Final = ("resource", "data-source", "ephemeral", "list", "action")


@click.group("lag")
def lag_command() -> None:
    """When the cloud had it, when Terraform had it, and what lies between."""


@lag_command.command("list")
@click.option("--cloud", "clouds", multiple=True, help="Only this cloud (aws, azure, gcp, oci, ...). May be repeated.")
@click.option("--provider", help="Only this provider, such as hashicorp/aws.")
@click.option("--service", help="Only services whose name holds this.")
@click.option("--status", type=click.Choice(["supported", "open", "preview", "undated", "free", "rollup"]), help="Only these.")
@click.option("--min-days", type=int, help="At least so many days of lag.")
@click.option("--max-days", type=int, help="At most so many days of lag.")
@click.option("--sort", type=click.Choice(["id", "lag", "since", "supported"]), default="id", help="lag: longest first.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="html is one self-contained page.")
@click.option("--output", type=click.Path(path_type=Path), help="Write it here instead of to stdout.")
@click.option("--as-of", help="The date to count open lag to (default: today).")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
def list_command(
    clouds: tuple[str, ...], provider: str | None, service: str | None, status: str | None, min_days: int | None,
    max_days: int | None, sort: str, form: str, output: Path | None, as_of: str | None, catalog_dir: Path | None,
) -> int:  # fmt: skip
    """Features with both dates and the lag between them."""
    catalog, when = Catalog(catalog_dir), as_of_date(as_of)
    _known_clouds(catalog, clouds)
    found = [
        r
        for r in rows(catalog, when, clouds)
        if (provider is None or r.feature.provider == provider_source(provider))
        and (service is None or service.lower() in r.feature.service.lower())
        and (status is None or r.status == status)
        and (min_days is None or (r.days is not None and r.days >= min_days))
        and (max_days is None or (r.days is not None and r.days <= max_days))
    ]
    if sort == "lag":
        found.sort(key=lambda r: (-(r.days if r.days is not None else -1), r.feature.id))
    elif sort == "since":
        found.sort(key=lambda r: (r.start.date if r.start else "9999", r.feature.id))
    elif sort == "supported":
        found.sort(key=lambda r: (r.supported_on or "9999", r.feature.id))
    if form == "html":
        from auditor.report.lag_page import page

        _print(page(found, stats(found, when), when.isoformat(), max((r.as_of for r in found), default="")), output)
    else:
        from auditor.report.lag_table import table

        _print(table(found, form, when.isoformat()), output)
    return ExitCode.OK


@lag_command.command("stats")
@click.option("--cloud", "clouds", multiple=True, help="Only this cloud. May be repeated.")
@click.option("--format", "form", type=click.Choice(FORMATS[:4]), default="text", help="How to print it.")
@click.option("--as-of", help="The date to count open lag to (default: today).")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
def stats_command(clouds: tuple[str, ...], form: str, as_of: str | None, catalog_dir: Path | None) -> int:
    """Median, 90th percentile and the share supported within 90 days, per cloud and year."""
    from auditor.report.lag_table import stat_table

    catalog, when = Catalog(catalog_dir), as_of_date(as_of)
    _known_clouds(catalog, clouds)
    _print(stat_table(stats(rows(catalog, when, clouds), when), form, when.isoformat()), None)
    return ExitCode.OK


@lag_command.command("show")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option("--as-of", help="The date to count open lag to (default: today).")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
def show_command(name: str, form: str, as_of: str | None, catalog_dir: Path | None) -> int:
    """Everything known of one feature or resource type."""
    catalog, when = Catalog(catalog_dir), as_of_date(as_of)
    answer = _find(catalog, name, when)
    if form == "json":
        import json

        from auditor.report.lag_table import record

        made = record(answer.row) if answer.row else {"type": answer.name, "provider": answer.provider}
        _print(json.dumps(made, indent=1) + "\n", None)
    else:
        _print("\n".join(_lines(answer, when)) + "\n", None)
    return ExitCode.OK


@lag_command.command("check")
@click.argument("names", nargs=-1, required=True)
@click.option("--lock", "lock_file", type=click.Path(path_type=Path), help="A dependency lock file.")
@click.option("--constraint", "constraints", multiple=True, help='A version constraint: "~> 6.0", or "hashicorp/aws=~> 6.0".')
@click.option("--max-months", type=int, help="Calendar months a feature may lack support (default: the policy's).")
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
@click.option("--as-of", help="The date to count open lag to (default: today).")
@click.option("--catalog", "catalog_dir", type=click.Path(path_type=Path), help="Another provider_catalog folder.")
def check_command(
    names: tuple[str, ...], lock_file: Path | None, constraints: tuple[str, ...], max_months: int | None,
    policy: str | None, as_of: str | None, catalog_dir: Path | None,
) -> int:  # fmt: skip
    """Is it safe to build on? Exit 1 where a lag is over its limit or the version is too old, 2 where nobody can tell."""
    from auditor.load.lockfile import read_lock

    catalog, when = Catalog(catalog_dir), as_of_date(as_of)
    settings = read_config(policy, None, {}, catalog, known_rules(), when).lag
    limit = max_months if max_months is not None else int(settings["max_months"])
    lock = read_lock(lock_file) if lock_file is not None else None
    pinned = _constraints(constraints)
    worst = ExitCode.OK
    for name in names:
        answer = _find(catalog, name, when, limit, bool(settings["count_preview"]))
        verdict, code = _judge(answer, lock, pinned, limit, when)
        worst = max(worst, code)
        _print("\n".join([*_lines(answer, when, limit), f"  -> {verdict}"]) + "\n", None)
    return worst


# --- looking up ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found of a name: a feature's row, or a type without a feature."""

    name: str
    provider: str
    shard: Shard | None
    first: Support | None
    row: Row | None = None
    kind: str = "resource"


def _find(catalog: Catalog, name: str, when: date, limit: int = 3, count_preview: bool = False) -> _Answer:
    """Raises CatalogError, with the nearest names, where neither a feature nor a type is called so."""
    feature = next((f for f in catalog.features(name.partition(".")[0]) if f.id == name), None)
    if feature is not None:
        return _of_feature(catalog, feature, when, limit, count_preview)
    for source, info in catalog.lag_index.shards.items():
        shard = catalog.shard(source)
        kind = next((k for k in _KINDS if shard is not None and shard.first(k, name) is not None), None)
        if shard is None or kind is None:
            continue
        mine = (f for f in catalog.features(info.cloud) if name in f.types and not f.attribute and f.provider == source)
        own = next(mine, None)
        if own is not None and kind == "resource":
            return _of_feature(catalog, own, when, limit, count_preview)
        return _Answer(name, source, shard, shard.first(kind, name), kind=kind)
    known = [f.id for cloud in catalog.lag_index.features for f in catalog.features(cloud)]
    near = suggest(name, known)
    raise CatalogError(
        f"{clean(name)!r} is no feature and no type of the catalogue{near}; that is no proof that it is unsupported",
        "`auditor lag list` shows the features; `auditor catalog refresh` gets newer ones.",
    )


def _of_feature(catalog: Catalog, feature: Feature, when: date, limit: int, count_preview: bool) -> _Answer:
    row = row_of(catalog, feature, when, limit, count_preview)
    return _Answer(feature.id, feature.provider, catalog.shard(feature.provider), row.first, row)


def _constraints(given: Sequence[str]) -> list[tuple[str, str]]:
    """(provider or "" for any, constraint)."""
    made = []
    for text in given:
        head, eq, tail = text.partition("=")
        source, constraint = (head.strip(), tail) if eq and "/" in head else ("", text)
        if parse_constraint(constraint) is None:
            raise click.BadParameter(f"{constraint!r} is no version constraint", param_hint="--constraint")
        made.append((provider_source(source) if source else "", constraint))
    return made


def _judge(
    answer: _Answer, lock: LockFile | None, pinned: Sequence[tuple[str, str]], limit: int, when: date
) -> tuple[str, ExitCode]:
    row, shard, first = answer.row, answer.shard, answer.first
    if row is not None and row.status == "rollup":
        return "a whole service: ask about its features", ExitCode.CANNOT_AUDIT
    if row is not None and row.status == "free":
        return "a free string: no provider version gates it", ExitCode.OK
    if row is not None and row.open:
        if row.start is None or not row.sure:
            return "no support known, and the cloud's date is not confirmed: nobody can tell", ExitCode.CANNOT_AUDIT
        if row.over:
            return "DO NOT BUILD CORE PRODUCTION ON IT", ExitCode.FINDINGS
        return f"no support yet, inside the window of {limit} months", ExitCode.OK
    if first is None or shard is None:
        return "the catalogue holds no first version: nobody can tell", ExitCode.CANNOT_AUDIT
    return _version_verdict(answer, shard, first, lock, pinned)


def _version_verdict(
    answer: _Answer, shard: Shard, first: Support, lock: LockFile | None, pinned: Sequence[tuple[str, str]]
) -> tuple[str, ExitCode]:
    needed = first.parsed
    held = lock.providers.get(answer.provider) if lock is not None else None
    if held is not None:
        locked = parse_version(held.version)
        assert locked is not None  # the reader refuses anything else
        return _compare(f"locked {held.version}", locked, needed, first)
    if lock is not None:
        return f"the lock file does not hold {answer.provider}: nobody can tell", ExitCode.CANNOT_AUDIT
    terms = [t for source, text in pinned if source in ("", answer.provider) for t in parse_constraint(text) or ()]
    if terms:
        fitting = [v for v in shard.versions if admits(terms, v)]
        if not fitting:
            return "the constraint admits no release that the catalogue knows: nobody can tell", ExitCode.CANNOT_AUDIT
        return _compare(f"the constraint admits {fitting[0]}", fitting[0], needed, first)
    return f"supported: needs {answer.provider} >= {first.version}", ExitCode.OK


def _compare(what: str, version: Version, needed: Version, first: Support) -> tuple[str, ExitCode]:
    if version >= needed:
        return f"supported: {what}, needs >= {first.version}", ExitCode.OK
    if first.evidence == "exact":
        return f"TOO OLD: {what}, needs >= {first.version}", ExitCode.FINDINGS
    return f"{what}, and the first version is at most {first.version}: nobody can tell", ExitCode.CANNOT_AUDIT


def _lines(answer: _Answer, when: date, limit: int = 3) -> list[str]:
    row, shard, first = answer.row, answer.shard, answer.first
    doubt = {"exact": "", "at_most": " or earlier", "approximate": " (about)"}[first.evidence] if first else ""
    day = shard.date_of(first.parsed) if shard is not None and first is not None else ""
    support = f"{answer.provider} {first.version}{doubt} {day}" if first else f"{answer.provider}: none"
    ends = shard.as_of if shard is not None else "no date"
    if row is None:
        source = first.source if first else ""
        return [
            f"{answer.name} ({answer.kind})   {support}",
            f"  sources: {source}; the catalogue of {answer.provider} ends {ends}",
        ]
    start = f"{row.kind} {row.start.date}" if row.start else "no date of the cloud"
    word = "open for" if row.open else "lag"
    lines = [
        f"{answer.name}   {start}   {support}   {f'{word} {row.lag}' if row.lag else 'lag unknown'}   limit {limit} months",
        f"  {row.feature.title or 'no title'}{': ' + ', '.join(row.feature.types) if row.feature.types else ''}"
        f"{'.' + row.feature.attribute if row.feature.attribute else ''}",
    ]
    if row.open and row.feature.workarounds:
        lines.append(f"  available today through: {', '.join(row.feature.workarounds)}")
    sources = [f"{row.kind}: {row.start.source}" if row.start else "", f"support: {first.source}" if first else ""]
    told = "; ".join(s for s in sources if s) or "none"
    lines.append(f"  sources: {told}; confidence {row.feature.confidence}; the catalogue of {answer.provider} ends {ends}")
    return lines


def _known_clouds(catalog: Catalog, clouds: Sequence[str]) -> None:
    for cloud in clouds:
        if cloud not in catalog.lag_index.features:
            known = ", ".join(sorted(catalog.lag_index.features))
            raise click.BadParameter(f"{cloud!r} is not one of {known}", param_hint="--cloud")


def _print(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as e:
        raise AuditorError(f"{output}: cannot be written: {e.strerror or e}") from e
