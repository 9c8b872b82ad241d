"""The answers as JSON: the records of `answers`, field by field."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.sweep.answers import Answers
from auditor.sweep.tables import SCHEMA


def page(a: Answers) -> str:
    """Indented, sorted as the answers are."""
    held: dict[str, Any] = {"schema": SCHEMA} | msgspec.to_builtins(a)
    return msgspec.json.format(msgspec.json.encode(held), indent=2).decode() + "\n"
