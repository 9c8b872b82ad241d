"""Rules of a user's own: YAML files of `rules_dirs:`, the same shape as the shipped ones, over checks that take parameters.

Everything is held to a schema when it is loaded; a mistake is a PolicyError with file and line, never a rule that does
nothing. Checks in Python come from installed packages, through the entry-point group `auditor.checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from auditor.checks.custom import CUSTOM, places_of
from auditor.documents import Document, read_file, validate
from auditor.errors import PolicyError
from auditor.facts import Index
from auditor.model import Rule
from auditor.spelling import suggest
from auditor.versions import parse_constraint
from auditor.vetting import kind_of

GROUP: Final = "auditor.checks"
_SHIPPED: Final = frozenset(("SOV", "NET", "PLC", "CAP", "LAG", "WRK", "ECO", "SEC", "RES", "META"))


def read_rules_dir(folder: Path, name: str, index: Index, as_of: str) -> list[tuple[Rule, str]]:
    """Every rule directly in a folder, and `FILE:LINE` of its id; files of cases beside them are left alone."""
    found: list[tuple[Rule, str]] = []
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        document = read_file(file, f"{name}/{file.name}")
        if isinstance(document.value, dict) and "cases" in document.value:
            continue
        found.append((read_rule(document, index, as_of), document.where(("id",))))
    return found


def read_rule(document: Document, index: Index, as_of: str) -> Rule:
    """One rule. Raises PolicyError with file and line."""
    if document.value is None:
        raise PolicyError(f"{document.name}:1 is empty")
    validate(document, "rule")
    v: Mapping[str, Any] = document.value
    set_ = v["id"].rstrip("0123456789")
    if set_ in _SHIPPED:
        raise document.error(("id",), f'the set "{set_}" is a shipped one', "begin the id with letters of your own")
    check = v["check"]
    if check not in CUSTOM and check not in python_checks():
        known = [*CUSTOM, *python_checks()]
        near = suggest(check, known) or f"; known: {', '.join(known)}"
        raise document.error(("check",), f'no check "{check}" for rules of your own{near}')
    if check in CUSTOM:
        _vet_params(document, check, index, as_of)
    return Rule(
        id=v["id"], title=v["title"].rstrip("."), why=v["why"].strip(), remediation=v["remediation"].strip(), level=v["level"],
        check=check, set=set_, ring=v.get("ring", 1), params=v.get("params", {}), aliases=tuple(v.get("aliases", ())),
        sources=tuple(v.get("sources", ())), bad=v.get("bad", ""), good=v.get("good", ""),
        security_severity=v.get("security_severity", ""), precision=v.get("precision", "high"),
        job_shift=v.get("job_shift", True), open_level=v.get("open_level"), waiver_max_days=v.get("waiver_max_days"),
        off=v.get("off", False),
    )  # fmt: skip


def _vet_params(document: Document, check: str, index: Index, as_of: str) -> None:
    params = document.value.get("params", {})
    inner: dict[tuple[str | int, ...], int] = {
        (check, *key[1:]): line for key, line in document.lines.items() if key[:1] == ("params",)
    }
    inner[(check,)] = document.line(("params",))
    validate(Document(document.name, {check: params}, inner), "checks")
    if check in ("region", "replica"):
        if not {"allow", "deny"} & params.keys():
            raise document.error(("params",), "the rule needs params.allow or params.deny")
        try:
            places_of(params, index, as_of)
        except PolicyError as error:
            raise PolicyError(f"{document.where(('params',))} params: {error.message}", error.hint) from None
    elif check == "instance_type" and not {"allow", "deny"} & params.keys():
        raise document.error(("params",), "the rule needs params.allow or params.deny")
    elif check == "provider_version" and parse_constraint(params["constraint"]) is None:
        raise document.error(("params", "constraint"), f'"{params["constraint"]}" is no version constraint')
    elif check == "job" and not params.keys() - {"role"}:
        raise document.error(("params",), "the rule limits nothing: give max_gpus, accelerators, fabrics ...")
    elif check == "attribute":
        _vet_operand(document, params)


_WANTS: Final = {
    "in": "a list", "not_in": "a list", "matches": "text", "not_matches": "text", "at_least": "a number", "at_most": "a number",
}  # fmt: skip


def _vet_operand(document: Document, params: Mapping[str, Any]) -> None:
    op, given = params["op"], "value" in params
    here = ("params", "value") if given else ("params", "op")
    if op in ("exists", "absent"):
        if given:
            raise document.error(here, f'"{op}" takes no value')
        return
    wanted = _WANTS.get(op, "")
    seen = kind_of(params.get("value"))
    if not given or (wanted and seen != wanted) or (not wanted and seen == "a list"):
        raise document.error(here, f'"{op}" takes {wanted or "one value"}, got {seen or "nothing"}')


def python_checks() -> tuple[str, ...]:
    """Names of the checks that installed packages bring."""
    from importlib.metadata import entry_points

    return tuple(sorted(e.name for e in entry_points(group=GROUP)))


def join(rules: Mapping[str, Rule], own: Iterable[tuple[Rule, str]]) -> dict[str, Rule]:
    """Known rules and a user's own, by id. own: (rule, `FILE:LINE`). Raises PolicyError where a name means two rules."""
    made = dict(rules)
    names = {n: "a shipped rule" for r in rules.values() for n in (r.id, *r.aliases)}
    for rule, where in own:
        for name in (rule.id, *rule.aliases):
            if name in names:
                raise PolicyError(f"{where} the name {name} is taken: {names[name]} has it")
            names[name] = where
        made[rule.id] = rule
    return made
