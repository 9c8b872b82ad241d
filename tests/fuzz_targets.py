"""What must hold for any bytes: each function raises only where auditor has a bug. The fuzzer and the kept corpus use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from inprocess import AS_OF, facts, judge, render

from auditor.baseline import parse as parse_baseline
from auditor.catalog import data_dir
from auditor.config import load_config
from auditor.errors import AuditorError
from auditor.load.archive import Archive
from auditor.load.hcl.inputs import SourceOptions
from auditor.load.lockfile import parse_lock
from auditor.load.plan import load
from auditor.model import Report


@lru_cache(maxsize=1)
def scratch() -> Path:
    return Path(mkdtemp(prefix="auditor-fuzz-"))


def _reported(report: Report) -> None:
    for name in ("json", "sarif", "text"):
        render(report, name).encode("utf-8")


def whole(report: Report, plan: Any) -> None:
    """Resources in = resources out."""
    changes = plan.get("resource_changes") or []
    held = [d["resource_change"] for d in plan.get("deferred_changes") or () if d.get("resource_change")]
    counted = [
        r for r in [*changes, *held]
        if r.get("mode", "managed") != "data" and (r.get("change") or {}).get("actions") != ["delete"] and not r.get("deposed")
    ]  # fmt: skip
    c = report.coverage
    assert c.resources == len(counted)
    assert c.located + c.global_ + c.undecided == c.resources


def plan(data: bytes) -> None:
    try:
        report = judge(data)
    except AuditorError as e:
        assert "crashed" not in str(e), e
        return
    _reported(report)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):  # read all the same: wrapper output around it, another encoding
        return
    if "resource_changes" in tree:
        whole(report, tree)


def source(data: bytes) -> None:
    folder = scratch() / "source"
    folder.mkdir(exist_ok=True)
    (folder / "main.tf").write_bytes(data)
    try:
        plans = load(str(folder), bytes, SourceOptions())
    except AuditorError:
        return
    assert [p.kind for p in plans] == ["hcl"]


def lock(data: bytes) -> None:
    try:
        parse_lock(data.decode("utf-8", "replace"), "x")
    except AuditorError as e:
        assert str(e).startswith("x:")


def policy(data: bytes) -> None:
    catalog, rules = facts()
    path = scratch() / "p.yaml"
    path.write_bytes(data)
    try:
        load_config(
            str(path), None, {}, index=catalog.index, rules=rules, as_of=AS_OF, cwd=scratch(), policies_dir=data_dir("policies")
        )
    except AuditorError as e:
        assert len(str(e)) < 5_000


def archive(data: bytes) -> None:
    try:
        Archive("x", data)
    except AuditorError as e:
        assert str(e).startswith("x:")


def baseline(data: bytes) -> None:
    try:
        parse_baseline(data, "x")
    except AuditorError:
        return


TARGETS: dict[str, Callable[[bytes], None]] = {
    "plan": plan, "state": plan, "source": source, "lock": lock, "policy": policy, "archive": archive, "baseline": baseline,
}  # fmt: skip
