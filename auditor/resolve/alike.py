"""Instances of one block that say the same of their job: read once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from auditor.model import Resource, block_address
from auditor.resolve.members import Reader
from auditor.resolve.roles import LABELS, heard
from auditor.resolve.traces import Target
from auditor.values import Projection, projection_of

_PATH: Final = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*")
# Values that tell what is read, labels by their words, names by their words, and references by the instance's own key.
_Reading = tuple[Projection, Projection, Projection | None, list[tuple[Target, str]], list[tuple[str, ...]]]
_NOT_READ: Final = ("labels", "names", "identity", "id_pattern", "source", "date", "confidence")


class Alike(msgspec.Struct):
    """Tells instances of one block apart only by what a job is read from: equal keys give equal units."""

    reader: Reader
    _plans: dict[str, _Reading | None] = msgspec.field(default_factory=dict)

    def key(self, r: Resource) -> tuple[object, ...] | None:
        """None where instances are not alike even so, or one is alone: several units, a domain each, an uncertain count."""
        block = block_address(r)
        if len(self.reader.plan.by_block.get(block, ())) < 2:
            return None  # nothing to be alike to
        if block not in self._plans:
            self._plans[block] = self._plan(r, block)
        plan = self._plans[block]
        if plan is None or r.address in self.reader.plan.uncertain:
            return None
        values, labels, named, keyed, told = plan
        said = b"".join(labels.key(r)).lower()
        number = isinstance(r.index, int) and r.address.endswith(f"[{r.index}]")  # says nothing of a role
        words = heard(r.address.rpartition("[")[0] if number else r.address)
        for name in named.key(r) if named is not None else ():
            words |= heard(name.decode(errors="replace"))
        refs = self.reader.refs
        seen = (*[id(refs.instances_of(r, t, k)) for t, k in keyed], *[refs.own(r, block, p) for p in told])
        return (
            block, r.change.actions, values.key(r), words,
            said if any(word.encode() in said for word in LABELS) else b"",
            r.module_address, seen,
        )  # fmt: skip

    def own(self, key: tuple[object, ...] | None) -> tuple[object, ...]:
        """The part of a key that tells of the instance itself, and not of what it sees."""
        return key[:-2] if key is not None else ()

    def _plan(self, r: Resource, block: str) -> _Reading | None:
        held = self.reader.rows(r)
        rows = held[1] if held is not None else []
        if not rows or any(row.unit or row.domain_all for row in rows):
            return None
        # Every text of a row that could be an attribute: more than needed does no harm.
        texts = [t for row in rows for t in _texts(msgspec.structs.asdict(row), _NOT_READ)]
        paths = {tuple(w.split(".")) for t in texts for w in _PATH.findall(t)}
        labels = {p.partition(".")[0] for row in rows for p in row.labels}
        named = {p.partition(".")[0] for row in rows for p in row.names}
        traces = [self.reader.refs.trace(block, p) for p in paths]
        told = [p for p in paths if self.reader.refs.own(r, block, p) is not None]
        keyed = [(t, x.keyed) for x in traces for t in x.targets if x.keyed]
        roots = {p[0] for p in paths}
        if (text := held[0].jobs.texts.get(r.type) if held is not None else None) is not None:
            roots.update(text.attributes)
            labels.update(text.attributes)
            named.update(text.attributes)
        values = projection_of(frozenset(roots))
        return values, projection_of(frozenset(labels)), projection_of(frozenset(named)) if named else None, keyed, told


def _texts(value: Any, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Every text inside a row."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for k, v in value.items():
            if k not in skip:
                yield from _texts(v)
    elif isinstance(value, list):
        for v in value:
            yield from _texts(v)
    elif isinstance(value, msgspec.Struct):
        yield from _texts(msgspec.structs.asdict(value))
