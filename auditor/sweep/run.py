"""One sweep: items through an engine into the store, and the run's own rows at the end, whatever the end was."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor.errors import AuditorError
from auditor.sweep.sources import Item
from auditor.sweep.store import Store
from auditor.sweep.worker import Result, Settings, unpack

Engine = Callable[[Iterable[Item], Settings, frozenset[str]], Iterator[Result]]
_INDEX: Final = "index.json"
_SLUG: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did. peak: bytes of memory of the largest worker."""

    run: str
    plans: int
    audited: int
    reused: int
    interrupted: bool
    peak: int


def sweep(
    items: Iterable[Item], settings: Settings, store: Store, engine: Engine, run: str, record: dict[str, Any],
    finished: Callable[[], str], sarif_dir: Path | None = None, progress: Callable[[int], None] = lambda _: None,
) -> Swept:  # fmt: skip
    """Sweeps, and writes the run, after Ctrl-C too. record: the columns of `runs` that the caller knows."""
    files = SarifFolder(sarif_dir) if sarif_dir is not None else None
    known = store.known()
    held = set(known)
    told: dict[int, tuple[str, str, str]] = {}
    rows: dict[int, dict[str, Any]] = {}
    audited = reused = peak = 0
    interrupted = False

    def watched() -> Iterator[Item]:
        for item in items:
            told[item.number] = (item.name, item.stack, item.team)
            yield item if files is None else msgspec.structs.replace(item, sarif_key=files.key(item.stack))

    results = engine(watched(), settings, frozenset(known))
    try:
        for result in results:
            name, stack, team = told[result.number]
            if result.rows and result.key not in held:
                held.add(result.key)
                store.add(unpack(result.rows))
            if result.sarif and files is not None:
                files.write(stack, result.key, result.sarif)
            audited += bool(result.rows)
            reused += result.status == "read" and not result.rows
            peak = max(peak, result.peak)
            rows[result.number] = {
                "plan": name, "stack": stack, "team": team, "key": result.key, "status": result.status,
                "reason": result.reason, "message": result.message, "bytes": result.size,
            }  # fmt: skip
            progress(len(rows))
    except KeyboardInterrupt:
        interrupted = True
        close = getattr(results, "close", None)
        if close is not None:
            close()
    finally:
        store.flush()
        if files is not None:
            files.save()
    if settings.tag:
        tags = store.tags()
        for row in rows.values():
            row["team"] = tags.get(row["key"], "")
    known_of_run = {
        "finished": finished(), "complete": not interrupted, "settings": settings.id, "version": settings.version,
        "catalog_digest": settings.catalog_digest, "as_of": settings.as_of.isoformat(), "audited": audited, "reused": reused,
    }  # fmt: skip
    name = store.finish(run, record | known_of_run, [rows[n] for n in sorted(rows)])
    return Swept(name, len(rows), audited, reused, interrupted, peak)


class SarifFolder:
    """One gzipped log a stack, and an index of what each was made of: what is there already is not made again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, list[str]] = {}  # stack -> file, key
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / _INDEX).is_file():
                self._made = msgspec.json.decode((folder / _INDEX).read_bytes(), type=dict[str, list[str]])
        except OSError as e:
            raise AuditorError(f"--sarif-dir {folder}: {e.strerror or e}") from None
        except msgspec.DecodeError:
            raise AuditorError(f"--sarif-dir {folder}: {_INDEX} is not of this tool", "Give another folder.") from None

    def key(self, stack: str) -> str:
        """The audit that the stack's file shows; "" where it is to be made."""
        file, key = self._made.get(stack, ["", ""])[:2]
        return key if file and (self.folder / file).is_file() else ""

    def write(self, stack: str, key: str, data: bytes) -> None:
        mark = sha256(stack.encode()).hexdigest()[:8]  # slugs of different stacks may be the same
        file = f"{_SLUG.sub('-', stack).strip('-')[:120]}-{mark}.sarif.gz"
        self._put(file, data)
        self._made[stack] = [file, key]

    def save(self) -> None:
        self._put(_INDEX, json.dumps(self._made, indent=1, sort_keys=True).encode() + b"\n")

    def _put(self, name: str, data: bytes) -> None:
        tmp = self.folder / f".tmp-{name}"
        try:
            tmp.write_bytes(data)
            os.replace(tmp, self.folder / name)
        except OSError as e:
            raise AuditorError(f"--sarif-dir {self.folder}: {e.strerror or e}") from None

