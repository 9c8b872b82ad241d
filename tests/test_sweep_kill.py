"""Kill -9 at a random moment, twenty times: the store opens, the rerun completes, no row is doubled.

One process starts once and forks for each sweep, so that a round costs a fraction of a second.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

pytest.importorskip("duckdb", reason="the extra `sweep` is not installed")
pytest.importorskip("pyarrow", reason="the extra `sweep` is not installed")

from inprocess import PLANS
from sweeping import ask, content, swept

ROUNDS = 20
SWEEPER = """
import os, sys
sys.path.insert(0, sys.argv[1])
import sweeping
from auditor.sweep import store
store.FLUSH_SECONDS = 0.0  # every plan a part: many moments to be killed in
given = sweeping.settings()
for line in sys.stdin:
    folder, plans = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if pid == 0:
        sweeping.swept(sweeping.Path(folder), plans, given=given)
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("over", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_twenty_times(tmp_path: Path) -> None:
    estate = tmp_path / "e"
    for case in [p.parent for p in sorted(PLANS.glob("*/plan.json"), key=lambda p: p.stat().st_size)][:10]:
        (estate / case.name).mkdir(parents=True)
        shutil.copy(case / "plan.json", estate / case.name)
    swept(tmp_path / "whole", estate)
    whole = content(tmp_path / "whole")
    sweeper = subprocess.Popen(
        [sys.executable, "-c", SWEEPER, str(Path(__file__).parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert sweeper.stdin is not None
    assert sweeper.stdout is not None
    moments = random.Random(20261120)
    length, left = 0.0, []
    for n in range(ROUNDS + 1):
        store = tmp_path / f"s{n}"
        print(store, estate, sep="\t", file=sweeper.stdin, flush=True)
        pid = int(sweeper.stdout.readline())
        began = monotonic()
        if n:  # the first round is not killed: it tells how long a sweep takes
            while not (store / ".lock").exists():
                sleep(0.002)
            sleep(moments.uniform(0, length))
            with suppress(ProcessLookupError):  # over already
                os.kill(pid, signal.SIGKILL)
        assert sweeper.stdout.readline() == "over\n"
        length = length or monotonic() - began
        if not n:
            assert content(store) == whole
            continue
        left.append(len(list((store / "results").glob("[!.]*"))))
        if (store / "store.json").exists():
            assert ask(store, "SELECT count(*) FROM plans")[0][0] in (0, len(whole["plans"]))
        again = swept(store, estate, run="2026-11-20T09-00-00Z")
        assert again.reused >= left[-1]  # what a killed sweep had kept is not done again
        assert content(store) == whole
        assert not list((store / "tmp").iterdir())
    sweeper.stdin.close()
    sweeper.wait()
    assert len(set(left)) > 3, left  # the moments were different ones
