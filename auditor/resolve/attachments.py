"""Resources that add to another one, found from the other's side: autoscalers, interfaces, rules of a group."""

from __future__ import annotations

from typing import Final

import msgspec

from auditor.jobfacts import pointer
from auditor.model import Action, Resource
from auditor.resolve.members import Member, Reader

GONE: Final = (Action.DELETE, Action.FORGET, Action.READ)


class Attachments(msgspec.Struct, eq=False):
    """`of(resource)`: what refers to it by a pointer of `attach`. Types are indexed when one is asked for."""

    reader: Reader
    _attaching: dict[str, list[tuple[list[Resource], str]]] | None = None
    _by_type: dict[str, dict[str, list[Member]]] = {}

    def of(self, resource: Resource) -> list[Member]:
        return self._indexed(resource.type).get(resource.address, [])

    def _indexed(self, kind: str) -> dict[str, list[Member]]:
        if kind not in self._by_type:
            self._by_type[kind] = self._index(kind)
        return self._by_type[kind]

    def _index(self, kind: str) -> dict[str, list[Member]]:
        found: dict[str, list[Member]] = {}
        for resources, text in self._known().get(kind, ()):
            for r in resources:
                m = self.reader.member(r) if r.action not in GONE else None
                if m is None or text not in m.row.attach:  # another row of the same type attaches
                    continue
                for other in self.reader.join(m, text).members:
                    if m not in found.setdefault(other.resource.address, []):
                        found[other.resource.address].append(m)
        return found

    def _known(self) -> dict[str, list[tuple[list[Resource], str]]]:
        """Type attached to -> blocks that attach, with the pointer that does."""
        if self._attaching is None:
            self._attaching = {}
            for resources in self.reader.plan.by_block.values():
                held = self.reader.rows(resources[0])
                for row in held[1] if held is not None else ():
                    for text in row.attach:
                        for kind in pointer(text).types:
                            self._attaching.setdefault(kind, []).append((resources, text))
        return self._attaching
