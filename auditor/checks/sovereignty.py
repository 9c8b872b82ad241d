"""Sovereignty: does a located resource, or a copy of its data, stand where the policy allows.

`decide` is the arithmetic of places; `location_outcomes` says which rule speaks for a location (the
first line of the table that fits); `provider_outcomes` judges the provider itself (region guarantee).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, Protocol

import msgspec
from msgspec.structs import replace

from auditor.facts import Index, provider_source
from auditor.model import UNKNOWN, Action, Evidence, Job, Location, Outcome, Place, Resource, block_address
from auditor.spelling import plural
from auditor.stated import stated_place

Verdict = Literal["pass", "fail", "open"]
_COPIES: Final = ("replica", "backup", "logs", "cache")
_WITHHELD: Final = "(sensitive)"
_SHIFTS: Final = {"data": 1, "control": -1}  # levels, by what the type holds


class Allowed(Protocol):
    """Where data may be, for one role."""

    def permits(self, role: str, place: Place) -> bool: ...

    def describe(self, role: str) -> str: ...


class Subject(msgspec.Struct, frozen=True, gc=False):
    """A located resource instance and what the rules need to know of it."""

    resource: Resource
    cloud: str
    locations: tuple[Location, ...]
    before: tuple[Location, ...] = ()
    unknown_type: bool = False
    bearing: str = ""
    curated: bool = False
    guard: bool = False
    existing: bool = False
    drift: bool = False
    job: Job | None = None
    allowed: tuple[tuple[str, Allowed], ...] = ()  # (scope name, list): every one must permit a place
    undecided_scopes: tuple[tuple[str, Allowed], ...] = ()  # scopes that may match (unknown tags)
    alternatives: tuple[tuple[tuple[str, Allowed], ...], ...] = ()  # with those: every set of lists that may govern
    by_reference: bool = False  # it stands where the cluster stands that its provider talks to


class SovereigntyContext(msgspec.Struct, frozen=True):
    """What holds for the whole run."""

    index: Index
    regulated: bool = False
    region_guarantees: Mapping[str, str] = msgspec.field(default_factory=dict)
    remedy: Callable[[Subject, Location], str] | None = None  # what would pass instead
    # What is wanted instead, by lists, role and places: alike instances share all three.
    wanted: dict[tuple[int, str, int], tuple[str, str]] = msgspec.field(default_factory=dict)


def permitted(place: Place, role: str, allowed: Iterable[tuple[str, Allowed]]) -> bool:
    """Whether every applying list permits a place."""
    return all(a.permits(role, place) for _, a in allowed)


def decide(location: Location, allowed: Sequence[tuple[str, Allowed]], regulated: bool = False) -> Verdict:
    """Pass, fail or open for one location.

    All places of a set must be allowed; one confirmed place outside fails it. Of candidates all
    allowed passes, none allowed fails, mixed is open. An unconfirmed fact never decides a fail.
    """
    inside = [permitted(p, location.role, allowed) for p in location.places]
    trusted = location.complete and not (regulated and location.unconfirmed)
    if location.candidates:
        if inside and all(inside) and trusted:
            return "pass"
        outside_sure = location.complete and not location.unconfirmed and all(p.confirmed for p in location.places)
        return "fail" if inside and not any(inside) and outside_sure else "open"
    row_sure = not location.unconfirmed.startswith(("row ", "pair ", "members "))
    if any(not ok and p.confirmed and row_sure for ok, p in zip(inside, location.places, strict=True)):
        return "fail"
    if inside and all(inside) and trusted:
        return "pass"
    return "open"


def location_outcomes(subjects: Iterable[Subject], context: SovereigntyContext) -> Iterator[Outcome]:
    """SOV001-SOV006 and SOV010-SOV012: every location that fails or is open. A pass yields nothing."""
    seen: dict[tuple[object, ...], Verdict] = {}
    subjects = list(subjects)
    drifted: set[tuple[str, str]] = set()  # what drift speaks for: the plan that keeps it adds nothing
    for subject in subjects:
        if subject.drift:
            for found in _drifted(subject, context):
                drifted.add((found.address, found.path))
                yield found
    for subject in subjects:
        if subject.drift:
            continue
        if subject.resource.change.actions == ("delete",) or subject.resource.deposed:
            if subject.guard:
                yield _guard_deleted(subject)
            continue
        if subject.unknown_type:
            yield _unknown_type(subject)
            continue
        for location in subject.locations:
            # Alike instances share their places and lists: one verdict serves them all.
            key = (
                id(location.places), location.role, location.candidates, location.complete, location.unconfirmed,
                id(subject.allowed),
            )  # fmt: skip
            verdict = seen.get(key)
            if verdict is None:
                verdict = seen[key] = decide(location, subject.allowed, context.regulated)
            if verdict == "pass" and not subject.alternatives:
                continue
            if verdict == "fail" and _said_of_home(subject, location, context):
                continue
            outcome = _judge(subject, location, context, verdict)
            if outcome is not None and not (drifted and (outcome.address, outcome.path) in drifted):
                yield outcome


def _said_of_home(s: Subject, location: Location, context: SovereigntyContext) -> bool:
    """Whether a list of copies names the home among them (Cosmos DB does) and the home is refused there already.

    One finding per place: what stands at home is no copy. What refers to another resource is one, wherever it stands.
    """
    if location.role != "replica" or location.source != "attribute" or location.sensitive or len(location.places) != 1:
        return False
    return not s.alternatives and any(
        h.role == "home" and not h.sensitive and h.places == location.places
        and decide(h, s.allowed, context.regulated) == "fail"
        for h in s.locations
    )  # fmt: skip


def _judge(s: Subject, location: Location, context: SovereigntyContext, verdict: Verdict) -> Outcome | None:
    if s.alternatives:
        location, verdict = _either_way(s, location, context, verdict)
        if verdict == "pass":
            return None
    rule = _rule(s, location, verdict)
    action = s.resource.action
    if s.resource.is_data or action is Action.READ or (rule == "SOV011" and action is Action.FORGET):
        return _describe(s, location, verdict, rule, context, level="note")
    shifts = verdict == "fail" and rule in ("SOV001", "SOV004", "SOV005", "SOV010")
    return _describe(s, location, verdict, rule, context, shifts=shifts)


def _either_way(
    s: Subject, location: Location, context: SovereigntyContext, verdict: Verdict
) -> tuple[Location, Verdict]:
    """A scope that may or may not match counts both ways: verdicts that differ are open."""
    if all(decide(location, lists, context.regulated) == verdict for lists in s.alternatives):
        return location, verdict
    names = " and ".join(name for name, _ in s.undecided_scopes)
    return replace(location, cause=f"whether scope {names} applies is not known"), "open"


def _rule(s: Subject, location: Location, verdict: Verdict) -> str:
    """The first line of the table that fits."""
    if s.existing:
        return "SOV011"
    if location.topic == "network":
        return "SOV012"
    if location.topic == "ai":
        return "SOV006"
    several = not location.candidates and len({(p.region, p.country) for p in location.places}) > 1
    if verdict == "open" and (location.topic == "footprint" or several):
        return "SOV005"
    if not location.candidates and _mixed(s, location):
        return "SOV005"
    if location.role in _COPIES:
        return "SOV004"
    if s.job is not None and location.role in ("home", "processing"):
        return "SOV002" if verdict == "open" else "SOV003"
    if location.role == "home" and verdict == "fail" and _moved(s, location):
        return "SOV010"
    return "SOV002" if verdict == "open" else "SOV001"


def _mixed(s: Subject, location: Location) -> bool:
    """Several places at once, some allowed and some not; "any place" is always such a set."""
    if any(p.country == "*" for p in location.places):
        return True
    inside = {permitted(p, location.role, s.allowed) for p in location.places}
    return len(location.places) > 1 and len(inside) > 1


def _moved(s: Subject, location: Location) -> bool:
    if not s.before or not s.before[0].places or s.resource.importing:
        return False
    was = {(p.cloud, p.region) for b in s.before for p in b.places}
    return not {(p.cloud, p.region) for p in location.places} & was


def _wanted(s: Subject, location: Location) -> tuple[str, str]:
    """What the lists allow for the role, and the scopes that refuse the places."""
    role = location.role
    expected = ", ".join(dict.fromkeys(a.describe(role) for _, a in s.allowed))
    refusing = [name for name, a in s.allowed if name and not all(a.permits(role, p) for p in location.places)]
    return expected, f" (scope {', '.join(refusing)})" if refusing else ""


def _describe(
    s: Subject, location: Location, verdict: Verdict, rule: str, context: SovereigntyContext,
    level: Literal["note"] | None = None, shifts: bool = False,
) -> Outcome:  # fmt: skip
    """`shifts`: the level depends on whether the resource holds data."""
    r = s.resource
    role = location.role
    where = _WITHHELD if location.sensitive else place_text(location)
    key = (id(s.allowed), role, id(location.places))
    expected, scope = context.wanted.get(key) or context.wanted.setdefault(key, _wanted(s, location))
    home = next((loc for loc in s.locations if loc.role == "home" and loc is not location), None)
    elsewhere = home is not None and home.places and home.places != location.places and not home.sensitive
    at_home = f" of {place_text(home)}" if home is not None and elsewhere else ""
    if verdict == "open":
        message = _open_message(r, location, where)
        remediation = _open_remedy(s, location)
        cause = location.cause or location.unconfirmed or f"{location.path}: places partly known"
        if location.unconfirmed and not location.cause:
            cause = f"not confirmed in the catalogue: {location.unconfirmed}"
    else:
        message = _fail_message(s, location, rule, where, at_home) + f" Allowed: {expected}{scope}."
        remediation = _fail_remedy(s, location, context)
        cause = ""
    evidence = location.evidence
    if location.unconfirmed:
        evidence = (*evidence, Evidence(f"not confirmed: {location.unconfirmed}"))
    return Outcome(
        rule,
        verdict,
        r.address,
        location.path,
        _WITHHELD if location.sensitive else (location.value or where),
        expected,
        message,
        remediation,
        () if location.sensitive else location.countries,
        role,
        s.job.name if s.job is not None and rule in ("SOV002", "SOV003") else None,
        cause,
        evidence,
        _SHIFTS.get(s.bearing, 0) if shifts else 0,
        shifts and not s.curated,
        level=level,
        block=block_address(r),
        sensitive=location.sensitive,
    )


def place_text(location: Location) -> str:
    """`us-east-1 (US)`; a set prints its regions and countries."""
    if not location.places:
        return location.value or "an unknown place"
    if any(p.country == "*" for p in location.places):
        return f"{location.value} (any place)" if location.value and location.source != "default" else "any place"
    regions = list(dict.fromkeys(p.region for p in location.places))
    countries = list(dict.fromkeys(p.country for p in location.places))
    if len(regions) == 1:
        return f"{regions[0]} ({', '.join(countries)})"
    joint = " or " if location.candidates else " and "
    return joint.join(dict.fromkeys(f"{p.region} ({p.country})" for p in location.places))


def _verb(action: Action, importing: bool) -> str:
    if importing:
        return "would be adopted in"
    return {
        Action.CREATE: "would be created in",
        Action.UPDATE: "would be in",
        Action.REPLACE: "would be recreated in",
        Action.READ: "would be read from",
        Action.FORGET: "stays in the cloud, unmanaged, in",
    }.get(action, "stands in")


_BY_ITSELF: Final = {"replica": "copies data", "backup": "keeps backups", "logs": "spreads logs", "cache": "caches data"}


def _fail_message(s: Subject, location: Location, rule: str, where: str, at_home: str) -> str:
    r = s.resource
    if rule == "SOV003" and s.job is not None:
        size = f" ({job_size(s.job, r.address)})" if s.job.gpus_max else ""
        return f"{r.address}{size} would boot in {where}."
    if rule == "SOV010":
        was = place_text(s.before[0]) if s.before else "elsewhere"
        how = "replace" if r.action is Action.REPLACE else "update"
        if s.before and s.before[0].sensitive:
            was = _WITHHELD
        return f"{r.address} was in {was}, becomes {where} by {how}."
    if rule == "SOV012":
        return f"{r.address}: {location.path} opens a network path to {where}."
    if rule == "SOV006":
        return f"{r.address}: {location.path} lets requests be processed in {where}."
    if location.path.startswith("(") and location.role != "home":  # `(always)`: nothing that is written decides it
        return f"{r.address} by itself {_BY_ITSELF.get(location.role, 'spreads data')} over {where}."
    if rule == "SOV005":
        return f"{r.address}: {location.path} spreads data over {where}."
    if location.role in _COPIES:
        verb, to = {
            "replica": ("copies data", "to"),
            "backup": ("keeps backups", "in"),
            "logs": ("sends logs", "to"),
            "cache": ("caches data", "in"),
        }[location.role]
        return f"{r.address}: {location.path} {verb}{at_home} {to} {where}."
    if location.role == "processing" and at_home:  # it stands elsewhere: here it only works
        return f"{r.address}: {location.path} lets data be processed in {where}."
    first = next((loc for loc in s.locations if loc.role == "home"), location)
    if at_home and location is not first and location.source == "reference":  # a part of it that is another resource
        return f"{r.address}: {location.path} refers to something in {where}, the resource itself stands in {place_text(first)}."
    return f"{r.address} {_verb(r.action, r.importing)} {where}."


def job_size(job: Job, address: str) -> str:
    """`16 x p5.48xlarge, 128 GPUs`; of a job that stands in several regions, the nodes of this address alone."""
    own = next((n for n in job.nodes if n.address == address), None) if len(job.regions) > 1 else None
    if own is not None:
        count = own.nodes_max if own.nodes_max is not None else own.nodes_min
        types = " / ".join(own.types) or "unknown type"
        return f"{count if count is not None else '?'} x {types}, of a job of {job.gpus_max} GPUs"
    types = " / ".join(job.instance_types) or "unknown type"
    nodes = job.nodes_max if job.nodes_max is not None else job.nodes_min
    return f"{nodes if nodes is not None else '?'} x {types}, {job.gpus_max} GPUs"


def _open_message(r: Resource, location: Location, where: str) -> str:
    if location.candidates and location.places:
        return f"{r.address}: {location.path} may be {where}; {location.cause}."
    if location.places and location.unconfirmed:
        return f"{r.address}: {location.path} is {where}; not confirmed in the catalogue: {location.unconfirmed}."
    return f"{r.address}: location ({location.path}, {location.role}) cannot be decided: {location.cause}."


def _open_remedy(s: Subject, location: Location) -> str:
    if location.unconfirmed:
        return "Confirm the fact and mend its row in the catalogue, or choose a place that is confirmed."
    cause, path = location.cause, location.path
    if s.alternatives and cause.startswith("whether scope"):
        return "Make what the scope matches by (tags, say) known at plan time, or allow the place with and without it."
    if cause.endswith("the destination is outside the plan"):
        return f"Manage what {path} names in this plan, or look up where it is and waive this."
    if cause.endswith("where this puts data is not known"):
        return f"Look up where {path} leads, and waive this if the place is allowed."
    if cause.endswith("the home region is not decided"):
        return "Decide the region of the resource itself first: its pair follows from it."
    if location.value and not location.places and location.source == "unknown":
        return f"Correct {path}, or add the place to the policy's catalog.regions."
    if location.role != "home":
        return f"Set {path} to a value that is known at plan time."
    assumed = f"or pass --assume {s.cloud}.region=REGION."
    if "sends its calls to" in cause:
        return f"Look up where that address stands, and pass --assume {s.cloud}.region=REGION, or waive this."
    if "provider" in cause:
        return f"Set the region of its provider literally, {assumed}"
    if "known only after apply" in cause or "computed" in cause:
        return f"Set {path} literally, {assumed}"
    return f"Put what it belongs to into the plan, {assumed}"


def _fail_remedy(s: Subject, location: Location, context: SovereigntyContext) -> str:
    if context.remedy is not None:
        return context.remedy(s, location)
    return f"Change {location.path} to an allowed place, or remove the resource."


def _unknown_type(s: Subject) -> Outcome:
    r = s.resource
    found = stated_place(r)
    if found is not None and found.value is not UNKNOWN:
        value = _WITHHELD if found.sensitive else found.value
        source = provider_source(r.provider_name)
        message = f"{r.address}: {found.path} is {value}, and the catalogue holds no places of {source} for {r.type}."
        fix = "Add the provider's places to the policy's catalog (providers, regions, resource_types), or report it."
        cause = f"no places of {source} in the catalogue"
        return Outcome(
            "SOV002", "open", r.address, found.path, value, "", message, fix, cause=cause,
            block=block_address(r), sensitive=found.sensitive,
        )  # fmt: skip
    if s.by_reference:
        return Outcome(
            "SOV002", "open", r.address, "", r.type, "",
            f"{r.address} stands where its cluster does, and the cluster that its provider talks to is not in the plan.",
            "Audit it with the plan that makes the cluster.", cause="the cluster that the provider talks to is not in the plan",
            level="note", block=block_address(r),
        )  # fmt: skip
    says = "the resource states no location" if found is None else f"{found.path} is known only after apply"
    return Outcome(
        "SOV002",
        "open",
        r.address,
        "",
        r.type,
        "",
        f"{r.address}: the catalogue holds no location row for {r.type}, and {says}.",
        "Add a row for the type to the policy's catalog.resource_types, or report it.",
        cause=f"no location row for {r.type}",
        level="note",
        block=block_address(r),
    )


def _guard_deleted(s: Subject) -> Outcome:
    r = s.resource
    return Outcome(
        "SOV010",
        "fail",
        r.address,
        "",
        "delete",
        "",
        f"{r.address} is deleted: {r.type} can hold a guard on where resources may stand.",
        "Check that no residency guard goes with it.",
        level="note",
        block=block_address(r),
    )


def _drifted(s: Subject, context: SovereigntyContext) -> Iterator[Outcome]:
    """Locations that changed outside Terraform; those that did not are judged elsewhere."""
    was = {loc.path: loc.places for loc in s.before}
    for location in s.locations:
        if was.get(location.path) == location.places and location.places:
            continue
        verdict = decide(location, s.allowed, context.regulated)
        location, verdict = _either_way(s, location, context, verdict)
        if verdict == "pass":
            continue
        outcome = _describe(s, location, verdict, "SOV010", context)
        where = _WITHHELD if location.sensitive else place_text(location)
        message = f"{s.resource.address}: {location.path} changed outside Terraform and is now {where}."
        if verdict == "fail":
            message += f" Allowed: {outcome.expected}."
        shift = _SHIFTS.get(s.bearing, 0) if verdict == "fail" else 0
        yield replace(outcome, message=message, shift=shift, shift_guessed=not s.curated)


def provider_outcomes(
    providers: Mapping[str, tuple[str, str, int]], context: SovereigntyContext
) -> Iterator[Outcome]:
    """SOV007: `providers` maps a provider source to (cloud, class, number of planned resources)."""
    level: Literal["note"] | None = None if context.regulated else "note"
    for source, (cloud, cls, count) in sorted(providers.items()):
        if cls == "utility" or not count:
            continue
        summary = context.index.clouds.get(cloud)
        guarantee = summary.guarantee if summary is not None else ""
        title = (summary.title if summary is not None else "") or source
        declared = context.region_guarantees.get(cloud) or context.region_guarantees.get(source)
        base = Outcome("SOV007", "pass", source, observed=guarantee or cls, level=level)
        if cls == "unknown" or (not guarantee and cls not in ("marketplace", "inference_api", "onprem")):
            yield replace(
                base,
                kind="open",
                expected="a provider with a region guarantee",
                message=f"{source} carries {plural(count, 'resource')}; its class and region guarantee are not in the catalogue.",
                remediation="Declare it in the policy's catalog.providers.",
                cause=f"provider {source} is not in the catalogue",
            )
        elif cls in ("marketplace", "inference_api") or guarantee == "none":
            kind = "a marketplace" if cls == "marketplace" else "an inference API" if cls == "inference_api" else title
            yield replace(
                base,
                kind="fail",
                expected="a provider with a region guarantee",
                message=f"{source} carries {plural(count, 'resource')}, and {kind} gives no region guarantee.",
                remediation="Move the workload to a provider that guarantees the region.",
            )
        elif guarantee == "contract" and not declared:
            yield replace(
                base,
                kind="fail",
                expected=f"region_guarantees.{cloud}",
                message=f"{source} carries {plural(count, 'resource')}; {title} guarantees the region only by contract.",
                remediation=f"Name the contract under workload.region_guarantees.{cloud}.",
            )
        else:
            yield base
