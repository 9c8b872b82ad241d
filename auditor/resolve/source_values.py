"""What expressions of source are worth where the plan's variables and the source itself tell: to tell alike blocks apart.

No functions, no resources: whatever is not plainly written down is UNKNOWN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from auditor.model import UNKNOWN, Plan
from auditor.syntax import (
    Block,
    Call,
    Conditional,
    GetAttr,
    GetIndex,
    Literal,
    Module,
    Name,
    Object,
    SourceTree,
    Template,
    Tuple,
)

_DEEP: Final = 24
_NONE: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class SourceValues:
    """Values of expressions in the modules of one source tree, for one plan."""

    plan: Plan
    tree: SourceTree

    def value(self, expr: Any, module: Module, names: Mapping[str, Any] = _NONE, depth: int = 0) -> Any:
        """A plain value, or UNKNOWN. `names` are what loops and instances define (`each`, `count`, an iterator)."""
        if depth > _DEEP:
            return UNKNOWN
        deeper = depth + 1
        if isinstance(expr, Literal):
            return expr.value
        if isinstance(expr, Name):
            return names.get(expr.name, UNKNOWN)
        if isinstance(expr, GetAttr):
            if isinstance(expr.of, Name) and expr.of.name not in names:
                return self._named(expr.of.name, expr.name, module, deeper)
            return _step(self.value(expr.of, module, names, deeper), expr.name)
        if isinstance(expr, GetIndex):
            return _step(self.value(expr.of, module, names, deeper), self.value(expr.key, module, names, deeper))
        if isinstance(expr, Tuple):
            return [self.value(i.value, module, names, deeper) for i in expr.items]
        if isinstance(expr, Object):
            pairs = [(self.value(i.key, module, names, deeper), self.value(i.value, module, names, deeper)) for i in expr.items]
            return UNKNOWN if any(not isinstance(k, str) for k, _ in pairs) else dict(pairs)
        if isinstance(expr, Template):
            parts = [self.value(p, module, names, deeper) for p in expr.parts]
            whole = all(isinstance(p, (str, int)) and not isinstance(p, bool) for p in parts)
            return "".join(str(p) for p in parts) if whole else UNKNOWN
        if isinstance(expr, Conditional):
            test = self.value(expr.test, module, names, deeper)
            if not isinstance(test, bool):
                return UNKNOWN
            return self.value(expr.then if test else expr.other, module, names, deeper)
        if isinstance(expr, Call) and expr.name in ("toset", "tolist") and len(expr.args) == 1:
            made = self.value(expr.args[0], module, names, deeper)
            texts = isinstance(made, list) and all(isinstance(v, str) for v in made)
            return sorted(set(made)) if texts and expr.name == "toset" else made if expr.name == "tolist" else UNKNOWN
        return UNKNOWN

    def items(self, block: Block, module: Module, names: Mapping[str, Any] = _NONE) -> list[tuple[Any, Any]] | None:
        """Key and value of what a block's `for_each` goes over; None where that is not known."""
        each = block.body.attributes.get("for_each")
        value = self.value(each.expr, module, names) if each is not None else UNKNOWN
        if isinstance(value, dict):
            return sorted(value.items())
        if not isinstance(value, list):
            return None
        is_set = each is not None and isinstance(each.expr, Call)
        return [(v, v) for v in value] if is_set else list(enumerate(value))

    def instance(self, address: str, block: Block, module: Module) -> dict[str, Any]:
        """`each` and `count` of a resource instance, as far as its address and its block tell."""
        if not address.endswith("]"):
            return {}
        try:
            key = json.loads(address[address.rfind("[") + 1 : -1])
        except ValueError:  # a key with a bracket in it
            return {}
        if isinstance(key, int):
            return {"count": {"index": key}}
        if not isinstance(key, str):
            return {}
        held = dict(self.items(block, module) or ())
        return {"each": {"key": key, "value": held.get(key, UNKNOWN)}}

    def _named(self, space: str, name: str, module: Module, depth: int) -> Any:
        if space == "local" and f"local.{name}" not in module.duplicates:
            attribute = module.locals.get(name)
            return self.value(attribute.expr, module, _NONE, depth) if attribute is not None else UNKNOWN
        if space != "var" or name not in module.variables:
            return UNKNOWN
        if not module.path:
            given = self.plan.variables.get(name)
            return given.get("value", UNKNOWN) if isinstance(given, Mapping) else UNKNOWN
        above, _, call_name = module.path.rpartition("module.")
        parent = self.tree.modules.get(above.rstrip("."))
        call = parent.calls.get(call_name) if parent is not None else None
        if parent is None or call is None:
            return UNKNOWN
        attribute = call.body.attributes.get(name)
        if attribute is not None:
            return self.value(attribute.expr, parent, _NONE, depth)
        default = module.variables[name].body.attributes.get("default")
        return self.value(default.expr, module, _NONE, depth) if default is not None else UNKNOWN


def _step(of: Any, key: Any) -> Any:
    if isinstance(of, Mapping):
        return of.get(key, UNKNOWN) if isinstance(key, str) else UNKNOWN
    if isinstance(of, list) and isinstance(key, int) and 0 <= key < len(of):
        return of[key]
    return UNKNOWN
