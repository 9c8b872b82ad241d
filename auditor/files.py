"""Reads the files that a user or a repository hands over: regular files, and pipes the shell opened for us.

A named pipe would block for ever, a device never ends, a link may lead out of the repository under audit.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

_OPENED: Final = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")  # `<(terraform show -json tfplan)`
_MAX: Final = 4_000_000_000  # bytes; larger than any plan, smaller than an endless pipe
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read_bytes(path: Path, limit: int = _MAX) -> bytes:
    """The content. Raises OSError for anything that cannot be read whole: missing, too large, a device, a named pipe."""
    try:
        fd = os.open(path, _FLAGS)  # non-blocking: opening a pipe without a writer returns at once
    except ValueError:  # a NUL in it
        raise OSError(errno.EINVAL, "no name of a file", str(path)) from None
    with os.fdopen(fd, "rb") as f:
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if stat.S_ISFIFO(mode) and str(path).startswith(_OPENED):
            os.set_blocking(fd, True)
        elif not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file (a device or a named pipe)", str(path))
        elif os.fstat(fd).st_size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
        if stat.S_ISREG(mode):
            return f.read()
        data = bytearray()  # piece by piece: asking for the limit at once would take that much memory
        while len(data) <= limit and (piece := f.read(1 << 20)):
            data += piece
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
    return bytes(data)


def write_text(path: Path, text: str) -> None:
    """The file whole, or as it was: a full disk must not cost the user what stood there. Raises OSError."""
    target = Path(os.path.realpath(path))  # a link stays one
    if target.is_symlink() or (target.exists() and not target.is_file()):  # a link still: links in a circle
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with fresh.open("x", encoding="utf-8", newline="") as f:
            f.write(text)
        if target.exists():
            fresh.chmod(stat.S_IMODE(target.stat().st_mode))
        fresh.replace(target)
    except OSError as e:
        fresh.unlink(missing_ok=True)
        if e.errno not in (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS):
            raise
        with target.open("w", encoding="utf-8", newline="") as f:  # a file of our own in a folder that is not, or a mount
            f.write(text)


def leaves(path: Path, root: Path) -> bool:
    """Whether a file, its links followed, lies outside the repository that holds `root` (outside `root` where none does)."""
    try:
        top, target = root.resolve(), path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return True
    within = next((p for p in (top, *top.parents) if (p / ".git").exists()), top)
    return not target.is_relative_to(within)
