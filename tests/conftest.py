"""Runs the auditor as a user does: through its command line, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="auditor-tests-")  # a developer's refreshed catalogue decides no test
PLANS = Path(__file__).parent / "plans"


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def verdicts(self) -> list[list[str]]:
        """[rule, kind, level, address, path] of each finding, sorted."""
        return sorted([f["rule"], f["kind"], f["level"], f["address"], f["path"]] for f in self.report["findings"])


Auditor = Callable[..., Run]


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    def run(
        *args: str, policy: str | None = None, stdin: bytes = b"", json_report: bool = True, env: dict[str, str] | None = None
    ) -> Run:
        words = [sys.executable, "-c", "from auditor.cli import main; main()", *args]
        if policy is not None:
            (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
            words += ["--policy", str(tmp_path / "policy.yaml")]
        if args and args[0] == "check":
            words += ["--as-of", "2026-11-20"] + (["--format", "json"] if json_report else [])
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, input=stdin, check=False, env={**os.environ, **(env or {})}
        )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
