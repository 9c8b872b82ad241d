#!/usr/bin/env python3
"""Values of other types put everywhere, in this process: hundreds of audits a second, no coverage guidance.

`scripts/fuzz_values.py [TARGET...] [--seconds N] [--seed N]`. A target draws input (plans, cases, states, source, policies,
workload manifests, lock files, reports, baselines), retypes some of its values, and runs commands over it in every format.
It ends with 0 where every run was refused in good order or whole; each failure is told once, with its seed: `--only SEED`
runs that one again. scripts/fuzz.py is its slower sister, guided by coverage, over bytes.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from faults import ODD, bytes_fault, mutate, retype, spots  # noqa: E402
from fuzz_targets import whole  # noqa: E402
from inprocess import AS_OF, PLANS, facts, judge, render, run  # noqa: E402

from auditor.documents import read_yaml  # noqa: E402
from auditor.errors import AuditorError  # noqa: E402
from auditor.policytest import read_cases, to_plan  # noqa: E402
from auditor.report import FORMATS  # noqa: E402

SMALL = 200_000  # bytes
POLICY: dict[str, Any] = {
    "version": 1, "allow": {"home": ["EU", "CH"], "backup": ["EU"]}, "deny": ["azure:northeurope"],
    "operators": {"allow": ["EU", "US"]}, "on_unknown": "warning", "fail_on": "error", "extends": ["eu-gdpr"],
    "scopes": [{"name": "pii", "match": {"tags": {"data": ["personal"]}, "type": ["aws_s3_*"]}, "allow": ["DE"]}],
    "assume": {"aws.region": "eu-central-1"}, "interconnect": {"max_gpus_without_rdma": 8, "accept_fabrics": ["efa"]},
    "placement": {"max_zones_per_job": 1}, "lag": {"max_months": 3, "young_days": 30, "stale_months": 6},
    "workarounds": {"allow": ["aws_cloudformation_stack"]}, "gates": {"dataset_tb": 50, "max_egress_share": 0.15},
    "jit": {"max_rest_days": 0}, "prices": {"hub_egress_usd_gb": 0.09, "gpu_hour_usd": 4.0},
    "rules": {"SOV001": {"level": "note"}, "SOV005": {"level": "off", "reason": "r"}},
    "waivers": [{"rule": "SOV001", "address": "aws_s3_bucket.*", "reason": "r", "expires": "2027-01-31"}],
    "catalog": {
        "regions": [{"cloud": "aws", "region_id": "eu-x-1", "country": "DE", "source": "s"}],
        "instances": [{"cloud": "aws", "instance_type": "p9.48xlarge", "accelerator": "X100", "gpus_per_node": 8,
                       "fabric": "efa", "source": "s", "date": "2026-11-01"}],
    },
}  # fmt: skip
WORKLOAD: dict[str, Any] = {
    "version": 1, "name": "llm", "stage": "production", "reviewed_on": "2026-11-01", "role": "training",
    "regulated": ["gdpr"], "dataset_tb": 2000, "data_home": "azure:westeurope", "pattern": "jit",
    "transfer": {"mode": "shards", "active_fraction": 0.05, "runs_per_month": 2, "checkpoint_tb": 2},
    "monthly_usd": {"hub": 400000, "spoke": 220000}, "spoke": ["coreweave"],
    "region_guarantees": {"coreweave": "MSA s.4.2"}, "checkpointing": True, "elastic": False, "needed_gpus": 128,
    "inference_24x7": True, "inference": {"cloud_node_usd": 18000, "pod_node_usd": 4200, "nodes": 6},
    "serverless": {"price_req": 2e-07, "seconds": 2, "gb": 4, "price_gb_s": 1.67e-05, "dedicated_month_usd": 4200,
                   "rps": 40, "rps_per_node": 25},
    "monthly_split_pct": {"compute": 68, "storage": 18, "network": 14},
    "vmware": {"sockets": 2, "cores_per_socket": 32, "min_cores_per_socket": 16, "usd_per_core_year": 150},
    "repatriation": {"decision": "keep", "date": "2026-10-05", "link": "https://wiki/adr-41"},
    "features": ["azure.ai-foundry-agents"],
    "jobs": [{"name": "a", "match": "module.*", "role": "training", "zones": "fallback", "storage": "external"}],
    "measurements": [{"between": ["a", "a"], "p99_ms": 0.35, "samples": 10000, "measured_on": "2026-11-10", "tool": "x"}],
}  # fmt: skip
WORDS = [  # expressions for source
    "null", "true", "{}", "[]", "[null]", "{ a = null }", "1e400", "-0", "0", '""', '"${null}"', '"%{ if true }x%{ endif }"',
    "toset([])", "tolist([{}])", "var.none", "local.none", "each.key", "count.index", "self.id", "path.module",
    "[for x in {} : x]", '{ for k, v in { a = 1 } : k => v... }', 'jsondecode("[")', 'try(var.none, null)', "one([])", "[][0]",
    'aws_x.y[*].z', "merge({}, null)", 'format("%s", [])', "1 / 0", "null ? 1 : 2", "!null", "-true", 'element([], 0)',
    'regex("(", "a")', 'file("x")', 'templatefile("x", {})', "sum([])", "range(0, 1, 0)", 'cidrsubnet("::", 999, 0)',
    'timeadd("x", "y")', 'yamldecode("a: [")', 'base64decode("%")', 'sensitive("x")', "plantimestamp()",
    "terraform.workspace", "<<E\nx\nE\n",
    'zipmap(["a"], [])', 'lookup({}, "a")', 'keys("x")', "flatten([[null]])", 'setproduct([], [1])', 'tonumber("x")', "9" * 22,
]  # fmt: skip


@cache
def tree(path: Path) -> Any:
    return json.loads(path.read_bytes())


@cache
def plans() -> list[Path]:
    return [p for p in sorted(PLANS.rglob("*plan*.json")) if p.stat().st_size < SMALL]


@cache
def reports() -> list[dict[str, Any]]:
    return [json.loads(render(judge(p.read_bytes()), "json")) for p in plans()[:40]]


@cache
def fragments() -> list[tuple[Any, Any, Any]]:
    """(plan, policy, workload) of the rules' cases."""
    found = []
    for case in read_cases(ROOT / "tests" / "rules"):
        plan, policy = case.body.get("plan"), case.body.get("policy", {"allow": ["EU"]})
        if isinstance(plan, dict) and not {"extends", "rules_dirs", "waiver_files"} & policy.keys():
            found.append((to_plan(plan), policy, case.body.get("workload")))
    return found


def odd(value: Any, rnd: random.Random, most: int = 3) -> Any:
    """A copy with up to `most` values retyped, keys kept: what schemas and readers see as almost right."""
    value = copy.deepcopy(value)
    for holder, key in rnd.sample(found := list(spots(value)), min(len(found), rnd.randint(0, most))):
        holder[key] = copy.deepcopy(rnd.choice(ODD))
    return value


def told(report: Any, rnd: random.Random) -> None:
    for name in rnd.sample(list(FORMATS), 2):
        render(report, name, verbose=rnd.random() < 0.5).encode("utf-8")


def judged(data: Any, rnd: random.Random, policy: Any, workload: Any = None) -> None:
    try:
        report = judge(json.dumps(data).encode("utf-8", "surrogatepass"), policy=policy, workload=workload)
    except AuditorError as e:
        if "crashed" in str(e):
            raise
        return
    told(report, rnd)
    if "resource_changes" in data:
        whole(report, data)


def plan(rnd: random.Random, _: Path) -> None:
    data = retype(tree(rnd.choice(plans())), rnd)
    if rnd.random() < 0.2:
        data = mutate(data, rnd)
    judged(data, rnd, rnd.choice([{"allow": ["EU"]}, {"allow": ["EU"], "operators": {"allow": ["EU"]}}]),
           rnd.choice([None, None, {"role": "training", "regulated": ["gdpr"], "dataset_tb": 80}]))  # fmt: skip


def case(rnd: random.Random, _: Path) -> None:
    data, policy, workload = rnd.choice(fragments())
    judged(retype(data, rnd), rnd, policy, workload)


def unknown(rnd: random.Random, _: Path) -> None:
    """Marks of unknown and sensitive values of every shape."""
    data = copy.deepcopy(tree(rnd.choice(plans())))
    for r in rnd.sample(held := data.get("resource_changes") or [], min(len(held), 4)):
        for name in rnd.sample(["after_unknown", "after_sensitive", "before_sensitive", "before", "after"], 2):
            given = r["change"].get("after")
            marks = {k: rnd.choice([True, {}, [], [True], {"x": True}]) for k in given} if isinstance(given, dict) else {}
            r["change"][name] = rnd.choice([True, False, None, {}, marks, marks, *ODD])
    judged(data, rnd, {"allow": ["EU"]})


def state(rnd: random.Random, _: Path) -> None:
    path = rnd.choice([p for p in sorted(PLANS.rglob("state.json")) if p.stat().st_size < SMALL])
    judged(odd(tree(path), rnd, 8) if rnd.random() < 0.6 else mutate(tree(path), rnd), rnd, {"allow": ["EU"]})


def commands(rnd: random.Random, folder: Path) -> None:
    """Every command that reads a plan, over one that is whole or retyped, with a policy and a workload that may be odd."""
    data = tree(rnd.choice(plans()))
    write(folder, "plan.json", retype(data, rnd) if rnd.random() < 0.5 else data)
    write(folder, "policy.yaml", odd(POLICY, rnd, rnd.choice([0, 1, 2])))
    write(folder, "workload.yaml", odd(WORKLOAD, rnd, rnd.choice([0, 1, 3])))
    form = rnd.choice(list(FORMATS))
    both = ("--policy", "policy.yaml", "--workload", "workload.yaml")
    called(
        rnd.choice([
            ("check", "plan.json", *both, "--format", form, "--as-of", AS_OF), ("gates", "plan.json", *both),
            ("gates", "plan.json", *both, "--format", rnd.choice(["json", "markdown"])), ("jobs", "plan.json", *both),
            ("dump", "plan.json", *both, "--format", rnd.choice(["json", "text"])), ("baseline", "plan.json", *both),
            ("explain", "SOV001", "--policy", "policy.yaml"), ("regions", "--policy", "policy.yaml"),
            ("rules", "--policy", "policy.yaml"), ("validate", "policy.yaml", "workload.yaml"),
        ]),
        folder,
    )  # fmt: skip


def report(rnd: random.Random, folder: Path) -> None:
    """What auditor wrote itself, and another hand changed."""
    old, new = rnd.choice(reports()), rnd.choice(reports())
    write(folder, "old.json", odd(old, rnd) if rnd.random() < 0.7 else mutate(old, rnd))
    write(folder, "new.json", odd(new, rnd, 1))
    prints = [f.get("fingerprint") for f in new["findings"]] or ["0a"]
    write(folder, "plan.json", tree(rnd.choice(plans())))
    (folder / "base.json").write_text(run("baseline", "new.json", cwd=folder).out or "{}")
    write(folder, "base.json", mutate(json.loads((folder / "base.json").read_text()), rnd))
    for words in rnd.sample([
        ("diff", "old.json", "new.json"), ("baseline", "old.json"), ("explain", str(rnd.choice(prints)), "--report", "old.json"),
        ("check", "plan.json", "--baseline", "base.json"), ("check", "plan.json", "--new-only", "old.json"),
        ("check", "old.json"), ("sweep", "old.json", "plan.json", "--baseline", "base.json", "--jobs", "1"),
    ][: 7 if rnd.random() < 0.02 else 6], 2):  # fmt: skip
        called(words, folder)


def source(rnd: random.Random, folder: Path) -> None:
    """A Terraform file with some of its values replaced by other expressions."""
    paths = [p for p in sorted(PLANS.rglob("*.tf")) if p.stat().st_size < 6_000]
    text = rnd.choice(paths).read_text(encoding="utf-8")
    values = list(re.finditer(r"(?<== )[^\n{]+(?=\n)", text))
    for m in sorted(rnd.sample(values, min(len(values), rnd.randint(0, 4))), key=lambda m: -m.start()):
        text = text[: m.start()] + rnd.choice(WORDS) + text[m.end() :]
    (folder / "tf").mkdir()
    data = text.encode() if rnd.random() < 0.9 else bytes_fault(text.encode(), rnd)
    (folder / "tf" / "main.tf").write_bytes(data)
    if rnd.random() < 0.3:
        (folder / "tf" / "terraform.tfvars").write_text(f"{rnd.choice(['a', 'region', 'zones'])} = {rnd.choice(WORDS)}\n")
    write(folder, "plan.json", tree(rnd.choice(plans())))
    (folder / ".auditor.yaml").write_text("version: 1\nallow: [EU]\n")
    form = rnd.choice(list(FORMATS))
    for words in rnd.sample([
        ("check", "tf", "--format", form), ("jobs", "tf"), ("dump", "tf", "--format", "json"), ("gates", "tf"),
        ("check", "plan.json", "--hcl-dir", "tf", "--format", form), ("check", "tf", "--keep-going"),
        ("init", "--no-input", "--force"),
    ], 2):  # fmt: skip
        called(words, folder)


def source_json(rnd: random.Random, folder: Path) -> None:
    """JSON syntax of Terraform, retyped."""
    held = {"resource": {"aws_s3_bucket": {"b": {"bucket": "x", "count": 2, "region": "${var.r}", "tags": {"a": "b"}}},
            "aws_instance": {"i": [{"instance_type": "p5.48xlarge", "dynamic": {"network_interface": {"for_each": [1],
            "content": {"interface_type": "efa"}}}}]}}, "variable": {"r": {"default": "eu-west-1", "type": "string"}},
            "provider": {"aws": [{"region": "us-east-1"}, {"alias": "e", "region": "${local.x}"}]}, "locals": {"x": "eu-west-1"},
            "module": {"m": {"source": "./m", "a": [1]}}, "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws",
            "version": "~> 5.0"}}, "backend": {"s3": {"region": "us-east-1"}}}, "output": {"o": {"value": 1}}}  # fmt: skip
    (folder / "tf").mkdir()
    write(folder / "tf", "main.tf.json", odd(held, rnd, 4) if rnd.random() < 0.6 else mutate(held, rnd))
    (folder / ".auditor.yaml").write_text("version: 1\nallow: [EU]\n")
    called(("check", "tf", "--format", rnd.choice(list(FORMATS))), folder)


def lock(rnd: random.Random, folder: Path) -> None:
    paths = sorted(PLANS.rglob(".terraform.lock.hcl"))
    path = rnd.choice(paths)
    write(folder, "plan.json", tree(rnd.choice(plans())))
    (folder / ".terraform.lock.hcl").write_bytes(bytes_fault(path.read_bytes(), rnd))
    called(("check", "plan.json", "--rules", "LAG"), folder)


def cases(rnd: random.Random, folder: Path) -> None:
    """Cases of a user's own, and a rule beside them."""
    body = copy.deepcopy(rnd.choice([c.body for c in _bodies()]))
    body = {k: v for k, v in body.items() if not isinstance(v, str) or k in ("name", "hcl")}
    write(folder, "c.yaml", {"cases": [odd({"name": "a", "plan": {}, **body}, rnd)]})
    called(("test", "c.yaml"), folder)


@cache
def _bodies() -> list[Any]:
    return read_cases(ROOT / "tests" / "rules")


def own(rnd: random.Random, folder: Path) -> None:
    """A rule of a user's own, retyped, with the recorded plans."""
    files = sorted((ROOT / "policies").glob("*/*.yaml"))
    rule = read_yaml(rnd.choice(files).read_text(encoding="utf-8"), "x").value
    (folder / "r").mkdir()
    write(folder / "r", "a.yaml", odd({**rule, "id": "ACME001", "aliases": []}, rnd, 2))
    write(folder, "p.yaml", {"version": 1, "allow": ["EU"], "rules_dirs": ["./r"]})
    write(folder, "plan.json", tree(rnd.choice(plans())))
    called(("check", "plan.json", "--policy", "p.yaml", "--rules", "ACME001"), folder)
    called(("validate", "r/a.yaml"), folder)


def write(folder: Path, name: str, value: Any) -> None:
    (folder / name).write_bytes(json.dumps(value).encode("utf-8", "surrogatepass"))


def called(words: tuple[str, ...], folder: Path) -> None:
    done = run(*words, cwd=folder, env={"AUDITOR_TRACEBACK": "1"})
    assert done.code in (0, 1, 2), f"{words} ended with {done.code}\n{done.err[-1500:]}"
    assert "crashed" not in done.err, f"{words}: {done.err[:1500]}"
    if done.code == 2 and words[0] != "test":  # which tells in its table
        assert done.err, words
    done.out.encode("utf-8")


TARGETS: dict[str, Callable[[random.Random, Path], None]] = {
    f.__name__: f
    for f in (plan, case, unknown, state, commands, report, source, source_json, lock, cases, own)
}  # fmt: skip


def failures(targets: list[str], seconds: float, seed: int, only: int | None) -> Iterator[str]:
    """Each new failure, told by its kind, place and the seed that draws it again."""
    seen: set[str] = set()
    number = dict.fromkeys(targets, 0)
    with tempfile.TemporaryDirectory(prefix="auditor-values-") as scratch:
        end = time.monotonic() + seconds
        draw = seed * 1_000_000
        while time.monotonic() < end:
            draw += 1
            at = only if only is not None else draw
            target = targets[at % len(targets)]
            folder = Path(scratch) / "run"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            number[target] += 1
            try:
                TARGETS[target](random.Random(at), folder)
            except Exception as e:
                import traceback

                last = traceback.extract_tb(e.__traceback__)[-1]
                text = str(e)
                frames = [x for x in text.splitlines() if x.lstrip().startswith("File ")]
                where = frames[-1].strip() if frames else f"{last.filename}:{last.lineno}"
                said = re.sub(r"[^ ]*[0-9][^ ]*", "", text.splitlines()[-1]) if text else ""  # numbers differ in every draw
                key = f"{type(e).__name__} {where} {said}"
                if key not in seen:
                    seen.add(key)
                    yield f"{target} --only {at}: {key}\n{text[:1500] if only is None else traceback.format_exc()}"
            if only is not None:
                return
    print(", ".join(f"{t} {n}" for t, n in number.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="this draw alone, with the traceback; name the same targets")
    given = parser.parse_args()
    os.environ["NO_COLOR"] = "1"
    facts()
    count = 0
    for text in failures(given.targets or list(TARGETS), given.seconds, given.seed, given.only):
        count += 1
        print(text, flush=True)
    if count:
        sys.exit(f"{count} failures")


if __name__ == "__main__":
    main()
