"""The engine of one machine: a pool of processes, one plan at a time in each, a bounded number of plans under way.

A worker that dies (killed, out of memory, crashed interpreter) breaks the pool. The plans that were under way are then tried
alone, twice: who breaks its worker again is the culprit, and listed; the others lose nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Final

from auditor.sweep.sources import Item
from auditor.sweep.worker import Result, Settings, Worker, unread

AHEAD: Final = 3  # plans handed out per process
TRIES: Final = 2  # of a plan that was under way when a worker died, each in a process of its own

_worker: Worker | None = None  # of this process; set once, when the process starts


def _begin(settings: Settings, known: frozenset[str]) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = Worker(settings, known)


def _end_with_parent() -> None:
    """A killed parent cannot end its processes, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(item: Item) -> Result:
    assert _worker is not None
    return _worker(item)


def run(items: Iterable[Item], settings: Settings, known: frozenset[str], jobs: int) -> Iterator[Result]:
    """A result for every item, in the order they are done. Closing the generator ends the processes."""
    source = iter(items)
    more = True
    while more:
        suspects: list[Item] = []
        with _pool(settings, known, jobs) as pool:
            waiting: dict[Future[Result], Item] = {}
            while True:
                while more and not suspects and len(waiting) < jobs * AHEAD:
                    item = next(source, None)
                    if item is None:
                        more = False
                    else:
                        try:
                            waiting[pool.submit(_work, item)] = item
                        except BrokenProcessPool:
                            suspects.append(item)
                if not waiting:
                    break
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    item = waiting.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        suspects.append(item)
        for item in suspects:
            yield _alone(item, settings, known)


def _alone(item: Item, settings: Settings, known: frozenset[str]) -> Result:
    for _ in range(TRIES):
        try:
            with _pool(settings, known, 1) as pool:
                return pool.submit(_work, item).result()
        except BrokenProcessPool:
            continue
    return unread(item.number, "crashed", f"{item.name}: the worker died over it (killed, out of memory, or a crash)")


@contextmanager
def _pool(settings: Settings, known: frozenset[str], jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh interpreters: they share no thread, lock or memory with this one. None outlives the block."""
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, context, _begin, (settings, known))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    pool.shutdown()
