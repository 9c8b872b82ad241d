"""What a check receives: the plan as resolved, and the answers of the policy. No files, clock or network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from auditor.checks.economics_context import EconomicsContext
from auditor.checks.jobs import JobContext
from auditor.checks.lag import LagContext
from auditor.checks.resting import Resting
from auditor.checks.sovereignty import Allowed, SovereigntyContext, Subject
from auditor.facts import Index
from auditor.model import Job, Location, Outcome, Plan, Resource, Rule, Unknown, Workload

NOTHING = Index("", {}, {}, {})


class AuditContext(msgspec.Struct, frozen=True):
    """One plan under audit.

    sovereignty is None when no allow list and no workload is given; with_allow tells the two apart.
    lag is made on demand: its shards are read only when a lag or workaround rule runs.
    """

    plan: Plan
    subjects: Sequence[Subject] = ()
    jobs: Sequence[Job] = ()
    sovereignty: SovereigntyContext | None = None
    with_allow: bool = False
    providers: Mapping[str, tuple[str, str, int]] = msgspec.field(default_factory=dict)
    lag: Callable[[], LagContext | None] | None = None
    economics: EconomicsContext | None = None
    resting: Resting | None = None  # None: the workload neither hydrates just in time nor is regulated
    backends: Sequence[Location] = ()
    allowed: tuple[tuple[str, Allowed], ...] = ()  # the top-level list
    operators: frozenset[str] | None = None  # None: not configured
    job_context: JobContext = msgspec.field(default_factory=JobContext)
    index: Index = NOTHING
    as_of: str = ""
    workloads: Sequence[Workload] = ()
    tags: Callable[[Resource], Mapping[str, object] | Unknown] | None = None  # after default tags are merged


Check = Callable[[AuditContext, Mapping[str, Rule]], Iterator[Outcome]]
