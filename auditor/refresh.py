"""Brings lag shards up to date over the network: the only user of `requests`.

Provider versions and their dates come from the registry's JSON API, new types from its documentation index, or from a
changelog where that index holds another provider's types too. The API is not a documented one: every answer is checked
field by field, and an answer that is too large, too small, cut off or of another shape changes nothing. What is held is
never lost: a shard only gains, is written beside the old one and put in its place at once.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
import requests

from auditor.catalog import Catalog
from auditor.lagfacts import Shard, Support
from auditor.versions import Version, parse_version

REGISTRY: Final = "https://registry.terraform.io"
MAX_BYTES: Final = 10_000_000
TIMEOUT: Final = (10, 30)  # seconds to connect, between two pieces of an answer
DEADLINE: Final = 120.0  # seconds for one whole answer
TRIES: Final = 3
MAX_WAIT: Final = 60.0  # seconds: a longer Retry-After is given up on
PAGE: Final = 100
MAX_PAGES: Final = 100
MAX_LOSS: Final = 0.02  # share of what is held that an answer may lack
MAX_GAIN: Final = 40  # types one version may bring
_CATEGORIES: Final = {
    "resources": "resource", "data-sources": "data-source", "ephemeral-resources": "ephemeral",
    "list-resources": "list", "actions": "action",
}  # fmt: skip
_RETRY: Final = (429, 500, 502, 503, 504)


class RefreshError(Exception):
    """Why one answer was not taken. Never fatal: what is held stays."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one provider. `problem` is empty where all of it was taken."""

    source: str
    versions: int = 0
    types: int = 0
    unchanged: bool = False
    problem: str = ""


@dataclass(slots=True)
class Network:
    """Fetches with timeouts, tries, back-off, a size cap and validators. `sleep` is given so that tests need not wait."""

    registry: str = REGISTRY
    sleep: Callable[[float], None] = time.sleep
    session: requests.Session = field(default_factory=requests.Session)
    max_bytes: int = MAX_BYTES

    def get(self, url: str, etag: str = "") -> tuple[bytes | None, str]:
        """Body and ETag; None as body where nothing changed. Raises RefreshError."""
        problem = ""
        for attempt in range(TRIES):
            try:
                return self._once(url, etag)
            except _RetryableError as e:
                problem = str(e)
                wait = e.after if e.after is not None else 0.5 * 2**attempt
                if wait > MAX_WAIT:
                    break
                if attempt + 1 < TRIES:
                    self.sleep(wait)
        raise RefreshError(problem)

    def _once(self, url: str, etag: str) -> tuple[bytes | None, str]:
        headers = {"Accept": "application/vnd.api+json, application/json;q=0.9, */*;q=0.1"}
        if etag:
            headers["If-None-Match"] = etag
        begun = time.monotonic()
        try:
            with self.session.get(url, headers=headers, timeout=TIMEOUT, stream=True) as answer:
                if answer.status_code == 304 and etag:
                    return None, etag
                if answer.status_code in _RETRY:
                    raise _RetryableError(f"HTTP {answer.status_code}", _after(answer.headers.get("Retry-After")))
                if answer.status_code != 200:
                    raise RefreshError(f"HTTP {answer.status_code}")
                body = bytearray()
                for piece in answer.iter_content(65536):
                    body += piece
                    if len(body) > self.max_bytes:
                        raise RefreshError(f"the answer is larger than {self.max_bytes} bytes")
                    if time.monotonic() - begun > DEADLINE:
                        raise RefreshError(f"the answer took longer than {DEADLINE:.0f} seconds")
                length = answer.headers.get("Content-Length", "")
                if length.isdecimal() and not answer.headers.get("Content-Encoding") and len(body) < int(length):
                    raise _RetryableError("the answer is cut off")
                return bytes(body), answer.headers.get("ETag", "")
        except requests.RequestException as e:
            raise _RetryableError(f"no answer ({type(e).__name__})") from e

    def json(self, url: str, etag: str = "") -> tuple[Mapping[str, Any] | None, str]:
        body, tag = self.get(url, etag)
        if body is None:
            return None, tag
        try:
            made = json.loads(body)
        except (ValueError, RecursionError) as e:
            raise RefreshError("the answer is no JSON, or cut off") from e
        if not isinstance(made, dict):
            raise RefreshError("the answer is no JSON object")
        return made, tag


class _RetryableError(Exception):
    """Worth another try, after so many seconds where the server said so."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


def _after(header: str | None) -> float | None:
    """Seconds of a Retry-After; a date in it counts as the longest wait."""
    if header is None:
        return None
    return float(header) if header.strip().isdecimal() else MAX_WAIT


# --- one provider -------------------------------------------------------------------------------------


def refresh(
    catalog: Catalog, cache: Path, sources: Sequence[str], network: Network, today: date
) -> Iterator[Result]:
    """Refresh shards one by one into `cache` (a folder like `provider_catalog`); a result each, in order."""
    tags = _Tags(cache / "lag" / "etags.json")
    for source in sources:
        shard = catalog.shard(source)
        if shard is None:
            yield Result(source, problem="the catalogue has no shard of it")
            continue
        # An ETag belongs to the shard in the cache: with another one in use, "unchanged" would say nothing.
        known = tags.get(source) if catalog.origin.get(source) == "cache" else ""
        try:
            made, result, tag = _refreshed(shard, network, known, catalog.lag_index.changelogs.get(source, ""), today)
            write_shard(cache / "lag" / catalog.lag_index.shards[source].file, made)
            tags.set(source, tag)
            tags.save()
        except RefreshError as e:
            yield Result(source, problem=str(e))
        except OSError as e:
            yield Result(source, problem=f"cannot be written: {e.strerror or e}")
        else:
            yield result


def _refreshed(
    shard: Shard, network: Network, known: str, changelog: str, today: date
) -> tuple[Shard, Result, str]:
    """The newer shard, what came of it, and its ETag. Raises RefreshError: then nothing of the answer is taken."""
    namespace, _, name = shard.source.partition("/")
    url = f"{network.registry}/v2/providers/{quote(namespace)}/{quote(name)}?include=provider-versions"
    answer, tag = network.json(url, known)
    if answer is None:
        fresh = msgspec.structs.replace(shard, as_of=max(shard.as_of, today.isoformat()), checked=today.isoformat())
        return fresh, Result(shard.source, unchanged=True), known
    found = _versions(answer)
    held = {v for v in shard.versions if v.released}
    missing = [v for v in held if v not in found]
    if len(missing) > MAX_LOSS * len(held):
        raise RefreshError(f"the answer lacks {len(missing)} of {len(held)} releases that are held")
    new = {v: day for v, (day, _) in found.items() if v not in set(shard.versions)}
    releases = {**shard.releases, **{str(v): (day, "registry") for v, day in new.items()}}
    ordered = dict(sorted(releases.items(), key=lambda pair: parse_version(pair[0]) or Version((0, 0, 0))))
    made = msgspec.structs.replace(shard, releases=ordered, checked=today.isoformat())
    later = sorted(v for v in new if v > shard.newest and v.released)
    ids = {v: id_ for v, (_, id_) in found.items()}
    support, gained = _types(made, later, ids, network, changelog)
    made = msgspec.structs.replace(made, support=support, as_of=max(shard.as_of, today.isoformat()))
    return made, Result(shard.source, len(new), gained), tag


def _versions(answer: Mapping[str, Any]) -> dict[Version, tuple[str, str]]:
    """Version -> (day, id) of an answer of the registry. Raises RefreshError where it has another shape."""
    included = answer.get("included")
    if not isinstance(included, list):
        raise RefreshError("the answer has no list `included`: the API has changed")
    found: dict[Version, tuple[str, str]] = {}
    for item in included:
        if not isinstance(item, dict) or item.get("type") != "provider-versions":
            continue
        attributes = item.get("attributes")
        if not isinstance(attributes, dict):
            raise RefreshError("a version without `attributes`: the API has changed")
        text, published = attributes.get("version"), attributes.get("published-at")
        version = parse_version(text) if isinstance(text, str) else None
        if version is None or not isinstance(published, str):
            if isinstance(text, str) and version is None:
                continue  # a tag that is no version
            raise RefreshError("a version without `version` or `published-at`: the API has changed")
        try:
            day = date.fromisoformat(published[:10])
        except ValueError as e:
            raise RefreshError("a `published-at` that is no date: the API has changed") from e
        found[version] = (day.isoformat(), str(item.get("id") or ""))
    if not found:
        raise RefreshError("the answer holds no version: the API has changed")
    return found


def _types(
    shard: Shard, later: Sequence[Version], ids: Mapping[Version, str], network: Network, changelog: str
) -> tuple[dict[str, dict[str, Support]], int]:
    """The support table with what newer releases brought, oldest first; how many types that is."""
    support = {kind: dict(rows) for kind, rows in shard.support.items()}
    gained = 0
    logged = _changelog(network, changelog) if changelog and later else {}
    if later and not changelog and not _from_docs(shard, support, ids.get(later[-1], ""), network):
        return shard.support, 0  # the newest has nothing new: no need to ask about those between
    for version in later:
        if changelog:
            brought = {(k, t) for k, t in logged.get(version, set()) if t not in support.get(k, {})}
        else:
            brought = _from_docs(shard, support, ids.get(version, ""), network)
        if len(brought) > MAX_GAIN:
            raise RefreshError(f"{version} would bring {len(brought)} types at once (limit {MAX_GAIN})")
        for kind, type_ in sorted(brought):
            support.setdefault(kind, {})[type_] = Support(str(version), "exact", "changelog" if changelog else "registry")
            gained += 1
    return {kind: dict(sorted(rows.items())) for kind, rows in sorted(support.items())}, gained


def _from_docs(
    shard: Shard, support: Mapping[str, Mapping[str, Support]], version_id: str, network: Network
) -> set[tuple[str, str]]:
    """Types of one version's documentation that are not held yet."""
    if not version_id:
        raise RefreshError("a version without `id`: the API has changed")
    prefix = shard.source.partition("/")[2].partition("-")[0]
    brought: set[tuple[str, str]] = set()
    for category, kind in _CATEGORIES.items():
        held = support.get(kind, {})
        if not held:
            continue  # a kind that is not tracked: its absence says nothing
        found = {s if s.startswith(f"{prefix}_") else f"{prefix}_{s}" for s in _slugs(version_id, category, network)}
        alive = [t for t in held if t not in shard.removed]
        missing = [t for t in alive if t not in found]
        if kind == "resource" and len(missing) > max(MAX_LOSS * len(alive), 1):
            raise RefreshError(f"the documentation lacks {len(missing)} of {len(alive)} types that are held")
        brought |= {(kind, t) for t in found if t not in held and not shard.without_first(kind, t)}
    return brought


def _slugs(version_id: str, category: str, network: Network) -> Iterator[str]:
    """The names of one category, page by page."""
    for number in range(1, MAX_PAGES + 1):
        query = {
            "filter[provider-version]": version_id, "filter[category]": category, "filter[language]": "hcl",
            "page[size]": str(PAGE), "page[number]": str(number),
        }  # fmt: skip
        answer, _ = network.json(f"{network.registry}/v2/provider-docs?{urlencode(query)}")
        data = answer.get("data") if answer is not None else None
        if not isinstance(data, list):
            raise RefreshError("the documentation has no list `data`: the API has changed")
        for item in data:
            attributes = item.get("attributes") if isinstance(item, dict) else None
            slug = attributes.get("slug") if isinstance(attributes, dict) else None
            if not isinstance(slug, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,120}", slug):
                raise RefreshError("a document without `slug`: the API has changed")
            yield slug.removesuffix(".html")
        if len(data) < PAGE:
            return
    raise RefreshError(f"the documentation has more than {MAX_PAGES} pages")


_HEADING: Final = re.compile(r"^##\s+v?(\d+\.\d+\.\d+\S*)", re.MULTILINE)
_NEW: Final = re.compile(r"\*\*New (Resource|Data Source|Ephemeral Resource|List Resource|Action):?\*\*:?\s+`([a-z0-9_]+)`")
_NEW_KINDS: Final = {
    "Resource": "resource", "Data Source": "data-source", "Ephemeral Resource": "ephemeral", "List Resource": "list",
    "Action": "action",
}  # fmt: skip


def _changelog(network: Network, url: str) -> dict[Version, set[tuple[str, str]]]:
    """Version -> (kind, type) that a changelog calls new."""
    body, _ = network.get(url)
    text = (body or b"").decode("utf-8", "replace")
    parts = _HEADING.split(text)[1:]
    found: dict[Version, set[tuple[str, str]]] = {}
    for heading, section in zip(parts[::2], parts[1::2], strict=True):
        version = parse_version(heading)
        if version is not None:
            found[version] = {(_NEW_KINDS[kind], type_) for kind, type_ in _NEW.findall(section)}
    if not found:
        raise RefreshError("the changelog has no version headings")
    return found


# --- files --------------------------------------------------------------------------------------------


class _Tags:
    """ETags by provider, in one file beside the shards."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            held = {}
        self._held: dict[str, str] = {k: v for k, v in held.items() if isinstance(v, str)} if isinstance(held, dict) else {}

    def get(self, source: str) -> str:
        return self._held.get(source, "")

    def set(self, source: str, tag: str) -> None:
        if tag:
            self._held[source] = tag
        else:
            self._held.pop(source, None)

    def save(self) -> None:
        _replace(self.path, json.dumps(self._held, indent=1, sort_keys=True).encode() + b"\n")


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard and put it in its place at once, so that nobody ever reads half of one."""
    _replace(path, msgspec.json.encode(shard) + b"\n")


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
