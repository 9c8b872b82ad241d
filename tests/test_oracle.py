"""Expressions evaluated here against Terraform's own answers (`scripts/record_oracle.py`): value, type, unknownness.

More unknown than Terraform is allowed, and counted: it makes a verdict open, never wrong. Anything else is not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from auditor.load.hcl.evaluate import Evaluator
from auditor.load.hcl.expressions import parse_text
from auditor.load.hcl.folders import Disk
from auditor.load.hcl.instances import Env, Instance
from auditor.load.hcl.modules import read_tree
from auditor.load.hcl.scan import split
from auditor.load.hcl.values import EvalError, Map, Sensitive, Set, is_partial
from auditor.model import UNKNOWN
from auditor.syntax import Source

ORACLE = Path(__file__).parent / "oracle"
ANSWERS: dict[str, Any] = json.loads((ORACLE / "answers.json").read_text(encoding="utf-8"), parse_float=Decimal)
# Known to Terraform, unknown here: the time of the plan, the machine's folders, compression, infinities and the like.
MORE_UNKNOWN_AT_MOST = 11


@lru_cache(maxsize=1)
def instance() -> Instance:
    disk = _Fixture(ORACLE, "")
    tree = read_tree(disk)
    return Instance(Evaluator({}, disk), tree.root, "", None, None, True)


class _Fixture(Disk):
    """The fixture alone, as a root module."""

    def files(self, folder: str) -> dict[str, bytes]:
        return {"fixture.tf": (ORACLE / "fixture.tf").read_bytes()}


def evaluated(text: str) -> dict[str, Any]:
    try:
        value = instance().evaluator.eval(parse_text(text, Source("x.tf", text.encode()), 0), Env(instance()))
    except EvalError:
        return {"error": True}
    bare = value.value if isinstance(value, Sensitive) else value
    if bare is UNKNOWN or is_partial(bare):
        return {"unknown": True}
    after, unknown, _ = split(bare)
    made = {"value": json.loads(json.dumps(after, default=_number), parse_float=Decimal), "type": kind(bare)}
    return {**made, "unknown": unknown} if unknown else made


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def kind(value: Any) -> str:
    names = {Set: "set", Map: "map", bool: "bool", str: "string", list: "list", tuple: "tuple", dict: "object"}
    if type(value) in names:
        return names[type(value)]
    return "None" if value is None else "number"


def same(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    if "error" in theirs or "error" in mine:
        return mine == theirs
    if theirs == {"unknown": True} or mine == {"unknown": True}:
        return mine == theirs
    types = theirs["type"] in (mine["type"], "dynamic", "None")
    return types and close(mine["value"], theirs["value"]) and marks(mine.get("unknown")) == marks(theirs.get("unknown"))


def close(a: Any, b: Any) -> bool:
    """Equal; fractions as far as a float of JSON tells them."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(close(a.get(k), b.get(k)) for k in {*a, *b})
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, (int, Decimal)) and isinstance(b, (int, Decimal)) and not isinstance(a, bool):
        return abs(Decimal(a) - Decimal(b)) <= abs(Decimal(b)) * Decimal("1e-12")
    return type(a) is type(b) and bool(a == b)


def marks(tree: Any) -> Any:
    """Unknown marks without the known parts between them."""
    if isinstance(tree, dict):
        return {k: m for k, v in tree.items() if (m := marks(v))}
    if isinstance(tree, list):
        return [marks(v) for v in tree] if any(marks(v) for v in tree) else None
    return tree or None


# What must come out whatever the unknowns are, though Terraform leaves it until it applies.
SURE = {"can(local.unknown)": True}


@pytest.mark.parametrize("text", list(ANSWERS))
def test_as_terraform(text: str) -> None:
    mine, theirs = evaluated(text), ANSWERS[text]
    if mine == {"unknown": True} and "error" not in theirs:
        return  # counted below
    if text in SURE:
        assert theirs == {"unknown": True}
        assert mine["value"] == SURE[text]
        return
    assert same(mine, theirs), f"{text}: {mine}, Terraform says {theirs}"


def test_few_are_more_unknown_than_with_terraform() -> None:
    more = [t for t, a in ANSWERS.items() if "value" in a and evaluated(t) == {"unknown": True}]
    assert len(more) <= MORE_UNKNOWN_AT_MOST, more
    assert len(ANSWERS) > 570


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
def test_the_recorded_answers_are_terraforms(tmp_path: Path) -> None:
    for name in ("fixture.tf", "expressions.txt"):
        shutil.copy(ORACLE / name, tmp_path)
    shutil.copytree(ORACLE / "data", tmp_path / "data")
    script = Path(__file__).parent.parent / "scripts" / "record_oracle.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, capture_output=True)
    asked = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"), parse_float=Decimal)
    assert asked == ANSWERS
