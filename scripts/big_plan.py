#!/usr/bin/env python3
"""Writes plan JSON of any size in the shape that Terraform 1.11 writes: `scripts/big_plan.py 50000 big.json [--seed 1]`.

One module called once per region, with a network, a compute and a storage module below it; aws with two aliases and google.
Per resource: `resource_changes`, `planned_values`, `prior_state` for what exists, drift for one in fifty. Memory stays small:
everything is written as it is made. Most resources stand in the EU; the fleets of two regions do not.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

AWS: Final = "registry.terraform.io/hashicorp/aws"
GOOGLE: Final = "registry.terraform.io/hashicorp/google"
FLEETS: Final = (
    ("eu-central-1", "aws"), ("eu-west-1", "aws"), ("eu-north-1", "aws"), ("eu-west-3", "aws"), ("us-east-1", "aws.us"),
    ("eu-south-1", "aws"), ("eu-west-1", "aws"), ("eu-central-1", "aws"), ("ap-southeast-1", "aws.apac"), ("eu-west-3", "aws"),
)  # fmt: skip
ACTIONS: Final = (("create", 58), ("no-op", 30), ("update", 7), ("replace", 4), ("delete", 1))
ACCOUNT: Final = "123456789012"


def _tags(i: int, name: str) -> dict[str, Any]:
    tags = {"Name": f"{name}-{i:06d}", "team": f"team-{i % 17}", "cost-center": f"cc-{i % 41:03d}"}
    return {"tags": tags, "tags_all": {**tags, "residency": "eu-only", "managed-by": "terraform"}}


def _subnet(i: int, region: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    written = {
        "assign_ipv6_address_on_creation": False, "availability_zone": region + "abc"[i % 3], "cidr_block": f"10.{i // 250 % 250}.{i % 250}.0/24",
        "customer_owned_ipv4_pool": None, "enable_dns64": False, "enable_lni_at_device_index": None, "ipv6_cidr_block": None,
        "ipv6_native": False, "map_customer_owned_ip_on_launch": None, "map_public_ip_on_launch": False, "outpost_arn": None,
        "region": region, "timeouts": None, **_tags(i, "subnet"),
    }  # fmt: skip
    computed = {
        "arn": f"arn:aws:ec2:{region}:{ACCOUNT}:subnet/subnet-{i:017x}", "availability_zone_id": f"az{i % 3 + 1}", "id": f"subnet-{i:017x}",
        "ipv6_cidr_block_association_id": "", "owner_id": ACCOUNT, "private_dns_hostname_type_on_launch": "ip-name", "vpc_id": f"vpc-{i // 40:017x}",
    }  # fmt: skip
    return written, computed, {"tags": {}, "tags_all": {}}


def _instance(i: int, region: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    written = {
        "ami": "ami-0a1b2c3d4e5f60718", "credit_specification": [], "get_password_data": False, "hibernation": None,
        "instance_type": "g6.12xlarge" if i % 12 == 0 else "m7i.4xlarge", "launch_template": [], "region": region, "source_dest_check": True,
        "timeouts": None, "user_data_replace_on_change": False, "volume_tags": None,
        "root_block_device": [{"delete_on_termination": True, "volume_size": 200, "volume_type": "gp3", "tags": None}], **_tags(i, "node"),
    }  # fmt: skip
    computed = {
        "arn": f"arn:aws:ec2:{region}:{ACCOUNT}:instance/i-{i:017x}", "associate_public_ip_address": False, "availability_zone": region + "abc"[i % 3],
        "id": f"i-{i:017x}", "instance_state": "running", "placement_group": "", "private_dns": f"ip-10-0-{i // 250 % 250}-{i % 250}.{region}.compute.internal",
        "private_ip": f"10.0.{i // 250 % 250}.{i % 250}", "public_ip": "", "subnet_id": f"subnet-{i % 97:017x}", "tenancy": "default",
        "vpc_security_group_ids": ["sg-0a1b2c3d4e5f60718"], "ebs_block_device": [], "network_interface": [],
        "metadata_options": [{"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 2, "instance_metadata_tags": "disabled"}],
    }  # fmt: skip
    nested = {"credit_specification": [], "launch_template": [], "root_block_device": [{}], "tags": {}, "tags_all": {}}
    return written, computed, nested


def _bucket(i: int, region: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    written = {"bucket": f"acme-{i:07d}", "force_destroy": False, "region": region, "timeouts": None, **_tags(i, "bucket")}
    computed = {
        "acceleration_status": "", "acl": None, "arn": f"arn:aws:s3:::acme-{i:07d}", "bucket_domain_name": f"acme-{i:07d}.s3.amazonaws.com",
        "bucket_regional_domain_name": f"acme-{i:07d}.s3.{region}.amazonaws.com", "cors_rule": [], "grant": [], "hosted_zone_id": "Z21DNDUVLTQW6Q",
        "id": f"acme-{i:07d}", "versioning": [{"enabled": False, "mfa_delete": False}],
    }  # fmt: skip
    return written, computed, {"tags": {}, "tags_all": {}}


def _database(i: int, region: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    written = {
        "allocated_storage": 100, "engine": "postgres", "identifier": f"db-{i}", "instance_class": "db.r7g.large", "password": f"secret-{i:07d}",
        "region": region, "storage_encrypted": True, "timeouts": None, "username": "app", **_tags(i, "db"),
    }  # fmt: skip
    computed = {
        "address": f"db-{i}.x.{region}.rds.amazonaws.com", "arn": f"arn:aws:rds:{region}:{ACCOUNT}:db:db-{i}", "availability_zone": region + "a",
        "endpoint": f"db-{i}.x.{region}.rds.amazonaws.com:5432", "id": f"db-{i:020x}", "kms_key_id": f"arn:aws:kms:{region}:{ACCOUNT}:key/{i:032x}",
    }  # fmt: skip
    return written, computed, {"password": True, "tags": {}, "tags_all": {}}


def _google(i: int, region: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    labels = {"team": f"team-{i % 17}"}
    written = {
        "boot_disk": [{"auto_delete": True, "initialize_params": [{"image": "debian-12", "size": 200}]}], "machine_type": "n2-standard-8",
        "name": f"vm-{i}", "network_interface": [{"network": "default", "nic_type": "GVNIC"}], "project": "acme", "zone": "europe-west4-" + "abc"[i % 3],
        "labels": labels, "effective_labels": {"goog-terraform-provisioned": "true", **labels}, "terraform_labels": {"goog-terraform-provisioned": "true", **labels},
        "timeouts": None,
    }  # fmt: skip
    computed = {
        "cpu_platform": "Intel Sapphire Rapids", "guest_accelerator": [], "id": f"projects/acme/zones/europe-west4-a/instances/vm-{i}", "instance_id": str(10**15 + i),
        "scheduling": [{"automatic_restart": True, "on_host_maintenance": "MIGRATE", "preemptible": False}],
        "self_link": f"https://www.googleapis.com/compute/v1/projects/acme/zones/europe-west4-a/instances/vm-{i}",
    }  # fmt: skip
    return written, computed, {"boot_disk": [{"initialize_params": [{}]}], "network_interface": [{}], "labels": {}, "effective_labels": {}, "terraform_labels": {}}


Made = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
KINDS: Final[tuple[tuple[str, str, str, str, Callable[[int, str], Made], float], ...]] = (
    ("network", "aws_subnet", "this", AWS, _subnet, 0.34),
    ("compute", "aws_instance", "node", AWS, _instance, 0.40),
    ("", "aws_s3_bucket", "data", AWS, _bucket, 0.13),
    ("storage", "aws_db_instance", "meta", AWS, _database, 0.05),
    ("compute", "google_compute_instance", "vm", GOOGLE, _google, 0.08),
)
FORCES: Final = {"aws_subnet": "availability_zone", "aws_instance": "ami", "aws_s3_bucket": "bucket", "aws_db_instance": "identifier", "google_compute_instance": "name"}


def _change(action: str, written: dict[str, Any], computed: dict[str, Any], marks: dict[str, Any], kind: str) -> dict[str, Any]:
    full = dict(sorted({**written, **computed}.items()))
    if action == "create":
        unknown = {k: True for k, v in computed.items() if v is not None}
        unknown |= {k: _shape(v) for k, v in written.items() if isinstance(v, dict | list)}
        known = dict(sorted((written | {k: v for k, v in computed.items() if v is None}).items()))
        return {"actions": ["create"], "before": None, "after": known, "after_unknown": unknown, "before_sensitive": False, "after_sensitive": marks}
    if action == "delete":
        return {"actions": ["delete"], "before": full, "after": None, "after_unknown": {}, "before_sensitive": marks, "after_sensitive": False}
    same = {"after_unknown": {}, "before_sensitive": marks, "after_sensitive": marks}
    if action == "no-op":
        return {"actions": ["no-op"], "before": full, "after": full, **same}
    if action == "update":
        return {"actions": ["update"], "before": {**full, "tags" if "tags" in full else "labels": {"Name": "old"}}, "after": full, **same}
    made = _change("create", written, computed, marks, kind)
    before = {**full, FORCES[kind]: f"old-{full[FORCES[kind]]}"}
    return made | {"actions": ["delete", "create"], "before": before, "before_sensitive": marks, "replace_paths": [[FORCES[kind]]]}


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _shape(v) for k, v in value.items() if isinstance(v, dict | list)}
    return [_shape(v) if isinstance(v, dict | list) else False for v in value]


def _resources(number: int, rnd: random.Random) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], bool]]:
    """(module address, head of a resource, its change, whether it drifted)."""
    per = max(20, min(400, number // 25))
    made = fleet = 0
    while made < number:
        region, _ = FLEETS[fleet % len(FLEETS)]
        want = min(per, number - made)
        counts = [int(want * k[5]) for k in KINDS]
        counts[1] += want - sum(counts)
        for (below, kind, name, provider, build, _), count in zip(KINDS, counts, strict=True):
            module = f'module.fleet["{region}-{fleet:04d}"]' + (f".module.{below}" if below else "")
            for j in range(count):
                written, computed, marks = build(made + j, region)
                action = rnd.choices([a for a, _ in ACTIONS], [w for _, w in ACTIONS])[0]
                index: str | int = f"k{j}" if kind == "aws_s3_bucket" else j
                key = f'"{index}"' if isinstance(index, str) else index
                head = {
                    "address": f"{module}.{kind}.{name}[{key}]", "module_address": module, "mode": "managed", "type": kind, "name": name,
                    "index": index, "provider_name": provider,
                }  # fmt: skip
                drifted = action in ("no-op", "update") and rnd.random() < 0.02
                yield module, head, _change(action, written, computed, marks, kind), drifted
            made += count
        fleet += 1


def _configuration() -> dict[str, Any]:
    def ref(*names: str) -> dict[str, Any]:
        return {"references": list(names)}

    def const(value: Any) -> dict[str, Any]:
        return {"constant_value": value}

    def block(kind: str, name: str, key: str, expressions: dict[str, Any], repeat: str = "count_expression") -> dict[str, Any]:
        return {
            "address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "provider_config_key": key, "schema_version": 1,
            "expressions": expressions, repeat: ref("var.number"),
        }  # fmt: skip

    aws = "module.fleet:aws"
    network = {"resources": [block("aws_subnet", "this", aws, {"availability_zone": ref("var.region", "count.index"), "region": ref("var.region"), "vpc_id": ref("var.vpc_id")})]}
    compute = {
        "resources": [
            block("aws_instance", "node", aws, {"ami": ref("var.ami"), "instance_type": ref("var.types", "count.index"), "region": ref("var.region"), "subnet_id": ref("var.subnets")}),
            block("google_compute_instance", "vm", "google", {"machine_type": const("n2-standard-8"), "name": ref("count.index"), "zone": ref("var.zones", "count.index")}),
        ]
    }  # fmt: skip
    storage = {"resources": [block("aws_db_instance", "meta", aws, {"engine": const("postgres"), "password": ref("var.password"), "region": ref("var.region")})]}
    for module in (network, compute, storage):
        module["variables"] = {n: {} for n in ("number", "region", "vpc_id", "ami", "types", "subnets", "zones")} | {"password": {"sensitive": True}}  # type: ignore[assignment]
    inputs = {"region": ref("var.region"), "number": ref("var.number"), "password": ref("var.password"), "vpc_id": ref("var.vpc_id")}
    fleet = {
        "resources": [block("aws_s3_bucket", "data", aws, {"bucket": ref("each.value"), "region": ref("var.region")}, "for_each_expression")],
        "module_calls": {n: {"source": f"./modules/{n}", "expressions": inputs, "module": m} for n, m in (("network", network), ("compute", compute), ("storage", storage))},
        "variables": {n: {} for n in ("region", "number", "vpc_id")} | {"password": {"sensitive": True}},
    }  # fmt: skip
    provider = {"name": "aws", "full_name": AWS, "version_constraint": "~> 6.0"}
    return {
        "provider_config": {
            "aws": provider | {"expressions": {"region": ref("var.region"), "default_tags": [{"tags": const({"residency": "eu-only"})}]}},
            "aws.us": provider | {"alias": "us", "expressions": {"region": const("us-east-1")}},
            "aws.apac": provider | {"alias": "apac", "expressions": {"region": const("ap-southeast-1")}},
            "google": {"name": "google", "full_name": GOOGLE, "version_constraint": "~> 6.0", "expressions": {"project": const("acme"), "region": const("europe-west4")}},
        },
        "root_module": {
            "module_calls": {"fleet": {"source": "./modules/fleet", "for_each_expression": ref("local.fleets"), "expressions": {"region": ref("each.value"), "number": ref("each.value"), "password": ref("var.password")}, "module": fleet}},
            "variables": {"password": {"sensitive": True}, "region": {"default": "eu-central-1"}},
        },
    }  # fmt: skip


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


class _Modules:
    """The tree of planned values or prior state: modules come in order, so one is closed before the next opens."""

    def __init__(self) -> None:
        self.file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - lives as long as the tree
        self.module = ""

    def add(self, module: str, item: dict[str, Any]) -> None:
        if module != self.module:
            self.file.write(f'{"]}," if self.module else ""}{{"address":{_dump(module)},"resources":[')
            self.module = module
        else:
            self.file.write(",")
        self.file.write(_dump(item))

    def copy(self, out: IO[str]) -> None:
        out.write('{"root_module":{"child_modules":[')
        if self.module:
            self.file.write("]}")
        self.file.seek(0)
        while chunk := self.file.read(1 << 20):
            out.write(chunk)
        out.write("]}}")


def write(number: int, path: str, seed: int = 1) -> None:
    """One plan of `number` resource instances."""
    rnd = random.Random(seed)
    planned, prior, drift = _Modules(), _Modules(), []
    with open(path, "w", encoding="utf-8") as out:
        out.write('{"format_version":"1.2","terraform_version":"1.11.4","variables":{"region":{"value":"eu-central-1"},"password":{"value":"secret"}},')
        out.write('"resource_changes":[')
        for i, (module, head, change, drifted) in enumerate(_resources(number, rnd)):
            out.write(("," if i else "") + _dump(head | {"change": change}))
            body = {k: v for k, v in head.items() if k != "module_address"} | {"schema_version": 1}
            if change["after"] is not None:
                planned.add(module, body | {"values": change["after"], "sensitive_values": change["after_sensitive"]})
            if change["before"] is not None:
                prior.add(module, body | {"values": change["before"], "sensitive_values": change["before_sensitive"]})
            if drifted:
                was = change["before"] | {FORCES[head["type"]]: "drifted"}
                drift.append(head | {"change": change | {"actions": ["update"], "before": was, "after": change["before"]}})
        out.write('],"planned_values":')
        planned.copy(out)
        out.write(',"prior_state":{"format_version":"1.0","terraform_version":"1.11.4","values":')
        prior.copy(out)
        out.write(f'}},"resource_drift":{_dump(drift)},"configuration":{_dump(_configuration())},"applyable":true,"complete":true,"errored":false}}\n')


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int)
    parser.add_argument("path")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    write(given.number, given.path, given.seed)
