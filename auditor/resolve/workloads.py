"""Kubernetes workloads that take accelerators: how many pods, how many accelerators each, whether they ask for the fabric.

They size no nodes: node pools do. They tell what a cluster is for, and whether its pods would use the fabric its nodes have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from auditor.facts import Facts
from auditor.jobfacts import JobTables, amount
from auditor.model import UNKNOWN, Action, JobRole, Plan, Resource, Workload, strip_keys
from auditor.resolve.members import Member, Reader
from auditor.resolve.references import References
from auditor.resolve.roles import LABELS, by_words, spoken
from auditor.values import whole

_GONE: Final = (Action.DELETE, Action.FORGET, Action.READ)
_REPLICAS: Final = re.compile(r"^\s*[\"']?(?:replicas|replicaCount|numNodes|parallelism)[\"']?\s*:\s*[\"']?(\d+)", re.MULTILINE)


def read_workloads(plan: Plan, refs: References, facts: Facts) -> list[Workload]:
    """Every workload of a plan whose pods take accelerators, sorted by address."""
    reader = Reader(plan, refs, facts)
    found: list[Workload] = []
    for group in plan.by_block.values():
        held = reader.rows(group[0])
        if held is None or group[0].is_data or all(row.kind != "workload" for row in held[1]):
            continue
        for r in group:
            if r.action not in _GONE and not r.deposed and reader.may_be(r, ("workload",)):
                found += _of(reader, r)
    return sorted(found, key=lambda w: (w.address, w.path))


def _of(reader: Reader, r: Resource) -> Iterator[Workload]:
    whole = reader.member(r)
    if whole is None or whole.row.kind != "workload":
        return
    for m in reader.units(whole):
        read = _by_text(reader, m) if m.row.text else _by_maps(reader, m)
        if read is None:
            continue
        gpus, fabric, pods, path = read
        role, reason = _role(reader, whole, m)
        exempt = any(reader.holds(m, c) is True for c in m.row.exempt)
        yield Workload(
            address=r.address, block=strip_keys(r.address), role=role, role_reason=reason, pods=pods, gpus=gpus,
            fabric=True if exempt else fabric, path=reader.shown(whole, strip_keys(path)), read_from_text=bool(m.row.text),
        )  # fmt: skip


# --- limits in the plan

_Read = tuple[int | None, bool | None, int | None, str]  # accelerators per pod, whether the fabric is asked for, pods, path


def _by_maps(reader: Reader, m: Member) -> _Read | None:
    """From the maps of resource limits of its containers; None where no container takes accelerators."""
    tables = reader.tables(m)
    gpus: int | None = 0
    fabric: bool | None = False
    path = ""
    for text in m.row.resources:
        for v in reader.values(m, text):
            if v.value is UNKNOWN:
                fabric = None if fabric is False else fabric
                continue
            if not isinstance(v.value, Mapping):
                continue
            count, asks = _counted(tables, v.value)
            if count != 0:
                path = path or m.at + v.path
            gpus = None if gpus is None or count is None else gpus + count
            fabric = True if asks is True or fabric is True else (None if asks is None or fabric is None else False)
    if gpus == 0:
        return None
    return gpus, fabric, _pods(reader, m), path


def _counted(tables: JobTables, limits: Mapping[str, Any]) -> tuple[int | None, bool | None]:
    """(accelerators, asks for the fabric) of one map of limits."""
    gpus: int | None = 0
    fabric: bool | None = False
    for key, value in limits.items():
        number = whole(value)
        if key in tables.pod_accelerators:
            gpus = None if number is None or gpus is None else gpus + number
        elif any(re.search(p, key) for p in tables.pod_fabrics) and number != 0:
            fabric = True
    return gpus, fabric


def _pods(reader: Reader, m: Member) -> int | None:
    """The first attribute that speaks; a product where one multiplies the other."""
    for text in m.row.pods:
        path, _, factor = text.partition(" times ")
        number = _number(reader, m, amount(path).path)
        if number is False:
            continue
        if number is None or not factor:
            return number
        other = _number(reader, m, factor)
        return None if other is None else number * (1 if other is False else other)
    return m.row.nodes_absent


def _number(reader: Reader, m: Member, path: str) -> int | bool | None:
    """A number under a path; None where unknown, False where nothing is set."""
    values = reader.values(m, path)
    if not values:
        return False
    return None if values[0].value is UNKNOWN else whole(values[0].value)


# --- values of a chart, which are text

def _by_text(reader: Reader, m: Member) -> _Read | None:
    """From YAML text and `set` blocks: what they say of accelerators, whatever the chart makes of it."""
    tables = reader.tables(m)
    texts = [str(v) for p in m.row.text for v in reader.known(m, p)]
    pairs = list(zip(reader.known(m, "set.name"), reader.known(m, "set.value"), strict=False))
    texts += [f"{_leaf(str(name))}: {value}" for name, value in pairs]
    text = "\n".join(texts)
    gpus = max((n for key in tables.pod_accelerators for n in _after(text, re.escape(key))), default=0)
    if gpus == 0:
        return None
    fabric = any(n for p in tables.pod_fabrics for n in _after(text, p.removeprefix("^").removesuffix("$")))
    replicas = {int(n[:15]) for n in _REPLICAS.findall(text)}
    return gpus, fabric, replicas.pop() if len(replicas) == 1 else None, m.row.text[0]


def _leaf(name: str) -> str:
    """`resources.limits.nvidia\\.com/gpu` of a `set` block -> `nvidia.com/gpu`."""
    return re.split(r"(?<!\\)\.", name)[-1].replace("\\", "")


def _after(text: str, key: str) -> list[int]:
    return [int(n[:15]) for n in re.findall(rf"^[ \t\-]*[\"']?{key}[\w./-]*[\"']?\s*:\s*[\"']?([0-9]+)", text, re.MULTILINE)]


def _role(reader: Reader, whole: Member, m: Member) -> tuple[JobRole, str]:
    """Labels, then the kind of workload, then its name."""
    texts = [
        str(x)
        for p in whole.row.labels
        for v in reader.known(whole, p)
        if isinstance(v, Mapping)
        for k, x in v.items()
        if str(k).rpartition("/")[2].lower() in LABELS
    ]
    if (role := by_words(texts)) is not None:
        return role, f"label: {spoken(texts)}"
    if m.row.role in ("training", "inference"):
        return ("training" if m.row.role == "training" else "inference"), "kind of workload"
    named: Sequence[str] = [whole.resource.address.replace(whole.resource.type, "")]
    names = [*named, *(str(v) for p in whole.row.names for v in reader.known(whole, p))]
    if (role := by_words(names)) is not None:
        return role, f"name: {spoken(names)}"
    return "unknown", "nothing in the plan says what it is for"
