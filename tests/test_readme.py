"""The README shows what the demo prints, and names only commands and files that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from auditor.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_demo_prints_what_the_readme_shows() -> None:
    shown = re.search(r"<!-- demo:begin -->\n```text\n(.*?)```\n<!-- demo:end -->", README, re.DOTALL)
    assert shown is not None
    target = re.search(r"^demo:.*\n\tcd (\S+) && \S.*?/auditor (.*?) \|\|", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert target is not None
    words = [sys.executable, "-c", "from auditor.cli import main; main()", *target[2].split()]
    run = subprocess.run(words, cwd=ROOT / target[1], capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    assert run.stdout == shown[1]


def test_commands_and_links_exist() -> None:
    written = re.sub(r"<!-- demo:begin -->.*?<!-- demo:end -->", "", README, flags=re.DOTALL)
    named = set(re.findall(r"`auditor ([a-z]+)", written))
    assert named <= set(COMMANDS)
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link
