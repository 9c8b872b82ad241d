"""What a schema cannot say about one document: places, dates, rules, waivers, assumptions that exist.

Each problem is a PolicyError with file and line. The answers are documents ready to be merged.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.documents import Document
from auditor.facts import Index
from auditor.identity import UNWAIVABLE, Waiver
from auditor.model import Rule
from auditor.places import item_problem
from auditor.spelling import suggest

Path = tuple[str | int, ...]
_DATE_KEYS: Final = ("as_of", "reviewed_on", "measured_on", "expires", "date")
_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true or false"), ((int, float), "a number"), (str, "text"), (list, "a list"), (dict, "a mapping"),
)  # fmt: skip


def vet_policy(document: Document, index: Index, rules: Mapping[str, Rule], as_of: str) -> Document:
    """The policy with rule names made canonical and its waivers read."""
    value = dict(document.value)
    for path, item in _place_items(value):
        if problem := item_problem(item, index):
            raise document.error(path, problem)
        if path[0] == "operators" and ":" in str(item):
            raise document.error(path, f'operators.allow takes groups and countries, not "{item}"')
    vet_dates(document)
    _vet_assumptions(document, index)
    _vet_classes(document, index)
    for key in ("scopes", "+scopes"):
        _vet_names(document, (key,), "scopes")
    vet_jobs(document, ("workload",))
    if "rules" in value:
        value["rules"] = _canonical_rules(document, rules)
    for key in ("waivers", "+waivers"):
        if key in value:
            value[key] = list(read_waivers(document, (key,), rules, as_of))
    return Document(document.name, value, document.lines)


def _place_items(value: Mapping[str, Any]) -> Iterator[tuple[Path, object]]:
    """Every item of every place list, with its path."""
    lists: list[tuple[Path, Any]] = [((k,), value.get(k, [])) for k in ("allow", "+allow", "deny", "+deny")]
    lists += [(("operators", k), value.get("operators", {}).get(k, [])) for k in ("allow", "+allow")]
    for key in ("scopes", "+scopes"):
        lists += [((key, i, "allow"), scope["allow"]) for i, scope in enumerate(value.get(key, []))]
    for path, found in lists:
        roles = (
            [((*path, role), items) for role, items in found.items()] if isinstance(found, dict) else [(path, found)]
        )
        for where, items in roles:
            yield from (((*where, i), item) for i, item in enumerate(items))


def vet_dates(document: Document) -> None:
    """The schema knows the shape of a date, not the calendar (2027-02-30)."""

    def visit(value: Any, path: Path) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in entries:
            if key in _DATE_KEYS and isinstance(item, str):
                try:
                    datetime.date.fromisoformat(item)
                except ValueError:
                    raise document.error((*path, key), f'"{item}" is no day of the calendar') from None
            visit(item, (*path, key))

    visit({k: v for k, v in document.value.items() if k not in ("rules", "catalog")}, ())


def vet_jobs(document: Document, manifest: Path) -> None:
    """Two declared jobs of one name would be one in every report. manifest: where it stands in the document."""
    value = document.value
    for step in manifest:
        value = value.get(step, {})
    if isinstance(value, dict) and "jobs" in value:
        _vet_names(document, (*manifest, "jobs"), "jobs")


def _vet_names(document: Document, path: Path, what: str) -> None:
    entries = document.value
    for step in path:
        entries = entries.get(step, ())
    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        name = entry.get("name", "")
        if name and name in first:
            raise document.error((*path, i), f'two {what} have the name "{name}"; the first is on line {first[name]}')
        first[name] = document.line((*path, i))


def _vet_assumptions(document: Document, index: Index) -> None:
    """`assume` speaks of `<provider>.region`, `<cloud>.region` or `<resource type>.region`: a typo would say nothing."""
    for name, value in document.value.get("assume", {}).items():
        if problem := assumption_problem(name, value, index):
            raise document.error(("assume", name), problem)


def assumption_problem(name: str, value: str, index: Index) -> str:
    """What is wrong with one assumption; empty when nothing is."""
    owner, dot, what = name.rpartition(".")
    if not dot or what != "region":
        near = suggest(what, ["region"], prefix=f"{owner}.") if dot else ""
        return f'"{name}" assumes nothing{near or "; an assumption is named PROVIDER.region, such as aws.region"}'
    shorts = {p.short: p.cloud for p in index.providers.values() if p.short}
    clouds = {*shorts, *index.clouds}
    if owner not in clouds:
        return "" if "_" in owner else f'unknown provider "{owner}"{suggest(owner, clouds, suffix=".region")}'
    summary = index.clouds.get(shorts.get(owner, owner)) or index.clouds.get(owner)
    regions = summary.regions if summary is not None else {}
    folded = value.casefold().replace(" ", "")
    if regions and not any(folded.startswith(r.casefold()) for r in regions):
        near = suggest(value, regions)
        return f'"{value}" is no region of {owner}{near}' if near else ""
    return ""


def _vet_classes(document: Document, index: Index) -> None:
    """A class that no type has would leave a scope without effect."""
    for key in ("scopes", "+scopes"):
        for i, scope in enumerate(document.value.get(key, [])):
            for j, name in enumerate(scope["match"].get("class", ())):
                if index.classes and name not in index.classes and "*" not in name and "?" not in name:
                    near = suggest(name, index.classes) or f"; known: {', '.join(index.classes)}"
                    raise document.error((key, i, "match", "class", j), f'unknown class "{name}"{near}')


# --- rules and waivers ---------------------------------------------------------------------------


def known_rule(name: str, rules: Mapping[str, Rule]) -> str:
    """The id of a rule, by id or alias; "" where there is none."""
    if name in rules:
        return name
    return next((r.id for r in rules.values() if name in r.aliases), "")


def _names(rules: Mapping[str, Rule]) -> list[str]:
    return [*rules, *(a for r in rules.values() for a in r.aliases)]


def _canonical_rules(document: Document, rules: Mapping[str, Rule]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    first: dict[str, str] = {}
    for name, entry in document.value["rules"].items():
        path = ("rules", name)
        rule_id = known_rule(name, rules)
        if not rule_id:
            near = suggest(name, _names(rules))
            raise document.error(path, f'unknown rule "{name}"{near}', "`auditor rules` lists them")
        if rule_id in made:
            raise document.error(path, f'"{name}" and "{first[rule_id]}" are the same rule, {rule_id}')
        first[rule_id] = name
        _vet_params(document, path, rules[rule_id], entry.get("params", {}))
        if rule_id.startswith("META") and entry.get("level") in ("off", False):
            raise document.error((*path, "level"), f"{rule_id} cannot be switched off")
        made[rule_id] = entry
    return made


def _vet_params(document: Document, path: Path, rule: Rule, params: Mapping[str, Any]) -> None:
    """A parameter is known to the rule and of the kind that its default has."""
    for name, value in params.items():
        here = (*path, "params", name)
        if name not in rule.params:
            allowed = suggest(name, rule.params) or f"; it takes: {', '.join(rule.params) or 'none'}"
            raise document.error(here, f'{rule.id} has no parameter "{name}"{allowed}')
        wanted, seen = kind_of(rule.params[name]), kind_of(value)
        if wanted and seen != wanted:
            raise document.error(here, f"expected {wanted} for {rule.id}.{name}, got {seen or 'nothing'}")


def kind_of(value: Any) -> str:
    """`a number`, `text`, ...; "" for nothing."""
    return next((name for types, name in _KINDS if isinstance(value, types)), "")


def read_waivers(document: Document, path: Path, rules: Mapping[str, Rule], as_of: str) -> Iterator[Waiver]:
    """The waivers of a list. as_of: ISO date, from which the longest time a rule allows is counted."""
    for i, entry in enumerate(document.value[path[0]]):
        here = (*path, i)
        rule_id = known_rule(entry["rule"], rules)
        if not rule_id:
            near = suggest(entry["rule"], _names(rules))
            raise document.error((*here, "rule"), f'unknown rule "{entry["rule"]}"{near}', "`auditor rules` lists them")
        if problem := waiver_problem(rules[rule_id], entry["expires"], as_of):
            raise document.error((*here, "rule" if "cannot" in problem else "expires"), problem)
        yield Waiver(**{**entry, "rule": rule_id}, file=document.name, line=document.line(here))


def waiver_problem(rule: Rule, expires: str, as_of: str) -> str:
    """Why a rule takes no waiver that ends on that day; empty when it does."""
    if rule.id.startswith(UNWAIVABLE):
        return f"{rule.id} cannot be waived"
    if rule.waiver_max_days is None:
        return ""
    last = datetime.date.fromisoformat(as_of) + datetime.timedelta(days=rule.waiver_max_days)
    if datetime.date.fromisoformat(expires) <= last:
        return ""
    return f"a waiver of {rule.id} may end {rule.waiver_max_days} days ahead at most: {last} or earlier, not {expires}"
