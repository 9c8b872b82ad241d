"""The location ladder: every place a resource instance would put, copy, log or process data in.

Per resource: `home` first (attribute, id, parent by reference, provider block, documented default, prior
state, assumption: the first hit wins), then every other row of the location table. A place is never
guessed: what cannot be decided comes out as a location without a complete set of places, with its cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from auditor.facts import Facts, LocationSpec, Provider, provider_source, split_path
from auditor.model import UNKNOWN, Evidence, Location, Place, Plan, Resource, block_address
from auditor.resolve import embedded
from auditor.resolve.addresses import module_of
from auditor.resolve.effects import effect_of
from auditor.resolve.locations import at_address, placed, spread, text_of, unconfirmed_places, unplaced, withheld
from auditor.resolve.provider import Providers
from auditor.resolve.readings import ANY
from auditor.resolve.references import References
from auditor.resolve.rows import Rows
from auditor.resolve.traces import Target, Trace
from auditor.resolve.type_plan import TypePlan, type_plan
from auditor.values import Body, Value, names_of, without_credentials

Status = Literal["located", "global", "unknown_type", "undecided"]
ALWAYS: Final = "(always)"
_SHORT: Final = 60  # characters of a value that a cause repeats
_MAX_HOPS: Final = 12  # parent of parent of ...: deeper chains do not occur, cycles might
_STAYS: Final = (("create",), ("no-op",), ("read",))  # actions after which nothing has moved


class Located(msgspec.Struct, frozen=True, gc=False):
    """A resource instance with all its locations. `before` is its home before the change, if it had one."""

    resource: Resource
    status: Status
    cloud: str = ""
    provider: str = ""
    locations: tuple[Location, ...] = ()
    before: tuple[Location, ...] = ()
    bearing: str = ""
    curated: bool = False
    category: str = ""
    guard: bool = False
    by_reference: bool = False  # it stands where what its provider talks to stands

    @property
    def home(self) -> Location | None:
        return next((loc for loc in self.locations if loc.role == "home"), None)


class Locator(msgspec.Struct):
    """Locates the resources of one plan. `assume` maps `aws.region`-like names to values."""

    plan: Plan
    refs: References
    facts: Facts
    assume: Mapping[str, str] = msgspec.field(default_factory=dict)
    _types: dict[tuple[str, str], TypePlan | None] = msgspec.field(default_factory=dict)
    _homes: dict[str, tuple[Location, ...]] = msgspec.field(default_factory=dict)
    _referred_homes: dict[tuple[str, tuple[str, ...], tuple[int, ...]], tuple[Location, ...]] = msgspec.field(
        default_factory=dict
    )
    _placed: dict[tuple[object, ...], tuple[Status, tuple[Location, ...]]] = msgspec.field(default_factory=dict)
    _sources: dict[str, tuple[str, Provider | None]] = msgspec.field(default_factory=dict)
    _shared: dict[tuple[object, ...], tuple[Location, ...]] = msgspec.field(default_factory=dict)
    _keyed: dict[str, list[tuple[Target, str]]] = msgspec.field(default_factory=dict)
    _told: dict[str, list[tuple[str, ...]]] = msgspec.field(default_factory=dict)  # what source alone tells, by block
    _signatures: dict[int, tuple[Resource, tuple[object, ...]]] = msgspec.field(default_factory=dict)
    _were: dict[tuple[object, ...], tuple[Location, ...]] = msgspec.field(default_factory=dict)
    _alike: dict[tuple[object, ...], tuple[object, ...]] = msgspec.field(default_factory=dict)
    _bare: dict[str, list[tuple[str, str]]] = msgspec.field(default_factory=dict)
    _routing: set[str] = msgspec.field(default_factory=set)
    _providers: Providers | None = None
    _rows: Rows | None = None
    used_assumptions: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def providers(self) -> Providers:
        if self._providers is None:
            self._providers = Providers(self.plan, self.refs)
        return self._providers

    @property
    def rows(self) -> Rows:
        if self._rows is None:
            self._rows = Rows(self.plan, self.refs, self.providers)
        return self._rows

    # --- types

    def provider_of(self, resource: Resource) -> tuple[str, Provider | None]:
        name = resource.provider_name
        known = self._sources.get(name)
        if known is None:
            source = provider_source(name)
            known = self._sources[name] = (source, self.facts.index.providers.get(source))
        return known

    def _type(self, resource: Resource) -> TypePlan | None:
        key = (resource.provider_name, resource.type)
        if key not in self._types:
            source, provider = self.provider_of(resource)
            cloud = self.facts.cloud(provider.cloud) if provider is not None and provider.cloud else None
            self._types[key] = None
            if provider is not None and cloud is not None:
                self._types[key] = type_plan(resource.type, source, provider, cloud, self.facts)
        return self._types[key]

    # --- entry points

    def is_guard(self, resource: Resource) -> bool:
        """Whether the type can hold a guard on where resources may stand."""
        tp = self._type(resource)
        return tp is not None and tp.facts.guard

    def locate(self, resource: Resource, block: str = "") -> Located:
        """All locations of one instance, as it will be. `block`: its block address, where it is at hand."""
        source, provider = self.provider_of(resource)
        if provider is not None and provider.cls == "utility":
            return Located(resource, "global", provider=source)
        tp = self._type(resource)
        if tp is None:
            return Located(resource, "unknown_type", provider=source)
        key = self._signature(resource, tp, block or block_address(resource))
        apart = (key[0], *key[2:])  # without the module instance: for what looks at no other instances
        seen = self._placed.get(key) or self._placed.get(apart)
        if seen is not None:
            status, locations = seen
            at = resource.address
            locations = (at_address(locations[0], at),) if len(locations) == 1 else tuple([at_address(x, at) for x in locations])
        else:
            looked = self.refs.looked
            status, locations, own = self._place(resource, tp, tp.after(resource))
            if not own:
                self._placed[apart if self.refs.looked == looked else key] = (status, locations)
        meta = tp.facts
        moved = locations and resource.change.actions not in _STAYS
        return Located(
            resource, status, tp.cloud.id, tp.provider, locations, self._before(resource, tp) if moved else (),
            meta.bearing, meta.curated, meta.category, meta.guard, tp.reader.reading.by_reference,
        )  # fmt: skip

    def _place(self, r: Resource, tp: TypePlan, body: Body) -> tuple[Status, tuple[Location, ...], bool]:
        """Status and locations; whether they rest on what only this instance has: its past."""
        homes = self._home(r, tp, body, 0)
        others = self._others(r, tp, body, homes)
        if not homes:
            nowhere: Status = "global" if tp.facts.global_ else "unknown_type"
            return ("located" if others else nowhere), tuple(map(withheld, others)), False
        undecided = any(not loc.complete or (loc.candidates and len(loc.places) > 1) for loc in homes)
        own = any(loc.source == "prior" for loc in homes)
        return ("undecided" if undecided else "located"), tuple(map(withheld, homes + others)), own

    def _signature(self, r: Resource, tp: TypePlan, block: str = "") -> tuple[object, ...]:
        """Equal for instances of one block that say the same of their location and see the same other instances.

        Of an id only the region in it counts, here as in what is read of it; what the past decides is not shared.
        """
        held = self._signatures.get(id(r))
        if held is not None and held[0] is r:  # kept beside its key: an id alone may come back for another record
            return held[1]
        block = block or block_address(r)
        keyed = self._keyed.get(block)
        if keyed is None:
            paths = [s.segments for s in (*tp.anchors, *tp.others)]
            paths += [split_path(p) for p in (*tp.facts.parents, *tp.reader.reading.grandparent)]
            traces = [self.refs.trace(block, p) for p in dict.fromkeys(paths)]
            keyed = self._keyed[block] = [(t, x.keyed) for x in traces for t in x.targets if x.keyed]
            self._told[block] = [p for p in dict.fromkeys(paths) if self.refs.own(r, block, p) is not None]
        seen: tuple[object, ...] = tuple([id(self.refs.instances_of(r, t, k)) for t, k in keyed]) if keyed else ()
        if told := self._told[block]:
            seen += tuple([self.refs.own(r, block, p) for p in told])
        made: tuple[object, ...] = (
            block, r.module_address, r.provider_name, r.change.actions, seen, tp.projection.key(r), r.provider_key
        )  # fmt: skip
        made = self._alike.setdefault(made, made)
        self._signatures[id(r)] = (r, made)
        return made

    def _before(self, r: Resource, tp: TypePlan) -> tuple[Location, ...]:
        """Where an instance stood: read once for those of a block that say the same of it."""
        apart = (block_address(r), r.provider_name, tp.projection.key_before(r))
        key = (*apart, r.module_address)
        held = self._were.get(apart, self._were.get(key))
        if held is None:
            looked = self.refs.looked
            body = tp.before(r)
            before = tuple(self._explicit(r, tp, body, tp.anchors)[0]) or self._from_identity(r, tp, body)
            held = tuple(map(withheld, before))
            self._were[apart if self.refs.looked == looked else key] = held
            return held
        return tuple([at_address(loc, r.address) for loc in held])

    def home(self, resource: Resource, hops: int = 0) -> tuple[Location, ...]:
        """Home locations of one instance, for those that inherit from it."""
        if resource.address not in self._homes:
            self._homes[resource.address] = ()  # a cycle of references ends here
            tp = self._type(resource)
            if tp is not None:
                self._homes[resource.address] = self._shared_home(resource, tp, hops)
        return self._homes[resource.address]

    def _shared_home(self, r: Resource, tp: TypePlan, hops: int) -> tuple[Location, ...]:
        """A home computed once for instances with the same signature. A chain cut short is not shared."""
        key = self._signature(r, tp)
        seen = self._shared.get(key)
        if seen is not None:
            return seen
        found = self._home(r, tp, tp.after(r), hops)
        if all(loc.source != "prior" for loc in found) and (not hops or (found and all(loc.complete for loc in found))):
            self._shared[key] = found
        return found

    # --- home

    def _home(self, r: Resource, tp: TypePlan, body: Body, hops: int) -> tuple[Location, ...]:
        """Empty: nothing is known of the type, or it stands nowhere in particular."""
        found = self._homes_of(r, tp, body, hops)
        if not found or not tp.reader.reading.redirects or tp.facts.global_:
            return found
        regions = {p.region for loc in found for p in loc.places}
        cause = self._redirected(r, tp, regions)
        if not cause:
            return found
        if located := self._from_assumption(r, tp, found[0].path, found[0].role):
            return located
        opened = unplaced(r, found[0].path, found[0].role, cause, found[0].sensitive)
        return (replace(opened, evidence=found[0].evidence),)

    def _redirected(self, r: Resource, tp: TypePlan, regions: set[str]) -> str:
        """Why a region says nothing: the provider block sends the calls for this type to an address of its own."""
        reading = tp.reader.reading
        kind = r.type.partition("_")[2]
        for at in self.providers.redirects(r, reading.redirects):
            if at.service in reading.redirects_nothing:
                continue
            types = reading.redirected_types.get(at.service)
            if at.service and not (re.search(types, r.type) if types else f"{kind}_".startswith(f"{at.service}_")):
                continue
            own = bool(at.host) and any(re.search(p, at.host) for p in reading.own_hosts)
            if own and not {label for label in at.host.split(".") if label in tp.cloud.regions} - regions:
                continue
            where = at.host if at.host and not at.sensitive else "an address that is not told"
            return f"{at.what} sends its calls to {where}: where that stands is not known"
        return ""

    def _homes_of(self, r: Resource, tp: TypePlan, body: Body, hops: int) -> tuple[Location, ...]:
        found, computed, cause = self._explicit(r, tp, body, tp.anchors)
        reading = tp.reader.reading
        if found:
            return tuple(self._merge_references(r, tp, found, hops))
        if tp.facts.global_:  # only what its own attributes say can place it
            return (unplaced(r, tp.anchors[0].path, tp.anchors[0].role, cause),) if cause else ()
        if located := self._from_identity(r, tp, body):
            return located
        role = tp.anchors[0].role if tp.anchors else "home"
        path = tp.anchors[0].path if tp.anchors else "region"
        if not cause and self._filled_by_provider(tp, body) and (located := self._from_provider(r, tp, path, role, hops)[0]):
            return located
        if not cause and (located := self._from_parents(r, tp, body, hops)):
            return located
        silent = not cause and not computed and not any(body.get(s.segments) for s in tp.anchors)
        if not tp.known and silent and not reading.by_reference:
            return ()  # newer than the catalogue, and without a location attribute: it may stand nowhere
        provider_cause = ""
        if not cause:
            cause = self._parent_outside(r, tp, body)
        if not cause and (reading.provider or reading.by_reference):
            located, provider_cause = self._from_provider(r, tp, path, role, hops)
            if located:
                return located
        if located := self._from_prior(r, tp, path, role):
            return located
        if located := self._from_assumption(r, tp, path, role):
            return located
        if not tp.known and (silent or not tp.anchors):
            return ()
        why = cause or provider_cause or f"{tp.short}: no location in the plan for {r.type}"
        opened = unplaced(r, path, role, why)
        if provider_cause and not cause and not reading.by_reference:
            return (replace(opened, evidence=self.providers.region(r, self._provider_attributes(tp)).evidence),)
        return (opened,)

    def _filled_by_provider(self, tp: TypePlan, body: Body) -> bool:
        """Whether the provider's region is the resource's own, as attributes of it tell (`provider_where`)."""
        where = tp.reader.reading.provider_where
        if not where or not tp.known or not any(s.path in tp.reader.reading.attributes for s in tp.anchors):
            return False
        held = [(p, v.value) for a, p in where.items() for v in body.get((a,)) if isinstance(v.value, str)]
        return bool(held) and all(re.search(p, value) for p, value in held)

    def _parent_outside(self, r: Resource, tp: TypePlan, body: Body) -> str:
        """Why the provider's region does not place a type without a region of its own: its parent is outside the plan."""
        reading = tp.reader.reading
        filled = any(s.kind != "resource_ref" for s in tp.anchors) or any(s.path in reading.attributes for s in tp.others)
        filled = filled and (not reading.provider_where or self._filled_by_provider(tp, body))
        if not tp.known or not reading.parents_decide or filled:
            return ""
        for path in tp.facts.parents:
            if hidden := self._trace(r, split_path(path), path).unresolved:
                return f"{path} names a parent through {', '.join(hidden)}, which the plan does not follow"
            if any(isinstance(v.value, str) and v.value for v in body.get(split_path(path))):
                return f"{path} names a parent outside the plan"
        if tp.facts.parents:
            return f"its parent ({', '.join(tp.facts.parents)}) is outside the plan"
        return f"{r.type} has no location of its own, and what it stands with is not in the plan"

    def _explicit(
        self, r: Resource, tp: TypePlan, body: Body, specs: Iterable[LocationSpec]
    ) -> tuple[list[Location], bool, str]:
        """Locations that attributes of the body state; whether one is computed; why one is undecidable."""
        found: list[Location] = []
        computed, cause = False, ""
        for spec in specs:
            if spec.kind == "resource_ref" or not self.rows.applies(r, tp, spec, body):
                continue
            values = body.get(spec.segments) if spec.path != ALWAYS else []
            if not values and spec.absent:
                found.extend(self._effect(r, tp, spec, Value(spec.path, None), spec.absent, (), "default"))
            for v in values:
                if (spec.when or spec.unless) and not self.rows.applies(r, tp, spec, body, v.path):
                    continue
                if v.value is UNKNOWN:
                    if self.rows.is_computed(r, tp, spec, v):
                        if spec.absent:
                            absent = Value(spec.path, None)
                            found.extend(self._effect(r, tp, spec, absent, spec.absent, (), "default"))
                        computed = True
                    elif spec.kind == "zone" and tp.reader.reading.zone_within_provider:
                        computed = True  # whatever the zone, it lies in the provider's region
                    elif borrowed := self._borrowed(r, spec, v):
                        found.extend(borrowed)
                    else:
                        cause = cause or self.rows.unknown_cause(r, spec)
                    continue
                found.extend(self._read(r, tp, spec, v, ()))
        if len(found) > 1 and any(loc.places for loc in found):
            found = [loc for loc in found if loc.places or not self._redundant(r, tp, loc)]
        if len(found) < 2:
            return found, computed, cause
        unique: dict[tuple[str, ...], Location] = {}
        for loc in found:
            region = tuple(sorted({f"{p.region}|{p.country}" for p in loc.places})) or (loc.path,)
            unique.setdefault(region, loc)
        return list(unique.values()), computed, cause

    def _redundant(self, r: Resource, tp: TypePlan, loc: Location) -> bool:
        """A value that names no place of the catalogue, beside one that does: filled in by the provider, it says
        the same in other words (a zone id, say). One that was written, or that begins with a region's id (a Local
        Zone the catalogue lacks, perhaps abroad), counts.
        """
        block = block_address(r)
        if block in self.plan.blocks and self.refs.configured(block, names_of(loc.path)):
            return False
        return bool(loc.value) and not any(loc.value.startswith(region) for region in tp.cloud.regions)

    def _borrowed(self, r: Resource, spec: LocationSpec, v: Value) -> list[Location]:
        """`location = other.location` with both unknown: `other` may be located by another rung."""
        trace = self.refs.trace(block_address(r), spec.segments)
        if not trace.targets and trace.unresolved:
            trace = self.refs.trace_of(r, block_address(r), spec.segments)
        if len(trace.targets) != 1 or trace.unresolved or trace.constants:
            return []
        target = trace.targets[0]
        others = self.refs.instances_of(r, target, trace.keyed)
        tp = self._type(others[0]) if others else None
        if tp is None or all(a.path != ".".join(target.attribute) for a in tp.anchors):
            return []
        return [loc for loc in self._referred(r, spec.segments, v.path, spec.role, 0) if loc.places]

    def _merge_references(self, r: Resource, tp: TypePlan, found: list[Location], hops: int) -> list[Location]:
        """A reference (a subnet, say) adds a place only where its country differs: a zone abroad."""
        countries = {c for loc in found for c in loc.countries}
        for spec in tp.anchors:
            if spec.kind != "resource_ref" or hops >= _MAX_HOPS:
                continue
            for loc in self._referred(r, spec.segments, spec.path, spec.role, hops):
                if loc.complete and not loc.candidates and not set(loc.countries) <= countries:
                    found.append(loc)
                    countries.update(loc.countries)
        return found

    def _from_identity(self, r: Resource, tp: TypePlan, body: Body) -> tuple[Location, ...]:
        for attribute in tp.reader.reading.identity:
            if any(s.path == attribute for s in tp.others):
                continue  # an argument of that name: what it points at, not the resource itself
            for v in body.get((attribute,)):
                if isinstance(v.value, str) and (region := tp.cloud.region_in_id(v.value)):
                    found = tp.reader.place(region)
                    if found is not None:
                        evidence = (Evidence(f"region in {attribute}"),)
                        return (placed(r, attribute, "home", region, "arn", found, evidence, v.sensitive),)
        return ()

    def _from_parents(self, r: Resource, tp: TypePlan, body: Body, hops: int) -> tuple[Location, ...]:
        if hops >= _MAX_HOPS:
            return ()
        refs = [s.path for s in tp.anchors if s.kind == "resource_ref"]
        best: tuple[Location, ...] = ()
        for path in dict.fromkeys((*refs, *tp.facts.parents, *tp.reader.reading.grandparent)):
            segments = LocationSpec(path=path).segments
            located = tuple(self._referred(r, segments, path, "home", hops))
            if located and located[0].complete:
                # Beside a name that the plan does not follow (a local) the reference may not be the value: the provider is.
                unsure = self._named(r, segments, path).unresolved and not tp.reader.reading.by_reference
                anchor = tp.anchors[0].path if tp.anchors else "region"
                return (self._from_provider(r, tp, anchor, "home", hops)[0] if unsure else ()) or located
            for v in body.get(segments):
                if isinstance(v.value, str) and (region := tp.cloud.region_in_id(v.value)):
                    found = tp.reader.place(region)
                    if found is not None:
                        here = (Evidence(f"region in {v.path}"),)
                        return (placed(r, v.path, "home", region, "arn", found, here, v.sensitive),)
            best = best or located
        return best

    def _referred(self, r: Resource, segments: tuple[str, ...], path: str, role: str, hops: int) -> list[Location]:
        """Where the resources that an attribute refers to stand."""
        trace = self._named(r, segments, path, role != "home")
        if not trace.targets:
            return []
        # The lists of instances are shared: one join serves every resource that sees the same ones.
        seen = tuple(id(self.refs.instances_of(r, t, trace.keyed)) for t in trace.targets)
        tp = self._type(r)
        values = tp.after(r).get(segments) if tp is not None and len(trace.targets) > 1 else ()
        every = bool(values) and self.refs.every_part(r, block_address(r), segments, values)
        key = (block_address(r), segments, (*seen, hash(trace.targets), every))
        if key not in self._referred_homes:
            self._referred_homes[key] = ()
            self._referred_homes[key] = self._join(r, trace, hops, every)
        names = ", ".join(dict.fromkeys(t.block for t in trace.targets))
        first = next(iter(trace.targets)).block
        here = Evidence(f"{path} refers to {names}", ref=("block", "", first))
        return [
            replace(loc, address=r.address, path=path, role=role, evidence=(here, *loc.evidence))
            for loc in self._referred_homes[key]
        ]

    def _named(self, r: Resource, segments: tuple[str, ...], path: str, beside: bool = False) -> Trace:
        """What one value stands for; where the plan follows no name of it (a local or a `dynamic` block hides them), as its
        source has it. A source scan asks its source first, but for a home that a provider's region may tell: it keeps the
        path that it has in a plan."""
        trace, block = self._trace(r, segments, path), block_address(r)
        tp = self._type(r)
        alone = self.plan.kind == "hcl" and (beside or (tp is not None and not tp.reader.reading.provider))
        alone = alone and self.refs.own(r, block, segments) is not None
        if not alone and (trace.targets or (not trace.unresolved and self.refs.configured(block, segments))):
            return trace
        return self.refs.part_of(r, block, segments, tp.after(r).get(segments) if tp is not None else (), path)

    def _trace(self, r: Resource, segments: tuple[str, ...], path: str) -> Trace:
        """What one value stands for: of several blocks in the source, the one that wrote it.

        Expressions and values of a list come in the same order. A set has an order of its own: there the unknown values
        stand for the expressions that are no constants. Where the numbers differ (`dynamic` blocks are not in the plan's
        configuration), each unknown value may stand for any of them.
        """
        block = block_address(r)
        if "[" in path and len(nodes := self.refs.expressions(block, segments)) > 1:
            tp = self._type(r)
            values = tp.after(r).get(segments) if tp is not None else []
            here = next((v for v in values if v.path == path), None)
            if len(values) == len(nodes) and here is not None:
                constant = [isinstance(n, dict) and "constant_value" in n and not n.get("references") for n in nodes]
                if not any(c and v.value is UNKNOWN for c, v in zip(constant, values, strict=True)):
                    return self.refs.follow(module_of(block), nodes[values.index(here)], block)
                if here.value is not UNKNOWN:
                    return Trace()
                # As many unknown values as expressions that may be unknown: one each, and which is which changes nothing.
                later = [v for v in values if v.value is UNKNOWN]
                open_nodes = [n for n, c in zip(nodes, constant, strict=True) if not c]
                if len(later) == len(open_nodes):
                    return self.refs.follow(module_of(block), open_nodes[later.index(here)], block)
        return self.refs.trace(block, segments)

    def _join(self, r: Resource, trace: Trace, hops: int, every: bool) -> tuple[Location, ...]:
        """One location for all that a trace can mean: the place they share, candidates, or all places of one resource.
        every: it means all of them."""
        found = [h for t in trace.targets for h in self._target_homes(r, t, trace, hops)]
        homes = list({h.places or h.cause: h for h in found}.values())
        if not homes:
            return ()
        one = len({h.address for h in found}) == 1 and len(found) > 1 and all(h.complete for h in homes)
        one = one or (every and not any(h.candidates for h in homes))
        homes.sort(key=lambda h: h.value)  # a plan lists its resources in any order
        first = homes[0]
        evidence = (*trace.steps, *first.evidence)
        if len(homes) == 1:
            return (replace(first, source="reference", evidence=evidence),)
        return (
            replace(
                first, value=", ".join(dict.fromkeys(h.value for h in homes if h.value)), source="reference",
                places=tuple(dict.fromkeys(p for h in homes for p in h.places)), candidates=not one or first.candidates,
                complete=all(h.complete for h in homes), evidence=evidence, cause="" if one else "it refers to several places",
                sensitive=any(h.sensitive for h in homes),
            ),
        )  # fmt: skip

    def _target_homes(self, r: Resource, target: Target, trace: Trace, hops: int) -> list[Location]:
        found: list[Location] = []
        instances = self.refs.instances_of(r, target, trace.keyed)
        for other in instances:
            if other.address != r.address:
                found.extend(self.home(other, hops + 1))
        if instances or not (prior := self.refs.prior_bodies(target)):
            return found
        for other, values, marks in prior:
            tp = self._type(other)
            if tp is None or tp.facts.global_:
                continue
            body = Body(values, {}, marks)
            got = self._explicit(other, tp, body, tp.anchors)[0] or list(self._from_identity(other, tp, body))
            if not got and tp.reader.reading.provider:
                got = list(self._from_provider(other, tp, "region", "home", hops)[0])
            found.extend(got)
        return found

    def _from_provider(
        self, r: Resource, tp: TypePlan, path: str, role: str, hops: int
    ) -> tuple[tuple[Location, ...], str]:
        reading = tp.reader.reading
        if reading.by_reference:
            return self._from_provider_references(r, path, hops)
        attributes = self._provider_attributes(tp)
        region = self.providers.region(r, attributes)
        shown = f"provider.{attributes[0]}" if attributes else "provider"
        if region.values:
            places: list[Place] = []
            complete = True
            for value in region.values:
                found = tp.reader.place(value)
                complete = complete and found is not None and found[1]
                places.extend(found[0] if found is not None else ())
            candidates = region.candidates
            seen = f"{shown} = {', '.join(region.values)}"
            located = Location(
                r.address, path, role, ", ".join(region.values), "provider", tuple(dict.fromkeys(places)),  # type: ignore[arg-type]
                candidates=candidates, complete=complete, sensitive=region.sensitive, evidence=region.evidence,
                cause=region.cause if candidates else ("" if complete else f"{seen}: region not in the catalogue"),
                unconfirmed=unconfirmed_places(places),
            )  # fmt: skip
            return (located,), ""
        cause = region.cause
        if cause and reading.provider_default and "environment" in cause:
            cause += f" (documented default {reading.provider_default}, which the environment may override)"
        return (), f"{tp.short}: {cause}" if cause else ""

    def _provider_attributes(self, tp: TypePlan) -> tuple[str, ...]:
        """The attributes of a provider block that place a resource of this type, in order."""
        kind = tp.anchors[0].kind if tp.anchors else ""
        provider = tp.reader.reading.provider
        return tuple(provider.get(kind) or provider.get("") or ())

    def _from_provider_references(self, r: Resource, path: str, hops: int) -> tuple[tuple[Location, ...], str]:
        """A provider that talks to a cluster stands where the cluster stands."""
        targets, evidence = self.providers.references(r)
        homes: list[Location] = []
        for target in targets if hops < _MAX_HOPS else ():
            homes.extend(self._target_homes(r, target, Trace(), hops))
        homes = [h for h in homes if h.places]
        if not homes:
            return (), "the cluster that the provider talks to is not in the plan"
        places = tuple(dict.fromkeys(p for h in homes for p in h.places))
        return (
            replace(
                homes[0], address=r.address, path=path, role="home", source="reference", places=places,
                candidates=len({h.value for h in homes}) > 1, evidence=(*evidence, *homes[0].evidence),
            ),
        ), ""  # fmt: skip

    def _from_prior(self, r: Resource, tp: TypePlan, path: str, role: str) -> tuple[Location, ...]:
        if r.change.actions in (("update",), ("no-op",)):
            body = tp.before(r)
            before = self._explicit(r, tp, body, tp.anchors)[0] or list(self._from_identity(r, tp, body))
            if before:
                return tuple(replace(b, source="prior") for b in before)
        for data_type, attributes in tp.reader.reading.region_data.items():
            for block, key in self._bare_data(data_type):
                if key != self.providers.key_of(r):
                    continue
                for _, values, marks in self.refs.prior_bodies(Target(block)):
                    for attribute in attributes:
                        value = values.get(attribute)
                        found = tp.reader.place(value) if isinstance(value, str) else None
                        if found is not None:
                            provider = self.providers.region(r, tuple(tp.reader.reading.provider.get("") or ()))
                            here = (*provider.evidence, Evidence(f"{block}.{attribute} in prior state", ref=("block", "", block)))
                            hidden = Body(values, {}, marks).is_sensitive(attribute)
                            return (placed(r, path, role, str(value), "prior", found, here, hidden),)
        return ()

    def _bare_data(self, data_type: str) -> list[tuple[str, str]]:
        """(block, provider key) of the data sources of a type that ask for nothing: they tell of their provider."""
        if data_type not in self._bare:
            self._bare[data_type] = [
                (block, config.provider_config_key)
                for block, config in self.plan.blocks.items()
                if config.type == data_type and config.mode == "data" and not config.expressions
            ]
        return self._bare[data_type]

    def _from_assumption(self, r: Resource, tp: TypePlan, path: str, role: str) -> tuple[Location, ...]:
        for name in dict.fromkeys((f"{tp.short}.region", f"{tp.cloud.id}.region", f"{r.type}.region")):
            value = self.assume.get(name)
            if value is None:
                continue
            found = tp.reader.place(value)
            if found is not None:
                self.used_assumptions[name] = value
                here = (Evidence(f"assumed: {name} = {value}"),)
                return (placed(r, path, role, value, "assumed", found, here, False),)
        return ()

    # --- everything that is not home

    def _others(self, r: Resource, tp: TypePlan, body: Body, homes: tuple[Location, ...]) -> tuple[Location, ...]:
        if not tp.others:
            return ()
        found: list[Location] = []
        for spec in tp.others:
            if not self.rows.applies(r, tp, spec, body):
                continue
            values = body.get(spec.segments) if spec.path != ALWAYS else []
            if not values:
                if spec.absent:
                    found.extend(self._effect(r, tp, spec, Value(spec.path, None), spec.absent, homes, "default"))
                continue
            for v in values:
                if not self.rows.applies(r, tp, spec, body, v.path):
                    continue
                if v.value is UNKNOWN:
                    if spec.kind in embedded.KINDS:
                        continue  # most such texts name no place at all
                    if self.rows.is_computed(r, tp, spec, v):
                        if spec.absent:
                            absent = Value(spec.path, None)
                            found.extend(self._effect(r, tp, spec, absent, spec.absent, homes, "default"))
                        continue
                    found.extend(self._unknown_other(r, spec, v))
                    continue
                found.extend(self._read(r, tp, spec, v, homes))
        return tuple(found)

    def _unknown_other(self, r: Resource, spec: LocationSpec, v: Value) -> list[Location]:
        if spec.kind == "inference_profile_prefix" and (routed := self._referred_profiles(r, spec, v)) is not None:
            return routed
        if spec.kind in ("resource_ref", "arn"):
            referred = self._referred(r, spec.segments, v.path, spec.role, 0)
            if referred:
                return [replace(loc, topic=spec.topic) for loc in referred]
        if spec.effects and all(e == "stays" for e in spec.effects.values()):
            return []
        opened = unplaced(r, v.path, spec.role, self.rows.unknown_cause(r, spec))
        return [replace(opened, topic=spec.topic or ("footprint" if spec.effects else ""))]

    def _read(
        self, r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, homes: tuple[Location, ...]
    ) -> list[Location]:
        """The locations a known value stands for."""
        if spec.kind in embedded.KINDS:
            return self._embedded(r, tp, spec, v, homes)
        if spec.effects or spec.kind == "sku_enum":
            effect = spec.effects.get(text_of(v.value), "" if spec.kind != "sku_enum" else "unknown")
            return self._effect(r, tp, spec, v, effect, homes, "attribute") if effect else []
        if not isinstance(v.value, str) or not v.value:
            return []
        if spec.kind == "inference_profile_prefix":
            return self._profile(r, tp, spec, v, homes)
        if spec.kind in ("arn", "resource_ref"):
            return self._pointer(r, tp, spec, v)
        if spec.kind == "other":
            return []
        if any(re.fullmatch(p, v.value) for p in tp.reader.reading.neutral):
            return []
        evidence, sensitive = self.rows.why(r, spec, v, tp)
        found = tp.reader.place(v.value, spec)
        if found is None:
            value = "" if sensitive else without_credentials(v.value)
            shown = f' "{value}"' if 0 < len(value) <= _SHORT else ""
            opened = unplaced(r, v.path, spec.role, f"{v.path}{shown}: not a place in the catalogue")
            return [replace(opened, value=value, topic=spec.topic, evidence=evidence, sensitive=sensitive)]
        made = placed(r, v.path, spec.role, v.value, "attribute", found, evidence, sensitive)
        if not spec.confirmed:
            made = replace(made, unconfirmed=made.unconfirmed or f"row {r.type}.{spec.path}")
        topic = spec.topic
        if topic == "ai" and made.countries != ("*",):
            topic = ""  # a regional endpoint is an ordinary location; only routing is not
        return [replace(made, topic=topic)] if topic else [made]

    def _embedded(
        self, r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, homes: tuple[Location, ...]
    ) -> list[Location]:
        """The places that a template (or another text) writes out, each once. What names no single place says nothing.

        A key that need not say where something stands leaves the place of the resource itself possible.
        """
        made: dict[tuple[str, ...], Location] = {}
        for inside, text in embedded.named(spec.kind, v.value):
            found = tp.reader.place(text)
            if found is None or any(p.country == ANY for p in found[0]):
                continue
            path = v.path if v.sensitive else f"{v.path}{'' if inside.startswith('[') else '.'}{inside}"
            told = (Evidence(spec.path if v.sensitive else f"{inside} in {v.path}"),)
            loc = placed(r, path, spec.role, text, "attribute", found, told, v.sensitive)
            if not embedded.sure(spec.kind, inside):
                here = tuple(dict.fromkeys(p for h in homes for p in h.places))
                why = f"{path}: what the place is for is not known"
                if here and set(loc.places) <= set(here):
                    continue
                both = tuple(dict.fromkeys((*loc.places, *here)))
                hidden = v.sensitive or any(h.sensitive for h in homes)
                loc = (
                    replace(loc, places=both, candidates=True, cause=why, sensitive=hidden)
                    if here else unplaced(r, path, spec.role, why, hidden)
                )  # fmt: skip
            made.setdefault(tuple(p.region for p in loc.places), loc)
        return list(made.values())

    def _pointer(self, r: Resource, tp: TypePlan, spec: LocationSpec, v: Value) -> list[Location]:
        """An ARN or id that may carry a region; else the resource it refers to, by reference."""
        evidence, sensitive = self.rows.why(r, spec, v, tp)
        region = tp.cloud.region_in_id(v.value)
        if region and (found := tp.reader.place(region)) is not None:
            made = placed(r, v.path, spec.role, region, "arn", found, evidence, sensitive)
            return [replace(made, topic=spec.topic)]
        referred = self._referred(r, spec.segments, v.path, spec.role, 0)
        if referred and not self._all_later(r, self._named(r, spec.segments, v.path, spec.role != "home")):
            return [replace(loc, topic=spec.topic) for loc in referred]
        if spec.role in ("home", "processing"):
            return []
        opened = unplaced(r, v.path, spec.role, f"{spec.path}: the destination is outside the plan")
        return [replace(opened, topic=spec.topic, sensitive=sensitive)]

    def _all_later(self, r: Resource, trace: Trace) -> bool:
        """Whether all that an expression refers to is known after apply alone: a value that is known is none of it, but what
        is written out beside it (`x ? "arn:..." : ref`)."""
        for target in trace.targets:
            values = self.refs.values(r, target, trace.keyed)
            written = bool(values) or self.plan.kind != "hcl" or not self.refs.instances_of(r, target, trace.keyed)
            if not target.attribute or any(x.value is not UNKNOWN for x in values) or (written and not values):
                return False
        return bool(trace.targets)

    def _effect(
        self, r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, effect: str,
        homes: tuple[Location, ...], source: str,
    ) -> list[Location]:  # fmt: skip
        return effect_of(r, tp, spec, v, effect, homes, source, lambda: self._account(r, tp))

    def _account(self, r: Resource, tp: TypePlan) -> Location | None:
        located = self._from_parents(r, tp, Body({}, {}, b""), 0)
        return located[0] if located else None

    def _profile(
        self, r: Resource, tp: TypePlan, spec: LocationSpec, v: Value, homes: tuple[Location, ...]
    ) -> list[Location]:
        """A model or inference profile id: its geographic prefix decides, not the region of its ARN."""
        evidence, sensitive = self.rows.why(r, spec, v, tp)
        prefix = tp.reader.profile_prefix(v.value)
        if prefix is None:
            if (routed := self._referred_profiles(r, spec, v)) is not None:
                return routed
            opened = unplaced(r, v.path, spec.role, f"{spec.path}: the profile's regions are not in the plan")
            return [replace(opened, topic="ai", value="" if sensitive else v.value, sensitive=sensitive)]
        if prefix == "":
            region = tp.cloud.region_in_id(v.value)
            found = tp.reader.place(region) if region else None
            if found is None:
                return []  # a plain model id runs where the caller stands
            return [placed(r, v.path, spec.role, region, "arn", found, evidence, sensitive)]
        profile = tp.cloud.profiles.get(prefix)
        if profile is None:
            opened = unplaced(r, v.path, spec.role, f"{spec.path}: unknown geographic prefix {prefix!r}", sensitive)
            return [replace(opened, topic="ai", value="" if sensitive else v.value)]
        places = tuple(Place(tp.cloud.id, prefix, c, "", profile.confirmed) for c in profile.members)
        maybe = tuple(Place(tp.cloud.id, prefix, c, "", False) for c in profile.may_include)
        made = spread(r, v.path, spec, v.value, "profile", places + maybe, evidence, sensitive)
        cause = f"{prefix} may also route to {', '.join(profile.may_include)}" if maybe else ""
        return [replace(made, topic="ai", cause=cause, unconfirmed=cause or made.unconfirmed)]

    def _referred_profiles(self, r: Resource, spec: LocationSpec, v: Value) -> list[Location] | None:
        """The routing of the profiles of this plan that the attribute refers to; None where there are none."""
        trace = self._trace(r, spec.segments, v.path)
        found: list[Location] | None = None
        for other in self.refs.instances(r, trace):
            tp = self._type(other)
            profiles = [s for s in tp.others if s.kind == spec.kind] if tp is not None else []
            if tp is None or not profiles or other.address in self._routing:
                continue
            found = found or []
            self._routing.add(other.address)  # profiles that copy from each other end here
            for routed in self._others(other, tp, tp.after(other), ()):
                if routed.topic == "ai":
                    evidence = (Evidence(f"{v.path} refers to {other.address}"), *routed.evidence)
                    found.append(replace(routed, address=r.address, path=v.path, role=spec.role, evidence=evidence))
            self._routing.discard(other.address)
        return found


__all__ = ["ANY", "Located", "Locator"]
