"""`auditor rules`, `explain` and `diff`: what a rule asks, why a finding is what it is, what changed between two reports."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, no_rule, read_config, read_plans, workload_near
from auditor.errors import ExitCode, InputError
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


def _audited(plan: str, policy: str | None) -> dict[str, Any]:
    from auditor.pipeline import audit
    from auditor.report.json_report import as_dict
    from auditor.rules import select

    catalog, every, when = Catalog(), known_rules(), as_of_date(None)
    config = read_config(policy, workload_near((plan,)), {}, catalog, every, when)
    rules = select(every.values(), (), {k: v.off for k, v in config.rules.items()})
    return as_dict(audit(read_plans((plan,)), config, catalog, rules, every, when))


def _report(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise InputError(f"{path}: cannot be read: {e.strerror or e}") from None
    except ValueError:
        raise InputError(f"{path}: not JSON", "write a report with `auditor check ... --format json=FILE`") from None
    if not isinstance(held, dict) or held.get("schema") != _REPORT:
        raise InputError(f"{path}: not a JSON report", "write one with `auditor check ... --format json=FILE`")
    return held


def _all(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [*report["findings"], *report.get("unchanged", ()), *(w["finding"] for w in report["waived"])]


def _explain_finding(name: str, report: dict[str, Any]) -> int:
    found = [f for f in _all(report) if f["fingerprint"].startswith(name)]
    if not found:
        raise InputError(f"no finding has the fingerprint {name}", "`auditor check --verbose` prints fingerprints")
    for f in found:
        click.echo(f"{clean(f['rule'])}  {f['kind']}  [{f['level']}]  {clean(f['address'])}\n\n{inert(prose(f['message']))}\n")
        for label, key in (("attribute", "path"), ("seen", "observed"), ("wanted", "expected"), ("cause", "cause")):
            if f.get(key):
                click.echo(f"  {label:10} {clean(str(f[key]))}")
        for i, step in enumerate(f["evidence"], 1):
            where = f"  ({clean(step['file'])}:{step['line']})" if step.get("file") else ""
            click.echo(f"  step {i:<5} {prose(step['what'])}{where}")
        if f["location"]:
            click.echo(f"  at         {clean(f['location']['file'])}:{f['location']['start_line']}")
        click.echo(f"\nFix: {prose(f['remediation'])}\nFingerprint: {f['fingerprint']}\n")
    for w in report["waived"]:
        if w["finding"] in found:
            end, source = clean(w["waiver"]["expires"]), clean(w["waiver"]["source"])
            click.echo(f"Waived until {end} ({source}): {prose(w['waiver']['reason'])}")
    click.echo(f"`auditor explain {clean(found[0]['rule'])}` tells what the rule asks.")
    return ExitCode.OK


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def diff_command(old: Path, new: Path) -> int:
    """What two JSON reports differ in. Exit 1 where NEW has a finding that OLD has not."""
    a, b = (Counter(_key(f) for f in _report(p)["findings"]) for p in (old, new))
    for sign, rows in (("+", b - a), ("-", a - b)):
        for (rule, kind, level, address, path, observed), count in sorted(rows.items()):
            times = f"  x{count}" if count > 1 else ""
            click.echo(f"{sign} {rule} {kind} {level} {address} {path} {observed}".rstrip() + times)
    fresh, gone, same = (sum(c.values()) for c in (b - a, a - b, a & b))
    click.echo(f"{fresh} new, {gone} gone, {same} unchanged")
    return ExitCode.FINDINGS if fresh else ExitCode.OK


def _key(f: dict[str, Any]) -> tuple[str, ...]:
    return tuple(clean(str(f[k])) for k in ("rule", "kind", "level", "address", "path", "observed"))
