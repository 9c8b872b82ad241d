"""The shape of the house: who may import whom, and that a cloud is data."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "auditor"
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = [
    {"errors"},
    {
        "model", "syntax", "facts", "values", "spelling", "identity", "conform", "levels", "places", "scopes", "versions",
        "lagfacts", "laguse", "lagrows", "economics", "workload", "latency", "cliffplot", "jobfacts", "stated",
    },
    {"documents", "checks", "resolve", "report", "layers", "vetting", "overlays", "gates", "hydration"},
    {"remedies", "load", "catalog", "rules", "waivers", "inline", "baseline", "yamledit", "ownrules", "config"},
    {"economic_facts", "planned_jobs", "refresh", "verify", "survey"},
    {"pipeline"},
    {"policytest", "sweep"},
    {"cli"},
]
# Modules of one rank that may import each other all the same.
NEIGHBOURS = {("layers", "documents"), ("vetting", "documents"), ("overlays", "documents"), ("config", "ownrules")}
RANK = {name: i for i, layer in enumerate(LAYERS) for name in layer}
CLOUD = re.compile(r"^(aws|azurerm|azapi|google|oci|nebius|crusoe|coreweave|ibm|alicloud|scaleway|ovh|hcloud)_")


def module(path: Path) -> str:
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{a.name}" for a in node.names)
        elif isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    me = module(path)
    if me == "__init__":
        return
    for name in imports(path):
        parts = name.split(".")
        other = parts[1] if parts[0] == "auditor" and len(parts) > 1 else ""
        if other not in RANK or other == me:
            continue
        same = RANK[other] == RANK[me]
        allowed = RANK[other] < RANK[me] or (same and RANK[me] == 1) or (me, other) in NEIGHBOURS
        assert allowed, f"{me} imports {other}"


@pytest.mark.parametrize(
    ("library", "home"), [("click", {"cli"}), ("requests", {"refresh"}), ("yaml", {"documents"}), ("jsonschema", {"documents"})]
)
def test_library_has_one_home(library: str, home: set[str]) -> None:
    users = {module(p) for p in FILES if any(n.split(".")[0] == library for n in imports(p))}
    assert users <= home


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_cloud_is_data(path: Path) -> None:
    strings = [
        n.value
        for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
    ]
    assert [s for s in strings if CLOUD.match(s)] == []


@pytest.mark.parametrize("path", [p for p in FILES if module(p) in ("checks", "resolve")], ids=lambda p: p.name)
def test_checks_and_resolve_are_pure(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\bopen\(|os\.environ|date\.today|datetime\.now|\brequests\.|\bsocket\b", text)
