"""What the catalogue knows, as records, and the pure look-ups over them.

`catalog.py` loads these from `provider_catalog/compiled/*.json`; `resolve/` and `checks/` receive them.
A cloud is data: every name of a cloud, a type or an attribute lives in the tables, none here.
"""

# Annotations are evaluated here, not postponed: msgspec would compile each from its text at every start.

import re
from functools import cached_property
from typing import Any, Protocol

import msgspec

from auditor.jobfacts import JobTables
from auditor.model import Place


class Region(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One row of `regions.csv`. `members` are ISO countries of a multi-region, ["*"] for any place."""

    country: str = ""
    kind: str = "region"
    name: str = ""
    members: list[str] = []
    partition: str = ""
    parent: str = ""
    guarantee: str = ""  # yes | contract | none
    confirmed: bool = True
    confidence: str = ""
    source: str = ""
    caveat: str = ""  # why nobody is sent there, though what stands there is judged like anywhere


class LocationSpec(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One row of `locations.csv`: where a resource type says where it, or a copy of it, stands."""

    path: str
    role: str = "home"
    kind: str = "region"  # region zone location arn multi_region sku_enum inference_profile_prefix resource_ref other;
    # arm_template cfn_template dm_config parameters json_regions: a text that may write out places (resolve/embedded.py)
    use: str = "decide"  # decide | source (names where data comes from) | listed (known, not deciding; see reason)
    topic: str = ""  # "" | network | ai
    effects: dict[str, str] = {}  # value -> stays | pair | any | unknown | zone:<name> | place:<value>
    absent: str = ""  # what an absent attribute counts as: an effect, or place:<value>
    lookup: str = ""  # name of a region look-up other than the cloud's default
    confirmed: bool = True
    reason: str = ""
    cloud: str = ""  # the value names a region of another cloud
    when: str = ""  # `path=regex`: the row counts only where the value at path matches
    unless: str = ""  # `path=regex`: the row does not count where the value at path matches
    absent_confirmed: bool = True  # whether what `absent` means was read, not recalled
    computed: bool | None = None  # the provider may fill it when unset (Computed); None: no schema held

    @cached_property
    def segments(self) -> tuple[str, ...]:
        return split_path(self.path)


def split_path(path: str) -> tuple[str, ...]:
    """`replica[].region_name` -> ("replica", "region_name"): lists are walked through wherever they stand."""
    return tuple(s for s in (p.replace("[]", "").replace("[*]", "") for p in path.split(".")) if s)


class TypeFacts(msgspec.Struct, frozen=True, gc=False, eq=False):
    """All that is known of one resource type."""

    locations: list[LocationSpec] = []
    computed_blocks: list[str] = []  # nested blocks (`a.b`) that the provider fills in where nobody wrote them
    parents: list[str] = []  # attributes that name the parent whose location is inherited
    global_: bool = msgspec.field(default=False, name="global")
    bearing: str = ""  # data | control | "" (not known)
    curated: bool = False  # bearing read, not guessed by pattern
    category: str = ""
    guard: bool = False  # a residency guard (organisation policy ...): deleting it is noted


class Lookup(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One attempt to read a value as a region id: change its case, put a prefix before it, accept only these kinds."""

    prefix: str = ""  # ids of a service that names its regions in its own way stand behind one
    case: str = "none"  # none | lower | upper | squeeze (lower-case, spaces removed) | dashed (lower-case, `_` is `-`)
    kinds: list[str] = []  # empty: every kind


class Reading(msgspec.Struct, frozen=True, gc=False, eq=False):
    """How to read location values of a cloud (`cloud.yaml`)."""

    lookups: dict[str, list[Lookup]] = msgspec.field(default_factory=lambda: {"default": [Lookup(), Lookup(case="lower")]})
    lookup_by_type: dict[str, str] = {}
    zone_patterns: list[str] = []  # regexes with a group `region`
    id_patterns: list[str] = []  # regexes over ARNs, self-links, ids; groups `region`, optional `service`
    regionless_services: list[str] = []
    aliases: dict[str, str] = {}
    elsewhere: dict[str, str] = {}  # prefix of a value ("": any value) -> the cloud whose region the rest of it names
    strip: list[str] = []  # regexes removed from a value before it is read
    attributes: list[str] = []  # generic location attributes of types without a row, in order
    identity: list[str] = []  # attributes that hold an id with a region in it
    json_text: list[str] = []  # attributes that hold an object, as JSON text in older versions of the provider
    any_type: bool = False  # every type of the provider that is not global stands in the provider's region
    provider: dict[str, list[str]] = {}  # location kind or "" -> attributes of the provider block, in order
    zone_within_provider: bool = False  # a zone attribute can only name a zone of the provider's region
    neutral: list[str] = []  # regexes of values that say no more than the provider's region (zone ids)
    provider_default: str = ""  # documented default of the provider block; the environment may override it
    environment: list[str] = []  # variables that set the provider's region: never read, named in messages
    by_reference: bool = False  # the provider block's references (a cluster) tell where its resources stand
    redirects: list[str] = []  # regexes over the provider block's attributes that send its calls elsewhere; group `service`
    own_hosts: list[str] = []  # regexes: hosts that are the cloud's own
    redirected_types: dict[str, str] = {}  # service of a redirect -> regex of its types, where it does not begin their name
    redirects_nothing: list[str] = []  # services that store nothing: where their calls go does not matter
    provider_where: dict[str, str] = {}  # attribute -> regex: the provider's region fills these alone, before any parent
    parents_decide: bool = False  # the provider's region fills attributes of that name only: a child stands with its parent
    nearest: dict[str, str] = {}  # regex of a home region -> the multi-region that effect `near` means there
    placeless: list[str] = []  # regexes of types without a row (access policies ...) that stand where they say, else nowhere
    grandparent: list[str] = []  # attributes every type may name its parent with
    namesakes: dict[str, str] = {}  # type prefix of another provider of the cloud -> prefix of the types that are known
    region_data: dict[str, list[str]] = {}  # data source type -> attributes that hold the provider's region


class Coordinates(msgspec.Struct, frozen=True, eq=False):
    """Where to draw things: (latitude, longitude) in degrees, by cloud and region, and by ISO country (its capital)."""

    regions: dict[str, dict[str, tuple[float, float]]] = {}
    countries: dict[str, tuple[float, float]] = {}


class Pair(msgspec.Struct, frozen=True, gc=False, eq=False):
    """The paired region of a region; `region` empty where it is known to have none."""

    region: str = ""
    confirmed: bool = True
    source: str = ""


class Profile(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Members of a geographic routing prefix or zone: certain ones, and ones it may include."""

    members: list[str] = []
    may_include: list[str] = []
    requires_home: list[str] = []  # the zone holds only for a home in these countries; empty: always
    confirmed: bool = True


class Cloud(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One cloud: its regions, its resource types, how its values are read."""

    id: str
    title: str = ""
    regions: dict[str, Region] = {}
    types: dict[str, TypeFacts] = {}
    reading: Reading = msgspec.field(default_factory=Reading)
    readings: dict[str, Reading] = {}  # provider source -> its own way, where one cloud has several
    pairs: dict[str, Pair] = {}
    profiles: dict[str, Profile] = {}
    profile_pattern: str = ""
    jobs: JobTables = msgspec.field(default_factory=JobTables)
    instances: dict[str, dict[str, Any]] = {}
    as_of: str = ""

    @cached_property
    def _zones(self) -> list[re.Pattern[str]]:
        return [re.compile(p) for p in self.reading.zone_patterns]

    @cached_property
    def _ids(self) -> list[re.Pattern[str]]:
        return [re.compile(p) for p in self.reading.id_patterns]

    @cached_property
    def _strip(self) -> list[re.Pattern[str]]:
        return [re.compile(p) for p in self.reading.strip]

    @cached_property
    def _seen(self) -> dict[tuple[str, str], tuple[str, Region] | None]:
        return {}

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {n.lower(): n for n in self.instances} if self.jobs.types_any_case else {}

    def type_name(self, name: str) -> str:
        """The catalogue's spelling of an instance type, where the cloud takes any case."""
        return name if name in self.instances else self._folded.get(name.lower(), name)

    def spelled(self, value: str, lookup: str) -> list[str]:
        """A value in the ways this cloud writes regions of another one, as it stands first."""
        attempts = self.reading.lookups.get(lookup, ())
        return list(dict.fromkeys((value, *(attempt.prefix + _case(value, attempt.case) for attempt in attempts))))

    def find(self, value: str, lookup: str = "default") -> tuple[str, Region] | None:
        """The region (or zone with a country of its own) a value names, as (id, region); None if unknown."""
        key = (value, lookup)
        if key not in self._seen:
            self._seen[key] = self._find(value, lookup)
        return self._seen[key]

    def _find(self, value: str, lookup: str) -> tuple[str, Region] | None:
        for pattern in self._strip:
            value = pattern.sub("", value)
        attempts = self.reading.lookups.get(lookup) or self.reading.lookups["default"]
        for text in dict.fromkeys((value, *self._zone_regions(value), *self._zone_regions(value.lower()))):
            for attempt in attempts:
                cased = _case(text, attempt.case)
                cased = attempt.prefix + self.reading.aliases.get(cased, cased)
                region = self.regions.get(cased)
                if region is not None and (not attempt.kinds or region.kind in attempt.kinds):
                    return cased, region
        return None

    def _zone_regions(self, value: str) -> list[str]:
        return [m.group("region") for p in self._zones if (m := p.match(value))]

    def region_in_id(self, text: str) -> str:
        """The region an ARN, self-link or id carries; "" where it carries none."""
        for pattern in self._ids:
            if m := pattern.search(text):
                groups = m.groupdict()
                if (groups.get("service") or "") in self.reading.regionless_services:
                    return ""
                return groups.get("region") or ""
        return ""

    def places(self, region_id: str, region: Region) -> tuple[tuple[Place, ...], bool]:
        """The places a region id stands for, and whether that set is complete."""
        if region.members:
            made = tuple(Place(self.id, region_id, c, region.partition, region.confirmed) for c in region.members)
            return made, True
        if not region.country:
            return (), False
        return (Place(self.id, region_id, region.country, region.partition, region.confirmed),), True


def _case(text: str, case: str) -> str:
    if case == "lower":
        return text.lower()
    if case == "upper":
        return text.upper()
    if case == "squeeze":
        return re.sub(r"[\s_-]", "", text.lower())
    if case == "dashed":
        return text.lower().replace("_", "-")
    return text


class Provider(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One Terraform provider: which cloud it manages, what class it is."""

    cloud: str = ""
    cls: str = msgspec.field(default="unknown", name="class")
    short: str = ""  # the name `--assume` and messages use, e.g. the provider's local name
    channel: str = ""  # "" | preview


class Owner(msgspec.Struct, frozen=True, eq=False):
    """Who owns a cloud. `country` is ISO alpha-2; `confirmed` false where disputed or recalled."""

    country: str = ""
    name: str = ""
    confirmed: bool = False
    disputed: bool = False
    partitions: dict[str, "Owner"] = {}  # partitions that another operator runs


class Backend(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A Terraform backend: the attribute that names its region, attributes that name a server elsewhere."""

    cloud: str = ""
    path: str = ""
    elsewhere: list[str] = []
    reason: str = ""  # why it has no location in its block


class StoreFact(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One row of `stores.csv`: a type that holds data. boot: `type=path` of what boots from it.

    by: `type=path` of the resource that says when contents expire, by what it refers to; empty: the store itself.
    through: attributes of the store that refer to what `by` refers to (a container's account).
    rules: path of the list of rules; the rest is below it. expiry: days. enabled: `path=regex`; partial: paths (`path=regex`)
    that narrow a rule to some of the contents. computed: the provider fills the rules in where none are written.
    """

    store: str
    rules: str = ""
    expiry: list[str] = []
    enabled: str = ""
    partial: list[str] = []
    by: str = ""
    through: list[str] = []
    boot: str = ""
    computed: bool = False


class VolumeFact(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One row of `volumes.csv`: a value that matches `survives` keeps a data volume when its node goes.

    node: the attribute that refers to the node (or to a disk that the node names), where the type is none itself.
    what: what is kept; a data volume where empty.
    tagged: instead of `survives`, any of these tags chooses nodes: the path of a map, or those of keys and of values.
    holders: `type=path` of the tags that are looked at. when, unless: `path=regex`, as in `locations.csv`.
    """

    path: str
    survives: str = ""
    node: str = ""
    what: str = ""
    tagged: list[str] = []
    holders: list[str] = []
    when: str = ""
    unless: str = ""


class Group(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A jurisdiction of `jurisdictions.yaml`, includes expanded."""

    countries: list[str] = []
    partitions: list[str] = []
    partial: list[str] = []  # countries that belong only in part: never expanded
    expires: dict[str, str] = {}  # country -> ISO date after which it no longer counts
    note: str = ""
    source: str = ""
    confirmed: bool = True


class CloudSummary(msgspec.Struct, frozen=True, gc=False, eq=False):
    """What the index holds of a cloud, so that a policy is read without loading every cloud."""

    title: str = ""
    countries: list[str] = []  # countries with at least one region
    regions: dict[str, str] = {}  # region id -> country
    partitions: dict[str, str] = {}  # region id -> partition, where the cloud has several
    guarantee: str = ""  # yes | contract | none: the weakest of its regions
    owner: Owner = Owner()


class Index(msgspec.Struct, frozen=True, eq=False):
    """`compiled/index.json`: read by every run."""

    as_of: str
    providers: dict[str, Provider]
    clouds: dict[str, CloudSummary]
    groups: dict[str, Group]
    backends: dict[str, Backend] = {}
    classes: list[str] = []  # curated data classes, which scopes may name


class Trait(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One row of `traits.csv`: what the economic and security rules ask of a resource type.

    name: key | provider_key | link | link_encryption | inference | always_on | serverless | function | vmware |
    compute | store_plain | training_plain. `when` and `unless` are `path=regex` over planned values;
    absent = "unless": an absent attribute meets `unless`.
    """

    name: str
    cloud: str = ""
    when: str = ""
    unless: str = ""
    absent: str = ""
    remark: str = ""
    confirmed: bool = True
    source: str = ""


class Trace(msgspec.Struct, frozen=True, gc=False):
    """A trait found in a plan. `sure` is false where it hangs on a value known only after apply, or an unconfirmed row."""

    trait: Trait
    address: str  # block address, or a provider's source
    type: str
    path: str = ""
    sure: bool = True
    existing: bool = False


class Facts(Protocol):
    """The catalogue as `resolve/` and `checks/` see it."""

    @property
    def index(self) -> Index: ...

    def cloud(self, cloud_id: str) -> Cloud | None: ...

    def manifest(self, text: str) -> Any:
        """What a YAML text inside a plan says; None where it is none, or more than one document."""
        ...


def provider_source(name: str) -> str:
    """`registry.terraform.io/hashicorp/aws` -> `hashicorp/aws`, lower-case; a bare legacy name gets its namespace."""
    parts = name.lower().split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else f"hashicorp/{parts[0]}"
