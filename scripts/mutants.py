#!/usr/bin/env python3
"""Mutation testing of resolve/ and checks/: small faults put into the code, one at a time, and whether a verdict test notices.

`scripts/mutants.py [--sample N] [--seed N] [--seconds N] [MODULE...]` works on a copy in a temporary folder. The tests are the
rules' cases, the recorded plans, jobs, source lines and command lines. A first run notes which of them reach which line, so
that a fault runs only those that can notice it; each fault has a process of its own. Survivors are printed: some change
nothing that can be seen (an order, a cache, a message), the others want a case.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import json
import os
import pickle
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
Line = tuple[str, int]
SECONDS = 60  # a fault that makes one test take longer is noticed


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


def units(work: Path, cases: list[tuple[Any, ...]]) -> dict[str, Callable[[], bool]]:
    """Every test by name: whether the code as it stands passes it. Imports auditor from the copy."""
    sys.path[:0] = [str(work), str(work / "tests")]
    import test_commands as commands
    import test_recorded_jobs as jobs
    import test_source_lines as lines
    from inprocess import judge, verdicts

    from auditor.catalog import Catalog
    from auditor.cli.common import known_rules
    from auditor.documents import read_yaml
    from auditor.policytest import Case, read_cases, run_case

    catalog, rules = Catalog(), known_rules()
    plans = work / "tests" / "plans"
    if not cases:
        held = [c for folder in ("rules", "own") for c in read_cases(work / "tests" / folder)]
        cases += [(c.name, c.where, c.base, c.body, c.beside) for c in held]

    def case(given: tuple[Any, ...]) -> bool:
        return not run_case(Case(*given), catalog, rules).problems

    def plan(path: Path, name: str, held: Any) -> bool:
        file = path.parent / name
        return [list(v) for v in verdicts(judge(file.read_bytes(), beside=file))] == held

    def sovereignty(path: Path, allow: str, held: Any) -> bool:
        found = verdicts(judge((path.parent / "plan.json").read_bytes(), policy={"allow": read_yaml(allow, "x").value}))
        return [list(v) for v in found if v[0].startswith("SOV")] == held

    def job(path: Path) -> bool:
        held, report = json.loads(path.read_text()), jobs.audit(path.parent)
        return [jobs.read(j) for j in report.jobs] == held["jobs"] and jobs.findings(report) == held["findings"]

    def passes(test: Callable[..., None], *args: Any) -> bool:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                test(*args, tmp_path=Path(scratch))
            except AssertionError:
                return False
        return True

    made: dict[str, Callable[[], bool]] = {f"{c[1]} {c[0]}": lambda c=c: case(c) for c in cases}
    for path in sorted(plans.glob("*/expected.json")):
        for name, held in json.loads(path.read_text()).items():
            made[f"{path.parent.name}/{name}"] = lambda p=path, n=name, h=held: plan(p, n, h)
    for path in sorted(plans.glob("*/sovereignty.json")):
        for allow, held in json.loads(path.read_text()).items():
            made[f"{path.parent.name} {allow}"] = lambda p=path, a=allow, h=held: sovereignty(p, a, h)
    for path in sorted(plans.glob("jobs/*/expected.json")):
        if path.parent.name not in jobs.OWED:
            made[f"jobs/{path.parent.name}"] = lambda p=path: job(p)
    for held_lines, name, way in lines.RUNS:
        if way == "folder":
            made[f"lines {held_lines.parent.name} {name}"] = lambda a=(held_lines, name, way): passes(lines.test_recorded, *a)
    for text, expected in commands.test_calls.pytestmark[0].args[1]:
        made[f"command: {text}"] = lambda t=text, e=expected: commands.shown(t) == e
    for title, files, address, at, after, wanted in lines.CASES:
        made[f"points at: {title}"] = lambda a=(files, address, at, after, wanted): passes(
            lambda *b, tmp_path: lines.test_points_at(tmp_path, *b), *a
        )
    return made


def reach(work: Path, names: list[str], out: Path) -> None:
    """Writes, for each unit, the lines of the modules that it runs, and for "" those that importing runs; and the cases."""
    wanted = {str(work / n): n for n in names}
    seen: set[Line] = set()

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            seen.add((wanted[frame.f_code.co_filename], frame.f_lineno))
        return local

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename in wanted:
            seen.add((wanted[frame.f_code.co_filename], frame.f_lineno))
            return local
        return None

    cases: list[tuple[Any, ...]] = []
    sys.settrace(trace)
    tests = units(work, cases)
    found: dict[str, set[Line]] = {"": set(seen)}
    failed = []
    for name, test in tests.items():
        seen.clear()
        if not test():
            failed.append(name)
        found[name] = set(seen)
    sys.settrace(None)
    out.write_bytes(pickle.dumps((cases, found, failed)))


def spans(tree: ast.AST) -> dict[int, tuple[int, int]]:
    """For each node by id, the lines of its innermost statement; of one with a body, the lines before the body."""
    found: dict[int, tuple[int, int]] = {}

    def walk(node: ast.AST, span: tuple[int, int]) -> None:
        if isinstance(node, ast.stmt | ast.match_case):
            at = node.pattern if isinstance(node, ast.match_case) else node
            inside = getattr(node, "body", None)
            last = inside[0].lineno - 1 if isinstance(inside, list) and inside else at.end_lineno
            span = (at.lineno, max(at.lineno, last or at.lineno))
        found[id(node)] = span
        for inner in ast.iter_child_nodes(node):
            walk(inner, span)

    walk(tree, (0, 0))
    return found


def noticed(work: Path, cases: list[tuple[Any, ...]], chosen: list[str]) -> bool:
    """Whether one of the tests fails, in a process of its own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(SECONDS)
        tests = units(work, cases)
        for name in chosen:
            signal.alarm(SECONDS)
            if not tests[name]():
                break
        else:
            code = 0
    finally:
        os._exit(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="auditor/resolve/location.py ...; default: all of resolve/ and checks/")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=3600, help="stop after so much processor time")
    given = parser.parse_args()
    names = given.modules or [
        str(p.relative_to(ROOT)) for folder in ("resolve", "checks") for p in sorted((ROOT / "auditor" / folder).glob("*.py"))
    ]
    work = Path(tempfile.mkdtemp(prefix="auditor-mutants-"))
    for folder in ("auditor", "policies", "provider_catalog", "tests"):
        shutil.copytree(ROOT / folder, work / folder, ignore=shutil.ignore_patterns("__pycache__", ".terraform"))
    for module in ("pytest", "msgspec", "yaml", "click", "jsonschema", "tree_sitter", "zipfile", "unittest.mock"):
        importlib.import_module(module)  # once, before the processes part
    child = os.fork()
    if not child:
        reach(work, names, work / "reach")
        os._exit(0)
    os.waitpid(child, 0)
    cases, reached, failed = pickle.loads((work / "reach").read_bytes())
    if failed:
        sys.exit(f"these fail without any fault: {failed}")
    sys.dont_write_bytecode = True
    points = [(name, *_) for name in names for _ in enumerate_points(name)]
    chosen = random.Random(given.seed).sample(points, min(given.sample, len(points)))
    killed = survived = unreached = 0
    for name, index, line, change in sorted(chosen, key=lambda c: random.Random(str(c)).random()):
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        if used.ru_utime + used.ru_stime > given.seconds:
            break
        source = (ROOT / name).read_text(encoding="utf-8")
        tree = ast.parse(source)
        node = next(n for i, n in enumerate(ast.walk(tree)) if i == index)
        first, last = spans(tree)[id(node)]
        lines = {(name, n) for n in range(first, last + 1)}
        everything = bool(lines & reached[""]) and not any(lines & reached[u] for u in reached if u)
        able = [u for u in reached if u and (everything or lines & reached[u])]
        _change(node)
        (work / name).write_text(ast.unparse(tree), encoding="utf-8")
        found = bool(able) and noticed(work, cases, able)
        (work / name).write_text(source, encoding="utf-8")
        killed, survived, unreached = killed + found, survived + (not found), unreached + (not able)
        if not found:
            print(f"{name}:{line}: {'' if able else 'NOT REACHED '}{change[:160]}", flush=True)
    shutil.rmtree(work)
    print(
        f"{killed} of {killed + survived} faults noticed, {unreached} where no test comes "
        f"({len(points)} places in {len(names)} modules)"
    )


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
