"""stdout, stdin and the terminal in every state a shell can leave them in; files that must not be written over."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from inprocess import PLANS, run
from report_samples import HOSTILE, finding, report, rich_report

from auditor.report import FORMATS, RenderOptions
from auditor.report.escape import clean, inert, log

AUDITOR = f'"{sys.executable}" -c "from auditor.cli import run; run()"'
CHECK = f"{AUDITOR} check plan.json --as-of 2026-11-20"
posix = pytest.mark.skipif(sys.platform == "win32", reason="streams of a POSIX shell")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PLANS / "a-eu-alias" / "plan.json", tmp_path)
    (tmp_path / ".auditor.yaml").write_text("version: 1\nallow: [EU]\n")
    return tmp_path


def shell(folder: Path, script: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["bash", "-c", script], cwd=folder, env=os.environ | env, capture_output=True, check=False)


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (f"{CHECK} >/dev/full", 2, b"auditor: stdout cannot be written: No space left on device\n"),
        (f"{CHECK} >&-", 2, b"auditor: stdout cannot be written: stdout is closed\n"),
        (f"{CHECK} --format text=out.txt >&-", 1, b""),
        (f"{CHECK} 2>&-", 1, b""),
        (f"{CHECK} --exit-zero 2>&-", 0, b""),
        (f"{CHECK} >/dev/full 2>/dev/full", 2, b""),
        (f"{CHECK} >/dev/full 2>&-", 2, b""),
        (f"{AUDITOR} check none.json 2>/dev/full", 2, b""),
        (f"{AUDITOR} check --nothing 2>/dev/full", 2, b""),
        (f"{AUDITOR} baseline plan.json >/dev/null 2>/dev/full", 2, b""),
        (f"{CHECK} --format html | exec 0<&-; exit ${{PIPESTATUS[0]}}", 2, b""),
        (f"{AUDITOR} dump plan.json | exec 0<&-; exit ${{PIPESTATUS[0]}}", 2, b""),
        (f"{AUDITOR} gates plan.json >&-", 2, b"auditor: stdout cannot be written: stdout is closed\n"),
        (f"{AUDITOR} check - <&-", 2, b"auditor: -: the file is empty\n  hint: Run: terraform show -json tfplan > plan.json\n"),
    ],
)
def test_what_cannot_be_written_is_never_a_pass(folder: Path, script: str, code: int, said: bytes, unbuffered: str) -> None:
    if "/dev/full" in script and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = shell(folder, script, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (code, said)


@posix
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_is_not_utf8_gets_escapes_and_programs_get_utf8(folder: Path, encoding: str) -> None:
    (folder / "plan.json").write_bytes((folder / "plan.json").read_bytes().replace(b"archive", "arch→ive".encode()))
    done = shell(folder, CHECK, PYTHONIOENCODING=encoding)
    assert done.returncode == 1, done.stderr
    assert "\\u2192" in done.stdout.decode(encoding)
    for format_ in ("html", "json", "markdown", "junit"):
        done = shell(folder, f"{CHECK} --format {format_}", PYTHONIOENCODING=encoding)
        assert done.returncode == 1, done.stderr
        assert done.stdout == shell(folder, f"{CHECK} --format {format_}", PYTHONIOENCODING="utf-8").stdout


@pytest.mark.parametrize(
    ("target", "said"),
    [
        *((name, "is an input of this run") for name in ("plan.json", "./plan.json", "sub/../plan.json", ".auditor.yaml")),
        ("workload.yaml", "is an input of this run"),
        ("main.tf", "is a Terraform file"),
        (".terraform.lock.hcl", "is a Terraform file"),
    ],
)
def test_inputs_are_not_written_over(folder: Path, target: str, said: str) -> None:
    (folder / "sub").mkdir()
    (folder / "workload.yaml").write_text("version: 1\n")
    (folder / "main.tf").write_text("")
    (folder / ".terraform.lock.hcl").write_text("")
    before = (folder / target).read_bytes()
    done = run("check", "plan.json", "--format", f"json={target}", cwd=folder)
    assert done.code == 2
    assert said in done.err
    assert (folder / target).read_bytes() == before


@pytest.mark.parametrize("target", ["plan.json", "main.tf", ".auditor.yaml"])
@pytest.mark.parametrize("command", ["baseline", "gates"])
def test_no_command_writes_over_inputs(folder: Path, command: str, target: str) -> None:
    (folder / "main.tf").write_text("")
    before = (folder / target).read_bytes()
    done = run(command, "plan.json", "--policy", ".auditor.yaml", "--output", target, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert "is not written over" in done.err
    assert (folder / target).read_bytes() == before


@posix
def test_a_policy_survives_a_full_disk(folder: Path) -> None:
    """`waive` writes the file whole or leaves it as it was."""
    policy = folder / ".auditor.yaml"
    policy.write_text("version: 1\nallow: [EU]\n" + "# why\n" * 400)
    policy.chmod(0o640)
    before = policy.read_bytes()
    waive = f"{AUDITOR} waive SOV001 a.b --reason r --expires 2027-01-31 --as-of 2026-11-20"
    done = shell(folder, f"trap '' XFSZ; ulimit -f 1; {waive}")
    assert (done.returncode, done.stderr) == (2, b"auditor: .auditor.yaml: cannot be written: File too large\n")
    assert policy.read_bytes() == before
    assert [p.name for p in folder.iterdir() if p.name.endswith(".new")] == []
    assert shell(folder, waive).returncode == 0
    assert b"a.b" in policy.read_bytes()
    assert policy.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--format", "sarif=no/such/a.sarif"), "no/such/a.sarif: cannot be written: No such file or directory"),
        (("--format", "sarif=."), ".: cannot be written: Is a directory"),
        (("--format", "sarif="), "names no file"),
        (("--format", "yaml"), "unknown format"),
        (("--format", "sarif=a", "--format", "json=./a"), "would both go to a"),
        (("--format", "sarif=a", "--output", "b"), "--output would get none"),
    ],
)
def test_reports_that_cannot_be_written(folder: Path, args: tuple[str, ...], said: str) -> None:
    done = run("check", "plan.json", *args, cwd=folder)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


def test_the_same_file_by_two_names(folder: Path) -> None:
    done = run("check", "plan.json", "--format", "sarif=a", "--format", f"json={folder / 'a'}", cwd=folder)
    assert done.code == 2


LABEL = re.compile(r"^\s*(and \d+ more: |via: |fix: |at: |e\.g\. |cause: |unchanged: )?")


@pytest.mark.parametrize("width", [30, 40, 59])
def test_text_keeps_to_a_narrow_width(width: int) -> None:
    text = FORMATS["text"](rich_report(), RenderOptions(width=width))
    assert [x for x in text.splitlines() if len(x) > width and " " in LABEL.sub("", x)] == []  # one word may be longer
    assert sorted(text.split()) == sorted(FORMATS["text"](rich_report(), RenderOptions(width=0)).split())  # nothing is lost


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("::error::x", "\\u003a:error::x"),
        ("  \t::stop-commands::x", "  \t\\u003a:stop-commands::x"),
        ("arn:aws:s3:::b", "arn:aws:s3:::b"),
        ("a ::error::x", "a ::error::x"),
        ("", ""),
    ],
)
def test_no_line_of_a_log_is_a_command(line: str, made: str) -> None:
    assert inert(line) == made


def test_commands_that_count_anywhere_in_a_line_are_shown() -> None:
    assert clean("a ##[error]b") == "a #\\u0023[error]b"
    assert log("auditor: x\n::error::y ##[add-mask]z") == "auditor: x\n\\u003a:error::y #\\u0023[add-mask]z"


@pytest.mark.parametrize("width", [30, 60, 100])
def test_no_wrapped_line_of_text_starts_a_command(width: int) -> None:
    words = " ".join(f"word{i} ::error::x ##[error]y" for i in range(40))
    text = FORMATS["text"](report(finding(message=words, remediation=words)), RenderOptions(width=width))
    assert [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line] == []
    assert "::error::x" in text


def test_no_command_prints_a_line_that_is_one(folder: Path) -> None:
    """The commands beside `check`, on a plan whose addresses start like workflow commands."""
    change = {"actions": ["create"], "before": None, "after_unknown": {}, "before_sensitive": False, "after_sensitive": {}}
    held = [
        {
            "address": f"{type_}.b{json.dumps([HOSTILE])}", "mode": "managed", "type": type_, "name": "b", "index": HOSTILE,
            "provider_name": "registry.terraform.io/hashicorp/aws", "change": change | {"after": after},
        }
        for type_, after in (
            ("::error::x", {"region": "us-east-1"}),
            ("aws_s3_bucket", {"region": HOSTILE, "bucket": HOSTILE}),
            ("aws_instance", {"region": "us-east-1", "instance_type": "p5.48xlarge", "placement_group": HOSTILE,
                              "availability_zone": HOSTILE, "tags": {"workload": HOSTILE}}),
        )
    ]  # fmt: skip
    plan = {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": held, "configuration": {}}
    (folder / "bad.json").write_text(json.dumps(plan))
    assert run("check", "bad.json", "--format", "json=report.json", cwd=folder).code == 1
    found = json.loads((folder / "report.json").read_text())["findings"]
    first = next(f["fingerprint"] for f in found if f["address"].startswith("::"))
    for args in (
        ("check", "bad.json", "--verbose"), ("dump", "bad.json"), ("jobs", "bad.json"), ("gates", "bad.json"),
        ("gates", "bad.json", "--format", "markdown"), ("explain", first, "--report", "report.json"),
        ("explain", first, "--plan", "bad.json"), ("check", "bad.json", "--format", "markdown"),
        ("check", f"no\n::error::file {HOSTILE}.json"),
    ):  # fmt: skip
        done = run(*args, cwd=folder)
        lines = (done.out + done.err).splitlines()
        assert lines, args
        assert [line for line in lines if line.lstrip().startswith("::") or "##[" in line] == [], args
        assert "\x1b" not in done.out + done.err
        assert "\u202e" not in done.out + done.err
