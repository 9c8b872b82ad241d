"""Sweeps in this process: the worker as every engine calls it, without a pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from inprocess import AS_OF, _config, facts

from auditor.rules import select
from auditor.sweep.discover import Finder
from auditor.sweep.query import Answerer
from auditor.sweep.run import Engine, Swept, sweep
from auditor.sweep.settings import settings_of
from auditor.sweep.sources import Item
from auditor.sweep.store import Store
from auditor.sweep.tables import AUDIT, SCHEMA
from auditor.sweep.worker import Result, Settings, Worker

POLICY = '{"version": 1, "allow": ["EU"]}'


def settings(
    *, policy: str = POLICY, workload: str = "null", tag: str = "", sarif: bool = False, as_of: str = AS_OF, **more: Any
) -> Settings:
    _, every = facts()
    config, own = _config(policy, workload), _config(policy, "null")
    rules = select(every.values(), (), {})
    given = {"manifests": True, "baseline": None, "timeout": 20.0, "limit": 100_000_000} | more
    return settings_of(config, own, rules, every, date.fromisoformat(as_of), None, tag=tag, sarif=sarif, **given)


def here(items: Iterable[Item], given: Settings, known: frozenset[str]) -> Iterator[Result]:
    """The worker in this process, one plan after the other."""
    worker = Worker(given, known)
    for item in items:
        yield worker(item)


def swept(
    store: Path, *paths: str | Path, given: Settings | None = None, engine: Engine = here, team: str = "path",
    run: str = "2026-11-20T00-00-00Z", **more: Any,
) -> Swept:  # fmt: skip
    """One sweep into a store."""
    given = given or settings()
    record = {"schema": SCHEMA, "catalog": facts()[0].index.as_of, "policy": "", "allow": "EU", "fail_on": "error", "team": team}
    roots = [str(p) for p in paths]
    opened = Store(store)
    try:
        items = Finder(team, given.timeout, given.limit).find(roots)
        return sweep(items, given, opened, engine, run, record | {"roots": sorted(roots)}, lambda: run, **more)
    finally:
        opened.close()


def ask(store: Path, sql: str) -> list[tuple[Any, ...]]:
    answerer = Answerer(store)
    try:
        return answerer.query(sql).rows
    finally:
        answerer.close()


def content(store: Path, run: str = "") -> dict[str, list[str]]:
    """All rows of a run but its times, sorted; of the newest run unless one is named."""
    which = f"'{run}'" if run else "(SELECT run FROM latest)"
    tables = {name: ask(store, f"SELECT * EXCLUDE (run) FROM {name} WHERE run = {which}") for name in ("plans", *AUDIT)}
    return {name: sorted(map(repr, rows)) for name, rows in tables.items()}
