#!/usr/bin/env python3
"""Copies recorded Terraform output into `tests/plans/`, one folder a case. Usage: scripts/copy_plans.py PLANS_DIR

Files above 200 KB are left out; `expected.json` of a case, written by hand, is kept.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tests" / "plans"
LIMIT = 200_000  # bytes


def main(source: Path) -> None:
    for file in sorted(p for p in source.rglob("*") if p.is_file() and p.parent != source):
        if file.stat().st_size <= LIMIT:
            target = TARGET / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
