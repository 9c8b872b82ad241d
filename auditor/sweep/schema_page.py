"""The documented schema, made from `tables`: printed by `auditor query --schema`, and a part of docs/sweep.md."""

from __future__ import annotations

from auditor.sweep.tables import AUDIT, RUN, SCHEMA

_WORDS = {"text": "VARCHAR", "number": "BIGINT", "flag": "BOOLEAN", "texts": "VARCHAR[]"}


def page() -> str:
    """Markdown: one table a view."""
    lines = [
        f"Tables of version `{SCHEMA}`. Texts are never null; numbers are null where a count is not known.", "",
        "`latest` has one row and one column, `run`: the newest run. Every other view but `runs` and `plans` begins with "
        "`run`, `plan`, `stack` and `team`, as in `plans`.",
    ]  # fmt: skip
    for name, columns in (*RUN.items(), *AUDIT.items()):
        lines += ["", f"### `{name}`", "", "| column | type | holds |", "|---|---|---|"]
        lines += [f"| `{c.name}` | {_WORDS[c.kind]} | {c.holds} |" for c in columns]
    return "\n".join(lines) + "\n"
