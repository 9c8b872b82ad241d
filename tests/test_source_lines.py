"""Every finding points at the line a person would point at, or at none: recorded plans and hand-made sources."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import PLANS, Auditor

from auditor.catalog import Catalog, data_dir
from auditor.cli.common import known_rules
from auditor.config import load_config
from auditor.errors import InputError
from auditor.load.archive import Archive
from auditor.load.hcl.folders import Disk
from auditor.load.hcl.modules import read_tree
from auditor.load.lockfile import with_locks
from auditor.load.plan import load
from auditor.load.source import with_source
from auditor.model import Change, Plan, Report, Resource
from auditor.pipeline import audit
from auditor.resolve.source import Pointer
from auditor.rules import select

LINES = sorted(PLANS.glob("*/expected_lines.json"))
STRICT = ("SOV", "LAG", "WRK")  # every finding of these has its line written down
RUNS = [(p, name, way) for p in LINES for name in json.loads(p.read_text()) for way in ("folder", "binary plan")]


def report_of(plans: list[Plan], tmp_path: Path) -> Report:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nallow: [EU]\n")
    catalog, every = Catalog(), known_rules()
    config = load_config(
        str(policy), None, {}, index=catalog.index, rules=every, as_of="2026-11-20", cwd=tmp_path,
        policies_dir=data_dir("policies"),
    )  # fmt: skip
    return audit(with_locks(plans), config, catalog, select(every.values(), (), {}), every, date(2026, 11, 20))


@pytest.mark.parametrize(("lines", "name", "way"), RUNS, ids=[f"{p.parent.name}-{n}-{w}" for p, n, w in RUNS])
def test_recorded(lines: Path, name: str, way: str, tmp_path: Path) -> None:
    case = lines.parent
    if way == "binary plan" and not (case / "tfplan").exists():
        pytest.skip("no binary plan recorded")
    binary = way == "binary plan"
    plans = with_source(load(str(case / name), bytes), None if binary else case, case / "tfplan" if binary else None)
    seen: dict[str, str] = {}
    for f in report_of(plans, tmp_path).findings:
        key = f"{f.rule} {f.address} {f.path}".strip()
        if f.location is not None:
            file = Path(f.location.file).resolve()
            seen[key] = f"{file.relative_to(case.resolve())}:{f.location.start_line}"
            line = file.read_text(encoding="utf-8").splitlines()[f.location.start_line - 1]
            assert 1 <= f.location.start_column < f.location.end_column <= len(line) + 1
    held = json.loads(lines.read_text())[name]
    assert {k: seen.get(k) for k in held} == held
    assert [k for k in seen if k not in held and k.startswith(STRICT)] == []


def point(tmp_path: Path, files: dict[str, str], address: str, path: str, after: dict[str, Any] | None = None) -> str:
    """`file:line:columns text` of where a path of a resource points, `none` for nowhere."""
    for name, text in files.items():
        file = tmp_path / "root" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    tree = read_tree(Disk(tmp_path / "root", ""))
    change = Change(("create",), after=msgspec.Raw(msgspec.json.encode(after or {})))
    type_ = address.split("[")[0].split(".")[-2]
    plan = Plan("plan.json", "plan", [Resource(address, type_, change=change)])
    found = Pointer(plan, tree).point(address, path)
    place = found.primary
    if place is None:
        return "none"
    line = (tmp_path / "root" / place.file).read_text(encoding="utf-8-sig").splitlines()[place.start_line - 1]
    inner = f" inside {found.inner.file}:{found.inner.start_line}" if found.inner else ""
    return f"{place.file}:{place.start_line} {line[place.start_column - 1 : place.end_column - 1]}{inner}"


TWO = """resource "aws_x" "t" {
  replica {
    region_name = "us-west-2"
  }
  replica { region_name = var.second }
}
"""
DYNAMIC = """resource "aws_x" "t" {
  dynamic "replica" {
    for_each = toset(var.regions)
    content {
      region_name = replica.value
    }
  }
}
"""
KNOWN = """locals {
  near = ["eu-west-1"]
  far  = ["us-west-2", "us-east-1"]
  name = "ap-${local.one}"
  one  = "south-1"
}
resource "aws_x" "t" {
  dynamic "replica" {
    for_each = local.near
    content {
      region_name = replica.value
    }
  }
  dynamic "replica" {
    for_each = toset(local.far)
    iterator = it
    content {
      region_name = it.key
    }
  }
  replica {
    region_name = local.name
  }
}
"""
PLANNED = {"replica": [{"region_name": "ap-south-1"}, {"region_name": "us-west-2"}, {"region_name": "eu-west-1"}, {"region_name": "us-east-1"}]}
CASES = [
    ("attribute", {"main.tf": 'resource "aws_x" "t" {\n  region = "us"\n}\n'}, "aws_x.t", "region", None, 'main.tf:2 region = "us"'),
    ("absent attribute", {"main.tf": 'resource "aws_x" "t" {\n}\n'}, "aws_x.t", "region", None, 'main.tf:1 resource "aws_x" "t" {'),
    ("no such block", {"main.tf": 'resource "aws_x" "t" {\n}\n'}, "aws_x.other", "region", None, "none"),
    ("declared twice", {"a.tf": 'resource "aws_x" "t" {}\n', "b.tf": 'resource "aws_x" "t" {}\n'}, "aws_x.t", "r", None, "none"),
    ("byte order mark and CRLF", {"main.tf": '\ufeffresource "aws_x" "t" {\r\n  region = "us" # ü\r\n}\r\n'}, "aws_x.t", "region", None, 'main.tf:2 region = "us"'),
    ("columns are characters", {"main.tf": 'resource "aws_x" "t" { /* größe ✓ */ region = "us" }\n'}, "aws_x.t", "region", None, 'main.tf:1 region = "us"'),
    ("after a heredoc", {"main.tf": 'resource "aws_x" "t" {\n  a = <<-E\n    region = "no"\n    }\n  E\n  region = "us"\n}\n'}, "aws_x.t", "region", None, 'main.tf:6 region = "us"'),
    ("only the first line of a long value", {"main.tf": 'resource "aws_x" "t" {\n  regions = [\n    "us",\n  ]\n}\n'}, "aws_x.t", "regions", None, "main.tf:2 regions = ["),
    ("an element of it", {"main.tf": 'resource "aws_x" "t" {\n  regions = [\n    "eu",\n    "us",\n  ]\n}\n'}, "aws_x.t", "regions[0]", {"regions": ["us", "eu"]}, 'main.tf:4 "us"'),
    ("exponent literal", {"main.tf": 'resource "aws_x" "t" {\n  a = 4e+6\n  region = "us"\n}\n'}, "aws_x.t", "region", None, 'main.tf:3 region = "us"'),
    ("instance keys", {"main.tf": 'resource "aws_x" "t" {\n  for_each = {}\n  region = "us"\n}\n'}, 'aws_x.t["a.b[0]"]', "region", None, 'main.tf:3 region = "us"'),
    ("second of two blocks", {"main.tf": TWO}, "aws_x.t", "replica[1].region_name", {"replica": [{"region_name": "us-west-2"}, {"region_name": "x"}]}, "main.tf:5 region_name = var.second"),
    ("a set planned in another order", {"main.tf": TWO}, "aws_x.t", "replica[0].region_name", {"replica": [{"region_name": "eu-west-1"}, {"region_name": "us-west-2"}]}, "main.tf:5 region_name = var.second"),
    ("a set planned in another order, the literal one", {"main.tf": TWO}, "aws_x.t", "replica[1].region_name", {"replica": [{"region_name": "eu-west-1"}, {"region_name": "us-west-2"}]}, 'main.tf:3 region_name = "us-west-2"'),
    ("alike blocks of which none is sure", {"main.tf": TWO.replace('"us-west-2"', "var.first")}, "aws_x.t", "replica", {"replica": [{"region_name": "a"}, {"region_name": "b"}]}, "none"),
    ("more elements than blocks", {"main.tf": TWO.replace('"us-west-2"', "var.first")}, "aws_x.t", "replica[2].region_name", {"replica": [{"region_name": "a"}, {"region_name": "b"}, {"region_name": "c"}]}, "none"),
    ("two dynamic content blocks", {"main.tf": DYNAMIC.replace("    }\n  }", "    }\n    content {\n    }\n  }")}, "aws_x.t", "replica[0].region_name", {"replica": [{"region_name": "a"}]}, 'main.tf:2 dynamic "replica" {'),
    ("a list of one object", {"main.tf": 'resource "aws_x" "t" {\n  body = [{\n    sku = "Zone"\n  }]\n}\n'}, "aws_x.t", "body.sku", {"body": [{"sku": "Zone"}]}, 'main.tf:3 sku = "Zone"'),
    ("an object whose key stands twice", {"main.tf": 'resource "aws_x" "t" {\n  body = {\n    sku = "a"\n    "sku" = "b"\n  }\n}\n'}, "aws_x.t", "body.sku", None, "none"),
    ("an empty list", {"main.tf": 'resource "aws_x" "t" {\n  regions = []\n}\n'}, "aws_x.t", "regions[0]", {"regions": ["a"]}, "main.tf:2 regions = []"),
    ("an element that stands twice", {"main.tf": 'resource "aws_x" "t" {\n  regions = ["a", "a", "b"]\n}\n'}, "aws_x.t", "regions[0]", {"regions": ["a", "b"]}, "none"),
    ("a module call", {"main.tf": '\nmodule "a" {\n  source = "./m"\n}\n', "m/r.tf": 'module "b" {\n  source = "./n"\n}\n', "m/n/r.tf": ""}, "module.a.module.b", "", None, 'm/r.tf:1 module "b" {'),
    ("two state backends", {"main.tf": 'terraform {\n  backend "s3" {\n    region = "us-east-1"\n  }\n}\nterraform {\n  cloud {\n  }\n}\n'}, "terraform.backend", "region", None, "none"),
    ("a resource of a module called twice by one name", {"a.tf": 'module "a" {\n  source = "./m"\n}\n', "b.tf": 'module "a" {\n  source = "./m"\n}\n', "m/r.tf": 'resource "aws_x" "t" {\n  region = "us"\n}\n'}, "module.a.aws_x.t", "region", None, "none"),
    ("a list kept in order", {"main.tf": 'resource "aws_x" "t" {\n  nic {\n    s = var.a\n  }\n  nic {\n    s = var.b\n  }\n}\n'}, "aws_x.t", "nic[1].s", {"nic": [{"s": "1"}, {"s": "2"}]}, "main.tf:6 s = var.b"),
    ("two dynamic blocks of one type", {"main.tf": DYNAMIC.replace("}\n}\n", "}\n" + DYNAMIC.split("\n", 1)[1])}, "aws_x.t", "replica[1].region_name", {"replica": [{"region_name": "a"}, {"region_name": "b"}]}, "none"),
    ("dynamic block", {"main.tf": DYNAMIC}, "aws_x.t", "replica[1].region_name", {"replica": [{"region_name": "a"}, {"region_name": "b"}]}, "main.tf:5 region_name = replica.value"),
    ("dynamic blocks over known lists, the first", {"main.tf": KNOWN}, "aws_x.t", "replica[2].region_name", PLANNED, "main.tf:11 region_name = replica.value"),
    ("dynamic blocks over known lists, the second", {"main.tf": KNOWN}, "aws_x.t", "replica[1].region_name", PLANNED, "main.tf:18 region_name = it.key"),
    ("dynamic blocks over known lists, the static one", {"main.tf": KNOWN}, "aws_x.t", "replica[0].region_name", PLANNED, "main.tf:22 region_name = local.name"),
    ("dynamic blocks over lists that share a value", {"main.tf": KNOWN.replace('"eu-west-1"', '"us-east-1"')}, "aws_x.t", "replica[0].region_name", {"replica": [{"region_name": "us-east-1"}, {"region_name": "us-west-2"}]}, "none"),
    ("blocks told apart by a module's arguments", {"main.tf": 'module "m" {\n  source = "./m"\n  a = "x1"\n  b = "x2"\n}\n', "m/r.tf": 'variable "a" {}\nvariable "b" {}\nresource "aws_x" "t" {\n  nic {\n    s = var.a\n  }\n  nic {\n    s = var.b\n  }\n}\n'}, "module.m.aws_x.t", "nic[0].s", {"nic": [{"s": "x2"}, {"s": "x1"}]}, "m/r.tf:8 s = var.b"),
    ("blocks told apart by the instance's key", {"main.tf": 'resource "aws_x" "t" {\n  for_each = toset(["p", "q"])\n  nic {\n    s = "${each.key}-1"\n  }\n  nic {\n    s = "${each.value}-2"\n  }\n}\n'}, 'aws_x.t["q"]', "nic[0].s", {"nic": [{"s": "q-2"}, {"s": "q-1"}]}, 'main.tf:7 s = "${each.value}-2"'),
    ("a place as the provider writes it", {"main.tf": 'resource "aws_x" "t" {\n  geo {\n    location = "West Europe"\n  }\n  geo {\n    location = var.l\n  }\n}\n'}, "aws_x.t", "geo[0].location", {"geo": [{"location": "westeurope"}, {"location": "eastus2"}]}, 'main.tf:3 location = "West Europe"'),
    ("static before dynamic", {"main.tf": DYNAMIC.replace("{\n  dynamic", '{\n  replica {\n    region_name = "a"\n  }\n  dynamic', 1)}, "aws_x.t", "replica[2].region_name", {"replica": [{"region_name": "a"}, {"region_name": "b"}, {"region_name": "c"}]}, "main.tf:8 region_name = replica.value"),
    ("attribute absent from a nested block", {"main.tf": TWO}, "aws_x.t", "replica[0].kms", {"replica": [{"region_name": "us-west-2"}, {"region_name": "b"}]}, "main.tf:2 replica {"),
    ("inside an object", {"main.tf": 'resource "az" "t" {\n  body = {\n    sku = { name = "Zone" }\n  }\n}\n'}, "az.t", "body.sku.name", None, 'main.tf:3 name = "Zone"'),
    ("override file with a dot in its name", {"main.tf": 'resource "aws_x" "t" {\n  region = "eu"\n}\n', "main.x_override.tf": 'resource "aws_x" "t" {\n  region = "us"\n}\n'}, "aws_x.t", "region", None, 'main.x_override.tf:2 region = "us"'),
    ("override file", {"main.tf": 'resource "aws_x" "t" {\n  region = "eu"\n}\n', "x_override.tf": '\nresource "aws_x" "t" {\n  region = "us"\n}\n'}, "aws_x.t", "region", None, 'x_override.tf:3 region = "us"'),
    ("JSON syntax", {"main.tf.json": '{"resource": {"aws_x": {\n "t": {\n  "replica": [{"region_name": "a"},\n  {"region_name": "${var.x}"}]}}}}'}, "aws_x.t", "replica[1].region_name", {"replica": [{"region_name": "a"}, {"region_name": "b"}]}, 'main.tf.json:4 "region_name": "${var.x}"'),
    ("JSON syntax, dynamic", {"main.tf.json": '{"resource": [{"aws_x": {"t": {"dynamic": {"replica": {"for_each": [1],\n "content": {\n"region_name": "us"}}}}}}]}'}, "aws_x.t", "replica[0].region_name", None, 'main.tf.json:3 "region_name": "us"'),
    ("local module below another", {"main.tf": 'module "a" {\n  source = "./m"\n}\n', "m/main.tf": 'module "b" { source = "../n" }\n', "n/r.tf": 'resource "aws_x" "t" {\n  region = var.r\n}\n'}, "module.a[0].module.b.aws_x.t", "region", None, "n/r.tf:2 region = var.r"),
    ("downloaded module", {"main.tf": '\nmodule "a" {\n  source = "acme/a/aws"\n}\n', ".terraform/modules/modules.json": '{"Modules":[{"Key":"","Dir":"."},{"Key":"a","Dir":".terraform/modules/a"}]}', ".terraform/modules/a/main.tf": 'resource "aws_x" "t" {\n  region = var.r\n}\n'}, "module.a.aws_x.t", "region", None, 'main.tf:2 module "a" { inside .terraform/modules/a/main.tf:2'),
    ("local module inside a downloaded one", {"main.tf": 'module "a" { source = "acme/a/aws" }\n', ".terraform/modules/modules.json": '{"Modules":[{"Key":"a","Dir":".terraform/modules/a"}]}', ".terraform/modules/a/main.tf": '\nmodule "b" { source = "./b" }\n', ".terraform/modules/a/b/main.tf": 'resource "aws_x" "t" {}\n'}, "module.a.module.b.aws_x.t", "region", None, 'main.tf:1 module "a" { inside .terraform/modules/a/b/main.tf:1'),
    ("module not downloaded", {"main.tf": 'module "a" { source = "acme/a/aws" }\n'}, "module.a.aws_x.t", "region", None, 'main.tf:1 module "a" {'),
    ("forgotten resource", {"main.tf": 'removed {\n  from = aws_x.t\n}\n'}, "aws_x.t", "region", None, "main.tf:1 removed {"),
    ("state backend", {"main.tf": 'terraform {\n  backend "s3" {\n    region = "us-east-1"\n  }\n}\n'}, "terraform.backend", "region", None, 'main.tf:3 region = "us-east-1"'),
    ("state backend without the attribute", {"main.tf": 'terraform {\n  backend "gcs" {\n  }\n}\n'}, "terraform.backend", "", None, 'main.tf:2 backend "gcs" {'),
    ("comments in odd places", {"main.tf": 'resource /* a */ "aws_x" "t" { # region = "no"\n  region /* b */ = /* c */ "us" // d\n}\n'}, "aws_x.t", "region", None, 'main.tf:2 region /* b */ = /* c */ "us"'),
]  # fmt: skip


@pytest.mark.parametrize(("files", "address", "path", "after", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_points_at(
    tmp_path: Path, files: dict[str, str], address: str, path: str, after: dict[str, Any] | None, wanted: str
) -> None:
    assert point(tmp_path, files, address, path, after) == wanted


AWS = 'aws = {\n      source  = "hashicorp/aws"\n      version = "~> 5.0"\n    }'
ACME = 'acme = {\n      version = "1.0"\n      source  = "registry.terraform.io/Acme/Things"\n    }'


@pytest.mark.parametrize(
    ("text", "source", "path", "wanted"),
    [
        (f"terraform {{\n  required_providers {{\n    {AWS}\n    {ACME}\n  }}\n}}\n", "hashicorp/aws", "", 3),
        (f"terraform {{\n  required_providers {{\n    {AWS}\n    {ACME}\n  }}\n}}\n", "acme/things", "", 7),
        (f"terraform {{\n  required_providers {{\n    {ACME}\n  }}\n}}\n", "hashicorp/aws", "", None),
        (f'terraform {{\n  required_providers {{\n    {ACME}\n  }}\n}}\nprovider "acme" {{\n  url = "x"\n}}\n', "acme/things", "url", 10),
        ('provider "aws" {\n}\n', "hashicorp/aws", "", 1),
        ('provider "aws" {\n}\nprovider "google" {\n}\n', "hashicorp/google", "", 3),
        ('provider "aws" {\n}\nprovider "aws" {\n  alias = "b"\n}\n', "hashicorp/aws", "", None),
        ('provider "aws" {\n  access_key = "x"\n}\nprovider "aws" {\n  alias = "b"\n  access_key = "y"\n}\n', "hashicorp/aws", "access_key", None),
        (f"terraform {{\n  required_providers {{\n    {AWS}\n  }}\n}}\nterraform {{\n  required_providers {{\n    {AWS}\n  }}\n}}\n", "hashicorp/aws", "", None),
    ],
)  # fmt: skip
def test_a_provider_is_where_it_is_required(tmp_path: Path, text: str, source: str, path: str, wanted: int | None) -> None:
    (tmp_path / "main.tf").write_text(text)
    found = Pointer(Plan("plan.json", "plan", []), read_tree(Disk(tmp_path, ""))).point(source, path)
    assert (found.primary.start_line if found.primary else None) == wanted


def test_source_that_the_plan_was_not_made_from_gives_no_line(tmp_path: Path) -> None:
    case = PLANS / "f-gcp"
    other = tmp_path / "other"
    other.mkdir()
    text = (case / "main.tf").read_text().replace('location = "us-central1"', 'location = "europe-west1"')
    (other / "main.tf").write_text(text)
    report = report_of(with_source(load(str(case / "plan.json"), bytes), other), tmp_path)
    by_address = {f.address: f.location for f in report.findings}
    assert by_address["google_storage_bucket.us"] is None
    assert by_address["google_bigquery_dataset.d"] is not None


def test_evidence_carries_its_lines(tmp_path: Path) -> None:
    case = PLANS / "g-unknown-sensitive"
    report = report_of(with_source(load(str(case / "plan.json"), bytes), case), tmp_path)
    found = next(f for f in report.findings if f.address == "aws_s3_bucket.secret_region")
    assert {e.what: e.line for e in found.evidence if e.line} == {'provider alias "aws.secret"': 61, "variable secret_region": 30}


def test_a_binary_plan_alone_names_root_relative_files(tmp_path: Path) -> None:
    data = (PLANS / "a-eu-alias" / "tfplan").read_bytes()
    (tmp_path / "tfplan").write_bytes(data)
    plans = with_source(load(str(PLANS / "a-eu-alias" / "plan.json"), bytes), None, tmp_path / "tfplan")
    files = {f.location.file for f in report_of(plans, tmp_path).findings if f.location}
    assert files == {"main.tf", "modules/storage/replica/main.tf"}


def test_a_folder_that_differs_from_the_binary_plan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("\n")
    with pytest.raises(InputError, match="not the folder"):
        with_source(load(str(PLANS / "a-eu-alias" / "plan.json"), bytes), tmp_path, PLANS / "a-eu-alias" / "tfplan")


def zipped(entries: dict[str, bytes]) -> bytes:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in entries.items():
            z.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (zipped({"tfconfig/m-/../../etc/x.tf": b""}), "leaves its folder"),
        (zipped({"tfconfig/m-/main.tf": b" " * 17_000_000}), "unpacks to more"),
        (zipped({"tfconfig/modules.json": b"{"}), "broken JSON"),
        (zipped({"tfconfig/m-/main.tf": b"a"})[:40], "cut off"),
    ],
    ids=["leaves its folder", "bomb", "broken manifest", "cut off"],
)
def test_hostile_binary_plans(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_tree(Archive("tfplan", data))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('resource "a" "b" {\n  x = \n}\n', r"main\.tf:2:7: syntax error: expected an expression, found a new line"),
        ('resource "a" "b" {\n', r"main\.tf:2:1: syntax error: expected `}` that ends the block, found the end"),
        ('locals { a = "x\n}\n', r'main\.tf:1:16: syntax error: expected `"` that ends the string'),
        ('locals {\n  ü = [1 2]\n}\n', r"main\.tf:2:10: syntax error: expected `\]` or `,`, found `2`"),
        ("a b c\n", r"main\.tf:1:6: syntax error"),
        ("x = 1\n", r"main\.tf:1:1: an attribute \(x\) stands outside any block"),
        ("locals {\n  a = " + "(" * 5000 + "1" + ")" * 5000 + "\n}\n", "nested too deeply"),
        ("a {\n" * 500 + "}\n" * 500, "nested too deeply"),
        ('module "m" { source = "./" }\n', "modules nested more than"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(auditor: Auditor, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "main.tf").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        _ = [a.expr for m in read_tree(Disk(tmp_path, "")).root.walk() for a in m.locals.values()]
    plan = str(PLANS / "a-eu-alias" / "plan.json")
    if "nested" not in says:
        assert auditor("check", plan, "--hcl-dir", str(tmp_path), policy="version: 1\nallow: [EU]\n").code == 2
        kept = auditor("check", plan, "--hcl-dir", str(tmp_path), "--keep-going", policy="version: 1\nallow: [EU]\n")
        assert "not read" in kept.err
        assert kept.code == 1
