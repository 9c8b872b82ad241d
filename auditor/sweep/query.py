"""The store through DuckDB, for reading: documented views, no other file, no network, no writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from auditor.errors import AuditorError, InputError
from auditor.sweep.sources import INSTALL
from auditor.sweep.store import check_schema
from auditor.sweep.tables import AUDIT, RUN, Column

_TYPES: Final = {"text": "VARCHAR", "number": "BIGINT", "flag": "BOOLEAN", "texts": "VARCHAR[]"}


@dataclass(frozen=True, slots=True)
class Table:
    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Answerer:
    """One connection over one store."""

    def __init__(self, folder: Path) -> None:
        try:
            import duckdb
        except ImportError:
            raise AuditorError("duckdb is not installed", INSTALL) from None
        if not (folder / "store.json").is_file():
            raise InputError(f"{folder}: no store", "`auditor sweep PATH --store DIR` makes one.")
        check_schema(folder)
        self._duckdb = duckdb
        self._db = duckdb.connect()
        folder = folder.resolve()
        for setting in ("autoinstall_known_extensions=false", "autoload_known_extensions=false"):
            self._db.execute(f"SET {setting}")
        self._db.execute(f"SET allowed_directories=[{_quoted(str(folder) + '/')}]")
        try:
            self._views(folder)
            # From here on nothing but this folder can be read, and no setting changes.
            self._db.execute("SET enable_external_access=false")
            self._db.execute("SET lock_configuration=true")
        except duckdb.Error as e:
            raise InputError(f"{folder}: a file of the store is damaged ({type(e).__name__})") from None

    def _views(self, folder: Path) -> None:
        for name, columns in RUN.items():
            self._view(name, _scan(folder, f"runs/*/{name}.parquet", columns))
        self._view("held_audits", _scan(folder, "results/*/audits.parquet", AUDIT["audits"], part=True))
        self._view("one_audit", "SELECT * FROM held_audits QUALIFY row_number() OVER (PARTITION BY key ORDER BY part) = 1")
        self._view("latest", "SELECT max(run) AS run FROM runs")
        for name, columns in AUDIT.items():
            held = "one_audit" if name == "audits" else f"held_{name}"
            if name != "audits":
                self._view(held, _scan(folder, f"results/*/{name}.parquet", columns, part=True))
            join = "" if name == "audits" else "JOIN one_audit a ON a.key = p.key "
            same = "" if name == "audits" else " AND r.part = a.part"
            self._view(
                name,
                f"SELECT p.run, p.plan, p.stack, p.team, r.* EXCLUDE (part) FROM plans p {join}"
                f"JOIN {held} r ON r.key = p.key{same}",
            )

    def _view(self, name: str, sql: str) -> None:
        self._db.execute(f"CREATE VIEW {name} AS {sql}")

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query of our own."""
        rows: list[tuple[Any, ...]] = self._db.execute(sql, list(parameters)).fetchall()
        return rows

    def ask_named(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """As `ask`, with parameters by name; those the query does not use are left out."""
        used = {k: v for k, v in parameters.items() if f"${k}" in sql}
        rows: list[tuple[Any, ...]] = self._db.execute(sql, used).fetchall()
        return rows

    def query(self, sql: str) -> Table:
        """The answer to a user's query. Raises InputError for anything but one SELECT that works."""
        duckdb = self._duckdb
        try:
            statements = self._db.extract_statements(sql)
            if len(statements) != 1 or statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                raise InputError("the store is only read: give one SELECT", "`auditor query --schema` tells the tables.")
            cursor = self._db.execute(sql)
            names = tuple(d[0] for d in cursor.description or ())
            return Table(names, cursor.fetchall())
        except duckdb.Error as e:
            raise InputError(f"query: {e}", "`auditor query --schema` tells the tables.") from None

    def close(self) -> None:
        self._db.close()


def _scan(folder: Path, pattern: str, columns: Sequence[Column], part: bool = False) -> str:
    """A SELECT over all files of a table; where there are none, of no rows."""
    names = [*((c.name, _TYPES[c.kind]) for c in columns), *([("part", "VARCHAR")] if part else [])]
    if any(folder.glob(pattern)):
        return f"SELECT {', '.join(_name(n) for n, _ in names)} FROM read_parquet({_quoted(str(folder / pattern))})"
    return f"SELECT {', '.join(f'NULL::{t} AS {_name(n)}' for n, t in names)} WHERE false"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return f'"{text}"'
