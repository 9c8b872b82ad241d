"""What a tree of Terraform source shows at a glance: clouds, regions, accelerators, tags that classify data.

For `auditor init`, which proposes a policy: literals only, nothing is evaluated, and a file that cannot be read is skipped and
counted. What is not seen here may exist all the same.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from auditor.catalog import Catalog
from auditor.errors import AuditorError
from auditor.facts import CloudSummary, Index, provider_source
from auditor.load.hcl.modules import read_file
from auditor.load.lockfile import parse_lock
from auditor.syntax import Attribute, Block, Body, GetAttr, Literal, Name, Object, Template, Tuple

MAX_FILES: Final = 2_000
MAX_BYTES: Final = 1_000_000
_SKIPPED: Final = frozenset((".terraform", "node_modules", "__pycache__", "vendor"))
_ENDINGS: Final = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")
_PLACE: Final = re.compile(r"(^|_)(region|location|zone|datacenter|availability_zone)s?(_|$)")
_SIZE: Final = re.compile(
    r"(instance|machine|node|vm)_(type|size)s?|^(type|size|shape|sku|vm_size|platform|machine|plan|flavor)s?$|gpu"
)
_TAGS: Final = re.compile(r"(^|_)(tags|labels|freeform_tags)$")
_HOME: Final = 1_000  # the region of a default provider block outweighs all that is said elsewhere
_CLASSIFYING: Final = re.compile(  # `data`, `DataClassification`, `acme:data-class`, `pii`; not `database_password`
    r"(.*[_:./-])?(data([_:./-]?(class|sensitiv)\w*)?|(data)?class(ification)?|confidentiality|sensitivity|privacy|pii|phi|gdpr)",
    re.IGNORECASE,
)
_CLASS: Final = re.compile(r"[\w .:-]{1,40}")


@dataclass(slots=True)
class Survey:
    """What was seen; places and accelerators with the file:line of their first mention."""

    files: int = 0
    unread: int = 0
    clouds: Counter[str] = field(default_factory=Counter)  # cloud -> resources; 0 where only a provider is named
    places: dict[tuple[str, str], str] = field(default_factory=dict)  # (cloud, region) -> where
    mentions: Counter[tuple[str, str]] = field(default_factory=Counter)
    accelerators: dict[str, str] = field(default_factory=dict)  # instance type -> where
    tags: dict[str, dict[str, str]] = field(default_factory=dict)  # key -> value -> where
    literals: list[tuple[str, str, str, int]] = field(default_factory=list)  # (attribute, text, where, weight), not yet read
    home_names: set[str] = field(default_factory=set)  # variables and locals that default providers take their region from


def survey(folder: Path, catalog: Catalog) -> Survey:
    """Reads every Terraform file below a folder; downloaded modules and hidden folders are left out."""
    seen = Survey()
    for path in _files(folder):
        if path.name == ".terraform.lock.hcl":
            _lock(path, seen, catalog.index)
            continue
        seen.files += 1
        shown = path.relative_to(folder).as_posix()
        try:
            data = path.read_bytes()
            if len(data) > MAX_BYTES:
                raise OSError
            name = path.name.replace(".tfvars", ".tf")  # the same syntax, attributes alone
            _body(read_file(shown, name, data).body, seen, catalog.index)
        except (AuditorError, OSError):
            seen.unread += 1
    for attribute, text, where, weight in seen.literals:
        if _PLACE.search(attribute):
            _place(text, where, _HOME if attribute in seen.home_names else weight, seen, catalog)
        if _SIZE.search(attribute):
            _accelerator(text, where, seen, catalog)
    return seen


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not f.startswith("."))
        for name in sorted(names):
            path = Path(at) / name
            if (name.endswith(_ENDINGS) or name == ".terraform.lock.hcl") and path.is_file():
                found.append(path)
        if len(found) > MAX_FILES:
            break
    return found[:MAX_FILES]


def _lock(path: Path, seen: Survey, index: Index) -> None:
    try:
        lock = parse_lock(path.read_text(encoding="utf-8-sig"), path.name)
    except (AuditorError, OSError, UnicodeDecodeError):
        seen.unread += 1
        return
    for source in lock.providers:
        _cloud_of(source, seen, index, 0)


def _cloud_of(source: str, seen: Survey, index: Index, count: int) -> None:
    known = index.providers.get(source)
    if known is not None and known.cloud in index.clouds:
        seen.clouds[known.cloud] += count


def _body(body: Body, seen: Survey, index: Index) -> None:
    shorts = {p.short: source for source, p in index.providers.items() if p.short}
    for block in body.blocks:
        if block.type in ("resource", "data") and block.labels:
            source = shorts.get(block.labels[0].partition("_")[0], "")
            _cloud_of(source, seen, index, 1 if block.type == "resource" else 0)
        elif block.type == "provider" and block.labels:
            _cloud_of(shorts.get(block.labels[0], ""), seen, index, 0)
        elif block.type == "terraform":
            for required in (b for b in block.body.blocks if b.type == "required_providers"):
                for attribute in required.body.attributes.values():
                    for key, text in _texts(attribute.expr):
                        if key == "source":
                            _cloud_of(provider_source(text), seen, index, 0)
        name = block.labels[0] if block.type == "variable" and block.labels else ""
        home = block.type == "provider" and "alias" not in block.body.attributes
        if home:
            seen.home_names |= {n for a in block.body.attributes.values() if _PLACE.search(a.name) and (n := _named(a.expr))}
        _inside(block, seen, name, _HOME if home else 1)
    for attribute in body.attributes.values():  # a file of variable values
        _attribute(attribute, attribute.name, seen, 1)


def _inside(block: Block, seen: Survey, name: str, weight: int) -> None:
    """The literals of a block; the default of a variable counts under the variable's name."""
    for attribute in block.body.attributes.values():
        _attribute(attribute, name if name and attribute.name == "default" else attribute.name, seen, weight)
    for inner in block.body.blocks:
        _inside(inner, seen, "", weight)


def _attribute(attribute: Attribute, name: str, seen: Survey, weight: int) -> None:
    where = attribute.source.where(attribute.start).rpartition(":")[0]
    for key, text in _texts(attribute.expr):
        seen.literals.append((key or name, text, where, weight))
        if key and key != name:
            seen.literals.append((name, text, where, weight))
        if key and _TAGS.search(name) and _CLASSIFYING.fullmatch(key) and _CLASS.fullmatch(text):
            seen.tags.setdefault(key, {}).setdefault(text, where)


def _texts(expr: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """(nearest object key, text) of every literal text in an expression."""
    match expr:
        case Literal(value=str(text)):
            yield key, text
        case Template(parts=parts) if all(isinstance(p, Literal) for p in parts):
            yield key, "".join(str(p.value) for p in parts)
        case Tuple(items=items):
            for item in items:
                yield from _texts(item.value, key)
        case Object(items=items):
            for item in items:
                yield from _texts(item.value, _key(item.key) or key)
        case _ if hasattr(expr, "args"):  # merge({...}, ...), tomap({...})
            for arg in expr.args:
                yield from _texts(arg, key)


def _named(expr: Any) -> str:
    """`region` of `var.region` and `local.region`; "" for anything else."""
    match expr:
        case GetAttr(of=Name(name="var" | "local"), name=name):
            return name
    return ""


def _key(expr: Any) -> str:
    match expr:
        case Name(name=name):
            return name
        case Literal(value=str(text)):
            return text
        case Template(parts=parts) if all(isinstance(p, Literal) for p in parts):
            return "".join(str(p.value) for p in parts)
    return ""


# --- reading the literals -------------------------------------------------------------------------


def _place(text: str, where: str, weight: int, seen: Survey, catalog: Catalog) -> None:
    folded = text.casefold().replace(" ", "")
    for cloud in seen.clouds:
        summary = catalog.index.clouds[cloud]
        region = _region(folded, summary)
        tables = catalog.cloud(cloud) if not region else None
        if tables is not None:
            zones = (re.fullmatch(p, folded) for p in tables.reading.zone_patterns)
            region = next((r for m in zones if m is not None and (r := _region(m["region"], summary))), "")
        if region and summary.regions[region] not in ("", "*"):
            seen.places.setdefault((cloud, region), where)
            seen.mentions[(cloud, region)] += weight


def _region(folded: str, summary: CloudSummary) -> str:
    return next((r for r in summary.regions if r.casefold() == folded), "")


def _accelerator(text: str, where: str, seen: Survey, catalog: Catalog) -> None:
    for cloud in seen.clouds:
        tables = catalog.cloud(cloud)
        names = tables.instances if tables is not None else {}
        if text in names or any(name.startswith(f"{text}/") for name in names):
            seen.accelerators.setdefault(text, where)


# --- proposing ------------------------------------------------------------------------------------


def propose(seen: Survey, index: Index) -> tuple[str, list[tuple[str, str]]]:
    """(place item, regions outside of it): the narrowest usual list that holds all, else that of the default providers.

    A bloc before a country, so that a second region of it needs no new policy; the EU where nothing was seen.
    """
    countries: Counter[str] = Counter()
    for (cloud, region), count in seen.mentions.items():
        countries[index.clouds[cloud].regions[region]] += count
    if not countries:
        return "EU", []
    blocs = _blocs(index)
    weight: Counter[str] = Counter()
    for country, count in countries.items():
        weight[next((n for n in ("EU", "EEA") if country in blocs.get(n, ())), country)] += count
    usual = max(weight, key=lambda n: (weight[n], n))
    several = next((n for n, members in blocs.items() if countries.keys() <= members), usual)
    name = several if len(countries) > 1 else usual
    members = blocs.get(name, frozenset((name,)))
    return name, [(c, r) for c, r in sorted(seen.places) if index.clouds[c].regions[r] not in members]


def _blocs(index: Index) -> Mapping[str, frozenset[str]]:
    """Groups of several countries and nothing else, sure of their members: the EU and EEA first, then the smallest."""
    plain = {n: frozenset(g.countries) for n, g in index.groups.items() if g.confirmed and not g.partitions and not g.partial}
    first = [n for n in ("EU", "EEA") if n in plain]
    rest = sorted((n for n in plain if n not in first and len(plain[n]) > 1), key=lambda n: (len(plain[n]), n))
    return {n: plain[n] for n in [*first, *rest]}
