#!/usr/bin/env python3
"""Writes the GitHub snippets of docs/ci.md and README.md as workflows, for zizmor and actionlint to read.

Usage: scripts/ci_snippets.py FOLDER

Steps without a workflow around them get one. OWNER/auditor, which stands for a fork or a mirror, gets a commit to be pinned to.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).resolve().parent.parent
HEAD = (
    "name: steps\non: pull_request\npermissions:\n  contents: read\njobs:\n  audit:\n    name: audit\n"
    "    runs-on: ubuntu-latest\n    steps:\n"
)


def workflows() -> dict[str, str]:
    """File name -> text."""
    made: dict[str, str] = {}
    for page in ("docs/ci.md", "README.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            if "runs-on:" in block or re.search(r"^- (run|uses): ", block, re.MULTILINE):
                whole = block if "runs-on:" in block else HEAD + indent(block, " " * 6)
                made[f"{Path(page).stem.lower()}-{len(made)}.yml"] = re.sub(r"(OWNER/auditor)@\S+", rf"\1@{'0' * 40}", whole)
    return made


if __name__ == "__main__":
    folder = Path(sys.argv[1]) / ".github" / "workflows"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in workflows().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)
