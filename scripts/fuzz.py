#!/usr/bin/env python3
"""Coverage-guided fuzzing of the readers: input that is refused in good order or audited whole, and nothing else.

`scripts/fuzz.py [TARGET...] [--seconds N] [--seed N] [--corpus FOLDER]` runs each target in a process of its own, from the
cases in tests/corpus/TARGET and small pieces of the recorded plans. It needs atheris (`pip install atheris`). What it finds is
written to FOLDER; a crash becomes a file in tests/corpus/TARGET, which the test suite reads again.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import pkgutil
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "corpus"
sys.path.insert(0, str(ROOT / "tests"))
JSON_TARGETS = ("plan", "state", "baseline")


def pieces(path: Path) -> Iterator[bytes]:
    """A recorded plan or state, cut to one resource a piece: small inputs fuzz fast."""
    tree = json.loads(path.read_bytes())
    for key in ("planned_values", "prior_state", "checks", "relevant_attributes", "timestamp"):
        tree.pop(key, None)
    changes = tree.get("resource_changes") or []
    blocks = tree.get("configuration", {}).get("root_module", {}).get("resources", [])
    for r in random.Random(7).sample(changes, min(3, len(changes))):
        kept = [b for b in blocks if b["type"] == r["type"]][:2]
        root = {**tree.get("configuration", {}).get("root_module", {}), "resources": kept}
        made = {**tree, "resource_changes": [r], "configuration": {**tree.get("configuration", {}), "root_module": root}}
        yield json.dumps(made, separators=(",", ":")).encode()


def seeds(target: str) -> Iterator[bytes]:
    plans = ROOT / "tests" / "plans"
    if target == "plan":
        for path in sorted(plans.glob("*/plan.json")):
            yield from pieces(path)
        yield from (p.read_bytes() for p in sorted(plans.glob("jobs/*/plan.json")) if p.stat().st_size < 20_000)
    elif target == "state":
        yield from (p.read_bytes() for p in sorted(plans.glob("*/state.json")) if p.stat().st_size < 30_000)
    elif target == "lock":
        yield from (p.read_bytes() for p in sorted(plans.glob("*/.terraform.lock.hcl")))
    elif target == "source":
        yield from (p.read_bytes() for p in sorted(plans.glob("*/*.tf")) if p.stat().st_size < 6_000)
    elif target == "policy":
        yield from (p.read_bytes() for p in sorted((ROOT / "policies").glob("*.yaml")))
        yield from (p.read_bytes() for p in sorted((ROOT / "examples").glob("*/.auditor.yaml")))
    elif target == "baseline":
        found = {"fingerprint": "0a", "rule": "SOV001", "kind": "fail", "observed": "x", "count": 1}
        yield json.dumps({"schema": "auditor-baseline/1", "findings": [found]}).encode()
        found = dict.fromkeys(("rule", "kind", "level", "address", "path", "observed", "expected", "fingerprint"), "x")
        yield json.dumps({"schema": "auditor-report/1", "findings": [found]}).encode()
    elif target == "archive":
        yield from (p.read_bytes() for p in sorted(plans.glob("*/tfplan")) if p.stat().st_size < 30_000)


def run_one(target: str, folder: Path, seconds: int, seed: int, artifacts: Path) -> None:
    """Fuzzes one target in this process; atheris ends it."""
    import atheris

    with atheris.instrument_imports(include=["auditor"]):
        import auditor

        for module in pkgutil.walk_packages(auditor.__path__, "auditor."):
            importlib.import_module(module.name)
    import fuzz_targets
    from faults import bytes_fault, mutate, retype

    def structured(data: bytes, limit: int, seed: int) -> bytes:
        """Half of the mutations keep JSON what it is; the others are libFuzzer's own."""
        rnd = random.Random(seed)
        if rnd.random() < 0.7:
            with contextlib.suppress(ValueError, RecursionError, KeyError, TypeError, AttributeError):
                change = retype if target == "plan" and rnd.random() < 0.4 else mutate
                made = json.dumps(change(json.loads(data), rnd)).encode("utf-8", "surrogatepass")
                if len(made) <= limit:
                    return made
        if rnd.random() < 0.2:
            return bytes_fault(data, rnd)[:limit]
        return bytes(atheris.Mutate(data, limit))

    words = [
        sys.argv[0], f"-max_total_time={seconds}", "-timeout=30", "-rss_limit_mb=2500", "-max_len=60000", "-verbosity=0",
        f"-artifact_prefix={artifacts}/", f"-seed={seed}", "-print_final_stats=1", str(folder),
    ]  # fmt: skip
    if target in JSON_TARGETS:
        atheris.Setup(words, fuzz_targets.TARGETS[target], custom_mutator=structured)
    else:
        atheris.Setup(words, fuzz_targets.TARGETS[target])
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same inputs; 0: other ones each time")
    parser.add_argument("--corpus", type=Path, help="a folder that keeps what was found between runs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    import fuzz_targets

    targets = given.targets or list(fuzz_targets.TARGETS)
    kept = given.corpus or Path(tempfile.mkdtemp(prefix="auditor-fuzz-"))
    if given.inside:
        run_one(targets[0], kept / targets[0], given.seconds, given.seed, kept / "crashes")
        return
    (kept / "crashes").mkdir(parents=True, exist_ok=True)
    failed = []
    for target in targets:
        folder = kept / target
        folder.mkdir(exist_ok=True)
        for i, data in enumerate([*seeds(target), *(p.read_bytes() for p in sorted(CORPUS.glob(f"{target}/*")))]):
            (folder / f"seed-{i:03d}").write_bytes(data)
        words = [sys.executable, __file__, target, "--inside", "--seconds", str(given.seconds), "--corpus", str(kept)]
        words += ["--seed", str(given.seed)]
        env = {**os.environ, "PYTHONHASHSEED": "0" if given.seed else "random"}
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False, env=env)
        stats = [line.split(":")[-1].strip() for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"{target}: {stats[0] if stats else '?'} inputs, {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
        if done.returncode:
            failed.append(target)
            said = [x for x in (done.stdout + done.stderr).splitlines() if not x.startswith(("INFO", "WARNING", "stat::"))]
            print("\n".join(said[-60:]), flush=True)
    if failed:
        sys.exit(f"inputs that failed are in {kept / 'crashes'}")


if __name__ == "__main__":
    main()
