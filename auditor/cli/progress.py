"""A bar on stderr while several inputs are worked through: for a person at a terminal, never in CI or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from time import monotonic
from typing import Final, TypeVar

T = TypeVar("T")
PATIENCE: Final = 0.5  # seconds without a bar: short runs show none
STEP: Final = 0.1  # seconds between two drawings
WIDTH: Final = 24


def track(items: Sequence[T], label: str, quiet: bool = False) -> Generator[T, None, None]:
    """Yields `items` and draws how many are done; the bar is wiped at the end, and when the generator is closed."""
    out = sys.stderr
    if quiet or len(items) < 2 or not out.isatty() or os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        yield from items
        return
    drawn = False
    due = monotonic() + PATIENCE
    try:
        for done, item in enumerate(items):
            if monotonic() >= due:
                full = WIDTH * done // len(items)
                out.write(f"\r{label} [{'#' * full}{'.' * (WIDTH - full)}] {done}/{len(items)}")
                out.flush()
                drawn, due = True, monotonic() + STEP
            yield item
    finally:
        if drawn:
            out.write("\r\x1b[K")
            out.flush()
