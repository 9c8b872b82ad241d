"""Version arithmetic as Terraform does it for providers.

Versions are compared as semantic versions: build metadata does not count, a prerelease comes before its release.
Constraints are Terraform's: `=` (or nothing), `!=`, `>`, `>=`, `<`, `<=`, `~>`, several joined by commas. A prerelease
is admitted only where an exact constraint names it: `>= 1.0.0-beta1` admits none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

_VERSION: Final = re.compile(
    r"v?(\d{1,9}(?:\.\d{1,9}){0,2})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_TERM: Final = re.compile(r"\s*(=|!=|>=|<=|~>|>|<)?\s*(\S+)\s*", re.ASCII)

PreKey = tuple[tuple[int, int, str], ...]


class Version(NamedTuple):
    """A version; tuples compare as versions do. `released` is False for a prerelease."""

    numbers: tuple[int, int, int]
    released: bool = True
    pre: PreKey = ()

    def __str__(self) -> str:
        core = ".".join(map(str, self.numbers))
        return core if self.released else f"{core}-{'.'.join(text or str(number) for _, number, text in self.pre)}"


class Term(NamedTuple):
    """One comparison; `parts` is how many numbers were written (`~> 6.0` has 2)."""

    op: str
    version: Version
    parts: int

    def admits(self, version: Version) -> bool:
        """Whether the comparison holds, prerelease or not."""
        if self.op == "=":
            return version == self.version
        if self.op == "!=":
            return version != self.version
        if self.op == ">":
            return version > self.version
        if self.op == ">=":
            return version >= self.version
        if self.op == "<":
            return version < self.version
        if self.op == "<=":
            return version <= self.version
        return version >= self.version and version.numbers[: self._fixed] == self.version.numbers[: self._fixed]

    @property
    def _fixed(self) -> int:
        """How many leading numbers `~>` holds fast: two where three were written, else the major alone."""
        return 2 if self.parts == 3 else 1

    @property
    def bounded(self) -> bool:
        """Whether the comparison sets an upper end."""
        return self.op in ("=", "<", "<=", "~>")


@lru_cache(maxsize=16384)
def parse_version(text: str) -> Version | None:
    """The version a text is, missing numbers read as 0; None where it is none."""
    parts = text.split(".")
    if len(parts) == 3 and text.isascii() and all(p.isdigit() and len(p) < 10 for p in parts):  # nearly all are so
        return Version((int(parts[0]), int(parts[1]), int(parts[2])))
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [int(n) for n in found.group(1).split(".")]
    major, minor, patch = (*numbers, 0, 0)[:3]
    pre = found.group(2)
    if pre is None:
        return Version((major, minor, patch))
    return Version((major, minor, patch), False, tuple(_pre_key(p) for p in pre.split(".")))


def _pre_key(part: str) -> tuple[int, int, str]:
    """Numbers compare as numbers and come before words."""
    return (0, int(part), "") if part.isdecimal() else (1, 0, part)


@lru_cache(maxsize=4096)
def parse_constraint(text: str) -> tuple[Term, ...] | None:
    """The comparisons of one constraint string, all of which must hold; empty text admits everything, None is malformed."""
    terms: list[Term] = []
    if not text.strip():
        return ()
    for part in text.split(","):
        found = _TERM.fullmatch(part)
        version = parse_version(found.group(2)) if found else None
        if found is None or version is None:
            return None
        written = found.group(2).lstrip("v").partition("-")[0].partition("+")[0]
        terms.append(Term(found.group(1) or "=", version, written.count(".") + 1))
    return tuple(terms)


def admits(terms: Iterable[Term], version: Version) -> bool:
    """Whether all terms admit a version; a prerelease only where one of them names it exactly."""
    terms = tuple(terms)
    if not all(t.admits(version) for t in terms):
        return False
    return version.released or any(t.op == "=" and t.version == version for t in terms)


def admitted(terms: Sequence[Term], versions: Iterable[Version]) -> list[Version]:
    """The admitted ones of `versions`, in the order given."""
    return [v for v in versions if admits(terms, v)]


def has_upper_bound(terms: Iterable[Term]) -> bool:
    """Whether some term keeps newer majors out."""
    return any(t.bounded for t in terms)
