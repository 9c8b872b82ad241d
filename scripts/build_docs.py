#!/usr/bin/env python3
"""Writes `docs/rules/` (one page for each rule of `policies/`), `docs/collisions.md` and the tables of
`docs/interconnect.md` from their data.

Usage: scripts/build_docs.py [--check]

--check writes nothing and exits 1 when a page is stale or belongs to no rule any more.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from interconnect_page import with_tables  # noqa: E402 (a script beside this one)

DOCS = ROOT / "docs"
SETS = {
    "SOV": "Sovereignty", "NET": "Interconnect", "PLC": "Placement", "CAP": "Capacity", "LAG": "Provider lag",
    "WRK": "Workarounds", "ECO": "Economics", "SEC": "Security", "RES": "Resilience", "META": "About the run",
}  # fmt: skip
SEGMENT = "<!-- written by scripts/build_docs.py: edit the rule's YAML file, not this page -->"


def rules() -> list[dict[str, Any]]:
    found = [yaml.safe_load(p.read_text(encoding="utf-8")) for p in sorted((ROOT / "policies").glob("*/*.yaml"))]
    return sorted(found, key=lambda r: (set_order(r["id"]), r["id"]))


def set_order(rule_id: str) -> int:
    name = rule_id.rstrip("0123456789")
    return list(SETS).index(name) if name in SETS else len(SETS)


def collisions() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROOT / "scripts" / "collisions.yaml").read_text(encoding="utf-8")))


def cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def language(example: str) -> str:
    """Examples are Terraform, or YAML of a policy or workload."""
    return "hcl" if example.lstrip("# \n").startswith(("resource", "provider", "terraform", "module", "data")) else "yaml"


def page(rule: dict[str, Any], others: list[dict[str, Any]]) -> str:
    """One rule as a person reads it."""
    lines = [f"# {rule['id']} {rule['title']}", "", SEGMENT, ""]
    lines += ["| level | set | precision | security severity |", "|---|---|---|---|"]
    name = SETS.get(rule["id"].rstrip("0123456789"), "")
    security = rule.get("security_severity", "")
    lines += [f"| {rule['level']} | {name} | {rule.get('precision', 'high')} | {security or 'none'} |", ""]
    if rule.get("aliases"):
        lines += [f"Also called {', '.join(rule['aliases'])}.", ""]
    if rule.get("open_level"):
        lines += [f"An open verdict of this rule is a {rule['open_level']}, whatever `on_unknown` says.", ""]
    if rule.get("waiver_max_days"):
        lines += [f"A waiver lasts at most {rule['waiver_max_days']} days.", ""]
    lines += ["## Why", "", " ".join(rule["why"].split()), ""]
    lines += ["## What to do", "", " ".join(rule["remediation"].split()), ""]
    for title, key in (("Refused", "bad"), ("Accepted", "good")):
        if rule.get(key):
            lines += [f"## {title}", "", f"```{language(rule[key])}", rule[key].rstrip(), "```", ""]
    if rule.get("params"):
        lines += ["## Parameters", "", f"Under `rules.{rule['id']}.params` of a policy.", ""]
        lines += ["| name | default |", "|---|---|"]
        lines += [f"| `{cell(k)}` | `{cell(v)}` |" for k, v in sorted(rule["params"].items())]
        lines.append("")
    mine = [c for c in others if rule["id"] in c["rules"]]
    if mine:
        lines += ["## Other scanners ask for the opposite", ""]
        lines += [f"- {c['scanner']} `{c['id']}`: {c['asks']}" for c in mine]
        lines += ["", "See [what other scanners ask for that this one forbids](../collisions.md).", ""]
    if rule.get("sources"):
        lines += ["## Sources", ""] + [f"- {s}" for s in rule["sources"]] + [""]
    return "\n".join(lines)


def index(found: list[dict[str, Any]]) -> str:
    lines = ["# Rules", "", SEGMENT, ""]
    for name, title in SETS.items():
        mine = [r for r in found if r["id"].rstrip("0123456789") == name]
        if not mine:
            continue
        lines += [f"## {title}", "", "| rule | level | |", "|---|---|---|"]
        lines += [f"| [{r['id']}]({r['id']}.md) | {r['level']} | {cell(r['title'])} |" for r in mine]
        lines.append("")
    return "\n".join(lines)


def collision_page(others: list[dict[str, Any]]) -> str:
    lines = [
        "# What other scanners ask for that this one forbids",
        "",
        SEGMENT.replace("the rule's YAML file", "scripts/collisions.yaml"),
        "",
        "Resilience checks want a second copy far away; residency rules want every copy inside a list of jurisdictions.",
        "Both can hold: a copy in another region *inside* `allow` satisfies both. Where no such region exists, one of them",
        "has to give way, on purpose and in writing. Nothing has to be suppressed as long as the copy stays inside.",
        "",
        "| scanner | check to suppress | it asks that | on | refused here by |",
        "|---|---|---|---|---|",
    ]
    for c in others:
        refs = ", ".join(f"[{r}](rules/{r}.md)" for r in c["rules"])
        lines.append(f"| {c['scanner']} | `{c['id']}` | {cell(c['asks'])} | {', '.join(f'`{t}`' for t in c['types'])} | {refs} |")
    lines += [
        "",
        "## Suppress it there, with the reason",
        "",
        "```hcl",
        'resource "azurerm_storage_account" "a" {',
        "  # checkov:skip=CKV_AZURE_206:the pair of this region lies outside the allowed jurisdictions (SOV005)",
        '  account_replication_type = "ZRS"',
        "}",
        "```",
        "",
        "Or for a whole run: `checkov --skip-check CKV_AWS_144,CKV_AZURE_206`.",
        "",
        "## Or keep the copy inside",
        "",
        "- S3 and DynamoDB: replicate to another allowed region (`auditor regions --policy FILE` lists them).",
        "- Azure storage: `ZRS` stays in the region; `GRS` passes where the paired region is allowed too.",
        "- A copy outside that is accepted: allow its role (`allow: {home: [DE], backup: [EU, CH]}`), or waive the finding",
        "  with a reason and an end.",
        "",
        "## Sources",
        "",
    ]
    lines += [f"- {c['scanner']} {c['id']}: {c['source']}" for c in others] + [""]
    return "\n".join(lines)


def candidates() -> list[dict[str, str]]:
    """Rules about GPU jobs that were worth considering: where each comes from, and why some are no rule."""
    with (ROOT / "scripts" / "candidates.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def candidate_page(found: list[dict[str, Any]], rows: list[dict[str, str]]) -> str:
    """Every candidate with the rule that took it in, or the reason why none did. Raises SystemExit for one without."""
    of = {alias: r for r in found for alias in r.get("aliases", ())}
    lines = [
        "# Rules about GPU jobs: what was considered",
        "",
        SEGMENT.replace("the rule's YAML file", "scripts/candidates.csv"),
        "",
        "Each line is a rule that another tool has, that a vendor documents, or that follows from the numbers. `basis` says",
        "which: *peer* (another tool checks it), *doc* (a vendor's page says it), *derived* (reasoning only: such a rule is a",
        "warning or a note, but for NET001, which a gate of the sources asks for, and PLC003, which says of regions what",
        "PLC001 says of zones). Every id works wherever the id of a rule does: `auditor check --rules GPU-FAB-003`.",
        "",
        "| candidate | what | clouds | basis | rule | level |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        rule = of.get(row["id"])
        if (rule is None) == (not row["refused"]):
            raise SystemExit(f"candidates.csv: {row['id']} needs a rule that has it among its aliases, or a reason, and not both")
        where = f"[{rule['id']}](rules/{rule['id']}.md) | {rule['level']}" if rule is not None else "refused | "
        lines.append(f"| {row['id']} | {row['name']} | {cell(row['clouds'])} | {row['basis']} | {where} |")
    lines += ["", "## Refused", ""]
    lines += [f"- **{row['id']}** ({row['name']}): {row['refused']}" for row in rows if row["refused"]]
    lines += [
        "",
        "## How doubts are settled",
        "",
        "- What is known only after apply is open, with its cause. A fact that the catalogue has from memory, such as what joins",
        "  the GPUs of a node (NET017), makes a verdict open at most.",
        "- A launch that the cloud would refuse is judged whatever the job is for; every other rule leaves inference in peace.",
        "- A group or reservation that is named and not in the plan is open for PLC002, and no business of CAP001, CAP003 and",
        "  PLC014, which compare with what the plan holds.",
        "- A block under `dynamic` leaves no reference in a plan: with several security groups in a module NET006 is open.",
        "- Local storage that the catalogue does not hold (Nebius, Crusoe, CoreWeave) is not judged by PLC005.",
        "",
        "## Sources",
        "",
    ]
    lines += [f"- {row['id']}: {row['source']}" for row in rows] + [""]
    return "\n".join(lines)


def build() -> dict[Path, str]:
    found, others = rules(), collisions()
    known = {r["id"] for r in found}
    for c in others:
        if set(c["rules"]) - known:
            raise SystemExit(f"collisions.yaml: {c['id']} names a rule that does not exist")
    made = {DOCS / "rules" / f"{r['id']}.md": page(r, others) for r in found}
    made[DOCS / "rules" / "README.md"] = index(found)
    made[DOCS / "collisions.md"] = collision_page(others)
    interconnect = DOCS / "interconnect.md"
    made[interconnect] = with_tables(interconnect.read_text(encoding="utf-8"))
    made[DOCS / "interconnect-candidates.md"] = candidate_page(found, candidates())
    return made


def stale() -> list[str]:
    """Pages that differ from what the data says, and pages of rules that are gone."""
    made = build()
    wrong = [p for p, text in made.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    wrong += [p for p in (DOCS / "rules").glob("*.md") if p not in made]
    return sorted(str(p.relative_to(ROOT)) for p in wrong)


def write() -> None:
    """Write every page, remove those of rules that are gone."""
    (DOCS / "rules").mkdir(parents=True, exist_ok=True)
    made = build()
    for path in (DOCS / "rules").glob("*.md"):
        if path not in made:
            path.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")


def main() -> int:
    if "--check" in sys.argv[1:]:
        wrong = stale()
        if wrong:
            print("stale:", ", ".join(wrong), "- run scripts/build_docs.py", file=sys.stderr)
        return 1 if wrong else 0
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
