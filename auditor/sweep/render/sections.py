"""The answers as tables of plain text, the same for every format that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from auditor.report.escape import clean, cut, prose
from auditor.spelling import plural
from auditor.sweep.answers import Answers, Cause, Team

LONG = 160
MAX_ROWS = 40


@dataclass(frozen=True, slots=True)
class Section:
    """A table, or lines where there is none. `right`: columns of numbers. more: rows left out."""

    title: str
    head: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    lines: tuple[str, ...] = ()
    right: frozenset[int] = field(default_factory=frozenset)
    more: int = 0


def headline(a: Answers) -> str:
    """`340 plans, 338 read, 2 unreadable (listed)`."""
    parts = [plural(a.plans, "plan"), f"{a.read} read"]
    if a.unread:
        parts.append(f"{len(a.unread)} unreadable (listed, never counted as clean)")
    if a.other:
        parts.append(f"{plural(a.other, 'other JSON file')} set aside")
    return ", ".join(parts)


def counts(a: Answers) -> str:
    return (
        f"{plural(a.failing, 'plan')} failing: {plural(a.errors, 'error')}, {plural(a.warnings, 'warning')}, "
        f"{plural(a.notes, 'note')}, {a.opens} open; {plural(a.resources, 'resource')}, {plural(a.gpus, 'GPU')}"
    )


def basis(a: Answers) -> str:
    """What the verdicts rest on."""
    r = a.run
    allowed = f"allowed: {prose(r['allow'])}" if r["allow"] else "sovereignty not configured: no allow list"
    state = "" if r["complete"] else "; INTERRUPTED: the plans not reached are missing"
    return f"run {r['run']}, judged as of {r['as_of']}, catalogue of {r['catalog']}, auditor {r['version']}; {allowed}{state}"


def disclaimer(a: Answers) -> str:
    if not a.run["allow"]:
        return ""
    return f"Locations are checked against an allow list you own ({prose(a.run['allow'])}); this is not legal advice."


def sections(a: Answers, limit: int = MAX_ROWS) -> list[Section]:
    """Every answer, those with nothing to say left out."""
    made = [
        _table(
            "Unreadable", ("PLAN", "REASON", "WHAT IS WRONG"),
            [(clean(u.plan), u.reason, prose(u.message)) for u in a.unread], limit=max(limit, 1000),
        ),
        _table(
            "Rules", ("RULE", "LEVEL", "PLANS", "FINDINGS", "WORST EXAMPLE"),
            [
                (clean(r.rule), r.level, str(r.plans), str(r.findings), f"{clean(r.stack)}: {cut(prose(r.example), LONG)}")
                for r in a.rules
            ], (2, 3), limit,
        ),
        _table(
            "Opens by cause", ("OPENS", "PLANS", "RULES", "CAUSE", "THE FIX MOST OF THEM ASK FOR"),
            [(str(c.findings), str(c.plans), " ".join(map(clean, c.rules)), cut(prose(c.cause), LONG), fix(c)) for c in a.causes],
            (0, 1), limit,
        ),
        _table(
            "Fixes that clear most opens", ("CLEARS", "PLANS", "FIX"),
            [(str(f.findings), str(f.plans), cut(prose(f.fix), LONG)) for f in a.fixes], (0, 1), min(limit, 10),
        ),
        _change(a),
        _table(
            "Jurisdictions", ("COUNTRY", "RESOURCES", "DATA-BEARING", "GPUS", "OUTSIDE", "PLANS"),
            [
                (_country(j.country), str(j.resources), str(j.data), str(j.gpus), str(j.outside), str(j.plans))
                for j in a.jurisdictions
            ], (1, 2, 3, 4, 5), limit,
        ),
        _table(
            "Teams", ("TEAM", "PLANS", "FAILING", "UNREADABLE", "ERRORS", "WARNINGS", "OPEN", "RESOURCES", "GPUS"),
            [(clean(t.team) or "(none)", *map(str, _numbers(t))) for t in a.teams], tuple(range(1, 9)), limit,
        ),
        _table(
            "Provider versions", ("PROVIDER", "LOCKED", "PLANS", "RESOURCES", "AGE", "NEWEST", "MISSES", "NEEDED NOW"),
            [
                (
                    clean(p.source), clean(p.version) or "not locked", str(p.plans), str(p.resources),
                    f"{p.age_days} d" if p.age_days is not None else "?", p.newest or "?",
                    "?" if p.missed is None else f"{plural(p.missed, 'type')}{_such(p.examples)}", str(p.needed),
                )
                for p in a.providers
            ], (2, 3, 4, 7), limit,
        ),
        _table(
            "Trend", ("RUN", "PLANS", "UNREADABLE", "ERRORS", "WARNINGS", "OPEN"),
            [tuple(map(str, (t.run, t.plans, t.unreadable, t.errors, t.warnings, t.opens))) for t in a.trend[-12:]],
            (1, 2, 3, 4, 5), limit,
        ) if len(a.trend) > 1 else Section("Trend"),
    ]  # fmt: skip
    return [s for s in made if s.rows or s.lines]


def _table(
    title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: Sequence[int] = (), limit: int = MAX_ROWS
) -> Section:
    return Section(title, head, rows[:limit], (), frozenset(right), max(len(rows) - limit, 0))


def _numbers(t: Team) -> tuple[int, ...]:
    return (t.plans, t.failing, t.unreadable, t.errors, t.warnings, t.opens, t.resources, t.gpus)


def fix(c: Cause) -> str:
    """`clears 24 of 27: Pass --assume ...`."""
    if not c.fix:
        return ""
    return f"clears {'all' if c.clears == c.findings else f'{c.clears} of'} {c.findings}: {cut(prose(c.fix), LONG)}"


def _such(examples: tuple[str, ...]) -> str:
    return f" ({', '.join(map(clean, examples))}, ...)" if examples else ""


def _country(code: str) -> str:
    return {"?": "undecided", "*": "any"}.get(code, clean(code))


def _change(a: Answers) -> Section:
    c = a.change
    title = "Since the last run"
    if c is None:
        return Section(title, lines=("No earlier complete run over these paths.",))
    lines = [
        f"since {c.since}: {c.new} new, {c.fixed} fixed, {plural(len(c.expired), 'waiver')} expired; "
        f"{plural(c.appeared, 'plan')} appeared, {c.gone} gone"
    ]
    if c.other_settings:
        lines.append("Policy, rules, catalogue, date or version differ from that run: a change may come from them.")
    lines += [f"expired: {prose(m)}" for m in c.expired]
    lines += [f"new: {clean(rule)} {clean(stack)}: {cut(prose(message), LONG)}" for rule, stack, message in c.examples]
    return Section(title, lines=tuple(lines))
