"""Every session on a page is run as it stands, in one shell; what the page shows is what comes out. `...` is left out.

A page names the folder that it starts from (`<!-- session: FOLDER -->`, or `empty`); `<!-- file: NAME -->` before a block writes
it. The day is 2026-11-20. Command lines elsewhere must at least exist: command, and every option.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from auditor.cli import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SESSION = re.compile(r"<!-- session: (\S+) -->")
PART = re.compile(r"<!-- file: (?P<name>\S+) -->\n```\w*\n(?P<text>.*?)```|```console\n(?P<run>.*?)```", re.DOTALL)
FROZEN = """#!{python}
import datetime, sys
import auditor.cli.common as common
class Frozen(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 20, tzinfo=tz)
common.datetime = Frozen
from auditor.cli import main
main()
"""


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    tool = tmp_path / "bin" / "auditor"
    tool.parent.mkdir()
    tool.write_text(FROZEN.format(python=sys.executable))
    tool.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "NO_COLOR")}
    return {**kept, "PATH": f"{tool.parent}:{os.environ['PATH']}", "COLUMNS": "100", "PYTHONPATH": str(ROOT)}


def steps(text: str) -> list[tuple[str, str, list[str]]]:
    """(kind, command or file, lines) of a page, in order."""
    made: list[tuple[str, str, list[str]]] = []
    for m in PART.finditer(text):
        if m["name"]:
            made.append(("file", m["name"], m["text"].splitlines()))
            continue
        for line in m["run"].splitlines():
            if line.startswith("$ "):
                made.append(("run", line[2:], []))
            else:
                made[-1][2].append(line)
    return made


def script(found: list[tuple[str, str, list[str]]]) -> str:
    """One shell script; a mark before each command keeps `$?` as it is."""
    lines = ['mark() { local s=$?; echo "@@@$1"; return $s; }']
    for i, (kind, what, body) in enumerate(found):
        if kind == "file":
            lines += [f"mkdir -p $(dirname {what})", f"cat > {what} <<'@END@'", *body, "@END@"]
        else:
            lines += [f"mark {i}", f"{what} 2>&1"]
    return "\n".join(lines)


def fits(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines shown are the lines printed; `...` stands for any number of lines, at the end of one for its rest."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(fits(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    start, rest, _ = shown[0].partition("...")
    same = bool(printed) and (printed[0].startswith(start) if rest else shown[0].rstrip() == printed[0].rstrip())
    return same and fits(shown[1:], printed[1:])


@pytest.mark.parametrize("page", [p for p in PAGES if SESSION.search(p.read_text())], ids=lambda p: p.stem)
def test_session(page: Path, shell: dict[str, str], tmp_path: Path) -> None:
    text = page.read_text()
    start = SESSION.search(text)
    assert start is not None
    work = tmp_path / "work"
    work.mkdir()
    if start[1] != "empty":
        for source in (ROOT / start[1]).iterdir():
            if source.name != ".auditor.yaml":
                shutil.copy(source, work)
    found = steps(text)
    done = subprocess.run(["bash", "-c", script(found)], cwd=work, env=shell, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    parts = re.findall(r"^@@@(\d+)\n(.*?)(?=^@@@|\Z)", done.stdout, re.DOTALL | re.MULTILINE)
    told = {int(n): out.splitlines() for n, out in parts}
    for i, (kind, what, shown) in enumerate(found):
        if kind == "run":
            assert fits(shown, told[i]), f"$ {what}\n" + "\n".join(told[i])


def _lines() -> list[tuple[str, str]]:
    made = []
    for page in [*PAGES, *(ROOT / "docs" / "cases").glob("*.md")]:
        text = re.sub(r"<!-- demo:begin -->.*?<!-- demo:end -->", "", page.read_text(), flags=re.DOTALL)
        found = re.findall(r"(?<![\w/.@-])auditor ([a-z]+(?: [^`|;&>)\n]*)?)", text)
        made += [(page.name, line) for line in found]
    return made


def test_every_command_and_option_on_the_pages_exists() -> None:
    context = click.Context(cli)
    asked = 0
    for page, line in _lines():
        words = line.split()
        command = cli.get_command(context, words[0]) if words[0] in cli.list_commands(context) else None
        options = [w.partition("=")[0] for w in words if re.fullmatch(r"--[a-z][\w-]*(=.*)?", w)]
        if command is None:
            assert not options, f"{page}: auditor {line}"  # a sentence about the auditor
            continue
        known = {o for c in _with_parts(command, context) for p in c.params for o in (*p.opts, *p.secondary_opts)}
        assert set(options) <= {*known, "--help", "--version"}, f"{page}: auditor {line}"
        asked += len(options)
    assert asked > 30


def _with_parts(command: click.Command, context: click.Context) -> list[click.Command]:
    if not isinstance(command, click.Group):
        return [command]
    parts = [command.get_command(context, name) for name in command.list_commands(context)]
    return [command, *(p for p in parts if p is not None)]
