"""Pure functions that judge: one kind of question each. `CHECKS` is the explicit list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from auditor.checks.context import AuditContext, Check
from auditor.checks.sovereignty import location_outcomes, provider_outcomes
from auditor.model import Outcome, Rule


def _sovereignty(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    if context.sovereignty is None:
        return
    if context.with_allow:
        yield from location_outcomes(context.subjects, context.sovereignty)
    yield from provider_outcomes(context.providers, context.sovereignty)


def _meta(context: AuditContext, rules: Mapping[str, Rule]) -> Iterator[Outcome]:
    for reason in context.plan.partial:
        yield Outcome(
            "META006",
            "fail",
            observed="partial",
            expected="a complete plan",
            message=f"partial plan: {reason}; a pass is not proof.",
            remediation=rules["META006"].remediation,
        )


CHECKS: Final[tuple[tuple[str, Check], ...]] = (("sovereignty", _sovereignty), ("meta", _meta))
__all__ = ["CHECKS", "AuditContext", "Check"]
