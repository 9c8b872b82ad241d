"""Lag: is the provider version in force new enough, is there support at all, since when, and for how long.

The questions come in the order of the rules, and the first that fits is a subject's only finding among them:
a native type or argument in use; then (in `workaround.py`) what an escape hatch manages; declared features; the provider.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from auditor.lagfacts import Feature, LagFacts, Shard, Support, add_months, over, span
from auditor.laguse import InForce, LagUse, Use
from auditor.model import Evidence, Level, Outcome
from auditor.spelling import plural
from auditor.versions import Version, parse_version


class LagContext(msgspec.Struct, frozen=True):
    """One plan's uses with the facts and the settings of the policy's `lag:` group."""

    use: LagUse
    facts: LagFacts
    as_of: date
    settings: Mapping[str, Any]
    stage: str = "staging"
    features: Sequence[str] = ()
    allow: Sequence[str] = ()
    has_plan: bool = True  # false for a state: without a lock nothing is asked
    classes: Mapping[str, str] = msgspec.field(default_factory=dict)  # provider source -> its class
    _native: dict[tuple[str, str], Feature | None] = msgspec.field(default_factory=dict)

    def native(self, source: str, type_: str) -> Feature | None:
        """The feature that a native resource type is."""
        key = (source, type_)
        if key not in self._native:
            cloud = self.facts.lag_index.shards[self.facts.lag_index.shard_of(source)].cloud
            found = (f for f in self.facts.features(cloud) if type_ in f.types and not f.attribute and f.provider == source)
            self._native[key] = next(found, None)
        return self._native[key]

    def age(self, shard: Shard) -> int:
        """Days from the newest fact of a shard to the date of the audit."""
        return (self.as_of - date.fromisoformat(shard.as_of)).days

    def lowered(self, shard: Shard) -> Level | None:
        """note, where the catalogue is too old for what it does not hold to weigh more."""
        return "note" if self.age(shard) > int(self.settings["catalog_stale_days"]) else None


def lag_outcomes(context: LagContext) -> Iterator[Outcome]:
    """Questions A, C and D, and LAG005; B is asked in `workaround.py` for the blocks that A leaves without a finding."""
    for use in context.use.uses:
        yield from native_outcomes(context, use)
    for name in context.features:
        yield declared(context, name)
    yield from _providers(context)
    for preview in context.use.previews:
        yield Outcome(
            "LAG005", "fail", preview.address, preview.path, preview.what, "a stable channel",
            f"{preview.address} uses {preview.what}: preview, may change.",
            level="note" if context.stage == "dev" else None,
        )  # fmt: skip


# --- A: native types and arguments ---------------------------------------------------------------------


def native_outcomes(context: LagContext, use: Use) -> list[Outcome]:
    """The findings on one block: one on its type, or one on each of its gated arguments."""
    shard = context.facts.shard(use.source)
    if shard is None:
        return []
    force = context.use.in_force[use.source]
    if not context.has_plan and force.locked is None:
        return []
    first = shard.first(use.kind, use.type)
    if first is None:
        if shard.without_first(use.kind, use.type):
            return _only(_removed(context, use, shard, force))
        return [_unknown(context, use, shard, force)]
    found = _version(context, use, shard, force, first, "") or _removed(context, use, shard, force)
    found = found or _young(context, use, shard, first) or _history(context, use, first)
    if found is not None and found.rule in ("LAG003", "LAG009"):
        return [found]
    rows = shard.arguments(use.type, use.kind)
    needed = {a: rows[a].parsed for a in use.attributes}
    told = [a for a in use.attributes if not any(a.startswith(f"{b}.") and needed[b] >= needed[a] for b in needed)]
    asked = [(a, "") for a in told] + [(a, _unsure(a)) for a in use.unsure]
    made = [_version(context, use, shard, force, rows[a], a, unsure) for a, unsure in asked]
    return _only(found) + [o for o in made if o is not None]


def _unsure(gate: str) -> str:
    name, _, value = gate.partition("=")
    return f"whether {name} is {value or 'there'} is known only after apply"


def _only(outcome: Outcome | None) -> list[Outcome]:
    return [outcome] if outcome is not None else []


def _unknown(context: LagContext, use: Use, shard: Shard, force: InForce) -> Outcome:
    what = f"{use.kind} {use.type}" if use.kind not in ("resource", "data-source") else use.type
    message = f"{what} is newer than the catalogue ({shard.source} as of {shard.as_of}), or missing from it."
    return Outcome(
        "LAG004", "open", use.address, "", use.type, "a type the catalogue holds", message,
        "Run `auditor catalog refresh`, or check the provider's changelog.", evidence=force.evidence,
        cause=f"type not in the catalogue of {shard.source} ({shard.as_of})",
    )  # fmt: skip


def _version(
    context: LagContext, use: Use, shard: Shard, force: InForce, first: Support, attribute: str, unsure: str = ""
) -> Outcome | None:
    """Whether the version in force holds the type (or argument); None where it does.

    unsure: why it is not known that the argument is in use; then the outcome is open at most.
    """
    name = f"{use.type}.{attribute.replace('=', ' = ')}" if attribute else use.type
    path = attribute.partition("=")[0]
    needed = first.parsed
    sure = first.evidence == "exact" and not unsure
    doubt = "at most" if first.evidence == "at_most" else "about"
    since = shard.date_of(needed)
    if force.locked is not None:
        if force.locked >= needed:
            return None
        released = shard.date_of(force.locked)
        when = f", released on {released} ({first.version}: {since})" if released else f" ({first.version}: {since})"
        prerelease = not force.locked.released and force.locked.numbers == needed.numbers
        sure = sure and not (prerelease and not released)
        message = f"{name} needs >= {first.version}, locked {force.locked_text}{when}."
        if not sure:
            why = f"its first version is {doubt} {first.version}"
            why = "a prerelease of its first version is locked" if prerelease else why
            message = f"{name}: locked {force.locked_text}, and {why}: whether the locked version holds it is not known."
            if unsure:
                message = f"{name} needs >= {first.version}, locked {force.locked_text}, and {unsure}."
        return _gate(use, path, sure, force.locked_text, first.version, message, force, shard, unsure)
    if force.malformed or force.conflict or not force.constraint or force.lowest is None or force.highest is None:
        return None
    if force.highest < needed:
        early = not force.highest.released and force.highest.numbers == needed.numbers
        sure = sure and not early
        most = f"{force.constraint} admits at most {force.highest}"
        if force.missing_from:
            most = f"{force.unlocked}, and {most}"
        message = f"{name} needs >= {first.version} ({since}); {'' if force.missing_from else 'without a lock file '}{most}."
        if not sure:
            why = f"its first version is {doubt} {first.version}"
            why = "a prerelease of its first version is admitted" if early else why
            message = f"{name}: {most}, and {unsure or why}."
        return _gate(use, path, sure, str(force.highest), first.version, message, force, shard, unsure)
    if force.lowest < needed and sure:
        return Outcome(
            "LAG009", "fail", use.address, path, str(force.lowest), f">= {first.version}",
            f"{force.unlocked}; {force.constraint} admits {force.lowest}, {name} needs >= {first.version}. "
            f'Set `version = "{suggested(needed)}"`.',
            f'Set `version = "{suggested(needed)}"` for {use.source}, and commit the lock file.',
            evidence=(_fact(shard, first),),
        )  # fmt: skip
    return None


def _gate(
    use: Use, path: str, sure: bool, seen: str, first: str, message: str, force: InForce, shard: Shard, unsure: str
) -> Outcome:
    evidence = force.evidence
    if force.outside:
        evidence = (*evidence, Evidence(f"the constraint {force.constraint} does not admit the locked version"))
    needed = parse_version(first)
    want = suggested(needed) if needed is not None else f">= {first}"
    return Outcome(
        "LAG003", "fail" if sure else "open", use.address, path, seen, f">= {first}", message,
        f'Set `version = "{want}"` for {use.source} and run `terraform init -upgrade`.',
        evidence=(*evidence, Evidence(f"{use.type}{'.' + path if path else ''}: {shard.source} {first}")),
        cause="" if sure else unsure or "first version not confirmed",
    )  # fmt: skip


def suggested(first: Version) -> str:
    """A constraint that admits the first version and later ones of its major."""
    major, minor, patch = first.numbers
    return f"~> {major}.{minor}" if patch == 0 else f">= {first}, < {major + 1}.0.0"


def _fact(shard: Shard, first: Support) -> Evidence:
    return Evidence(f"{shard.source} {first.version}, {shard.date_of(first.parsed)} ({first.source})")


def _in_force_version(force: InForce) -> Version | None:
    return force.locked or force.highest


def _removed(context: LagContext, use: Use, shard: Shard, force: InForce) -> Outcome | None:
    """Removed or deprecated after the version in force, up to the newest release."""
    removal = shard.removed.get(use.type)
    now = _in_force_version(force)
    if removal is None or use.kind != "resource" or now is None:
        return None
    use_text = f"; use {removal.replacement}" if removal.replacement else ""
    gone, faded = parse_version(removal.removed_in), parse_version(removal.deprecated_in)
    if gone is not None and now < gone <= shard.newest:
        if removal.evidence == "absent":
            message = f"{use.type} is gone from the documentation of {shard.source} {gone}: removed, or renamed{use_text}."
            return Outcome(
                "LAG011", "open", use.address, "", str(now), f"a type of {gone}", message, "Read the changelog before upgrading.",
                cause="vanished from the documentation, may be a rename",
            )  # fmt: skip
        message = f"{use.type} is removed in {shard.source} {gone}{use_text}."
        return Outcome("LAG011", "fail", use.address, "", str(now), f"a type of {gone}", message, evidence=force.evidence)
    if faded is not None and now < faded <= shard.newest:
        message = f"{use.type} is deprecated in {shard.source} {faded}{use_text}."
        return Outcome("LAG011", "fail", use.address, "", str(now), "", message, evidence=force.evidence, level="note")
    return None


def _young(context: LagContext, use: Use, shard: Shard, first: Support) -> Outcome | None:
    released = shard.date_of(first.parsed)
    if first.evidence != "exact" or not released:
        return None
    days = (context.as_of - date.fromisoformat(released)).days
    if not 0 <= days < int(context.settings["young_days"]):
        return None
    return Outcome(
        "LAG010", "fail", use.address, "", first.version, f"{plural(context.settings['young_days'], 'day')} of support",
        f"{use.type} is supported since {first.version}, {plural(days, 'day')} ago.", evidence=(_fact(shard, first),),
        dates=((released, f"supported since {first.version}"),),
    )  # fmt: skip


def _history(context: LagContext, use: Use, first: Support) -> Outcome | None:
    """How long support took, where it took longer than the limit (off by default)."""
    if use.kind != "resource":
        return None
    shard = context.facts.shard(use.source)
    feature = context.native(use.source, use.type)
    if shard is None or feature is None or feature.confidence == "low":
        return None
    start = feature.start(bool(context.settings["count_preview"]))
    released = shard.date_of(first.parsed)
    if start is None or not released:
        return None
    begin, end = date.fromisoformat(start.date), date.fromisoformat(released)
    if not over(begin, end, int(context.settings["max_months"])):
        return None
    return Outcome(
        "LAG012", "fail", use.address, "", span(begin, end), "",
        f"{feature.title or use.type} took {span(begin, end)}, from {date_kind(feature, context)} {start.date} "
        f"to {first.version}.",
        dates=((start.date, date_kind(feature, context)), (released, f"supported since {first.version}")),
    )  # fmt: skip


# --- C: declared features ------------------------------------------------------------------------------


def find_feature(facts: LagFacts, name: str) -> Feature | None:
    """A feature by its id."""
    return next((f for f in facts.features(name.partition(".")[0]) if f.id == name), None)


def date_kind(feature: Feature, context: LagContext) -> str:
    start = feature.start(bool(context.settings["count_preview"]))
    return "GA" if start is not None and start.stated else "API first public"


def declared(context: LagContext, name: str) -> Outcome:
    """Question C for one entry of the workload's `features:`."""
    address = f"feature:{name}"
    feature = find_feature(context.facts, name)
    dated = feature is not None and (feature.confidence != "low" or feature.status in ("supported", "free"))
    if feature is None or feature.status == "rollup" or not dated:  # a supported one needs no date: its version is asked for
        why = "has no confirmed dates"
        if feature is None or feature.status == "rollup":
            why = "is not in the catalogue" if feature is None else "is a whole service: name its features"
        row = f"{{feature_id: {name}, provider_source: ..., status: unsupported, ga_date: YYYY-MM-DD, source: ...}}"
        lines = f"catalog: {{features: [{row}]}}"
        return Outcome(
            "LAG004", "open", address, "", name, "a feature of the catalogue", f"{name} {why}.",
            f"`auditor lag list` shows the features. To add it: {lines}", cause=f"a declared feature {why}",
        )  # fmt: skip
    shard = context.facts.shard(feature.provider)
    if feature.status == "free":
        return Outcome("LAG003", "pass", address)
    if feature.status == "supported" and shard is not None:
        return _declared_supported(context, feature, shard, address)
    return open_lag(context, feature, address, feature.title or name)


def _declared_supported(context: LagContext, feature: Feature, shard: Shard, address: str) -> Outcome:
    force = context.use.in_force.get(feature.provider) or InForce(feature.provider)
    firsts = [(t, first) for t in feature.types if (first := feature_support(shard, feature, t)) is not None]
    if not firsts:
        return Outcome(
            "LAG004", "open", address, "", feature.id, "a confirmed first version",
            f"{feature.id} is supported by {feature.provider}, and since which version the catalogue does not hold.",
            "Check the provider's changelog for the first version, and set it as the lower bound of the constraint.",
            cause="first version of a declared feature not known",
        )  # fmt: skip
    for type_, first in firsts:
        use = Use(address, feature.provider, "resource", type_, False)
        found = _version(context, use, shard, force, first, feature.attribute) or _young(context, use, shard, first)
        if found is not None:
            return found
    return Outcome("LAG003", "pass", address)


def feature_support(shard: Shard, feature: Feature, type_: str) -> Support | None:
    """First support of a feature through one of its types: of the argument where it is one."""
    if not feature.attribute:
        return shard.first("resource", type_)
    rows = shard.attributes.get(type_, {})
    hits = [s for path, s in rows.items() if feature.attribute in (path, path.rpartition(".")[2], path.partition("=")[2])]
    return min(hits, key=lambda s: s.parsed, default=None)


def open_lag(context: LagContext, feature: Feature, address: str, title: str, path: str = "", today: str = "") -> Outcome:
    """LAG001 over the limit, else LAG002; an unknown start is an open LAG002."""
    shard = context.facts.shard(feature.provider)
    limit = int(context.settings["max_months"])
    start = feature.start(bool(context.settings["count_preview"]))
    lowered = context.lowered(shard) if shard is not None else None
    newest = f"{feature.provider} {shard.newest}" if shard is not None else feature.provider
    if start is None:
        return Outcome(
            "LAG002", "open", address, path, "no support", "",
            f"{title}: no {feature.provider} support yet, and since when the cloud has it is not known.",
            cause="start date not known", level=lowered,
        )  # fmt: skip
    begin = date.fromisoformat(start.date)
    kind = "GA" if start.stated else "API first public"
    ends = add_months(begin, limit)
    evidence = (Evidence(f"{kind} {start.date}: {start.source}"),)
    if not over(begin, context.as_of, limit):
        return Outcome(
            "LAG002", "fail", address, path, f"{kind} {start.date}", f"support by {ends}",
            f"{title}: {kind} {start.date}, no {feature.provider} support yet; the window ends {ends}.",
            evidence=evidence, level=lowered, dates=((start.date, kind), (ends.isoformat(), "window ends")),
        )  # fmt: skip
    way = today or ", ".join(feature.workarounds) or "no other way known"
    level: Level | None = lowered or ("error" if context.stage == "production" else None)
    return Outcome(
        "LAG001", "fail", address, path, f"{kind} {start.date}", f"support within {plural(limit, 'month')}",
        f"{title}: {kind} {start.date}, no {feature.provider} support in {newest.rpartition(' ')[2]} as of {context.as_of}: "
        f"{span(begin, context.as_of)} (limit {plural(limit, 'month')}). "
        f"000: don't build your core production workflow on it yet. Today: {way}.",
        evidence=evidence, level=level, dates=((start.date, kind), (ends.isoformat(), "limit passed")),
    )  # fmt: skip


# --- D: providers --------------------------------------------------------------------------------------


def _providers(context: LagContext) -> Iterator[Outcome]:
    blocks: dict[str, list[Use]] = {}
    for use in context.use.uses:
        blocks.setdefault(use.source, []).append(use)
    for source, force in sorted(context.use.in_force.items()):
        if context.classes.get(source) == "utility":
            continue
        yield from _pinned(context, source, force)
        shard = context.facts.shard(source)
        if force.locked is not None and shard is not None:
            yield from _stale(context, source, force, shard)
        yield from _production(context, source, force, blocks.get(source, []))


def _pinned(context: LagContext, source: str, force: InForce) -> Iterator[Outcome]:
    if force.locked is not None or not context.has_plan:
        return
    if force.conflict or force.malformed:
        what = "is malformed" if force.malformed else "admits no release the catalogue knows"
        yield Outcome(
            "LAG007", "open", source, "", force.constraint, "a constraint that admits a release",
            f"{source}: {force.unlocked}, and the constraint of all modules together, {force.constraint}, {what}.",
            cause="constraints admit no release",
        )  # fmt: skip
        return
    if force.bounded:
        return
    what = "no upper bound" if force.constraint else "no version constraint"
    yield Outcome(
        "LAG007", "fail", source, "", force.constraint or "no constraint", "a lock file, or an upper bound",
        f"{source}: {force.unlocked}, and {what}.",
    )  # fmt: skip


def _stale(context: LagContext, source: str, force: InForce, shard: Shard) -> Iterator[Outcome]:
    assert force.locked is not None
    released = shard.date_of(force.locked)
    months = int(context.settings["stale_months"])
    if not released or force.locked >= shard.newest:
        return
    if add_months(date.fromisoformat(released), months) >= context.as_of:
        return
    yield Outcome(
        "LAG006", "fail", source, "", force.locked_text, f"a release of the last {plural(months, 'month')}",
        f"{source}: locked {force.locked_text}, released on {released}, over {plural(months, 'month')} ago; "
        f"newest {shard.newest} ({shard.date_of(shard.newest)}).",
        evidence=force.evidence,
        dates=((released, f"locked {force.locked_text}"), (shard.date_of(shard.newest), f"newest {shard.newest}")),
    )  # fmt: skip


def _production(context: LagContext, source: str, force: InForce, uses: Sequence[Use]) -> Iterator[Outcome]:
    if context.stage != "production":
        return
    version = _in_force_version(force)
    early = version is not None and version.numbers[0] == 0
    community = source in context.facts.workarounds.community
    if not early and not community:
        return
    patterns = [re.compile(p) for p in context.facts.workarounds.capacity]
    count = sum(u.instances for u in uses if u.kind == "resource" and any(p.search(u.type) for p in patterns))
    if not count:
        return
    tier = "pre-1.0" if early else "community tier"
    shown = force.locked_text or (str(version) if version is not None else "")
    yield Outcome(
        "LAG008", "fail", source, "", shown or "unknown", "a provider of 1.0 or later",
        f"{source} {shown} is {tier} and carries {count} compute or storage resources.".replace("  ", " "),
        evidence=force.evidence,
    )  # fmt: skip


def _rests_on(context: LagContext, outcome: Outcome) -> str:
    """The provider whose catalogue an outcome rests on."""
    if outcome.rule == "LAG004":
        sources = (u.source for u in context.use.uses if u.address == outcome.address)
    else:
        sources = (e.hatch.native for e in context.use.escapes if e.address == outcome.address)
    feature = find_feature(context.facts, outcome.address.removeprefix("feature:"))
    return next(sources, feature.provider if feature is not None and feature.provider in context.use.in_force else "")


def catalogue_age(context: LagContext, outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """LAG004, once: the catalogue is old, and a verdict rests on what it does not hold."""
    resting = {"LAG001": ("fail",), "LAG002": ("fail", "open"), "LAG004": ("open",), "WRK001": ("fail",)}
    asked = {_rests_on(context, o) for o in outcomes if o.kind in resting.get(o.rule, ())} - {""}
    limit = timedelta(days=int(context.settings["catalog_note_days"]))
    old = sorted(
        (date.fromisoformat(shard.as_of), shard.source)
        for source in asked
        if (shard := context.facts.shard(source)) is not None and context.as_of - date.fromisoformat(shard.as_of) > limit
    )
    if not old:
        return
    day, source = old[0]
    yield Outcome(
        "LAG004", "open", source, "", day.isoformat(), f"a catalogue of the last {plural(limit.days, 'day')}",
        f"the catalogue of {source} ends on {day}, {plural((context.as_of - day).days, 'day')} before {context.as_of}: "
        "support may have come since.",
        "Run `auditor catalog refresh`.", cause="catalogue is old",
    )  # fmt: skip
