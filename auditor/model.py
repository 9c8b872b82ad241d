"""The nouns of auditor: frozen records that every other module passes around.

`Resource` is decoded straight from plan JSON, bodies kept raw (`msgspec.Raw`): a plan of 50,000
resources costs no second pass over its objects. Everything that a report prints is here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from auditor.syntax import SourceTree


class Unknown:
    """A value Terraform knows only after apply. Unknown never becomes a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(known after apply)"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Unknown()
EMPTY: Final = msgspec.Raw(b"{}")
NULL: Final = msgspec.Raw(b"null")


class Action(StrEnum):
    """What will happen to a resource instance."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    NOOP = "no-op"
    READ = "read"
    DELETE = "delete"
    FORGET = "forget"


class Change(msgspec.Struct, frozen=True, gc=False, eq=False):
    """`change` of plan JSON; bodies are undecoded JSON objects."""

    actions: tuple[str, ...] = ()
    before: msgspec.Raw = NULL
    after: msgspec.Raw = NULL
    after_unknown: msgspec.Raw = EMPTY
    before_sensitive: msgspec.Raw = EMPTY
    after_sensitive: msgspec.Raw = EMPTY
    importing: dict[str, Any] | None = None


class Resource(msgspec.Struct, frozen=True, eq=False):
    """One resource instance of a plan, a state file or HCL (`resource_changes[]` of plan JSON)."""

    address: str
    type: str
    name: str = ""
    mode: str = "managed"
    provider_name: str = ""
    change: Change = Change()
    index: str | int | float | None = None
    module_address: str = ""
    previous_address: str = ""
    deposed: str = ""
    action_reason: str = ""
    provider_key: str = ""  # of `provider_config`, where the instances of a block differ in it

    @property
    def is_data(self) -> bool:
        return self.mode == "data"

    @property
    def action(self) -> Action:
        return _ACTIONS.get(self.change.actions, Action.UPDATE)

    @property
    def importing(self) -> bool:
        return self.change.importing is not None


_ACTIONS: Final[Mapping[tuple[str, ...], Action]] = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("create", "forget"): Action.REPLACE,
    ("forget", "create"): Action.REPLACE,
    ("no-op",): Action.NOOP,
    ("read",): Action.READ,
    ("delete",): Action.DELETE,
    ("forget",): Action.FORGET,
}


# --- configuration -----------------------------------------------------------------------------


class ConfigResource(msgspec.Struct, frozen=True, eq=False):
    """A resource block in `configuration`: expressions, not values. `dynamic` blocks are absent."""

    address: str
    type: str
    name: str = ""
    mode: str = "managed"
    provider_config_key: str = ""
    expressions: dict[str, Any] = {}
    provisioners: list[dict[str, Any]] = []
    count_expression: dict[str, Any] | None = None
    for_each_expression: dict[str, Any] | None = None
    depends_on: list[str] = []


class ConfigModule(msgspec.Struct, frozen=True, eq=False):
    """A module of `configuration`, root or child."""

    resources: list[ConfigResource] = []
    module_calls: dict[str, ModuleCall] = {}
    variables: dict[str, dict[str, Any]] = {}
    outputs: dict[str, dict[str, Any]] = {}


class ModuleCall(msgspec.Struct, frozen=True, eq=False):
    """One `module` block."""

    source: str = ""
    version_constraint: str = ""
    expressions: dict[str, Any] = {}
    module: ConfigModule = ConfigModule()
    for_each_expression: dict[str, Any] | None = None


class ProviderConfig(msgspec.Struct, frozen=True, eq=False):
    """One `provider` block, or the implied one of a provider without a block."""

    name: str = ""
    full_name: str = ""
    alias: str = ""
    module_address: str = ""
    version_constraint: str = ""
    expressions: dict[str, Any] = {}


class Configuration(msgspec.Struct, frozen=True, eq=False):
    """`configuration` of plan JSON."""

    provider_config: dict[str, ProviderConfig] = {}
    root_module: ConfigModule = ConfigModule()


class Lock(msgspec.Struct, frozen=True):
    """One provider of `.terraform.lock.hcl`. `line` is 1-based."""

    source: str
    version: str
    constraints: str = ""
    line: int = 0
    host: str = ""


class LockFile(msgspec.Struct, frozen=True, gc=False):
    """A parsed dependency lock file; `providers` keyed by lower-case `namespace/type`.

    elsewhere: entries of a provider that also stands in `providers`, from another registry.
    """

    path: str
    providers: Mapping[str, Lock]
    elsewhere: tuple[Lock, ...] = ()

    def of(self, source: str, host: str) -> Lock | None:
        """The entry of a provider: of that registry host where it has one, else of any."""
        own = self.providers.get(source)
        if own is None or own.host == host:
            return own
        return next((o for o in self.elsewhere if o.source == source and o.host == host), own)


class Constraint(msgspec.Struct, frozen=True, gc=False):
    """A version constraint on a provider, with the place it was written."""

    source: str
    text: str
    where: str = ""


class Origin(msgspec.Struct, frozen=True, gc=False):
    """A value of a resource instance: the instance's address, the way to the value."""

    address: str
    path: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What the source expression of an attribute refers to.

    per: whose values each instance of the block gets, by address.
    complete: whether that is all of it.
    computed: whether the expression can mean less, or something else, than all that it mentions. where: its file and line.
    parts: of an expression in a `dynamic` block, which plan JSON leaves out: the same for each block that it makes, and
      whether its value waits for apply.
    """

    per: Mapping[str, tuple[Origin, ...]]
    constants: tuple[str, ...] = ()
    complete: bool = True
    computed: bool = False
    where: tuple[str, int] = ("", 0)
    parts: Mapping[str, tuple[tuple[tuple[Origin, ...], bool], ...]] | None = None


class Answers(Protocol):
    """What a plan's source says of its expressions."""

    def provider(self, config: ProviderConfig, attribute: str, node: Mapping[str, Any]) -> Mapping[str, Any]: ...

    def argument(self, block: str, path: tuple[str, ...]) -> Answer | None: ...

    def dynamic(self, block: str) -> Mapping[str, frozenset[str]]: ...

    def leaves_out(self, block: str, path: tuple[str, ...]) -> bool: ...

    def names(self, block: str, path: tuple[str, ...], node: Mapping[str, Any]) -> bool: ...


InputKind = Literal["plan", "state", "hcl"]


class Plan(msgspec.Struct, frozen=True, eq=False, dict=True):
    """What Terraform is about to do, or has done (`state`), or would do as far as HCL tells."""

    path: str
    kind: InputKind
    resources: list[Resource]
    terraform_version: str = ""
    format_version: str = ""
    drift: list[Resource] = []
    configuration: Configuration = Configuration()
    variables: Mapping[str, Any] = {}
    prior_state: msgspec.Raw = NULL
    partial: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    lock: LockFile | None = None
    dependencies: Mapping[str, tuple[str, ...]] = {}  # `depends_on` of state, by address
    source: SourceTree | None = None  # the Terraform source the plan was made from, where it is at hand
    # Makes what source says of the plan's expressions, where it is at hand: (plan, recorded data sources) -> Answers.
    answers: Callable[[Plan, Callable[[str], Mapping[str, Any]]], Answers] | None = None
    # Kind "hcl": instances that may not come to be, or come several times, with the reason (count is unknown).
    uncertain: Mapping[str, str] = {}

    @cached_property
    def blocks(self) -> Mapping[str, ConfigResource]:
        """Resource blocks by address without instance keys (`module.a.aws_s3_bucket.b`)."""
        found: dict[str, ConfigResource] = {}

        def visit(module: ConfigModule, prefix: str) -> None:
            for r in module.resources:
                found[prefix + r.address] = r
            for name, call in module.module_calls.items():
                visit(call.module, f"{prefix}module.{name}.")

        visit(self.configuration.root_module, "")
        return found

    @cached_property
    def by_block(self) -> Mapping[str, list[Resource]]:
        """Resource instances by block address, in plan order."""
        found: dict[str, list[Resource]] = {}
        for r in self.resources:
            found.setdefault(block_address(r), []).append(r)
        return found

    @cached_property
    def by_kind(self) -> Mapping[tuple[str, str], list[Resource]]:
        """Resource instances by type and provider, in plan order."""
        found: dict[tuple[str, str], list[Resource]] = {}
        for r in self.resources:
            found.setdefault((r.type, r.provider_name), []).append(r)
        return found


def strip_keys(address: str) -> str:
    """`module.a["x.y"].t.n[0]` -> `module.a.t.n`; quoted keys may hold dots and brackets."""
    return _KEY.sub("", address) if "[" in address else address


# A key; what follows a bracket that is never closed is no address.
_KEY: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"[^\]]*|[^"\]][^\]]*|)\]|\[.*', re.DOTALL)


def block_address(resource: Resource) -> str:
    """The address of the resource block: no instance key, of the resource or of a module."""
    prefix = _module_prefix(resource.module_address) if resource.module_address else ""
    if not resource.name:
        return strip_keys(resource.address)
    if resource.mode == "data":
        return f"{prefix}data.{resource.type}.{resource.name}"
    return f"{prefix}{resource.type}.{resource.name}"


@lru_cache(maxsize=4096)
def _module_prefix(module_address: str) -> str:
    """Few module instances hold many resources: remembered."""
    return strip_keys(module_address) + "."


# --- verdicts ----------------------------------------------------------------------------------

Level = Literal["error", "warning", "note"]
LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "note")
LocationRole = Literal["home", "replica", "backup", "processing", "logs", "cache"]
JobRole = Literal["training", "inference", "unknown"]
FabricState = Literal["on", "off", "impossible", "open", "not_needed"]


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One step of the path to a verdict: resource -> attribute -> module call -> provider -> variable."""

    what: str
    file: str = ""
    line: int = 0
    ref: tuple[str, ...] = ()  # (kind, module path, name) of a declaration: what file and line are looked up by


class SourceRange(msgspec.Struct, frozen=True, gc=False):
    """A place in a source file; lines and columns are 1-based, the end column is exclusive."""

    file: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int


class Place(msgspec.Struct, frozen=True, gc=False):
    """One cloud region (or zone with a country of its own). `country` is ISO alpha-2 or "*" or ""."""

    cloud: str
    region: str
    country: str
    partition: str = ""
    confirmed: bool = True


class Location(msgspec.Struct, frozen=True, gc=False):
    """One place, or set of places, that one attribute of one resource instance stands for.

    places: all of them when `candidates` is false, one of them when it is true.
    complete: false when the set may hold more places than listed, or nothing is known.
    source: the rung of the ladder that decided it.
    """

    address: str
    path: str
    role: LocationRole
    value: str
    source: str
    places: tuple[Place, ...] = ()
    candidates: bool = False
    complete: bool = True
    cause: str = ""
    topic: str = ""  # "" | "network" | "ai": which rule family speaks for it
    sensitive: bool = False
    evidence: tuple[Evidence, ...] = ()
    unconfirmed: str = ""  # the fact that is not confirmed, if one was needed

    @property
    def countries(self) -> tuple[str, ...]:
        if len(self.places) == 1:
            country = self.places[0].country
            return (country,) if country else ()
        return tuple(sorted({p.country for p in self.places if p.country}))

    @property
    def decided(self) -> bool:
        return bool(self.places) and self.complete and not self.candidates


class Accelerator(msgspec.Struct, frozen=True, gc=False):
    """What the catalogue says of an instance type. Bandwidth in Gbps, memory and storage in GB."""

    cloud: str
    instance_type: str
    accelerator: str
    gpus: int | None  # per node; None: as many as are attached
    fabric: str = "none"  # infiniband | roce | efa | tcpx | ici | none | unknown | cluster-only
    fabric_gbps: float = 0.0
    max_efa_interfaces: int = 0
    network_cards: int = 0
    intra_node: str = ""
    gpudirect: bool | None = None
    local_nvme_gb: float | None = None
    inference_class: bool = False
    multi_node: bool | None = None
    confirmed: bool = True
    fabric_confirmed: bool = True
    source: str = ""
    memory: tuple[str, ...] = ()  # columns that were written from memory: they never decide a fail


class Node(msgspec.Struct, frozen=True, gc=False):
    """One sizing instance of a job: how many nodes, of which types, where."""

    address: str
    block: str
    nodes_min: int | None
    nodes_max: int | None
    types: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class Said(msgspec.Struct, frozen=True, gc=False):
    """What a plan answers to one question about a job: yes, no, or None where it does not say.

    path: attribute of the sizing resource. seen: what was read, with the block it stands in where that is another.
    """

    verdict: bool | None
    path: str = ""
    seen: str = ""
    block: str = ""
    cause: str = ""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Settings that the cloud's API refuses together, for the rule that says so. verdict None: not decided."""

    rule: str
    verdict: bool | None
    path: str
    seen: str
    because: str
    want: str
    cause: str = ""


class Reserved(msgspec.Struct, frozen=True, gc=False):
    """A capacity reservation of the plan that a job uses. zone "" and count None: not known."""

    block: str
    zone: str = ""
    count: int | None = None
    path: str = ""


class Cards(msgspec.Struct, frozen=True, gc=False):
    """Fabric cards that the interfaces of a node switch on; `more`: there may be others."""

    sure: int
    more: bool = False
    twice: tuple[int, ...] = ()
    cause: str = ""


class SharedStore(msgspec.Struct, frozen=True, gc=False):
    """A shared file system of the plan. zones: empty where it is regional or not known."""

    block: str
    cloud: str
    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    parallel: bool = False  # Lustre and its like


class Job(msgspec.Struct, frozen=True, gc=False):
    """Nodes that work on one computation, built from the resource that sizes them."""

    name: str  # block address of the sizing resource; with instance key where one block makes several jobs
    cloud: str
    addresses: tuple[str, ...]  # sizing instances, sorted
    role: JobRole
    role_reason: str
    nodes_min: int | None
    nodes_max: int | None  # None: unknown or unbounded
    gpus_min: int | None
    gpus_max: int | None
    instance_types: tuple[str, ...]
    accelerators: tuple[str, ...]
    fabric: str  # infiniband | roce | efa | tcpx | ici | none | unknown
    fabric_state: FabricState
    zones: tuple[str, ...]
    zones_max: int | None  # zones it may use at once; None: unknown
    regions: tuple[str, ...]
    existing: bool = False
    domains_min: int | None = None
    domains_max: int | None = None
    missing: tuple[str, ...] = ()  # what the fabric lacks, attribute by attribute
    cause: str = ""  # why size or fabric is open
    spot: bool | None = None
    placement: str = ""  # cluster | spread | partition | managed | "" (none seen) | unknown
    reservation: bool | None = None
    capacity_block: bool = False
    single_zone_policy: bool = False
    unbounded: bool = False
    unknown_types: tuple[str, ...] = ()  # accelerator-looking types the catalogue lacks
    type_unknown: bool = False
    dynamic_nodes: bool = False  # a node pool whose nodes are not in the plan (Karpenter)
    type_path: str = ""  # attribute paths on the sizing resource that findings point at
    fabric_path: str = ""
    size_path: str = ""
    zone_path: str = ""
    size_seen: str = ""
    parallelism: str = "synchronous"
    zones_mode: str = "together"
    raw_state: FabricState = "open"  # the state without regard to role and trigger
    types: tuple[Accelerator, ...] = ()
    nodes: tuple[Node, ...] = ()
    facts: tuple[str, ...] = ()  # catalogue facts that are not confirmed
    evidence: tuple[Evidence, ...] = ()
    said: Mapping[str, Said] = {}  # answers to the questions of the tables, by label
    refused: tuple[Refused, ...] = ()
    cards: Cards | None = None  # None: the fabric has no cards to count
    split: str = ""  # why its nodes share no fabric partition
    placement_path: str = ""
    placement_seen: str = ""
    tight: str = ""  # what would place its nodes tightly; "": nothing that a person can write
    reserved: tuple[Reserved, ...] = ()
    unshielded: tuple[Said, ...] = ()  # what the fabric needs besides its switch: answers that are not yes
    domain_gpus: int = 0  # accelerators of one NVLink domain or slice that the plan proves
    topology_missing: str = ""  # types whose NVLink domain has to be asked for, and is not
    label_words: tuple[str, ...] = ()  # values of its labels `workload` and `role`
    role_declared: bool = False
    both_roles: str = ""  # why training and inference share it
    providers: tuple[str, ...] = ()
    declared: Mapping[str, Any] = {}  # the manifest's entry for it

    def asks(self, label: str) -> Said:
        """The answer to one question; no where nothing in the job's tables speaks of it."""
        return self.said.get(label) or Said(False)

    @property
    def local_nvme_gb(self) -> float | None:
        """Local NVMe of one node, in GB: the least of its types; 0 for none, None where the catalogue does not know."""
        sizes = [t.local_nvme_gb for t in self.types]
        known = [s for s in sizes if s is not None]
        return min(known) if known and len(known) == len(sizes) else None


class Workload(msgspec.Struct, frozen=True, gc=False):
    """Pods of one Kubernetes workload that take accelerators. They size no nodes."""

    address: str
    block: str  # without instance keys
    role: JobRole
    role_reason: str
    pods: int | None  # None: not known at plan time, or left to a chart
    gpus: int | None  # accelerators per pod
    fabric: bool | None  # whether its pods ask for fabric cards
    path: str
    read_from_text: bool = False  # values of a chart, which may mean something else to it


Kind = Literal["pass", "fail", "open", "not_applicable"]


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The verdict of one rule on one subject, before levels, waivers and fingerprints."""

    rule: str
    kind: Kind
    address: str = "."
    path: str = ""
    observed: str = ""
    expected: str = ""
    message: str = ""
    remediation: str = ""
    countries: tuple[str, ...] = ()
    role: str = ""
    job: str | None = None
    cause: str = ""  # groups opens
    evidence: tuple[Evidence, ...] = ()
    shift: int = 0  # levels up (+) or down (-) before the policy's own level
    shift_guessed: bool = False  # the shift rests on a guess: it never moves into or out of error
    floor: Level | None = None  # at most this level (existing resources, inference)
    level: Level | None = None  # set by the check where the rule text says so
    shift_why: str = ""
    block: str = ""  # block address, when it differs from `address`
    sensitive: bool = False
    dates: tuple[tuple[str, str], ...] = ()  # (ISO date, what happened), for a timeline


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A fail or an open, as reports print it."""

    rule: str
    kind: Literal["fail", "open"]
    level: Level
    address: str
    path: str
    observed: str
    expected: str
    message: str
    remediation: str
    fingerprint: str
    aliases: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    role: str | None = None
    job: str | None = None
    cause: str = ""
    evidence: tuple[Evidence, ...] = ()
    location: SourceRange | None = None
    dates: tuple[tuple[str, str], ...] = ()  # (ISO date, what happened)


class WaiverRef(msgspec.Struct, frozen=True, gc=False):
    """The waiver that covered a finding."""

    reason: str
    expires: str
    source: str
    owner: str = ""


class Waived(msgspec.Struct, frozen=True, gc=False):
    finding: Finding
    waiver: WaiverRef


class Rule(msgspec.Struct, frozen=True, gc=False):
    """One YAML file of `policies/<set>/`, bound to its check."""

    id: str
    title: str
    why: str
    remediation: str
    level: Level
    check: str
    set: str
    ring: int = 1
    params: Mapping[str, Any] = {}
    aliases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    bad: str = ""
    good: str = ""
    security_severity: str = ""
    precision: str = "high"
    job_shift: bool = True  # false: marked † in the rules
    open_level: Level | None = None  # opens of this rule have this level, whatever on_unknown says
    waiver_max_days: int | None = None
    off: bool = False


class InputInfo(msgspec.Struct, frozen=True, gc=False):
    path: str
    kind: InputKind
    terraform_version: str
    partial: bool


class Coverage(msgspec.Struct, frozen=True, gc=False):
    resources: int = 0
    located: int = 0
    global_: int = 0
    undecided: int = 0
    unknown_types: int = 0
    rules_run: int = 0


class Summary(msgspec.Struct, frozen=True, gc=False):
    error: int = 0
    warning: int = 0
    note: int = 0
    open: int = 0
    waived: int = 0
    unchanged: int = 0


class BaselineCounts(msgspec.Struct, frozen=True, gc=False):
    """What a run is against its baseline. hide: the unchanged findings are counted and not listed."""

    source: str
    new: int
    fixed: int
    unchanged: int
    hide: bool = False


GateVerdict = Literal["GO", "NO-GO", "UNDECIDED", "N/A"]


class Gate(msgspec.Struct, frozen=True, gc=False):
    """One question of the architecture board, answered from the plan and the manifest."""

    number: int
    name: str
    verdict: GateVerdict
    summary: str  # the answer with its numbers
    rules: tuple[str, ...] = ()  # rules behind the verdict
    declare: tuple[str, ...] = ()  # what would decide an UNDECIDED
    break_even: str = ""  # which saving, or how much moved, would pass
    fix: str = ""
    remarks: tuple[str, ...] = ()  # what did not decide, and should be read


class Hydration(msgspec.Struct, frozen=True, gc=False):
    """What the plan leaves on the spoke: at rest, gone with the node, not to be proven. Lines to print."""

    spokes: tuple[str, ...] = ()
    rests: tuple[str, ...] = ()
    ephemeral: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, gc=False):
    """Everything a format may print. Sorted: findings by level, rule, address, path."""

    version: str
    catalog: str
    as_of: str
    inputs: tuple[InputInfo, ...]
    verdict: Literal["pass", "fail", "open"]
    summary: Summary
    findings: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    jobs: tuple[Job, ...]
    locations: tuple[Location, ...]
    coverage: Coverage
    workloads: tuple[Workload, ...] = ()
    assumptions: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    not_configured: tuple[str, ...] = ()  # sets that lack their input (META001), one line each
    partial: tuple[str, ...] = ()  # why a pass is no proof (META006)
    notices: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()  # the rules that ran, for SARIF
    allow: tuple[str, ...] = ()
    fail_on: Level = "error"
    unchanged: tuple[Finding, ...] = ()  # findings that the baseline holds: listed, never counted
    baseline: BaselineCounts | None = None
    gates: tuple[Gate, ...] = ()  # empty where not every rule of the gates ran
    overall: GateVerdict | None = None  # of the gates; None where they are empty
    hydration: Hydration | None = None  # None: no spoke
    fragmentation: str = ""  # RES001
    prices: tuple[str, ...] = ()  # every price used, with its date
