"""Values of root variables, in Terraform's order: TF_VAR_*, terraform.tfvars, terraform.tfvars.json, *.auto.tfvars by name,
then --var and --var-file as given on the command line. The last one wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from auditor.errors import InputError
from auditor.files import read_bytes
from auditor.load.hcl.evaluate import Evaluator
from auditor.load.hcl.expressions import parse_text
from auditor.load.hcl.folders import Disk
from auditor.load.hcl.instances import Env
from auditor.load.hcl.json_syntax import read_values
from auditor.load.hcl.modules import dotted
from auditor.load.hcl.native import read_native
from auditor.load.hcl.values import EvalError
from auditor.syntax import File, Module, Source

_PREFIX: Final = "TF_VAR_"


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the command line gives for a source scan.

    given: ("var", "NAME=VALUE") and ("file", path) in the order they were written; environment: TF_VAR_* alone matter.
    """

    given: Sequence[tuple[str, str]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    workspace: str = ""
    keep_going: bool = False


def read_inputs(root: Module, disk: Disk, options: SourceOptions) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(values by variable, notices). Raises InputError for a file or value that cannot be read."""
    values: dict[str, Any] = {}
    notices: list[str] = []
    for name, text in sorted(options.environment.items()):
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) in root.variables:
            values[name.removeprefix(_PREFIX)] = _parsed(root, name.removeprefix(_PREFIX), text, name)
    names = disk.names("")
    auto = sorted(n for n in names if n.endswith((".auto.tfvars", ".auto.tfvars.json")))
    for name in [n for n in ("terraform.tfvars", "terraform.tfvars.json") if n in names] + auto:
        data = disk.extra("", name)
        if data is None:
            raise InputError(f"{disk.shown('', name)}: cannot be read")
        values.update(_file(disk.shown("", name), data))
    for kind, text in options.given:
        if kind == "file":
            values.update(_file(text, _bytes(Path(text))))
            continue
        name, eq, value = text.partition("=")
        name = name.strip()
        if not eq or not name:
            raise InputError(f"--var {text!r} is not NAME=VALUE", "Write: --var region=eu-central-1")
        if name not in root.variables:
            raise InputError(f"--var {name}: the root module declares no such variable")
        values[name] = _parsed(root, name, value, "--var")
    unused = [n for n in values if n not in root.variables]
    if unused:
        notices.append(f"values for variables that are not declared: {', '.join(sorted(unused))}")
    return {n: v for n, v in values.items() if n in root.variables}, tuple(notices)


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as e:
        raise InputError(f"{path}: cannot be read: {e.strerror or e}", "Check the path.") from e


def _file(path: str, data: bytes) -> dict[str, Any]:
    source = Source(path, data)
    file: File = read_values(source) if path.endswith(".json") else read_native(source)
    if file.body.blocks:
        block = file.body.blocks[0]
        raise InputError(f"{source.where(block.start)}: a file of variable values holds no blocks")
    evaluator = Evaluator({}, None)
    made: dict[str, Any] = {}
    for name, attribute in file.body.attributes.items():
        try:
            made[name] = _tuples(evaluator.eval(attribute.expr, Env(None)))
        except EvalError as e:
            where = source.where(attribute.start)
            # The reason would name it, and a secret without quotes reads as a name.
            raise InputError(f"{where}: {name} is not a plain value", "Put text in quotes; references cannot stand here.") from e
    return made


def _tuples(value: Any) -> Any:
    """JSON lists as tuples, as Terraform reads them."""
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _parsed(root: Module, name: str, text: str, where: str) -> Any:
    """A value given as text: itself for a primitive variable, an expression for any other type."""
    type_ = root.variables[name].body.attributes.get("type")
    if type_ is None or dotted(type_.expr) in ("string", "number", "bool"):
        return text
    try:
        return Evaluator({}, None).eval(parse_text(text, Source(where, text.encode()), 0), Env(None))
    except EvalError as e:
        raise InputError(f"{where}: the value of {name} is not a plain value") from e
    except InputError as e:
        raise InputError(f"{where}: the value of {name} cannot be read as its type wants it") from e
