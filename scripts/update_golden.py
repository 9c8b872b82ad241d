#!/usr/bin/env python3
"""Writes `tests/golden/<scenario>.<format>` again: every format over the three reports of `tests/report_samples.py`.

Usage: scripts/update_golden.py. Read the difference before you commit it: it is what users will see.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from report_samples import GOLDEN, golden  # noqa: E402 - the paths have to stand first


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, text in golden().items():
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
