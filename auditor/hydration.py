"""The hydration check: what would come to rest on the spoke, what goes with the node, what a plan cannot prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.model import Finding, Hydration, Job

NODE_DISK = "compute_local_disk"  # category of nodes themselves: what they hold is theirs


def hydration(
    spokes: Sequence[str], stores: Mapping[str, str], findings: Sequence[Finding], jobs: Sequence[Job],
    nvme_gb: Mapping[str, float | None], judged: bool,
) -> Hydration:  # fmt: skip
    """spokes: cloud ids. stores: address -> category of every data store planned on one of them.

    nvme_gb: instance type -> local storage, GB a node, None where the catalogue does not say. judged: whether SOV013
    applies (hydration or regulated data): what it let through then lives no longer than allowed.
    """
    about = {f.address: f for f in findings if f.rule in ("SOV013", "SOV014")}
    rests, gone, unproven = [], [], []
    for address, category in sorted(stores.items()):
        found = about.get(address)
        kind = category.replace("_", " ")
        if category == NODE_DISK and found is None:
            gone.append(f"{address}: the disks of the node, unless they are kept")
        elif found is not None and found.kind == "open":
            unproven.append(f"{address} ({kind}): {found.cause or found.message}")
        elif found is not None or not judged:
            rests.append(f"{address} ({kind})")
        else:
            gone.append(f"{address} ({kind}): SOV013 lets it pass")
    for address, found in sorted(about.items()):
        if address not in stores:
            (unproven if found.kind == "open" else rests).append(f"{address}: {found.message}")
    nodes = [j for j in jobs if j.cloud in spokes]
    for job in nodes:
        for kind in job.instance_types:
            size = nvme_gb.get(kind)
            if size:
                gone.append(f"{job.name}: {size:,.0f} GB of local NVMe on each {kind}, gone with the node")
            elif size is None:
                unproven.append(f"{job.name}: whether {kind} has local NVMe is not in the catalogue")
    if nodes or stores:
        unproven.append("that anything is wiped after training: a plan cannot prove wiping")
    return Hydration(tuple(spokes), tuple(rests), tuple(gone), tuple(unproven))
