"""Where Terraform keeps its state: the `backend` block of the root module's source, as locations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auditor.errors import AuditorError
from auditor.facts import Backend, Facts
from auditor.model import UNKNOWN, Evidence, Location
from auditor.resolve.readings import Reader
from auditor.syntax import Block, Literal, SourceTree, Template

ADDRESS: Final = "terraform.backend"
_LOCAL: Final = "local"  # the file stays with whoever runs Terraform


def backend_locations(tree: SourceTree, facts: Facts) -> tuple[Location, ...]:
    """One location for each backend or `cloud` block; a local state has none."""
    return tuple(_located(block, facts) for block in _blocks(tree) if block.labels != (_LOCAL,))


def _blocks(tree: SourceTree) -> Iterator[Block]:
    for terraform in tree.root.terraform:
        yield from (b for b in terraform.body.blocks if b.type in ("backend", "cloud"))


def _located(block: Block, facts: Facts) -> Location:
    name = block.labels[0] if block.labels else block.type
    line = block.source.position(block.start)[0]
    evidence = (Evidence(f'backend "{name}"' if block.labels else name, block.source.path, line),)
    known = facts.index.backends.get(name) if block.labels else Backend(reason="HCP Terraform says where")
    if known is None:
        return _open("", f"backend {name}: not in the catalogue", evidence)
    if not known.path:
        return _open("", f"backend {name}: {known.reason}", evidence)
    given = {a.name: _constant(a.expr) for a in block.body.attributes.values() if a.name in (known.path, *known.elsewhere)}
    present = {*given, *(b.type for b in block.body.blocks)}
    if custom := [n for n in known.elsewhere if n in present]:
        return _open(known.path, f"backend {name}: {custom[0]} names a server of its own", evidence)
    value = given.get(known.path)
    if not isinstance(value, str) or not value:
        why = "is not a constant" if value is UNKNOWN else "is not in the block (partial configuration)"
        return _open(known.path, f"backend {name}: {known.path} {why}", evidence)
    cloud = facts.cloud(known.cloud)
    found = Reader(cloud, facts, "", cloud.reading).place(value) if cloud is not None else None
    if found is None or not found[1]:
        return _open(known.path, f"backend {name}: {known.path} is not a place in the catalogue", evidence, value)
    places, _ = found
    doubtful = "" if all(p.confirmed for p in places) else f"country of {value}"
    return Location(
        ADDRESS, known.path, "home", value, "attribute", places, evidence=evidence, unconfirmed=doubtful
    )  # fmt: skip


def _open(path: str, cause: str, evidence: tuple[Evidence, ...], value: str = "") -> Location:
    return Location(ADDRESS, path, "home", value, "unknown", complete=False, cause=cause, evidence=evidence)


def _constant(expression: object) -> object:
    """The text of a literal, UNKNOWN for anything that is computed or does not parse."""
    try:
        match expression:
            case Literal(value=value):
                return value
            case Template(parts=parts) if all(isinstance(p, Literal) for p in parts):
                return "".join(str(p.value) for p in parts)
    except AuditorError:
        return UNKNOWN
    return UNKNOWN
