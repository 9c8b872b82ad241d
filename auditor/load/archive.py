"""The binary plan: a zip with the source of every module (`tfconfig/`) and the lock file.

Read in memory, inside bounds. It holds state and every value of the plan, too: nothing of it is written out or logged,
and only configuration, lock file and the name of the workspace are ever taken from it.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from auditor.errors import InputError
from auditor.files import read_bytes
from auditor.load.hcl.folders import LOCK, Disk, is_source, read_manifest

MAX_ENTRIES: Final = 50_000
MAX_FILE: Final = 16_000_000  # bytes, unpacked
MAX_TOTAL: Final = 256_000_000
# Of Terraform's planfile.proto: Plan.backend, and Backend.workspace.
_BACKEND: Final = 13
_WORKSPACE: Final = 3
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
_MODULE: Final = re.compile(r"tfconfig/m-([^/]*)/(.+)")


class Archive:
    """The folders of a binary plan. `beside` is where its root module lies on disk, if that is known."""

    def __init__(self, name: str, data: bytes, beside: Path | None = None, shown: str = "") -> None:
        self.name = name
        self._data = data
        self._files: dict[str, dict[str, bytes]] = {}
        self._others: dict[tuple[str, str], bytes] = {}
        self.lock: bytes | None = None
        self.manifest: Mapping[str, str] = {}
        self._read(data)
        # Names of files in reports: where the same files lie on disk, else relative to the root module.
        self._disk = Disk(beside, shown) if beside is not None and self._same(beside) else None

    def _read(self, data: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as z:
                self._unpack(z)
        except _BROKEN as e:
            raise InputError(f"{self.name}: not a binary plan, or cut off", "Run: terraform plan -out tfplan") from e

    def _unpack(self, z: zipfile.ZipFile) -> None:
        entries = z.infolist()
        if len(entries) > MAX_ENTRIES:
            raise InputError(f"{self.name}: {len(entries)} entries are too many for a binary plan")
        total = 0
        keys: dict[str, dict[str, bytes]] = {}
        for entry in entries:
            wanted = entry.filename in ("tfconfig/modules.json", LOCK) or (
                entry.filename.startswith("tfconfig/m-") and not entry.is_dir()
            )
            if not wanted:
                continue
            parts = entry.filename.split("/")
            if ".." in parts or entry.filename.startswith("/") or "\\" in entry.filename or "\0" in entry.filename:
                raise InputError(f"{self.name}: an entry of the binary plan leaves its folder")
            with z.open(entry) as f:
                content = f.read(MAX_FILE + 1)
            total += len(content)
            if len(content) > MAX_FILE or total > MAX_TOTAL:
                raise InputError(f"{self.name}: the configuration in the binary plan unpacks to more than is sensible")
            if entry.filename == LOCK:
                self.lock = content
            elif entry.filename == "tfconfig/modules.json":
                self.manifest = read_manifest(content, f"{self.name}: modules.json")
            elif m := _MODULE.fullmatch(entry.filename):
                keys.setdefault(m.group(1), {})[m.group(2)] = content
        for key, files in keys.items():
            folder = self.manifest.get(key, key)
            for path, content in files.items():
                if "/" not in path and is_source(path):
                    self._files.setdefault(folder, {})[path] = content
                else:
                    self._others[(folder, path)] = content

    def _same(self, beside: Path) -> bool:
        """Whether the root module's files lie in a folder, byte for byte."""
        files = self._files.get("", {})
        try:
            return bool(files) and all(read_bytes(beside / n) == d for n, d in files.items())
        except OSError:
            return False

    @property
    def beside(self) -> Path | None:
        return self._disk.root if self._disk is not None else None

    @cached_property
    def workspace(self) -> str:
        """The workspace the plan was made in; "" where the plan does not say."""
        try:
            with zipfile.ZipFile(io.BytesIO(self._data)) as z, z.open("tfplan") as f:
                return _field(_field(f.read(MAX_TOTAL), _BACKEND), _WORKSPACE).decode()
        except (*_BROKEN, LookupError):
            return ""

    def files(self, folder: str) -> Mapping[str, bytes] | None:
        return self._files.get(folder)

    def module(self, key: str) -> str | None:
        return self.manifest.get(key)

    def shown(self, folder: str, name: str) -> str:
        if self._disk is not None:
            return self._disk.shown(folder, name)
        return posixpath.normpath(posixpath.join(folder, name)) if folder or name else "."

    def below(self, folder: str) -> list[str] | None:
        return None

    def extra(self, folder: str, name: str) -> bytes | None:
        return self._others.get((folder, name))


def _field(message: bytes, wanted: int) -> bytes:
    """The first length-delimited field of that number in a protocol buffer. Raises ValueError or IndexError for other bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 2:
            size, at = _varint(message, at)
            if tag >> 3 == wanted:
                return message[at : at + size]
            at += size
        elif kind == 0:
            _, at = _varint(message, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError("not a protocol buffer")
    return b""


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
    raise ValueError("not a protocol buffer")
