"""What a source scan cannot be sure of: whether a resource comes to be at all, where an adopted one stands."""

from __future__ import annotations

from msgspec.structs import replace

from auditor.model import Outcome, Plan
from auditor.resolve.location import Located


def certain(outcome: Outcome, plan: Plan) -> Outcome:
    """A fail of a resource that may come to no instance is open; everything else stays as it is."""
    if not plan.uncertain or outcome.kind != "fail":
        return outcome
    why = plan.uncertain.get(outcome.address) or plan.uncertain.get(outcome.job or "")
    if why is None:
        return outcome
    message = f"{outcome.message} Whether it is created is open: {why}."
    return replace(outcome, kind="open", cause=why, message=message, remediation="Audit a plan, or give the value with --var.")


def adopted(located: Located) -> Located:
    """An imported resource stands where it stands: source tells it only by an attribute of its own."""
    cause = "it is imported: where it stands is known only to a plan"
    locations = tuple(
        loc
        if loc.source == "attribute" or not loc.places
        else replace(
            loc, places=(), complete=False, candidates=False, source="unknown", value="", cause=cause
        )
        for loc in located.locations
    )
    undecided = locations != located.locations
    return replace(located, locations=locations, status="undecided" if undecided else located.status)
