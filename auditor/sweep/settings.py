"""What a sweep's plans are held to, and the hashes that tell whether a plan was audited under it before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from auditor.baseline import Baseline
from auditor.catalog import Catalog
from auditor.config import Config
from auditor.model import Rule
from auditor.sweep.tables import SCHEMA
from auditor.sweep.worker import Settings, settings_id


def catalog_digest(catalog: Catalog) -> str:
    """Hash of every compiled table, and of newer shards in the user's cache."""
    total = hashlib.sha256()
    folders = [catalog.directory, catalog.folder / "lag"]
    if catalog.cache is not None:
        folders.append(catalog.cache / "lag")
    for folder in folders:
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:32]


def settings_of(
    config: Config, own: Config, rules: tuple[Rule, ...], every: Mapping[str, Rule], as_of: date, catalog: Path | None, *,
    manifests: bool, tag: str, baseline: Baseline | None, sarif: bool, timeout: float, limit: int,
) -> Settings:  # fmt: skip
    """Settings with their id: equal ids give equal rows for equal plans."""
    digest = catalog_digest(Catalog(catalog))
    made = Settings(
        config, own, rules, dict(every), as_of, catalog, digest, "", manifests, tag, baseline, sarif, timeout, limit
    )
    return replace(
        made,
        id=settings_id(
            {
                "schema": SCHEMA, "config": config, "own": own, "rules": rules, "every": every, "as_of": as_of.isoformat(),
                "catalog": digest, "manifests": manifests, "tag": tag, "baseline": baseline,
            }
        ),
    )  # fmt: skip
