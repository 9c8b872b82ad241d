"""The tables of `docs/interconnect.md`, written from `provider_catalog/*/jobs.yaml`; the words around them are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
START = "<!-- written by scripts/build_docs.py from provider_catalog/*/jobs.yaml -->"
END = "<!-- end -->"
HEAD = "| resource | nodes | type | zones | fabric |"
TITLES = {
    "aws": "AWS", "azure": "Azure", "gcp": "Google Cloud", "oci": "Oracle Cloud", "ibm": "IBM Cloud",
    "kubernetes": "Kubernetes manifests", "ovhcloud": "OVHcloud",
}  # fmt: skip
MODES = {
    "managed": "attached by the platform where the type has one",
    "size": "part of the size",
    "none": "none: the provider has no such attribute",
}


def with_tables(page: str) -> str:
    """The page with the part between the two marks written anew."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    lines: list[str] = []
    for path in sorted((ROOT / "provider_catalog").glob("*/jobs.yaml")):
        rows = list(_rows(yaml.safe_load(path.read_text(encoding="utf-8"))))
        if not rows:
            continue
        cloud = path.parent.name
        lines += [f"### {TITLES.get(cloud, cloud.capitalize())}", "", HEAD, "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(c.replace('|', ' or ') for c in row)} |" for row in dict.fromkeys(rows)]
        lines.append("")
    return "\n".join(lines)


def _rows(tables: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    for kind, held in (tables.get("rows") or {}).items():
        for row in held if isinstance(held, list) else [held]:
            if row["kind"] == "karpenter":
                yield f"`{kind}`", "not in the plan", "", "", "open"
            elif row["kind"] in ("instance", "fleet"):
                yield f"`{kind}`{_unit(row)}", _nodes(row), _type(row), _zones(row), _fabric(row.get("fabric") or {})


def _unit(row: dict[str, Any]) -> str:
    return f", each {_code(row['unit'].split('|'))}" if row.get("unit") else ""


def _nodes(row: dict[str, Any]) -> str:
    if row["kind"] == "instance":
        return "one"
    texts = [*row.get("min", ()), *row.get("max", ())]
    return _code(dict.fromkeys(re.sub(r" (per|if|times) .*", "", t) for t in texts)) + _counted(texts)


def _counted(texts: list[str]) -> str:
    if any(t.endswith(" per zone") for t in texts):
        return ", per zone (`total_*` are totals)" if any("total_" in t for t in texts) else ", per zone"
    return ", vCPUs of the type" if any(t.endswith(" per vcpu") for t in texts) else ""


def _type(row: dict[str, Any]) -> str:
    own = _code(t.replace(" + ", "/") for t in row.get("type", ()))
    through = "the template" if row.get("templates") else ""
    return ", else ".join(x for x in (own, through) if x)


def _zones(row: dict[str, Any]) -> str:
    found = [z.partition(" ->")[0].lstrip("@/") for z in row.get("zones", ())]
    absent = {"1": "one", "region": "every zone of the region"}.get(str(row.get("zones_absent", "")), "")
    return ", else ".join(x for x in (_code(dict.fromkeys(found)), absent) if x) or "open"


def _fabric(fabric: dict[str, Any]) -> str:
    return MODES.get(fabric.get("mode", ""), "") or re.sub(r"^no |\[\*\]|\[0\]", "", str(fabric.get("missing", "")))


def _code(names: Any) -> str:
    return ", ".join(f"`{n}`" for n in names)
