"""How jobs are read: one row per resource type that sizes nodes or says something about them (`jobs.yaml`).

The rows are written in a small vocabulary, so that a cloud is data:

    path              an attribute path, `scaling_config.max_size`; nested blocks are walked through
    path -> type|...  a reference: the resources of these types that the attribute refers to
    @path -> type     in `zones`: the zones of the resource referred to
    path = a|b        a condition: the value is one of these        path ~ regex   it matches
    path < 100        a condition on a number (also >)              path set       something is set
    path written      set, and by the configuration: a provider also lists there what other resources manage
    path unset        nothing is set                                path absent    the block is not there
    nics(path)        as many interfaces of the right kind as the instance type has fabric cards (`nics` of the cloud)
    networks(path)    as many entries, whatever their kind
    a + b             in `type`: values joined by "/"
    path per zone     in `min`, `max` and `add`: a number of nodes per zone
    path per vcpu     a number of vCPUs: divided by those of the instance type (`vcpus` of the cloud)
    path times 18     each stands for that many nodes
    path if c         counts only where the condition holds
    /path             from the root of the resource, where the row reads a block of it (`unit`)
    a[key=x].values   of the blocks of a list, those whose `key` is x      limits["a.b/c"]   a key with dots
    path = a|null     also where nothing is set
    count(path) > 1   how many values or blocks there are
    a & b             both hold of this resource
    path{a & b}       both hold of one and the same block under the path
    path refers type  it refers to a resource of that type in the plan
    path same other   both attributes refer to one and the same resource
    +type             in `refused`: a resource of that type is attached to this one (its `attach`)
    @label, !@label   in `refused`: what `said` answers under that label for the whole job, or its opposite
"""

# Annotations are evaluated here, not postponed: msgspec would compile each from its text at every start.

import re
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

_OPS: Final = r"!=|=|~|<|>|\bwritten\b|\bset\b|\bunset\b|\babsent\b|\bsame\b|\brefers\b"
SEGMENT: Final = re.compile(rf"((?:\[[^\]]*\]|[^\[\]])+?)\s*({_OPS})\s*(.*)", re.DOTALL)

_STEPS: Final = re.compile(r"(?:\[[^\]]*\]|[^.\[])+")
COUNTED: Final = re.compile(r"(nics|networks)\((.+)\)")
COUNT: Final = re.compile(r"count\((.+?)\)\s*([=<>])\s*(\d+)")
BLOCK: Final = re.compile(r"([a-z0-9_.]+)\{(.*)\}", re.DOTALL)


class Fabric(msgspec.Struct, frozen=True, gc=False, eq=False):
    """The switch of a fabric on one type. mode: switch | size (the type alone decides) | managed | none."""

    mode: str = "switch"
    any: list[str] = []  # any of these switches it on
    needs: list[str] = []  # all of these must hold as well
    missing: str = ""  # what a person has to write, where it is off
    path: str = ""  # attribute a finding points at


class Cards(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Network interfaces that are cards of the fabric. path: list of blocks; "": the resource itself is one."""

    kind: str  # attribute of a block that names its kind
    values: list[str]  # kinds that are cards of the fabric
    path: str = ""
    index: str = ""  # attribute with the number of the card
    index_absent: int | None = None


class Prerequisite(msgspec.Struct, frozen=True, gc=False, eq=False):
    """What a fabric needs besides its switch. note: conditions under which something unseen may provide it."""

    holds: list[str]  # any of these
    want: str
    path: str = ""
    note: list[str] = []


class Refusal(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Settings that the cloud's API refuses together: the launch would fail."""

    rule: str
    when: list[str]  # all of these hold
    because: str
    want: str
    path: str = ""
    types: str = ""  # regex: only with these instance types
    except_types: str = ""  # regex: not with these
    nodes_over: int = 0  # only with more nodes than this
    zones_over: int = 0  # only over more zones than this


class Row(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One resource type.

    kind: instance | fleet | template | part (network card, group ...) | subnet | karpenter | stack (software of a cluster)
    | storage (a file system) | workload (pods).
    """

    kind: str = "fleet"
    when: list[str] = []  # all must hold for the row to count
    cloud: str = ""  # the instance types are those of another cloud
    unit: str = ""  # a list of blocks, each of which sizes nodes of its own
    min: list[str] = []
    max: list[str] = []
    add: list[str] = []  # nodes on top of those of the resource it is attached to
    uncounted: list[str] = []  # conditions under which the numbers do not count nodes (weights, memory)
    pods: list[str] = []  # workload: number of pods, the first that speaks; `a times b` multiplies two paths
    resources: list[str] = []  # workload: maps of the resources its containers ask for
    text: list[str] = []  # workload: YAML text that holds those
    exempt: list[str] = []  # workload: conditions under which its pods reach the fabric without asking
    json: list[str] = []  # attributes that hold JSON text
    nodes_absent: int | None = None  # nodes where no attribute says
    unbounded: list[str] = []  # absent: no upper limit
    type: list[str] = []
    type_strip: str = ""  # regex removed from the type
    type_absent: str = ""
    type_once: bool = False  # the cloud takes a type from the resource or from its template, never from both
    select: list[str] = []  # conditions under which attribute-based selection asks for accelerators
    selects: list[str] = []  # blocks of attribute-based selection: the type is chosen by the cloud
    attached_type: list[str] = []  # accelerators attached to the node
    attached_count: list[str] = []
    gpus: list[str] = []  # accelerators per node, stated
    templates: list[str] = []
    overrides: list[str] = []  # templates beside the types of `type`: nodes start from these, not from `templates`
    parts: list[str] = []
    attach: list[str] = []  # this resource adds to the one it refers to
    zones: list[str] = []
    zones_absent: str = ""  # "1": one zone at a time; "region": every zone; "": not known
    single_zone: list[str] = []  # conditions under which only one zone is used at a time
    spot: list[str] = []
    reservation: list[str] = []
    block: list[str] = []  # conditions under which the capacity is one tightly placed block
    placement: dict[str, list[str]] = {}  # cluster | spread | partition | managed -> conditions
    fabric: Fabric | None = None
    said: dict[str, list[str]] = {}  # label -> conditions, any of which answers yes
    refused: list[Refusal] = []
    cards: Cards | None = None
    security: list[str] = []  # security groups of the fabric's interfaces
    open_to_self: dict[str, list[str]] = {}  # direction -> conditions: all traffic between members is allowed
    prerequisites: list[Prerequisite] = []
    fabric_zone: str = ""  # attribute that ties the fabric's network to one zone
    fabric_zone_pattern: str = ""  # regex whose first group is that zone
    partition: list[str] = []  # what makes nodes share a fabric partition; "self": the resource itself
    partition_missing: str = ""  # what to write, where nodes share none
    parallel: bool = False  # storage: a parallel file system
    reserved_zone: list[str] = []  # zone of a reservation
    reserved_count: list[str] = []  # instances it holds
    reserved_type: list[str] = []  # their type: nodes of another one cannot start in it
    merge: list[str] = []
    role: str = ""  # training | inference: the type itself says so
    labels: list[str] = []
    names: list[str] = []
    domain_all: bool = False  # each resource instance is one NVLink domain or slice
    domain_by: list[str] = []  # nodes with the same value share a domain
    topology: list[str] = []  # `2x4`: accelerators per domain
    computed: list[str] = []  # unknown and not written in the source, or written as null, means: not set
    identity: list[str] = []  # attributes another resource may name this one by
    id_pattern: str = ""  # regex: an id of this type, where one is written out
    source: str = ""
    date: str = ""
    confidence: str = ""

    @property
    def confirmed(self) -> bool:
        return self.confidence not in ("low", "recalled", "from_memory")


class Nics(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Fabric cards a family of types needs: `count` entries, `value` where the entry names its kind, `host` more.

    count 0: interfaces do not join these types. want: what switches their fabric on instead.
    """

    types: str
    count: int
    value: str = ""
    host: int = 0
    want: str = ""


class Slice(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Accelerator types that name a whole slice: `v5litepod-16`. The numbers of group `n`, multiplied, times `per` = chips."""

    types: str
    accelerator: str
    per: float = 1.0
    source: str = ""


class Text(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A resource type that holds as YAML text what another holds as values: the rows of that type read it.

    attributes: the first that is known and not sensitive. root: where the rows look for it. worth: regex, a text
    without it is not parsed.
    """

    rows: str
    attributes: list[str]
    root: str
    worth: str
    source: str = ""
    date: str = ""


class JobTables(msgspec.Struct, frozen=True, eq=False):
    """`jobs.yaml` of one cloud."""

    domain_types: str = ""  # regex: types whose NVLink domain has to be asked for by its topology
    accelerator_types: str = ""  # regex: an instance type that looks like it has accelerators
    accelerator_families: str = ""  # regex: a family of such types, where a service picks the type itself
    types_any_case: bool = False  # the cloud takes instance types in any case
    place_in_id: str = ""  # regex whose first group is the region or zone that an id names
    region_zones: int = 3  # zones of a region, where a fleet uses all of them
    nics: list[Nics] = []
    slices: list[Slice] = []
    vcpus: dict[str, int] = {}  # instance type -> vCPUs, for services that count those
    vcpus_source: str = ""
    pod_accelerators: list[str] = []  # resource names of accelerators
    pod_fabrics: list[str] = []  # regexes: resource names of fabric cards
    tight: str = ""  # what places nodes tightly in this cloud; "": nothing that a person can write
    attached: dict[str, str] = {}  # attached accelerator type (regex) -> accelerator
    rows: dict[str, list[Row]] = {}
    texts: dict[str, Text] = {}


class Amount(NamedTuple):
    """A number of nodes: at `path`, `per` "" | zone | vcpu, `times` so many, where `condition` holds."""

    path: str
    per: str
    times: int
    condition: str


class Condition(NamedTuple):
    path: tuple[str, ...]
    op: str
    value: str


class Pointer(NamedTuple):
    path: tuple[str, ...]
    types: tuple[str, ...]


@lru_cache(maxsize=2048)
def condition(text: str) -> Condition:
    """`a.b = x|y` -> (("a", "b"), "=", "x|y"). Raises ValueError for what is no condition."""
    counted = COUNTED.fullmatch(text)
    if counted is not None:
        return Condition(segments(counted[2]), counted[1], "")
    number = COUNT.fullmatch(text)
    if number is not None:
        return Condition(segments(number[1]), f"count{number[2]}", number[3])
    parts = SEGMENT.fullmatch(text)
    if parts is None:
        raise ValueError(f"not a condition: {text}")
    return Condition(segments(parts[1]), parts[2], parts[3].strip())


@lru_cache(maxsize=2048)
def both(text: str) -> tuple[str, ...]:
    """`a & b{c & d}` -> ("a", "b{c & d}"): the parts of a conjunction, blocks left whole."""
    parts: list[str] = []
    depth, start = 0, 0
    for i, c in enumerate(text):
        depth += (c == "{") - (c == "}")
        if c == "&" and not depth:
            parts.append(text[start:i].strip())
            start = i + 1
    return (*parts, text[start:].strip())


@lru_cache(maxsize=2048)
def pointer(text: str) -> Pointer:
    """`launch_template.id -> a|b` -> path and types; without an arrow any type."""
    left, _, right = text.lstrip("@").partition("->")
    return Pointer(segments(left), tuple(t for t in right.strip().split("|") if t))


@lru_cache(maxsize=2048)
def segments(path: str) -> tuple[str, ...]:
    """`a.b["c.d/e"].f` -> ("a", "b", "c.d/e", "f"); a filter stays with its step: `b[key=x.y]`."""
    if "[" not in path:
        return tuple(s for s in path.strip().split(".") if s)
    found: list[str] = []
    for step in _STEPS.findall(path.strip()):
        name, _, quoted = step.partition('["')
        found += [s for s in (name, quoted.rstrip('"]')) if s] if quoted else [step]
    return tuple(found)


@lru_cache(maxsize=2048)
def amount(text: str) -> Amount:
    """`node_count per zone if autoscaling = true` -> its parts."""
    left, _, condition_text = text.partition(" if ")
    left, _, times = left.partition(" times ")
    path, _, per = left.partition(" per ")
    return Amount(path.strip(), per.strip(), int(times or 1), condition_text.strip())
