"""Holds a catalogue to its own gates: every table reads, every date is one, nothing looks new that only a gap made so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

from auditor.catalog import Catalog
from auditor.errors import CatalogError
from auditor.lagfacts import Shard
from auditor.versions import parse_version

MAX_GAIN: Final = 40  # types by exact evidence that one version may bring


def problems(catalog: Catalog) -> Iterator[str]:
    """What is wrong, a sentence each."""
    for cloud in catalog.index.clouds:
        try:
            catalog.cloud(cloud)
        except CatalogError as e:
            yield e.message
    for source in catalog.lag_index.shards:
        try:
            shard = catalog.shard(source)
        except CatalogError as e:
            yield e.message
            continue
        if shard is not None:
            yield from (f"{source}: {p}" for p in _shard(shard, source))
    for cloud in catalog.lag_index.features:
        try:
            rows = catalog.features(cloud)
        except CatalogError as e:
            yield e.message
            continue
        ids = Counter(f.id for f in rows)
        yield from (f"feature {i} stands there {n} times" for i, n in ids.items() if n > 1)
        for feature in rows:
            yield from (f"feature {feature.id}: {s.date} is no date" for s in feature.starts if not _is_date(s.date))


def _shard(shard: Shard, source: str) -> Iterator[str]:
    if shard.source != source:
        yield f"the file is of {shard.source}"
    if not _is_date(shard.as_of):
        yield f"as_of {shard.as_of} is no date"
    for text, (day, _) in shard.releases.items():
        if parse_version(text) is None:
            yield f"{text} is no version"
        if not _is_date(day):
            yield f"release {text}: {day} is no date"
        elif day > shard.as_of:
            yield f"release {text} is of {day}, after the facts end ({shard.as_of})"
    for kind, rows in shard.support.items():
        unknown = ((t, s.version) for t, s in rows.items() if s.version not in shard.releases)
        yield from (f"{type_} is first in {version}, which is no release" for type_, version in unknown)
        gained = Counter(s.version for s in rows.values() if s.evidence == "exact")
        yield from (f"{v} brings {n} types ({kind}): a gap before it?" for v, n in gained.items() if n > MAX_GAIN)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
