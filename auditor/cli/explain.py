"""`auditor rules`, `explain` and `diff`: what a rule asks, why a finding is what it is, what changed between two reports."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, no_rule, read_config, read_plans, workload_near
from auditor.errors import ExitCode, InputError
from auditor.files import read_bytes
from auditor.model import Rule
from auditor.report.escape import clean, inert, prose

_REPORT = "auditor-report/1"


@click.command("rules")
@click.option(
    "--policy", shell_complete=complete.policies,
    help="A policy file, or the name of a shipped one: its own rules and levels too.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
def rules_command(policy: str | None, form: str) -> int:
    """Every rule with its level; with a policy also its own rules, and the levels it gives."""
    every = known_rules()
    config = read_config(policy, None, {}, Catalog(), every, as_of_date(None))
    rows = []
    for rule in sorted(every.values(), key=lambda r: r.id):
        override = config.rules.get(rule.id)
        level = "off" if (override.off if override else rule.off) else override.level if override else None
        rows.append((rule, level or rule.level))
    if form == "json":
        held = [{"id": r.id, "title": r.title, "level": level, "set": r.set, "check": r.check, "params": dict(r.params),
                 "aliases": list(r.aliases), "why": r.why, "remediation": r.remediation} for r, level in rows]  # fmt: skip
        click.echo(json.dumps(held, indent=2, ensure_ascii=False))
    elif form == "markdown":
        click.echo("| rule | level | title |\n|---|---|---|")
        for r, level in rows:
            click.echo(f"| {r.id} | {level} | {_cell(r.title)} |")
    else:
        for r, level in rows:
            click.echo(f"{r.id:8} {level:8} {clean(r.title)}")
    return ExitCode.OK


def _cell(text: str) -> str:
    return clean(text).replace("|", "\\|")


@click.command("explain")
@click.argument("name", shell_complete=complete.rules)
@click.option("--plan", help="The plan that the finding was made on; audited again with the policy.")
@click.option("--report", "report_path", type=click.Path(path_type=Path), help="A JSON report that holds the finding.")
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
def explain_command(name: str, plan: str | None, report_path: Path | None, policy: str | None) -> int:
    """What a RULE asks and with which parameters; or, of a finding's FINGERPRINT, the evidence step by step."""
    if re.fullmatch(r"[0-9a-f]{6,32}", name):
        if plan is None and report_path is None:
            raise InputError("a fingerprint is explained from a run", "add --plan plan.json or --report report.json")
        held = _report(report_path) if report_path is not None else _audited(str(plan), policy)
        return _explain_finding(name, held)
    every = known_rules()
    config = read_config(policy, None, {}, Catalog(), every, as_of_date(None))
    rule = next((r for r in every.values() if name.upper() in (r.id, *(a.upper() for a in r.aliases))), None)
    if rule is None:
        raise no_rule(name, every)
    override = config.rules.get(rule.id)
    _explain_rule(rule, dict(override.params) if override else {})
    if override is not None and (override.off or override.level):
        why = f" ({prose(override.reason)})" if override.reason else ""
        click.echo(f"\nThis policy: {'off' if override.off else override.level}{why}")
    return ExitCode.OK


def _explain_rule(rule: Rule, given: dict[str, Any]) -> None:
    click.echo(f"{rule.id}  {clean(rule.title)}  [{rule.level}]\n\n{prose(rule.why)}\n\nFix: {prose(rule.remediation)}")
    for title, text in (("Bad", rule.bad), ("Good", rule.good)):
        if text:
            click.echo(f"\n{title}:\n" + "\n".join(f"  {clean(line)}" for line in text.rstrip().splitlines()))
    if rule.params:
        click.echo("\nParameters in force:")
        for key, value in {**rule.params, **given}.items():
            click.echo(f"  {key}: {json.dumps(value, ensure_ascii=False)}{'  (policy)' if key in given else ''}")
    if rule.waiver_max_days:
        click.echo(f"\nA waiver may end at most {rule.waiver_max_days} days ahead.")
    for source in rule.sources:
        click.echo(f"\nSource: {clean(source)}")


def _audited(plan: str, policy: str | None) -> _Report:
    from auditor.pipeline import audit
    from auditor.report.json_report import as_dict
    from auditor.rules import select

    catalog, every, when = Catalog(), known_rules(), as_of_date(None)
    config = read_config(policy, workload_near((plan,)), {}, catalog, every, when)
    rules = select(every.values(), (), {k: v.off for k, v in config.rules.items()})
    return msgspec.convert(as_dict(audit(read_plans((plan,)), config, catalog, rules, every, when)), _Report)


def _report(path: Path) -> _Report:
    try:
        data = read_bytes(path)
    except OSError as e:
        raise InputError(f"{path}: cannot be read: {e.strerror or e}") from None
    hint = "write one with `auditor check ... --format json=FILE`"
    try:
        if msgspec.json.decode(data, type=_Head).schema != _REPORT:
            raise InputError(f"{path}: not a JSON report", hint)
        return msgspec.json.decode(data, type=_Report)
    except msgspec.ValidationError as e:
        raise InputError(f"{path}: not a JSON report: {e}", hint) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InputError(f"{path}: not JSON", hint) from None


class _Head(msgspec.Struct):
    schema: str = ""


class _Step(msgspec.Struct):
    what: str
    file: str | None = None
    line: int | None = None


class _Place(msgspec.Struct):
    file: str
    start_line: int


class _Finding(msgspec.Struct):
    """A finding as a JSON report holds it, as far as these commands tell it."""

    rule: str
    kind: str
    level: str
    address: str
    path: str
    observed: str
    expected: str
    message: str
    remediation: str
    fingerprint: str
    cause: str = ""
    evidence: tuple[_Step, ...] = ()
    location: _Place | None = None


class _Waiver(msgspec.Struct):
    reason: str
    expires: str
    source: str


class _Waived(msgspec.Struct):
    finding: _Finding
    waiver: _Waiver


class _Report(msgspec.Struct):
    findings: tuple[_Finding, ...]
    waived: tuple[_Waived, ...] = ()
    unchanged: tuple[_Finding, ...] = ()


def _explain_finding(name: str, report: _Report) -> int:
    every = [*report.findings, *report.unchanged, *(w.finding for w in report.waived)]
    found = [f for f in every if f.fingerprint.startswith(name)]
    if not found:
        raise InputError(f"no finding has the fingerprint {name}", "`auditor check --verbose` prints fingerprints")
    for f in found:
        click.echo(f"{clean(f.rule)}  {clean(f.kind)}  [{clean(f.level)}]  {clean(f.address)}\n\n{inert(prose(f.message))}\n")
        for label, text in (("attribute", f.path), ("seen", f.observed), ("wanted", f.expected), ("cause", f.cause)):
            if text:
                click.echo(f"  {label:10} {clean(text)}")
        for i, step in enumerate(f.evidence, 1):
            where = f"  ({clean(step.file)}:{step.line})" if step.file else ""
            click.echo(f"  step {i:<5} {prose(step.what)}{where}")
        if f.location is not None:
            click.echo(f"  at         {clean(f.location.file)}:{f.location.start_line}")
        click.echo(f"\nFix: {prose(f.remediation)}\nFingerprint: {clean(f.fingerprint)}\n")
    for w in report.waived:
        if w.finding in found:
            click.echo(f"Waived until {clean(w.waiver.expires)} ({clean(w.waiver.source)}): {prose(w.waiver.reason)}")
    click.echo(f"`auditor explain {clean(found[0].rule)}` tells what the rule asks.")
    return ExitCode.OK


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def diff_command(old: Path, new: Path) -> int:
    """What two JSON reports differ in. Exit 1 where NEW has a finding that OLD has not."""
    a, b = (Counter(_key(f) for f in _report(p).findings) for p in (old, new))
    for sign, rows in (("+", b - a), ("-", a - b)):
        for (rule, kind, level, address, path, observed), count in sorted(rows.items()):
            times = f"  x{count}" if count > 1 else ""
            click.echo(f"{sign} {rule} {kind} {level} {address} {path} {observed}".rstrip() + times)
    fresh, gone, same = (sum(c.values()) for c in (b - a, a - b, a & b))
    click.echo(f"{fresh} new, {gone} gone, {same} unchanged")
    return ExitCode.FINDINGS if fresh else ExitCode.OK


def _key(f: _Finding) -> tuple[str, ...]:
    return tuple(clean(x) for x in (f.rule, f.kind, f.level, f.address, f.path, f.observed))
