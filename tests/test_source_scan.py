"""A Terraform folder without a plan: never pass where the plan fails, and as much decided as the source tells."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import PLANS, Auditor
from test_source_lines import report_of

from auditor.errors import InputError
from auditor.load.folder import load_folder
from auditor.load.hcl.inputs import SourceOptions
from auditor.load.plan import load
from auditor.load.roots import roots_of
from auditor.load.source import with_source
from auditor.model import Plan, Report, strip_keys

ALLOW = "version: 1\nallow: [EU]\n"
CASES = sorted(p.parent for p in PLANS.glob("*/plan.json") if (p.parent / "main.tf").exists())
# Verdicts that only a plan can give: about earlier state, drift, partial plans.
ONLY_PLAN = {"SOV010", "SOV011", "META006"}


def scanned(folder: Path, *variables: str, **files: str) -> Plan:
    """The scan of a folder made of `files` (names with `__` for `.`)."""
    for name, text in files.items():
        file = folder / name.replace("__", ".").replace("_S_", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return load_folder(folder, SourceOptions([("var", v) for v in variables]))


def bodies(plan: Plan) -> dict[str, tuple[Any, Any]]:
    """(known values, unknown marks) by address."""
    decode = msgspec.json.decode
    return {r.address: (decode(r.change.after), decode(r.change.after_unknown)) for r in plan.resources}


def verdicts(report: Report) -> dict[tuple[str, str], str]:
    """The worst kind by address and path; rules of one location may differ between the two (SOV001, SOV002)."""
    found: dict[tuple[str, str], str] = {}
    for f in report.findings:
        key = (f.address, f.path)
        found[key] = "fail" if "fail" in (found.get(key), f.kind) else "open"
    return found


def _unnumbered(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_never_pass_where_the_plan_fails(case: Path, tmp_path: Path) -> None:
    source = report_of([load_folder(case, SourceOptions())], tmp_path)
    planned = report_of(with_source(load(str(case / "plan.json"), bytes), case), tmp_path)
    mine = {f.address: f.kind for f in source.findings}
    for f in planned.findings:
        if f.kind == "fail" and f.rule not in ONLY_PLAN and not f.address.startswith("data."):
            assert f.address in mine, f"the plan fails {f.rule} {f.address} {f.path}; the source scan passes"
    theirs = {(address, _unnumbered(path), kind) for (address, path), kind in verdicts(planned).items()}
    resources = {loc.address for loc in planned.locations}
    for f in source.findings:
        if f.kind == "fail" and f.address in resources:
            # blocks of a set have another order in a plan, and one that is unknown as a whole has no path into it
            steps = _unnumbered(f.path).split(".")
            paths = {".".join(steps[:n]).removesuffix("[]" if n < len(steps) else "") for n in range(1, len(steps) + 1)}
            held = {(f.address, path, kind) for path in paths for kind in ("fail", "open")}
            assert theirs & held, f"only the source scan fails {f.rule} {f.address} {f.path}"


def _countries(report: Report) -> dict[tuple[str, str], set[str]]:
    """Countries by address and role, of what is decided."""
    found: dict[tuple[str, str], set[str]] = {}
    for loc in report.locations:
        if loc.decided and not loc.address.startswith("data."):
            found.setdefault((loc.address, loc.role), set()).update(loc.countries)
    return found


def test_the_share_decided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the locations that plans decide, those that the source decides alike; nine in ten are wanted."""
    same = all_ = 0
    for case in CASES:
        if case.name in ("h-drift", "m-errored"):  # drift and errors are no matter of the source
            continue
        mine = _countries(report_of([load_folder(case, SourceOptions())], tmp_path))
        theirs = _countries(report_of(with_source(load(str(case / "plan.json"), bytes), case), tmp_path))
        for key, countries in theirs.items():
            all_ += 1
            if mine.get(key):
                assert mine[key] == countries, key
                same += 1
    with capsys.disabled():
        print(f"\nsource scan decides {same} of {all_} locations that plans decide ({same / all_:.0%})")
    assert same / all_ > 0.9


def test_variables_in_order_of_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f'variable "{n}" {{\n  default = "default"\n}}\n' for n in "abcdefg")
    text += "resource \"x_y\" \"z\" {\n" + "".join(f"  {n} = var.{n}\n" for n in "abcdefg") + "}\n"
    (tmp_path / "main.tf").write_text(text)
    (tmp_path / "terraform.tfvars").write_text("".join(f'{n} = "tfvars"\n' for n in "cdefg"))
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(dict.fromkeys("defg", "json")))
    (tmp_path / "z.auto.tfvars").write_text("".join(f'{n} = "z.auto"\n' for n in "efg"))
    (tmp_path / "a.auto.tfvars").write_text("".join(f'{n} = "a.auto"\n' for n in "efg"))
    (tmp_path / "prod.vars").write_text('f = "file"\ng = "file"\n')
    options = SourceOptions(
        [("file", str(tmp_path / "prod.vars")), ("var", "g=flag")], {f"TF_VAR_{n}": "environment" for n in "bcdefg"}
    )
    after = bodies(load_folder(tmp_path, options))["x_y.z"][0]
    assert after == {
        "a": "default", "b": "environment", "c": "tfvars", "d": "json", "e": "z.auto", "f": "file", "g": "flag",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "region"),
    [
        (["--var", "r=eu-west-1", "--var-file", "us.vars"], "us-east-1"),
        (["--var-file", "us.vars", "--var", "r=eu-west-1"], "eu-west-1"),
        (["--var-file=us.vars", "--var=r=eu-west-1", "--var-file", "fr.vars"], "eu-west-3"),
        (["--var", "r=eu-west-1", "--as-of", "2026-11-20", "--var", "r=eu-west-3"], "eu-west-3"),
    ],
)
def test_the_last_value_on_the_command_line_wins(
    auditor: Auditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], region: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.tf").write_text('variable "r" {}\nresource "aws_s3_bucket" "b" {\n  region = var.r\n}\n')
    (tmp_path / "us.vars").write_text('r = "us-east-1"\n')
    (tmp_path / "fr.vars").write_text('r = "eu-west-3"\n')
    result = auditor("check", ".", *words, policy="version: 1\nallow: [DE]\n")
    assert [f["observed"] for f in result.report["findings"] if f["rule"] == "SOV001"] == [region]


COUNTED = """
variable "n" { type = number }
variable "regions" { default = ["eu-west-1", "us-east-1"] }
resource "x_y" "some" {
  count  = var.n
  region = var.regions[count.index]
}
resource "x_y" "each" {
  for_each = toset(var.regions)
  region   = each.value
}
resource "x_y" "none" {
  count = false ? 1 : 0
}
"""


def test_count_and_for_each(tmp_path: Path) -> None:
    found = bodies(scanned(tmp_path, "n=2", main__tf=COUNTED))
    assert {a: v["region"] for a, (v, _) in found.items()} == {
        "x_y.some[0]": "eu-west-1", "x_y.some[1]": "us-east-1",
        'x_y.each["eu-west-1"]': "eu-west-1", 'x_y.each["us-east-1"]': "us-east-1",
    }  # fmt: skip
    assert {strip_keys(a) for a in found} == {"x_y.some", "x_y.each"}


def test_an_unknown_count_is_kept_and_said(tmp_path: Path) -> None:
    plan = scanned(tmp_path, main__tf=COUNTED)
    assert bodies(plan)["x_y.some"] == ({}, {"region": True})
    assert "x_y.some" in plan.uncertain
    assert any("var.n has no value" in n for n in plan.notices)


def test_a_fail_that_may_not_come_to_be_is_open(auditor: Auditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    scanned(root, main__tf='variable "on" {}\nresource "aws_s3_bucket" "b" {\n  count = var.on ? 1 : 0\n  region = "us-east-1"\n}\n')
    kinds = {f["kind"] for f in auditor("check", str(root), "--rules", "SOV,META", policy=ALLOW).report["findings"]}
    assert kinds == {"open"}
    assert auditor("check", str(root), "--rules", "SOV,META", "--var", "on=true", policy=ALLOW).code == 1
    assert auditor("check", str(root), "--rules", "SOV,META", "--var", "on=false", policy=ALLOW).report["findings"] == []


def test_an_imported_resource_stands_where_it_stands(auditor: Auditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    text = 'provider "aws" {\n  region = "eu-west-1"\n}\nimport {\n  to = aws_s3_bucket.b\n  id = "x"\n}\nresource "aws_s3_bucket" "b" {}\n'
    scanned(root, main__tf=text)
    assert [f["kind"] for f in auditor("check", str(root), "--rules", "SOV,META", policy=ALLOW).report["findings"]] == ["open"]


MODULES = {
    "main__tf": """
provider "aws" {
  region = "eu-west-1"
}
provider "aws" {
  alias  = "us"
  region = local.away
}
locals {
  away = join("-", ["us", "east", 1])
  places = { a = "eu-west-1", b = "eu-west-3" }
}
module "m" {
  source   = "./m"
  for_each = local.places
  region   = each.value
  providers = {
    aws      = aws
    aws.far  = aws.us
  }
}
""",
    "m_S_main__tf": """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", configuration_aliases = [aws.far] }
  }
}
variable "region" { type = string }
resource "aws_s3_bucket" "near" {
  region = var.region
}
module "inner" {
  source    = "./inner"
  providers = { aws = aws.far }
}
""",
    "m_S_inner_S_main__tf": 'resource "aws_s3_bucket" "far" {\n}\n',
}


def test_modules_instances_and_aliases(auditor: Auditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    plan = scanned(root, **MODULES)
    assert bodies(plan)['module.m["b"].aws_s3_bucket.near'][0]["region"] == "eu-west-3"
    report = auditor("check", str(root), "--rules", "SOV,META", policy=ALLOW).report
    assert [(f["rule"], f["address"]) for f in report["findings"]] == [
        ("SOV001", 'module.m["a"].module.inner.aws_s3_bucket.far'),
        ("SOV001", 'module.m["b"].module.inner.aws_s3_bucket.far'),
    ]
    assert report["findings"][0]["location"]["file"].endswith("m/inner/main.tf")


PER_INSTANCE = """
provider "aws" { region = "eu-west-1" }
provider "aws" {
  alias    = "by"
  for_each = toset(["eu-central-1", "us-east-1"])
  region   = each.value
}
resource "aws_s3_bucket" "b" {
  provider = aws.by["us-east-1"]
}
module "m" {
  source    = "./m"
  for_each  = toset(["eu-central-1", "us-east-1"])
  providers = { aws = aws.by[each.key] }
}
"""


def test_a_provider_by_instance_is_never_the_default_one(auditor: Auditor, tmp_path: Path) -> None:
    """OpenTofu's `for_each` of providers: the region of the instance that a resource names."""
    root = tmp_path / "root"
    scanned(root, main__tf=PER_INSTANCE, m_S_main__tf='resource "aws_sqs_queue" "q" {\n}\n')
    report = auditor("check", str(root), "--rules", "SOV,META", policy=ALLOW).report
    assert [(f["rule"], f["kind"], f["address"]) for f in report["findings"]] == [
        ("SOV001", "fail", "aws_s3_bucket.b"),
        ("SOV001", "fail", 'module.m["us-east-1"].aws_sqs_queue.q'),
    ]


def test_nested_dynamic_blocks(tmp_path: Path) -> None:
    text = """
resource "x_y" "z" {
  fixed { n = 0 }
  dynamic "rule" {
    for_each = { b = ["x", "y"], a = [] }
    iterator = it
    content {
      name = it.key
      dynamic "part" {
        for_each = it.value
        content { text = "${it.key}${part.value}${part.key}" }
      }
    }
  }
  dynamic "fixed" {
    for_each = [1, 2]
    content { n = fixed.value }
  }
  dynamic "dark" {
    for_each = x_y.other.list
    content { n = dark.value }
  }
}
resource "x_y" "other" {}
"""
    after, unknown = bodies(scanned(tmp_path, main__tf=text))["x_y.z"]
    assert after == {
        "fixed": [{"n": 0}, {"n": 1}, {"n": 2}],
        "rule": [{"name": "a", "part": []}, {"name": "b", "part": [{"text": "bx0"}, {"text": "by1"}]}],
    }
    assert unknown == {"dark": True}


def test_files_are_read_inside_the_root_only(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("outside")
    root = tmp_path / "root"
    text = """
resource "x_y" "z" {
  a = file("${path.module}/in.txt")
  b = file("../secret.txt")
  c = file("/etc/hostname")
  d = templatefile("t.tftpl", { n = 2 })
}
"""
    after, unknown = bodies(scanned(root, main__tf=text, in__txt="inside", t__tftpl="%{ for i in range(n) }${i}%{ endfor }"))["x_y.z"]
    assert (after, unknown) == ({"a": "inside", "d": "01"}, {"b": True, "c": True})


def test_a_sensitive_variable_stays_hidden(auditor: Auditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    text = 'variable "r" {\n  sensitive = true\n  default = "us-gov-east-1"\n}\nresource "aws_s3_bucket" "b" {\n  region = lower("${var.r}")\n}\n'
    scanned(root, main__tf=text)
    for form in ("text", "json", "sarif", "markdown", "github"):
        run = auditor("check", str(root), "--rules", "SOV,META", "--format", form, policy=ALLOW, json_report=False)
        assert run.code == 1
        assert "us-gov-east-1" not in run.out + run.err


def test_a_module_that_is_not_there_makes_the_scan_partial(auditor: Auditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    scanned(root, main__tf='module "far" {\n  source = "acme/far/aws"\n}\nresource "aws_s3_bucket" "b" {\n  bucket = module.far.name\n  region = "eu-west-1"\n}\n')
    run = auditor("check", str(root), "--rules", "SOV,META", policy=ALLOW)
    assert [f["rule"] for f in run.report["findings"]] == ["META006"]
    assert auditor("check", str(root), "--rules", "SOV,META", "--strict", policy=ALLOW).code == 2


HOSTILE = {
    "count": 'resource "a_b" "c" {\n  count = 1000000000\n}\n',
    "doubling": "locals {\n  a0 = \"xxxxxxxxxx\"\n" + "".join(f'  a{i} = "${{local.a{i - 1}}}${{local.a{i - 1}}}"\n' for i in range(1, 60)) + "}\nresource \"a_b\" \"c\" {\n  x = local.a59\n}\n",
    "shared lists": "locals {\n  a0 = [1]\n" + "".join(f"  a{i} = [local.a{i - 1}, local.a{i - 1}]\n" for i in range(1, 60)) + "}\nresource \"a_b\" \"c\" {\n  x = jsonencode(local.a59)\n}\n",
    "loops": "locals {\n  r = range(1000)\n}\nresource \"a_b\" \"c\" {\n  x = length([for a in local.r : [for b in local.r : [for c in local.r : c]]])\n}\n",
    "long number": 'resource "a_b" "c" {\n  x = pow(10, 100000000)\n}\n',
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_source_ends_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        scanned(tmp_path, main__tf=text)


@pytest.mark.parametrize(
    "text",
    [
        "locals {\n  a = local.b\n  b = local.a\n}\nresource \"a_b\" \"c\" {\n  x = local.a\n}\n",
        'resource "a_b" "c" {\n  x = 1e999999999\n}\n',
        'resource "a_b" "c" {\n  x = regex("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")\n}\n',
        "locals {\n" + "".join(f"  a{i} = local.a{i + 1}\n" for i in range(900)) + "}\nresource \"a_b\" \"c\" {\n  x = local.a0\n}\n",
    ],
    ids=["cycle", "huge exponent", "backtracking", "long chain of locals"],
)
def test_odd_source_is_unknown_or_refused_quickly(tmp_path: Path, text: str) -> None:
    try:
        found = bodies(scanned(tmp_path, main__tf=text))
    except InputError:
        return
    assert found["a_b.c"] == ({}, {"x": True})


def test_changed_files_stand_for_their_root_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "prod/main.tf": 'module "a" {\n  source = "../modules/a"\n}\n',
        "dev/main.tf.json": '{"module": {"a": {"source": "../modules/a"}}}',
        "modules/a/main.tf": 'module "b" { source = "./b" }\n',
        "modules/a/b/main.tf": "\n",
        "alone/main.tf": "\n",
        ".terraform/x/main.tf": 'module "x" { source = "../../prod" }\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert [str(p) for p in roots_of(["modules/a/b/main.tf"], tmp_path)] == ["dev", "prod"]
    assert [str(p) for p in roots_of(["alone/main.tf", "prod/x.tfvars"], tmp_path)] == ["alone", "prod"]


FLEET = """
variable "subnets" { type = list(string) }
resource "aws_launch_template" "t" { instance_type = "p5.48xlarge" }
resource "aws_autoscaling_group" "train" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [var.subnets[0]]
  launch_template { id = aws_launch_template.t.id }
}
"""
ZONES = """
resource "aws_subnet" "p" {
  count             = 3
  availability_zone = "eu-central-1${["a", "b", "c"][count.index]}"
}
resource "aws_subnet" "q" { availability_zone = "eu-central-1a" }
module "t" {
  source  = "./m"
  subnets = %s
}
"""


@pytest.mark.parametrize(
    ("subnets", "kind"),
    [
        ("aws_subnet.p[*].id", ""),  # its first instance: one zone
        ("[for s in aws_subnet.p : s.id]", ""),
        ("concat(aws_subnet.p[*].id, aws_subnet.q[*].id)", ""),
    ],
)
def test_an_index_into_a_list_of_subnets_is_one_of_them(tmp_path: Path, subnets: str, kind: str) -> None:
    plan = scanned(tmp_path, main__tf='provider "aws" { region = "eu-central-1" }\n' + ZONES % subnets, m_S_main__tf=FLEET)
    found = [f.kind for f in report_of([plan], tmp_path).findings if f.rule == "PLC001"]
    assert found == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a__tf": 'resource "x_y" "z" {\n  a = 1\n  a = 2\n}\n'}, r"a\.tf:3:3: a is written twice in one block \(first in line 2\)"),
        ({"a__tf": 'resource "x_y" "z" {}\n', "b__tf": 'resource "x_y" "z" {}\n'}, r"a\.tf:1:1: x_y\.z is declared twice"),
        ({"a__tf": "locals {\n  a = 1\n}\n", "b__tf": "locals {\n  a = 1\n}\n"}, r"local\.a is declared twice"),
        ({"a__tf__json": '{"locals": {"a": 1, "a": 2}}'}, r"a\.tf\.json:1:21: a is written twice"),
        ({"a__tf__json": '{"locals": {"é": "${1 +}"}}'}, r"a\.tf\.json:1:18: syntax error"),
        ({"a__tf": 'resource "x_y" "${var.a}" {}\n'}, r"a\.tf:1:16: syntax error: expected a plain string as block label"),
    ],
)  # fmt: skip
def test_what_terraform_refuses_is_refused(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        scanned(tmp_path, **files)
    kept = load_folder(tmp_path, SourceOptions(keep_going=True))
    assert any("not read" in p for p in kept.partial)


@pytest.mark.parametrize(
    ("text", "second"),
    [('resource "a" "b" {\n  x = 1 y = 2\n}\n', True), ('resource "a" "b" {\n  x = (1\n}\n', False)],
    ids=["a laxer reader takes it", "no reader takes it"],
)
def test_the_second_reader_is_asked_on_a_refusal(tmp_path: Path, auditor: Auditor, text: str, second: bool) -> None:
    (tmp_path / "main.tf").write_text(text)
    done = auditor("check", str(tmp_path))
    assert done.code == 2
    assert "main.tf:2:" in done.err or "main.tf:3:" in done.err
    assert ("python-hcl2" in done.err) is second


def test_locals_that_build_on_each_other_are_followed_once(tmp_path: Path) -> None:
    """Each mentions the one before twice: followed anew every time that is a million mentions for twenty of them."""
    steps = "".join(f"  l{n} = merge(local.l{n - 1}, local.l{n - 1})\n" for n in range(1, 25))
    text = f'locals {{\n  l0 = {{ r = var.region }}\n{steps}}}\nvariable "region" {{ default = "us-east-1" }}\n'
    text += 'resource "aws_s3_bucket" "b" { bucket = local.l24.r }\nprovider "aws" { region = local.l24.r }\n'
    plan = scanned(tmp_path, main__tf=text)
    assert plan.blocks["aws_s3_bucket.b"].expressions["bucket"]["references"] == ["var.region"]
    assert [f.rule for f in report_of([plan], tmp_path).findings if f.kind == "fail" and f.rule.startswith("SOV")] == ["SOV001"]


@pytest.mark.parametrize(
    ("hidden", "partial"),
    [
        ('provider "aws" { region = "us-east-1" }\n', ["main.tf"]),
        ('terraform {\n  required_version = ">= 1.9"\n}\n', []),  # says nothing that is judged
        ("resource {", ["main.tf"]),
    ],
)
def test_a_file_that_only_terraform_would_read_makes_the_scan_partial(tmp_path: Path, hidden: str, partial: list[str]) -> None:
    tofu = 'resource "aws_s3_bucket" "b" { bucket = "b" }\nprovider "aws" { region = "eu-west-1" }\n'
    plan = scanned(tmp_path, main__tf=hidden, main__tofu=tofu)
    assert [Path(p.partition(" is not judged")[0]).name for p in plan.partial] == partial
    assert [r.address for r in plan.resources] == ["aws_s3_bucket.b"]


def test_an_override_file_is_named_where_it_sets_the_region(tmp_path: Path) -> None:
    plan = scanned(
        tmp_path,
        main__tf='provider "aws" {\n  region = "eu-central-1"\n}\nresource "aws_sqs_queue" "q" { name = "q" }\n',
        z_override__tf='\nprovider "aws" {\n  region = "us-west-2"\n}\n',
    )
    found = next(f for f in report_of([plan], tmp_path).findings if f.rule == "SOV001")
    assert [(Path(e.file).name, e.line) for e in found.evidence if e.what == 'provider "aws"'] == [("z_override.tf", 3)]


ITERATED = """
provider "aws" {
  alias    = "by"
  for_each = toset(["eu-central-1", "us-east-1"])
  region   = each.value
}
resource "aws_sqs_queue" "each" {
  for_each = toset(["eu-central-1", "us-east-1"])
  provider = aws.by[each.key]
}
resource "aws_sqs_queue" "off" {
  lifecycle {
    enabled = false
  }
}
module "in" {
  source    = "./in"
  for_each  = { here = "eu-central-1", there = "us-east-1" }
  providers = { aws.data = aws.by[each.value] }
}
variable "which" {}
resource "aws_sqs_queue" "unknown" { provider = aws.by[var.which] }
resource "aws_sqs_queue" "bare" { provider = aws.by }
"""
INNER = """
terraform {
  required_providers {
    aws = { source = "aws", configuration_aliases = [aws.data] }
  }
}
resource "aws_dynamodb_table" "t" { provider = aws.data }
"""


def test_each_instance_stands_where_its_instance_of_the_provider_does(tmp_path: Path) -> None:
    plan = scanned(tmp_path, main__tofu=ITERATED, in_S_main__tf=INNER)
    report = report_of([plan], tmp_path)
    assert {loc.address: [p.region for p in loc.places] for loc in report.locations} == {
        'aws_sqs_queue.each["eu-central-1"]': ["eu-central-1"],
        'aws_sqs_queue.each["us-east-1"]': ["us-east-1"],
        'module.in["here"].aws_dynamodb_table.t': ["eu-central-1"],
        'module.in["there"].aws_dynamodb_table.t': ["us-east-1"],
        "aws_sqs_queue.unknown": [],
        "aws_sqs_queue.bare": [],
    }
    assert {f.address: f.kind for f in report.findings if f.rule in ("SOV001", "SOV002")} == {
        'aws_sqs_queue.each["us-east-1"]': "fail",
        'module.in["there"].aws_dynamodb_table.t': "fail",
        "aws_sqs_queue.unknown": "open",
        "aws_sqs_queue.bare": "open",
    }


def test_a_source_of_one_part_has_the_default_namespace(tmp_path: Path) -> None:
    plan = scanned(tmp_path, main__tf='terraform {\n  required_providers {\n    aws = { source = "aws" }\n  }\n}\nresource "aws_sqs_queue" "q" {}\n')
    assert [r.provider_name for r in plan.resources] == ["registry.terraform.io/hashicorp/aws"]


def test_an_action_makes_the_scan_partial(tmp_path: Path) -> None:
    text = 'provider "aws" { region = "eu-west-1" }\naction "aws_lambda_invoke" "f" {\n  config {\n    payload = "{}"\n  }\n}\n'
    plan = scanned(tmp_path, main__tf=text)
    (said,) = plan.partial
    assert re.sub(r"\(.*main", "(main", said) == "action.aws_lambda_invoke.f (main.tf:2:1) is not judged: an action"


def test_a_provider_that_only_a_module_requires_is_said_there(auditor: Auditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    inner = 'terraform {\n  required_providers {\n    aws = {\n      source  = "hashicorp/aws"\n      version = ">= 6.0"\n    }\n  }\n}\n'
    scanned(root, main__tf='module "m" {\n  source = "./m"\n}\n', m_S_main__tf=f'{inner}resource "aws_sqs_queue" "q" {{}}\n')
    found = [f for f in auditor("check", str(root), "--rules", "LAG007").report["findings"] if f["rule"] == "LAG007"]
    assert [(Path(f["location"]["file"]).parent.name, f["location"]["start_line"]) for f in found] == [("m", 3)]


def test_an_operand_that_decides_is_the_answer_whatever_the_other_one_is(tmp_path: Path) -> None:
    text = """
variable "a" { default = null }
variable "later" {}
resource "x_y" "z" {
  and     = var.a != null && length(var.a) > 0 ? "some" : "none"
  or      = var.a == null || length(var.a) == 0 ? "none" : "some"
  unknown = var.later && length(var.a) > 0 ? "some" : "none"
}
"""
    after, unknown = bodies(scanned(tmp_path, main__tf=text))["x_y.z"]
    assert (after, unknown) == ({"and": "none", "or": "none"}, {"unknown": True})


def test_a_block_around_it_that_may_make_none_sets_nothing(tmp_path: Path) -> None:
    """Where the placements are not known, that they could name something of a subnet is no spot capacity."""
    text = """
provider "oci" { region = "eu-frankfurt-1" }
variable "domains" {}
resource "oci_core_subnet" "s" { cidr_block = "10.0.0.0/24" }
resource "oci_containerengine_node_pool" "p" {
  node_shape = "BM.GPU.H100.8"
  node_config_details {
    size = 4
    dynamic "placement_configs" {
      for_each = var.domains
      content {
        availability_domain = placement_configs.value
        dynamic "preemptible_node_config" {
          for_each = var.domains
          content {
            preemption_action { type = oci_core_subnet.s.id }
          }
        }
      }
    }
  }
}
"""
    (job,) = report_of([scanned(tmp_path, main__tf=text)], tmp_path).jobs
    assert (job.nodes_max, job.gpus_max, job.spot) == (4, 32, None)


def test_what_must_come_out_whatever_the_unknowns_are(tmp_path: Path) -> None:
    """Deeply nested objects in which some values wait for apply: keys, lengths and what is not null are known all the same."""
    text = """
resource "x_y" "made" {}
variable "later" {}
locals {
  config  = { key = "here", region = "eu-west-1", id = x_y.made.id, later = var.later }
  objects = merge(tomap({ (local.config.key) = { one = x_y.made, region = local.config.region } }), {})
}
resource "x_y" "z" {
  try_key     = try(local.config.none, local.objects[local.config.key].region)
  try_inside  = try(local.config.later.region, "unsure")
  can_not     = can(local.objects.nowhere.region) ? "yes" : "no"
  can         = can(local.objects[local.config.key].one.id) ? "yes" : "no"
  not_null    = local.config.id == null ? "null" : "set"
  may_be_null = local.config.later == null ? "null" : "set"
  first       = coalesce(null, try(local.config.none, null), local.config.id) == null ? "null" : "set"
  flat        = length(flatten([[local.config], [{ id = x_y.made.id }]]))
  unsure      = length(flatten([[local.config.later]]))
  loop        = [for r in [local.config] : length(try(flatten([r]), []))]
}
"""
    after, unknown = bodies(scanned(tmp_path, main__tf=text))["x_y.z"]
    assert after == {"try_key": "eu-west-1", "can_not": "no", "can": "yes", "not_null": "set", "first": "set", "flat": 2, "loop": [1]}
    assert unknown == {"try_inside": True, "may_be_null": True, "unsure": True}
