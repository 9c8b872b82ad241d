#!/usr/bin/env python3
"""Writes `provider_catalog/aws/computed_blocks.csv`: `scripts/import_computed_blocks.py PROBE.json.xz`.

PROBE is what a real provider planned for empty blocks: {type: {"computed_blocks": [path, ...]}}. A provider schema does not tell
which nested blocks the provider fills in when nobody wrote them; where a plan shows such a block as unknown, nobody need have set
it. Any other block that is unknown as a whole was written (a `dynamic` block over something unknown).
"""

from __future__ import annotations

import csv
import json
import lzma
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "provider_catalog" / "aws" / "computed_blocks.csv"


def main() -> None:
    probe = json.loads(lzma.decompress(Path(sys.argv[1]).read_bytes()))
    with OUT.open("w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(("resource_type", "block", "source", "date", "confidence"))
        for kind, found in sorted(probe.items()):
            for block in sorted(found.get("computed_blocks", ())) if isinstance(found, dict) else ():
                out.writerow((kind, block, "planned by hashicorp/aws 6.45.0 where unset", "2026-11-20", "verified"))


if __name__ == "__main__":
    main()
