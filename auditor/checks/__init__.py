"""Pure functions that judge: one kind of question each. `CHECKS` is the explicit list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from auditor.checks.capacity import lasting_outcomes, reserved_outcomes
from auditor.checks.context import AuditContext, Check
from auditor.checks.economics import economics_outcomes
from auditor.checks.fabric_use import use_outcomes
from auditor.checks.feeding import feeding_outcomes
from auditor.checks.interconnect import fabric_outcomes
from auditor.checks.lag import catalogue_age, lag_outcomes
from auditor.checks.measured import latency_outcomes
from auditor.checks.placement import shared_outcomes, tight_outcomes, zone_outcomes
from auditor.checks.refusals import refusal_outcomes
from auditor.checks.resting import operator_outcomes, state_outcomes, store_outcomes, volume_outcomes
from auditor.checks.security import reviewed_outcomes, security_outcomes
from auditor.checks.sovereignty import location_outcomes, provider_outcomes
from auditor.checks.workaround import workaround_outcomes
from auditor.checks.workloads import pod_outcomes
from auditor.model import Outcome, Rule


def _sovereignty(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    if context.sovereignty is None:
        return
    if context.with_allow:
        yield from location_outcomes(context.subjects, context.sovereignty)
    yield from provider_outcomes(context.providers, context.sovereignty)


def _resting(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    regulated = context.sovereignty is not None and context.sovereignty.regulated
    if context.allowed:
        yield from state_outcomes(context.backends, context.allowed, regulated)
    if context.resting is not None:
        yield from store_outcomes(context.resting)
        yield from volume_outcomes(context.jobs, context.resting)
    if context.operators is not None and context.index is not None:
        partitions: dict[str, set[str]] = {}
        for subject in context.subjects:
            for location in subject.locations:
                for place in location.places if location.decided else ():
                    partitions.setdefault(place.cloud, set()).add(place.partition)
        yield from operator_outcomes(context.providers, partitions, context.operators, context.index)


def _economics(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    if context.economics is not None:
        yield from economics_outcomes(context.economics, rules)


def _security(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    if context.economics is not None:
        regulated = context.sovereignty is not None and context.sovereignty.regulated
        yield from security_outcomes(context.economics, rules, regulated)


def _resilience(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """RES001 counts and judges nothing: `security.fragmentation` is printed, never a finding."""
    yield from ()


_NATIVE: Final = ("LAG003", "LAG004", "LAG009", "LAG010", "LAG011", "LAG012")


def _lag(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    """Lag and workarounds together: a block with a finding on its native type is not asked about its workaround."""
    made = context.lag() if context.lag is not None else None
    if made is None:
        return
    found = list(lag_outcomes(made))
    settled = {o.address for o in found if o.rule in _NATIVE and o.rule in rules and o.kind in ("fail", "open")}
    found += workaround_outcomes(made, settled)
    found = [o for o in found if o.rule in rules]
    yield from found
    yield from catalogue_age(made, found)


def _interconnect(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    yield from fabric_outcomes(context.jobs, context.job_context)
    yield from use_outcomes(context.jobs, context.job_context)
    yield from refusal_outcomes(context.jobs, context.job_context, "NET")
    yield from latency_outcomes(context.jobs, context.job_context, context.economics)


def _workloads(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    yield from pod_outcomes(context.workloads)


def _placement(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    yield from zone_outcomes(context.jobs, context.job_context)
    yield from tight_outcomes(context.jobs, context.job_context)
    yield from shared_outcomes(context.jobs)
    yield from refusal_outcomes(context.jobs, context.job_context, "PLC")
    yield from feeding_outcomes(context.jobs, context.job_context, context.economics)
    yield from lasting_outcomes(context.jobs, context.job_context, rules)


def _capacity(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    yield from reserved_outcomes(context.jobs)
    yield from refusal_outcomes(context.jobs, context.job_context, "CAP")


def _meta(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    if context.economics is not None:
        yield from reviewed_outcomes(context.economics)
    for reason in context.plan.partial:
        yield Outcome(
            "META006",
            "fail",
            observed="partial",
            expected="a complete plan",
            message=f"partial plan: {reason}; a pass is not proof.",
            remediation=rules["META006"].remediation,
            cause=reason,  # each in a group of its own
        )


CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("sovereignty", _sovereignty),
    ("resting", _resting),
    ("economics", _economics),
    ("lag", _lag),
    ("security", _security),
    ("resilience", _resilience),
    ("interconnect", _interconnect),
    ("workloads", _workloads),
    ("placement", _placement),
    ("capacity", _capacity),
    ("meta", _meta),
)
__all__ = ["CHECKS", "AuditContext", "Check"]
