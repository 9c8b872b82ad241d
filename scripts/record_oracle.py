#!/usr/bin/env python3
"""Asks Terraform what each expression of `tests/oracle/expressions.txt` is worth, and keeps the answers beside it.

Usage: scripts/record_oracle.py [FOLDER]   (terraform on PATH; no network, no provider but the built-in one)

Two plans of `fixture.tf`: the first asks which expressions Terraform accepts (`can`), the second for their values.
An answer is {"error": true}, {"unknown": true}, or {"value": ..., "unknown": marks, "type": kind, "sensitive": bool}.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent / "tests" / "oracle"


def main(folder: Path) -> None:
    lines = [x for x in (folder / "expressions.txt").read_text(encoding="utf-8").splitlines() if x.strip()]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        shutil.copy(folder / "fixture.tf", root)
        shutil.copytree(folder / "data", root / "data")
        # `can` of an unknown is unknown: such an expression is asked for its value, too.
        asked = _outputs(root, {i: f"can({x})" for i, x in enumerate(lines)})
        fine = {i: x for i, x in enumerate(lines) if asked[i].get("after") is not False}
        found = _outputs(root, fine)
    answers: dict[str, Any] = {}
    for i, x in enumerate(lines):
        answers[x] = _answer(found[i]) if i in found else {"error": True}
    text = json.dumps(answers, indent=0, ensure_ascii=False, sort_keys=True)
    (folder / "answers.json").write_text(text + "\n", encoding="utf-8")
    print(f"{len(lines)} expressions, {sum('error' in a for a in answers.values())} refused")


def _answer(change: dict[str, Any]) -> dict[str, Any]:
    if change.get("after_unknown") is True:
        return {"unknown": True}
    made = {"value": change.get("after"), "type": _kind(change.get("type"))}
    if change.get("after_unknown"):
        made["unknown"] = change["after_unknown"]
    return made


def _kind(type_: Any) -> str:
    return str(type_[0] if isinstance(type_, list) else type_)


def _outputs(root: Path, expressions: dict[int, str]) -> dict[int, dict[str, Any]]:
    text = "".join(f'output "e{i}" {{\n  sensitive = true\n  value = {x}\n}}\n' for i, x in expressions.items())
    (root / "outputs.tf").write_text(text, encoding="utf-8")
    env = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for command in (["init", "-input=false"], ["plan", "-out=tfplan", "-input=false", "-no-color"]):
        subprocess.run(["terraform", *command], cwd=root, env=env, check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run(["terraform", "show", "-json", "tfplan"], cwd=root, env=env, check=True, capture_output=True)
    plan = json.loads(shown.stdout)
    types = {k: v.get("type") for k, v in plan["planned_values"]["outputs"].items()}
    return {int(k[1:]): {**v, "type": types.get(k)} for k, v in plan["output_changes"].items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
