"""What the economic rules are told of a run, and how their outcomes are worded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from auditor.economics import UNIT_NOTE, Price
from auditor.facts import Trace
from auditor.model import Job, Level, Outcome
from auditor.workload import Declared

SPOKES: Final = ("neocloud", "marketplace")


class Home(msgspec.Struct, frozen=True):
    """`data_home` as resolved: a cloud and a region, or why it is not known."""

    declared: str = ""
    cloud: str = ""
    region: str = ""

    @property
    def place(self) -> str:
        return f"{self.cloud}:{self.region}" if self.region else self.cloud


class EconomicsContext(msgspec.Struct, frozen=True):
    """Declared facts, limits and prices of a run, and what its plan says of compute.

    declared is None where there is no manifest: the set is then not configured.
    classes: cloud -> class of every cloud that carries planned resources; spokes: clouds declared as spoke.
    """

    as_of: date
    declared: Declared | None
    gates: Mapping[str, Any]
    hub_price: Price
    spoke_price: Price
    home: Home = Home()
    classes: Mapping[str, str] = msgspec.field(default_factory=dict)
    spokes: tuple[str, ...] = ()
    jobs: Sequence[Job] = ()
    traces: Callable[[], Sequence[Trace]] = tuple

    def traced(self, *names: str) -> list[Trace]:
        return [t for t in self.traces() if t.trait.name in names]

    @property
    def accelerated(self) -> list[Job]:
        """Jobs with accelerators, or with a size or type that may hold some."""
        return [j for j in self.jobs if j.accelerators or j.unknown_types or j.gpus_max]

    @property
    def compute(self) -> dict[str, str]:
        """Clouds that carry the work -> class. Of a plan without jobs: its neoclouds. Declared spokes always."""
        clouds = {j.cloud for j in self.accelerated} | {t.trait.cloud for t in self.traced("compute")}
        found = {c: self.classes.get(c, "unknown") for c in clouds if c}
        if not found:
            found = {c: k for c, k in self.classes.items() if k in SPOKES}
        return found | {c: self.classes.get(c, "neocloud") for c in self.spokes}

    @property
    def neoclouds(self) -> list[str]:
        return sorted(c for c, k in self.compute.items() if k in SPOKES or c in self.spokes)


def outcome(rule: str, kind: Any, message: str, observed: str = "", expected: str = "", fix: str = "",
             cause: str = "", level: Level | None = None, path: str = "", units: bool = True) -> Outcome:  # fmt: skip
    return Outcome(
        rule, kind, path=path, observed=observed, expected=expected, message=message + (UNIT_NOTE if units else ""),
        remediation=fix, cause=cause, level=level,
    )  # fmt: skip


def open_for(rule: str, missing: Sequence[str], about: str, level: Level | None = None) -> Outcome:
    """Open for want of declared facts, which it names."""
    names = ", ".join(f"workload.{m}" for m in missing)
    return outcome(
        rule, "open", f"{about}: declare {names}.", "not declared", names, f"Declare {names} in the workload manifest.",
        f"not declared: {names}", level,
    )  # fmt: skip


def names_of(addresses: Sequence[str]) -> str:
    shown = ", ".join(addresses[:3])
    return shown + (f" and {len(addresses) - 3} more" if len(addresses) > 3 else "")
