"""Kubernetes workloads: would pods that take whole nodes of accelerators use the fabric those nodes have (NET015)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from auditor.model import Outcome, Workload

WHOLE_NODE: Final = 8  # accelerators per pod from which it takes a node of its own


def pod_outcomes(workloads: Sequence[Workload]) -> Iterator[Outcome]:
    """NET015, once per workload. Serving pods are left in peace; text of a chart never opens a verdict."""
    for w in workloads:
        if w.role == "inference":
            continue
        many = None if w.pods is None else w.pods > 1
        whole = None if w.gpus is None else w.gpus >= WHOLE_NODE
        if many is False or whole is False or w.fabric is True:
            yield Outcome("NET015", "pass", w.block, w.path)
        elif many and whole and w.fabric is False:
            yield _without(w)
        elif not w.read_from_text:
            yield _open(w)


def _size(w: Workload) -> str:
    return f"{'?' if w.pods is None else w.pods} pods x {'?' if w.gpus is None else w.gpus} accelerators"


def _without(w: Workload) -> Outcome:
    why = "nothing in the plan says whether it trains or serves" if w.role == "unknown" else ""
    message = (
        f"{w.block}: {_size(w)}, and no fabric card is asked for: its pods take the nodes and leave their RDMA or EFA cards "
        f"unused.{f' One level lower: {why}.' if why else ''}"
    )
    return Outcome(
        "NET015", "fail", w.block, w.path, _size(w), 'limits["vpc.amazonaws.com/efa"] or limits["rdma/..."]', message,
        "Ask for the cards beside the accelerators, under the name that the device plugin of the cluster gives them.",
        job=w.block, shift=-1 if why else 0, shift_why=why, block=w.block,
    )  # fmt: skip


def _open(w: Workload) -> Outcome:
    return Outcome(
        "NET015", "open", w.block, w.path, _size(w), "pods and limits known at plan time",
        f"{w.block}: {_size(w)}; whether its pods ask for the fabric cannot be decided.",
        "Make the number of pods and their limits known at plan time.", job=w.block,
        cause="pods or limits are not known at plan time", block=w.block,
    )  # fmt: skip
