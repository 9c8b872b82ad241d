"""Two-sided policy tests as data: a plan (or a fragment of one) and every finding it must give, no more, no less.

A case file holds cases under `cases:`. A fragment names resources, provider blocks and expressions in a short form;
`to_plan` spells it out as plan JSON, so a case goes through the same reader as a real plan.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from auditor.catalog import Catalog, data_dir
from auditor.config import load_config
from auditor.documents import Document, read_file, validate
from auditor.errors import AuditorError, PolicyError
from auditor.load.plan import load
from auditor.model import Finding, Plan, Rule, strip_keys
from auditor.pipeline import audit
from auditor.rules import select
from auditor.spelling import suggest

AS_OF: Final = "2026-11-20"
_REGISTRY: Final = "registry.terraform.io"


@dataclass(frozen=True, slots=True)
class Case:
    """One case; `base` is the folder its paths start from, `where` is file:line, `beside` whether rules lie in the folder."""

    name: str
    where: str
    base: Path
    body: Mapping[str, Any]
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """`problems` is empty where every expected finding came and no other did; `broken`: nothing could be audited."""

    case: Case
    problems: tuple[str, ...]
    rules: tuple[str, ...] = ()  # (rule, kind) pairs that the case shows, as "SOV001 fail"
    broken: bool = False


def read_cases(path: Path) -> list[Case]:
    """The cases of one file, or of every `*.yaml` below a folder. Raises PolicyError with file and line."""
    try:
        files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    except OSError as e:  # a folder that goes away meanwhile
        raise PolicyError(f"{path}: cannot be read: {e.strerror or e}") from None
    beside = {folder: _holds_rules(folder) for folder in dict.fromkeys(f.parent for f in files)}
    found: list[Case] = []
    for file in files:
        document = read_file(file)
        if isinstance(document.value, dict) and "check" in document.value:
            continue  # a rule, which the cases beside it test
        if document.value is None:
            raise PolicyError(f"{file}:1 is empty", "a file of cases begins with `cases:`, a rule with `id:`")
        validate(document, "cases")
        for i, body in enumerate(document.value["cases"]):
            merged = _merged(document, i, body)
            found.append(Case(str(body["name"]), document.where(("cases", i)), file.parent, merged, beside[file.parent]))
    return found


def _merged(document: Document, i: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """A case over the defaults of its file; what it audits is a plan or source, never both and never nothing."""
    both = {"plan", "hcl"}
    merged = {k: v for k, v in document.value.get("defaults", {}).items() if k not in both or not both & body.keys()}
    merged |= body
    if len(both & merged.keys()) != 1:
        has = "both `plan` and `hcl`" if both <= merged.keys() else "neither `plan` nor `hcl`"
        raise document.error(("cases", i), f'the case "{body["name"]}" has {has}: it audits one of them')
    try:
        date.fromisoformat(str(merged.get("as_of", AS_OF)))
    except ValueError:
        raise document.error(("cases", i, "as_of"), f'"{merged["as_of"]}" is no day of the calendar') from None
    return merged


def run_case(case: Case, catalog: Catalog, rules: Mapping[str, Rule]) -> Result:
    """Audit a case's plan and compare; an AuditorError is expected where the case says `error:`."""
    expected = list(case.body.get("expect", ()))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            findings, ran = _audit(case, catalog, rules, Path(scratch))
    except AuditorError as error:
        wanted = case.body.get("error")
        if wanted is not None and str(wanted) in str(error):
            return Result(case, ())
        reason = str(error)
        made = {f"{scratch}/source/": "", "policy.json:1 ": "its policy: ", "workload.json:1 ": "its workload: "}
        for written, said in made.items():
            reason = reason.replace(written, said)
        return Result(case, (f"could not be audited: {reason}",), broken=True)
    if "error" in case.body:
        return Result(case, (f"expected an error with {case.body['error']!r}, and it was audited",))
    problems: list[str] = []
    left = list(findings)
    for want in expected:
        hit = next((f for f in left if _matches(f, want)), None)
        if hit is None:
            problems.append(f"missing: {_text(want)}")
        else:
            left.remove(hit)
    problems += [f"unexpected: {f.rule} {f.kind} {f.level} {f.address} {f.path}: {f.message}" for f in left]
    passes = [str(r) for r in case.body.get("passes", ())]
    known = {*rules, *ran}
    named = dict.fromkeys(str(r) for r in (*(w["rule"] for w in expected), *passes))
    problems += [f'unknown rule "{r}"{suggest(r, sorted(known))}' for r in named if r not in known]
    problems += [f"{r} cannot be shown to pass: it was not run" for r in passes if r in known and r not in ran]
    found = {str(w["rule"]) for w in expected}
    problems += [f"{r} was to pass, and the case expects a finding of it" for r in passes if r in found]
    shown = tuple(dict.fromkeys(f"{w['rule']} {w.get('kind', 'fail')}" for w in expected))
    return Result(case, tuple(problems), shown + tuple(f"{r} pass" for r in passes))


def _audit(
    case: Case, catalog: Catalog, rules: Mapping[str, Rule], folder: Path
) -> tuple[Sequence[Finding], set[str]]:
    """The findings, and the ids of the rules that ran. Files of the case are written into the (empty) folder."""
    body = case.body
    as_of = date.fromisoformat(str(body.get("as_of", AS_OF)))
    plans = list(_plans(case, folder))
    given = _rebased({"version": 1, **body.get("policy", {})}, case)
    policy, workload = folder / "policy.json", None
    policy.write_text(json.dumps(given), encoding="utf-8")
    if "workload" in body:
        workload = folder / "workload.json"
        workload.write_text(json.dumps({"version": 1, **body["workload"]}), encoding="utf-8")
    config = load_config(
        str(policy), workload, {}, index=catalog.index, rules=rules, as_of=as_of.isoformat(),
        cwd=folder, policies_dir=data_dir("policies"),
    )  # fmt: skip
    names = [str(n) for n in body.get("rules", ())]
    off = {k: v.off for k, v in config.rules.items()}
    rules = {**rules, **config.own_rules}
    chosen = select(rules.values(), names, off)
    return audit(plans, config, catalog, chosen, rules, as_of).findings, {r.id for r in chosen}


def _rebased(policy: dict[str, Any], case: Case) -> dict[str, Any]:
    """A policy whose paths start from the case file; rules that lie beside it are in force."""
    base = case.base
    for key in ("rules_dirs", "waiver_files", "extends"):
        if isinstance(policy.get(key), list):  # anything else is refused when the policy is read
            named = key == "extends"
            policy[key] = [p if named and "/" not in str(p) else str((base / str(p)).resolve()) for p in policy[key]]
    if "rules_dirs" not in policy and case.beside:
        policy["rules_dirs"] = [str(base.resolve())]
    return policy


def _holds_rules(folder: Path) -> bool:
    return any(_is_rule(file) for file in [*folder.glob("*.yaml"), *folder.glob("*.yml")])


def _is_rule(file: Path) -> bool:
    value = read_file(file).value
    return isinstance(value, dict) and "check" in value and "cases" not in value


def rules_beside(paths: Sequence[Path]) -> set[str]:
    """Ids of the rules in the folders of case files."""
    files = [f for p in paths for f in (sorted(p.rglob("*.yaml")) if p.is_dir() else sorted(p.parent.glob("*.yaml")))]
    return {str(read_file(f).value["id"]) for f in files if _is_rule(f)}


def _plans(case: Case, folder: Path) -> Iterator[Plan]:
    if "hcl" in case.body:
        files = case.body["hcl"]
        for name, text in ({"main.tf": files} if isinstance(files, str) else files).items():
            file = folder / "source" / name
            if not file.resolve().is_relative_to((folder / "source").resolve()):
                raise PolicyError(f"{case.where} the file {name} would lie outside the case's folder")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        yield from load(str(folder / "source"), bytes)
        return
    plan = case.body.get("plan", {})
    if isinstance(plan, str):
        yield from load(str(case.base / plan), bytes)
        return
    (folder / "plan").mkdir()
    file = folder / "plan" / "plan.json"
    file.write_text(json.dumps(to_plan(plan)), encoding="utf-8")
    if "lock" in case.body:
        (folder / "plan" / ".terraform.lock.hcl").write_text(_lock(case.body["lock"]), encoding="utf-8")
    yield from load(str(file), bytes)


def _lock(lock: Any) -> str:
    """A lock file from its text, or from `{hashicorp/aws: 5.1.0}`."""
    if isinstance(lock, str):
        return lock
    return "".join(
        f'provider "{n if n.count("/") == 2 else f"{_REGISTRY}/{n}"}" {{\n  version = "{v}"\n}}\n' for n, v in lock.items()
    )


# --- fragments -----------------------------------------------------------------------------------


def to_plan(fragment: Mapping[str, Any]) -> dict[str, Any]:
    """Plan JSON of a fragment.

    providers: key (`aws`, `aws.us`, `module.a:aws`) -> its attributes; `source` and `version` stand beside them
    resources: address, values, unknown, sensitive, before, actions, provider, expressions, importing,
               previous_address, count (instances get [0], [1] ...); `data.` addresses are data sources
    variables: root variables and their values
    module_calls: as in plan JSON, for resources whose address has modules
    raw: merged over the plan as it stands

    In `expressions` and provider attributes a value stands for itself, `{references: [...]}` for a reference.
    """
    providers = {str(k): dict(v or {}) for k, v in fragment.get("providers", {}).items()}
    variables = fragment.get("variables", {})
    blocks: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for r in fragment.get("resources", ()):
        change, block = _resource(r, providers)
        changes += change
        if block is not None:
            blocks.append(block)
    root = {
        "resources": blocks,
        "module_calls": fragment.get("module_calls", {}),
        "variables": {k: {"default": v} for k, v in variables.items()},
    }
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": changes,
        "configuration": {"provider_config": {k: _provider(k, p) for k, p in providers.items()}, "root_module": root},
        "variables": {k: {"value": v} for k, v in variables.items()},
        **fragment.get("raw", {}),
    }


def _provider(key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    name, _, alias = key.rpartition(":")[2].partition(".")
    made: dict[str, Any] = {"name": name, "full_name": _source(key, given)}
    if alias:
        made["alias"] = alias
    if "version" in given:
        made["version_constraint"] = given["version"]
    if ":" in key:
        made["module_address"] = key.rpartition(":")[0]
    made["expressions"] = {k: _expression(v) for k, v in given.items() if k not in ("source", "version")}
    return made


def _source(key: str, given: Mapping[str, Any]) -> str:
    source = str(given.get("source", f"hashicorp/{key.rpartition(':')[2].partition('.')[0]}"))
    return source if source.count("/") == 2 else f"{_REGISTRY}/{source}"


def _expression(value: Any) -> Any:
    """A reference stays one; blocks (maps, and lists of maps) are spelled out inside; the rest is constant."""
    if isinstance(value, dict):
        return value if {"references", "constant_value"} & value.keys() else {k: _expression(v) for k, v in value.items()}
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return [_expression(v) for v in value]
    return {"constant_value": value}


def _resource(
    r: Mapping[str, Any], providers: Mapping[str, Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The planned instances of one entry, and its block where it stands in the root module."""
    address = str(r["address"])
    bare = strip_keys(address)
    steps = bare.split(".")
    while len(steps) > 3 and steps[0] == "module":
        steps = steps[2:]
    in_module = len(steps) < bare.count(".") + 1
    is_data = steps[0] == "data"
    kind, name = steps[-2], steps[-1]
    key = str(r.get("provider", kind.partition("_")[0]))
    common: dict[str, Any] = {
        "mode": "data" if is_data else "managed", "type": kind, "name": name,
        "provider_name": _source(key, providers.get(key, {})),
    }  # fmt: skip
    if in_module:
        common["module_address"] = address[: address.rindex(f".{'data.' if is_data else ''}{kind}.")]
    if "previous_address" in r:
        common["previous_address"] = r["previous_address"]
    change: dict[str, Any] = {
        "actions": r.get("actions", ["read"] if is_data else ["create"]), "before": r.get("before"),
        "after": r.get("values"), "after_unknown": r.get("unknown", {}), "after_sensitive": r.get("sensitive", {}),
    }  # fmt: skip
    if "importing" in r:
        change["importing"] = {"id": str(r["importing"])}
    if "count" in r:
        made = [{"address": f"{address}[{i}]", **common, "change": change, "index": i} for i in range(int(r["count"]))]
    else:
        made = [{"address": address, **common, "change": change} | _key_of(address)]
    if in_module:
        return made, None
    block = {**common, "address": bare, "provider_config_key": key}
    block["expressions"] = {k: _expression(v) for k, v in r.get("expressions", {}).items()}
    block["schema_version"] = 0
    return made, block


# --- comparing -----------------------------------------------------------------------------------


def _matches(found: Finding, want: Mapping[str, Any]) -> bool:
    """Each key given must be equal; `message` need only occur; `kind` is fail where it is not given."""
    for key, value in {"kind": "fail", **want}.items():
        seen = getattr(found, key)
        if key in ("message", "remediation", "cause"):
            if str(value) not in seen:
                return False
        elif key == "countries":
            if list(seen) != list(value):
                return False
        elif seen != value:
            return False
    return True


def _text(want: Mapping[str, Any]) -> str:
    return " ".join(f"{k}={v}" for k, v in want.items())


def _key_of(address: str) -> dict[str, int | str]:
    """`index` of an address that ends in an instance key."""
    found = re.search(r'\[(?:(\d+)|"([^"]*)")\]$', address)
    return {} if found is None else {"index": int(found[1]) if found[1] else found[2]}
