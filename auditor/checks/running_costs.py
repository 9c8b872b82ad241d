"""Gate 4 and the running costs (ECO003-ECO009): inference around the clock, licences, serverless, shares, surplus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from auditor.checks.economics_context import EconomicsContext, names_of, open_for, outcome
from auditor.economics import Cliff, CoreLicence, Repatriation, exact, nodes_for, plain, usd
from auditor.model import Level, Outcome, Rule
from auditor.spelling import plural
from auditor.workload import Declared, add_months

# --- gate 4 ------------------------------------------------------------------------------------------


def inference_capacity(c: EconomicsContext) -> list[str]:
    """Addresses of cloud capacity that serves: jobs of role inference, dedicated endpoints."""
    jobs = [j.name for j in c.accelerated if j.role == "inference" and c.classes.get(j.cloud) != "onprem"]
    return sorted({*jobs, *(t.address for t in c.traced("inference", "always_on"))})


def never_to_zero(c: EconomicsContext) -> Iterator[Outcome]:
    found = [t for t in c.traced("always_on") if t.sure]
    if found:
        names = names_of(sorted({t.address for t in found}))
        yield outcome(
            "ECO003", "fail", f"{names}: a GPU endpoint that never scales to zero runs day and night.", names, "scale to zero",
            f"Let it scale to zero ({found[0].trait.remark}), or declare workload.inference_24x7 with an analysis.", level="note",
        )  # fmt: skip


def _repatriation(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    capacity = inference_capacity(c)
    always = d.get("inference_24x7")
    unknown = [j.name for j in c.accelerated if j.role == "unknown"]
    if always is False:
        if capacity:
            yield outcome(
                "ECO003", "pass", f"{names_of(capacity)}: inference is declared not to run 24/7.", "inference_24x7: false", ""
            )
        return
    if not capacity and not (always and unknown):
        return
    if always is None:
        yield open_for(
            "ECO003", ["inference_24x7"], f"{names_of(capacity)}: inference capacity, and whether it runs 24/7 is not known"
        )
        return
    months = int(rule.params.get("max_months", 6))
    when = d.day("repatriation.date")
    expected = f"a repatriation record of the last {plural(months, 'month')}, or numbers for ECO004"
    if when is not None and when <= c.as_of <= add_months(when, months):
        yield outcome(
            "ECO003", "pass", f"repatriation analysed on {when}: {d.text('repatriation.decision')}.", str(when), expected
        )
    elif not d.missing("inference.cloud_node_usd", "inference.pod_node_usd"):
        yield outcome("ECO003", "pass", "cloud against pod is declared in numbers (ECO004).", "inference", expected)
    elif not capacity:
        yield outcome(
            "ECO003", "open", f"{names_of(unknown)}: whether this is inference capacity is not known; no repatriation analysis.",
            "role unknown", expected, "Declare the role of the job under workload.jobs.", f"role of {names_of(unknown)} unknown",
        )  # fmt: skip
    else:
        record = "no repatriation record" if when is None else f"the repatriation record is of {when}"
        yield outcome(
            "ECO003", "fail", f"{names_of(capacity)}: 24/7 inference in the cloud, {record} and no numbers (as of {c.as_of}).",
            record, expected, "Declare workload.inference (cloud_node_usd, pod_node_usd) or a dated workload.repatriation.",
        )  # fmt: skip


def _multiple(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    lacks = d.missing("inference.cloud_node_usd", "inference.pod_node_usd")
    if d.get("inference_24x7") is False or len(lacks) == 2:
        return
    cloud, pod = d.number("inference.cloud_node_usd"), d.number("inference.pod_node_usd")
    if cloud is None or pod is None:
        yield open_for("ECO004", lacks, "cloud against pod: one side is not known")
        return
    nodes = d.whole("inference.nodes")
    r = Repatriation(cloud, pod, int(rule.params.get("months", 36)), nodes or 1)
    if r.multiple is None:
        yield outcome("ECO004", "open", "a pod that costs nothing cannot be compared.", "$0", "pod_node_usd > 0",
                       "Declare what the pod costs a month.", "workload.inference.pod_node_usd is 0")  # fmt: skip
        return
    limit = exact(rule.params.get("warn_multiple", 2))
    shown = f"{_multiple_text(r.multiple, Fraction(limit))}x"
    message = (
        f"cloud {usd(cloud, cents=False)} / pod {usd(pod, cents=False)} = {shown}; {usd(r.monthly_delta, cents=False)} a node "
        f"and month, {usd(r.total_delta, cents=False)} a node over {plural(r.months, 'month')}"
    )
    if nodes:
        message += f"; {plural(nodes, 'node')}: {usd(r.monthly_delta * nodes, cents=False)} a month"
    if r.multiple <= 1:
        yield outcome("ECO004", "pass", f"{message}.", shown, "<= 1x")
        return
    level: Level = "warning" if r.multiple >= Fraction(limit) else "note"
    yield outcome(
        "ECO004",
        "fail",
        f"{message}.",
        shown,
        f"< {plain(limit)}x",
        "Weigh a pod of your own, and record the decision.",
        level=level,
    )


def _multiple_text(value: Fraction, limit: Fraction) -> str:
    """Two decimals, or as many as tell the value from the limit and from 1 where it is neither."""
    near = next((n for n in (limit, Fraction(1)) if value != n and plain(value, 2) == plain(n, 2)), None)
    return plain(value, 2) if near is None else _near(value, near)


# --- ECO005 to ECO009 --------------------------------------------------------------------------------


def _vmware(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    found = c.traced("vmware")
    if not found:
        return
    names = names_of(sorted({t.address for t in found}))
    what = ", ".join(sorted({t.trait.remark for t in found}))
    if not any(t.sure for t in found):
        yield outcome("ECO005", "open", f"{names}: {what}; whether it holds GPUs is known only after apply.", what,
                       "no core licence under GPU hosts", cause="device known only after apply")  # fmt: skip
        return
    keys = ("vmware.sockets", "vmware.cores_per_socket", "vmware.min_cores_per_socket", "vmware.usd_per_core_year")
    said = f" Its price needs {', '.join(d.missing(*keys))}."
    if not d.missing(*keys):
        cores = CoreLicence(
            d.whole(keys[0]) or 0, d.whole(keys[1]) or 0, d.whole(keys[2]) or 0, d.number(keys[3]) or Decimal(0)
        )  # fmt: skip
        said = (
            f" {cores.sockets} sockets x max({cores.cores_per_socket}, {cores.min_cores_per_socket}) cores x "
            f"{usd(cores.usd_per_core_year, cents=False)} = {usd(cores.usd_year, cents=False)} a host and year (declared)."
        )
    yield outcome(
        "ECO005", "fail", f"{names}: {what} licenses the cores under the GPUs.{said}", what, "no core licence under GPU hosts",
        "Run GPU hosts without the licensed layer, or price it in the manifest.",
    )  # fmt: skip


def _cliff(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    kinds = ("serverless", "function") if d.get("serverless") is not None else ("serverless",)
    found = c.traced(*kinds)
    if not found:
        return
    names = names_of(sorted({t.address for t in found}))
    keys = [f"serverless.{k}" for k in ("price_req", "seconds", "gb", "price_gb_s", "dedicated_month_usd", "rps")]
    if lacks := d.missing(*keys):
        yield open_for("ECO006", lacks, f"{names}: serverless inference, and where dedicated becomes cheaper is not known")
        return
    price, seconds, gb, gb_s, dedicated, rps = (d.number(k) or Decimal(0) for k in keys)
    cliff = Cliff(price, seconds, gb, gb_s, dedicated)
    at = cliff.rps
    if at is None:
        yield outcome("ECO006", "pass", f"{names}: a request costs nothing.", "$0", "rps <= cliff")
        return
    if not any(t.sure for t in found):
        yield outcome("ECO006", "open", f"{names}: whether it is serverless is known only after apply.", "known after apply",
                       "rps <= cliff", cause="known only after apply")  # fmt: skip
        return
    month = usd(dedicated, cents=False)
    message = (
        f"{names}: {plain(rps)} requests/s; the cliff is at {_near(at, Fraction(rps))} requests/s "
        f"(${plain(cliff.per_request)} a request, {month} a dedicated month)"
    )
    per_node = d.number("serverless.rps_per_node")
    if per_node:
        nodes = nodes_for(rps, per_node)
        serverless = usd(cliff.serverless_usd(rps), cents=False)
        message += f". Serverless {serverless} a month; {nodes} dedicated nodes {usd(dedicated * nodes, cents=False)}"
    kind = "fail" if cliff.past(rps) else "pass"
    yield outcome("ECO006", kind, f"{message}.", f"{plain(rps)} requests/s", f"<= {_near(at, Fraction(rps))} requests/s",
                   "Move steady traffic to dedicated nodes." if kind == "fail" else "")  # fmt: skip


def _near(value: Fraction, other: Fraction) -> str:
    """A number with as many decimals as show that it is not the other."""
    for places in range(1, 13):
        text = plain(value, places)
        if value == other or text != plain(other, places):
            return text
    return plain(value, 12)


def _split(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    for part in ("network", "storage", "compute"):
        path = f"monthly_split_pct.{part}"
        share, limit = d.number(path), exact(rule.params.get(f"{part}_pct", {"network": 15, "storage": 20, "compute": 70}[part]))
        if share is None:
            continue
        kind = "fail" if share > limit else "pass"
        yield outcome(
            "ECO007", kind, f"{part} is {plain(share)}% of the monthly cost (usual share: {plain(limit)}%).", f"{plain(share)}%",
            f"<= {plain(limit)}%", f"Look into what makes {part} dear." if kind == "fail" else "", path=path,
        )  # fmt: skip


def _surplus(c: EconomicsContext, d: Declared, rule: Rule) -> Iterator[Outcome]:
    needed = d.number("needed_gpus")
    jobs = c.accelerated
    if needed is None or not jobs:
        return
    factor = exact(rule.params.get("factor", "1.25"))
    limit = Fraction(needed) * Fraction(factor)
    planned = sum(j.gpus_min or 0 for j in jobs)
    unknown = [j.name for j in jobs if j.gpus_min is None]
    expected = f"<= {plain(limit, 2)} GPUs"
    if planned > limit:
        message = f"{plural(planned, 'GPU')} planned, {plain(needed)} needed (limit {plain(limit, 2)})."
        yield outcome("ECO008", "fail", message, f"{planned} GPUs", expected,
                      "Plan fewer nodes, or correct workload.needed_gpus.", units=False)  # fmt: skip
    elif unknown:
        message = f"the number of GPUs of {names_of(unknown)} is not known; the others plan {planned}."
        cause = f"size of {names_of(unknown)} not known"
        yield outcome(
            "ECO008", "open", message, "size unknown", expected, "Set the node count literally.", cause, units=False
        )
    else:
        yield outcome(
            "ECO008", "pass", f"{plural(planned, 'GPU')} planned, {plain(needed)} needed.", f"{planned} GPUs", expected,
            units=False,
        )


def proprietary(c: EconomicsContext, rule: Rule) -> Iterator[Outcome]:
    """ECO009, from the catalogue alone: accelerators that one cloud alone rents out."""
    families = tuple(str(f).lower() for f in rule.params.get("families", ()))
    found = {j.name: a for j in c.accelerated for a in j.accelerators if a.lower().startswith(families)}
    if found:
        kinds = ", ".join(sorted(set(found.values())))
        yield outcome(
            "ECO009",
            "fail",
            f"{names_of(sorted(found))}: {kinds} is rented out by one cloud alone; the work cannot move without porting.",
            kinds,
            "an accelerator that several clouds rent out",
            "Keep a build for common GPUs, or accept the tie.",
            units=False,
        )


JUDGES: Final[Mapping[str, Callable[[EconomicsContext, Declared, Rule], Iterator[Outcome]]]] = {
    "ECO003": _repatriation,
    "ECO004": _multiple,
    "ECO005": _vmware,
    "ECO006": _cliff,
    "ECO007": _split,
    "ECO008": _surplus,
}
