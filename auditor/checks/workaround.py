"""Workarounds: what a plan manages around its provider, and whether a native resource exists by now.

Asked only of blocks that question A of `lag.py` leaves without a finding. For an escape hatch every API type inside it
counts: one whose open lag is over speaks first, then one without a known native type, then all native.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from auditor.checks.lag import LagContext, open_lag
from auditor.lagfacts import Feature, Support, add_months, over, squeeze
from auditor.laguse import Command, Escape
from auditor.model import Evidence, Level, Outcome


def workaround_outcomes(context: LagContext, settled: set[str]) -> Iterator[Outcome]:
    """`settled`: addresses of blocks that already have a finding of question A."""
    for escape in context.use.escapes:
        if escape.address not in settled:
            outcome = _rest(context, escape) if escape.hatch.kind == "rest" else _escape(context, escape)
            if outcome is not None:
                yield outcome
    for command in context.use.commands:
        outcome = _command(context, command)
        if outcome is not None:
            yield outcome


def _floor(existing: bool) -> Level | None:
    return "warning" if existing else None


def allowed(patterns: Sequence[str], type_: str, api: str = "") -> bool:
    """Whether the policy's `workarounds.allow` covers a type, or one API type of it (`azapi_resource:Microsoft.Foo/*`)."""
    for pattern in patterns:
        kind, colon, wanted = pattern.partition(":")
        if not _like(type_, kind):
            continue
        if not colon or (api and _like(api, wanted)):
            return True
    return False


def _like(text: str, pattern: str) -> bool:
    """`*` is any run of characters, `?` one, everything else literal; case does not count."""
    made = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(made, text, re.IGNORECASE) is not None


class _Judged(msgspec.Struct, frozen=True):
    """One API type: the native types that stand for it with the first version, or the feature that it is."""

    api: str
    native: str = ""
    first: Support | None = None
    feature: Feature | None = None


def _key(space: str, api: str) -> str:
    """How the tables of native types name an API type."""
    if space == "cfn":
        if "::" not in api:
            return api.partition("_")[2].replace("_", "")
        return squeeze(api) if api.count("::") == 2 else api.lower()  # `Custom::Bucket` is what its author says it is
    if space == "dm" and api.count(".") == 2:
        service, _, noun = api.lower().split(".")
        return f"{service}.{noun}"
    return api.lower()


def _judge(context: LagContext, escape: Escape, api: str) -> _Judged:
    hatch = escape.hatch
    key = _key(hatch.space, api)
    shard = context.facts.shard(hatch.native) if hatch.native else None
    natives = context.facts.natives(hatch.space).get(key, []) if hatch.space else []
    held = [(n, first) for n in natives if shard is not None and (first := shard.first("resource", n)) is not None]
    if shard is not None:
        held.sort(key=lambda pair: pair[0] in shard.removed)  # what is on its way out speaks last
    if held:
        name, first = held[0]
        return _Judged(api, name, first)
    wanted = f"cfn:{key}" if hatch.space == "cfn" else key
    cloud = context.facts.lag_index.shards[hatch.native].cloud if shard is not None else ""
    feature = next((f for f in context.facts.features(cloud) if wanted in f.api), None)
    return _Judged(api, feature=feature)


def _escape(context: LagContext, escape: Escape) -> Outcome | None:
    judged = [_judge(context, escape, t) for t in escape.types]
    floor = _floor(escape.existing)
    limit = int(context.settings["max_months"])
    lagging = []
    for j in judged:
        start = j.feature.start(bool(context.settings["count_preview"])) if j.feature else None
        sure = j.feature is not None and j.feature.confidence != "low" and j.feature.status in ("unsupported", "preview")
        if sure and start is not None and over(date.fromisoformat(start.date), context.as_of, limit):
            lagging.append((j, start.date))
    if lagging:
        j = min(lagging, key=lambda pair: pair[1])[0]
        assert j.feature is not None
        title = _shown(escape, j.api)
        found = open_lag(context, j.feature, escape.address, title, escape.path, today=f"{escape.hatch.label} ({escape.type})")
        return _with(found, floor)
    open_ = [j for j in judged if j.first is None]
    if open_ or escape.unread or not judged:
        if open_ and all(allowed(context.allow, escape.type, j.api) for j in open_) and not escape.unread:
            return None
        if not open_ and allowed(context.allow, escape.type):
            return None
        if escape.unread and allowed(context.allow, escape.type):
            return None
        return _unknown(context, escape, open_, floor)
    return _part(context, escape, judged, floor) if escape.hatch.part else _native(context, escape, judged, floor)


def _part(context: LagContext, escape: Escape, judged: Sequence[_Judged], floor: Level | None) -> Outcome:
    """WRK003, open: a part of an object with a native resource; whether that has the argument by now is not known."""
    return Outcome(
        "WRK003", "open", escape.address, escape.path, ", ".join(_shown(escape, j.api) for j in judged),
        ", ".join(j.native for j in judged),
        f"{escape.address} changes a part of {', '.join(_shown(escape, j.api) for j in judged)} through {escape.hatch.label}; "
        f"whether {', '.join(j.native for j in judged)} of {escape.hatch.native} can do the same by now is not known.",
        f"Look for it in the documentation of {judged[0].native}; where it is there, use that and drop {escape.address}.",
        cause="what the native resource can set is not known", floor=floor,
    )  # fmt: skip


def _with(outcome: Outcome, floor: Level | None) -> Outcome:
    return msgspec.structs.replace(outcome, floor=floor)


def _shown(escape: Escape, api: str) -> str:
    return "(sensitive)" if escape.sensitive else api


def _unknown(context: LagContext, escape: Escape, open_: Sequence[_Judged], floor: Level | None) -> Outcome:
    """WRK001: a type without a known native resource, or a body that cannot be read."""
    shard = context.facts.shard(escape.hatch.native) if escape.hatch.native else None
    level = context.lowered(shard) if shard is not None else None
    label = escape.hatch.label
    if not open_:
        why = escape.unread or "names no API type"
        return Outcome(
            "WRK001", "open", escape.address, escape.path, escape.type, "a native resource",
            f"{escape.address} manages resources through {label}, and which ones cannot be told: {why}.",
            cause="body cannot be read", floor=floor, level=level,
        )  # fmt: skip
    names = ", ".join(sorted({_shown(escape, j.api) for j in open_}))
    tail = ""
    for j in open_:
        start = j.feature.start(bool(context.settings["count_preview"])) if j.feature else None
        if start is not None:
            ends = add_months(date.fromisoformat(start.date), int(context.settings["max_months"]))
            kind = "GA" if start.stated else "API first public"
            told = f"the window ends {ends}" if ends >= context.as_of else "not confirmed"
            tail = f" ({kind} {start.date}: {told})"
    known = f" as of {shard.as_of}" if shard is not None else ""
    return Outcome(
        "WRK001", "fail", escape.address, escape.path, names, "a native resource",
        f"{escape.address} manages {names} through {label}; no native resource known{known}{tail}.",
        floor=floor, level=level,
    )  # fmt: skip


def _native(context: LagContext, escape: Escape, judged: Sequence[_Judged], floor: Level | None) -> Outcome:
    """WRK003: every API type has a native resource."""
    shard = context.facts.shard(escape.hatch.native)
    parts = []
    sure = True
    for j in judged:
        assert j.first is not None
        date_ = shard.date_of(j.first.parsed) if shard is not None else ""
        since = f"{escape.hatch.native} {j.first.version}{' or earlier' if j.first.evidence == 'at_most' else ''}"
        parts.append(f"{_shown(escape, j.api)} is {j.native} since {since} ({date_})")
        sure = sure and bool(date_)
    needed = max((j.first for j in judged if j.first is not None), key=lambda s: s.parsed)
    force = context.use.in_force.get(escape.hatch.native)
    now = force.locked if force is not None else None
    if now is None and force is not None and force.lowest is not None and force.lowest >= needed.parsed and force.constraint:
        where = f"{force.constraint} has it"
    elif now is None:
        where = f"{'add' if force is None else 'require'} {escape.hatch.native} >= {needed.version}"
    elif now >= needed.parsed:
        where = f"locked {force.locked_text if force is not None else ''} has it"
    else:
        where = f"upgrade from locked {force.locked_text if force is not None else ''}"
    hint = f"Write the native resource with an `import` block, and a `removed` block (destroy = false) for {escape.address}."
    shown = "; ".join(parts[:5]) + (f"; and {len(parts) - 5} more" if len(parts) > 5 else "")
    return Outcome(
        "WRK003", "fail", escape.address, escape.path, ", ".join(_shown(escape, j.api) for j in judged[:5]),
        ", ".join(dict.fromkeys(j.native for j in judged[:5])), f"{shown}; {where}. {hint}", hint, floor=floor,
        evidence=(Evidence(f"{escape.hatch.native} as of {shard.as_of if shard is not None else ''}"),),
    )  # fmt: skip


def _rest(context: LagContext, escape: Escape) -> Outcome | None:
    if allowed(context.allow, escape.type):
        return None
    if escape.unread:
        return Outcome(
            "WRK004", "open", escape.address, escape.path, escape.type, "a call that only reads",
            f"{escape.address}: whether it changes anything through {escape.hatch.label} is not known: {escape.unread}.",
            cause=escape.unread, floor=_floor(escape.existing),
        )  # fmt: skip
    return Outcome(
        "WRK004", "fail", escape.address, "", escape.type, "a native resource",
        f"{escape.address} calls an API through {escape.hatch.label} ({escape.source}).", floor=_floor(escape.existing),
    )  # fmt: skip


def _command(context: LagContext, command: Command) -> Outcome | None:
    if allowed(context.allow, command.type):
        return None
    floor = _floor(command.existing)
    if not command.shown:
        return Outcome(
            "WRK002", "open", command.address, command.path, command.path, "a command that can be read",
            f"{command.address}: {command.unread}.", cause="command cannot be read", floor=floor,
        )  # fmt: skip
    names = ", ".join(f"`{c}`" for c in command.shown[:4]) + (" ..." if len(command.shown) > 4 else "")
    return Outcome(
        "WRK002", "fail", command.address, command.path, ", ".join(command.shown[:4]), "a resource of the provider",
        f"{command.address} runs {names}.", floor=floor,
    )  # fmt: skip
