"""Pure functions that judge: one kind of question each. `CHECKS` is the explicit list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from auditor.checks.context import AuditContext, Check
from auditor.checks.economics import economics_outcomes
from auditor.checks.security import reviewed_outcomes, security_outcomes
from auditor.checks.sovereignty import location_outcomes, provider_outcomes
from auditor.model import Outcome, Rule


def _sovereignty(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    if context.sovereignty is None:
        return
    if context.with_allow:
        yield from location_outcomes(context.subjects, context.sovereignty)
    yield from provider_outcomes(context.providers, context.sovereignty)


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
        )


CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("sovereignty", _sovereignty),
    ("economics", _economics),
    ("security", _security),
    ("resilience", _resilience),
    ("meta", _meta),
)
__all__ = ["CHECKS", "AuditContext", "Check"]
