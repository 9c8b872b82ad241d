"""What Terraform source adds to a plan for lag and workarounds: constraints of every module, commands with gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from auditor.errors import InputError
from auditor.facts import provider_source
from auditor.model import Constraint
from auditor.resolve.commands import interpreted, is_language
from auditor.syntax import Attribute, Block, Call, GetAttr, Literal, Module, Name, Object, SourceTree, Template, Tuple

GAP: Final = "${...}"  # stands in a command for what only a run knows
_VERB: Final = re.compile(r"%[-+#0 ]*(?:\[\d+\])?[\d.]*[a-zA-Z]")  # of `format`
_COMMANDS: Final = {"local-exec": ("command",), "remote-exec": ("inline", "script", "scripts")}


def source_constraints(tree: SourceTree) -> Iterator[Constraint]:
    """`required_providers` of every module, and `version` of provider blocks, as far as they are constants."""
    for module in tree.root.walk():
        sources: dict[str, str] = {}
        for terraform in module.terraform:
            for required in terraform.body.of_type("required_providers"):
                for name, attribute in required.body.attributes.items():
                    source, text = _requirement(_expr(attribute))
                    sources[name] = provider_source(source or name)
                    if text:
                        yield Constraint(sources[name], text, module.path)
        for block in module.providers:
            name = block.labels[0] if block.labels else ""
            text = _text(block.body.attributes.get("version"))
            if text and name:
                yield Constraint(sources.get(name) or provider_source(name), text, module.path)


def _requirement(expr: Any) -> tuple[str, str]:
    """(source, version) of an entry: an object, or (before Terraform 0.13) the version alone."""
    if not isinstance(expr, Object):
        return "", _constant(expr)
    values = {_key(item.key): _constant(item.value) for item in expr.items}
    return values.get("source", ""), values.get("version", "")


def _expr(attribute: Attribute | None) -> Any:
    if attribute is None:
        return None
    try:
        return attribute.expr
    except InputError:
        return None


def _key(key: Any) -> str:
    return key.name if isinstance(key, Name) else _constant(key)


def _constant(expr: Any) -> str:
    if isinstance(expr, Literal):
        return str(expr.value)
    if isinstance(expr, Template) and all(isinstance(p, Literal) for p in expr.parts):
        return "".join(str(p.value) for p in expr.parts)
    return ""


def _text(attribute: Attribute | None) -> str:
    return _constant(_expr(attribute))


def block_of(tree: SourceTree, address: str) -> Block | None:
    """The resource block of an address without instance keys."""
    path, _, rest = address.rpartition("module.")
    if path or address.startswith("module."):
        name, _, local = rest.partition(".")
        module: Module | None = tree.modules.get(f"{path}module.{name}")
        address = local
    else:
        module = tree.root
    if module is None or address in module.duplicates:
        return None
    return module.resources.get(address)


def source_commands(tree: SourceTree, address: str) -> list[tuple[str, str | None]] | None:
    """(path, command text) of the provisioners of a block; None where there is no block, or (as text) nothing is written."""
    block = block_of(tree, address)
    if block is None:
        return None
    found: list[tuple[str, str | None]] = []
    for i, provisioner in enumerate(block.body.of_type("provisioner")):
        interpreter = _expr(provisioner.body.attributes.get("interpreter"))
        if isinstance(interpreter, Tuple) and interpreter.items and is_language(_constant(interpreter.items[0].value)):
            found.append((f"provisioner[{i}].command", _constant(interpreter.items[0].value)))
            continue
        before = [gapped(item.value) or GAP for item in interpreter.items] if isinstance(interpreter, Tuple) else []
        for name in _COMMANDS.get(provisioner.labels[0] if provisioner.labels else "", ()):
            attribute = provisioner.body.attributes.get(name)
            if attribute is None:
                continue
            if name in ("script", "scripts"):
                found.append((f"provisioner[{i}].{name}", "./script.sh"))
            else:
                text = gapped(_expr(attribute))
                found.append((f"provisioner[{i}].{name}", interpreted(before, text) if text is not None else None))
    return found


def source_program(tree: SourceTree, address: str, names: Sequence[str]) -> list[str] | None:
    """The words of a program that a block runs, as far as they are written; None where none is."""
    block = block_of(tree, address)
    words: list[str] = []
    for name in names if block is not None else ():
        expr = _expr(block.body.attributes.get(name)) if block is not None else None
        for part in [item.value for item in expr.items] if isinstance(expr, Tuple) else [expr] if expr is not None else []:
            words.append(gapped(part) or GAP)
    return words if any(w != GAP for w in words) else None


def gapped(expr: Any) -> str | None:
    """A command as far as it is written, `GAP` where it is computed; None where nothing is."""
    if isinstance(expr, Tuple):
        lines = [gapped(item.value) for item in expr.items]
        return "\n".join(line if line is not None else GAP for line in lines) if any(lines) else None
    if isinstance(expr, Literal):
        return str(expr.value) if isinstance(expr.value, str) else None
    if isinstance(expr, Call) and expr.name == "format" and expr.args and isinstance(expr.args[0], Literal):
        if not isinstance(expr.args[0].value, str):
            return None
        pieces = _VERB.split(expr.args[0].value)
        values = [_placeholder(a) for a in expr.args[1:]]
        filled = [*values, *[GAP] * len(pieces)]
        return "".join(f"{piece}{filled[i] if i < len(pieces) - 1 else ''}" for i, piece in enumerate(pieces))
    if isinstance(expr, Template):
        parts = [str(p.value) if isinstance(p, Literal) else _placeholder(p) for p in expr.parts]
        return "".join(parts) if any(isinstance(p, Literal) and str(p.value).strip() for p in expr.parts) else None
    return None


def _placeholder(expr: Any) -> str:
    """`path.module` is a folder, which no command hides in."""
    if isinstance(expr, GetAttr) and isinstance(expr.of, Name) and expr.of.name == "path":
        return "."
    return GAP
