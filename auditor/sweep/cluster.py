"""The engine of many machines: the pool's worker on an existing Dask cluster. The cluster schedules, repeats and balances."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any, Final

from auditor import __version__
from auditor.errors import AuditorError
from auditor.sweep.sources import INSTALL, Item, with_bytes
from auditor.sweep.worker import Result, Settings, Worker, unread

AHEAD: Final = 4  # plans handed out per thread of the cluster
WAIT: Final = 20  # seconds for the scheduler, and for a first worker
TRIES: Final = 3  # of a plan whose shared settings went down with a worker

_lock = threading.Lock()  # one plan at a time in a process, however many threads it has
_workers: dict[tuple[str, int], Worker] = {}  # of this process: at most one


def work(item: Item, shared: tuple[Settings, frozenset[str]]) -> Result:
    """Runs in a process of the cluster."""
    settings, known = shared
    with _lock:
        key = (settings.id, len(known))
        worker = _workers.get(key)
        if worker is None:
            worker = Worker(settings, known)
            _same_facts(settings, worker)
            _workers.clear()
            _workers[key] = worker
        return worker(item)


def _same_facts(settings: Settings, worker: Worker) -> None:
    from auditor.sweep.settings import catalog_digest

    if settings.version != __version__:
        raise AuditorError(f"a worker has auditor {__version__}, this is {settings.version}: install the same everywhere")
    if catalog_digest(worker.catalog) != settings.catalog_digest:
        raise AuditorError("a worker has another provider catalogue: install the same everywhere")


def run(items: Iterable[Item], settings: Settings, known: frozenset[str], scheduler: str) -> Iterator[Result]:
    """A result for every item, in the order they are done. Local files are sent along: workers need not see this disk."""
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise AuditorError("dask is not installed", INSTALL) from None
    try:
        client = Client(scheduler, set_as_default=False, timeout=WAIT)
    except (OSError, ValueError) as e:
        raise AuditorError(f"--scheduler {scheduler}: no Dask scheduler answers ({type(e).__name__})") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise AuditorError(f"--scheduler {scheduler}: the cluster has no worker", "Start one: dask worker ADDRESS") from None
        source = iter(items)
        tries: dict[int, int] = {}
        waiting: dict[object, Item] = {}
        [shared] = client.scatter([(settings, known)], broadcast=True, hash=False)
        queue = as_completed(loop=client.loop)

        def submit(item: Item) -> None:
            future = client.submit(work, item, shared, pure=False)
            waiting[future.key] = item
            queue.add(future)

        def fill() -> None:
            while len(waiting) < max(AHEAD * _threads(client), AHEAD) and (item := next(source, None)) is not None:
                submit(with_bytes(item, settings.timeout, settings.limit))

        fill()
        for future in queue:
            item = waiting.pop(future.key)
            try:
                yield future.result()
            except KilledWorker:
                yield unread(item.number, "crashed", f"{item.name}: several workers died over it")
            except CancelledError:  # the settings were lost with the last worker that held them
                tries[item.number] = tries.get(item.number, 0) + 1
                if tries[item.number] > TRIES:
                    yield unread(item.number, "crashed", f"{item.name}: the cluster lost it {TRIES} times")
                else:
                    [shared] = client.scatter([(settings, known)], broadcast=True, hash=False)
                    submit(item)
            fill()


def _threads(client: Any) -> int:
    return sum(client.nthreads().values())
