"""A real Dask cluster of two worker processes gives the pool's store, also when one of them is killed."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the extra `sweep` is not installed")
pytest.importorskip("pyarrow", reason="the extra `sweep` is not installed")
pytest.importorskip("distributed", reason="the extra `sweep` is not installed")

from inprocess import PLANS, run
from sweeping import content, settings, swept

from auditor.errors import AuditorError
from auditor.sweep import cluster, pool
from auditor.sweep.sources import Item
from auditor.sweep.worker import Result, Settings


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("cluster") / "e"
    cases = [p.parent for p in sorted(PLANS.glob("*/plan.json"))][:12]
    for case in cases:
        for copy in ("one", "two"):
            (top / copy).mkdir(parents=True, exist_ok=True)
            shutil.copytree(case, top / copy / case.name, ignore=shutil.ignore_patterns("*.tf", "tfplan", "expected*", "state*"))
            plan = top / copy / case.name / "plan.json"
            plan.write_bytes(plan.read_bytes() + b" " * (copy == "two"))
    (top / "cut.json").write_text("{")
    return top


def test_a_cluster_gives_the_store_of_the_pool(tmp_path: Path, dask: Any, estate: Path) -> None:
    swept(tmp_path / "pool", estate, engine=lambda *a: pool.run(*a, 2))
    swept(tmp_path / "dask", estate, engine=lambda *a: cluster.run(*a, dask.scheduler_address))
    assert content(tmp_path / "pool")["findings"]
    assert content(tmp_path / "pool") == content(tmp_path / "dask")


def test_a_killed_worker_loses_nothing(tmp_path: Path, dask: Any, estate: Path) -> None:
    killed: list[int] = []

    def engine(items: Iterable[Item], given: Settings, known: frozenset[str]) -> Iterator[Result]:
        from distributed import Client

        with Client(dask.scheduler_address, set_as_default=False) as client:
            pids = sorted(client.run(os.getpid).values())
        for n, result in enumerate(cluster.run(items, given, known, dask.scheduler_address)):
            if n == 5:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)
            yield result

    swept(tmp_path / "pool", estate)
    swept(tmp_path / "dask", estate, engine=engine)
    assert killed
    assert content(tmp_path / "pool") == content(tmp_path / "dask")


def test_workers_with_other_facts_are_refused(dask: Any) -> None:
    from dataclasses import replace

    other = replace(settings(), id="other", catalog_digest="0" * 32)
    item = Item(0, "x.json", "x.json", "x", data=b"{}")
    with pytest.raises(AuditorError, match="another provider catalogue"):
        list(cluster.run([item], other, frozenset(), dask.scheduler_address))


def test_no_scheduler(tmp_path: Path) -> None:
    shutil.copy(PLANS / "m-errored" / "plan.json", tmp_path)
    done = run("sweep", "plan.json", "--engine", "dask", "--scheduler", "nonsense://x", cwd=tmp_path)
    assert done.code == 2
    assert "no Dask scheduler answers" in done.err
