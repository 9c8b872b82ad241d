"""Reads the compiled catalogue: the index at once, each cloud when a resource of it is met."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from auditor.documents import read_yaml
from auditor.errors import CatalogError, PolicyError
from auditor.facts import Cloud, Coordinates, Index, StoreFact, Trait, VolumeFact
from auditor.lagfacts import Feature, LagIndex, Shard, Workarounds
from auditor.overlays import Overlay

T = TypeVar("T")


def data_dir(name: str) -> Path:
    """`policies` or `provider_catalog`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def user_cache() -> Path:
    """Where `auditor catalog refresh` keeps newer shards: `$XDG_CACHE_HOME/auditor/catalog`, or below `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".cache") / "auditor" / "catalog"


def _record(folder: Path, name: str, kind: type[T]) -> T:
    """One compiled file. Raises CatalogError when missing or damaged."""
    try:
        return msgspec.json.decode((folder / name).read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as e:
        raise CatalogError(f"cannot read the catalogue: {name}: {e}", "Run scripts/build_catalog.py.") from e


class Catalog:
    """The facts as of a date. Implements `facts.Facts` and `lagfacts.LagFacts`.

    cache: where newer lag shards may lie; by default the user's, unless a directory is given: that is taken as it stands.
    """

    def __init__(self, directory: Path | None = None, overlay: Overlay | None = None, cache: Path | None = None) -> None:
        self.overlay = overlay or Overlay()
        self.folder = directory or data_dir("provider_catalog")
        self.cache = cache if cache is not None or directory is not None else user_cache()
        self.origin: dict[str, str] = {}  # provider -> packaged | cache, for shards that were read
        self.directory = self.folder / "compiled"
        self._shards: dict[str, Shard | None] = {}
        self._features: dict[str, list[Feature]] = {}
        self._natives: dict[str, dict[str, list[str]]] = {}
        self._clouds: dict[str, Cloud | None] = {}

    def over(self, overlay: Overlay) -> Catalog:
        """This catalogue with a policy's rows in it; itself where there are none."""
        return Catalog(self.folder, overlay, self.cache) if overlay.rows else self

    def _patched(self, record: T, patch: Callable[[Any], Any]) -> T:
        """A record with rows of the overlay in it. Raises CatalogError where a row does not fit."""
        try:
            return msgspec.convert(patch(msgspec.to_builtins(record)), type=type(record))
        except msgspec.ValidationError as e:
            raise CatalogError(f"`catalog:` of the policy: {e}", "see `auditor schema overlay`") from e

    def _read(self, name: str, kind: type[T]) -> T:
        return _record(self.directory, name, kind)

    @cached_property
    def index(self) -> Index:
        """Providers, cloud summaries and jurisdictions. Raises CatalogError when missing or damaged."""
        held = self._read("index.json", Index)
        return self._patched(held, self.overlay.patch_index) if self.overlay.rows else held

    def manifest(self, text: str) -> Any:
        """What a YAML text inside a plan says; None where it is none, or more than one document."""
        try:
            return read_yaml(text, "manifest").value
        except PolicyError:
            return None

    @cached_property
    def traits(self) -> dict[str, list[Trait]]:
        """Resource type (or provider source) -> its traits; read only where an economic or security rule runs."""
        return self._read("traits.json", dict[str, list[Trait]])

    @cached_property
    def stores(self) -> dict[str, list[StoreFact]]:
        """Resource type -> the data store it is."""
        return self._read("stores.json", dict[str, list[StoreFact]])

    @cached_property
    def volumes(self) -> dict[str, list[VolumeFact]]:
        """Resource type -> how its data volumes outlive a node."""
        return self._read("volumes.json", dict[str, list[VolumeFact]])

    def cloud(self, cloud_id: str) -> Cloud | None:
        """One cloud's tables, read once; None where the catalogue has none."""
        if cloud_id not in self._clouds:
            self._clouds[cloud_id] = self._cloud(cloud_id)
        return self._clouds[cloud_id]

    def _cloud(self, cloud_id: str) -> Cloud | None:
        if cloud_id not in self.index.clouds:
            return None
        rows = self.overlay.clouds.get(cloud_id)
        shipped = rows is None or (self.directory / f"{cloud_id}.json").is_file()
        held = self._read(f"{cloud_id}.json", Cloud) if shipped else Cloud(cloud_id, cloud_id)
        return self._patched(held, lambda tables: self.overlay.patch_cloud(cloud_id, tables)) if rows else held

    def coordinates(self) -> Coordinates:
        """Where regions stand on a map; read when a format draws one."""
        return self._read("coordinates.json", Coordinates)

    # --- lag

    def _lag(self, name: str, kind: type[T]) -> T:
        return _record(self.folder, f"lag/{name}", kind)

    @cached_property
    def lag_index(self) -> LagIndex:
        """Which providers have a shard. Raises CatalogError when missing or damaged."""
        return self._lag("index.json", LagIndex)

    @cached_property
    def workarounds(self) -> Workarounds:
        """Escape hatches, programs and hosts."""
        return self._lag("workarounds.json", Workarounds)

    def shard(self, source: str) -> Shard | None:
        """Releases and first support of one provider (`namespace/name`, aliases followed), read once; None where none is held."""
        name = self.lag_index.shard_of(source)
        if name not in self._shards:
            self._shards[name] = self._newest(name) if name else None
        return self._shards[name]

    def _newest(self, name: str) -> Shard:
        """The shard of the user's cache where it is newer and whole, else the packaged one: never an older one."""
        info = self.lag_index.shards[name]
        cached = self.cache / "lag" / info.file if self.cache is not None else None
        if cached is not None and cached.is_file():
            try:
                found = msgspec.json.decode(cached.read_bytes(), type=Shard)
            except (OSError, msgspec.DecodeError):
                found = None
            if found is not None and found.source == name and found.as_of > info.as_of and found.schema == "auditor-lag/1":
                self.origin[name] = "cache"
                return found
        self.origin[name] = "packaged"
        return self._lag(info.file, Shard)

    def features(self, cloud: str) -> list[Feature]:
        """The features of a cloud, sorted by id; empty where none are held."""
        if cloud not in self._features:
            file = self.lag_index.features.get(cloud)
            held = self._lag(file, list[Feature]) if file else []
            self._features[cloud] = self._with_rows(cloud, held)
        return self._features[cloud]

    def _with_rows(self, cloud: str, held: list[Feature]) -> list[Feature]:
        rows = [r for r in self.overlay.clouds.get(cloud, ()) if r.table == "features"]
        if not rows:
            return held
        patched = self.overlay.patch_features(cloud, msgspec.to_builtins(held))
        try:
            return msgspec.convert(patched, type=list[Feature])
        except msgspec.ValidationError as e:
            raise CatalogError(f"`catalog.features` of the policy ({rows[0].where}): {e}") from e

    def natives(self, space: str) -> dict[str, list[str]]:
        """API type -> native types of one API namespace."""
        if space not in self._natives:
            held = (self.folder / "lag" / f"natives-{space}.json").is_file()
            self._natives[space] = self._lag(f"natives-{space}.json", dict[str, list[str]]) if held else {}
        return self._natives[space]
