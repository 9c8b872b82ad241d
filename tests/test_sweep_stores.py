"""Object stores: a real S3-compatible server on loopback answers as a folder does, and says by name what it cannot give."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the extra `sweep` is not installed")
pytest.importorskip("pyarrow", reason="the extra `sweep` is not installed")
pytest.importorskip("s3fs", reason="the extra `s3` is not installed")
pytest.importorskip("moto", reason="moto is not installed")

from inprocess import PLANS
from sweeping import ask, settings, swept

from auditor.sweep.sources import shown

SECRET = "CANARYSECRETKEY"
CASES = ("a-eu-alias", "m-errored", "h-drift")
Spoiler = Callable[[dict[str, Any], Callable[..., Any], Iterator[bytes]], Any]


class Spoiled:
    """A server whose objects misbehave as their names say: slow, denied, truncated, and missing once they were listed."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        listing = "list-type" in environ.get("QUERY_STRING", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or listing:
            return self.app(environ, start)
        if "slow" in path:
            time.sleep(4)
        for name, status in (("denied", "403 Forbidden"), ("missing", "404 Not Found")):
            if name in path:
                start(status, [("Content-Length", "0")])
                return [b""]
        if "truncated" in path and environ["REQUEST_METHOD"] == "GET":
            told: list[Any] = []
            body = b"".join(self.app(environ, lambda *a: told.append(a)))
            start(*told[-1][:2])  # with the length of the whole
            return [body[: len(body) // 2]]
        return self.app(environ, start)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object, **__: object) -> None:
            return

    app = Spoiled(DomainDispatcherApplication(create_backend_app))
    httpd = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, bytes], None]]:
    """Puts an object into the bucket `plans`; credentials come from the environment, as the client's own chain reads them."""
    import boto3
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": server, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3", endpoint_url=server)
    client.create_bucket(Bucket="plans")
    yield lambda key, data: client.put_object(Bucket="plans", Key=key, Body=data)
    for held in client.list_objects_v2(Bucket="plans").get("Contents", ()):
        client.delete_object(Bucket="plans", Key=held["Key"])
    s3fs.S3FileSystem.clear_instance_cache()


def findings(store: Path) -> list[str]:
    sql = "SELECT stack, team, rule, kind, level, address, path, message, fingerprint FROM findings"
    return sorted(map(repr, ask(store, sql)))


def test_a_bucket_and_a_folder_give_the_same_answers(tmp_path: Path, bucket: Callable[[str, bytes], None]) -> None:
    for case in CASES:
        for file in ("plan.json", ".terraform.lock.hcl"):
            if (PLANS / case / file).exists():
                data = (PLANS / case / file).read_bytes()
                bucket(f"prod/team/{case}/{file}", data)
                (tmp_path / "e" / "team" / case).mkdir(parents=True, exist_ok=True)
                (tmp_path / "e" / "team" / case / file).write_bytes(data)
    swept(tmp_path / "folder", tmp_path / "e")
    swept(tmp_path / "prefix", "s3://plans/prod")
    swept(tmp_path / "glob", "s3://plans/prod/**/plan.json")
    assert findings(tmp_path / "folder")
    assert findings(tmp_path / "folder") == findings(tmp_path / "prefix")
    without_locks = [f for f in findings(tmp_path / "folder") if "LAG" not in f]
    assert without_locks == [f for f in findings(tmp_path / "glob") if "LAG" not in f]
    assert ask(tmp_path / "prefix", "SELECT plan FROM plans ORDER BY plan LIMIT 1") == [
        ("s3://plans/prod/team/a-eu-alias/plan.json",)
    ]
    swept(tmp_path / "one", "s3://plans/prod/team/a-eu-alias/plan.json")
    assert ask(tmp_path / "one", "SELECT status FROM plans") == [("read",)]


def test_an_archive_in_a_bucket(tmp_path: Path, bucket: Callable[[str, bytes], None]) -> None:
    import io
    import tarfile
    import zipfile

    plan = (PLANS / "a-eu-alias" / "plan.json").read_bytes()
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as z:
        z.writestr("team/s/plan.json", plan)
    with tarfile.open(fileobj=tarred, mode="w:gz") as t:
        member = tarfile.TarInfo("team/t/plan.json")
        member.size = len(plan)
        t.addfile(member, io.BytesIO(plan))
    bucket("e.zip", zipped.getvalue())
    bucket("e.tgz", tarred.getvalue())
    swept(tmp_path / "s", "s3://plans/")
    assert ask(tmp_path / "s", "SELECT plan, status FROM plans ORDER BY plan") == [
        ("s3://plans/e.tgz!team/t/plan.json", "read"), ("s3://plans/e.zip!team/s/plan.json", "read"),
    ]  # fmt: skip


def test_what_a_store_cannot_give_is_listed_by_name(tmp_path: Path, bucket: Callable[[str, bytes], None]) -> None:
    plan = (PLANS / "a-eu-alias" / "plan.json").read_bytes()
    for name in ("good", "slow", "denied", "missing", "truncated"):
        bucket(f"{name}.json", plan)
    bucket("cut.json", plan[:1000])
    swept(tmp_path / "s", "s3://plans/", "s3://nowhere/", given=settings(timeout=3.0))
    rows = ask(tmp_path / "s", "SELECT plan, status, reason, message FROM plans")
    told = {p.rpartition("plans/")[2]: (s, r, m) for p, s, r, m in rows}
    assert {k: v[:2] for k, v in told.items()} == {
        "good.json": ("read", ""), "slow.json": ("unreadable", "slow"), "denied.json": ("unreadable", "denied"),
        "missing.json": ("unreadable", "missing"), "truncated.json": ("unreadable", "truncated"),
        "cut.json": ("unreadable", "broken"), "s3://nowhere/": ("unreadable", "missing"),
    }  # fmt: skip
    for name, (_, reason, message) in told.items():
        assert not reason or name in message
    for table in ("runs", "plans"):
        assert SECRET not in repr(ask(tmp_path / "s", f"SELECT * FROM {table}"))


def test_http(tmp_path: Path, server: str, bucket: Callable[[str, bytes], None]) -> None:
    """A presigned URL: its query is what lets in, and is told to nobody."""
    import boto3

    plan = (PLANS / "a-eu-alias" / "plan.json").read_bytes()
    bucket("web/plan.json", plan)
    bucket("web/denied.json", plan)
    client = boto3.client("s3", endpoint_url=server)
    keys = ({"Bucket": "plans", "Key": f"web/{name}.json"} for name in ("plan", "denied"))
    signed = [client.generate_presigned_url("get_object", Params=key) for key in keys]
    swept(tmp_path / "s", *signed)
    told = ask(tmp_path / "s", "SELECT plan, status, reason, message FROM plans ORDER BY plan")
    assert [(p.rpartition("/")[2], s, r) for p, s, r, _ in told] == [
        ("denied.json", "unreadable", "denied"), ("plan.json", "read", ""),
    ]  # fmt: skip
    assert "ignature" in signed[0]
    for table in ("plans", "findings", "audits"):
        assert "ignature" not in repr(ask(tmp_path / "s", f"SELECT * FROM {table}"))


def test_urls_are_shown_without_what_lets_in() -> None:
    assert shown("https://user:pw@host:8080/a/b.json?X-Signature=1#f") == "https://host:8080/a/b.json"
    assert shown("s3://bucket/a") == "s3://bucket/a"
    assert shown("a/b?c.json") == "a/b?c.json"


def test_a_store_without_its_client_is_told_with_the_way_to_get_it(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    try:
        import gcsfs  # noqa: F401
    except ImportError:
        swept(tmp_path / "s", "gs://bucket/")
        [(reason, message)] = ask(tmp_path / "s", "SELECT reason, message FROM plans")
        assert reason == "unavailable"
        assert "pip install 'terraform-plan-auditor[sweep,gs]'" in message
