"""The whole run in one place: plans -> resolved subjects -> outcomes -> findings -> Report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from auditor import __version__
from auditor.baseline import Baseline, apply_baseline, previous_addresses
from auditor.catalog import Catalog
from auditor.checks.context import AuditContext
from auditor.checks.economics_context import EconomicsContext
from auditor.checks.lag import LagContext
from auditor.checks.resting import Resting
from auditor.checks.security import fragmentation
from auditor.checks.sovereignty import SovereigntyContext, Subject
from auditor.config import Config
from auditor.economic_facts import economics_context, gate_facts, hydration_of, prices_said, spokes_of
from auditor.errors import AuditorError, RuleError
from auditor.gates import EVERY as GATE_RULES
from auditor.gates import Graded, judge_gates, overall
from auditor.identity import fingerprint
from auditor.inline import inline_waivers
from auditor.levels import at_least, level_of
from auditor.model import (
    LEVELS,
    Action,
    BaselineCounts,
    Coverage,
    Finding,
    InputInfo,
    Job,
    Level,
    Location,
    Outcome,
    Plan,
    Report,
    Resource,
    Rule,
    Summary,
    Waived,
    Workload,
)
from auditor.places import AllowList
from auditor.planned_jobs import build_jobs, job_context, unmatched, with_jobs
from auditor.remedies import Remedies
from auditor.resolve.backends import backend_locations
from auditor.resolve.lag_use import collect
from auditor.resolve.location import Located, Locator
from auditor.resolve.references import References
from auditor.resolve.stores import Store, mentioned, store_of, volumes
from auditor.resolve.tags import tags_of
from auditor.resolve.uncertain import adopted, certain
from auditor.resolve.workloads import read_workloads
from auditor.rules import adjust, bind
from auditor.scopes import Subject as ScopeSubject
from auditor.waivers import apply_waivers

if TYPE_CHECKING:
    from auditor.resolve.source import Pointer

_WATCHED = tuple(f"SOV{n:03}" for n in range(1, 14))  # opens of these leave regulated data undecided
_NEEDED = ("SOV001", "SOV002", "SOV003", "SOV004", "SOV005", "SOV006", "SOV007", "SOV010", "SOV011")


class _Tally(msgspec.Struct):
    """Counts and records gathered over all plans of a run."""

    coverage: dict[str, int] = msgspec.field(
        default_factory=lambda: dict.fromkeys(("all", "located", "global", "undecided"), 0)
    )
    unknown_types: set[str] = msgspec.field(default_factory=set)
    locations: list[Location] = msgspec.field(default_factory=list)
    jobs: list[Job] = msgspec.field(default_factory=list)
    workloads: list[Workload] = msgspec.field(default_factory=list)
    assumptions: dict[str, str] = msgspec.field(default_factory=dict)
    economics: list[EconomicsContext] = msgspec.field(default_factory=list)
    stores: list[tuple[str, str, str]] = msgspec.field(default_factory=list)  # cloud, address, category
    levels: list[tuple[Finding, Level]] = msgspec.field(default_factory=list)  # of the rules of the gates, as they count there
    passed: dict[str, str] = msgspec.field(default_factory=dict)  # rule -> what its pass said

    def count(self, status: Mapping[str, int]) -> None:
        """Adds the resources of one plan by the status of their location."""
        held = self.coverage
        held["all"] += sum(status.values())
        held["located"] += status["located"]
        held["global"] += status["global"]
        held["undecided"] += status["undecided"] + status["unknown_type"]


def audit(
    plans: Sequence[Plan],
    config: Config,
    catalog: Catalog,
    rules: Sequence[Rule],
    every: Mapping[str, Rule],
    as_of: date,
    baseline: Baseline | None = None,
) -> Report:
    """Audit plans with the selected rules. `every` holds all known rules by id, selected or not.

    Raises RuleError when a check crashes: an audit that lost a rule has decided nothing.
    """
    catalog = catalog.over(config.overlay)
    rules = adjust(rules, {rule_id: o.params for rule_id, o in config.rules.items()})
    tally = _Tally()
    findings: list[Finding] = []
    partial: list[str] = []
    for plan in plans:
        context = _resolve(plan, config, catalog, tally, as_of)
        partial += [f"{plan.path}: {reason}" if len(plans) > 1 else reason for reason in plan.partial]
        pointer = _pointer(plan)
        for found in _outcomes(context, rules):
            outcome = certain(found, plan)
            if outcome.kind in ("fail", "open"):
                finding = _finding(outcome, every[outcome.rule], config)
                finding = pointer.place(finding) if pointer is not None else finding
                findings.append(finding)
                if outcome.rule in GATE_RULES:
                    tally.levels.append((finding, _gate_level(outcome, every[outcome.rule], config)))
            elif outcome.kind == "pass" and outcome.message:
                tally.passed[outcome.rule] = outcome.message
    comments = [w for p in plans if p.source is not None for w in inline_waivers(p.source, every, as_of.isoformat())]
    waivers = (*config.waivers, *dict.fromkeys(comments))
    active, waived, about = apply_waivers(findings, waivers, every, as_of, _judged(rules, config))
    unchanged: list[Finding] = []
    against: BaselineCounts | None = None
    if baseline is not None:
        active, unchanged, against = apply_baseline(
            active, [w.finding for w in waived], baseline, previous_addresses(plans), {r.id for r in rules}
        )
    about += unmatched(tally.jobs, config)
    active += [_finding(o, every[o.rule], config) for o in about]
    active += [_finding(o, every[o.rule], config) for o in _regulated(active, rules, config, bool(partial))]
    report = _report(plans, config, catalog, rules, as_of, tally, active, waived, partial)
    report = _with_gates(report, tally, config, catalog, every)
    if against is None:
        return report
    unchanged.sort(key=_order)
    return replace(
        report, baseline=against, unchanged=() if against.hide else tuple(unchanged),
        summary=replace(report.summary, unchanged=len(unchanged)),
    )  # fmt: skip


def economics_of(plan: Plan, config: Config, catalog: Catalog, as_of: date) -> EconomicsContext:
    """What a plan alone tells the calculators: compute, regions, where the data is."""
    tally = _Tally()
    _resolve(plan, config, catalog, tally, as_of)
    return tally.economics[0]


def _pointer(plan: Plan) -> Pointer | None:
    if plan.source is None:
        return None
    from auditor.resolve.source import Pointer  # not needed, and not loaded, where there is no source

    return Pointer(plan, plan.source)


def _gate_level(outcome: Outcome, rule: Rule, config: Config) -> Level:
    """The level without the mercy for existing resources and inference: a gate asks about the design."""
    override = config.rules.get(rule.id)
    bare = replace(outcome, floor=None)
    return level_of(bare, rule, override.level if override is not None else None, config.on_unknown, config.regulated)


def _with_gates(report: Report, tally: _Tally, config: Config, catalog: Catalog, every: Mapping[str, Rule]) -> Report:
    """The report with its gates, hydration and fragmentation; no gates where `--rules` left out rules they need."""
    ran = {r.id for r in report.rules}
    waived = {(w.finding.rule, w.finding.address, w.finding.path) for w in report.waived}
    graded = [Graded(f, level, (f.rule, f.address, f.path) in waived) for f, level in tally.levels]
    graded += [Graded(f, f.level) for f in report.findings if f.rule == "SOV008"]  # made of the others, not by a check
    facts = gate_facts(
        tally.economics, graded, tally.passed, config, rules=report.rules, every=every,
        locations=len(report.locations), partial=report.partial,
    )  # fmt: skip
    gates = () if "was not selected" in facts.missing.values() else judge_gates(facts)
    findings = [*report.findings, *(w.finding for w in report.waived)]
    fragments = [fragmentation(c, report.locations) for c in tally.economics] if "RES001" in ran else []
    return replace(
        report, gates=gates, overall=overall(gates) if gates else None,
        hydration=hydration_of(tally.economics, tally.stores, findings, config, catalog, "SOV013" in ran),
        fragmentation="; ".join(dict.fromkeys(f for f in fragments if f)),
        prices=prices_said(tally.economics[0]) if tally.economics else (),
    )  # fmt: skip


def _judged(rules: Iterable[Rule], config: Config) -> set[str]:
    """Rules whose silence says something about a waiver: those that ran, and those that the policy switched off."""
    return {r.id for r in rules} | {rule_id for rule_id, o in config.rules.items() if o.off}


def _resolve(plan: Plan, config: Config, catalog: Catalog, tally: _Tally, as_of: date) -> AuditContext:
    refs = References(plan)
    locator = Locator(plan, refs, catalog, config.assume)
    subjects: list[Subject] = []
    counts: dict[str, int] = {}
    homes: dict[str, Location] = {}
    data_home = str(config.declared.get("data_home", ""))
    rests = config.regulated or config.declared.get("pattern") == "jit"
    stores: list[Store] = []
    status = dict.fromkeys(("located", "global", "undecided", "unknown_type"), 0)
    for block, resources in plan.by_block.items():
        for resource in resources:
            if resource.change.actions == ("delete",) or resource.deposed:
                if not resource.deposed and locator.is_guard(resource):
                    subjects.append(Subject(resource, "", (), guard=True))
                continue
            if plan.kind == "state" and resource.is_data:
                continue
            located = locator.locate(resource, block)
            if plan.kind == "hcl" and resource.importing:
                located = adopted(located)
            if resource.mode != "data":
                status[located.status] += 1
                counts[located.provider] = counts.get(located.provider, 0) + 1
                if located.status == "unknown_type":
                    tally.unknown_types.add(resource.type)
                elif located.curated and located.bearing == "data":
                    tally.stores.append((located.cloud, resource.address, located.category))
            if data_home and located.home is not None and resource.name in data_home:
                homes.setdefault(block, located.home)
                homes.setdefault(resource.address, located.home)
            if rests and (store := _store(located, catalog, refs)) is not None:
                stores.append(store)
            tally.locations.extend(located.locations)
            if located.locations or (located.status == "unknown_type" and resource.mode != "data"):
                subjects.append(_subject(located, plan, config, locator))
    tally.count(status)
    for drifted in plan.drift:
        if drifted.change.actions != ("delete",):
            subjects.append(_drift(locator, drifted, plan, config))
    jobs, seen = build_jobs(plan, refs, locator, config, catalog)
    tally.jobs.extend(jobs)
    workloads = read_workloads(plan, refs, catalog)
    tally.workloads.extend(workloads)
    subjects = with_jobs(subjects, jobs)
    tally.assumptions.update(locator.used_assumptions)
    index = catalog.index
    providers = {
        source: (p.cloud, p.cls, counts[source])
        if (p := index.providers.get(source))
        else ("", "unknown", counts[source])
        for source in counts
    }
    sovereignty = None
    if config.places is not None or config.workload is not None:
        remedies = Remedies(catalog, subjects)
        sovereignty = SovereigntyContext(
            index, config.regulated, config.region_guarantees, remedies.remedy
        )
    economics = economics_context(plan, config, catalog, as_of, providers=providers, homes=homes, jobs=jobs)
    tally.economics.append(economics)
    classes = {source: p.cls for source, p in index.providers.items()}  # of providers that are only read, too
    resting = None
    if rests:
        resting = Resting(
            spokes_of([economics]), stores, tuple(volumes(plan, catalog.volumes, refs)),
            {j.name: mentioned(j.name, refs) for j in jobs}, float(config.jit["max_rest_days"]), config.regulated,
        )  # fmt: skip
    return AuditContext(
        plan, subjects, jobs, sovereignty, config.places is not None, providers,
        lag=lambda: _lag(plan, refs, config, catalog, as_of, classes), economics=economics, resting=resting,
        backends=backend_locations(plan.source, catalog) if plan.source is not None else (),
        allowed=(("", config.places.top),) if config.places is not None else (), operators=config.operators, index=index,
        job_context=job_context(jobs, config, catalog, seen), workloads=workloads,
        as_of=as_of.isoformat(), tags=lambda r: tags_of(r, locator.providers),
    )  # fmt: skip


def _lag(
    plan: Plan, refs: References, config: Config, catalog: Catalog, as_of: date, classes: Mapping[str, str]
) -> LagContext:
    """Made when a lag or workaround rule asks: until then no shard is read."""
    return LagContext(
        collect(plan, refs, catalog), catalog, as_of, config.lag, config.stage, config.features, config.workarounds,
        plan.kind != "state", classes,
    )  # fmt: skip


def _store(located: Located, catalog: Catalog, refs: References) -> Store | None:
    """What an instance stores, and in which cloud: a claim of a cluster lies where the cluster does."""
    r = located.resource
    if r.action is Action.FORGET:
        return None
    cloud = located.cloud
    if located.home is not None and located.home.decided:
        cloud = located.home.places[0].cloud
    curated = located.category if located.curated and located.bearing == "data" else ""
    return store_of(r, cloud, curated, catalog.stores, refs)


def _subject(located: Located, plan: Plan, config: Config, locator: Locator) -> Subject:
    r = located.resource
    existing = r.change.importing is None and (plan.kind == "state" or r.change.actions in (("no-op",), ("forget",)))
    lists: tuple[tuple[str, AllowList], ...] = ()
    maybe: tuple[tuple[str, AllowList], ...] = ()
    either: tuple[tuple[tuple[str, AllowList], ...], ...] = ()
    if config.places is not None:
        decision = config.places.top_only
        if config.places.scopes:
            category = located.category if located.curated else ""
            tagged = any(scope.tags for scope in config.places.scopes)
            tags = tags_of(r, locator.providers) if tagged else {}
            decision = config.places.allow_for(ScopeSubject(r.address, r.type, located.provider, tags, category))
        lists, maybe = decision.lists, decision.undecided
        either = decision.alternatives if maybe else ()
    return Subject(
        r, located.cloud, located.locations, located.before, located.status == "unknown_type",
        located.bearing, located.curated, located.guard, existing, allowed=lists, undecided_scopes=maybe,
        alternatives=either, by_reference=located.by_reference,
    )  # fmt: skip


def _drift(locator: Locator, drifted: Resource, plan: Plan, config: Config) -> Subject:
    """A resource that changed outside Terraform: where it was recorded, where it is now."""
    now = locator.locate(drifted)
    was = locator.locate(replace_after(drifted))
    return replace(_subject(now, plan, config, locator), before=was.locations, drift=True, existing=False)


def replace_after(resource: Resource) -> Resource:
    """The same instance with its earlier values in place of the new ones."""
    import msgspec

    change = msgspec.structs.replace(
        resource.change, after=resource.change.before, after_sensitive=resource.change.before_sensitive
    )
    return msgspec.structs.replace(resource, change=change)


def _outcomes(context: AuditContext, rules: Iterable[Rule]) -> list[Outcome]:
    found: list[Outcome] = []
    for check, bound in bind(rules):
        try:
            found.extend(o for o in check(context, bound) if o.rule in bound)
        except AuditorError:
            raise
        except Exception as e:  # a check that crashed must end the run, not shorten it
            import traceback

            frame = traceback.extract_tb(e.__traceback__)[-1]
            where = f"{Path(frame.filename).name}:{frame.lineno}"
            raise RuleError(
                f"the check of {', '.join(bound)} crashed ({type(e).__name__} at {where}); nothing is decided",
                "Please report it; `--rules` can leave these rules out.",
            ) from e
    return found


def _finding(outcome: Outcome, rule: Rule, config: Config) -> Finding:
    override = config.rules.get(rule.id)
    level = level_of(
        outcome, rule, override.level if override is not None else None, config.on_unknown, config.regulated
    )
    return Finding(
        rule=rule.id, kind="open" if outcome.kind == "open" else "fail", level=level, address=outcome.address,
        path=outcome.path, observed=outcome.observed, expected=outcome.expected, message=outcome.message,
        remediation=outcome.remediation or rule.remediation,
        fingerprint=fingerprint(rule.id, outcome.address, outcome.path), aliases=rule.aliases,
        countries=outcome.countries, role=outcome.role or None, job=outcome.job, cause=outcome.cause,
        evidence=outcome.evidence, dates=outcome.dates,
    )  # fmt: skip


def _regulated(active: Iterable[Finding], rules: Iterable[Rule], config: Config, partial: bool) -> list[Outcome]:
    """SOV008: regulated data and sovereignty not fully decided."""
    rule = next((r for r in rules if r.id == "SOV008"), None)
    if rule is None or not config.regulated:
        return []
    reasons: list[str] = []
    if config.places is None:
        reasons.append("there is no allow list")
    opens = sum(1 for f in active if f.kind == "open" and f.rule in _WATCHED)
    if opens:
        reasons.append(f"{opens} locations or providers are open")
    off = [i for i in _NEEDED if i in config.rules and config.rules[i].off]
    if off:
        reasons.append(f"{', '.join(off)} switched off")
    if partial:
        reasons.append("the input is partial")
    if not reasons:
        return []
    message = f"Regulated data, and sovereignty is not fully decided: {'; '.join(reasons)}."
    return [Outcome("SOV008", "fail", observed="; ".join(reasons), expected="every location decided", message=message)]


def _order(f: Finding) -> tuple[int, str, str, str, str]:
    return (LEVELS.index(f.level), f.rule, f.address, f.path, f.message)


def _report(
    plans: Sequence[Plan], config: Config, catalog: Catalog, rules: Sequence[Rule], as_of: date, tally: _Tally,
    active: list[Finding], waived: list[Waived], partial: list[str],
) -> Report:  # fmt: skip
    active.sort(key=_order)
    waived.sort(key=lambda w: (w.finding.rule, w.finding.address, w.finding.path))
    fails = [f for f in active if f.kind == "fail"]
    opens = [f for f in active if f.kind == "open"]
    verdict: Literal["pass", "fail", "open"] = "pass"
    if any(at_least(f.level, config.fail_on) for f in fails):
        verdict = "fail"
    elif opens:
        verdict = "open"
    counted = {level: sum(1 for f in fails if f.level == level) for level in LEVELS}
    not_configured = []
    asked = {r.set for r in rules}
    if config.places is None and "SOV" in asked:
        not_configured.append("sovereignty: no allow list (add `allow: [EU]` to .auditor.yaml)")
    if config.operators is None and any(r.id == "SOV015" for r in rules):
        not_configured.append("operators (SOV015): no operators.allow")
    if config.workload is None and "ECO" in asked:
        not_configured.append("economics: no workload manifest (write one with `auditor init --workload`)")
    c = tally.coverage
    return Report(
        version=__version__, catalog=catalog.index.as_of, as_of=as_of.isoformat(),
        inputs=tuple(InputInfo(p.path, p.kind, p.terraform_version, bool(p.partial)) for p in plans),
        verdict=verdict,
        summary=Summary(counted["error"], counted["warning"], counted["note"], len(opens), len(waived)),
        findings=tuple(active), waived=tuple(waived),
        jobs=tuple(sorted(tally.jobs, key=lambda j: (j.name, j.addresses))),
        workloads=tuple(sorted(tally.workloads, key=lambda w: (w.address, w.path))),
        locations=tuple(sorted(tally.locations, key=lambda loc: (loc.address, loc.role, loc.path))),
        coverage=Coverage(
            c["all"], c["located"], c["global"], c["undecided"], len(tally.unknown_types),
            sum(1 for r in rules if r.set != "META"),
        ),
        assumptions=tuple(f"{k} = {v}" for k, v in sorted(tally.assumptions.items())),
        not_configured=tuple(not_configured), partial=tuple(partial),
        notices=tuple(n for p in plans for n in (*p.notices, *_empty(p))), rules=tuple(rules),
        allow=tuple([config.places.top.describe("home")] if config.places is not None else ()),
        fail_on=config.fail_on,
    )  # fmt: skip


def _empty(plan: Plan) -> tuple[str, ...]:
    return () if plan.resources else (f"{plan.path}: holds no resource: nothing was judged",)
