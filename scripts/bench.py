#!/usr/bin/env python3
"""Measures audits of big plans against reading the same file: `scripts/bench.py [--sizes 1000 10000] [--out docs/benchmarks.md]`.

Each program runs in a process of its own, the programs in turn, several rounds; medians of wall time and of peak memory are
written. `--orjson PYTHON`, `--checkov PROGRAM` and `--trivy PROGRAM` name interpreters and programs of other environments.
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
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from big_plan import write  # noqa: E402


class Row(NamedTuple):
    """Seconds; those of `json.load`; peak memory in sizes of the file."""

    wall: float
    ratio: float
    memory: float


LIMIT = 120  # seconds; what takes longer is left out of bigger sizes
SMALL = 10  # resources; so few that what is measured is the start
LIBRARIES = "import of its libraries alone"


def measure(words: list[str], cwd: str) -> tuple[float, float, int]:
    """(seconds, peak MB, exit code)."""
    start = time.perf_counter()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as installed: modules compiled once
    child = subprocess.Popen(words, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, child.returncode


def commands(given: argparse.Namespace, plan: str) -> dict[str, list[str]]:
    auditor = [sys.executable, "-c", "from auditor.cli import run; run()", "check", plan, "--policy", "policy.yaml"]
    found = {
        "python -c pass": [sys.executable, "-c", "pass"],
        LIBRARIES: [sys.executable, "-c", "import click, msgspec, yaml"],
        "json.load": [sys.executable, "-c", f"import json; json.load(open('{plan}', 'rb'))"],
        "auditor, JSON report": [*auditor, "--format", "json", "--as-of", "2026-11-20"],
        "auditor, text report": [*auditor, "--format", "text", "--as-of", "2026-11-20"],
    }
    if given.orjson:
        found["orjson.loads"] = [given.orjson, "-c", f"import orjson; orjson.loads(open('{plan}', 'rb').read())"]
    if given.checkov:
        found["checkov"] = [given.checkov, "-f", plan, "--framework", "terraform_plan", "--skip-download", "--quiet", "--compact", "-o", "json"]
    if given.trivy:
        flags = ["--skip-check-update", "--skip-version-check", "--disable-telemetry", "--cache-dir", "cache", "-q", "--format", "json"]
        found["trivy"] = [given.trivy, "config", *flags, plan]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 1_000, 5_000, 10_000, 50_000, 200_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    for other in ("orjson", "checkov", "trivy"):
        parser.add_argument(f"--{other}")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    rows: list[str] = []
    found: dict[tuple[int, str], Row] = {}
    slow: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "policy.yaml").write_text("version: 1\nallow: [EU]\n")
        for size in given.sizes:
            write(size, f"{folder}/plan.json")
            measure(commands(given, "plan.json")["auditor, JSON report"], folder)  # compiles the modules, fills the file cache
            megabytes = Path(folder, "plan.json").stat().st_size / 1e6
            taken: dict[str, list[tuple[float, float, int]]] = {}
            for _ in range(given.rounds * (3 if size <= SMALL else 1)):
                for name, words in commands(given, "plan.json").items():
                    if name in slow or (name == LIBRARIES and size > SMALL):
                        continue
                    taken.setdefault(name, []).append(measure(words, folder))
                    if taken[name][-1][0] > LIMIT / 10:
                        slow.add(name) if name in ("checkov", "trivy") else None
            base = statistics.median(t for t, _, _ in taken["json.load"])
            for name, runs in taken.items():
                wall = statistics.median(t for t, _, _ in runs)
                peak = statistics.median(m for _, m, _ in runs)
                found[size, name] = Row(wall, wall / base, peak / megabytes)
                rows.append(f"| {size:,} | {megabytes:.1f} | {name} | {wall:.2f} | {wall / base:.2f} | {peak:.0f} | {runs[0][2]} | {len(runs)} |")
                print(rows[-1], flush=True)
    versions = {"Python": platform.python_version()}
    for name in ("checkov", "trivy"):
        if getattr(given, name):
            done = subprocess.run([getattr(given, name), "--version"], capture_output=True, text=True, check=False)
            versions[name] = (done.stdout.split("\n")[0].replace("Version:", "").strip()) or "?"
    text = PAGE.format(
        rows="\n".join(rows), aims="\n".join(aims(found)), when=datetime.now(tz=UTC).date(), machine=_machine(), load=f"{load:.1f}",
        versions=", ".join(f"{k} {v}" for k, v in versions.items()), again=" ".join(["scripts/bench.py", "--sizes", *map(str, given.sizes)]),
    )  # fmt: skip
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text)


def aims(found: dict[tuple[int, str], Row]) -> list[str]:
    """What was aimed at, beside what this run measured. A line is left out where its size was not run."""
    made: list[str] = []
    for name in ("auditor, JSON report", "auditor, text report"):
        if big := found.get((50_000, name)):
            made.append(f"- {name}, 50,000 resources: {big.ratio:.2f} of `json.load` (aim 0.25, at most 0.50); "
                        f"peak memory {big.memory:.1f} times the file (at most 2).")  # fmt: skip
        if middle := found.get((10_000, name)):
            made.append(f"- {name}, 10,000 resources: {middle.ratio:.2f} of `json.load` (below 1).")
    name = "auditor, JSON report"
    if small := found.get((5_000, name)):
        made.append(f"- 5,000 resources: {small.wall:.2f} s (below 0.5).")
    if cold := found.get((10, name)):
        start, libraries = found[10, "python -c pass"].wall, found[10, LIBRARIES].wall
        made.append(f"- Cold start, 10 resources: {cold.wall * 1000:.0f} ms, {cold.wall / start:.1f} times an empty interpreter (aim 6); "
                    f"the libraries that it imports take {libraries * 1000:.0f} ms, {libraries / start:.1f} times, by themselves.")  # fmt: skip
    grown = {size: row.wall for (size, kind), row in found.items() if kind == name and size >= 10_000}
    if len(grown) > 1:
        each = ", ".join(f"{wall / size * 10_000:.2f} s at {size:,}" for size, wall in sorted(grown.items()))
        made.append(f"- Growth, for each 10,000 resources: {each}.")
    for other in ("checkov", "trivy"):
        factors = [f"{row.wall / found[size, name].wall:.0f} at {size:,}" for (size, kind), row in sorted(found.items()) if kind == other]
        if factors:
            made.append(f"- Times faster than {other} (aim 50): {', '.join(factors)} resources.")
    return made


def _machine() -> str:
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
    return f"{os.cpu_count()} x {model or platform.machine()}, {platform.system()}"


PAGE = """# Benchmarks

Written by `{again}` on {when}: {machine}; {versions}; load average {load} at the start.

Plans are made by `scripts/big_plan.py`. Each program runs in a process of its own, in turn; medians. *of json.load* is the wall time
divided by that of `json.load` on the same file in the same rounds. `auditor` runs every rule set.
Other scanners run other checks, hundreds of them: their rows compare what a gate costs, not how fast a check is.
A scanner that took longer than 12 seconds is left out of later rounds and sizes.

| resources | MB | program | seconds | of json.load | peak MB | exit | runs |
|---|---|---|---|---|---|---|---|
{rows}

## Against the aims

{aims}
"""

if __name__ == "__main__":
    main()
