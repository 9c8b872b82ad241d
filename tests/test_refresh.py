"""`auditor catalog refresh` against a server on loopback that plays the registry, well-behaved and otherwise."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from auditor.catalog import Catalog
from auditor.cli import cli
from auditor.lagfacts import Shard
from auditor.refresh import Network, Result, refresh
from auditor.versions import parse_version

SOURCE = "crusoecloud/crusoe"
PREFIX = "crusoe"
TODAY = date(2026, 11, 20)
NEWER = "1.2.0"


class Registry:
    """What the server answers. `script` handlers come first, one a request, then the honest answer."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.script: list[Callable[[BaseHTTPRequestHandler], None]] = []
        shard = Catalog().shard(SOURCE)
        assert shard is not None
        self.shard = shard
        self.versions = {v: f"{day}T10:00:00Z" for v, (day, _) in shard.releases.items()}
        self.types = {kind: set(rows) for kind, rows in shard.support.items()}
        self.etag = '"one"'

    def provider(self) -> dict[str, Any]:
        included = [
            {"type": "provider-versions", "id": str(i), "attributes": {"version": v, "published-at": at}}
            for i, (v, at) in enumerate(self.versions.items())
        ]
        return {"data": {"type": "providers", "id": "1"}, "included": included}

    def docs(self, query: dict[str, list[str]]) -> dict[str, Any]:
        kind = {"resources": "resource", "data-sources": "data-source"}.get(query["filter[category]"][0], "other")
        size, number = int(query["page[size]"][0]), int(query["page[number]"][0])
        names = sorted(t.removeprefix(f"{PREFIX}_") for t in self.types.get(kind, ()))[(number - 1) * size : number * size]
        return {"data": [{"type": "provider-docs", "attributes": {"slug": n, "category": kind}} for n in names]}


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def registry() -> Iterator[tuple[Registry, str]]:
    state = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append((self.path, dict(self.headers)))
            if state.script:
                state.script.pop(0)(self)
                return
            parts = urlsplit(self.path)
            if parts.path == f"/v2/providers/{SOURCE}":
                if self.headers.get("If-None-Match") == state.etag:
                    send(self, b"", 304)
                else:
                    send(self, json.dumps(state.provider()).encode(), ETag=state.etag)
            elif parts.path == "/v2/provider-docs":
                send(self, json.dumps(state.docs(parse_qs(parts.query))).encode())
            else:
                send(self, b"{}", 404)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


Refresh = Callable[..., Result]


@pytest.fixture
def once(registry: tuple[Registry, str], tmp_path: Path) -> Refresh:
    def run(today: date = TODAY, **more: Any) -> Result:
        waits: list[float] = []
        network = Network(registry[1], sleep=waits.append, **more)
        [result] = refresh(Catalog(cache=tmp_path), tmp_path, [SOURCE], network, today)
        registry[0].waits = waits  # type: ignore[attr-defined]
        return result

    return run


def held(tmp_path: Path) -> Shard:
    shard = Catalog(cache=tmp_path).shard(SOURCE)
    assert shard is not None
    return shard


def kept(registry: tuple[Registry, str], tmp_path: Path) -> None:
    """Nothing of what was held before is lost."""
    was, now = registry[0].shard, held(tmp_path)
    assert was.releases.items() <= now.releases.items()
    for kind, rows in was.support.items():
        assert rows.items() <= now.support[kind].items()
    assert now.as_of >= was.as_of
    assert [p.name for p in tmp_path.rglob("*.tmp")] == []


def release(state: Registry, version: str = NEWER, day: str = "2026-11-01") -> None:
    state.versions[version] = f"{day}T10:00:00Z"
    state.etag = f'"{version}"'


def test_new_version_and_new_type(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0])
    registry[0].types["resource"].add(f"{PREFIX}_quantum_node")
    assert once() == Result(SOURCE, versions=1, types=1)
    now = held(tmp_path)
    assert now.releases[NEWER] == ("2026-11-01", "registry")
    assert now.support["resource"][f"{PREFIX}_quantum_node"].version == NEWER
    assert now.newest == parse_version(NEWER)
    assert now.as_of == "2026-11-20"
    kept(registry, tmp_path)


def test_a_type_of_an_earlier_new_version_is_dated_by_it(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0], "1.3.0")
    release(registry[0], NEWER)
    registry[0].types["resource"].add(f"{PREFIX}_quantum_node")  # in the documentation of both
    assert once().types == 1
    assert held(tmp_path).support["resource"][f"{PREFIX}_quantum_node"].version == NEWER


def test_nothing_new(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    assert once() == Result(SOURCE)
    kept(registry, tmp_path)


def test_unchanged_by_etag(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0])
    once()
    asked = len(registry[0].requests)
    assert once(date(2026, 11, 27)) == Result(SOURCE, unchanged=True)
    assert len(registry[0].requests) == asked + 1
    assert registry[0].requests[-1][1]["If-None-Match"] == f'"{NEWER}"'
    assert held(tmp_path).as_of == "2026-11-27"
    kept(registry, tmp_path)


def test_an_etag_without_its_shard_is_not_sent(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0])
    once()
    next(tmp_path.rglob("*crusoe.json")).unlink()
    assert once() == Result(SOURCE, versions=1)


def test_retry_after(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0])
    registry[0].script = [lambda h: send(h, b"", 429, Retry_After="7"), lambda h: send(h, b"", 503)]
    assert once().versions == 1
    assert registry[0].waits == [7.0, 1.0]  # type: ignore[attr-defined]
    kept(registry, tmp_path)


def test_paging(registry: tuple[Registry, str], once: Refresh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("auditor.refresh.PAGE", 5)
    release(registry[0])
    registry[0].types["resource"].add(f"{PREFIX}_zzz")
    assert once().types == 1
    assert any("page%5Bnumber%5D=3" in path for path, _ in registry[0].requests)
    kept(registry, tmp_path)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A gigabyte, as far as anyone reads."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(16_000):
            handler.wfile.write(b" " * 65536)
    except OSError:
        handler.close_connection = True


def renamed(handler: BaseHTTPRequestHandler) -> None:
    item = {"type": "provider-versions", "id": "1", "attributes": {"version": NEWER, "published_at": "2026-11-01"}}
    send(handler, json.dumps({"included": [item]}).encode())


def undated(handler: BaseHTTPRequestHandler) -> None:
    item = {"type": "provider-versions", "id": "1", "attributes": {"version": NEWER, "published-at": "soon"}}
    send(handler, json.dumps({"included": [item]}).encode())


def shrunken(handler: BaseHTTPRequestHandler) -> None:
    item = {"type": "provider-versions", "id": "1", "attributes": {"version": NEWER, "published-at": "2026-11-01T00:00:00Z"}}
    send(handler, json.dumps({"included": [item]}).encode())


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"included": [')
    handler.close_connection = True


BAD = [
    ([lambda h: send(h, b"", 500)] * 3, "HTTP 500"),
    ([lambda h: send(h, b"", 429, Retry_After="86400")], "HTTP 429"),
    ([lambda h: send(h, b"no", 404)], "HTTP 404"),
    ([lambda h: send(h, b'{"included": [')], "no JSON, or cut off"),
    ([cut] * 3, ""),
    ([lambda h: send(h, b"[1, 2]")], "no JSON object"),
    ([lambda h: send(h, b"[" * 100_000)], "no JSON"),
    ([lambda h: send(h, b"<html>proxy</html>")], "no JSON"),
    ([lambda h: send(h, b"{}")], "no list `included`"),
    ([lambda h: send(h, b'{"included": []}')], "holds no version"),
    ([endless], "larger than"),
    ([renamed], "the API has changed"),
    ([undated], "no date"),
    ([shrunken], "lacks"),
]


@pytest.mark.parametrize(("script", "problem"), BAD, ids=[
    "500s", "429 for a day", "404", "truncated", "cut off", "a list", "nested", "a page", "empty object", "no versions",
    "a gigabyte", "renamed field", "no date", "shrunken",
])  # fmt: skip
def test_a_bad_answer_changes_nothing(
    registry: tuple[Registry, str], once: Refresh, tmp_path: Path, script: list[Any], problem: str
) -> None:
    release(registry[0])
    registry[0].script = list(script)
    result = once()
    assert problem in result.problem
    assert result.problem
    assert list(tmp_path.rglob("*.json")) == []
    kept(registry, tmp_path)
    registry[0].script = []
    assert once().versions == 1  # and the next try is whole


def test_documentation_that_shrank(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0])
    registry[0].types["resource"] = set(sorted(registry[0].types["resource"])[:-3])
    assert "lacks 3 of" in once().problem
    assert NEWER not in held(tmp_path).releases  # else its types would never be asked for again
    kept(registry, tmp_path)


def test_too_many_types_at_once(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0])
    registry[0].types["resource"] |= {f"{PREFIX}_new_{i}" for i in range(41)}
    assert "would bring 41 types at once" in once().problem
    kept(registry, tmp_path)


CHANGELOG = b"""## 1.3.0 (Unreleased)
* **New Resource:** `crusoe_later` ([#3](x))

## 1.2.0 (November 01, 2026)

FEATURES:
* **New Resource:** `crusoe_quantum_node` ([#1](x))
* **New Data Source:** `crusoe_quantum_nodes`
* mentions `crusoe_other`

## 1.1.1 (August 17, 2026)
"""


@pytest.mark.parametrize("text", [CHANGELOG, b"moved elsewhere"], ids=["headings", "prose"])
def test_a_changelog_instead(registry: tuple[Registry, str], tmp_path: Path, text: bytes) -> None:
    state, url = registry
    release(state)
    catalog = Catalog(cache=tmp_path)
    catalog.lag_index.changelogs[SOURCE] = f"{url}/changelog"
    state.script = [lambda h: send(h, json.dumps(state.provider()).encode()), lambda h: send(h, text)]
    [result] = refresh(catalog, tmp_path, [SOURCE], Network(url), TODAY)
    if text is CHANGELOG:
        assert result == Result(SOURCE, versions=1, types=2)
        assert held(tmp_path).support["data-source"]["crusoe_quantum_nodes"].version == NEWER
    else:
        assert "no version headings" in result.problem
    kept(registry, tmp_path)


def test_nobody_listens(tmp_path: Path) -> None:
    network = Network("http://127.0.0.1:9", sleep=lambda _: None)
    [result] = refresh(Catalog(cache=tmp_path), tmp_path, [SOURCE], network, TODAY)
    assert "no answer" in result.problem


OTHER_FORMAT = b'{"schema": "auditor-lag/2", "source": "crusoecloud/crusoe", "as_of": "2099-01-01"}'


@pytest.mark.parametrize("data", [b"", b"{", b"[]", OTHER_FORMAT])
def test_a_damaged_cache_is_not_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "lag").mkdir()
    (tmp_path / "lag" / "crusoecloud__crusoe.json").write_bytes(data)
    catalog = Catalog(cache=tmp_path)
    assert catalog.shard(SOURCE) is not None
    assert catalog.origin[SOURCE] == "packaged"


def test_an_older_cache_is_not_read(registry: tuple[Registry, str], once: Refresh, tmp_path: Path) -> None:
    release(registry[0])
    once()
    path = next(tmp_path.rglob("*crusoe.json"))
    path.write_text(path.read_text().replace("2026-11-20", "2026-01-01"))
    catalog = Catalog(cache=tmp_path)
    catalog.shard(SOURCE)
    assert catalog.origin[SOURCE] == "packaged"


def test_the_command(registry: tuple[Registry, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    release(registry[0])
    words = ["catalog", "refresh", "--provider", SOURCE, "--registry", registry[1], "--as-of", "2026-11-20"]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert (done.return_value, done.stdout.strip()) == (0, f"{SOURCE}: 1 new versions, 0 new types")
    status = CliRunner().invoke(cli, ["catalog", "status", "--as-of", "2026-11-20"], standalone_mode=False).stdout
    assert next(line for line in status.splitlines() if SOURCE in line).endswith("cache")
    given = CliRunner().invoke(cli, ["catalog", "status", "--catalog", str(Catalog().folder)], standalone_mode=False).stdout
    assert "cache" not in given.replace("catalog", "")
    assert CliRunner().invoke(cli, ["catalog", "verify"], standalone_mode=False).return_value == 0
    registry[0].script = [lambda h: send(h, b"", 404)]
    assert CliRunner().invoke(cli, words, standalone_mode=False).return_value == 2
