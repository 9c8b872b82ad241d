"""`catalog:` of a policy: rows over the shipped catalogue, given in place or in files, as patches of compiled records.

A row has the columns of the shipped table of its kind, as CSV or as YAML. It becomes the record that the compiled
catalogue would hold for it, and a patch that puts the record in its place: whole where a key names one record
(a region, an instance type, a provider, a feature), joined to the others where a type has several locations.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from auditor.documents import Document, read_file, validate
from auditor.errors import PolicyError
from auditor.facts import Index
from auditor.spelling import suggest

TABLES: Final = ("providers", "regions", "instances", "resource_types", "features")
_UNCONFIRMED: Final = re.compile(r"recalled|from_memory|^low$|guessed|uncertain", re.IGNORECASE)
_GUARANTEE: Final = {"y": "yes", "yes": "yes", "n": "none", "none": "none", "": ""}
_NUMBERS: Final = (
    "gpus_per_node", "gpu_memory_gb", "fabric_gbps", "max_efa_interfaces", "network_cards", "local_nvme_gb",
)  # fmt: skip
_WORDS: Final = ("accelerator", "intra_node", "fabric", "gpudirect_rdma", "multi_node_capable", "source")
_LOCATION: Final = ("path", "role", "kind", "use", "topic", "absent", "lookup", "reason", "when", "unless")


class Row(msgspec.Struct, frozen=True):
    """One row of an overlay. cells: column -> value, empty ones left out; where: `file:line`."""

    table: str
    cells: Mapping[str, Any]
    where: str

    def text(self, column: str) -> str:
        value = self.cells.get(column, "")
        return ("y" if value else "n") if isinstance(value, bool) else str(value)

    def words(self, column: str) -> list[str]:
        """A list, or text with blanks between its items."""
        value = self.cells.get(column, [])
        return [str(v) for v in value] if isinstance(value, list) else str(value).split()

    @property
    def confirmed(self) -> bool:
        return not _UNCONFIRMED.search(self.text("confidence"))


class Overlay(msgspec.Struct, frozen=True):
    """All rows of a run. Later rows win over earlier ones, and any row over the shipped one."""

    rows: tuple[Row, ...] = ()
    clouds: Mapping[str, tuple[Row, ...]] = msgspec.field(default_factory=dict)  # cloud id -> its rows, without providers

    def patch_index(self, index: Mapping[str, Any]) -> dict[str, Any]:
        """The index (as plain values) with the rows' providers and regions in it."""
        made = {**index, "providers": dict(index["providers"]), "clouds": dict(index["clouds"])}
        for row in self.rows:
            if row.table == "providers":
                made["providers"][row.text("provider_source").lower()] = _provider(row)
        for cloud, rows in self.clouds.items():
            summary = dict(made["clouds"].get(cloud, {"title": cloud}))
            summary["regions"] = dict(summary.get("regions", {}))
            for row in rows:
                if row.table == "regions" and row.text("country"):
                    summary["regions"][row.text("region_id")] = row.text("country")
            stated = {region_record(r).get("guarantee", "") for r in rows if r.table == "regions"} | {
                summary.get("guarantee", "")
            }
            summary["guarantee"] = next((g for g in ("none", "contract", "yes") if g in stated), "")
            summary["countries"] = sorted({*summary.get("countries", ()), *summary["regions"].values()})
            made["clouds"][cloud] = summary
        return made

    def patch_cloud(self, cloud: str, tables: Mapping[str, Any]) -> dict[str, Any]:
        """One cloud's tables (as plain values) with its rows in them; `tables` may hold no more than an id."""
        made = {**tables, **{k: dict(tables.get(k, {})) for k in ("regions", "instances", "types")}}
        for row in self.clouds.get(cloud, ()):
            if row.table == "regions":
                made["regions"][row.text("region_id")] = region_record(row)
            elif row.table == "instances":
                made["instances"][row.text("instance_type")] = instance_record(row)
            elif row.table == "resource_types":
                kind = row.text("resource_type")
                made["types"][kind] = type_record(row, made["types"].get(kind, {}))
        return made

    def patch_features(self, cloud: str, features: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The features of a cloud (as plain values), sorted by id."""
        made = {str(f["id"]): f for f in features}
        for row in self.clouds.get(cloud, ()):
            if row.table == "features":
                made[row.text("feature_id")] = feature_record(row)
        return [made[k] for k in sorted(made)]


# --- rows as compiled records ---------------------------------------------------------------------


def _trim(record: dict[str, Any], row: Row) -> dict[str, Any]:
    made = {k: v for k, v in record.items() if v not in ("", [], {}, None)}
    return made if row.confirmed else {**made, "confirmed": False}


def region_record(row: Row) -> dict[str, Any]:
    kind = row.text("kind")
    return _trim(
        {
            "country": row.text("country"), "kind": "" if kind == "region" else kind, "name": row.text("display_name"),
            "members": row.words("member_countries"), "partition": row.text("partition"), "parent": row.text("parent"),
            "guarantee": _GUARANTEE.get(row.text("region_guarantee"), "contract"),
            "confidence": row.text("confidence"), "source": row.text("source"),
            "caveat": row.text("reason") if row.text("use") in ("", "decide") else "",
        },
        row,
    )  # fmt: skip


def instance_record(row: Row) -> dict[str, Any]:
    record: dict[str, Any] = {k: row.text(k) for k in _WORDS}
    made = _trim({**record, **{k: n for k in _NUMBERS if (n := _number(row.text(k))) is not None}}, row)
    if any(part.strip().partition("=")[0] == "fabric" for part in row.text("from_memory").split(";")):
        made["fabric_confirmed"] = False
    if memory := recalled_columns(row.text("from_memory"), row.text("instance_type")):
        made["memory"] = memory
    return made


def recalled_columns(text: str, name: str) -> list[str]:
    """Columns written from memory: `a;b(except p5,g5);c(a4x)` names families that are, or are not, meant."""
    found: list[str] = []
    for column, families in re.findall(r"([a-z_]+)(?:=[^;(]*)?(?:\(([^)]*)\))?(?:;|$)", text):
        but, _, listed = families.partition("except ")
        names = [f.strip().lower() for f in (listed or families).split(",") if f.strip()]
        hit = any(name.lower().startswith(n) or n in name.lower().split(".") for n in names)
        if not families or (listed and not hit) or (not listed and (hit or ";" in but or " " in but)):
            found.append(column)
    return found


def _number(text: str) -> float | int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else value


def type_record(row: Row, held: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a type once the row is added: a location of the same path and role is replaced."""
    made = dict(held)
    if row.text("global") in ("y", "yes", "true"):
        return {**made, "global": True, "locations": []}
    if row.text("path"):
        record = {k: row.text(k) for k in _LOCATION} | {
            "effects": row.cells.get("effects", {}), "cloud": row.text("place_cloud"),
        }  # fmt: skip
        for key, default in (("role", "home"), ("kind", "region"), ("use", "decide")):
            record[key] = "" if record[key] == default else record[key]
        record = _trim(record, row)
        if row.text("absent_confirmed") == "n":
            record["absent_confirmed"] = False
        same = (record["path"], record.get("role", "home"))
        others = [r for r in made.get("locations", ()) if (r["path"], r.get("role") or "home") != same]
        made["locations"] = [*others, record]
        made["global"] = False
    if row.words("parents"):
        made["parents"] = row.words("parents")
    if bearing := row.text("data_bearing"):
        made["bearing"] = "data" if bearing in ("y", "yes", "true") else "control"
        made["curated"] = row.confirmed
    if row.text("category"):
        made["category"] = row.text("category")
    return made


def _provider(row: Row) -> dict[str, Any]:
    return {k: v for k in ("cloud", "class", "short", "channel") if (v := row.text(k))}


def feature_record(row: Row) -> dict[str, Any]:
    starts = []
    if row.text("ga_date"):
        starts.append([row.text("ga_kind") or "ga", row.text("ga_date"), row.text("source")])
    if row.text("api_first_date"):
        starts.append(["api", row.text("api_first_date"), row.text("source")])
    return {
        "id": row.text("feature_id"), "provider": row.text("provider_source").lower(), "status": row.text("status"),
        "title": row.text("title") or row.text("feature_id"), "service": row.text("service"),
        "types": row.words("resource_types"), "attribute": row.text("attribute"), "starts": starts,
        "workarounds": row.words("workaround"), "confidence": row.text("confidence") or "high",
    }  # fmt: skip


# --- reading --------------------------------------------------------------------------------------


def with_rows(document: Document) -> Document:
    """A policy (its paths absolute) with the rows of `catalog:` read. Raises PolicyError with file and line."""
    if "catalog" not in document.value:
        return document
    return replace(document, value={**document.value, "catalog": _rows(document)})


def _rows(document: Document) -> dict[str, list[Row]]:
    made: dict[str, list[Row]] = {}
    for key, entries in document.value["catalog"].items():
        table = key.removeprefix("+")
        made[key] = []
        for i, entry in enumerate(entries):
            where = document.where(("catalog", key, i))
            if isinstance(entry, str):
                made[key] += _file_rows(Path(entry), table, where)
            else:
                made[key].append(Row(table, {k: v for k, v in entry.items() if v not in ("", None)}, where))
    return made


def _file_rows(path: Path, table: str, where: str) -> Iterator[Row]:
    if not path.is_file():
        raise PolicyError(f"{where} no file {path.name} for catalog.{table}")
    document = _csv(path, table) if path.suffix == ".csv" else _yaml(path, table)
    validate(document, "overlay")
    for i, cells in enumerate(document.value[table]):
        yield Row(table, {k: v for k, v in cells.items() if v not in ("", None)}, document.where((table, i)))


def _csv(path: Path, table: str) -> Document:
    """A CSV table with a header line; empty cells are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if not reader.fieldnames:
            raise PolicyError(f"{path.name}:1 is empty", "a CSV table begins with a line of column names")
        rows: list[dict[str, str]] = []
        lines: dict[tuple[str | int, ...], int] = {}
        for i, cells in enumerate(reader):
            if None in cells:
                raise PolicyError(f"{path.name}:{reader.line_num} has more cells than the header has names")
            rows.append({k: v for k, v in cells.items() if v})
            lines[(table, i)] = reader.line_num
    except (csv.Error, UnicodeDecodeError) as error:
        raise PolicyError(f"{path.name}:1 is no CSV table: {error}") from None
    except OSError as error:
        raise PolicyError(f"{path.name}: cannot be read: {error.strerror or error}") from None
    return Document(path.name, {table: rows}, lines)


def _yaml(path: Path, table: str) -> Document:
    """A YAML (or JSON) list of rows, or a mapping that holds the list under the table's name."""
    document = read_file(path, path.name)
    if isinstance(document.value, list):
        lines = {(table, *key): line for key, line in document.lines.items()}
        return Document(document.name, {table: document.value}, lines)
    if not isinstance(document.value, dict) or table not in document.value:
        raise PolicyError(f"{path.name}:1 holds no list of {table}")
    return document


# --- vetting --------------------------------------------------------------------------------------


def overlay_of(catalog: Mapping[str, Sequence[Row]], index: Index) -> Overlay:
    """The overlay of merged `catalog:` rows. Raises PolicyError where a row speaks of a cloud that nothing defines."""
    rows = tuple(row for table in TABLES for row in catalog.get(table, ()))
    named = {row.text("cloud") for row in rows if row.table == "providers"}
    shorts = {p.short: p.cloud for p in index.providers.values() if p.short}
    clouds: dict[str, list[Row]] = {}
    for row in rows:
        if row.table == "providers":
            clouds.setdefault(row.text("cloud"), []) if row.text("cloud") else None
            continue
        # A cloud begins the id of a feature, the provider's local name that of a type.
        prefix = shorts.get(row.text("resource_type").partition("_")[0], "")
        cloud = row.text("cloud") or row.text("feature_id").partition(".")[0] or prefix
        if cloud not in index.clouds and cloud not in named:
            near = suggest(cloud, [*index.clouds, *named])
            what = f'unknown cloud "{cloud}"{near}' if cloud else "cannot tell the cloud: add `cloud:`"
            raise PolicyError(f"{row.where} {what}", "a new cloud needs a row in catalog.providers")
        if row.table == "regions" and not (row.text("country") or row.words("member_countries")):
            raise PolicyError(f"{row.where} the region needs a country, or member_countries")
        if row.table == "resource_types" and not {"path", "global", "parents", "data_bearing"} & row.cells.keys():
            raise PolicyError(f"{row.where} the type needs a path, or `global: true`, parents or data_bearing")
        clouds.setdefault(cloud, []).append(row)
    return Overlay(rows, {cloud: tuple(found) for cloud, found in clouds.items()})

