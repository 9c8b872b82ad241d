"""An audit opens no socket, whatever it reads and writes, and loads no module that could."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from inprocess import PLANS

from auditor.report import FORMATS

# Audit hooks see what the interpreter does, however it is asked to do it; they cannot be taken off again.
GUARD = """
import sys
def hook(event, args):
    if event.startswith("socket.") or event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork"):
        print("FORBIDDEN", event, args, file=sys.stderr, flush=True)
        raise RuntimeError(event)
sys.addaudithook(hook)
from auditor.cli import main
try:
    main()
finally:
    print("LOADED", *sorted(sys.modules), file=sys.stderr)
"""
NETWORK = {"requests", "urllib3", "socket", "ssl", "http.client", "asyncio"}
# What the hot path, an audit of plan JSON under a policy, must not pay for at start-up.
HEAVY = {"jsonschema", "tree_sitter", "tree_sitter_hcl", "hcl2", "lark", "email", "difflib", "unittest", "xml.etree"} | NETWORK


def guarded(folder: Path, *args: str) -> tuple[int, str, set[str]]:
    (folder / "policy.yaml").write_text("version: 1\nallow: [EU]\n")
    done = subprocess.run([sys.executable, "-c", GUARD, *args], cwd=folder, capture_output=True, text=True, check=False)
    assert "FORBIDDEN" not in done.stderr, done.stderr[:500]
    loaded = {w for line in done.stderr.splitlines() if line.startswith("LOADED") for w in line.split()[1:]}
    return done.returncode, done.stdout, loaded


def test_the_guard_bites(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GUARD.replace("from auditor.cli import main", "import socket; main = socket.socket")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "FORBIDDEN" in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("check", str(PLANS / "a-eu-alias" / "plan.json"), *(w for f in FORMATS for w in ("--format", f"{f}=out.{f}"))),
        ("check", str(PLANS / "a-eu-alias"), "--format", "json"),
        ("check", str(PLANS / "l-workaround" / "state.json")),
        ("gates", str(PLANS / "e-azure" / "plan.json")),
    ],
    ids=["every format", "a Terraform folder", "a state", "gates"],
)
def test_no_socket(tmp_path: Path, args: tuple[str, ...]) -> None:
    code, _, loaded = guarded(tmp_path, *args, "--policy", "policy.yaml")
    assert code in (0, 1, 2)
    assert loaded
    assert not loaded & {"requests", "urllib3", "http.client", "ssl"}


def test_hot_path_loads_only_what_it_needs(tmp_path: Path) -> None:
    code, out, loaded = guarded(
        tmp_path, "check", str(PLANS / "m-errored" / "plan.json"), "--policy", "policy.yaml", "--format", "json"
    )
    assert (code, out[:1]) == (1, "{") or code == 0
    assert not loaded & HEAVY, sorted(loaded & HEAVY)


def test_a_sweep_of_local_files_opens_no_socket(tmp_path: Path) -> None:
    """Processes it starts, sockets never; the workers run what the tests above guard."""
    pytest.importorskip("duckdb", reason="the extra `sweep` is not installed")
    (tmp_path / "policy.yaml").write_text("version: 1\nallow: [EU]\n")
    only_sockets = GUARD.replace(' or event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork")', "")
    assert only_sockets != GUARD
    script = only_sockets.replace("try:", "if __name__ == '__main__':\n  try:").replace("\n    main()", "\n      main()")
    script = script.replace("\nfinally:", "\n  finally:").replace("\n    print(\"LOADED", "\n      print(\"LOADED")
    (tmp_path / "guarded.py").write_text(script)
    args = ["sweep", str(PLANS / "m-errored"), "--jobs", "1", "--store", "s", "--policy", "policy.yaml", "--format", "html"]
    done = subprocess.run([sys.executable, "guarded.py", *args], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "FORBIDDEN" not in done.stderr, done.stderr[:500]
    assert done.returncode == 1, done.stderr
    loaded = {w for line in done.stderr.splitlines() if line.startswith("LOADED") for w in line.split()[1:]}
    assert "auditor.sweep.pool" in loaded
    assert not loaded & {"requests", "s3fs", "distributed", "fsspec"}
