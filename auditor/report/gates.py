"""The gates report: one screen of text, Markdown or JSON."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from auditor.model import Gate, Hydration, Report
from auditor.report.escape import prose
from auditor.report.markdown import escape

UNITS: Final = "units: 1 TB = 1000 GB; month = 30 days = 720 h = 2,592,000 s"
_SGR: Final = {"GO": "1;32", "NO-GO": "1;31", "UNDECIDED": "35", "N/A": "2"}


def _details(gate: Gate) -> list[tuple[str, str]]:
    rows = [("rules", ", ".join(gate.rules)), ("declare", ", ".join(gate.declare))]
    rows += [("break-even", gate.break_even), ("fix", gate.fix)]
    rows += [("remark", r) for r in gate.remarks]
    return [(label, prose(text)) for label, text in rows if text]


def _appendix(report: Report) -> list[tuple[str, list[str]]]:
    made: list[tuple[str, list[str]]] = []
    if report.hydration is not None:
        h = report.hydration
        made.append(("HYDRATION", [f"spoke: {', '.join(h.spokes)}", *_lines(h)]))
    if report.fragmentation:
        made.append(("FRAGMENTATION", [report.fragmentation]))
    notes = [*report.prices, UNITS, *(f"partial plan: {p}" for p in report.partial)]
    made.append(("ASSUMES", [*notes, *report.assumptions]))
    return made


def _lines(h: Hydration) -> list[str]:
    parts = (("at rest", h.rests), ("ephemeral", h.ephemeral), ("cannot be proven", h.unproven))
    return [f"{label}: {line}" for label, found in parts for line in found or ("nothing found",)]


def text(report: Report, color: bool = False) -> str:
    """One line a gate, the details below it, the overall verdict last."""

    def paint(verdict: str, width: int) -> str:
        padded = verdict.ljust(width)
        return f"\x1b[{_SGR[verdict]}m{padded}\x1b[0m" if color else padded

    out = []
    for g in report.gates:
        out.append(f"GATE {g.number} {g.name:<15} {paint(g.verdict, 9)}  {prose(g.summary)}")
        out += [f"       {label}: {said}" for label, said in _details(g)]
    for heading, lines in _appendix(report):
        out.append(heading)
        out += [f"       {prose(line)}" for line in lines]
    out.append(f"OVERALL {paint(report.overall or 'UNDECIDED', 0)}")
    return "\n".join(out) + "\n"


def markdown(report: Report) -> str:
    """A table of the gates, then what is behind each."""
    out = [f"## Gates: {report.overall}", "", "| gate | verdict | |", "|---|---|---|"]
    out += [f"| {g.number} {g.name} | **{g.verdict}** | {escape(prose(g.summary))} |" for g in report.gates]
    for g in report.gates:
        if rows := _details(g):
            out += ["", f"**Gate {g.number}: {g.name}**", ""]
            out += [f"- {label}: {escape(said)}" for label, said in rows]
    for heading, lines in _appendix(report):
        out += ["", f"**{heading.capitalize()}**", "", *(f"- {escape(prose(line))}" for line in lines)]
    return "\n".join(out) + "\n"


def as_data(report: Report) -> dict[str, Any]:
    """The gates as plain data, in the shape of `auditor-gates/1`."""
    return {
        "schema": "auditor-gates/1",
        "tool": {"name": "auditor", "version": report.version, "catalog": report.catalog},
        "as_of": report.as_of,
        "inputs": [msgspec.to_builtins(i) for i in report.inputs],
        "overall": report.overall,
        "gates": [msgspec.to_builtins(g) for g in report.gates],
        "hydration": msgspec.to_builtins(report.hydration) if report.hydration is not None else None,
        "fragmentation": report.fragmentation,
        "prices": list(report.prices),
        "units": UNITS,
        "partial": list(report.partial),
        "assumptions": list(report.assumptions),
    }


def as_json(report: Report) -> str:
    # ASCII: what is invisible or turns text around comes out as an escape.
    return json.dumps(as_data(report), indent=2) + "\n"
