"""The store: Parquet files in a folder. Whole parts appear by renaming, so that it opens whenever a sweep was cut off.

    store.json                       the version of the tables
    results/<part>/<table>.parquet   rows of audits, once each; a part is there whole or not at all
    runs/<run>/{runs,plans}.parquet  which plans a run saw, and the key of each one's rows; written last
    tmp/                             what is being written, or was when a sweep was killed

Rows of one audit stand in one part, and every table is read through the audits: a row counts once whatever was cut off.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final
from uuid import uuid4

from auditor.errors import AuditorError, InputError
from auditor.sweep.sources import INSTALL
from auditor.sweep.tables import AUDIT, RUN, SCHEMA, Column
from auditor.sweep.worker import Rows

FLUSH_ROWS: Final = 200_000
FLUSH_SECONDS: Final = 5.0
_TMP: Final = "tmp"  # beside what readers look into, so that nobody meets half a part


def arrow() -> Any:
    """pyarrow, or the sentence that says how to get it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise AuditorError("pyarrow is not installed", INSTALL) from None
    return pyarrow


class Store:
    """Open for writing by one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._buffer: Rows = {name: [] for name in AUDIT}
        self._rows = 0
        self._due = monotonic() + FLUSH_SECONDS
        arrow()
        try:
            for sub in ("results", "runs", _TMP):
                (folder / sub).mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder / ".lock", folder)
            check_schema(folder)
            for left in (folder / _TMP).iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            marker = folder / "store.json"
            if not marker.exists():
                _write(folder / _TMP / "store.json", json.dumps({"schema": SCHEMA}).encode() + b"\n")
                os.replace(folder / _TMP / "store.json", marker)
        except OSError as e:
            raise AuditorError(f"{folder}: cannot be used as a store: {e.strerror or e}") from None

    def close(self) -> None:
        self._lock.close()

    def known(self) -> set[str]:
        """Keys of the audits that are here."""
        return set(self._by_key("key"))

    def tags(self) -> dict[str, str]:
        """Key of an audit -> the team its tag names."""
        return self._by_key("tag")

    def _by_key(self, column: str) -> dict[str, str]:
        pq = arrow().parquet
        found: dict[str, str] = {}
        for path in sorted(self.folder.glob("results/*/audits.parquet")):
            try:
                table = pq.ParquetFile(path).read(sorted({"key", column}))
            except (OSError, ValueError) as e:
                raise InputError(
                    f"{path}: damaged ({type(e).__name__})", f"Remove {path.parent}: its plans are audited again."
                ) from None
            found.update(zip(table.column("key").to_pylist(), table.column(column).to_pylist(), strict=True))
        return found

    def add(self, rows: Rows) -> None:
        """Rows of one audit; written with others when there are enough, or some seconds passed."""
        for name, new in rows.items():
            self._buffer[name] += new
            self._rows += len(new)
        if self._rows >= FLUSH_ROWS or monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """What was added is kept from here on."""
        if self._rows:
            part = uuid4().hex
            tables = {name: _table(AUDIT[name], rows, part) for name, rows in self._buffer.items()}
            self._publish(f"{_TMP}/{part}", f"results/{part}", tables)
            self._buffer = {name: [] for name in AUDIT}
            self._rows = 0
        self._due = monotonic() + FLUSH_SECONDS

    def finish(self, run: str, record: dict[str, Any], plans: Iterable[dict[str, Any]]) -> str:
        """The run and its plans; its name, which has a number where the second is taken."""
        self.flush()
        name, turn = run, 2
        while (self.folder / "runs" / name).exists():
            name, turn = f"{run}-{turn}", turn + 1
        rows = {
            "runs": [[({"run": name} | record)[c.name] for c in RUN["runs"]]],
            "plans": [[({"run": name} | p)[c.name] for c in RUN["plans"]] for p in plans],
        }
        self._publish(f"{_TMP}/{name}", f"runs/{name}", {t: _table(RUN[t], r) for t, r in rows.items()})
        return name

    def _publish(self, tmp: str, final: str, tables: dict[str, Any]) -> None:
        pq = arrow().parquet
        folder = self.folder / tmp
        try:
            folder.mkdir()
            for name, table in tables.items():
                path = folder / f"{name}.parquet"
                pq.write_table(table, path, compression="zstd")
                _sync(path)
            _sync(folder)
            os.rename(folder, self.folder / final)
            _sync((self.folder / final).parent)
        except OSError as e:
            raise AuditorError(f"{self.folder}: cannot be written: {e.strerror or e}") from None


def check_schema(folder: Path) -> None:
    """Raises InputError where the folder holds another version of the tables, or something else."""
    marker = folder / "store.json"
    if not marker.is_file():
        if any(folder.glob("results/*/*.parquet")) or {p.name for p in folder.iterdir()} - {"results", "runs", _TMP, ".lock"}:
            raise InputError(f"{folder}: not a store of auditor sweep, and not empty", "Give an empty or a new folder.")
        return
    try:
        held = json.loads(marker.read_bytes())
        version = held.get("schema") if isinstance(held, dict) else None
    except ValueError:
        version = None
    if version != SCHEMA:
        raise InputError(f"{folder}: tables of version {version}, this auditor reads {SCHEMA}", "Sweep into a new folder.")


def _table(columns: Sequence[Column], rows: list[list[Any]], part: str = "") -> Any:
    pa = arrow()
    types = {"text": pa.string(), "number": pa.int64(), "flag": pa.bool_(), "texts": pa.list_(pa.string())}
    names = [c.name for c in columns]
    by_column: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [pa.array(values, types[c.kind]) for values, c in zip(by_column, columns, strict=True)]
    if part:
        names.append("part")
        arrays.append(pa.array([part] * len(rows), pa.string()))
    return pa.table(arrays, names=names)


def _locked(path: Path, folder: Path) -> IO[bytes]:
    """A file that this process alone holds locked; the lock ends with the process, however that ends."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # Windows has no such lock: there, two sweeps into one store are the user's to avoid
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AuditorError(f"{folder}: another sweep writes to this store", "Wait for it, or give another --store.") from None
    return file


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    _sync(path)


def _sync(path: Path) -> None:
    """Down to the disk: a machine that loses power keeps what was published."""
    if os.name == "nt":  # neither folders nor files open for reading can be synced there
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
