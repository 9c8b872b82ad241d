#!/usr/bin/env python3
"""Runs the SARIF multitool over the SARIF of every recorded plan: no error, warning or note but the ones listed here.

Usage: scripts/sarif_check.py [MULTITOOL]

MULTITOOL: its program (default: found below ./node_modules; `npm install --no-save @microsoft/sarif-multitool` puts it there).
Each plan is audited in a git repository of its own, with a remote and a commit, as in a pipeline.
Exit 1: something was noted that is not expected. 2: there is no multitool.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from auditor.cli import cli

ROOT: Final = Path(__file__).resolve().parent.parent
PROGRAM: Final = "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
NOTED: Final = re.compile(r"^(?P<file>[^(]*)\([\d,]+\): (?P<level>error|warning|note) (?P<rule>\w+): (?P<text>.*)$")
EXPECTED: Final = {
    # GitHub requires message.text; the multitool would have ids and arguments in its place.
    "SARIF2002": re.compile(r".*message: The 'message' property of this result contains a 'text' property\."),
    # GitHub requires $schema; without network it cannot be fetched.
    "SARIF2006": re.compile(r"\$schema: The URI 'https://json\.schemastore\.org/sarif-2\.1\.0\.json' was not reachable"),
}
POLICIES: Final = {
    "eu": "version: 1\nallow: [EU]\n",
    "regulated": "version: 1\nallow: [EU]\non_unknown: error\nworkload:\n  version: 1\n  regulated: true\n",
}


def git(*args: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *args], check=True, capture_output=True)


def make(folder: Path) -> list[Path]:
    """One SARIF file per plan and policy, with and without source, waived ones included."""
    made: list[Path] = []
    for plan in sorted((ROOT / "tests" / "plans").rglob("plan.json")):
        case = folder / "-".join(plan.parent.relative_to(ROOT / "tests" / "plans").parts)
        shutil.copytree(plan.parent, case)
        os.chdir(case)
        git("init", "-q")
        git("remote", "add", "origin", "https://user:word@example.org/stacks/case.git")
        git("add", "-A")
        git("commit", "-q", "-m", "case")
        for name, policy in POLICIES.items():
            Path("policy.yaml").write_text(policy)
            for source in ((), ("--hcl-dir", ".")):
                out = f"{name}-{len(source)}.sarif"
                args = ["check", "plan.json", *source, "--policy", "policy.yaml", "--as-of", "2026-11-20", "--quiet"]
                code = cli.main([*args, "--sarif-include-waived", "--format", f"sarif={out}"], standalone_mode=False)
                if code not in {0, 1}:
                    raise SystemExit(f"{plan}: exit {code}")
                made.append(case / out)
    return made


def main() -> int:
    tool = Path(sys.argv[1] if len(sys.argv) > 1 else PROGRAM).resolve()
    if not tool.is_file():
        print(f"{tool}: no SARIF multitool; npm install --no-save @microsoft/sarif-multitool", file=sys.stderr)
        return 2
    tool.chmod(tool.stat().st_mode | 0o100)
    with tempfile.TemporaryDirectory() as folder:
        files = make(Path(folder))
        done = subprocess.run(
            [tool, "validate", *map(str, files), "--level", "Error;Warning;Note"], capture_output=True, text=True, check=False
        )
        os.chdir(ROOT)
    if f"{len(files)} files scanned" not in done.stdout:
        print(done.stdout[-2000:] + done.stderr, file=sys.stderr)
        return 1
    expected: Counter[str] = Counter()
    bad = 0
    for line in done.stdout.splitlines():
        if not (noted := NOTED.match(line)):
            continue
        wanted = EXPECTED.get(noted["rule"])
        if wanted is not None and wanted.match(noted["text"]):
            expected[noted["rule"]] += 1
        else:
            bad += 1
            print(line.removeprefix(f"{folder}/"))
    told = ", ".join(f"{count} x {rule}" for rule, count in sorted(expected.items())) or "none"
    print(f"{len(files)} SARIF files, {bad} unexpected, expected notes: {told}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
