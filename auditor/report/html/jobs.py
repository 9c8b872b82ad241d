"""Job cards: what runs together, how large, over which zones, on which fabric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from auditor.model import Job, Workload
from auditor.report.escape import clean, cut
from auditor.report.html.markup import code, name, table, text

MAX_NODES: Final = 8  # drawn per zone
MAX_ZONES: Final = 6
MAX_NAMED: Final = 12  # zones named
MAX_CARDS: Final = 200
WORST: Final = ("off", "impossible", "open", "on", "not_needed")
STATES: Final = {
    "on": ("pass", "on"),
    "off": ("fail", "available, not switched on"),
    "impossible": ("fail", "not possible with this type"),
    "open": ("open", "undecided"),
    "not_needed": ("none", "not needed"),
}


def drawn(jobs: tuple[Job, ...]) -> list[Job]:
    """The jobs that get a card, in their order; of too many those with trouble, worst first."""
    if len(jobs) <= MAX_CARDS:
        return list(jobs)
    return sorted(jobs, key=lambda j: WORST.index(j.fabric_state))[:MAX_CARDS]


def numbers(cards: list[Job]) -> dict[str, int]:
    """Job -> number of its card; a name that several plans of the run use leads nowhere."""
    count = Counter(j.name for j in cards)
    return {j.name: n for n, j in enumerate(cards, start=1) if count[j.name] == 1}


def render(cards: list[Job], total: int, found: Mapping[str, list[tuple[str, int]]]) -> str:
    """`total`: jobs of the run; `found`: job -> (rule, number of the finding on the page)."""
    if not cards:
        return "<p>No accelerator jobs in this plan.</p>\n"
    known = numbers(cards)
    made = "".join(_card(j, n, found.get(j.name, []) if j.name in known else []) for n, j in enumerate(cards, start=1))
    more = total - len(cards)
    rest = f"<p>{more} of {total} jobs left out; the JSON report lists all.</p>\n" if more else ""
    return f'<div class="cards">\n{made}</div>\n{rest}'


def span(low: int | None, high: int | None) -> str:
    """`4`, `2 to 16`, `2 or more`, `unknown`."""
    if low is None and high is None:
        return "unknown"
    if low == high:
        return str(low)
    if high is None:
        return f"{low} or more"
    return f"up to {high}" if low is None else f"{low} to {high}"


def _card(j: Job, number: int, found: list[tuple[str, int]]) -> str:
    style, state = STATES[j.fabric_state]
    more = f" (of {j.zones_max} at once)" if j.zones_max is not None and 0 < j.zones_max < len(j.zones) else ""
    links = dict.fromkeys(f'<a href="#f{n}">{name(rule, 40)}</a>' for rule, n in found)
    rows = [
        ("Role", f"{name(j.role)} ({text(j.role_reason)})" if j.role_reason else name(j.role)),
        ("Nodes", span(j.nodes_min, j.nodes_max)),
        ("Accelerators", f"{span(j.gpus_min, j.gpus_max)} {', '.join(name(a, 60) for a in j.accelerators)}"),
        ("Type", ", ".join(code(t, 80) for t in j.instance_types) or "unknown"),
        ("Fabric", f'{name(j.fabric, 60)} <span class="badge {style}">{state}</span>'),
        ("Missing", ", ".join(code(m, 200) for m in j.missing)),
        ("Zones", (", ".join(code(z, 80) for z in j.zones[:MAX_NAMED]) or "not known") + _rest(j.zones) + more),
        ("Region", "" if j.zones else ", ".join(code(r, 80) for r in j.regions[:MAX_NAMED])),
        ("Placement", name(j.placement, 80)),
        ("Domains", span(j.domains_min, j.domains_max) if _domains(j) else ""),
        ("Local NVMe", _nvme(j)),
        ("Capacity", ", ".join(_capacity(j))),
        ("Why open", text(j.cause)),
        ("Unconfirmed", "; ".join(text(fact) for fact in j.facts)),
        ("Found", " ".join(links)),
    ]
    facts = "".join(f"<dt>{k}</dt><dd>{v}</dd>" for k, v in rows if v)
    return (
        f'<article class="card" id="j{number}"><h3>{code(j.name, 300)}</h3>\n'
        f"{_diagram(j, style, state)}<dl>{facts}</dl></article>\n"
    )


def _domains(j: Job) -> bool:
    """Whether NVLink domains or TPU slices join nodes, so that their number tells something."""
    return j.domains_max is not None and (j.domains_min, j.domains_max) != (j.nodes_min, j.nodes_max)


def _nvme(j: Job) -> str:
    """Of a node: the least of its types, "" where the catalogue does not know one."""
    sizes = [t.local_nvme_gb for t in j.types]
    known = [s for s in sizes if s is not None]
    return "" if not known or len(known) < len(sizes) else f"{min(known):g} GB a node" if min(known) else "none"


def workloads(found: tuple[Workload, ...]) -> str:
    """Kubernetes workloads whose pods take accelerators; they size no nodes and so have no card."""
    rows = [
        (
            code(w.address, 300),
            name(w.role),
            "unknown" if w.pods is None else str(w.pods),
            "unknown" if w.gpus is None else str(w.gpus),
            {True: "yes", False: "no", None: "unknown"}[w.fabric],
        )
        for w in found[:MAX_CARDS]
    ]
    more = f"<p>{len(found) - MAX_CARDS} more left out.</p>\n" if len(found) > MAX_CARDS else ""
    head = ("Workload", "Role", "Pods", "Accelerators a pod", "Asks for the fabric")
    return table("Kubernetes workloads with accelerators", head, rows) + more if rows else ""


def _rest(zones: tuple[str, ...]) -> str:
    return f" and {len(zones) - MAX_NAMED} more" if len(zones) > MAX_NAMED else ""


def _capacity(j: Job) -> list[str]:
    """How the nodes are bought and whether they exist already."""
    said = (
        (j.spot, "spot"), (j.capacity_block, "capacity block"), (j.reservation and not j.capacity_block, "reserved"),
        (j.parallelism == "independent", "independent nodes"), (j.existing, "exists already"),
    )  # fmt: skip
    return [word for holds, word in said if holds]


def _diagram(j: Job, style: str, state: str) -> str:
    """Zones as boxes, nodes as squares in them, the fabric as the line that joins them (or fails to)."""
    zones = list(j.zones) or [*j.regions[:1], ""][:1]
    shown = zones[:MAX_ZONES]
    nodes = j.nodes_max or j.nodes_min or 0
    width, gap = 150, 10
    total = len(shown) * (width + gap) - gap
    parts = []
    for n, zone in enumerate(shown):
        x = n * (width + gap)
        here = nodes // len(zones) + (1 if n < nodes % len(zones) else 0)
        squares = "".join(
            f'<rect class="node" x="{x + 11 + (i % 4) * 33}" y="{28 + (i // 4) * 33}" width="27" height="27" rx="4"/>'
            for i in range(min(here, MAX_NODES))
        )
        more = f'<text x="{x + width - 8}" y="18" text-anchor="end">×{here}</text>' if nodes else ""
        label = cut(clean(zone) or "zone unknown", 16)
        parts.append(
            f'<rect class="zone" x="{x + 1}" y="1" width="{width - 2}" height="98" rx="8"/>'
            f'<text x="{x + 9}" y="18">{name(label)}</text>{more}{squares}'
            f'<path class="fabric {style}" d="M{x + width // 2} 99v13"/>'
        )
    line = f'<path class="fabric {style}" d="M16 112H{total - 16}"/>'
    fabric = f'<text x="0" y="130">{"no fabric" if j.fabric == "none" else name(cut(clean(j.fabric), 20))}: {state}</text>'
    more_zones = f" and {len(zones) - len(shown)} zones more" if len(zones) > len(shown) else ""
    title = f"{span(j.nodes_min, j.nodes_max)} nodes over {len(zones)} zones, fabric {j.fabric}: {state}{more_zones}"
    return (
        f'<svg class="job" viewBox="0 0 {max(total, 200)} 136" role="img"><title>{name(title)}</title>'
        f"{''.join(parts)}{line}{fabric}</svg>\n"
    )
