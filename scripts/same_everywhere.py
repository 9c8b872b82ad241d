#!/usr/bin/env python3
"""Compares every format of every recorded plan, byte by byte, between Python versions, and with itself in another process.

Usage: scripts/same_everywhere.py PYTHON PYTHON...

Each PYTHON is an interpreter that can import auditor: one virtual environment per version.
Hash seeds, time zones and locales differ on purpose.
Exit 1: some bytes differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SETTINGS: Final = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
)
CHILD: Final = """
import contextlib, hashlib, io, json, os, sys
from pathlib import Path
from auditor.cli import cli
from auditor.report import FORMATS
made = {}
for plan in sorted(Path(sys.argv[1]).rglob("plan.json")):
    os.chdir(plan.parent)
    wanted = [a for f in FORMATS for a in ("--format", f"{f}={sys.argv[2]}/{f}")]
    args = ["check", "plan.json", "--hcl-dir", ".", "--policy", "eu-gdpr", "--as-of", "2026-11-20", "--quiet", "--verbose"]
    code = cli.main([*args, *wanted], standalone_mode=False)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        cli.main(["gates", "plan.json", "--as-of", "2026-11-20"], standalone_mode=False)
    name = str(plan.parent.relative_to(sys.argv[1]))
    made[f"{name} exit"] = str(code)
    made[f"{name} gates"] = hashlib.sha256(out.getvalue().encode()).hexdigest()
    for f in FORMATS:
        made[f"{name} {f}"] = hashlib.sha256(Path(sys.argv[2], f).read_bytes()).hexdigest()
json.dump([sys.version.split()[0], made], sys.stdout)
"""


def read(python: str, settings: dict[str, str], folder: Path) -> tuple[str, dict[str, str]]:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | settings
    args = [str(Path(python).absolute()), "-c", CHILD, str(ROOT / "tests" / "plans"), str(folder)]
    done = subprocess.run(args, capture_output=True, text=True, check=True, env=env, cwd=folder)
    version, made = json.loads(done.stdout)
    return version, made


def main() -> int:
    import tempfile

    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    seen: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for python in sys.argv[1:]:
            for n, settings in enumerate(SETTINGS):
                version, made = read(python, settings, Path(folder))
                seen[f"{version} ({n})"] = made
    first = next(iter(seen))
    different = [f"{k}: {first} and {other}" for other, made in seen.items() for k in made if made[k] != seen[first].get(k)]
    print("\n".join(different) + "\n" if different else "", end="")
    total = hashlib.sha256(json.dumps(seen[first], sort_keys=True).encode()).hexdigest()[:16]
    print(f"{len(seen[first])} outputs under {', '.join(seen)}: {len(different)} differ; together {total}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
