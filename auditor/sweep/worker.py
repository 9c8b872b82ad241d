"""One plan to its rows, through the pipeline of `auditor check`. What every engine calls; no pyarrow, no duckdb, no store.

A worker holds one plan at a time. What is wrong with a plan is a row; only a bug of the interpreter itself ends a worker.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from auditor import __version__
from auditor.baseline import Baseline
from auditor.catalog import Catalog
from auditor.config import Config
from auditor.errors import AuditorError
from auditor.model import Rule
from auditor.overlays import Overlay
from auditor.sweep.sources import Item, SourceError, read, read_companion

COLLECT_EVERY: Final = 16  # plans between two collections of cyclic garbage


@dataclass(frozen=True, slots=True)
class Settings:
    """What all plans of a sweep are held to. Pickled once per worker.

    config: with the manifest of the command line or working directory; own: for plans with a manifest beside them.
    id: hash of everything here that a verdict rests on.
    """

    config: Config
    own: Config
    rules: tuple[Rule, ...]
    every: Mapping[str, Rule]
    as_of: date
    catalog: Path | None
    catalog_digest: str
    id: str
    manifests: bool = True  # look for a manifest beside each plan
    tag: str = ""  # the tag that names a team
    baseline: Baseline | None = None
    sarif: bool = False
    timeout: float = 120.0  # seconds for reading one object
    limit: int = 2_000_000_000  # bytes of one plan
    version: str = __version__


class Result(msgspec.Struct, frozen=True, array_like=True):
    """What a worker hands back. `rows`: the audit's rows, packed by `pack`; empty where nothing was audited."""

    number: int
    status: str
    reason: str = ""
    message: str = ""
    key: str = ""
    size: int = 0
    rows: bytes = b""
    sarif: bytes = b""
    seconds: float = 0.0
    peak: int = 0  # bytes of memory that the worker ever held


Rows = dict[str, list[list[Any]]]  # table -> rows, each in the order of its columns


def unpack(data: bytes) -> Rows:
    return msgspec.msgpack.decode(data, type=dict[str, list[list[Any]]])


def unread(number: int, reason: str, message: str) -> Result:
    return Result(number, "unreadable", reason, message)


class Worker:
    """Lives as long as its process: the catalogue is read once."""

    def __init__(self, settings: Settings, known: frozenset[str] = frozenset()) -> None:
        self.settings = settings
        self.known = known
        catalog = Catalog(settings.catalog)
        # Laid over once, not once a plan.
        self.catalog = catalog.over(settings.config.overlay)
        self.config = msgspec.structs.replace(settings.config, overlay=Overlay())
        self.own = msgspec.structs.replace(settings.own, overlay=Overlay())
        self._done = 0

    def __call__(self, item: Item) -> Result:
        """The rows of one plan, or why there are none."""
        from time import perf_counter

        began = perf_counter()
        was = gc.isenabled()
        gc.disable()
        try:
            result = self._audit(item)
        except SourceError as e:
            result = unread(item.number, e.reason, e.message)
        except AuditorError as e:
            result = unread(item.number, "broken", e.message)
        except MemoryError:
            result = unread(item.number, "too large", "the worker's memory does not hold it")
        except Exception as e:  # a bug met in one plan; its text may hold values of the plan
            result = unread(item.number, "crashed", f"internal error {type(e).__name__}; `auditor check` on it tells where")
        finally:
            self._done += 1
            if self._done % COLLECT_EVERY == 0:
                gc.collect()
            if was:
                gc.enable()
        return msgspec.structs.replace(result, seconds=perf_counter() - began, peak=_peak())

    def _audit(self, item: Item) -> Result:
        s = self.settings
        if item.problem is not None:
            return unread(item.number, *item.problem)
        data = read(item, s.timeout, s.limit)
        lock = read_companion(item, "lock", s.timeout)
        manifest = read_companion(item, "manifest", s.timeout) if s.manifests else b""
        content = hashlib.sha256(data).hexdigest()
        key = _key(s.id, content, item, lock, manifest)
        if key in self.known and (not s.sarif or item.sarif_key == key):
            return Result(item.number, "read", key=key, size=len(data))
        if item.walked and _is_other(data):
            return Result(item.number, "other", size=len(data))
        from auditor.load.lockfile import with_locks
        from auditor.load.plan import load_bytes
        from auditor.pipeline import audit
        from auditor.sweep.rows import rows_of

        path = Path(item.url) if item.local and not item.member else None
        [plan] = with_locks([load_bytes(item.name, data, path, lock, item.lock_name)])
        config = self._config(item, manifest)
        report = audit([plan], config, self.catalog, s.rules, s.every, s.as_of, s.baseline)
        rows = rows_of(report, plan, self.catalog, key, content, s.tag)
        sarif = b""
        if s.sarif:
            from auditor.sweep.sarif import capped

            sarif = capped(report, item.stack)
        return Result(item.number, "read", key=key, size=len(data), rows=msgspec.msgpack.encode(rows), sarif=sarif)

    def _config(self, item: Item, manifest: bytes) -> Config:
        """The run's settings with the manifest that lies beside the plan, if one does."""
        if not manifest:
            return self.config
        from auditor.config import with_manifest

        return with_manifest(self.own, manifest, item.manifest_name) or self.config


def _key(settings: str, content: str, item: Item, lock: bytes, manifest: bytes) -> str:
    """32 hex digits. The lock file's name is printed in evidence, so it belongs to what is known."""
    parts = [settings, content]
    if lock:
        parts += [item.lock_name, hashlib.sha256(lock).hexdigest()]
    if manifest:
        parts += ["manifest", item.manifest_name, hashlib.sha256(manifest).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _is_other(data: bytes) -> bool:
    """Whether a file met in a folder is whole JSON of something else: neither a plan nor a state, raw or not."""
    try:
        value = msgspec.json.decode(data, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    marks = {"format_version", "terraform_version", "resource_changes", "planned_values", "@level"}
    return isinstance(value, list) or not marks & value.keys()


def _peak() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def settings_id(parts: Mapping[str, object]) -> str:
    """Hash of named settings, the same in every process."""
    text = "\n".join(f"{k}={_canonical(v)}" for k, v in sorted({**parts, "version": __version__}.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _canonical(value: object) -> str:
    """A text that is equal for equal values: sets sorted, records field by field."""
    import dataclasses
    import re

    if isinstance(value, re.Pattern):
        return repr(value.pattern)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return type(value).__name__ + _canonical(fields)
    if isinstance(value, msgspec.Struct):
        return type(value).__name__ + _canonical({n: getattr(value, n) for n in value.__struct_fields__})
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{_canonical(k)}:{_canonical(v)}" for k, v in value.items())) + "}"
    if isinstance(value, set | frozenset):
        return "<" + ",".join(sorted(map(_canonical, value))) + ">"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return f"{type(value).__name__}:{value!r}"
