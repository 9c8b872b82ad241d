"""One plan as the sweep knows it, and how its bytes are read: from disk, an archive, or an object store through fsspec.

Credentials are the store client's own affair. No text of a client's exception is ever repeated: it may hold a signed URL.
"""

from __future__ import annotations

import errno
import posixpath
import re
import threading
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from auditor.errors import AuditorError
from auditor.files import read_bytes

T = TypeVar("T")
Reason = Literal["missing", "denied", "slow", "truncated", "too large", "broken", "crashed", "unavailable"]
LOCK: Final = ".terraform.lock.hcl"
MANIFEST: Final = "workload.yaml"
COMPANION_LIMIT: Final = 16_000_000  # bytes of a lock file or manifest
_DENIED: Final = ("NoCredentialsError", "ClientAuthenticationError")
CHUNK: Final = 1 << 20
INSTALL: Final = "pip install 'terraform-plan-auditor[sweep]'"
_REMOTE: Final = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class SourceError(AuditorError):
    """An object that cannot be read: why, in one word and in one sentence."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type[SourceError], tuple[Reason, str]]:
        return (SourceError, (self.reason, self.message))


class Item(msgspec.Struct, frozen=True):
    """One plan to audit.

    name: what reports call it, without credentials and query. url: what is opened. member: its path inside an archive.
    root: the swept path it was found under. walked: found by listing, not named by the user.
    size: bytes, where a listing told (-1: not told). data, lock_data, manifest_data: the bytes, where they are sent along.
    problem: why there is nothing to audit (reason, message), found while listing.
    sarif_key: what its SARIF file was made of, "" where there is none.
    """

    number: int
    name: str
    url: str
    stack: str
    team: str = ""
    member: str = ""
    walked: bool = False
    size: int = -1
    lock_url: str = ""
    lock_name: str = ""
    manifest_url: str = ""
    manifest_name: str = ""
    data: bytes | None = None
    lock_data: bytes | None = None
    manifest_data: bytes | None = None
    problem: tuple[Reason, str] | None = None
    sarif_key: str = ""

    @property
    def local(self) -> bool:
        return not is_remote(self.url)


def is_remote(url: str) -> bool:
    return bool(_REMOTE.match(url))


def shown(url: str) -> str:
    """A URL without user, password, query and fragment; a path as it is."""
    if not is_remote(url):
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def read(item: Item, timeout: float, limit: int) -> bytes:
    """The plan's bytes. Raises SourceError."""
    if item.data is not None:
        return item.data
    if item.member:
        return _guarded(item, timeout, lambda: _member(item.url, item.member, limit))
    if item.local:
        return _guarded(item, 0, lambda: read_bytes(Path(item.url), limit))
    return _guarded(item, timeout, lambda: _object(item.url, limit, item.size))


def read_companion(item: Item, which: Literal["lock", "manifest"], timeout: float) -> bytes:
    """The lock file or manifest that lies beside the plan; b"" where none does. Raises SourceError."""
    data, url = (item.lock_data, item.lock_url) if which == "lock" else (item.manifest_data, item.manifest_url)
    if data is not None or not url:
        return data or b""
    if item.member:
        return _guarded(item, timeout, lambda: _member(item.url, url, COMPANION_LIMIT))
    if item.local:
        return _guarded(item, 0, lambda: read_bytes(Path(url), COMPANION_LIMIT))
    return _guarded(item, timeout, lambda: _object(url, COMPANION_LIMIT, -1))


def with_bytes(item: Item, timeout: float, limit: int) -> Item:
    """The item with its bytes sent along, for workers that do not see this machine's disk. What cannot be read is its problem."""
    if item.problem is not None or not item.local or item.data is not None:
        return item
    try:
        return msgspec.structs.replace(
            item, data=read(item, timeout, limit), lock_data=read_companion(item, "lock", timeout),
            manifest_data=read_companion(item, "manifest", timeout),
        )  # fmt: skip
    except SourceError as e:
        return msgspec.structs.replace(item, problem=(e.reason, e.message))


# --- one object -------------------------------------------------------------------------------------


def _guarded(item: Item, timeout: float, get: Callable[[], T]) -> T:
    """`get()` with every failure in words of our own, and no longer than `timeout` seconds (0: as long as it takes)."""
    try:
        return within(timeout, get) if timeout else get()
    except SourceError:
        raise
    except TimeoutError:
        raise SourceError("slow", f"{item.name}: not read within {timeout:g} s") from None
    except Exception as e:  # whatever a store client raises: the plan is unread, and listed with the reason
        raise problem_of(e, item.name) from None


def problem_of(e: BaseException, name: str) -> SourceError:
    """An exception of the file system or a store client, without its text."""
    status = _status(e)
    if isinstance(e, ImportError):
        return SourceError("unavailable", f"{name}: the client of this store is not installed ({package_of(name)})")
    if isinstance(e, PermissionError) or status in (401, 403) or type(e).__name__ in _DENIED:
        return SourceError("denied", f"{name}: access denied")
    if isinstance(e, FileNotFoundError) or status == 404:
        return SourceError("missing", f"{name}: missing")
    if isinstance(e, TimeoutError) or "Timeout" in type(e).__name__:
        return SourceError("slow", f"{name}: the store does not answer in time")
    if isinstance(e, EOFError) or type(e).__name__ in ("ClientPayloadError", "IncompleteReadError", "IncompleteRead"):
        return SourceError("truncated", f"{name}: cut off while it was read")
    if isinstance(e, zipfile.BadZipFile | zlib.error | NotImplementedError | RuntimeError) and not status:
        return SourceError("broken", f"{name}: the archive is damaged, encrypted or of an unknown kind")
    if isinstance(e, OSError) and e.errno == errno.EFBIG:
        return SourceError("too large", f"{name}: larger than a plan may be")
    if isinstance(e, KeyError):
        return SourceError("missing", f"{name}: missing in the archive")
    what = f"HTTP status {status}" if status else type(e).__name__
    return SourceError("unavailable", f"{name}: cannot be read ({what})")


def _status(e: BaseException) -> int:
    """The HTTP status that a client's exception (or one it came from) tells, 0 where none does."""
    at: BaseException | None = e
    while at is not None:
        status = getattr(at, "status", None)
        response = getattr(at, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if isinstance(status, int) and 400 <= status < 600:
            return status
        at = at.__cause__ or at.__context__
    return 0


def package_of(url: str) -> str:
    """What to install for a URL's store."""
    scheme = url.partition("://")[0].lower()
    extra = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}.get(scheme)
    extra = extra or ("http" if scheme.startswith("http") else "sweep")
    return INSTALL if extra == "sweep" else f"pip install 'terraform-plan-auditor[sweep,{extra}]'"


def within(timeout: float, get: Callable[[], T]) -> T:
    """`get()` in a thread that is given up after `timeout` seconds. Raises TimeoutError."""
    kept: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            kept.append(get())
        except BaseException as e:  # handed to the thread that waits
            failed.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    if failed:
        raise failed[0]
    if not kept:
        raise TimeoutError
    return kept[0]


def filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL and the path in it."""
    try:
        import fsspec
    except ImportError:
        raise AuditorError("fsspec is not installed", INSTALL) from None
    fs, path = fsspec.core.url_to_fs(url)
    return fs, path


def _object(url: str, limit: int, size: int) -> bytes:
    fs, path = filesystem(url)
    if size > limit:
        raise OSError(errno.EFBIG, "larger than the limit")
    with fs.open(path, "rb") as f:
        told = getattr(f, "size", None)
        data = _bounded(f, limit)
    expected = told if isinstance(told, int) else size
    if 0 <= len(data) < expected:
        raise EOFError
    return data


def _bounded(f: IO[bytes], limit: int) -> bytes:
    data = bytearray()
    while piece := f.read(CHUNK):
        data += piece
        if len(data) > limit:
            raise OSError(errno.EFBIG, "larger than the limit")
    return bytes(data)


# --- archives ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def open_zip(url: str) -> zipfile.ZipFile:
    """An archive kept open while its members are read one after the other."""
    if not is_remote(url):
        return zipfile.ZipFile(url)
    fs, path = filesystem(url)
    return zipfile.ZipFile(fs.open(path, "rb"))


def _member(url: str, member: str, limit: int) -> bytes:
    archive = open_zip(url)
    if archive.getinfo(member).file_size > limit:
        raise OSError(errno.EFBIG, "larger than the limit")
    with archive.open(member) as f:
        return _bounded(f, limit)


def beside(path: str, name: str) -> str:
    """The path of another file of the same folder."""
    return posixpath.join(posixpath.dirname(path), name)
