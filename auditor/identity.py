"""What a finding and a waiver are known by: fingerprints, address patterns, the waiver record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from typing import Final

import msgspec

from auditor.model import strip_keys

# Rules that no waiver and no baseline covers; the first is the whole META set.
UNWAIVABLE: Final = ("META", "SOV008")

# More keyed segments than this do not occur; beyond it only the whole and the bare address are tried.
_MAX_KEYED: Final = 6


def fingerprint(rule: str, address: str, path: str) -> str:
    """32 hex digits that name a finding across runs: no line, message, value or instance key in them."""
    return _digest("\n".join((rule, strip_keys(address), path)))


@lru_cache(maxsize=4096)
def _digest(text: str) -> str:
    """Findings of one block share it."""
    import hashlib  # a run without findings needs none

    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=8192)
def compile_pattern(text: str) -> re.Pattern[str]:
    """`*` is any run of characters, `?` one, everything else literal, brackets and quotes too.

    Each run is matched once, as early as possible (an atomic group): no pattern takes exponential time.
    """
    head, *rest = [re.escape(part).replace(r"\?", ".") for part in re.sub(r"\*+", "*", text).split("*")]
    if not rest:
        return re.compile(head, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{head}{middle}.*{rest[-1]}", re.DOTALL)


def covers(pattern: re.Pattern[str], address: str) -> bool:
    """Whether a pattern covers a whole address; a segment written without instance key covers every instance."""
    return any(pattern.fullmatch(variant) for variant in variants(address))


def variants(address: str) -> list[str]:
    """The address with each instance key kept or dropped, the whole address first."""
    if "[" not in address:
        return [address]
    parts = _split_keys(address)
    keyed = [i for i, (_, key) in enumerate(parts) if key]
    if len(keyed) > _MAX_KEYED:
        return [address, strip_keys(address)]
    made = []
    for choice in product((True, False), repeat=len(keyed)):
        keep = dict(zip(keyed, choice, strict=True))
        made.append("".join(text + (key if keep.get(i) else "") for i, (text, key) in enumerate(parts)))
    return made


def _split_keys(address: str) -> list[tuple[str, str]]:
    """`module.a["x.y"].t.n[0]` -> [("module.a", '["x.y"]'), (".t.n", "[0]")]."""
    return [(m.group(1), m.group(2)) for m in _KEYED.finditer(address) if m.group(0)]


class Patterns:
    """Which of many address patterns cover an address, without asking each of them.

    Literal ones are looked up; of the others only those are tried whose text before the first wildcard begins the address.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._literal: dict[str, list[int]] = {}
        self._heads: dict[str, list[tuple[int, str]]] = {}
        for i, text in enumerate(texts):
            head = _WILD.split(text, maxsplit=1)[0]
            if head == text:
                self._literal.setdefault(text, []).append(i)
            else:
                self._heads.setdefault(head, []).append((i, text))
        self._lengths = sorted({len(head) for head in self._heads})
        self._held: dict[str, tuple[int, ...]] = {}

    def covering(self, address: str) -> tuple[int, ...]:
        """The numbers of the patterns that cover an address, in order. As `covers` of each of them."""
        found = self._held.get(address)
        if found is None:
            hits: set[int] = set()
            for variant in variants(address):
                hits.update(self._literal.get(variant, ()))
                for length in self._lengths:
                    if length > len(variant):
                        break
                    for i, text in self._heads.get(variant[:length], ()):
                        if i not in hits and compile_pattern(text).fullmatch(variant):
                            hits.add(i)
            found = self._held[address] = tuple(sorted(hits))
        return found


_WILD: Final = re.compile(r"[*?]")
_KEYED: Final = re.compile(r'([^\[]*)(\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\]|\[.*$|$)', re.DOTALL)


class Waiver(msgspec.Struct, frozen=True, gc=False):
    """One entry of `waivers:` or of an inline comment. `expires` is an ISO date, the last day it holds."""

    rule: str
    address: str
    reason: str
    expires: str
    path: str = ""
    fingerprint: str = ""
    owner: str = ""
    file: str = ""
    line: int = 0
    lines: tuple[int, int] = (0, 0)  # of `file`: covers only what points between them (a comment at an attribute)

    @property
    def source(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file
