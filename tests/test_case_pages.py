"""The worked cases: every output on the pages is what the tool prints; `...` stands for lines left out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditor.cli import cli
from auditor.cli.common import known_rules

ROOT = Path(__file__).resolve().parent.parent
RUN = re.compile(r"<!-- run in (\S+)(?: \(needs (\w+)\))?: (.+?) -->\n```text\n(.*?)```", re.DOTALL)
CASES = [
    (page.stem, *found) for page in sorted((ROOT / "docs" / "cases").glob("*.md")) for found in RUN.findall(page.read_text())
]


def test_every_page_is_linked_and_runs_something() -> None:
    pages = {p.stem for p in (ROOT / "docs" / "cases").glob("*.md")}
    assert pages == {name for name, *_ in CASES}
    overview = (ROOT / "docs" / "gates.md").read_text()
    assert [p for p in pages if f"cases/{p}.md" not in overview] == []


IDS = [f"{c[0]}: {c[3].split()[0]}" for c in CASES]


@pytest.mark.parametrize(("page", "folder", "needs", "command", "shown"), CASES, ids=IDS)
def test_page(monkeypatch: pytest.MonkeyPatch, page: str, folder: str, needs: str, command: str, shown: str) -> None:
    if needs and needs not in known_rules():
        pytest.skip(f"{needs} is not in this version")
    monkeypatch.chdir(ROOT / folder)
    words = shlex.split(command) + (["--as-of", "2026-11-20"] if not command.startswith("calc") else [])
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.exception is None, done.exception
    printed = done.output.splitlines()
    at = 0
    for line in shown.splitlines():
        if line == "...":
            continue
        assert line in printed[at:], f"{line}\nis not in\n{done.output}"
        at = printed.index(line, at) + 1
