#!/usr/bin/env python3
"""Mutation testing of resolve/ and checks/: small faults put into the code, one at a time, and whether a verdict test notices.

`scripts/mutants.py [--sample N] [--seed N] [--seconds N] [MODULE...]` works on a copy in a temporary folder. The tests are the
rules' cases and the recorded plans, in one process a fault. Survivors are printed: some change nothing that can be seen
(an order, a cache, a message), the others want a case.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
CHECK = """
import json, sys
from pathlib import Path
root = Path(sys.argv[1])
sys.path[:0] = [str(root), str(root / "tests")]
from inprocess import judge, verdicts
from auditor.catalog import Catalog
from auditor.cli.common import known_rules
from auditor.policytest import read_cases, run_case
catalog, rules = Catalog(), known_rules()
for case in read_cases(root / "tests" / "rules"):
    if run_case(case, catalog, rules).problems:
        sys.exit("case " + case.name)
for path in sorted((root / "tests" / "plans").glob("*/expected.json")):
    for name, held in json.loads(path.read_text()).items():
        if [list(v) for v in verdicts(judge((path.parent / name).read_bytes(), beside=path.parent / name))] != held:
            sys.exit("plan " + str(path.parent.name))
for path in sorted((root / "tests" / "plans").glob("*/sovereignty.json")):
    for allow, held in json.loads(path.read_text()).items():
        found = verdicts(judge((path.parent / "plan.json").read_bytes(), policy={"allow": __import__("yaml").safe_load(allow)}))
        if [list(v) for v in found if v[0].startswith("SOV")] != held:
            sys.exit("plan " + str(path.parent.name))
"""


def _change(node: ast.AST) -> str:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        before = ast.unparse(node)
        node.ops[0] = SWAPS[type(node.ops[0])]()
        return f"{before} -> {ast.unparse(node)}"
    if isinstance(node, ast.BoolOp):
        before = ast.unparse(node)
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return f"{before} -> {ast.unparse(node)}"
    if isinstance(node, ast.Constant) and type(node.value) in (bool, int):
        before = repr(node.value)
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1
        return f"{before} -> {node.value!r}"
    if isinstance(node, ast.If | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.BoolOp):
        before = ast.unparse(node.test)
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return f"if {before} -> if not {before}"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="auditor/resolve/location.py ...; default: all of resolve/ and checks/")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=3600, help="stop after that long")
    given = parser.parse_args()
    names = given.modules or [
        str(p.relative_to(ROOT)) for folder in ("resolve", "checks") for p in sorted((ROOT / "auditor" / folder).glob("*.py"))
    ]
    work = Path(tempfile.mkdtemp(prefix="auditor-mutants-"))
    for folder in ("auditor", "policies", "provider_catalog", "tests"):
        shutil.copytree(ROOT / folder, work / folder, ignore=shutil.ignore_patterns("__pycache__", ".terraform"))
    command = [sys.executable, "-B", "-c", CHECK, str(work)]
    if subprocess.run(command, cwd=work, capture_output=True, check=False).returncode:
        sys.exit("the tests fail without any fault")
    points = [(name, *_) for name in names for _ in enumerate_points(name)]
    chosen = random.Random(given.seed).sample(points, min(given.sample, len(points)))
    killed = survived = 0
    start = time.monotonic()
    for name, index, line, change in sorted(chosen, key=lambda c: random.Random(str(c)).random()):
        if time.monotonic() - start > given.seconds:
            break
        source = (ROOT / name).read_text(encoding="utf-8")
        tree = ast.parse(source)
        node = next(n for i, n in enumerate(ast.walk(tree)) if i == index)
        _change(node)
        (work / name).write_text(ast.unparse(tree), encoding="utf-8")
        try:
            noticed = subprocess.run(command, cwd=work, capture_output=True, check=False, timeout=120).returncode != 0
        except subprocess.TimeoutExpired:
            noticed = True
        (work / name).write_text(source, encoding="utf-8")
        killed, survived = killed + noticed, survived + (not noticed)
        if not noticed:
            print(f"{name}:{line}: {change[:160]}", flush=True)
    shutil.rmtree(work)
    print(f"{killed} of {killed + survived} faults noticed ({len(points)} places in {len(names)} modules)")


def enumerate_points(name: str) -> Iterator[tuple[int, int, str]]:
    """(index of the node, line, what would be changed); annotations and defaults of types are left alone."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    types = [a.annotation for a in ast.walk(tree) if isinstance(a, ast.AnnAssign | ast.arg) and a.annotation]
    types += [d for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for d in c.decorator_list]
    skipped = {id(n) for t in types for n in ast.walk(t)}
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        if change := _change(copy.deepcopy(node)):
            yield index, getattr(node, "lineno", 0), change


if __name__ == "__main__":
    main()
