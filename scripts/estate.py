"""Writes an estate for measuring a sweep: stacks of teams, each with a plan of `scripts/big_plan.py`.

    python scripts/estate.py 5000 200 estate/
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from big_plan import write

TEAMS = 40
DISTINCT = 50  # plans that are really different; the others differ in their Terraform version, and so in their hash

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("plans", type=int)
parser.add_argument("resources", type=int)
parser.add_argument("folder", type=Path)


def make(plans: int, resources: int, folder: Path) -> None:
    """`plans` plans of `resources` resources: FOLDER/team-NN/stack-NNNN/plan.json."""
    kept: list[bytes] = []
    for n in range(plans):
        path = folder / f"team-{n % TEAMS:02}" / f"stack-{n:04}" / "plan.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if n < DISTINCT:
            write(resources, str(path), seed=n)
            kept.append(path.read_bytes())
        else:
            version = b'"terraform_version":"1.11.%d"' % (1000 + n // DISTINCT)
            path.write_bytes(kept[n % DISTINCT].replace(b'"terraform_version":"1.11.4"', version))


if __name__ == "__main__":
    given = parser.parse_args()
    make(given.plans, given.resources, given.folder)
