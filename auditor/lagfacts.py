"""What the catalogue knows of provider releases, first support and features, as records and pure look-ups.

One shard a provider, one file of features a cloud. Dates and versions are facts; lag is derived here and never stored.
"""

# Annotations are evaluated here, not postponed: msgspec would compile each from its text at every start.

import calendar
import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property
from typing import Final, Literal, Protocol

import msgspec

from auditor.versions import Version, parse_version

Evidence = Literal["exact", "at_most", "approximate"]
ESTABLISHED: Final = "ga"  # kinds of date beginning with it state general availability


class Support(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The first version that holds a type or an argument.

    exact: the release before was seen without it. at_most: it may be older. approximate: a neighbouring release may be it.
    written: of an argument, that the provider never fills it in by itself: what stands in a plan was written.
    """

    version: str
    evidence: Evidence
    source: str = ""
    written: bool = False

    @property
    def parsed(self) -> Version:
        return parse_version(self.version) or Version((0, 0, 0))


class Removal(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """evidence: stated (in a changelog) | major (gone from the docs at a major or before 1.0) | absent (may be a rename)."""

    deprecated_in: str = ""
    removed_in: str = ""
    replacement: str = ""
    evidence: Literal["stated", "major", "absent"] = "absent"


class Shard(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One provider: `releases` version -> (ISO date, source), `support` kind -> type -> first version."""

    schema: str
    source: str
    as_of: str
    checked: str = ""
    releases: dict[str, tuple[str, str]] = {}
    support: dict[str, dict[str, Support]] = {}
    attributes: dict[str, dict[str, Support]] = {}  # type (`*`: every type) -> `path` or `path=value`
    removed: dict[str, Removal] = {}
    known: dict[str, list[str]] = {}  # types seen in a schema, first version not known
    untracked: list[str] = []  # patterns of types whose first version no source tells

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """Every release, oldest first."""
        return tuple(sorted(v for v in map(parse_version, self.releases) if v is not None))

    @cached_property
    def newest(self) -> Version:
        """The newest release that is no prerelease."""
        return max((v for v in self.versions if v.released), default=Version((0, 0, 0)))

    @cached_property
    def _dates(self) -> dict[Version, str]:
        return {v: day for text, (day, _) in self.releases.items() if (v := parse_version(text)) is not None}

    @cached_property
    def _untracked(self) -> list[re.Pattern[str]]:
        return [re.compile(p) for p in self.untracked]

    def date_of(self, version: Version) -> str:
        """ISO date of a release; "" where the catalogue does not hold it."""
        return self._dates.get(version, "")

    def first(self, kind: str, type_: str) -> Support | None:
        return self.support.get(kind, {}).get(type_)

    def arguments(self, type_: str, kind: str = "resource") -> dict[str, Support]:
        """The gated arguments of a type: those of every type (`*`), and its own. A data source's stand under `data.TYPE`."""
        if kind not in ("resource", "data-source"):
            return {}
        own = self.attributes.get(type_ if kind == "resource" else f"data.{type_}", {})
        every = self.attributes.get("*", {})
        return {**every, **own} if every else own

    def without_first(self, kind: str, type_: str) -> bool:
        """Whether the type is known to exist though its first version is not."""
        return (
            type_ in self.known.get(kind, ())
            or type_ in self.removed
            or kind not in self.support
            or any(p.search(type_) for p in self._untracked)
        )


class Start(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A day on which a cloud had the feature: kind of date, ISO date, where it was read."""

    kind: str
    date: str
    source: str = ""

    @property
    def stated(self) -> bool:
        """Whether general availability was stated; anything else is "API first public"."""
        return self.kind.startswith(ESTABLISHED)

    @property
    def preview(self) -> bool:
        return "preview" in self.kind


Status = Literal["supported", "unsupported", "preview", "rollup", "free"]


class Feature(msgspec.Struct, frozen=True, gc=False):
    """A feature of a cloud, and where Terraform has it. Versions are looked up in the provider's shard."""

    id: str
    provider: str
    status: Status
    title: str = ""
    service: str = ""
    types: list[str] = []
    attribute: str = ""
    starts: list[Start] = []
    workarounds: list[str] = []
    api: list[str] = []  # API types, lower case: an ARM type, or `cfn:` and a squeezed CloudFormation type
    confidence: str = "high"
    mechanical: bool = False  # the title was made from names

    def start(self, count_preview: bool = False) -> Start | None:
        """General availability where it was stated, else the first public API; previews only where they count."""
        dated = [s for s in self.starts if s.date and (count_preview or not s.preview)]
        stated = [s for s in dated if s.stated]
        return min(stated or dated, key=lambda s: s.date, default=None)


class ShardInfo(msgspec.Struct, frozen=True, gc=False):
    """What the index says of a shard."""

    file: str
    as_of: str
    latest: str
    cloud: str = ""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """Where an escape hatch names what it manages, and in which form."""

    path: str
    form: Literal["arm_type", "arm_template", "cfn_type", "cfn_template", "dm_config", "own_type", "unreadable"]


class Hatch(msgspec.Struct, frozen=True, gc=False):
    """A resource type that manages what another provider has no resource for."""

    label: str
    native: str = ""  # the provider whose native resources it stands in for
    space: str = ""  # API namespace of the types it names: arm | cfn | ""
    read: list[Reading] = []
    kind: Literal["escape", "rest"] = "escape"
    when: str = ""  # `attribute=regex`: it counts only where the value matches
    data: bool = False  # a data source
    part: bool = False  # it sets a part of an object that another resource manages


class Program(msgspec.Struct, frozen=True, gc=False):
    """A command-line program that changes a cloud. `words`: how many words after it name the command, at most.

    A name that ends in `*` stands for all programs that begin so.
    """

    words: int = 1
    read_only: list[str] = []  # patterns over those words, joined by blanks
    verbs: list[str] = []  # the first of these ends the words: what follows are names
    flags: list[str] = []  # options before the command that take no value
    url_only: bool = False  # counts only with a URL of a cloud
    methods: list[str] = []  # commands that change something only with a method that writes
    copies: list[str] = []  # patterns of commands that copy from the first operand to the second
    cmdlet: bool = False  # a command of a shell, whole by itself


class Workarounds(msgspec.Struct, frozen=True, eq=False):
    """`workarounds.json`: escape hatches, programs, hosts."""

    hatches: dict[str, Hatch] = {}
    beside: dict[str, Hatch] = {}  # provider -> how it stands in for `native` where both are in a plan
    runners: dict[str, list[str]] = {}  # data source that runs a program -> attributes that hold its words
    scaffolding: list[str] = []  # API types that stand for nothing in a cloud, lower case
    programs: dict[str, Program] = {}
    hosts: list[str] = []  # patterns of cloud API hosts
    channels: dict[str, str] = {}  # provider -> what its whole channel is called
    preview_kinds: dict[str, list[str]] = {}  # type -> attribute paths whose values may name a preview API
    preview_types: list[str] = []  # patterns of types that are themselves a preview
    community: list[str] = []  # providers known to be of the community tier
    capacity: list[str] = []  # patterns of types that are compute or storage


class LagIndex(msgspec.Struct, frozen=True, eq=False):
    """`lag/index.json`: which shards there are."""

    shards: dict[str, ShardInfo] = {}
    aliases: dict[str, str] = {}
    features: dict[str, str] = {}  # cloud -> file
    changelogs: dict[str, str] = {}  # provider -> changelog, where documentation is shared with another provider

    def shard_of(self, source: str) -> str:
        """The shard of a provider source (`namespace/name`); "" where none is held. `-/name` is the legacy namespace."""
        if source in self.shards:
            return source
        if source in self.aliases:
            return self.aliases[source]
        namespace, _, name = source.partition("/")
        if namespace in ("-", "opentofu"):
            if f"hashicorp/{name}" in self.shards:
                return f"hashicorp/{name}"
            if f"hashicorp/{name}" in self.aliases:
                return self.aliases[f"hashicorp/{name}"]
            same = [s for s in self.shards if s.endswith(f"/{name}")]
            return same[0] if len(same) == 1 else ""
        return ""


class LagFacts(Protocol):
    """The lag catalogue as checks see it."""

    @property
    def lag_index(self) -> LagIndex: ...

    @property
    def workarounds(self) -> Workarounds: ...

    def shard(self, source: str) -> Shard | None: ...

    def features(self, cloud: str) -> Sequence[Feature]: ...

    def natives(self, space: str) -> dict[str, list[str]]: ...


# --- calendar ------------------------------------------------------------------------------------


def add_months(day: date, months: int) -> date:
    """The same day of a later month, clamped to the month's end: 30 November + 3 is 28 (or 29) February."""
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> tuple[int, int]:
    """Whole calendar months and days left over; (0, 0) where `end` is not after `start`."""
    if end <= start:
        return 0, 0
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) > end:
        months -= 1
    return months, (end - add_months(start, months)).days


def over(start: date, end: date, max_months: int) -> bool:
    """Whether a lag from start to end is over the limit; exactly the limit passes."""
    return end > add_months(start, max_months)


def span(start: date, end: date) -> str:
    """`8 months 18 days`."""
    months, days = months_between(start, end)
    return f"{months} month{'' if months == 1 else 's'} {days} day{'' if days == 1 else 's'}"


def squeeze(text: str) -> str:
    """`AWS::S3::Bucket` -> `s3bucket`: letters and digits, the first part dropped."""
    return re.sub(r"[^a-z0-9]", "", text.lower().partition("::")[2])


NativeLookup = Callable[[str, str], Sequence[str]]
