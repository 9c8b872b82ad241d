"""The auditor in this process: whole plans judged in milliseconds, and the command line without a new interpreter."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from auditor.catalog import Catalog, data_dir
from auditor.cli import main
from auditor.config import Config, load_config
from auditor.load.plan import load, with_lock
from auditor.model import Plan, Report, Rule
from auditor.pipeline import audit
from auditor.report import FORMATS, RenderOptions
from auditor.rules import load_rules, select

AS_OF = "2026-11-20"
PLANS = Path(__file__).parent / "plans"
RECORDED = sorted(PLANS.glob("*/*plan*.json"))
STATES = sorted(PLANS.glob("*/state.json"))
EU = {"allow": ["EU"]}


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str


@lru_cache(maxsize=1)
def facts() -> tuple[Catalog, dict[str, Rule]]:
    return Catalog(), {r.id: r for r in load_rules(data_dir("policies"))}


@lru_cache(maxsize=64)
def _config(policy: str, workload: str) -> Config:
    catalog, rules = facts()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "policy.json").write_text(policy, encoding="utf-8")
        manifest = None
        if workload != "null":
            manifest = folder / "workload.json"
            manifest.write_text(workload, encoding="utf-8")
        return load_config(
            str(folder / "policy.json"), manifest, {}, index=catalog.index, rules=rules, as_of=AS_OF,
            cwd=folder, policies_dir=data_dir("policies"),
        )  # fmt: skip


def judge(
    *plans: bytes | Mapping[str, Any], policy: Mapping[str, Any] = EU, workload: Mapping[str, Any] | None = None,
    beside: Path | None = None,
) -> Report:
    """The report on one run over plans given as bytes or as plan JSON, with the lock file beside a path."""
    datas = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in plans]
    read = [with_lock(plan, beside) for data in datas for plan in load("-", lambda data=data: data)]
    return audited(read, policy=policy, workload=workload)


def audited(
    plans: Sequence[Plan], *, policy: Mapping[str, Any] = EU, workload: Mapping[str, Any] | None = None
) -> Report:
    """The report on one run over plans that are read already."""
    catalog, rules = facts()
    config = _config(json.dumps({"version": 1, **policy}), json.dumps(workload and {"version": 1, **workload}))
    return audit(plans, config, catalog, select(rules.values(), (), {}), rules, date.fromisoformat(AS_OF))


def render(report: Report, name: str, *, verbose: bool = True) -> str:
    catalog, _ = facts()
    return FORMATS[name](report, RenderOptions(verbose=verbose, sarif_include_waived=True, coordinates=catalog.coordinates))


def run(*args: str, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Run:
    """The command line, with its exit code, as `auditor ARGS` would run in `cwd`."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    given = io.TextIOWrapper(io.BytesIO(stdin))
    before = Path.cwd()
    try:
        os.chdir(cwd or before)
        with (
            patch.dict(os.environ, env or {}), patch.object(sys, "argv", ["auditor", *args]),
            patch.object(sys, "stdin", given), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
        ):  # fmt: skip
            main()
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 1
    finally:
        os.chdir(before)
        gc.enable()  # main() switches it off, for one short run
    return Run(code, out.getvalue(), err.getvalue())


def verdicts(report: Report) -> list[tuple[str, str, str, str, str]]:
    return sorted((f.rule, f.kind, f.level, f.address, f.path) for f in report.findings)
