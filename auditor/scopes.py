"""Which place lists govern a resource: the top-level one, or those of the policy's `scopes:` that match it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from auditor.facts import Index
from auditor.identity import compile_pattern, covers
from auditor.model import Place, Unknown
from auditor.places import AllowList, compile_allow


class Subject(msgspec.Struct, frozen=True):
    """What scopes ask of a resource instance. None, or an Unknown, is a fact that is not known.

    tags: after the provider's default tags are merged. category: the curated one, "" where there is none.
    """

    address: str
    type: str = ""
    provider: str = ""
    tags: Mapping[str, object] | Unknown | None = msgspec.field(default_factory=dict)
    category: str | None = ""


Patterns = tuple[re.Pattern[str], ...]


class Scope(msgspec.Struct, frozen=True):
    """Places for some resources instead of the top-level list. Keys are ANDed, a key's items ORed."""

    name: str
    allow: AllowList
    address: Patterns = ()
    type: Patterns = ()
    provider: Patterns = ()
    category: Patterns = ()
    tags: tuple[tuple[str, Patterns], ...] = ()

    def matches(self, subject: Subject) -> bool | None:
        """True, False, or None where a fact that it asks for is not known."""
        asked = [
            (self.address, subject.address),
            (self.type, subject.type),
            (self.provider, subject.provider),
            (self.category, subject.category),
        ]
        answers = [_any(patterns, value) for patterns, value in asked if patterns]
        answers += [_any(patterns, _tag(subject.tags, key)) for key, patterns in self.tags]
        if False in answers:
            return False
        return None if None in answers else True


_ABSENT: Final = object()


def _tag(tags: Mapping[str, object] | Unknown | None, key: str) -> object:
    if tags is None or isinstance(tags, Unknown):
        return None
    value = tags.get(key, _ABSENT)
    return None if isinstance(value, Unknown) else value


def _any(patterns: Patterns, value: object) -> bool | None:
    """Whether any pattern covers the value; None where it is not known."""
    if value is None:
        return None
    return value is not _ABSENT and any(covers(p, str(value)) for p in patterns)


class AllowDecision(msgspec.Struct, frozen=True):
    """Lists that govern one resource: a place must be permitted by every one of `lists`.

    lists: (scope name, list); the name is "" for the top-level list, which governs where no scope surely matches.
    undecided: scopes that may match; verdicts that differ between `alternatives` are open.
    """

    lists: tuple[tuple[str, AllowList], ...]
    undecided: tuple[tuple[str, AllowList], ...] = ()

    @property
    def alternatives(self) -> tuple[tuple[tuple[str, AllowList], ...], ...]:
        """The sets of lists that may govern, as far as verdicts can differ: the loosest ones and the strictest."""
        if not self.undecided:
            return (self.lists,)
        if self.lists[0][0]:
            return (self.lists, self.lists + self.undecided)
        singles = tuple((scope,) for scope in self.undecided)
        return (self.lists, *singles) if len(singles) == 1 else (self.lists, *singles, self.undecided)

    def permits(self, role: str, place: Place) -> bool | None:
        """Whether the place is allowed; None where it depends on a scope that may or may not match."""
        verdicts = {all(a.permits(role, place) for _, a in lists) for lists in self.alternatives}
        return verdicts.pop() if len(verdicts) == 1 else None

    def refusing(self, role: str, place: Place) -> tuple[str, AllowList] | None:
        """The first governing list that does not permit a place."""
        return next(((n, a) for n, a in self.lists if not a.permits(role, place)), None)


class Places(msgspec.Struct, frozen=True, dict=True):
    """The whole place policy: the top-level list and the scopes."""

    top: AllowList
    scopes: tuple[Scope, ...] = ()

    @cached_property
    def top_only(self) -> AllowDecision:
        """What governs where no scope matches: the top-level list."""
        return AllowDecision((("", self.top),))

    def allow_for(self, subject: Subject) -> AllowDecision:
        """Which lists govern a resource."""
        if not self.scopes:
            return self.top_only
        answers = [(scope, scope.matches(subject)) for scope in self.scopes]
        sure = tuple((s.name, s.allow) for s, matched in answers if matched)
        maybe = tuple((s.name, s.allow) for s, matched in answers if matched is None)
        return AllowDecision(sure or (("", self.top),), maybe)


def compile_scope(entry: Mapping[str, Any], deny: Sequence[object], index: Index, as_of: str) -> Scope:
    """One entry of `scopes:`, already valid by the schema."""
    match = entry["match"]
    tags = tuple((key, _patterns([v] if isinstance(v, str) else v)) for key, v in match.get("tags", {}).items())
    return Scope(
        name=entry["name"],
        allow=compile_allow(entry["allow"], deny, index, as_of),
        address=_patterns(match.get("address", ())),
        type=_patterns(match.get("type", ())),
        provider=_patterns(match.get("provider", ())),
        category=_patterns(match.get("class", ())),
        tags=tags,
    )


def _patterns(items: Iterable[str]) -> Patterns:
    return tuple(compile_pattern(item) for item in items)
