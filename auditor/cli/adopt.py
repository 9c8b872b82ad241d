"""`auditor baseline` and `auditor waive`: adopting the tool on an estate that has findings already."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from auditor.catalog import Catalog
from auditor.cli import complete
from auditor.cli.common import as_of_date, known_rules, no_rule, read_baseline, read_config, rules_with_own
from auditor.cli.output import Target, put, spare
from auditor.errors import AuditorError, ExitCode, PolicyError
from auditor.files import read_bytes, write_text


@click.command("baseline")
@click.argument("paths", nargs=-1, required=True, shell_complete=complete.files)
@click.option("--policy", shell_complete=complete.policies, help="A policy file, or the name of a shipped one.")
@click.option("--workload", type=click.Path(path_type=Path), help="A workload manifest.")
@click.option("--rules", "wanted", help="Only these rules or sets, comma-separated.")
@click.option("--as-of", help="The date to audit for (default: today).")
@click.option("--output", type=click.Path(path_type=Path), help="Write the baseline here instead of to stdout.")
def baseline_command(
    paths: tuple[str, ...], policy: str | None, workload: Path | None, wanted: str | None, as_of: str | None,
    output: Path | None,
) -> int:  # fmt: skip
    """Write down the findings of plans (or of JSON reports), so that later runs report only what is new."""
    from auditor.baseline import dump

    when = as_of_date(as_of)
    spare([Target("json", output)], [*paths, *(f for f in (policy, workload) if f)])
    entries = [e for p in paths for e in read_baseline(p, policy, workload, wanted, when)]
    text = dump(entries, when.isoformat())
    put(text, Target("json", output))
    click.echo(f"auditor: baseline of {sum(e.count for e in entries)} findings", err=True)
    return ExitCode.OK


@click.command("waive")
@click.argument("rule")
@click.argument("address")
@click.option("--reason", required=True, help="Why the finding is accepted, and who said so.")
@click.option("--expires", required=True, help="The last day it holds, YYYY-MM-DD.")
@click.option("--owner", help="Who answers for it.")
@click.option("--path", "attribute", help="Only findings of this attribute path.")
@click.option("--fingerprint", help="Only the finding of this fingerprint.")
@click.option("--policy", help="The policy file; found upward from the working directory where absent.")
@click.option("--file", "target", type=click.Path(path_type=Path), help="Write into this waiver file or policy instead.")
@click.option("--as-of", help="The date to count from (default: today).")
def waive_command(
    rule: str, address: str, reason: str, expires: str, owner: str | None, attribute: str | None,
    fingerprint: str | None, policy: str | None, target: Path | None, as_of: str | None,
) -> int:  # fmt: skip
    """Add a waiver for RULE at ADDRESS (* any run of characters, ? one) to the policy, keeping its comments and order."""
    from auditor.config import read_waiver_file
    from auditor.documents import read_file
    from auditor.vetting import known_rule, waiver_problem
    from auditor.yamledit import add_waiver

    when = as_of_date(as_of)
    rules = rules_with_own(policy, Path.cwd(), when)
    rule_id = known_rule(rule, rules) or known_rule(rule.upper(), rules)
    if not rule_id:
        raise no_rule(rule, rules)
    _check_end(expires, when)
    if problem := waiver_problem(rules[rule_id], expires, when.isoformat()):
        raise PolicyError(problem)
    given = {"rule": rule_id, "address": address, "path": attribute, "fingerprint": fingerprint, "reason": reason,
             "owner": owner, "expires": expires}  # fmt: skip
    if not address.strip() or not reason.strip():
        raise PolicyError("a waiver needs an address and a reason")
    entry = {k: v for k, v in given.items() if v}
    file = target or _target(policy)
    there = file.exists()
    held = _read(file) if there else ""
    old = held if held.strip() else "version: 1\nwaivers: []\n"
    _refuse_double(old, file, entry)
    new = add_waiver(old, str(file), entry)
    _write(file, new)
    try:  # what was written has to be valid as a whole; else the file is put back
        value = read_file(file).value
        if set(value) <= {"version", "waivers"}:
            read_waiver_file(file, str(file), rules, when.isoformat())
        else:
            read_config(str(file.resolve()), None, {}, Catalog(), known_rules(), when)
    except AuditorError:
        if there:
            _write(file, held)
        else:
            file.unlink()
        raise
    click.echo(f"{file}: waived {rule_id} {address} until {expires}")
    return ExitCode.OK


def _refuse_double(text: str, file: Path, entry: dict[str, str]) -> None:
    """A second waiver of the same finding would leave the first one to expire loudly."""
    from auditor.documents import read_yaml

    document = read_yaml(text, str(file))
    held = document.value.get("waivers") if isinstance(document.value, dict) else None
    keys = ("rule", "address", "path", "fingerprint")
    for i, other in enumerate(held if isinstance(held, list) else ()):
        if isinstance(other, dict) and all(other.get(k) == entry.get(k) for k in keys):
            until = other.get("expires", "?")
            where = document.where(("waivers", i))
            raise PolicyError(f"{where} waives {entry['rule']} {entry['address']} already, until {until}", "change that entry")


def _check_end(expires: str, when: date) -> None:
    try:
        end = date.fromisoformat(expires)
    except ValueError:
        raise click.BadParameter(f"{expires!r} is not a date like 2027-01-31", param_hint="--expires") from None
    if end < when:
        raise click.BadParameter(f"{expires} is over", param_hint="--expires")


def _target(policy: str | None) -> Path:
    """The file that new waivers go into: the policy's first waiver file, else the policy itself."""
    from auditor.config import find_policy
    from auditor.documents import read_file

    found = Path(policy) if policy is not None else find_policy(Path.cwd())
    if found is None:
        raise PolicyError("no .auditor.yaml here or above", "`auditor init` writes one; --file names another file")
    if not found.is_file():
        raise PolicyError(f"{found}: no such file", "a shipped policy cannot be edited: extend it in a file of your own")
    value = read_file(found).value
    files = value.get("waiver_files", value.get("+waiver_files", ())) if isinstance(value, dict) else ()
    file = found.parent / files[0] if files else found
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _read(file: Path) -> str:
    try:
        return read_bytes(file).decode("utf-8-sig")
    except OSError as e:
        raise PolicyError(f"{file}: cannot be read: {e.strerror or e}") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{file}: not UTF-8", "save the file as UTF-8") from None


def _write(file: Path, text: str) -> None:
    try:
        write_text(file, text)
    except OSError as e:
        raise PolicyError(f"{file}: cannot be written: {e.strerror or e}") from None
