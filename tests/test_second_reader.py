"""The reader against python-hcl2 and tree-sitter-hcl: the same blocks, labels, attribute names, places and comments."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
import tree_sitter
import tree_sitter_hcl
from conftest import PLANS

from auditor.load.hcl.native import read_native
from auditor.syntax import Body, Source

FILES = sorted(PLANS.rglob("*.tf"))
MARKS = {"__is_block__", "__comments__", "__inline_comments__", "__start_line__", "__end_line__"}


def ours(body: Body, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every attribute and block by its path of names and labels."""
    for name in body.attributes:
        yield (*at, name)
    for block in body.blocks:
        here = (*at, block.type, *block.labels)
        yield here
        yield from ours(block.body, here)


def theirs(node: dict[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in node.items():
        if name in MARKS:
            continue
        blocks = value if isinstance(value, list) else []
        if not blocks or not all(isinstance(b, dict) and _is_block(b) for b in blocks):
            yield (*at, name)
            continue
        for b in blocks:
            yield from _labelled(b, (*at, name))


def _is_block(node: Any) -> bool:
    return isinstance(node, dict) and ("__is_block__" in node or any(_is_block(v) for v in node.values()))


def _labelled(node: dict[str, Any], at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if "__is_block__" not in node:
        for label, inner in node.items():
            if label not in MARKS:
                yield from _labelled(inner, (*at, label.strip('"')))
        return
    yield at
    yield from theirs(node, at)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PLANS)))
def test_same_structure(path: Path) -> None:
    agree(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("seed", range(40))
def test_same_structure_of_generated_source(seed: int) -> None:
    agree(generated(random.Random(seed)))


def agree(text: str) -> None:
    file = read_native(Source("x.tf", text.encode()))
    assert Counter(ours(file.body)) == Counter(theirs(hcl2.loads(text)))
    root = tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language())).parse(text.encode()).root_node
    assert not root.has_error
    comments = [(c.start, c.end) for c in file.comments]
    assert sorted([*places(file.body), *comments]) == sorted(marks(root))


def places(body: Body) -> Iterator[tuple[int, int]]:
    """Where every attribute, value and block stands."""
    for attribute in body.attributes.values():
        yield attribute.start, attribute.end
        yield attribute.value_start, attribute.end
    for block in body.blocks:
        yield block.start, block.end
        yield from places(block.body)


def marks(node: tree_sitter.Node) -> Iterator[tuple[int, int]]:
    """The same, and the comments, of tree-sitter's nodes."""
    for child in node.children:
        if child.type in ("block", "comment"):
            yield child.byte_range
        elif child.type == "attribute":
            value = next(c for c in child.named_children if c.type == "expression")
            yield child.start_byte, value.end_byte
            yield value.byte_range
        yield from marks(child)


VALUES = (
    '"plain"', '"a ${var.x} b"', '"esc \\" \\\\ $${no}"', "1", "-2.5", "true", "null", "[]", '["a", 1,]', "{}",
    '{ a = 1, "b" = [2] }', "var.x[0].y", 'lookup(local.m, "k", "d")', "var.a ? 1 : 2",
    "[for v in var.l : upper(v) if v != \"\"]",
    "{ for k, v in var.m : k => v... }", "aws_x.y[*].id", "<<-EOT\n    one ${var.x}\n    # no comment { \"\n  EOT\n",
    "(1 + 2) * 3",
    "[\n    1, # one\n    2,\n  ]", "!var.b && var.c == 1",
)  # fmt: skip


def generated(rng: random.Random) -> str:
    """A module of random blocks, values and comments."""
    lines: list[str] = []
    for i in range(rng.randint(3, 12)):
        lines.append(rng.choice(["", "# comment { \"", "// other", "/* over\n   lines } */"]))
        kinds = ('resource "aws_x" "r%d"', 'module "m%d"', 'variable "v%d"', 'data "aws_y" "d%d"', 'output "o%d"')
        kind = rng.choice(kinds)
        lines.append(kind % i + " {")
        lines += inner(rng, 1)
        lines.append("}")
    return "\n".join(lines) + "\n"


def inner(rng: random.Random, depth: int) -> list[str]:
    pad = "  " * depth
    lines: list[str] = []
    for i in range(rng.randint(0, 5)):
        value = rng.choice(VALUES)
        tail = "" if "EOT" in value else rng.choice(["", " # tail", " // t"])
        lines.append(f"{pad}a{i} = {value}{tail}".rstrip("\n"))
    for i in range(rng.randint(0, 2) if depth < 4 else 0):
        name, label = rng.choice(["nested", "dynamic"]), rng.choice(["", '"lab" '])
        lines += [f"{pad}{name}{i} {label}{{", *inner(rng, depth + 1), pad + "}"]
    return lines
