"""The declared workload, read with exact numbers: `number("monthly_usd.hub")` is the decimal that was written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from auditor.economics import Saving, exact


class Declared:
    """A manifest that was validated against its schema. Paths are dotted; None: not declared."""

    __slots__ = ("manifest",)

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.manifest = manifest

    def get(self, path: str) -> Any:
        node: Any = self.manifest
        for step in path.split("."):
            node = node.get(step) if isinstance(node, Mapping) else None
        return node

    def number(self, path: str) -> Decimal | None:
        value = self.get(path)
        return None if value is None else exact(value)

    def whole(self, path: str) -> int | None:
        value = self.get(path)
        return None if value is None else int(value)

    def text(self, path: str) -> str:
        value = self.get(path)
        return "" if value is None else str(value)

    def day(self, path: str) -> date | None:
        value = self.get(path)
        return None if value is None else date.fromisoformat(str(value))

    def missing(self, *paths: str) -> tuple[str, ...]:
        """Those of the paths that are not declared."""
        return tuple(p for p in paths if self.get(p) is None)

    @property
    def saving(self) -> Saving | None:
        """What the spoke saves; None unless both costs are declared."""
        hub, spoke = self.number("monthly_usd.hub"), self.number("monthly_usd.spoke")
        return Saving(hub, spoke) if hub is not None and spoke is not None else None


def add_months(day: date, months: int) -> date:
    """The same day so many calendar months later, clamped to the end of that month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        if last <= day.day:
            try:
                return date(year, month + 1, last)
            except ValueError:
                continue
    raise ValueError(f"no such month: {day} + {months}")
