"""What a run says of the whole estate, asked of the store: rules, jurisdictions, providers, teams, opens, change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from auditor.lagfacts import Shard
from auditor.sweep.query import Answerer
from auditor.versions import parse_version

EXAMPLES = 3  # types a provider version misses, plans of a cause


@dataclass(frozen=True, slots=True)
class Rule:
    """Active fails of one rule. example: stack and message of the worst one."""

    rule: str
    level: str
    plans: int
    findings: int
    stack: str
    example: str


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Managed resources whose home (or processing place) is one country; gpus at most, of the jobs there."""

    country: str
    resources: int
    data: int
    gpus: int
    outside: int
    plans: int


@dataclass(frozen=True, slots=True)
class ProviderVersion:
    """A locked version. missed: types the newest release has and this one has not, by exact or stated first support."""

    source: str
    version: str
    plans: int
    resources: int
    released: str
    age_days: int | None
    newest: str
    missed: int | None
    examples: tuple[str, ...]
    needed: int  # active fails in these plans that ask for a newer version


@dataclass(frozen=True, slots=True)
class Team:
    team: str
    plans: int
    failing: int
    unreadable: int
    errors: int
    warnings: int
    opens: int
    resources: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Opens of one cause. fix: the remedy that most of them ask for; clears: how many that is."""

    cause: str
    rules: tuple[str, ...]
    findings: int
    plans: int
    fix: str
    clears: int


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing to do, whatever the causes: an assumption is the same one however the sentence around it reads."""

    fix: str
    findings: int
    plans: int


@dataclass(frozen=True, slots=True)
class Change:
    """Against the last complete run over the same paths. One finding: fingerprint and kind in one plan."""

    since: str
    new: int
    fixed: int
    appeared: int  # plans
    gone: int
    expired: tuple[str, ...]  # waivers that ended since: their sentences
    other_settings: bool  # policy, catalogue, date or version differ
    examples: tuple[tuple[str, str, str], ...]  # new findings: rule, stack, message


@dataclass(frozen=True, slots=True)
class Unread:
    plan: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the estate, for the map. `key` is cloud, region, country."""

    key: tuple[str, str, str]
    verdict: str
    roles: tuple[tuple[str, int], ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """One run, for the trend."""

    run: str
    plans: int
    unreadable: int
    errors: int
    warnings: int
    opens: int


@dataclass(frozen=True, slots=True)
class Answers:
    run: dict[str, Any]
    plans: int
    read: int
    other: int
    failing: int
    opening: int  # plans read with an active open, or partial
    errors: int
    warnings: int
    notes: int
    opens: int
    resources: int
    gpus: int
    unread: tuple[Unread, ...]
    rules: tuple[Rule, ...]
    jurisdictions: tuple[Jurisdiction, ...]
    providers: tuple[ProviderVersion, ...]
    teams: tuple[Team, ...]
    causes: tuple[Cause, ...]
    fixes: tuple[Fix, ...]
    change: Change | None
    places: tuple[Place, ...]
    trend: tuple[Past, ...]
    undecided: int  # locations without a place
    hidden: int  # locations whose value is sensitive


def answers(store: Answerer, run: str, shard: Callable[[str], Shard | None]) -> Answers:
    """Everything about one run. shard: releases and first support of a provider."""
    [names] = [store.query("SELECT * FROM runs LIMIT 0").names]
    record = dict(zip(names, store.ask("SELECT * FROM runs WHERE run = ?", [run])[0], strict=True))
    [(plans, read, other)] = store.ask(
        "SELECT count(*), count(*) FILTER (status = 'read'), count(*) FILTER (status = 'other') FROM plans WHERE run = ?", [run]
    )
    [(failing, opening, errors, warnings, notes, opens, resources)] = store.ask(
        """SELECT count(*) FILTER (failing), count(*) FILTER (opens > 0 OR len(partial) > 0), coalesce(sum(errors), 0),
        coalesce(sum(warnings), 0), coalesce(sum(notes), 0), coalesce(sum(opens), 0), coalesce(sum(resources), 0)
        FROM audits WHERE run = ?""",
        [run],
    )
    [(gpus,)] = store.ask("SELECT coalesce(sum(coalesce(gpus_max, gpus_min)), 0) FROM jobs WHERE run = ?", [run])
    [(undecided, hidden)] = store.ask(
        "SELECT count(*) FILTER (len(places) = 0 AND NOT sensitive), count(*) FILTER (sensitive) FROM locations WHERE run = ?", [run]
    )
    return Answers(
        record, plans - other, read, other, failing, opening, int(errors), int(warnings), int(notes), int(opens),
        int(resources), int(gpus),
        tuple(
            Unread(*row)
            for row in store.ask(
                "SELECT plan, reason, message FROM plans WHERE run = ? AND status = 'unreadable' ORDER BY plan", [run]
            )
        ),
        _rules(store, run), _jurisdictions(store, run), _providers(store, run, record["as_of"], shard),
        _teams(store, run), _causes(store, run), _fixes(store, run), _change(store, record), _places(store, run), _trend(store, record),
        undecided, hidden,
    )  # fmt: skip


_RANK = "CASE f.level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END"


def _rules(store: Answerer, run: str) -> tuple[Rule, ...]:
    """Worst example: the worst level, then the job with the most GPUs, then the first by name."""
    rows = store.ask(
        f"""WITH f AS (SELECT f.*, {_RANK} AS rank FROM findings f WHERE run = ? AND state = 'active' AND kind = 'fail'),
        size AS (SELECT plan, name, max(coalesce(gpus_max, gpus_min, 0)) AS gpus FROM jobs WHERE run = ? GROUP BY ALL)
        SELECT f.rule, arg_min(f.level, f.rank), count(DISTINCT f.plan), count(*),
        arg_min({{'stack': f.stack, 'message': f.message}},
                {{'rank': f.rank, 'gpus': -coalesce(size.gpus, 0), 'stack': f.stack, 'address': f.address, 'path': f.path}}) AS worst,
        min(f.rank) AS rank
        FROM f LEFT JOIN size ON size.plan = f.plan AND (size.name = f.job OR size.name = f.address)
        GROUP BY f.rule ORDER BY rank, count(DISTINCT f.plan) DESC, f.rule""",
        [run, run],
    )
    return tuple(Rule(r, level, p, n, worst["stack"], worst["message"]) for r, level, p, n, worst, _ in rows)


def _jurisdictions(store: Answerer, run: str) -> tuple[Jurisdiction, ...]:
    """A resource in several countries counts in each; one whose place is open under `?`."""
    rows = store.ask(
        """WITH l AS (
          SELECT plan, address, bearing, verdict,
          unnest(CASE WHEN sensitive THEN ['(sensitive)'] WHEN len(countries) = 0 THEN ['?'] ELSE countries END) AS country
          FROM locations WHERE run = ? AND NOT is_data AND role IN ('home', 'processing')),
        r AS (SELECT plan, address, country, bool_or(bearing = 'data') AS data, bool_or(verdict = 'fail') AS fail
          FROM l GROUP BY plan, address, country),
        j AS (SELECT unnest(CASE WHEN len(countries) = 0 THEN ['?'] ELSE countries END) AS country,
          coalesce(gpus_max, gpus_min, 0) AS gpus FROM jobs WHERE run = ?),
        g AS (SELECT country, sum(gpus) AS gpus FROM j GROUP BY country HAVING sum(gpus) > 0),
        c AS (SELECT country, count(*) AS resources, count(*) FILTER (data) AS data, count(*) FILTER (fail) AS outside, count(DISTINCT plan) AS plans
          FROM r GROUP BY country)
        SELECT coalesce(c.country, g.country), coalesce(c.resources, 0), coalesce(c.data, 0), coalesce(g.gpus, 0),
        coalesce(c.outside, 0), coalesce(c.plans, 0)
        FROM c FULL JOIN g ON c.country = g.country ORDER BY 2 DESC, 1""",
        [run, run],
    )
    return tuple(Jurisdiction(*(v if isinstance(v, str) else int(v) for v in row)) for row in rows)  # type: ignore[arg-type]


def _providers(
    store: Answerer, run: str, as_of: str, shard: Callable[[str], Shard | None]
) -> tuple[ProviderVersion, ...]:
    rows = store.ask(
        """WITH f AS (SELECT plan, count(*) AS n FROM findings WHERE run = ? AND state = 'active' AND kind = 'fail'
          AND rule IN ('LAG002', 'LAG003') GROUP BY plan)
        SELECT source, version, count(*), sum(p.resources), coalesce(sum(f.n), 0)
        FROM providers p LEFT JOIN f ON f.plan = p.plan WHERE run = ? GROUP BY source, version ORDER BY source, version""",
        [run, run],
    )
    made = []
    for source, version, plans, resources, needed in rows:
        held = shard(source)
        parsed = parse_version(version) if version else None
        released = newest = ""
        missed: int | None = None
        examples: tuple[str, ...] = ()
        if held is not None:
            newest = str(held.newest)
            if parsed is not None:
                released = held.date_of(parsed)
                later = sorted(t for t, s in held.support.get("resource", {}).items() if parsed < s.parsed <= held.newest)
                missed, examples = len(later), tuple(later[:EXAMPLES])
        age = (date.fromisoformat(as_of) - date.fromisoformat(released)).days if released else None
        made.append(
            ProviderVersion(source, version, plans, int(resources), released, age, newest, missed, examples, int(needed))
        )
    return tuple(sorted(made, key=lambda p: (p.source, -(p.age_days if p.age_days is not None else -1), p.version)))


def _teams(store: Answerer, run: str) -> tuple[Team, ...]:
    rows = store.ask(
        """WITH g AS (SELECT plan, sum(coalesce(gpus_max, gpus_min, 0)) AS gpus FROM jobs WHERE run = ? GROUP BY plan)
        SELECT p.team, count(*), count(*) FILTER (a.failing), count(*) FILTER (p.status = 'unreadable'), coalesce(sum(a.errors), 0),
        coalesce(sum(a.warnings), 0), coalesce(sum(a.opens), 0), coalesce(sum(a.resources), 0), coalesce(sum(g.gpus), 0)
        FROM plans p LEFT JOIN audits a ON a.run = p.run AND a.plan = p.plan LEFT JOIN g ON g.plan = p.plan
        WHERE p.run = ? AND p.status != 'other' GROUP BY p.team ORDER BY 5 DESC, 4 DESC, 1""",
        [run, run],
    )
    return tuple(Team(t, *(int(v) for v in numbers)) for t, *numbers in rows)


def _causes(store: Answerer, run: str) -> tuple[Cause, ...]:
    """Opens without a cause of their own are grouped by what is to be done."""
    rows = store.ask(
        """WITH o AS (SELECT plan, rule, remediation, CASE WHEN cause = '' THEN remediation ELSE cause END AS cause
          FROM findings WHERE run = ? AND state = 'active' AND kind = 'open'),
        fixes AS (SELECT cause, remediation, count(*) AS n FROM o GROUP BY ALL)
        SELECT o.cause, list_sort(list(DISTINCT o.rule)), count(*), count(DISTINCT o.plan),
        (SELECT {'fix': remediation, 'n': n} FROM fixes WHERE fixes.cause = o.cause ORDER BY n DESC, remediation LIMIT 1)
        FROM o GROUP BY o.cause ORDER BY 3 DESC, 1""",
        [run],
    )
    return tuple(Cause(c, tuple(rules), n, plans, best["fix"], best["n"]) for c, rules, n, plans, best in rows)


def _fixes(store: Answerer, run: str) -> tuple[Fix, ...]:
    rows = store.ask(
        """SELECT CASE WHEN regexp_matches(remediation, '--assume \\S+=') THEN 'pass ' || regexp_extract(remediation, '--assume \\S+=\\w+')
          ELSE remediation END AS fix, count(*), count(DISTINCT plan)
        FROM findings WHERE run = ? AND state = 'active' AND kind = 'open' GROUP BY fix ORDER BY 2 DESC, 1""",
        [run],
    )
    return tuple(Fix(*row) for row in rows)


def _change(store: Answerer, record: dict[str, Any]) -> Change | None:
    run = record["run"]
    before = store.ask(
        "SELECT run, settings FROM runs WHERE run < ? AND complete AND roots = ?::VARCHAR[] ORDER BY run DESC LIMIT 1",
        [run, record["roots"]],
    )
    if not before:
        return None
    since, settings = before[0]
    # A plan that cannot be read in one of the runs tells nothing of what is new or fixed.
    both = """WITH seen AS (SELECT plan FROM plans WHERE run = $now AND status = 'read' INTERSECT
        SELECT plan FROM plans WHERE run = $was AND status = 'read'),
        active AS (SELECT DISTINCT run, plan, fingerprint, kind FROM findings WHERE state = 'active' AND run IN ($now, $was)),
        new AS (SELECT plan, fingerprint, kind FROM active WHERE run = $now
                EXCEPT SELECT plan, fingerprint, kind FROM active WHERE run = $was),
        fixed AS (SELECT plan, fingerprint, kind FROM active WHERE run = $was
                  EXCEPT SELECT plan, fingerprint, kind FROM active WHERE run = $now)"""
    named = {"now": run, "was": since}
    [(new, fixed)] = store.ask_named(
        f"{both} SELECT (SELECT count(*) FROM new SEMI JOIN seen USING (plan)), (SELECT count(*) FROM fixed SEMI JOIN seen USING (plan))",
        named,
    )
    examples = store.ask_named(
        f"""{both} SELECT f.rule, f.stack, any_value(f.message ORDER BY f.address)
        FROM new SEMI JOIN seen USING (plan) JOIN findings f ON f.run = $now AND f.plan = new.plan
        AND f.fingerprint = new.fingerprint AND f.kind = new.kind AND f.state = 'active'
        GROUP BY f.rule, f.stack, f.fingerprint, f.level, f.kind ORDER BY {_RANK}, f.rule, f.stack, 3 LIMIT 10""",
        named,
    )
    [(appeared, gone)] = store.ask_named(
        """SELECT (SELECT count(*) FROM (SELECT plan FROM plans WHERE run = $now EXCEPT SELECT plan FROM plans WHERE run = $was)),
        (SELECT count(*) FROM (SELECT plan FROM plans WHERE run = $was EXCEPT SELECT plan FROM plans WHERE run = $now))""",
        named,
    )
    expired = store.ask_named(
        """SELECT DISTINCT message FROM findings WHERE run = $now AND rule = 'META002' AND state = 'active'
        AND message NOT IN (SELECT message FROM findings WHERE run = $was AND rule = 'META002') ORDER BY message""",
        named,
    )
    return Change(
        since, new, fixed, appeared, gone, tuple(m for (m,) in expired), settings != record["settings"],
        tuple((r, s, m) for r, s, m in examples),
    )  # fmt: skip


def _places(store: Answerer, run: str) -> tuple[Place, ...]:
    """Places in a few countries at most: a location that may stand anywhere is no point on a map."""
    rows = store.ask(
        """WITH l AS (SELECT unnest(places) AS place, countries, role, verdict, plan, address FROM locations
          WHERE run = ? AND len(places) BETWEEN 1 AND 5 AND NOT sensitive),
        role AS (SELECT place, role, count(*) AS n FROM l GROUP BY ALL)
        SELECT l.place, min(CASE l.verdict WHEN 'fail' THEN 0 WHEN 'open' THEN 1 WHEN 'pass' THEN 2 ELSE 3 END),
        max(CASE WHEN len(countries) = 1 THEN countries[1] ELSE '' END),
        (SELECT list({'role': role, 'n': n} ORDER BY role) FROM role WHERE role.place = l.place),
        list_sort(list(DISTINCT l.plan || ': ' || l.address))[1:3]
        FROM l GROUP BY l.place ORDER BY 2, count(*) DESC, 1""",
        [run],
    )
    made = []
    for place, worst, country, roles, addresses in rows:
        cloud, _, region = place.partition(":")
        verdict = ("fail", "open", "pass", "none")[worst]
        made.append(Place((cloud, region, country), verdict, tuple((r["role"], r["n"]) for r in roles), tuple(addresses)))
    return tuple(made)


def _trend(store: Answerer, record: dict[str, Any]) -> tuple[Past, ...]:
    rows = store.ask(
        """SELECT r.run, count(*), count(*) FILTER (p.status = 'unreadable'), coalesce(sum(a.errors), 0), coalesce(sum(a.warnings), 0),
        coalesce(sum(a.opens), 0) FROM runs r JOIN plans p ON p.run = r.run LEFT JOIN audits a ON a.run = p.run AND a.plan = p.plan
        WHERE (r.complete OR r.run = ?) AND r.roots = ?::VARCHAR[] AND r.run <= ? AND p.status != 'other'
        GROUP BY r.run ORDER BY r.run DESC LIMIT 60""",
        [record["run"], record["roots"], record["run"]],
    )
    return tuple(Past(run, *(int(v) for v in numbers)) for run, *numbers in reversed(rows))
