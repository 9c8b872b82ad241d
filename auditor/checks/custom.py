"""Checks for rules that users write as data: one closed kind of question each, parameters instead of code.

`match` says which resources a rule speaks of (types, addresses, providers; keys ANDed, items ORed, `*` and `?` as in
waivers). Data sources and what is deleted or forgotten are not judged. A value that is unknown makes the verdict open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from auditor.checks.context import AuditContext
from auditor.facts import Index, provider_source
from auditor.identity import compile_pattern, covers
from auditor.model import UNKNOWN, Action, Evidence, Job, Location, Outcome, Resource, Rule, Unknown, block_address
from auditor.places import AllowList, compile_allow
from auditor.stated import stated_place
from auditor.values import decode_after, projection_of
from auditor.versions import admits, parse_constraint, parse_version

_WITHHELD: Final = "(sensitive)"
_GONE: Final = (Action.DELETE, Action.FORGET)
# Attributes that hold an instance type, over all clouds; `path` of a rule names another.
_TYPE_PATHS: Final = ("instance_type", "instance_types", "machine_type", "vm_size", "size", "shape", "type", "node_type")
_TAGS: Final = ("tags", "tags_all", "labels", "effective_labels", "freeform_tags")


def region(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """Homes (or the roles named) stand in `allow` and not in `deny`."""
    yield from _places(context, rules, ("home", "processing"), "stands")


def replica(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """Copies (replica, backup, logs, cache, or the roles named) stay in `allow` and out of `deny`."""
    yield from _places(context, rules, ("replica", "backup", "logs", "cache"), "has a copy")


def _places(context: AuditContext, rules: Mapping[str, Rule], roles: Sequence[str], verb: str) -> Iterator[Outcome]:
    for rule in rules.values():
        wanted, asked = rule.params.get("roles", roles), _Match(rule)
        allow = places_of(rule.params, context.index, context.as_of)
        for subject in context.subjects:
            if subject.drift or not asked.covers(subject.resource):
                continue
            if subject.unknown_type and "home" in wanted:
                yield _unknown_type(rule, subject.resource, allow.describe("home"))
            for location in subject.locations:
                if location.role in wanted and (kind := _judge(location, allow)) != "pass":
                    yield _place_outcome(rule, subject.resource, location, kind, allow.describe(location.role), verb)


def places_of(params: Mapping[str, Any], index: Index, as_of: str) -> AllowList:
    """The place list of a rule: without `allow` every place that `deny` leaves. Raises PolicyError on an unknown item."""
    everywhere = sorted({c for s in index.clouds.values() for c in s.countries})
    return compile_allow(params.get("allow", everywhere), params.get("deny", ()), index, as_of)


def _judge(location: Location, allow: AllowList) -> str:
    """pass | fail | open, by the arithmetic of the shipped rules: an unconfirmed fact never decides a fail."""
    inside = [allow.permits(location.role, p) for p in location.places]
    if inside and all(inside) and location.complete:
        return "pass"
    if location.candidates:
        sure = location.complete and not location.unconfirmed and all(p.confirmed for p in location.places)
        return "fail" if inside and not any(inside) and sure else "open"
    outside = any(not ok and p.confirmed for ok, p in zip(inside, location.places, strict=True))
    return "fail" if outside and not location.unconfirmed else "open"


def _place_outcome(rule: Rule, r: Resource, location: Location, kind: str, allowed: str, verb: str) -> Outcome:
    where = ", ".join(dict.fromkeys(f"{p.region} ({p.country})" for p in location.places)) or "an unknown place"
    where = _WITHHELD if location.sensitive else where
    if kind == "fail":
        message = f"{r.address} {verb} in {where}. {rule.title}. Allowed: {allowed}."
    else:
        message = f"{r.address}: {location.path} cannot be decided ({location.cause or location.unconfirmed or where})."
    return Outcome(
        rule.id, "fail" if kind == "fail" else "open", r.address, location.path,
        _WITHHELD if location.sensitive else location.value or where, allowed, message, rule.remediation,
        () if location.sensitive else location.countries, location.role,
        cause="" if kind == "fail" else location.cause or location.unconfirmed or "places partly known",
        evidence=location.evidence, block=block_address(r), sensitive=location.sensitive,
    )  # fmt: skip


def _unknown_type(rule: Rule, r: Resource, allowed: str) -> Outcome:
    """A note, as of the shipped rules: types without a place are many, and few of them hold anything."""
    found = stated_place(r)
    says = "the resource states no location" if found is None else f"its {found.path} cannot be read"
    return Outcome(
        rule.id, "open", r.address, "", r.type, allowed,
        f"{r.address}: the catalogue holds no location row for {r.type}, and {says}.",
        "Add a row for the type to the policy's catalog.resource_types.", cause=f"no location row for {r.type}",
        level="note", block=block_address(r),
    )  # fmt: skip


# --- attributes -----------------------------------------------------------------------------------


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _at(value: Any, limit: Any, holds: Callable[[float, float], bool]) -> bool:
    a, b = _number(value), _number(limit)
    return a is not None and b is not None and holds(a, b)


def _same(value: Any, wanted: Any) -> bool:
    """Terraform writes `true` and `"true"`, 8 and "8" alike in many attributes."""
    return _spelled(value) == _spelled(wanted)


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    number = _number(value)
    return str(number) if number is not None else str(value)


# What has to hold of each value under the path. `exists` and `absent` ask for the attribute alone.
OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "equals": _same,
    "not_equals": lambda v, w: not _same(v, w),
    "in": lambda v, w: any(_same(v, x) for x in w),
    "not_in": lambda v, w: not any(_same(v, x) for x in w),
    "matches": lambda v, w: compile_pattern(w).fullmatch(str(v)) is not None,
    "not_matches": lambda v, w: compile_pattern(w).fullmatch(str(v)) is None,
    "at_least": lambda v, w: _at(v, w, lambda a, b: a >= b),
    "at_most": lambda v, w: _at(v, w, lambda a, b: a <= b),
    "exists": lambda v, w: v not in (None, "", [], {}),
    "absent": lambda v, w: v in (None, "", [], {}),
}
_BLOCK: Final = "a block"  # `logging {}` says nothing and is there; an empty map is not
_WORDS: Final = {
    "equals": "{}", "not_equals": "anything but {}", "in": "one of {}", "not_in": "none of {}", "matches": "matching {}",
    "not_matches": "not matching {}", "at_least": ">= {}", "at_most": "<= {}", "exists": "a value", "absent": "no value",
}  # fmt: skip


def attribute(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """Every value under `path` satisfies `op` (with `value`); an absent attribute does not matter unless `absent: fail`."""
    for rule in rules.values():
        path, op, wanted = str(rule.params["path"]), str(rule.params["op"]), rule.params.get("value")
        shown = ", ".join(map(str, wanted)) if isinstance(wanted, list) else _text(wanted)
        expected = _WORDS[op].format(shown)
        must = op == "exists" or rule.params.get("absent") == "fail"
        for r in _matching(context, rule):
            found = _values(r, path)
            if not found and must:
                yield _about(rule, r, path, "absent", expected, f"{r.address}: {path} is not set, wanted: {expected}.")
            for at, value, sensitive in found:
                if isinstance(value, Unknown):
                    if op != "exists":  # whatever it will be, it is set
                        yield _open(rule, r, at, expected)
                elif not OPERATORS[op](_BLOCK if value == {} and at.endswith("]") else value, wanted):
                    seen = _WITHHELD if sensitive else _text(value)
                    yield _about(rule, r, at, seen, expected, f"{r.address}: {at} is {seen}, wanted: {expected}.", sensitive)


def _text(value: Any) -> str:
    """A value as a message shows it: short, and never the inside of a block."""
    if isinstance(value, dict):
        return _BLOCK
    if isinstance(value, list):
        return f"{len(value)} items"
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _values(r: Resource, path: str) -> list[tuple[str, Any, bool]]:
    """(concrete path, value or UNKNOWN, sensitive) of each value; lists are walked through wherever they stand."""
    steps = tuple(s.replace("[]", "") for s in path.split("."))
    body = projection_of(frozenset(steps[:1])).after(r)
    if body.unknown is True:
        return [(path, UNKNOWN, False)]
    found = [(v.path, v.value, v.sensitive) for v in body.get(steps)]
    flat: list[tuple[str, Any, bool]] = []
    for at, value, sensitive in found:
        if isinstance(value, list):
            flat += [(f"{at}[{i}]", v, sensitive) for i, v in enumerate(value)]
        else:
            flat.append((at, value, sensitive))
    return flat


def instance_type(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """Instance types match `allow` and not `deny` (patterns), at `path` or where types usually stand."""
    for rule in rules.values():
        allow = [compile_pattern(p) for p in rule.params.get("allow", ("*",))]
        deny = [compile_pattern(p) for p in rule.params.get("deny", ())]
        expected = ", ".join(rule.params.get("allow", ())) or f"none of {', '.join(rule.params.get('deny', ()))}"
        paths = [rule.params["path"]] if "path" in rule.params else _TYPE_PATHS
        for r in _matching(context, rule):
            for path in paths:
                for at, value, sensitive in _values(r, path):
                    if isinstance(value, Unknown):
                        yield _open(rule, r, at, expected)
                    elif isinstance(value, str) and (
                        not any(p.fullmatch(value) for p in allow) or any(p.fullmatch(value) for p in deny)
                    ):
                        seen = _WITHHELD if sensitive else value
                        message = f"{r.address}: {at} is {seen}, wanted: {expected}."
                        yield _about(rule, r, at, seen, expected, message, sensitive)


def tags(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """Every tag in `keys` is there (after default tags), with a value that its patterns match."""
    for rule in rules.values():
        keys: Mapping[str, Any] = rule.params["keys"]
        for r in _matching(context, rule):
            body = decode_after(r)
            marks = body.unknown if isinstance(body.unknown, dict) else {}
            if context.plan.kind != "hcl" and not any(t in body.values or t in marks for t in _TAGS):
                continue  # a type that takes no tags
            found = context.tags(r) if context.tags is not None else UNKNOWN
            for key, patterns in keys.items():
                value = UNKNOWN if isinstance(found, Unknown) else found.get(key)
                wanted = f"tag {key}" + (f" = {' or '.join(patterns)}" if patterns else "")
                if isinstance(value, Unknown):
                    yield _open(rule, r, f"tags.{key}", wanted)
                elif value is None or (patterns and not any(covers(compile_pattern(p), str(value)) for p in patterns)):
                    hidden = any(body.is_sensitive(t) for t in _TAGS)
                    seen = "absent" if value is None else _WITHHELD if hidden else _text(value)
                    message = f"{r.address}: tag {key} is {seen}, wanted: {wanted}."
                    yield _about(rule, r, f"tags.{key}", seen, wanted, message, hidden)


# --- providers and jobs ---------------------------------------------------------------------------


def provider_version(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """The locked version of `provider` satisfies `constraint`; without a lock it is open."""
    for rule in rules.values():
        source, text = provider_source(str(rule.params["provider"])), str(rule.params["constraint"])
        if source not in context.providers:
            continue
        terms = parse_constraint(text) or ()
        locked = context.plan.lock.providers.get(source) if context.plan.lock is not None else None
        version = parse_version(locked.version) if locked is not None else None
        if locked is None or version is None:
            message = f"{source}: no locked version to hold against {text}."
            yield Outcome(
                rule.id, "open", source, "version", "not locked", text, message,
                "Audit with the .terraform.lock.hcl (`--lock`, or beside the plan).", cause=f"no lock for {source}",
            )  # fmt: skip
        elif not admits(terms, version):
            message = f"{source}: locked {version}, wanted: {text}."
            where = (Evidence(f"{source} {version}", context.plan.lock.path if context.plan.lock else "", locked.line),)
            yield Outcome(rule.id, "fail", source, "version", str(version), text, message, rule.remediation, evidence=where)


_LIMITS: Final = (("max_gpus", "gpus_max", "GPUs"), ("max_nodes", "nodes_max", "nodes"), ("max_zones", "zones_max", "zones"))


def job(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """Jobs (of `role`, or all) stay within the limits and use the accelerators and fabrics that are named."""
    for rule in rules.values():
        for found in context.jobs:
            if rule.params.get("role", found.role) == found.role:
                yield from _job(rule, found)


def _job(rule: Rule, found: Job) -> Iterator[Outcome]:
    def made(kind: Any, path: str, seen: str, wanted: str, cause: str = "") -> Outcome:
        message = f"{found.name}: {path} {seen}, wanted: {wanted}."
        return Outcome(
            rule.id, kind, found.addresses[0] if found.addresses else found.name, path, seen, wanted, message,
            rule.remediation, job=found.name, cause=cause, evidence=found.evidence, block=found.name,
        )  # fmt: skip

    for param, name, unit in _LIMITS:
        limit, value = rule.params.get(param), getattr(found, name)
        if limit is not None and value is None:
            yield made("open", unit, "unknown", f"<= {limit}", found.cause or f"{unit} are not known")
        elif limit is not None and value > limit:
            yield made("fail", unit, str(value), f"<= {limit}")
    if (wanted := rule.params.get("accelerators")) is not None:
        for name in found.accelerators:
            if not any(compile_pattern(p).fullmatch(name) for p in wanted):
                yield made("fail", "accelerators", name, ", ".join(wanted))
    if (fabrics := rule.params.get("fabrics")) is not None:
        unknown = found.fabric == "unknown" or found.raw_state == "open"
        seen = f"{found.fabric} off" if found.raw_state == "off" else found.fabric
        if unknown or seen not in fabrics:
            cause = found.cause or "fabric is not known" if unknown else ""
            yield made("open" if unknown else "fail", "fabric", seen, ", ".join(fabrics), cause)


# --- shared ---------------------------------------------------------------------------------------


class _Match:
    """Which resources a rule speaks of."""

    def __init__(self, rule: Rule) -> None:
        match: Mapping[str, Sequence[str]] = rule.params.get("match", {})
        self.address = [compile_pattern(p) for p in match.get("address", ())]
        self.type = [compile_pattern(p) for p in match.get("type", ())]
        self.provider = [compile_pattern(p) for p in match.get("provider", ())]
        self._kinds: dict[tuple[str, str], bool] = {}

    def kind(self, type_: str, provider_name: str) -> bool:
        """Whether the rule speaks of a type of a provider: asked once for all its instances."""
        key = (type_, provider_name)
        if key not in self._kinds:
            asked = ((self.type, type_), (self.provider, provider_source(provider_name)))
            self._kinds[key] = all(not patterns or _any(patterns, text) for patterns, text in asked)
        return self._kinds[key]

    def covers(self, r: Resource) -> bool:
        """Whether the rule speaks of a resource instance."""
        if not self.kind(r.type, r.provider_name) or r.is_data or r.deposed or r.action in _GONE:
            return False
        return not self.address or any(covers(p, r.address) for p in self.address)


def _any(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(p.fullmatch(text) for p in patterns)


def _matching(context: AuditContext, rule: Rule) -> Iterator[Resource]:
    asked = _Match(rule)
    return (r for kind, group in context.plan.by_kind.items() if asked.kind(*kind) for r in group if asked.covers(r))


def _about(
    rule: Rule, r: Resource, path: str, seen: str, wanted: str, message: str, sensitive: bool = False
) -> Outcome:
    return Outcome(
        rule.id, "fail", r.address, path, seen, wanted, message, rule.remediation, block=block_address(r), sensitive=sensitive
    )


def _open(rule: Rule, r: Resource, path: str, wanted: str) -> Outcome:
    message = f"{r.address}: {path} is only known after apply, wanted: {wanted}."
    return Outcome(
        rule.id, "open", r.address, path, "unknown", wanted, message, f"Set {path} to a value that is known at plan time.",
        cause=f"{path} is only known after apply", block=block_address(r),
    )  # fmt: skip


CUSTOM: Final = {
    "region": region, "replica": replica, "attribute": attribute, "instance_type": instance_type, "tags": tags,
    "provider_version": provider_version, "job": job,
}  # fmt: skip
