"""The tables of the store: their columns, in order, each with what it holds. The one place that says so; versioned as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

SCHEMA: Final = "auditor-sweep/1"
Kind = Literal["text", "number", "flag", "texts"]


@dataclass(frozen=True, slots=True)
class Column:
    """Texts are never null; numbers may be, where a count is not known."""

    name: str
    kind: Kind
    holds: str


def _columns(text: str) -> tuple[Column, ...]:
    made = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, kind, holds = line.split(None, 2)
        assert kind in ("text", "number", "flag", "texts"), line
        made.append(Column(name, kind, holds))  # type: ignore[arg-type] # asserted above
    return tuple(made)


_KEY: Final = "key text hash of the plan, its lock file and manifest, and of catalogue, policy, date and version\n"

# Rows of one audit, kept once however many runs and paths hold the same plan.
AUDIT: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "audits": _columns(
            _KEY
            + """
            content text SHA-256 of the plan's bytes
            input text plan, state or hcl
            terraform_version text the Terraform that wrote the plan, "" where it does not say
            verdict text pass, fail or open
            errors number active findings of level error
            warnings number active findings of level warning
            notes number active findings of level note
            opens number active open findings
            waived number findings that a waiver covers
            unchanged number findings that the baseline holds
            failing flag whether `auditor check` would end with exit 1
            resources number managed resources
            located number resources with a decided home
            global number resources without a home
            undecided number resources whose home is open
            unknown_types number resource types the catalogue does not know
            rules_run number rules that ran
            partial texts why a pass would be no proof
            tag text value of the tag that --team names, "" without one
            as_of text the date judged for
            version text version of auditor
            catalog text date of the catalogue
            """
        ),
        "findings": _columns(
            _KEY
            + """
            rule text id of the rule
            kind text fail or open
            level text error, warning or note
            state text active, waived or unchanged (in the baseline); only active ones count
            address text address of the resource, job, provider or feature
            path text attribute path, "" where the whole is meant
            observed text the value seen; withheld where it is sensitive
            expected text the value wanted
            message text the sentence that reports print
            cause text why an open is open
            remediation text what to do
            countries texts ISO countries the finding speaks of, "*" for any
            role text home, replica, backup, processing, logs, cache or ""
            job text name of the job, or ""
            fingerprint text names the finding across runs
            file text source file, "" where no line is known
            line number first line, 0 where no line is known
            evidence texts the steps to the verdict
            waiver_reason text reason of the waiver that covers it
            waiver_expires text last day of that waiver
            waiver_source text where that waiver is written
            """
        ),
        "locations": _columns(
            _KEY
            + """
            address text address of the resource instance
            type text resource type
            is_data flag whether it is a data source
            bearing text data, control or "" (not known)
            path text attribute path
            role text home, replica, backup, processing, logs or cache
            value text the value; withheld where it is sensitive
            countries texts ISO countries, "*" for any
            places texts cloud:region
            source text the rung that decided it
            decided flag whether the place is decided
            candidates flag whether one of the places holds, not all
            sensitive flag whether the value is marked sensitive: then neither value nor place is kept
            cause text why it is open
            verdict text pass, fail or open under the sovereignty rules; none where they did not judge
            """
        ),
        "jobs": _columns(
            _KEY
            + """
            name text address of the block that sizes the job
            cloud text cloud
            addresses texts sizing instances
            role text training, inference or unknown
            nodes_min number nodes at least
            nodes_max number nodes at most
            gpus_min number GPUs at least
            gpus_max number GPUs at most
            instance_types texts instance types
            accelerators texts accelerators
            fabric text infiniband, roce, efa, tcpx, ici, none or unknown
            fabric_state text on, off, impossible, open or not_needed
            missing texts what the fabric lacks
            zones texts zones
            zones_max number zones it may use at once
            regions texts regions
            countries texts ISO countries of its sizing instances
            existing flag whether it stands already
            cause text why size or fabric is open
            """
        ),
        "providers": _columns(
            _KEY
            + """
            source text namespace/name
            version text locked version, "" without a lock file
            resources number managed resources of the provider
            """
        ),
    }
)

# Rows of one run.
RUN: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "runs": _columns(
            """
            run text when the run began, UTC; sorts by time
            finished text when it ended, UTC
            complete flag whether it reached the end (not interrupted)
            schema text version of these tables
            version text version of auditor
            catalog text date of the catalogue
            catalog_digest text hash of the catalogue's files
            policy text name of the policy, "" without one
            settings text hash of policy, rules, catalogue, date and version together
            as_of text the date judged for
            allow text what the policy allows, "" without an allow list
            fail_on text level from which a finding fails a run
            team text how plans are given to teams
            roots texts what was swept, without credentials and queries
            audited number plans audited in this run
            reused number plans whose rows were there already
            """
        ),
        "plans": _columns(
            """
            run text the run
            plan text path or URL of the plan, without credentials and queries
            stack text the stack it belongs to
            team text the team it belongs to
            key text joins the rows of its audit, "" where it could not be read
            status text read, unreadable, or other (found in a folder, and neither plan nor state)
            reason text missing, denied, slow, truncated, too large, broken, crashed, unavailable, or ""
            message text one sentence on what is wrong, "" where nothing is
            bytes number size of the plan, 0 where it was not read
            """
        ),
    }
)
TABLES: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType({**RUN, **AUDIT})
