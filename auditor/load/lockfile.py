"""Reads `.terraform.lock.hcl`: exactly what `terraform init` (or `tofu init`) writes, from any registry host.

The file is a list of `provider "ADDRESS" {}` blocks of constant attributes. It is read token by token, so that a brace or
a comment inside a string misleads nobody; a file that is not of that shape is an InputError, never an empty lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from auditor.errors import InputError
from auditor.facts import provider_source
from auditor.files import read_bytes
from auditor.model import Lock, LockFile, Plan
from auditor.versions import parse_version

NAME: Final = ".terraform.lock.hcl"
_LIMIT: Final = 16_000_000  # bytes; the largest lock files are some hundred kilobytes
_HINT: Final = "It is written by `terraform init`; give another with --lock."
_MERGE_HINT: Final = "Take one side, then run `terraform init` (with -upgrade if its versions do not fit)."
_CONFLICT: Final = re.compile(r"<{7}(?: |$)|>{7}(?: |$)|={7}\r?$|\|{7}(?: |$)")
_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r\ufeff]+)|(?P<line>\n)|(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
    |"(?P<text>(?:[^"\\\n]|\\.)*)"|(?P<word>[A-Za-z_][\w-]*)|(?P<mark>[{}\[\]=,])""",
    re.VERBOSE | re.DOTALL,
)
Token = tuple[str, str, int]  # kind, text, line


def parse_lock(text: str, path: str) -> LockFile:
    """The providers of a lock file, keyed by lower-case `namespace/name`. Raises InputError with file and line."""
    for line, row in enumerate(text.split("\n"), 1):
        if _CONFLICT.match(row):
            raise InputError(f"{path}:{line}: conflict markers of a merge stand in the lock file", _MERGE_HINT)
    tokens = _tokens(text, path)
    found: dict[str, Lock] = {}
    elsewhere: list[Lock] = []
    i = 0
    while i < len(tokens):
        kind, word, line = tokens[i]
        if kind != "word" or i + 2 >= len(tokens) or tokens[i + 1][0] != "text" or tokens[i + 2][1] != "{":
            raise InputError(f"{path}:{line}: not a dependency lock file: a provider block was expected", _HINT)
        label = tokens[i + 1][1]
        values, i = _body(tokens, i + 3, path, line)
        if word != "provider":
            continue  # later versions of the format may lock other things
        parts = label.lower().split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise InputError(f'{path}:{line}: "{label}" is no provider address', _HINT)
        version = values.get("version", "")
        if parse_version(version) is None:
            raise InputError(f'{path}:{line}: provider "{label}" has no version', _HINT)
        source = provider_source(label)
        lock = Lock(source, version, values.get("constraints", ""), line, "/".join(parts[:-2]))
        for other in (found.get(source), *(e for e in elsewhere if e.source == source)):
            if other is not None and other.host == lock.host:
                raise InputError(f'{path}:{line}: provider "{label}" is locked twice, first in line {other.line}', _HINT)
        if source in found:
            elsewhere.append(found[source])
        found[source] = lock
    return LockFile(path, found, tuple(elsewhere))


def _tokens(text: str, path: str) -> list[Token]:
    found: list[Token] = []
    line = 1
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InputError(f"{path}:{line}: not a dependency lock file", _HINT)
        kind = match.lastgroup or ""
        if kind in ("text", "word", "mark"):
            found.append((kind, match.group(kind), line))
        line += match.group().count("\n")
        at = match.end()
    return found


def _body(tokens: list[Token], i: int, path: str, opened: int) -> tuple[dict[str, str], int]:
    """The text attributes of a block whose brace is open, and the index after its end."""
    values: dict[str, str] = {}
    while i < len(tokens):
        kind, word, line = tokens[i]
        if word == "}" and kind == "mark":
            return values, i + 1
        if kind != "word" or i + 2 >= len(tokens) or tokens[i + 1][1] != "=":
            raise InputError(f"{path}:{line}: not a dependency lock file: an attribute was expected", _HINT)
        kind, value, _ = tokens[i + 2]
        i += 3
        if kind == "text":
            values[word] = value
        elif value == "[":
            while i < len(tokens) and not (tokens[i][0] == "mark" and tokens[i][1] == "]"):
                i += 1
            i += 1
        elif kind != "word":
            raise InputError(f"{path}:{line}: the value of {word} cannot be read", _HINT)
    raise InputError(f"{path}:{opened}: the block that begins here does not end: the file is cut off", _HINT)


def read_lock(path: Path, shown: str = "") -> LockFile:
    """A lock file from disk. Raises InputError when it cannot be read or is none."""
    name = shown or str(path)
    try:
        if path.stat().st_size > _LIMIT:
            raise InputError(f"{name}: too large for a lock file", _HINT)
        data = read_bytes(path)
    except OSError as e:
        raise InputError(f"{name}: cannot be read: {e.strerror or e}", _HINT) from e
    return decode_lock(data, name)


def decode_lock(data: bytes, name: str) -> LockFile:
    """The lock file that bytes hold. Raises InputError where they hold none."""
    try:
        return parse_lock(data.decode("utf-8-sig"), name)
    except UnicodeDecodeError as e:
        raise InputError(f"{name}: not UTF-8 at byte {e.start}", _HINT) from e


def lock_of_archive(path: Path) -> LockFile | None:
    """The lock file inside a binary plan (a zip); None where it holds none."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            if NAME not in archive.namelist() or archive.getinfo(NAME).file_size > _LIMIT:
                return None
            return decode_lock(archive.read(NAME), f"{path} ({NAME})")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        return None


def with_locks(plans: Iterable[Plan], given: Path | None = None) -> list[Plan]:
    """The plans with the lock file that was given, else the one of their source where none stood beside them."""
    lock = read_lock(given) if given is not None else None
    made = []
    for plan in plans:
        found = lock or plan.lock
        if found is None and plan.source is not None and plan.source.lock is not None:
            found = decode_lock(plan.source.lock, plan.source.lock_path or NAME)
        made.append(plan if found is plan.lock else replace(plan, lock=found))
    return made


def _is_archive(path: Path) -> bool:
    try:
        with path.open("rb") as f:
            return f.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def find_lock(plan: Path | None, folders: Iterable[Path] = ()) -> LockFile | None:
    """The lock file that belongs to a plan: inside it, beside it, or in one of `folders`; None where there is none.

    plan: None for standard input: then the working directory is "beside".
    """
    if plan is not None and plan.is_file() and _is_archive(plan) and (held := lock_of_archive(plan)) is not None:
        return held
    beside = plan.parent if plan is not None else Path()
    for folder in (beside, *folders):
        if (folder / NAME).exists() or (folder / NAME).is_symlink():
            return read_lock(folder / NAME)
    return None
