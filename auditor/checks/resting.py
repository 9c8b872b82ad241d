"""Data that rests where it should only pass through, who owns a provider, and where Terraform keeps its state."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from auditor.checks.sovereignty import Allowed, decide, place_text
from auditor.facts import Index
from auditor.model import Job, Location, Outcome


class Stored(Protocol):
    """A store that the plan keeps (see `resolve/stores.py`)."""

    @property
    def address(self) -> str: ...
    @property
    def cloud(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def days(self) -> float | None: ...
    @property
    def known(self) -> bool: ...


class Held(Protocol):
    """A data volume of a node."""

    @property
    def address(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def nodes(self) -> tuple[str, ...]: ...
    @property
    def survives(self) -> bool | None: ...
    @property
    def what(self) -> str: ...


class Resting(msgspec.Struct, frozen=True):
    """What SOV013 and SOV014 are told: only where the workload hydrates just in time, or is regulated."""

    spokes: Collection[str]
    stores: Sequence[Stored] = ()
    volumes: Sequence[Held] = ()
    mentions: Mapping[str, Collection[str]] = {}  # sizing block -> blocks it refers to (its template)
    max_rest_days: float = 0
    regulated: bool = False


def store_outcomes(context: Resting) -> Iterator[Outcome]:
    """SOV013: a data store on the spoke, unless what it holds expires in time."""
    for s in context.stores:
        if s.cloud not in context.spokes:
            continue
        limit = f"{context.max_rest_days:g} days"
        if s.days is not None and s.days <= context.max_rest_days:
            continue
        observed = "known after apply" if not s.known else "never expires" if s.days is None else f"{s.days:g} days"
        base = Outcome(
            "SOV013", "fail", s.address, s.path, observed, f"expires within {limit}",
            f"{s.address}: a {s.kind} on the spoke ({s.cloud}) would keep data ({observed}; allowed: {limit}). "
            "The golden copy stays on the hub; the spoke holds shards in local NVMe only.",
            "Keep the store on the hub, or let its contents expire in time.",
            level="note" if s.kind == "registry" else None,
        )  # fmt: skip
        if s.known:
            yield base
            continue
        yield msgspec.structs.replace(
            base, kind="open", cause=f"{s.path} is known only after apply",
            message=f"{s.address}: whether the {s.kind} on the spoke ({s.cloud}) expires is known only after apply.",
        )  # fmt: skip


def volume_outcomes(jobs: Sequence[Job], context: Resting) -> Iterator[Outcome]:
    """SOV014: a data volume that outlives a GPU node of the spoke, or of regulated data anywhere."""
    for job in jobs:
        if not job.gpus_max or not (context.regulated or job.cloud in context.spokes):
            continue
        mine = {job.name, *context.mentions.get(job.name, ())}
        for v in context.volumes:
            if not mine.intersection(v.nodes):
                continue
            what = f"{v.address}: {v.path} keeps {v.what} of GPU node {job.name}"
            yield Outcome(
                "SOV014", "fail" if v.survives else "open", v.address, v.path,
                "survives the node" if v.survives else "known after apply", "wiped with the node",
                f"{what} after the node is gone." if v.survives else f"{what}, or not: known only after apply.",
                "Use local NVMe, or let the volume be deleted with the node. A plan cannot prove wiping.",
                job=job.name, cause="" if v.survives else f"{v.path} is known only after apply",
            )  # fmt: skip


def state_outcomes(backends: Sequence[Location], allowed: Sequence[tuple[str, Allowed]], regulated: bool) -> Iterator[Outcome]:
    """SOV009: where Terraform keeps its state. `backends` are the located backend blocks of the source."""
    for location in backends:
        verdict = decide(location, allowed, regulated)
        if verdict == "pass":
            continue
        expected = ", ".join(a.describe(location.role) for _, a in allowed)
        where = place_text(location)
        base = Outcome(
            "SOV009", verdict, location.address, location.path, location.value or where, expected,
            f"Terraform keeps its state in {where}. Allowed: {expected}.",
            "Keep the state in an allowed region.", location.countries, location.role, evidence=location.evidence,
        )  # fmt: skip
        if verdict == "fail":
            yield base
            continue
        cause = location.cause or location.unconfirmed
        yield msgspec.structs.replace(
            base, message=f"Where Terraform keeps its state cannot be decided: {cause}.", cause=cause,
            remediation="Write the location into the backend block, or say where that service keeps it.",
        )  # fmt: skip


def operator_outcomes(
    providers: Mapping[str, tuple[str, str, int]], partitions: Mapping[str, Collection[str]], allowed: Collection[str],
    index: Index,
) -> Iterator[Outcome]:  # fmt: skip
    """SOV015: who owns each provider. `partitions` maps a cloud to the partitions its resources stand in."""
    expected = ", ".join(sorted(allowed))
    for source, (cloud, cls, count) in sorted(providers.items()):
        if cls in ("utility", "onprem") or not count:
            continue
        summary = index.clouds.get(cloud)
        owners = [summary.owner] if summary is not None else []
        if summary is not None:
            owners = [summary.owner.partitions.get(p, summary.owner) for p in sorted(partitions.get(cloud, ())) or [""]]
        for owner in dict.fromkeys(owners):
            if owner.confirmed and owner.country in allowed:
                continue
            name = owner.name or source
            base = Outcome(
                "SOV015", "fail", source, "", owner.country, expected,
                f"{source} is owned by {name} ({owner.country}). Operators allowed: {expected}.",
                "Choose a provider whose owner is allowed, or add its country to operators.allow.", (owner.country,),
            )  # fmt: skip
            if owner.country and owner.confirmed:
                yield base
                continue
            why = "is disputed" if owner.disputed else "is not confirmed in the catalogue"
            yield msgspec.structs.replace(
                base, kind="open", countries=(owner.country,) if owner.country else (),
                observed=owner.country, message=f"{source}: who owns it {why}. Operators allowed: {expected}.",
                cause=f"the owner of {source} {why}", remediation="Confirm the owner and mend its entry in the catalogue.",
            )  # fmt: skip
            break
        if not owners:
            yield Outcome(
                "SOV015", "open", source, "", "", expected, f"{source}: who owns it is not in the catalogue.",
                "Declare the provider in the policy's catalog.providers.", cause=f"the owner of {source} is not in the catalogue",
            )  # fmt: skip
