"""Whole configurations drawn by hypothesis: the plan Terraform would make of each, its source, and what must be said of it.

A drawn configuration has providers with aliases, nested modules that get one of them and a place, `count` and `for_each`,
values that are constant, passed, by key or unknown, replicas, and fleets of GPU nodes. As it is drawn it is known where
every resource comes to stand, so verdicts are held to that and not to another reading of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
PLACES = {  # cloud -> region -> country
    "aws": {"eu-central-1": "DE", "eu-west-1": "IE", "us-east-1": "US", "ap-northeast-1": "JP"},
    "google": {"europe-west4": "NL", "us-central1": "US", "asia-northeast1": "JP"},
    "azurerm": {"westeurope": "NL", "eastus": "US", "japaneast": "JP"},
}  # fmt: skip
EU = ("DE", "IE", "NL")
SECRET = "ap-southeast-2"  # drawn nowhere: a test puts it where it may not come out
COUNTRIES = {r: c for held in PLACES.values() for r, c in held.items()} | {SECRET: "AU"}
PET = {"references": ["random_pet.r.id", "random_pet.r"]}  # known after apply
GPU, GPUS = "p5.48xlarge", 8
PLACE_OF = {"aws": "region", "google": "location", "azurerm": "location"}
TYPES = {
    "aws": ["aws_s3_bucket", "aws_sqs_queue", "aws_dynamodb_table", "aws_instance", "aws_autoscaling_group"],
    "google": ["google_storage_bucket", "google_bigquery_dataset"],
    "azurerm": ["azurerm_resource_group", "azurerm_storage_account"],
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A place as it is written: text "" is unknown until apply. `by`: constant, var (of the module), key (each.value)."""

    text: str
    by: str = "constant"


@dataclass
class Block:
    """One resource block. keys: instance key -> place; {"": place} for a single instance."""

    type: str
    name: str
    keys: dict[str | int, Place]
    provider: str  # key of the root's block
    local: str = ""  # the alias the block names, "" for the default
    own: bool = False  # of AWS: writes `region` itself
    attributes: Json = field(default_factory=dict)
    blocks: dict[str, list[Json]] = field(default_factory=dict)  # nested blocks of constants
    replicas: list[str] = field(default_factory=list)
    fleet: tuple[int, int] = (0, 0)  # nodes, fewest and most
    efa: bool = False
    zones: list[str] = field(default_factory=list)  # of a fleet, by name; "" is a subnet whose zone is unknown
    subnets: bool = False  # the zones are those of subnets
    after: str = ""  # address of the resource group whose location is taken


@dataclass
class Module:
    name: str
    keys: list[str | int]  # of its calls; [""] for one without count and for_each
    place: Place  # of the variable `place`, as the caller writes it
    provider: str  # key of the root's block that is its default for the cloud
    cloud: str
    blocks: list[Block] = field(default_factory=list)
    children: list[Module] = field(default_factory=list)


@dataclass
class Made:
    """providers: root key (`aws`, `aws.b`) -> place. six: the AWS provider fills `region` at plan."""

    providers: dict[str, Place]
    root: Module
    six: bool

    # --- the plan

    def plan(self) -> Json:
        changes = [_pet()]
        for module, prefix in self._modules():
            for block in module.blocks:
                changes += self._changes(block, prefix)
        variables = {f"region_{_id(k)}": {"default": p.text} for k, p in self.providers.items() if p.by == "var"}
        return {
            "format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes,
            "variables": {k: {"value": v["default"]} for k, v in variables.items()},
            "configuration": {
                "provider_config": {k: self._provider(k, p) for k, p in self.providers.items()},
                "root_module": {**self._module(self.root), "variables": variables},
            },
        }  # fmt: skip

    def _modules(self) -> Iterator[tuple[Module, str]]:
        """Every module instance with the prefix of its addresses."""
        queue = [(self.root, "")]
        for module, prefix in queue:
            yield module, prefix
            queue += [(c, f"{prefix}module.{c.name}{_key(k)}.") for c in module.children for k in c.keys]

    def _provider(self, key: str, place: Place) -> Json:
        cloud, _, alias = key.partition(".")
        made: Json = {"name": cloud, "full_name": _source(cloud), "expressions": {}}
        if alias:
            made["alias"] = alias
        if cloud == "aws":
            named = {"references": [f"var.region_{_id(key)}"]}
            made["expressions"]["region"] = named if place.by == "var" else _expression(place)
        return made

    def _module(self, module: Module) -> Json:
        calls = {}
        for c in module.children:
            calls[c.name] = {"source": f"./{c.name}", "expressions": {"place": _expression(c.place)}, "module": self._module(c)}
            if c.keys != [""]:
                calls[c.name]["count_expression"] = {"constant_value": len(c.keys)}
        return {"resources": [self._config(b) for b in self._with_parts(module)], "module_calls": calls,
                "variables": {"place": {}} if module.name else {}}  # fmt: skip

    def _with_parts(self, module: Module) -> Iterator[Block]:
        if not module.name:
            yield Block("random_pet", "r", {"": Place("x")}, "random")
        for block in module.blocks:
            if block.fleet != (0, 0):
                yield from _parts(block)
            yield block

    def _config(self, block: Block) -> Json:
        expressions = {k: {"constant_value": v} for k, v in block.attributes.items()}
        for name, held in block.blocks.items():
            expressions[name] = [{k: {"constant_value": v} for k, v in b.items()} for b in held]
        if block.replicas:
            expressions["replica"] = [{"region_name": {"constant_value": r}} for r in block.replicas]
        if block.fleet != (0, 0):
            template = f"aws_launch_template.{block.name}"
            expressions["launch_template"] = [{"id": {"references": [f"{template}.id", template]}}]
            named = [f"aws_subnet.{block.name}s{i}" for i in range(len(block.zones))]
            if block.subnets:
                expressions["vpc_zone_identifier"] = {"references": [r for n in named for r in (f"{n}.id", n)]}
            elif block.zones:
                expressions["availability_zones"] = {"constant_value": block.zones}
        if block.type == "aws_subnet":
            expressions["availability_zone"] = {"constant_value": block.zones[0]} if block.zones[0] else PET
        place = next(iter(block.keys.values()))
        if (path := self._path(block)) and block.type != "random_pet":
            group = {"references": [f"{block.after}.location", block.after]}
            expressions[path] = group if block.after else _expression(place)
        made: Json = {
            "address": f"{block.type}.{block.name}", "mode": "managed", "type": block.type, "name": block.name,
            "provider_config_key": block.provider, "expressions": expressions, "schema_version": 0,
        }  # fmt: skip
        if set(block.keys) != {""}:
            constant = {str(k): p.text for k, p in block.keys.items()}
            made["for_each_expression"] = {"constant_value": constant}
        return made

    def _path(self, block: Block) -> str:
        """The attribute that the block writes its place into, "" where it leaves it to its provider."""
        cloud = _cloud(block.type)
        return "" if cloud == "aws" and not block.own else PLACE_OF.get(cloud, "")

    def place(self, block: Block, place: Place) -> str:
        """The region an instance comes to stand in, "" where unknown."""
        return place.text if _cloud(block.type) != "aws" or self._path(block) else self.providers[block.provider].text

    def _changes(self, block: Block, prefix: str) -> Iterator[Json]:
        parts = _parts(block) if block.fleet != (0, 0) else []
        for b in (*parts, block):
            for key, place in b.keys.items():
                after: Json = {**b.attributes} | {k: list(v) for k, v in b.blocks.items()}
                unknown: Json = {"id": True, "arn": True}
                if b.replicas:
                    after["replica"] = [{"region_name": r, "kms_key_arn": None} for r in b.replicas]
                if b.fleet != (0, 0):
                    after["launch_template"] = [{"version": "$Latest"}]
                    unknown["launch_template"] = [{"id": True, "name": True}]
                    if block.subnets:
                        unknown["vpc_zone_identifier"] = True
                    elif block.zones:
                        after["availability_zones"] = block.zones
                if b.type == "aws_subnet":
                    after |= {"availability_zone": b.zones[0]} if b.zones[0] else {}
                    unknown |= {} if b.zones[0] else {"availability_zone": True}
                cloud = _cloud(b.type)
                path = self._path(b) or ("region" if cloud == "aws" and self.six else "")
                if path:
                    text = self.place(b, place)
                    after |= {path: text} if text else {}
                    unknown |= {} if text else {path: True}
                address = f"{prefix}{b.type}.{b.name}{_key(key)}"
                made: Json = {
                    "address": address, "mode": "managed", "type": b.type, "name": b.name, "provider_name": _source(cloud),
                    "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": unknown,
                               "before_sensitive": False, "after_sensitive": {}},
                }  # fmt: skip
                if prefix:
                    made["module_address"] = prefix[:-1]
                if key != "":
                    made["index"] = key
                yield made

    # --- what must be said

    def expected(self, home: Container[str] = EU, replica: Container[str] = EU) -> dict[str, set[str]]:
        """Address -> the kinds of its findings about places, with these countries allowed; every resource is named."""
        found: dict[str, set[str]] = {}
        for module, prefix in self._modules():
            for block in module.blocks:
                for key, place in block.keys.items():
                    text = self.place(block, place)
                    country = COUNTRIES[text] if text else ""
                    kinds = {"open" if not country else "pass" if country in home else "fail"}
                    kinds |= {"pass" if COUNTRIES[r] in replica else "fail" for r in block.replicas}
                    found[f"{prefix}{block.type}.{block.name}{_key(key)}"] = kinds - {"pass"}
                    for part in _parts(block) if block.fleet != (0, 0) else ():
                        found[f"{prefix}{part.type}.{part.name}"] = kinds - {"pass"}
        return found

    def jobs(self) -> dict[str, tuple[int, int]]:
        """Block address of each fleet and machine -> its nodes, fewest and most, over all instances of its modules."""
        found: dict[str, tuple[int, int]] = {}
        for module, prefix in self._modules():
            for b in module.blocks:
                if b.type in ("aws_instance", "aws_autoscaling_group"):
                    name = f"{_bare(prefix)}{b.type}.{b.name}"
                    low, high = b.fleet if b.fleet != (0, 0) else (len(b.keys), len(b.keys))
                    before = found.get(name, (0, 0))
                    found[name] = (before[0] + low, before[1] + high)
        return found

    def fabric(self) -> dict[str, bool]:
        """Block address of each fleet -> whether its nodes get their fabric cards."""
        return {
            f"{_bare(prefix)}{b.type}.{b.name}": b.efa
            for module, prefix in self._modules() for b in module.blocks if b.fleet != (0, 0)
        }  # fmt: skip

    def zones(self) -> dict[str, tuple[list[str], int | None]]:
        """Block address of each fleet whose zones are written -> the zones known, and how many at once, None where open."""
        return {
            f"{_bare(prefix)}{b.type}.{b.name}":
                (sorted({z for z in b.zones if z}), 1 if len(b.zones) == 1 else None if "" in b.zones else len(set(b.zones)))
            for module, prefix in self._modules() for b in module.blocks if b.zones
        }  # fmt: skip

    # --- what stands already, and the lock file

    def state(self) -> Json:
        """State after apply, in which every place is known: what was unknown came to stand in the first place of its cloud."""
        top: Json = {"resources": []}
        for module, prefix in self._modules():
            held = top
            if prefix:
                held = {"address": prefix[:-1], "resources": []}
                top.setdefault("child_modules", []).append(held)
            for block in module.blocks:
                for change in self._changes(block, prefix):
                    cloud = _cloud(change["type"])
                    values = {**change["change"]["after"], "id": "x"}
                    values.setdefault(PLACE_OF[cloud], self.providers[block.provider].text or next(iter(PLACES[cloud])))
                    made = {k: v for k, v in change.items() if k not in ("change", "module_address")}
                    held["resources"].append({**made, "schema_version": 0, "values": values, "sensitive_values": {}})
        return {"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": top}}

    # --- the source

    def source(self) -> dict[str, str]:
        """Path -> text of the Terraform files."""
        held: dict[str, list[str]] = {}
        clouds = sorted({k.partition(".")[0] for k in self.providers})
        needs = "".join(f'    {c} = {{\n      source = "hashicorp/{c}"\n    }}\n' for c in (*clouds, "random"))
        root = [f"terraform {{\n  required_providers {{\n{needs}  }}\n}}\n"]
        for key, place in self.providers.items():
            cloud, _, alias = key.partition(".")
            name = f"region_{_id(key)}"
            lines = [f'  alias = "{alias}"'] if alias else []
            if cloud == "aws":
                lines.append(f"  region = {f'var.{name}' if place.by == 'var' else _hcl(place)}")
            if cloud == "azurerm":
                lines.append("  features {}")
            root.append(f'provider "{cloud}" {{\n' + "".join(f"{x}\n" for x in lines) + "}\n")
            if place.by == "var" and cloud == "aws":
                root.append(f'variable "{name}" {{\n  default = "{place.text}"\n}}\n')
        queue = [(self.root, "")]
        for module, folder in queue:
            text = held.setdefault(f"{folder}main.tf", root if not module.name else ['variable "place" {}\n'])
            text += [self._text(b) for b in self._with_parts(module)]
            for c in module.children:
                repeat = "" if c.keys == [""] else f"  count = {len(c.keys)}\n"
                passed = f"  providers = {{\n    {c.cloud} = {self._handed(module, c)}\n  }}\n"
                text.append(f'module "{c.name}" {{\n  source = "./{c.name}"\n{repeat}  place = {_hcl(c.place)}\n{passed}}}\n')
                queue.append((c, f"{folder}{c.name}/"))
        return {k: "\n".join(v) for k, v in held.items()}

    def _handed(self, module: Module, child: Module) -> str:
        """A module below the root knows only its own default."""
        return child.provider if not module.name else child.cloud

    def _text(self, block: Block) -> str:
        place = next(iter(block.keys.values()))
        lines = []
        if set(block.keys) != {""}:
            lines.append(f"for_each = {json.dumps({str(k): p.text for k, p in block.keys.items()})}".replace('": "', '" = "'))
        if block.local:
            lines.append(f"provider = {block.local}")
        lines += [f"{k} = {json.dumps(v)}" for k, v in block.attributes.items()]
        if (path := self._path(block)) and block.type != "random_pet":
            lines.append(f"{path} = {f'{block.after}.location' if block.after else _hcl(place)}")
        nested = {**block.blocks, "replica": [{"region_name": r} for r in block.replicas]}
        for name, held in nested.items():
            for b in held:
                lines += [f"{name} {{", *(f"  {k} = {json.dumps(v)}" for k, v in b.items()), "}"]
        if block.fleet != (0, 0):
            lines += ["launch_template {", f"  id = aws_launch_template.{block.name}.id", "}"]
            named = [f"aws_subnet.{block.name}s{i}.id" for i in range(len(block.zones))]
            lines += [f"vpc_zone_identifier = [{', '.join(named)}]"] if block.subnets else []
            lines += [f"availability_zones = {json.dumps(block.zones)}"] if block.zones and not block.subnets else []
        if block.type == "aws_subnet":
            lines.append(f"availability_zone = {_hcl(Place(block.zones[0]))}")
        return f'resource "{block.type}" "{block.name}" {{\n' + "".join(f"  {x}\n" for x in lines) + "}\n"


def _parts(block: Block) -> list[Block]:
    """The launch template of a fleet, and its subnets."""
    cards = {"network_interfaces": [{"interface_type": "efa"}]} if block.efa else {}
    where = ({"": next(iter(block.keys.values()))}, block.provider, block.local)
    made = [Block("aws_launch_template", block.name, *where, attributes={"instance_type": GPU}, blocks=cards)]
    if block.subnets:
        made += [Block("aws_subnet", f"{block.name}s{i}", *where, zones=[z]) for i, z in enumerate(block.zones)]
    return made


def _pet() -> Json:
    return {"address": "random_pet.r", "mode": "managed", "type": "random_pet", "name": "r", "provider_name": _source("random"),
            "change": {"actions": ["create"], "before": None, "after": {"length": 2}, "after_unknown": {"id": True}}}  # fmt: skip


def _cloud(type_: str) -> str:
    return type_.partition("_")[0]


def _source(cloud: str) -> str:
    return f"registry.terraform.io/hashicorp/{cloud}"


def _id(key: str) -> str:
    return key.replace(".", "_")


def _key(key: str | int) -> str:
    return "" if key == "" else f"[{json.dumps(key)}]"


def _bare(prefix: str) -> str:
    return "".join(p.partition("[")[0] + "." for p in prefix.split(".") if p)


def _expression(place: Place) -> Json:
    if not place.text and place.by == "constant":
        return PET
    if place.by == "var":
        return {"references": ["var.place"]}
    return {"references": ["each.value"]} if place.by == "key" else {"constant_value": place.text}


def _hcl(place: Place) -> str:
    if not place.text and place.by == "constant":
        return "random_pet.r.id"
    return {"var": "var.place", "key": "each.value"}.get(place.by, json.dumps(place.text))


# --- drawing


@st.composite
def made(draw: st.DrawFn) -> Made:
    """A configuration of one to three providers and up to some ten blocks in up to five modules."""
    providers: dict[str, Place] = {}
    clouds = draw(st.lists(st.sampled_from(sorted(PLACES)), min_size=1, max_size=3, unique=True))
    for cloud in clouds:
        for alias in ["", "b", "c"][: draw(st.integers(1, 3)) if cloud == "aws" else 1]:
            text = draw(st.sampled_from(["", *PLACES[cloud], *PLACES[cloud]]))
            by = draw(st.sampled_from(["constant", "var"])) if text else "constant"
            providers[f"{cloud}.{alias}" if alias else cloud] = Place(text, by)
    names = iter(f"n{i}" for i in range(1000))
    root = Module("", [""], Place("x"), clouds[0], clouds[0])
    _fill(draw, root, providers, names, 0)
    return Made(providers, root, draw(st.booleans()))


def _fill(draw: st.DrawFn, module: Module, providers: dict[str, Place], names: Iterator[str], depth: int) -> None:
    for _ in range(draw(st.integers(1, 4))):
        _block(draw, module, providers, names)
    for _ in range(draw(st.integers(0, 2)) if depth < 2 else 0):
        cloud = module.cloud if module.name else draw(st.sampled_from(sorted({k.partition(".")[0] for k in providers})))
        handed = [k for k in providers if k.partition(".")[0] == cloud] if not module.name else [module.provider]
        # Below the root an unknown place can only be handed on: its resource stands in the root.
        texts = ["", *PLACES[cloud]] if not module.name else list(PLACES[cloud])
        passed = module.name and draw(st.booleans())
        place = Place(module.place.text, "var") if passed else Place(draw(st.sampled_from(texts)))
        keys: list[str | int] = draw(st.sampled_from([[""], [0], [0, 1]]))
        child = Module(next(names), keys, place, draw(st.sampled_from(handed)), cloud)
        _fill(draw, child, providers, names, depth + 1)
        module.children.append(child)


def _block(draw: st.DrawFn, module: Module, providers: dict[str, Place], names: Iterator[str]) -> None:
    if module.name:
        cloud, provider, local = module.cloud, module.provider, ""
    else:
        provider = draw(st.sampled_from(sorted(providers)))
        cloud = provider.partition(".")[0]
        local = provider if "." in provider else ""
    type_ = draw(st.sampled_from(TYPES[cloud]))
    name = next(names)
    texts = list(PLACES[cloud])
    how = draw(st.sampled_from(["constant", "constant", "key", *(["var"] if module.name else ["unknown"])]))
    fleet = type_ == "aws_autoscaling_group"
    keys: dict[str | int, Place]
    if how == "key" and not fleet:
        keys = {k: Place(draw(st.sampled_from(texts)), "key") for k in ("x", "y", "z")[: draw(st.integers(1, 3))]}
    elif how == "var":
        keys = {"": Place(module.place.text, "var")}
    else:
        keys = {"": Place("" if how == "unknown" else draw(st.sampled_from(texts)))}
    block = Block(type_, name, keys, provider, local)
    own = how == "key" or draw(st.booleans())
    block.own = cloud == "aws" and own and not fleet
    match type_:
        case "aws_dynamodb_table":
            block.replicas = draw(st.lists(st.sampled_from(texts), max_size=2, unique=True))
        case "aws_instance":
            block.attributes["instance_type"] = GPU
        case "aws_autoscaling_group":
            low = draw(st.integers(1, 4))
            block.fleet = (low, low + draw(st.integers(0, 4)))
            block.efa = draw(st.booleans())
            block.attributes |= {"min_size": low, "max_size": block.fleet[1]}
            if region := providers[provider].text:
                block.subnets = draw(st.booleans())
                letters = st.sampled_from(["a", "b", "c", *([""] if block.subnets and not module.name else [])])
                picked = draw(st.lists(letters, max_size=3, unique=not block.subnets))
                block.zones = [region + x if x else "" for x in picked]
                block.subnets = block.subnets and bool(picked)
        case "azurerm_storage_account":
            block.attributes |= {"account_tier": "Standard", "account_replication_type": "LRS"}
            groups = [b for b in module.blocks if b.type == "azurerm_resource_group" and set(b.keys) == {""}]
            if groups and draw(st.booleans()):
                block.after = f"azurerm_resource_group.{groups[0].name}"
                block.keys = {"": Place(groups[0].keys[""].text, "var")}
    module.blocks.append(block)
