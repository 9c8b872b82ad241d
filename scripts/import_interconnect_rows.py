#!/usr/bin/env python3
"""Copies the tables that say how nodes are counted and what switches a fabric on into `tests/interconnect/`.

Usage: scripts/import_interconnect_rows.py FACTS_DIR

The copies keep every row, with its source and confidence and the day the tables were read.
`tests/test_interconnect_rows.py` walks them: each row has a case in `tests/interconnect/*.yaml` or stands there with
the reason why it has none.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

DATE = "2026-11-20"
OUT = Path(__file__).resolve().parent.parent / "tests" / "interconnect"
TABLES = ("sizing.csv", "fabric_requirements.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("facts", type=Path)
    facts: Path = parser.parse_args().facts
    OUT.mkdir(exist_ok=True)
    for name in TABLES:
        with (facts / name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        columns = [*(c for c in rows[0] if c != "confidence"), "date", "confidence"]
        with (OUT / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows({**row, "date": DATE} for row in rows)
        print(f"{name}: {len(rows)} rows")


if __name__ == "__main__":
    main()
