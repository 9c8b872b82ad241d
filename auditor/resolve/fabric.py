"""Which fabric joins a job's nodes, and whether it is switched on: on, off, impossible or open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from auditor.jobfacts import Fabric, Nics, condition
from auditor.model import UNKNOWN, Accelerator, FabricState
from auditor.resolve.members import Member, Reader

UNDECIDED = ("unknown", "cluster-only")


class Switch(msgspec.Struct, frozen=True):
    """`missing`: what to write, attribute by attribute. `cause`: why it is open."""

    state: FabricState
    fabric: str
    missing: tuple[str, ...] = ()
    cause: str = ""
    path: str = ""
    facts: tuple[str, ...] = ()


def switch(
    reader: Reader, sizing: Member, chain: Sequence[Member], types: Sequence[Accelerator], lost: str, either: str = ""
) -> Switch:
    """The state of the fabric, whatever the job's role and size.

    chain: the sizing resource, its templates and parts. lost: why a template or part could not be read. either: why
    it is open which of several unlike templates is meant.
    """
    spec = sizing.row.fabric
    fabrics = list(dict.fromkeys(t.fabric for t in types))
    capable = [t for t in types if t.fabric not in ("none", *UNDECIDED)]
    fabric = capable[0].fabric if capable else (fabrics[0] if fabrics else "unknown")
    if not types:
        return Switch("open", "unknown", cause=lost or "the instance type is not known")
    shaky = [t for t in types if not t.confirmed or not t.fabric_confirmed]
    facts = tuple(f"fabric of {t.instance_type}" for t in shaky)
    if all(t.fabric == "none" for t in types):
        if shaky:
            return Switch("open", "none", cause=f"not confirmed in the catalogue: {facts[0]}", facts=facts)
        return Switch("impossible", "none", (f"{sizing_types(types)} has no RDMA fabric",), path="")
    if either:
        return Switch("open", fabric, cause=either)
    if any(t.fabric in UNDECIDED for t in types):
        name = next(t.instance_type for t in types if t.fabric in UNDECIDED)
        return Switch("open", "unknown", cause=f"the catalogue does not know the fabric of {name}")
    if spec is None or spec.mode == "none":
        return Switch("open", fabric, cause=f"{sizing.resource.type} has no attribute that shows the fabric")
    if len(capable) < len(types):
        if shaky:
            return Switch("open", fabric, cause=f"not confirmed in the catalogue: {facts[0]}", facts=facts)
        bare = ", ".join(t.instance_type for t in types if t.fabric == "none")
        return Switch("off", fabric, (f"{bare} has no RDMA fabric",))
    if shaky:
        return Switch("open", fabric, cause=f"not confirmed in the catalogue: {facts[0]}", facts=facts)
    verdict, missing, cause, path = _read(reader, sizing, spec, chain, capable)
    if verdict is True:
        return Switch("on", fabric, path=path)
    if verdict is None or lost:
        return Switch("open", fabric, cause=cause or lost or "the fabric's switch is known only after apply", path=path)
    if not sizing.row.confirmed:
        return Switch("open", fabric, cause=f"not confirmed in the catalogue: row {sizing.resource.type}", path=path)
    return Switch("off", fabric, missing, path=path)


def _read(
    reader: Reader, sizing: Member, spec: Fabric, chain: Sequence[Member], types: Sequence[Accelerator]
) -> tuple[bool | None, tuple[str, ...], str, str]:
    """Whether the fabric is on; what is missing; why it is not decided; the attribute it hangs on."""
    specs = [(m, m.row.fabric) for m in chain if m.row.fabric is not None]
    verdicts: list[bool | None] = []
    causes: list[str] = []
    for m, f in specs:
        for text in f.any:
            got = holds(reader, m, text, types)
            verdicts.append(got)
            if got is None:
                causes.append(f"{m.block}: {text.split(' ')[0]} is known only after apply")
    on: bool | None
    if spec.mode in ("size", "managed") and not verdicts:
        on = True
    else:
        on = True if True in verdicts else (None if None in verdicts else False)
    missing: list[str] = []
    if on is False and spec.missing:
        wanted = {n.want for t in types if (n := nics_of(sizing.cloud.jobs.nics, t.instance_type)) is not None}
        missing.append(wanted.pop() if len(wanted) == 1 and "" not in wanted else spec.missing)
    for m, f in specs:
        for text in f.needs:
            got = holds(reader, m, text, types)
            if got is False:
                missing.append(f"{m.block}: {text}" if m is not sizing else text)
                on = False
            elif got is None and on is True:
                on = None
                causes.append(f"{m.block}: {text.split(' ')[0]} is known only after apply")
    path = spec.path or sizing.row.templates[0].partition("->")[0].strip() if sizing.row.templates else spec.path
    return on, tuple(missing), "; ".join(dict.fromkeys(causes)), path


def holds(reader: Reader, m: Member, text: str, types: Iterable[Accelerator]) -> bool | None:
    """A condition, `nics(path)` included: enough entries of the right kind for every type."""
    c = condition(text)
    if c.op not in ("nics", "networks"):
        return reader.holds(m, text)
    needs = [n for t in types if (n := nics_of(m.cloud.jobs.nics, t.instance_type)) is not None]
    if not needs:
        return None
    return _count_nics(reader, m, c.path, needs, c.op == "networks")


def _count_nics(
    reader: Reader, m: Member, path: tuple[str, ...], needs: Sequence[Nics], networks: bool
) -> bool | None:
    verdicts: list[bool | None] = []
    for need in needs:
        if not need.count:
            verdicts.append(False)
            continue
        if networks:
            entries = [v.value for v in reader.values(m, path)]
            known = sum(1 for e in entries if e is not UNKNOWN)
            verdicts.append(True if known >= need.count else (None if UNKNOWN in entries else False))
            continue
        values = reader.values(m, (*path, "nic_type"))
        sure = sum(1 for v in values if v.value == need.value)
        maybe = sum(1 for v in values if v.value is UNKNOWN)
        wanted = need.count + need.host
        verdicts.append(True if sure >= wanted else (None if maybe and sure + maybe >= wanted else False))
        if any(v.path == path[0] and v.value is UNKNOWN for v in values):
            verdicts[-1] = None
    return True if all(v is True for v in verdicts) else (None if None in verdicts else False)


def nics_of(table: Iterable[Nics], instance_type: str) -> Nics | None:
    return next((n for n in table if re.search(n.types, instance_type)), None)


def sizing_types(types: Iterable[Accelerator]) -> str:
    return " / ".join(dict.fromkeys(t.instance_type for t in types))
