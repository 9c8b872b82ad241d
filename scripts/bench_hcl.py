#!/usr/bin/env python3
"""Measures source scans of a 1 MB tree of 200 files: `scripts/bench_hcl.py [--rounds 5] [--out docs/benchmarks-hcl.md]`.

The tree is made by `scripts/big_source.py`. Each program runs in a process of its own, the programs in turn; medians of wall time,
processor time and peak memory are written. python-hcl2 of this environment only reads the files; `--checkov PROGRAM` names a
scanner of another one, which reads and checks them.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from big_source import MODULES, write  # noqa: E402

AUDIT = "from auditor.cli import main; main()"
READ = """
from pathlib import Path
from auditor.load.hcl.folders import Disk
from auditor.load.hcl.modules import read_tree
read_tree(Disk(Path('.'), ''))
"""
HCL2 = """
from pathlib import Path
import hcl2
for path in Path('.').rglob('*.tf'):
    with open(path) as file:
        hcl2.load(file)
"""


def measure(words: list[str], cwd: str) -> tuple[float, float, float, int]:
    """(wall seconds, processor seconds, peak MB, exit code)."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as installed: modules compiled once
    start = time.perf_counter()
    child = subprocess.Popen(words, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, child.returncode


def commands(given: argparse.Namespace) -> dict[str, list[str]]:
    found = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "auditor, reading alone": [sys.executable, "-c", READ],
        "auditor check . (read, evaluated, all rules, JSON report)": [
            sys.executable, "-c", AUDIT, "check", ".", "--policy", "policy.yaml", "--format", "json", "--as-of", "2026-11-20"
        ],
        f"python-hcl2 {version('python-hcl2')}, reading alone": [sys.executable, "-c", HCL2],
    }  # fmt: skip
    if given.checkov:
        asked = subprocess.run([given.checkov, "--version"], capture_output=True, text=True, check=True)
        words = [given.checkov, "-d", ".", "--framework", "terraform", "--skip-download", "--quiet", "--compact", "-o", "json"]
        found[f"checkov {asked.stdout.strip()} -d . (read, all checks, JSON report)"] = words
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", type=float, default=20, help="a program that takes longer runs once")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--checkov")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    words = commands(given)
    taken: dict[str, list[tuple[float, float, float, int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files, size = write(Path(folder), MODULES)
        Path(folder, "policy.yaml").write_text("version: 1\nallow: [EU]\n")
        for name in list(words)[:3]:
            measure(words[name], folder)  # compiles the modules, fills the file cache
        for _ in range(given.rounds):
            for name, command in words.items():
                if taken.get(name, [(0.0,)])[0][0] <= given.slow:
                    taken.setdefault(name, []).append(measure(command, folder))
    base = statistics.median(t for t, *_ in taken["auditor check . (read, evaluated, all rules, JSON report)"])
    rows = []
    for name, runs in taken.items():
        wall, cpu, peak = (statistics.median(r[i] for r in runs) for i in range(3))
        spread = f"{min(r[0] for r in runs):.2f}-{max(r[0] for r in runs):.2f}"
        rows.append(f"| {name} | {wall:.2f} | {spread} | {cpu:.2f} | {wall / base:.1f} | {peak:.0f} | {runs[-1][3]} | {len(runs)} |")
    text = f"""# Benchmarks of source scans

Written by `scripts/bench_hcl.py{" --checkov PROGRAM" if given.checkov else ""}` on {datetime.now(tz=UTC):%Y-%m-%d}: {os.cpu_count()} x {_processor()}, {platform.system()}; Python {platform.python_version()}; load average {load:.1f} at the start.

The tree is made by `scripts/big_source.py`: {files} files, {size / 1e6:.2f} MB, one root module that calls {MODULES} local modules. Each program runs in a
process of its own, in turn; medians. *times* is the wall time divided by that of `auditor check`. Exit 1 is findings, of both scanners.
Reading alone makes the structure of every file; the audit reads, evaluates and judges every resource. Other scanners run other checks,
hundreds of them: their rows compare what a hook costs, not how fast a check is. What took longer than {given.slow:.0f} seconds ran once.

| program | wall s | least-most | processor s | times | peak MB | exit | runs |
|---|---|---|---|---|---|---|---|
""" + "\n".join(rows) + "\n"
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    print(text)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
