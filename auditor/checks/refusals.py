"""Settings that the cloud's API refuses together: the launch would fail, whatever the job is for (rules marked †)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from auditor.checks.jobs import JobContext, about, outcome, trigger
from auditor.model import Job, Outcome

# Refused launches; the rest of a job's refusals is judged by the rule they belong to.
LAUNCH: Final = ("NET012", "NET013", "PLC012", "PLC015", "PLC016", "CAP002", "CAP004", "CAP005")


def refusal_outcomes(jobs: Sequence[Job], context: JobContext, rules: str) -> Iterator[Outcome]:
    """One verdict per rule of a set and job: a fail before an open."""
    for job in jobs:
        for rule in dict.fromkeys(r.rule for r in job.refused if r.rule.startswith(rules)):
            mine = [r for r in job.refused if r.rule == rule]
            worst = next((r for r in mine if r.verdict is True), mine[0])
            launch = rule in LAUNCH
            if not launch and not _judged(rule, job, context):
                continue
            if worst.verdict is None:
                if rule == "PLC012":
                    continue  # the zones are not known, which PLC001 says
                yield outcome(
                    rule, "open", job, worst.path, worst.seen, worst.want,
                    f"{about(job)}: it would be refused if {worst.because}, and that cannot be decided: {worst.cause}.",
                    f"Set {worst.want}.", cause=worst.cause,
                )  # fmt: skip
                continue
            others = "".join(f" Also: {r.because} ({r.seen})." for r in mine if r is not worst and r.verdict is True)
            lead = "the launch would be refused: " if launch else ""
            yield outcome(
                rule, "fail", job, worst.path, worst.seen, worst.want,
                f"{about(job)}: {lead}{worst.because} ({worst.seen}).{others}", f"Set {worst.want}.", adjust=not launch,
                only_at_max=not launch and trigger(job, context) == "max",
            )  # fmt: skip


def _judged(rule: str, job: Job, context: JobContext) -> bool:
    """Rules that are about training alone; a fabric's network matters where there is one to use."""
    if job.role == "inference":
        return False
    return rule != "NET006" or (job.raw_state == "on" and trigger(job, context) in ("yes", "max"))
