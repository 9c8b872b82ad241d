"""Input made to hurt: bounded time and memory, one clear sentence, exit 2."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from inprocess import PLANS, Run, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and limits of POSIX")

SECONDS = 10.0  # of processor time, ours and that of programs started: a busy machine adds nothing to it
PLAN = (PLANS / "a-eu-alias" / "plan.json").read_bytes()
LIMIT = 1_500_000_000  # bytes of address space


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """Processor time by the kernel, and memory: what grows without bound fails here and not on the machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT + _size(), hard))
    start = _spent()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert _spent() - start < SECONDS


def _spent() -> float:
    return sum(os.times()[:4])


def _size() -> int:
    if not Path("/proc/self/statm").exists():
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def check(folder: Path, *args: str, policy: str = "version: 1\nallow: [EU]\n") -> Run:
    (folder / "policy.yaml").write_text(policy)
    return run("check", *args, "--policy", "policy.yaml", "--as-of", "2026-11-20", cwd=folder)


def refused(done: Run, *words: str) -> None:
    assert done.code == 2, done
    assert done.out == ""
    assert any(w in done.err for w in words), done.err
    assert len(done.err) < 2_000
    assert "Traceback" not in done.err


DEEP = 300_000
NESTED = {
    "arrays": b"[" * DEEP,
    "objects": b'{"a":' * DEEP,
    "in a skipped key": b'{"format_version":"1.2","x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "in a body": b'{"format_version":"1.2","resource_changes":[{"address":"a.b","type":"a","change":{"after":'
    + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}}]}",
    "in the configuration": b'{"format_version":"1.2","configuration":{"root_module":{"variables":{"v":'
    + b'{"a":' * DEEP + b"{}" + b"}" * DEEP + b"}}}}",
    "in module calls": b'{"format_version":"1.2","configuration":{"root_module":'
    + b'{"module_calls":{"m":{"module":' * DEEP + b"{}" + b"}}}" * DEEP + b"}}",
    "in prior state": b'{"format_version":"1.2","resource_changes":[],"prior_state":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "in state modules": b'{"format_version":"1.0","values":{"root_module":'
    + b'{"child_modules":[' * DEEP + b"{}" + b"]}" * DEEP + b"}}",
}  # fmt: skip


@pytest.mark.parametrize("where", NESTED)
def test_deep_nesting(tmp_path: Path, where: str) -> None:
    (tmp_path / "plan.json").write_bytes(NESTED[where])
    refused(check(tmp_path, "plan.json"), "nested", "broken JSON", "not a plan")


@pytest.mark.parametrize("depth", [30, 200, 300])
def test_nesting_that_json_allows_is_read_or_refused(tmp_path: Path, depth: int) -> None:
    """Expressions, marks and modules nested as deep as the reader allows must not exhaust the stack later."""
    plan = json.loads(PLAN)
    node: object = {"references": ["var.x"]}
    for _ in range(depth):
        node = {"a": [node]}
    for block in plan["configuration"]["root_module"]["resources"]:
        block["expressions"] = dict.fromkeys(("region", "bucket", "availability_zone", "vpc_id"), node)
    marks: object = True
    for _ in range(depth):
        marks = {"region": marks}
    for r in plan["resource_changes"]:
        r["change"]["after_unknown"] = r["change"]["after_sensitive"] = marks
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    done = check(tmp_path, "plan.json", "--format", "json")
    assert done.code in (0, 1, 2)
    assert done.out or "nested" in done.err


def test_references_that_grow_are_followed_in_bounds(tmp_path: Path) -> None:
    """Each variable mentions the next one many times: 20^12 paths, if one walked them all."""
    plan = json.loads(PLAN)
    call: dict[str, object] = {}
    inner = {"resources": [_block(["var.v"])], "variables": {"v": {}}}
    for i in range(12):
        call = {"module": inner, "expressions": {"v": {"references": [f"var.v{j}" for j in range(20)] + ["var.v"]}}}
        names = {f"v{j}": {} for j in range(20)} | {"v": {}}
        inner = {"module_calls": {f"m{i}": call}, "variables": names}
        call["expressions"] |= {f"v{j}": {"references": [f"var.v{k}" for k in range(20)]} for j in range(20)}  # type: ignore[operator]
    plan["configuration"]["root_module"]["module_calls"] = {"top": {"module": inner}}
    address = "module.top." + "".join(f"module.m{i}." for i in reversed(range(12)))
    plan["resource_changes"].append(
        {"address": address + "aws_s3_bucket.b", "module_address": address[:-1], "type": "aws_s3_bucket", "name": "b",
         "mode": "managed", "provider_name": "registry.terraform.io/hashicorp/aws",
         "change": {"actions": ["create"], "after": {}, "after_unknown": {"region": True}}}
    )  # fmt: skip
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert check(tmp_path, "plan.json", "--format", "json").code in (1, 2)


def _block(references: list[str]) -> dict[str, object]:
    return {
        "address": "aws_s3_bucket.b", "type": "aws_s3_bucket", "name": "b", "mode": "managed",
        "provider_config_key": "aws", "expressions": {"region": {"references": references}},
    }  # fmt: skip


def test_huge_arrays_and_names(tmp_path: Path) -> None:
    plan = json.loads(PLAN)
    plan["resource_changes"][0]["change"]["after"]["tags"] = {f"k{i}": "v" * 50 for i in range(100_000)}
    plan["resource_changes"][1]["address"] = "aws_s3_bucket.x[" + '"' + "\\" * 500_000 + '"]'
    plan["resource_changes"][2]["change"]["after"]["region"] = "[" * 200_000 + "a" * 200_000
    plan["resource_changes"][3]["change"]["after"]["replica"] = [{"region_name": "us-east-1"}] * 50_000
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert check(tmp_path, "plan.json").code == 1


# --- binary plans


def _zip(*entries: tuple[str, bytes], deflate: bool = True) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as z:
        for name, data in entries:
            z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
    return out.getvalue()


ARCHIVES = {
    "a bomb in a module": _zip(("tfconfig/modules.json", b"[]"), ("tfconfig/m-/main.tf", b" " * 300_000_000)),
    "a bomb in the lock": _zip((".terraform.lock.hcl", b" " * 300_000_000)),
    "many entries": _zip(*((f"tfconfig/m-/{i}.tf", b"") for i in range(51_000)), deflate=False),
    "a path upwards": _zip(("tfconfig/m-/../../../etc/x.tf", b"a = 1")),
    "an absolute path": _zip(("tfconfig/m-//etc/x.tf", b"a = 1"), ("tfconfig/m-/../x.tf", b"")),
    "a cut zip": _zip(("tfplan", b"x" * 5000), deflate=False)[:300],
    "a zip of nothing": _zip(),
    "a nested manifest": _zip(("tfconfig/modules.json", b"[" * 200_000), ("tfconfig/m-/main.tf", b"")),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_archives(tmp_path: Path, what: str) -> None:
    (tmp_path / "tfplan").write_bytes(ARCHIVES[what])
    (tmp_path / "plan.json").write_bytes(PLAN)
    refused(check(tmp_path, "tfplan"), "tfplan", "no Terraform files")
    refused(check(tmp_path, "plan.json", "--binary-plan", "tfplan"), "tfplan", "no Terraform files")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.json", "policy.yaml", "tfplan"]


# --- files that are none


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", "/dev/tty", "/dev/null", "link-to-zero", "loop", "socket"])
def test_pipes_devices_and_links(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link-to-zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    import socket

    with socket.socket(socket.AF_UNIX) as s:
        s.bind(os.path.relpath(tmp_path / "socket"))
        (tmp_path / "plan.json").write_bytes(PLAN)
        for args in (
            (path,), ("plan.json", "--policy", path), ("plan.json", "--workload", path), ("plan.json", "--lock", path),
            ("plan.json", "--baseline", path), ("plan.json", "--new-only", path), ("plan.json", "--binary-plan", path),
        ):  # fmt: skip
            done = run("check", *args, cwd=tmp_path)
            assert done.code == 2, (args, done)
            assert path in done.err or "/dev/zero" in done.err


WAIVE = ("waive", "SOV001", "a.b", "--reason", "r", "--expires", "2027-01-31", "--as-of", "2026-11-20", "--file")


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", "loop", "folder", "", "a" * 5_000, "plan.json/x"])
def test_no_command_waits_for_ever_or_crashes_on_what_is_no_file(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    (tmp_path / "plan.json").write_bytes(PLAN)
    for args in (
        ("check", path), ("gates", path), ("jobs", path), ("dump", path), ("baseline", path), ("diff", path, path),
        ("explain", "abcdef", "--report", path), ("explain", "abcdef", "--plan", path), ("validate", path), (*WAIVE, path),
        ("calc", "latency", path), ("check", "plan.json", "--hcl-dir", path), ("check", "plan.json", "--catalog", path),
    ):  # fmt: skip
        done = run(*args, cwd=tmp_path)
        assert done.code == 2, (args, done)
        assert done.out == ""


def test_other_files_are_not_told_word_by_word(tmp_path: Path) -> None:
    """The wrong file named: what it holds, on one line, stays out of the error."""
    (tmp_path / "plan.json").write_text(json.dumps({**json.loads(PLAN), "variables": {"p": {"value": "CANARY"}}}))
    for args in (("calc", "latency", "plan.json"), ("calc", "latency", "plan.json", "--column", "x"), ("test", "plan.json"),
                     ("check", "plan.json", "--policy", "./plan.json"), ("diff", "plan.json", "plan.json")):  # fmt: skip
        done = run(*args, cwd=tmp_path)
        assert done.code == 2
        assert "CANARY" not in done.out + done.err
        assert len(done.err) < 5_000, args


def test_a_pipe_that_the_shell_opened_is_read(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)
    call = f"'{sys.executable}' -c 'from auditor.cli import main; main()'"
    words = f"{call} check <(cat plan.json) --format json --as-of 2026-11-20"
    done = subprocess.run(["bash", "-c", words], cwd=tmp_path, capture_output=True, check=False)
    assert done.stdout, done.stderr
    assert json.loads(done.stdout)["coverage"]["resources"] == 12


@pytest.mark.parametrize("name", ["main.tf", "terraform.tfvars", ".terraform.lock.hcl", "x.tf.json"])
def test_pipes_in_a_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "ok.tf").write_text('variable "a" {}\n')
    os.mkfifo(folder / name)
    refused(check(tmp_path, "root"), name)


def test_links_out_of_the_root(tmp_path: Path) -> None:
    """A source file that is a link to elsewhere would put the words of that file into errors and reports."""
    (tmp_path / "secret").write_text("aws_secret_access_key = CANARY\n")
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "ok.tf").write_text('variable "a" {}\n')
    for name in ("main.tf", "terraform.tfvars", ".terraform.lock.hcl"):
        (folder / name).symlink_to(tmp_path / "secret")
        done = check(tmp_path, "root")
        refused(done, name)
        assert "CANARY" not in done.err
        (folder / name).unlink()


def test_a_module_whose_folder_is_a_link_out_of_the_root(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "main.tf").write_text('CANARY "x" {}\n')
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "main.tf").write_text('module "m" {\n  source = "./m"\n}\n')
    (folder / "m").symlink_to(tmp_path / "elsewhere")
    done = check(tmp_path, "root")
    refused(done, "a link that leaves")
    assert "CANARY" not in done.err


def test_links_inside_the_repository_are_followed(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "common.tf").write_text('provider "aws" {\n  region = "us-east-1"\n}\n')
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "providers.tf").symlink_to(tmp_path / "common.tf")
    (folder / "main.tf").write_text('resource "aws_s3_bucket" "b" {}\n')
    done = check(tmp_path, "root", "--format", "json")
    assert [f["observed"] for f in json.loads(done.out)["findings"] if f["rule"] == "SOV001"] == ["us-east-1"]


# --- bombs of text

SOURCES = {
    "count": 'resource "aws_s3_bucket" "b" {\n  count = 1000000000\n}\n',
    "range": 'locals {\n  a = range(1000000000)\n}\nresource "aws_s3_bucket" "b" {\n  count = length(local.a)\n}\n',
    "doubling": "locals {\n  l0 = [0]\n"
    + "".join(f"  l{i} = concat(local.l{i - 1}, local.l{i - 1})\n" for i in range(1, 64))
    + '}\nresource "aws_s3_bucket" "b" {\n  count = length(local.l63)\n}\n',
    "text": 'locals {\n  l0 = "xxxxxxxx"\n'
    + "".join(f'  l{i} = "${{local.l{i - 1}}}${{local.l{i - 1}}}"\n' for i in range(1, 64))
    + '}\nresource "aws_s3_bucket" "b" {\n  region = local.l63\n}\n',
    "trees": "locals {\n  l0 = [0, 0]\n"
    + "".join(f"  l{i} = [local.l{i - 1}, local.l{i - 1}]\n" for i in range(1, 48))
    + '}\nresource "aws_s3_bucket" "b" {\n  region = jsonencode(local.l47)\n}\n',
    "for": "locals {\n  n = range(3000)\n  a = [for x in local.n : [for y in local.n : [for z in local.n : x]]]\n}\n"
    'resource "aws_s3_bucket" "b" {\n  count = length(local.a)\n}\n',
    "setproduct": "locals {\n  n = range(9000)\n  a = setproduct(local.n, local.n, local.n)\n}\n"
    'resource "aws_s3_bucket" "b" {\n  count = length(local.a)\n}\n',
    "cycle": 'locals {\n  a = local.b\n  b = local.a\n}\nresource "aws_s3_bucket" "b" {\n  region = local.a\n}\n',
    "regex": 'locals {\n  a = regex("(a+)+$", "' + "a" * 40 + '!")\n}\nresource "aws_s3_bucket" "b" {\n  region = local.a\n}\n',
    "power": 'resource "aws_s3_bucket" "b" {\n  count = pow(10, 1000000000)\n}\n',
    "number": 'resource "aws_s3_bucket" "b" {\n  count = 1e999999999\n}\n',
    "format": 'resource "aws_s3_bucket" "b" {\n  region = format("%1000000000d", 1)\n}\n',
    "parentheses": 'resource "aws_s3_bucket" "b" {\n  region = ' + "(" * 100_000 + "1" + ")" * 100_000 + "\n}\n",
    "templates": 'resource "aws_s3_bucket" "b" {\n  region = ' + '"${' * 20_000 + "1" + '}"' * 20_000 + "\n}\n",
    "blocks": 'resource "aws_s3_bucket" "b" {\n' + "a {\n" * 50_000 + "}\n" * 50_000 + "}\n",
    "itself": 'module "m" {\n  source = "./."\n}\n',
}


@pytest.mark.parametrize("what", SOURCES)
def test_source_that_expands(tmp_path: Path, what: str) -> None:
    """A refusal, or an audit with the resource open: never a pass."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "main.tf").write_text(SOURCES[what])
    done = check(tmp_path, "root", "--format", "json", policy="version: 1\nallow: [EU]\non_unknown: error\n")
    assert done.code in (1, 2), done
    assert len(done.err) < 5_000


def test_yaml_bombs(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    others = ("a: " + "[" * 50_000, "- " * 20_000, "a: &a [*a]\n", "x: " + "9" * 900_000, "a: !!python/name:os.system x\n")
    for policy in (laughs, *others):
        refused(check(tmp_path, "plan.json", policy=policy), "policy.yaml")


@pytest.mark.parametrize(
    "keys",
    ['extends: ["./a\\0b.yaml"]', 'rules_dirs: ["a\\0b"]', 'waiver_files: ["a\\0b"]',
     'baseline: "a\\0b"', 'catalog: {regions: ["./a\\0b.csv"]}'],
)
def test_paths_of_policies_that_no_file_can_have(tmp_path: Path, keys: str) -> None:
    (tmp_path / "plan.json").write_bytes(PLAN)
    refused(check(tmp_path, "plan.json", policy=f"version: 1\nallow: [EU]\n{keys}\n"), "a")


def test_patterns_of_policies_are_not_hostile(tmp_path: Path) -> None:
    """Globs with many stars, against a long name."""
    plan = json.loads(PLAN)
    plan["resource_changes"][0]["address"] = "aws_s3_bucket." + "a" * 3_000
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    glob = "*a" * 25 + "*b"
    policy = f'version: 1\nallow: [EU]\nscopes:\n  - match: {{address: "{glob}"}}\n    allow: [DE]\n'
    policy += f'waivers:\n  - {{rule: SOV001, address: "{glob}", reason: no reason at all, owner: me, expires: 2026-12-31}}\n'
    assert check(tmp_path, "plan.json", policy=policy).code in (0, 1, 2)


def _with(**keys: object) -> bytes:
    return json.dumps({**json.loads(PLAN), **keys}).encode()


def _first(**keys: object) -> bytes:
    plan = json.loads(PLAN)
    plan["resource_changes"][0] |= keys
    return json.dumps(plan).encode()


def _actions(*actions: str) -> bytes:
    plan = json.loads(PLAN)
    for r in plan["resource_changes"]:
        r["change"]["actions"] = list(actions)
    return json.dumps(plan).encode()


def _twice() -> bytes:
    plan = json.loads(PLAN)
    plan["resource_changes"] += plan["resource_changes"]
    return json.dumps(plan).encode()


REGION = b'"region":"us-east-1"'
AFTER = b'"after":{'
SHORT = json.dumps(json.loads(PLAN)["resource_changes"][:1]).encode()
# name -> (plan, exit code). The plan has findings: what is read ends with 1, what cannot be with 2, and nothing with 0.
ODD = {
    "a million brackets": (b"[" * 1_000_000, 2),
    "fifty million brackets": (b'{"format_version":"1.2","x":' + b"[" * 50_000_000, 2),
    "a version of a thousand digits": (_with(format_version="1." + "9" * 1_000), 1),
    "version 1e9": (_with(format_version="1e9"), 2),
    "version -1.0": (_with(format_version="-1.0"), 2),
    "a version that is a number": (_with(format_version=1.2), 2),
    "no type": (json.dumps({**(p := json.loads(PLAN)), "resource_changes": [{k: v for k, v in r.items() if k != "type"}
                for r in p["resource_changes"]]}).encode(), 2),
    "an empty type": (_first(type=""), 1),
    "an action of unknown kind": (_actions("frobnicate"), 1),
    "an unknown action beside a known one": (_actions("delete", "frobnicate"), 1),
    "an action in capitals": (_actions("DELETE"), 1),
    "no action": (_actions(), 1),
    "every address twice": (_twice(), 1),
    "an index beyond all numbers": (_first(index=10**400), 1),
    "NaN": (PLAN.replace(AFTER, AFTER + b'"x": NaN,', 1), 2),
    "a number of a hundred thousand digits": (PLAN.replace(AFTER, AFTER + b'"x": ' + b"9" * 100_000 + b",", 1), 1),
    "an exponent without end": (PLAN.replace(AFTER, AFTER + b'"x": 1e999999999999,', 1), 1),
    "a raw NUL": (PLAN.replace(REGION, b'"region": "us-east\x00-1"', 1), 2),
    "an escaped NUL": (PLAN.replace(REGION, b'"region": "us-east\\u0000-1"', 1), 1),
    "invalid UTF-8 in a name": (PLAN.replace(b'"name":"', b'"name":"\xff', 1), 2),
    "invalid UTF-8 in a value": (PLAN.replace(AFTER, AFTER + b'"x": "\xc3\x28",', 1), 2),
    "an encoded surrogate": (PLAN.replace(AFTER, AFTER + b'"x": "\xed\xa0\x80",', 1), 2),
    "the list of changes twice, the last one empty": (PLAN.rstrip()[:-1] + b', "resource_changes": []}', 2),
    "the list of changes twice, the last one shorter": (PLAN.rstrip()[:-1] + b', "resource_changes": ' + SHORT + b"}", 2),
    "the list of changes twice, spaced": (b'{ "resource_changes" : [ ] ,' + PLAN.lstrip()[1:], 2),
    "the words of the list inside a resource": (PLAN.replace(AFTER, AFTER + b'"resource_changes": [],', 2), 1),
    "a region twice, the last one outside": (PLAN.replace(REGION, b'"region":"eu-west-1",' + REGION), 1),
    "two plans in one file": (PLAN + PLAN, 2),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_odd_plans(tmp_path: Path, what: str) -> None:
    data, code = ODD[what]
    (tmp_path / "plan.json").write_bytes(data)
    done = check(tmp_path, "plan.json")
    assert done.code == code, (done.err, done.out[-300:])
    if code == 2:
        refused(done, "plan.json", "not of the shape")
