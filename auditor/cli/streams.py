"""The three standard streams, whatever state the caller left them in: closed, full, a pipe without a reader, not UTF-8."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Final

_OUTPUT: Final = {errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO, errno.EFBIG, errno.EDQUOT}


class _Closed(io.TextIOBase):
    """Stands for a stdout that the caller closed: nothing can be written, and that is not a success."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EBADF, "stdout is closed")


def prepare() -> None:
    """Characters that the terminal cannot show are written as escapes; closed streams get a stand-in."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 (as long as the process)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = _Closed()
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def emit(text: str, utf8: bool) -> None:
    """One report to stdout. `utf8`: for programs, which are told UTF-8, whatever the terminal speaks."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    encoding = "utf-8" if utf8 else sys.stdout.encoding or "utf-8"
    rest = memoryview(text.replace("\n", os.linesep if not utf8 else "\n").encode(encoding, "backslashreplace"))
    while rest:  # unbuffered (PYTHONUNBUFFERED), one call may write only a part
        rest = rest[buffer.write(rest) :]
    buffer.flush()


def flush() -> None:
    """Now rather than at the end of the process, where nobody could say that it failed."""
    sys.stdout.flush()


def cannot_write(error: OSError) -> bool:
    """Whether stdout, and no file, is what could not be written."""
    return error.filename is None and error.errno in _OUTPUT


def abandon() -> None:
    """Nothing more goes to stdout: what is buffered would only fail again at the end of the process."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError:  # no descriptor left to replace
        sys.stdout = None
