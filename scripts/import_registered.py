#!/usr/bin/env python3
"""Finds types that a provider's source registered before its documentation named them.

Usage: scripts/import_registered.py CLONES_DIR [PROVIDER...]

CLONES_DIR holds bare clones with their tags, one folder `OWNER+NAME/repo` a provider (CLONES below). Most first versions of
the smaller providers were read in their documentation, which may come releases later than the code. For every type that a
shard holds as exact, the maps of resources and data sources in the source are read from its first version backwards.
Written to `provider_catalog/lag/registered.csv`, which `scripts/import_lag.py` merges into the shards. Nothing here runs at
build, test or run time.

What counts, and what is left out:
- a key of a `map[string]` of resources whose name (or whose function's) tells resources from data sources; maps of importers
  and exporters, and tests, are no registration.
- a type that no such map holds at its own first version (registered by a constructor) says nothing and is left as it is.
- the earliest release of an unbroken run is the first version: exact where the release before registers others and lacks
  it, else "at most".
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from auditor.versions import Version, parse_version

LAG = Path(__file__).resolve().parent.parent / "provider_catalog" / "lag"
COLUMNS = ("provider_source", "kind", "resource_type", "documented", "first_version", "evidence")
ENOUGH = 10  # registrations that show that a release's maps are read
CLONES = {
    "cloudflare/cloudflare": ("cloudflare+terraform-provider-cloudflare", "cloudflare"),
    "databricks/databricks": ("databricks+terraform-provider-databricks", "databricks"),
    "digitalocean/digitalocean": ("digitalocean+terraform-provider-digitalocean", "digitalocean"),
    "exoscale/exoscale": ("exoscale+terraform-provider-exoscale", "exoscale"),
    "hashicorp/azuread": ("hashicorp+terraform-provider-azuread", "azuread"),
    "hashicorp/azurerm": ("hashicorp+terraform-provider-azurerm", "azurerm"),
    "hashicorp/google-beta": ("hashicorp+terraform-provider-google-beta", "google"),
    "hashicorp/google": ("hashicorp+terraform-provider-google", "google"),
    "hetznercloud/hcloud": ("hetznercloud+terraform-provider-hcloud", "hcloud"),
    "ibm-cloud/ibm": ("IBM-Cloud+terraform-provider-ibm", "ibm"),
    "linode/linode": ("linode+terraform-provider-linode", "linode"),
    "ovh/ovh": ("ovh+terraform-provider-ovh", "ovh"),
    "scaleway/scaleway": ("scaleway+terraform-provider-scaleway", "scaleway"),
    "terraform-provider-openstack/openstack": ("terraform-provider-openstack+terraform-provider-openstack", "openstack"),
    "vultr/vultr": ("vultr+terraform-provider-vultr", "vultr"),
}
MAP = r"map\[string\].*(schema|pluginsdk|resource)\.Resource\b"
SKIPPED = ("*_test.go", "vendor", "exporter", "*import*.go", "*export*.go")


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False).stdout


def kind_of(head: str) -> str:
    """The kind that the text before `map[` names; "" where it names none."""
    if re.search("import", head, re.IGNORECASE):
        return ""
    if re.search("data", head, re.IGNORECASE):
        return "data-source"
    return "resource" if re.search("resource", head, re.IGNORECASE) else ""


class Source:
    """One clone: what each release registers."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix
        found = {v: tag for tag in git(folder, "tag").split() if (v := parse_version(tag)) is not None and v.released}
        self.tags: dict[Version, str] = dict(sorted(found.items()))
        self.order = list(self.tags)

    @cache  # noqa: B019 (one object a run)
    def registered(self, version: Version) -> frozenset[tuple[str, str]]:
        key = rf'"{self.prefix}_[a-z0-9_]+":'
        skipped = [f":!{s}" for s in SKIPPED]
        text = git(self.folder, "grep", "-E", f"{MAP}|{key}", self.tags[version], "--", "*.go", *skipped)
        made, file, kind = set(), "", ""
        for line in text.splitlines():
            _, path, body = line.split(":", 2)
            if path != file:
                file, kind = path, ""
            if "map[string]" in body:
                kind = kind_of(body.split("map[")[0])
            elif kind and (found := re.match(rf"\s*{key}", body)):
                made.add((kind, found.group().strip().strip('":')))
        return frozenset(made)

    def earliest(self, kind: str, type_: str, documented: Version) -> tuple[Version, str] | None:
        """(first release, evidence) where it is older than the documented one."""
        if documented not in self.tags or (kind, type_) not in self.registered(documented):
            return None
        at = i = self.order.index(documented)
        while i and (kind, type_) in self.registered(self.order[i - 1]):
            i -= 1
        if i == at:
            return None
        seen = i > 0 and len(self.registered(self.order[i - 1])) > ENOUGH
        return self.order[i], "exact" if seen else "at_most"


def main() -> None:
    clones = Path(sys.argv[1])
    rows = []
    for name in sys.argv[2:] or sorted(CLONES):
        folder, prefix = CLONES[name]
        source = Source(clones / folder / "repo", prefix)
        shard = json.loads((LAG / f"{name.replace('/', '__')}.json").read_text(encoding="utf-8"))
        for kind in ("data-source", "resource"):
            for type_, (version, evidence, origin, *_) in shard["support"].get(kind, {}).items():
                documented = parse_version(version)
                if evidence != "exact" or origin == "source" or documented is None:
                    continue
                found = source.earliest(kind, type_, documented)
                if found is not None:
                    rows.append((name, kind, type_, version, str(found[0]), found[1]))
        print(name, sum(1 for r in rows if r[0] == name))
    held = LAG / "registered.csv"
    kept = []
    if held.exists():  # what an earlier run found stands in the shards by now
        with held.open(newline="", encoding="utf-8") as f:
            kept = [tuple(r[c] for c in COLUMNS) for r in csv.DictReader(f)]
    merged = {r[:3]: r for r in [*kept, *rows]}
    with held.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted(merged.values()))


if __name__ == "__main__":
    main()
