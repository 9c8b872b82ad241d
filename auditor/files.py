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
    fd = os.open(path, _FLAGS)  # non-blocking: opening a pipe without a writer returns at once
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


def leaves(path: Path, root: Path) -> bool:
    """Whether a file, its links followed, lies outside the repository that holds `root` (outside `root` where none does)."""
    try:
        top, target = root.resolve(), path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return True
    within = next((p for p in (top, *top.parents) if (p / ".git").exists()), top)
    return not target.is_relative_to(within)
