"""What the source of a plan says of one row of the location table: whether it counts, who set its value, and where."""

from __future__ import annotations

import re

import msgspec

from auditor.facts import LocationSpec, split_path
from auditor.model import UNKNOWN, Evidence, Plan, Resource, block_address
from auditor.resolve.locations import text_of
from auditor.resolve.provider import Providers
from auditor.resolve.references import References
from auditor.resolve.type_plan import TypePlan
from auditor.values import Body, Value, names_of


class Rows(msgspec.Struct):
    """Questions about rows of one plan."""

    plan: Plan
    refs: References
    providers: Providers
    _evidence: dict[tuple[str, str, str], tuple[tuple[Evidence, ...], bool]] = msgspec.field(default_factory=dict)

    def applies(self, r: Resource, tp: TypePlan, spec: LocationSpec, body: Body, beside: str = "") -> bool:
        """Whether the row's conditions hold. A value that is not known cannot take a row out, unless nobody set it.

        beside: path of one value; then the conditions on elements of a list (`rule[].status`) count, for its element alone.
        """
        for condition, wanted in ((spec.when, True), (spec.unless, False)):
            path, _, pattern = condition.partition("=")
            if condition and ("[]" in path) is bool(beside):
                steps = split_path(path)
                held = [v for v in body.get(steps) if not beside or _same_element(v.path, beside)]
                values = [v.value for v in held if v.value is not UNKNOWN or not self._left_out(r, tp, steps, v)]
                met = any(isinstance(v, str | bool) and re.search(pattern, text_of(v)) for v in values)
                if met is not wanted and not (wanted and UNKNOWN in values):
                    return False
        return True

    def is_computed(self, r: Resource, tp: TypePlan, spec: LocationSpec, v: Value) -> bool:
        """Unknown because unset and filled in by the provider, not because it was set to something unknown.

        `dynamic` blocks are absent from the configuration: there an unknown that the schema does not
        call computed was set by someone.
        """
        block = block_address(r)
        if spec.computed is not False and block in self.plan.blocks and self.refs.left_out(block, spec.segments):
            return True
        at = names_of(v.path)  # where the unknown begins: at the attribute, or at a block around it
        if block not in self.plan.blocks or self.refs.dynamic(r, block, at):
            return False
        if self.refs.configured(block, spec.segments):
            return spec.computed is not False and self.refs.wrote_null(block, spec.segments)
        if len(at) < len(spec.segments):
            return self.refs.configured(block, at) or ".".join(at) in tp.facts.computed_blocks
        if len(spec.segments) == 1:
            return r.is_data or spec.computed is not False  # what a data source does not ask for, it answers
        return self.refs.configured(block, spec.segments[:1])

    def _left_out(self, r: Resource, tp: TypePlan, steps: tuple[str, ...], v: Value) -> bool:
        """Whether an unknown stands in a block that nobody wrote and the provider fills in."""
        block, at = block_address(r), names_of(v.path)
        if block not in self.plan.blocks or len(at) >= len(steps) or ".".join(at) not in tp.facts.computed_blocks:
            return False
        return not self.refs.dynamic(r, block, at) and not self.refs.configured(block, steps)

    def unknown_cause(self, r: Resource, spec: LocationSpec) -> str:
        trace = self.refs.trace(block_address(r), spec.segments)
        names = [t.block + "".join(f".{a}" for a in t.attribute) for t in trace.targets] + list(trace.unresolved)
        via = f" ({', '.join(dict.fromkeys(names))})" if names else ""
        return f"{spec.path} is known only after apply{via}"

    def why(self, r: Resource, spec: LocationSpec, v: Value, tp: TypePlan) -> tuple[tuple[Evidence, ...], bool]:
        """The path from the value back to where it was written; whether a step of it is sensitive."""
        key = (block_address(r), spec.path, self.providers.key_of(r))
        if key not in self._evidence:
            block = key[0]
            trace = self.refs.trace(block, spec.segments)
            steps: list[Evidence] = [Evidence(spec.path), *trace.steps]
            steps += [Evidence(t.block, ref=("block", "", t.block)) for t in trace.targets]
            sensitive = trace.sensitive
            attributes: tuple[str, ...] = tuple(tp.reader.reading.provider.get("") or ())
            filled = (
                len(spec.segments) == 1 and block in self.plan.blocks and not self.refs.configured(block, spec.segments)
            )
            if filled and spec.path in attributes:
                region = self.providers.region(r, attributes)
                steps += region.evidence
                sensitive = sensitive or region.sensitive
            self._evidence[key] = (tuple(steps), sensitive)
        evidence, sensitive = self._evidence[key]
        return evidence, sensitive or v.sensitive


def _same_element(path: str, other: str) -> bool:
    """`rule[1].status` and `rule[1].destination[0].bucket`: the same index wherever they walk through the same list."""
    for a, b in zip(path.split("."), other.split("."), strict=False):
        if a != b:
            return a.partition("[")[0] != b.partition("[")[0]
    return True
