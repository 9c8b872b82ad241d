"""Folders of Terraform source on disk: read inside bounds, never written to."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from auditor.errors import InputError
from auditor.files import leaves, read_bytes

SUFFIXES: Final = (".tf", ".tofu", ".tf.json", ".tofu.json")
MAX_FILES: Final = 5_000  # of one folder
MAX_BELOW: Final = 20_000  # files below one folder
LOCK: Final = ".terraform.lock.hcl"


class Folders(Protocol):
    """Where modules come from. Folders are named as Terraform names them: relative to the root module, with `/`."""

    def files(self, folder: str) -> Mapping[str, bytes] | None:
        """Terraform files of a folder by base name; None where there is no such folder."""

    def module(self, key: str) -> str | None:
        """The folder of a module by its key (`a.b`), where the installed modules are recorded."""

    def shown(self, folder: str, name: str) -> str:
        """The path that reports print."""

    def extra(self, folder: str, name: str) -> bytes | None:
        """Another file below the root (variables, a template); None where there is none or it lies outside."""

    def below(self, folder: str) -> list[str] | None:
        """Every file below a folder, by its path from there; None where that cannot be told."""


def is_source(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.startswith((".", "#")) and not name.endswith("~")


class Disk:
    """A root module on disk with what `terraform init` left under `.terraform/modules`."""

    def __init__(self, root: Path, shown: str) -> None:
        self.root = root
        self.prefix = "" if shown in ("", ".") else shown.rstrip("/").replace(os.sep, "/")
        self._modules: Mapping[str, str] | None = None
        self._links: dict[str, bool] = {}

    def files(self, folder: str) -> Mapping[str, bytes] | None:
        path = self.root / folder
        try:
            names = sorted(n for n in os.listdir(path) if is_source(n))
        except (OSError, ValueError):  # ValueError: no name of a folder, as with a NUL in it
            return None
        if len(names) > MAX_FILES:
            raise InputError(f"{self.shown(folder, '')}: {len(names)} Terraform files are too many for one module")
        found: dict[str, bytes] = {}
        for name in names:
            try:
                self._stay(folder, name)
                found[name] = read_bytes(path / name)
            except IsADirectoryError:
                continue
            except OSError as e:
                raise InputError(f"{self.shown(folder, name)}: cannot be read: {e.strerror or e}") from e
        return found

    def module(self, key: str) -> str | None:
        if self._modules is None:
            data = self.extra(".terraform/modules", "modules.json")
            self._modules = read_manifest(data, self.shown(".terraform/modules", "modules.json")) if data else {}
        return self._modules.get(key)

    def shown(self, folder: str, name: str) -> str:
        path = posixpath.normpath(posixpath.join(self.prefix, folder, name)) if folder or name else self.prefix
        return path or "."

    def extra(self, folder: str, name: str) -> bytes | None:
        path = self.root / folder / name
        self._stay(folder, name)
        try:
            if not path.is_symlink() and not path.resolve().is_relative_to(self.root.resolve()):
                return None
            return read_bytes(path) if path.exists() and not path.is_dir() else None
        except ValueError:  # no name of a file, as with a NUL in it
            return None
        except OSError as e:
            raise InputError(f"{self.shown(folder, name)}: cannot be read: {e.strerror or e}") from e

    def _stay(self, folder: str, name: str) -> None:
        """The words of a file elsewhere must not come into errors and reports."""
        path = self.root / folder / name
        if self._linked(folder, path) and leaves(path, self.root):
            raise InputError(
                f"{self.shown(folder, name)}: a link that leaves the repository is not followed",
                "Put a copy of the file there.",
            )

    def _linked(self, folder: str, path: Path) -> bool:
        """Whether the file, or a folder on the way to it, is a link."""
        held = self._links.get(folder)
        if held is None:
            try:
                here = os.path.normpath(os.path.join(os.path.realpath(self.root), folder))
                held = os.path.realpath(here) != here
            except (OSError, ValueError):
                held = False
            self._links[folder] = held
        return held or path.is_symlink()

    def below(self, folder: str) -> list[str] | None:
        top = self.root / folder
        if not top.is_dir() or not top.resolve().is_relative_to(self.root.resolve()):
            return None
        found: list[str] = []
        for at, folders, names in os.walk(top):
            if any(os.path.islink(os.path.join(at, n)) for n in (*folders, *names)) or len(found) > MAX_BELOW:
                return None
            found += [os.path.relpath(os.path.join(at, n), top).replace(os.sep, "/") for n in names]
        return found

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(self.root / folder))
        except OSError:
            return []


def read_manifest(data: bytes, shown: str) -> Mapping[str, str]:
    """Module key -> folder, from `modules.json` of `.terraform/modules` or of a binary plan."""
    try:
        import json  # where there is a manifest

        document: Any = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise InputError(f"{shown}: broken JSON", "Run terraform init again.") from e
    entries = document.get("Modules") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise InputError(f"{shown}: not a list of modules", "Run terraform init again.")
    found: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("Key"), str) and isinstance(entry.get("Dir"), str):
            folder = posixpath.normpath(entry["Dir"].replace("\\", "/"))
            found[entry["Key"]] = "" if folder == "." else folder
    return found
