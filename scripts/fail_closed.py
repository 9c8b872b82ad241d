#!/usr/bin/env python3
"""Writes docs/fail-closed.md: what each program answers to input that must not pass silently, as measured.

`scripts/fail_closed.py [--checkov PROGRAM] [--trivy PROGRAM] [--out docs/fail-closed.md]`: other scanners from environments of their own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

RECORDED = Path(__file__).resolve().parent.parent / "tests" / "plans" / "a-eu-alias"


def inputs(plan: bytes) -> dict[str, tuple[bytes | None, bool]]:
    """name -> (content, whether an audit is the right answer). The plan has findings, so a silent pass shows as exit 0."""
    tree = json.loads(plan)

    def having(**keys: object) -> bytes:
        return json.dumps({**tree, **keys}).encode()

    return {
        "the plan as it is": (plan, True),
        "wrapper line before the JSON": (b"[command]/usr/bin/terraform show -json tfplan\n" + plan, True),
        "workflow command after the JSON": (plan + b"\n::debug::done\n", True),
        "truncated JSON": (plan[: len(plan) // 2], False),
        "empty file": (b"", False),
        "valid JSON that is no plan": (b'{"a": 1}', False),
        "a plan without resource_changes": (json.dumps({k: v for k, v in tree.items() if k != "resource_changes"}).encode(), False),
        "the streaming log of plan -json": (b'{"@level":"info","@message":"Terraform 1.11.4"}\n', False),
        "UTF-16 with a mark": (plan.decode().encode("utf-16"), True),
        "UTF-8 with a mark": (b"\xef\xbb\xbf" + plan, True),
        "missing file": (None, False),
        "binary plan, no terraform": ((RECORDED / "tfplan").read_bytes(), False),
        "errored: true": (having(errored=True), True),
        "complete: false": (having(complete=False), True),
        "deferred_changes": (having(deferred_changes=[{"reason": "provider_config_unknown"}]), True),
        "format_version 2.0": (having(format_version="2.0"), False),
        "not UTF-8 in a value": (plan.replace(b'"after":{', b'"after":{"x":"\xff",', 1), False),
        "NaN in a value": (plan.replace(b'"after":{', b'"after":{"x":NaN,', 1), False),
        "100,000 nested arrays": (plan.rstrip()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", False),
        "resources without a type": (
            having(resource_changes=[{k: v for k, v in r.items() if k != "type"} for r in tree["resource_changes"]]), False,
        ),
        "a list of changes that is no list": (having(resource_changes={}), False),
        "an action that no version knows": (plan.replace(b'["create"]', b'["frobnicate"]'), True),
        "two plans in one file": (plan + plan, False),
    }


def answer(words: list[str], folder: str, own: bool) -> str:
    """The exit code and what was found."""
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin", "HOME": folder})
    said = "findings" if done.returncode == 1 else "nothing found" if done.returncode == 0 else "refused"
    partial = ", said to be partial" if b"artial" in done.stdout + done.stderr else ""
    code = "**exit 0**" if done.returncode == 0 else f"exit {done.returncode}"
    return f"{code}, {said}{partial}" if own else code  # what the codes of others mean is theirs to say


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/fail-closed.md"))
    parser.add_argument("--checkov")
    parser.add_argument("--trivy")
    given = parser.parse_args()
    auditor = [sys.executable, "-c", "from auditor.cli import run; run()", "check", "plan.json", "--policy", "policy.yaml"]
    programs = {"auditor": auditor, "auditor --strict": [*auditor, "--strict"]}
    if given.checkov:
        programs["checkov"] = [given.checkov, "-f", "plan.json", "--framework", "terraform_plan", "--skip-download", "--quiet", "--compact"]
    if given.trivy:
        flags = ["--skip-check-update", "--skip-version-check", "--disable-telemetry", "--cache-dir", "cache", "-q", "--exit-code", "1"]
        programs["trivy --exit-code 1"] = [given.trivy, "config", *flags, "plan.json"]
    rows = []
    silent = []
    for name, (data, readable) in inputs((RECORDED / "plan.json").read_bytes()).items():
        cells = []
        for program, words in programs.items():
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "policy.yaml").write_text("version: 1\nallow: [EU]\n")
                if data is not None:
                    Path(folder, "plan.json").write_bytes(data)
                cells.append(answer(words, folder, program.startswith("auditor")))
            if program == "auditor" and (cells[-1].startswith("**") or (not readable and "exit 2" not in cells[-1])):
                silent.append(f"{name}: {cells[-1]}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    versions = []
    for name, program in (("checkov", given.checkov), ("trivy", given.trivy)):
        if program:
            done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
            versions.append(f"{name} {done.stdout.splitlines()[0].replace('Version:', '').strip()}")
    head = f"| input | {' | '.join(programs)} |\n|{'---|' * (len(programs) + 1)}"
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(PAGE.format(table="\n".join([head, *rows]), others=", ".join(versions) or "auditor alone"), encoding="utf-8")
    sys.exit("passed silently: " + "; ".join(silent) if silent else 0)


PAGE = """# Input that must not pass silently

Written by `scripts/fail_closed.py` ({others}). The plan is `tests/plans/a-eu-alias/plan.json`, which has findings for every
program: exit 0 means that it was not read. Exit 2 of auditor is "could not audit". Other scanners run other checks;
only whether they noticed is compared.

{table}
"""

if __name__ == "__main__":
    main()
