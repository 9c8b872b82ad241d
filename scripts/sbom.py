#!/usr/bin/env python3
"""A CycloneDX 1.5 bill of materials of auditor and what it needs at run time, from the installed metadata."""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

ROOT = "terraform-plan-auditor"


def _needs(dist: Distribution) -> list[str]:
    """Names of run-time requirements: those of extras are left out."""
    return [re.split(r"[\s;<>=!~\[(]", r)[0].lower() for r in dist.requires or () if "extra ==" not in r]


def main() -> None:
    found: dict[str, Distribution] = {}
    queue = [ROOT]
    while queue:
        name = queue.pop()
        try:
            dist = distribution(name)
        except PackageNotFoundError:  # needed on another platform or Python only
            continue
        if (key := dist.metadata["Name"].lower().replace("_", "-")) not in found:
            found[key] = dist
            queue += _needs(dist)
    parts = [
        {"type": "library", "bom-ref": name, "name": name, "version": d.version, "purl": f"pkg:pypi/{name}@{d.version}"}
        for name, d in sorted(found.items()) if name != ROOT
    ]  # fmt: skip
    root = {"type": "application", "bom-ref": ROOT, "name": ROOT, "version": found[ROOT].version}
    edges = [
        {"ref": name, "dependsOn": sorted({n.replace("_", "-") for n in _needs(d)} & set(found))}
        for name, d in sorted(found.items())
    ]
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": root}}
    print(json.dumps({**bom, "components": parts, "dependencies": edges}, indent=2))


if __name__ == "__main__":
    main()
