"""A sweep says of each plan what `auditor check` says of it, counts nothing twice, and loses nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the extra `sweep` is not installed")
pytest.importorskip("pyarrow", reason="the extra `sweep` is not installed")

from inprocess import AS_OF, PLANS, run
from sweeping import ask, content, here, settings, swept

from auditor.errors import AuditorError, InputError
from auditor.sweep import pool
from auditor.sweep.discover import Finder
from auditor.sweep.sources import Item
from auditor.sweep.store import Store
from auditor.sweep.worker import Result, Settings

CASES = ("a-eu-alias", "b-gpu-asg-no-efa", "e-azure", "f-gcp", "g-unknown-sensitive", "h-drift", "m-errored", "j-oci")


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """Plans and states as an organisation keeps them, with a lock file beside most."""
    for case in CASES:
        for file in ("plan.json", "state.json", ".terraform.lock.hcl"):
            if (PLANS / case / file).exists():
                to = tmp_path / "estate" / f"team-{case[0]}" / case / file
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PLANS / case / file, to)
    return tmp_path / "estate"


def names(*paths: str | Path, team: str = "path") -> list[tuple[str, str, str]]:
    return [(i.name, i.stack, i.team) for i in Finder(team).find(map(str, paths))]


# --- the same as check


def test_every_plan_is_told_as_check_tells_it(tmp_path: Path, estate: Path) -> None:
    swept(tmp_path / "store", estate)
    (tmp_path / "policy.yaml").write_text("version: 1\nallow: [EU]\n")
    plans = ask(tmp_path / "store", "SELECT plan FROM plans WHERE status = 'read' ORDER BY plan")
    assert len(plans) == len(list(estate.rglob("*.json")))
    for (plan,) in plans:
        told = run("check", plan, "--policy", "policy.yaml", "--as-of", AS_OF, "--format", "json", "--quiet", cwd=tmp_path)
        report = json.loads(told.out)
        where = f"WHERE plan = '{plan}'"
        columns = "rule, kind, level, address, path, observed, expected, message, cause, remediation, fingerprint, countries"
        found = ask(tmp_path / "store", f"SELECT {columns} FROM findings {where} AND state = 'active'")
        wanted = [tuple(f[c] for c in columns.split(", ")) for f in report["findings"]]
        assert sorted(map(repr, found)) == sorted(map(repr, wanted)), plan
        [(verdict, errors, warnings, notes, opens, resources, failing)] = ask(
            tmp_path / "store", f"SELECT verdict, errors, warnings, notes, opens, resources, failing FROM audits {where}"
        )
        s = report["summary"]
        assert (errors, warnings, notes, opens) == (s["error"], s["warning"], s["note"], s["open"])
        assert (verdict, resources, failing) == (report["verdict"], report["coverage"]["resources"], told.code == 1)
        held = ask(tmp_path / "store", f"SELECT address, path, role, value, countries, places, cause FROM locations {where}")
        keys = ("address", "path", "role", "value", "countries", "places", "cause")
        assert sorted(map(repr, held)) == sorted(repr(tuple(x[k] for k in keys)) for x in report["locations"])
        jobs = ask(tmp_path / "store", f"SELECT name, gpus_max, fabric, fabric_state, zones FROM jobs {where}")
        keys = ("name", "gpus_max", "fabric", "fabric_state", "zones")
        assert sorted(map(repr, jobs)) == sorted(repr(tuple(j[k] for k in keys)) for j in report["jobs"])


def test_a_manifest_beside_a_plan_counts_for_that_plan(tmp_path: Path) -> None:
    for stack in ("plain", "regulated"):
        shutil.copytree(PLANS / "g-unknown-sensitive", tmp_path / "e" / stack)
    (tmp_path / "e" / "regulated" / "workload.yaml").write_text("version: 1\nname: w\nregulated: [gdpr]\n")
    swept(tmp_path / "store", tmp_path / "e")
    assert ask(tmp_path / "store", "SELECT stack FROM findings WHERE rule = 'SOV008'") == [("regulated",)]
    told = run("check", "e/regulated/plan.json", "--as-of", AS_OF, "--format", "json", "--policy", "eu-gdpr", cwd=tmp_path)
    assert "SOV008" in {f["rule"] for f in json.loads(told.out)["findings"]}


def test_a_broken_manifest_makes_its_plan_unreadable(tmp_path: Path) -> None:
    shutil.copytree(PLANS / "a-eu-alias", tmp_path / "e" / "s")
    (tmp_path / "e" / "s" / "workload.yaml").write_text("version: 1\nnmae: w\n")
    swept(tmp_path / "store", tmp_path / "e" / "s" / "plan.json")
    [(status, message)] = ask(tmp_path / "store", "SELECT status, message FROM plans")
    assert status == "unreadable"
    assert "workload.yaml:2" in message


# --- finding plans


def test_folders_archives_and_globs_give_the_same(tmp_path: Path, estate: Path) -> None:
    files = sorted(p for p in estate.rglob("*") if p.is_file())
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as z:
        for p in files:
            z.write(p, p.relative_to(estate))
    with tarfile.open(tmp_path / "e.tar.gz", "w:gz") as t:
        for p in files:
            t.add(p, f"./{p.relative_to(estate)}")
    told = {}
    for name, path in {
        "folder": estate, "glob": f"{estate}/**/*.json", "zip": tmp_path / "e.zip", "tar": tmp_path / "e.tar.gz",
    }.items():  # fmt: skip
        swept(tmp_path / name, path)
        sql = "SELECT stack, team, rule, kind, address, path, message FROM findings"
        told[name] = sorted(map(repr, ask(tmp_path / name, sql)))
    assert told["folder"]
    assert told["folder"] == told["glob"] == told["zip"] == told["tar"]


def test_stacks_and_teams_come_from_the_path(tmp_path: Path) -> None:
    for path in ("ml/prod/plan.json", "ml/prod/state.json", "ml/dev/net.tfplan.json", "web/plan.json", "top.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    found = {(stack, team) for _, stack, team in names(tmp_path)}
    assert found == {("ml/prod", "ml"), ("ml/prod/state", "ml"), ("ml/dev/net", "ml"), ("web", "web"), ("top", "top")}
    assert {team for _, _, team in names(tmp_path, team="path:2")} == {"prod", "net", "dev", "web", "top"} - {"net"}


def test_what_is_no_plan_is_set_aside_and_source_is_not_touched(tmp_path: Path) -> None:
    shutil.copy(PLANS / "a-eu-alias" / "plan.json", tmp_path / "plan.json")
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "list.json").write_text("[1]")
    for skipped in ("x.tf.json", "x.tfvars.json", ".hidden/plan.json", ".terraform/modules.json"):
        (tmp_path / skipped).parent.mkdir(exist_ok=True)
        (tmp_path / skipped).write_text("{")
    swept(tmp_path / ".store", tmp_path)
    found = dict(ask(tmp_path / ".store", f"SELECT plan[{len(str(tmp_path)) + 2}:], status FROM plans"))
    assert found == {"plan.json": "read", "package.json": "other", "list.json": "other"}


def test_a_named_file_is_never_set_aside(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x"}')
    swept(tmp_path / "store", tmp_path / "package.json")
    assert ask(tmp_path / "store", "SELECT status, reason FROM plans") == [("unreadable", "broken")]


UNREADABLE = {
    "cut.json": (lambda plan: plan[: len(plan) // 2], "broken"),
    "empty.json": (lambda _: b"", "broken"),
    "raw.tfstate": (lambda _: b'{"version": 4, "terraform_version": "1.9.0", "serial": 1, "resources": []}', "broken"),
    "stream.json": (lambda _: b'{"@level":"info"}\n{"@level":"info"}\n', "broken"),
    "large.json": (lambda plan: plan + b" " * 2_000_000, "too large"),
}


def test_what_cannot_be_read_is_listed_by_name(tmp_path: Path) -> None:
    plan = (PLANS / "a-eu-alias" / "plan.json").read_bytes()
    estate = tmp_path / "e"
    estate.mkdir()
    for name, (make, _) in UNREADABLE.items():
        (estate / name).write_bytes(make(plan))
    (estate / "good.json").write_bytes(plan)
    os.mkfifo(estate / "pipe.json")
    (estate / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    (estate / "torn.tar.gz").write_bytes(b"\x1f\x8b\x08 torn")
    swept(tmp_path / "store", estate, tmp_path / "nowhere", f"{tmp_path}/no*where", given=settings(limit=1_500_000))
    rows = ask(tmp_path / "store", "SELECT plan, status, reason FROM plans")
    found = {plan.rpartition("/")[2]: (status, reason) for plan, status, reason in rows}
    assert found == {
        "good.json": ("read", ""), **{n: ("unreadable", reason) for n, (_, reason) in UNREADABLE.items()},
        "pipe.json": ("unreadable", "unavailable"), "torn.zip": ("unreadable", "broken"), "torn.tar.gz": ("unreadable", "broken"),
        "nowhere": ("unreadable", "missing"), "no*where": ("unreadable", "missing"),
    }  # fmt: skip
    for plan_name, message in ask(tmp_path / "store", "SELECT plan, message FROM plans WHERE status = 'unreadable'"):
        assert plan_name.rpartition("/")[2] in message


# --- once, and never lost


def test_the_same_plan_is_audited_once(tmp_path: Path, estate: Path) -> None:
    first = swept(tmp_path / "store", estate, run="2026-11-20T00-00-00Z")
    again = swept(tmp_path / "store", estate, run="2026-11-20T01-00-00Z")
    assert (first.reused, again.audited) == (0, 0)
    assert again.reused == first.audited
    assert content(tmp_path / "store", "2026-11-20T00-00-00Z") == content(tmp_path / "store")
    (estate / "team-a" / "a-eu-alias" / ".terraform.lock.hcl").unlink()
    german = settings(policy='{"version": 1, "allow": ["DE"]}')
    other = swept(tmp_path / "store", estate, given=german, run="2026-11-20T02-00-00Z")
    assert other.reused == 0  # another policy
    third = swept(tmp_path / "store", estate, run="2026-11-20T03-00-00Z")
    assert third.audited == len(list((estate / "team-a" / "a-eu-alias").glob("*.json")))  # without its lock file


def test_settings_have_the_same_id_in_every_process(tmp_path: Path) -> None:
    script = "import sys; sys.path.insert(0, 'tests'); from sweeping import settings; print(settings().id)"
    told = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed}, cwd=Path(__file__).parent.parent,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert told == {settings().id + "\n"}


def test_a_report_does_not_take_the_place_of_a_plan(tmp_path: Path) -> None:
    plan = tmp_path / "stack" / "plan.json"
    plan.parent.mkdir()
    shutil.copy(PLANS / "a-eu-alias" / "plan.json", plan)
    before = plan.read_bytes()
    done = run("sweep", "stack", "--format", f"json={plan}", "--as-of", AS_OF, cwd=tmp_path)
    assert (done.code, plan.read_bytes()) == (2, before), done
    assert "is an input of this run" in done.err


def test_two_sweeps_do_not_write_to_one_store(tmp_path: Path, estate: Path) -> None:
    held = Store(tmp_path / "store")
    with pytest.raises(AuditorError, match="another sweep"):
        Store(tmp_path / "store")
    held.close()
    Store(tmp_path / "store").close()
    with pytest.raises(InputError, match="not a store"):
        Store(estate)


def test_rows_of_a_part_that_holds_the_same_audit_count_once(tmp_path: Path) -> None:
    swept(tmp_path / "store", PLANS / "a-eu-alias" / "plan.json")
    before = content(tmp_path / "store")
    [part] = (tmp_path / "store" / "results").iterdir()
    shutil.copytree(part, part.with_name("0" * 32))  # as two writers on a disk without locks would leave it
    table = __import__("pyarrow.parquet").parquet
    for file in part.with_name("0" * 32).iterdir():
        t = table.ParquetFile(file).read()
        t = t.set_column(t.schema.get_field_index("part"), "part", [["0" * 32] * t.num_rows])
        table.write_table(t, file)
    assert content(tmp_path / "store") == before


def test_half_a_part_is_never_read(tmp_path: Path) -> None:
    swept(tmp_path / "store", PLANS / "a-eu-alias" / "plan.json")
    before = content(tmp_path / "store")
    for sub in ("half", "2026-11-21T00-00-00Z"):
        folder = tmp_path / "store" / "tmp" / sub
        folder.mkdir()
        for name in ("audits", "findings", "runs", "plans"):
            (folder / f"{name}.parquet").write_bytes(b"PAR1 half")
    assert content(tmp_path / "store") == before
    assert swept(tmp_path / "store", PLANS / "a-eu-alias" / "plan.json", run="2026-11-22T00-00-00Z").reused == 1
    assert not list((tmp_path / "store" / "tmp").iterdir())


def test_what_an_interrupted_sweep_did_is_kept(tmp_path: Path, estate: Path) -> None:
    def interrupted(items: Iterable[Item], given: Settings, known: frozenset[str]) -> Iterator[Result]:
        for n, result in enumerate(here(items, given, known)):
            if n == 4:
                raise KeyboardInterrupt
            yield result

    swept(tmp_path / "whole", estate)
    cut = swept(tmp_path / "store", estate, engine=interrupted)
    assert (cut.interrupted, cut.plans) == (True, 4)
    assert ask(tmp_path / "store", "SELECT complete, audited FROM runs") == [(False, 4)]
    rest = swept(tmp_path / "store", estate, run="2026-11-20T00-00-01Z")
    assert rest.reused == 4
    assert content(tmp_path / "store") == content(tmp_path / "whole")


# --- the pool


def test_the_pool_gives_the_same_store(tmp_path: Path, estate: Path) -> None:
    swept(tmp_path / "one", estate)
    done = swept(tmp_path / "two", estate, engine=lambda *a: pool.run(*a, 2))
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert done.peak > 0


def kill_own_process(item: Item) -> Result:
    """Stands in for the worker's work: dies over one plan, always, and over another the first time."""
    if "deadly" in item.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "fragile" in item.name and not Path(item.url + ".tried").exists():
        Path(item.url + ".tried").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    assert pool._worker is not None
    return pool._worker(item)


def test_a_worker_that_dies_takes_only_its_own_plan_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = (PLANS / "a-eu-alias" / "plan.json").read_bytes()
    for name in ("a", "b", "deadly", "fragile", "y", "z"):
        (tmp_path / f"{name}.json").write_bytes(plan + b" " * len(name))
    monkeypatch.setattr(pool, "_work", kill_own_process)
    swept(tmp_path / ".store", tmp_path, engine=lambda *a: pool.run(*a, 2))
    told = {p.rpartition("/")[2]: (s, r) for p, s, r in ask(tmp_path / ".store", "SELECT plan, status, reason FROM plans")}
    assert told.pop("deadly.json") == ("unreadable", "crashed")
    assert told == {f"{n}.json": ("read", "") for n in ("a", "b", "fragile", "y", "z")}


ORPHANS = """
import multiprocessing, sys, time
sys.path.insert(0, sys.argv[1])
if __name__ == "__main__":
    from sweeping import Finder, settings
    from auditor.sweep import pool
    results = pool.run(Finder().find([sys.argv[2]]), settings(), frozenset(), 2)
    next(results)
    print(*(c.pid for c in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_a_killed_sweep_leaves_no_process_behind(tmp_path: Path, estate: Path) -> None:
    (tmp_path / "orphans.py").write_text(ORPHANS)
    args = [sys.executable, str(tmp_path / "orphans.py"), str(Path(__file__).parent), str(estate)]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = parent.stdout.readline().split()
        assert len(pids) == 2
        parent.kill()
    end = time.monotonic() + 20
    while left := [p for p in pids if (f := Path(f"/proc/{p}/cmdline")).exists() and f.read_bytes()]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def test_a_bug_in_one_plan_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> Any:
        raise ValueError("CANARY")

    monkeypatch.setattr("auditor.pipeline.audit", crash)
    swept(tmp_path / "store", PLANS / "a-eu-alias" / "plan.json")
    [(status, reason, message)] = ask(tmp_path / "store", "SELECT status, reason, message FROM plans")
    assert (status, reason) == ("unreadable", "crashed")
    assert "ValueError" in message
    assert "CANARY" not in message
