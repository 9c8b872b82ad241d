"""What the documents tell people to type: snippets parse, commands and options exist, files named are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from auditor.cli import cli
from auditor.report import FORMATS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VERBS = "check|gates|jobs|dump|explain|rules|regions|lag|validate|schema|test|waive|baseline|sweep|diff|query|calc|init"
COMMAND = re.compile(rf"(?:^|[\s|;&'\"])auditor ((?:{VERBS})\b[^|;&\n']*)")


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (f"{page.name}:{page.read_text()[: m.start()].count(chr(10)) + 1}", m.group(2))
        for page in PAGES
        for m in FENCE.finditer(page.read_text())
        if m.group(1) in language.split()
    ]


SHELL = [(where, line) for where, text in blocks("sh yaml groovy") for line in COMMAND.findall(text)]


@pytest.mark.parametrize(("where", "text"), blocks("yaml"), ids=[w for w, _ in blocks("yaml")])
def test_yaml_parses(where: str, text: str) -> None:
    assert yaml.safe_load(text) is not None, where


@pytest.mark.parametrize(("where", "line"), SHELL, ids=[f"{w}-{i}" for i, (w, _) in enumerate(SHELL)])
def test_commands_exist_with_their_options(where: str, line: str) -> None:
    name, *words = shlex.split(line.split(" #")[0].replace("\\\n", " ").split(">")[0])
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"{where}: no command {name}"
    known = {o for p in command.params for o in p.opts}
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--"):
            option = word.partition("=")[0]
            assert option in known, f"{where}: {name} has no {option}"
            if option == "--format":
                assert after.partition("=")[0] in FORMATS, f"{where}: no format {after}"


def test_ci_page_has_a_command_for_every_system() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert {
        "GitHub Actions",
        "GitLab",
        "Jenkins",
        "Atlantis",
        "HCP Terraform run tasks",
        "pre-commit",
        "Docker",
    } <= sections.keys()
    for system in ("GitHub Actions", "GitLab", "Jenkins", "Atlantis", "HCP Terraform run tasks"):
        assert COMMAND.search(sections[system]), system


def action() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return made


def test_documented_inputs_are_the_inputs() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    documented = {n for row in re.findall(r"^\| (`.+?) \|", text, re.MULTILINE) for n in re.findall(r"`([\w-]+)`", row)}
    assert documented == action()["inputs"].keys() - {"token"}
    (workflow,) = (yaml.safe_load(t) for _, t in blocks("yaml") if "OWNER/auditor@" in t and "jobs:" in t)
    for step in workflow["jobs"]["plan"]["steps"]:
        if "OWNER/auditor" in step.get("uses", ""):
            assert step["with"].keys() <= action()["inputs"].keys()


def test_hooks_of_the_snippets_exist() -> None:
    shipped = {h["id"] for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    shown = {i for _, text in blocks("yaml") for i in re.findall(r"\bid: ([\w-]+)", text)}
    assert shown
    assert shown <= shipped


def test_action_pins_what_it_uses_and_interpolates_nothing_into_scripts() -> None:
    for step in action()["runs"]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        else:
            assert "${{" not in step["run"]
            (script,) = re.findall(r"GITHUB_ACTION_PATH/([\w/.]+)", step["run"])
            assert (ROOT / script).stat().st_mode & 0o111, script


def test_action_uploads_and_comments_before_the_gate() -> None:
    names = [s["name"] for s in action()["runs"]["steps"]]
    assert names.index("Upload to code scanning") < names.index("Comment on the pull request") < names.index("Gate")
    assert names[-1] == "Gate"


def test_dockerfile_runs_as_nobody_and_copies_what_the_wheel_needs() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
    assert len(re.findall(r"^FROM python:\d+\.\d+\.\d+-", text, re.MULTILINE)) == 2
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
