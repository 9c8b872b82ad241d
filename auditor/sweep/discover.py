"""Finds the plans under what a user names: folders, globs, archives, object stores. Sorted, so that runs are alike.

A name decides whether a file is looked at, its content what it is: JSON that is neither plan nor state is set aside,
and counted. What cannot be listed or opened is an item with a problem, never silence.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from auditor.sweep.sources import (
    COMPANION_LIMIT,
    LOCK,
    MANIFEST,
    Item,
    Reason,
    SourceError,
    beside,
    filesystem,
    is_remote,
    open_zip,
    problem_of,
    shown,
    within,
)

_GLOB: Final = re.compile(r"[*?\[]")
_TAR: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_PLAN: Final = re.compile(r"(?:\.json|\.tfplan|\.tfstate)$|(?:^|/)tfplan$", re.IGNORECASE)
_SOURCE: Final = re.compile(r"(?:\.tf|\.tfvars|\.tofu|\.tftest)\.json$", re.IGNORECASE)
_ENDINGS: Final = re.compile(r"(?:\.tfplan|\.plan|\.tfstate|\.state)?\.json$|\.tfplan$|\.tfstate$", re.IGNORECASE)
_GENERIC: Final = {"plan", "tfplan", "state", "terraform", "tfstate", "show", ""}


@dataclass(slots=True)
class Finder:
    """Numbers the items and keeps their stacks apart.

    team: path:N names a team by the Nth folder of the stack; anything else is left to the worker.
    """

    team: str = "path"
    timeout: float = 120.0
    limit: int = 2_000_000_000
    _stacks: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _next: int = 0

    def find(self, paths: Iterable[str]) -> Iterator[Item]:
        """Every plan under the paths, in order."""
        for path in paths:
            yield from self._remote(path) if is_remote(path) else self._local(path)

    # --- one item

    def _item(
        self, root: str, name: str, url: str, *, member: str = "", walked: bool = False, size: int = -1,
        lock: str = "", manifest: str = "", data: bytes | None = None, lock_data: bytes | None = None,
        manifest_data: bytes | None = None, problem: tuple[Reason, str] | None = None,
    ) -> Item:  # fmt: skip
        said, turn = name, 2
        while said in self._names:  # URLs that differ in what is not shown
            said, turn = f"{name} ({turn})", turn + 1
        self._names.add(said)
        stack = self._stack(root, said)
        number, self._next = self._next, self._next + 1
        return Item(
            number, said, url, stack, team_of(stack, self.team), member, walked, size,
            lock, _neighbour(said, LOCK) if lock else "", manifest, _neighbour(said, MANIFEST) if manifest else "",
            data, lock_data, manifest_data, problem,
        )  # fmt: skip

    def _stack(self, root: str, name: str) -> str:
        below = name[len(root) :] if root and name.startswith(root) else name
        below = below.replace(os.sep, "/").replace("!", "/").lstrip("/")
        folder, _, file = below.rpartition("/")
        stem = _ENDINGS.sub("", file)
        whole = posixpath.join(folder, stem) if stem else folder
        stack = folder if stem.lower() in _GENERIC and folder else whole or name
        for choice in (stack, whole, name):
            if choice and choice not in self._stacks:
                stack = choice
                break
        self._stacks.add(stack)
        return stack

    def _problem(self, root: str, name: str, url: str, e: BaseException) -> Item:
        told = e if isinstance(e, SourceError) else problem_of(e, name)
        return self._item(root, name, url, problem=(told.reason, told.message))

    # --- this machine

    def _local(self, path: str) -> Iterator[Item]:
        if not os.path.lexists(path) and _GLOB.search(path):
            root = path[: _GLOB.search(path).start()].rpartition("/")[0]  # type: ignore[union-attr] # searched above
            found = sorted(glob.glob(path, recursive=True))
            if not found:
                yield self._item(root, path, path, problem=("missing", f"{path}: matches nothing"))
            for match in found:
                if os.path.isdir(match):
                    yield from self._folder(root, match)
                else:
                    yield from self._file(root, match, None, walked=False)
        elif os.path.isdir(path):
            yield from self._folder(path.rstrip("/") or path, path)
        else:
            yield from self._file(path if _archive(path) else os.path.dirname(path), path, None, walked=False)

    def _folder(self, root: str, top: str) -> Iterator[Item]:
        failed: list[OSError] = []
        for folder, folders, files in os.walk(top, onerror=failed.append):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            here = set(files)
            for name in sorted(files):
                if _wanted(name) or _archive(name):
                    yield from self._file(root, os.path.join(folder, name), here, walked=True)
            while failed:
                e = failed.pop()
                yield self._problem(root, str(e.filename), str(e.filename), e)

    def _file(self, root: str, path: str, siblings: set[str] | None, *, walked: bool) -> Iterator[Item]:
        folder, name = os.path.split(path)
        if walked and siblings is not None and _is_pair(name, siblings):
            return
        if _archive(name) and not _binary_plan(path):
            yield from self._archive(root, path, path)
            return

        def companion(file: str) -> str:
            there = file in siblings if siblings is not None else os.path.exists(os.path.join(folder, file))
            return os.path.join(folder, file) if there else ""

        yield self._item(root, path, path, walked=walked, lock=companion(LOCK), manifest=companion(MANIFEST))

    # --- archives

    def _archive(self, root: str, name: str, url: str) -> Iterator[Item]:
        try:
            if name.lower().endswith(".zip"):
                yield from self._zip(root, name, url)
            else:
                yield from self._tar(root, name, url)
        except (tarfile.TarError, EOFError) as e:
            told: tuple[Reason, str] = ("broken", f"{name}: the archive is damaged or cut off ({type(e).__name__})")
            yield self._item(root, name, url, problem=told)
        except Exception as e:  # whatever a store client or an archive raises is told by name
            yield self._problem(root, name, url, e)

    def _zip(self, root: str, name: str, url: str) -> Iterator[Item]:
        entries = {e.filename: e for e in within(self.timeout, lambda: open_zip(url).infolist()) if not e.is_dir()}
        for path in sorted(entries):
            if _wanted(path):
                lock, manifest = beside(path, LOCK), beside(path, MANIFEST)
                yield self._item(
                    root, f"{name}!{path}", url, member=path, walked=True, size=entries[path].file_size,
                    lock=lock if lock in entries else "", manifest=manifest if manifest in entries else "",
                )  # fmt: skip

    def _tar(self, root: str, name: str, url: str) -> Iterator[Item]:
        """Members in the archive's own order, each read as it comes by: a compressed tar has no other way."""
        companions: dict[str, bytes] = {}
        with tarfile.open(fileobj=_opened(url), mode="r:*") as listing:
            for m in listing:
                path = m.name.removeprefix("./")
                small = m.isfile() and m.size <= COMPANION_LIMIT
                if small and posixpath.basename(path) in (LOCK, MANIFEST) and (f := listing.extractfile(m)) is not None:
                    companions[path] = f.read()
        with tarfile.open(fileobj=_opened(url), mode="r|*") as stream:
            for m in stream:
                path = m.name.removeprefix("./")
                if not m.isfile() or not _wanted(path):
                    continue
                if m.size > self.limit:
                    yield self._item(root, f"{name}!{path}", url, problem=("too large", f"{name}!{path}: {m.size} bytes"))
                    continue
                f = stream.extractfile(m)
                data = f.read() if f is not None else b""
                lock, manifest = companions.get(beside(path, LOCK)), companions.get(beside(path, MANIFEST))
                yield self._item(
                    root, f"{name}!{path}", url, member=path, walked=True, size=m.size, data=data, lock_data=lock,
                    manifest_data=manifest, lock=LOCK if lock else "", manifest=MANIFEST if manifest else "",
                )  # fmt: skip

    # --- object stores

    def _remote(self, url: str) -> Iterator[Item]:
        name = shown(url)
        try:
            fs, path = filesystem(url)
            listing = within(self.timeout, lambda: _list(fs, path, url))
        except TimeoutError:
            yield self._item("", name, url, problem=("slow", f"{name}: not listed within {self.timeout:g} s"))
            return
        except Exception as e:  # whatever a store client raises is told by name
            yield self._problem("", name, url, e)
            return
        if listing is None:
            if _archive(name):
                yield from self._archive(name, name, url)
            else:
                yield self._item(posixpath.dirname(name), name, url)
            return
        root = name[: _GLOB.search(name).start()].rpartition("/")[0] if _GLOB.search(name) else name.rstrip("/")  # type: ignore[union-attr]
        if not listing:
            yield self._item(root, name, url, problem=("missing", f"{name}: holds no plan"))
        for key in sorted(listing):
            full = key if is_remote(key) else fs.unstrip_protocol(key)
            if _archive(key):
                yield from self._archive(root, shown(full), full)
            elif _wanted(key):
                lock, manifest = beside(key, LOCK), beside(key, MANIFEST)
                yield self._item(
                    root, shown(full), full, walked=True, size=listing[key],
                    lock=beside(full, LOCK) if lock in listing else "",
                    manifest=beside(full, MANIFEST) if manifest in listing else "",
                )  # fmt: skip


def _list(fs: Any, path: str, url: str) -> dict[str, int] | None:
    """Files under a path or pattern with their sizes (-1: not told); None where it is one object."""
    last = posixpath.basename(path.partition("?")[0])
    if _GLOB.search(path.partition("?")[0]):
        found = fs.glob(path, detail=True)
    elif _wanted(last) or _archive(last) or "?" in url:
        return None
    else:
        found = fs.find(path, detail=True)
        if not found:
            fs.ls(path)  # an empty answer may be a missing or denied bucket: this one tells
    return {k: _size(v) for k, v in found.items() if v.get("type", "file") == "file"}


def _size(info: dict[str, Any]) -> int:
    size = info.get("size")
    return size if isinstance(size, int) else -1


def _opened(url: str) -> Any:
    if not is_remote(url):
        return open(url, "rb")  # closed by the collector, as what fsspec opens is
    fs, path = filesystem(url)
    return fs.open(path, "rb")


def _wanted(path: str) -> bool:
    """Whether a file found by listing may be a plan or a state."""
    parts = path.split("/")
    hidden = any(p.startswith(".") and p not in (".", "..") for p in parts)
    return bool(_PLAN.search(path)) and not _SOURCE.search(path) and not hidden


def _archive(name: str) -> bool:
    return name.lower().endswith((".zip", *_TAR))


def _binary_plan(path: str) -> bool:
    """Whether a zip is a binary plan, whatever its name."""
    if not path.lower().endswith(".zip"):
        return False
    try:
        with zipfile.ZipFile(path) as z:
            return {"tfplan", "tfstate"} <= set(z.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _is_pair(name: str, siblings: set[str]) -> bool:
    """Whether a binary plan met in a folder has its JSON form beside it: that one is read, and stands for both."""
    binary = not name.lower().endswith((".json", ".tfstate"))
    return binary and bool({"plan.json", "tfplan.json", f"{name}.json", f"{name.removesuffix('.tfplan')}.json"} & siblings)


def _neighbour(name: str, file: str) -> str:
    """How reports call a file beside a plan."""
    if "!" in name:
        archive, _, member = name.partition("!")
        return f"{archive}!{beside(member, file)}"
    return str(Path(name).parent / file) if not is_remote(name) else beside(name, file)


def team_of(stack: str, team: str) -> str:
    """`path:N` (or `path`, its first): the Nth folder of the stack; the whole stack where it has no folder."""
    kind, _, which = team.partition(":")
    if kind != "path":
        return ""
    parts = stack.split("/")
    n = int(which) if which else 1
    return parts[n - 1] if n <= len(parts) else parts[-1]
