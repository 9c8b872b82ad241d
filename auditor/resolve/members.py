"""A resource read through its row: values, conditions and the resources it refers to.

Three answers everywhere: yes, no, and None where the plan does not say. `dynamic` blocks are absent
from the configuration and ids are unknown at plan time, so both are looked through, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec

from auditor.facts import Cloud, Facts, provider_source
from auditor.jobfacts import BLOCK, Condition, JobTables, Pointer, Row, both, condition, pointer, segments
from auditor.model import UNKNOWN, Action, Plan, Resource, block_address
from auditor.resolve.references import References
from auditor.resolve.traces import Target, Trace
from auditor.values import Body, LateBody, Projection, Value, names_of

Found = Literal["found", "absent", "unknown", "outside"]


class Member(msgspec.Struct, frozen=True):
    """One resource (or one block of it) that a job is read from. `prefix` is the path of that block."""

    resource: Resource
    row: Row
    body: Body
    block: str
    cloud: Cloud
    prefix: tuple[str, ...] = ()
    at: str = ""  # concrete prefix, `instance_group[0].`
    configured: bool = True  # whether the plan holds the block's source
    via: str = ""  # the attribute of another member that led here


class Joined(msgspec.Struct, frozen=True):
    """What an attribute refers to. `single`: it names exactly one instance of what was found."""

    how: Found
    members: tuple[Member, ...] = ()
    path: str = ""
    keyed: str = ""
    partial: bool = False  # some of what it may mean could not be followed
    mixed: bool = False  # this instance means some of the members, the plan does not say which


class Reader(msgspec.Struct):
    """Reads the resources of one plan that have a row in some cloud's job tables."""

    plan: Plan
    refs: References
    facts: Facts
    _rows: dict[tuple[str, str], tuple[Cloud, list[Row]] | None] = msgspec.field(default_factory=dict)
    _identities: dict[str, dict[str, list[Resource]]] = msgspec.field(default_factory=dict)
    _whens: dict[tuple[str, str, tuple[str, ...]], Projection] = msgspec.field(default_factory=dict)
    _members: dict[str, Member | None] = msgspec.field(default_factory=dict)
    _joined: dict[tuple[object, ...], Joined] = msgspec.field(default_factory=dict)

    def tables(self, m: Member) -> JobTables:
        """The job tables of the cloud whose provider manages a member."""
        held = self.rows(m.resource)
        return held[0].jobs if held is not None else m.cloud.jobs

    # --- members

    def rows(self, resource: Resource) -> tuple[Cloud, list[Row]] | None:
        """The cloud and rows of a resource's type; None where nothing about jobs is known of it."""
        key = (resource.provider_name, resource.type)
        if key not in self._rows:
            provider = self.facts.index.providers.get(provider_source(resource.provider_name))
            cloud = self.facts.cloud(provider.cloud) if provider is not None and provider.cloud else None
            text = cloud.jobs.texts.get(resource.type) if cloud is not None else None
            rows = cloud.jobs.rows.get(text.rows if text is not None else resource.type) if cloud is not None else None
            self._rows[key] = (cloud, rows) if cloud is not None and rows else None
        return self._rows[key]

    def member(self, resource: Resource, via: str = "") -> Member | None:
        """A resource as a member, or None where no row fits it."""
        if resource.address not in self._members:
            self._members[resource.address] = self._make(resource, LateBody(resource))
        made = self._members[resource.address]
        return made if made is None or not via else _via(made, via)

    def may_be(self, resource: Resource, kinds: tuple[str, ...]) -> bool:
        """Whether a row of these kinds may fit, told from the few attributes its `when` names: no body is decoded for it."""
        held = self.rows(resource)
        if held is None:
            return False
        cloud, rows = held
        wanted = [row for row in rows if row.kind in kinds]
        if any(not row.when for row in wanted):
            return True
        key = (resource.provider_name, resource.type, kinds)
        if key not in self._whens:
            text = cloud.jobs.texts.get(resource.type)
            roots = {condition(c).path[0] for row in wanted for c in row.when}
            self._whens[key] = Projection(roots if text is None else text.attributes)
        body = self._parsed(resource, self._whens[key].after(resource))
        block = block_address(resource)
        for row in wanted:
            read = body.decoded(row.json) if row.json else body
            made = Member(resource, row, read, block, cloud, configured=block in self.plan.blocks)
            if all(self.holds(made, c) is not False for c in row.when):
                return True
        return False

    def _make(self, resource: Resource, body: Body) -> Member | None:
        held = self.rows(resource)
        if held is None:
            return None
        cloud, rows = held
        body = self._parsed(resource, body)
        block = block_address(resource)
        for row in rows:
            read = body.decoded(row.json) if row.json else body
            made = Member(resource, row, read, block, cloud, configured=block in self.plan.blocks)
            if all(self.holds(made, c) for c in row.when):
                other = self.facts.cloud(row.cloud) if row.cloud else None
                return made if other is None else Member(resource, row, read, block, other, configured=made.configured)
        return None

    def _parsed(self, resource: Resource, body: Body) -> Body:
        """The same body with its YAML text beside it as values, where its type holds such a text."""
        held = self.rows(resource)
        text = held[0].jobs.texts.get(resource.type) if held is not None else None
        if text is None:
            return body
        for name in text.attributes:
            for v in body.get((name,)):
                if isinstance(v.value, str) and not v.sensitive:
                    said = self.facts.manifest(v.value) if re.search(text.worth, v.value) else None
                    return body.with_values({text.root: said}) if isinstance(said, Mapping) else Body({}, {}, b"")
        return Body({}, {}, b"")

    def shown(self, m: Member, path: str) -> str:
        """A path as the resource has it: of what stands in a text, the attribute that holds the text."""
        held = self.rows(m.resource) if path else None
        text = held[0].jobs.texts.get(m.resource.type) if held is not None else None
        return path if text is None or path.partition(".")[0] != text.root else text.attributes[-1]

    def units(self, member: Member) -> list[Member]:
        """The parts of a member that size nodes: itself, or each block its row names."""
        unit = member.row.unit
        if not unit:
            return [member]
        made: list[Member] = []
        for path in unit.split("|"):
            steps = segments(path)
            for m in self.entries(member, steps):
                # Blocks that are not known before apply are nodes of a type and number that are not known.
                made.append(m or msgspec.structs.replace(
                    member, body=Body({}, True, b""), prefix=member.prefix + steps, at=f"{member.at}{'.'.join(steps)}."
                ))
        return made

    def entries(self, m: Member, steps: tuple[str, ...]) -> list[Member | None]:
        """The blocks under a path, each as a member of its own; None for blocks not known before apply."""
        found: list[Member | None] = []
        for at, value, mark in blocks(m.body.values, m.body.unknown, steps, ""):
            if mark is True:
                if not self._filled_in(m, steps, Value(at, UNKNOWN)):
                    found.append(None)
                continue
            sensitive = b"true" if m.body.is_sensitive(at) else b""
            body = Body(value if isinstance(value, dict) else {}, mark if isinstance(mark, dict) else {}, sensitive)
            found.append(
                Member(m.resource, m.row, body, m.block, m.cloud, m.prefix + steps, f"{m.at}{at}.", m.configured, m.via)
            )
        return found

    # --- values

    def values(self, m: Member, path: str | tuple[str, ...]) -> list[Value]:
        """Values under a path; what the provider fills in by itself because nothing was set is left out."""
        steps = segments(path) if isinstance(path, str) else path
        if steps and steps[0].startswith("/"):
            root = self.member(m.resource)
            return self.values(root, (steps[0][1:], *steps[1:])) if root is not None else []
        found = _filtered(m.body, steps)
        if len(found) == 1 and found[0].value is not UNKNOWN and not found[0].sensitive:
            return found
        kept = [v for v in found if v.value is not UNKNOWN or not self._filled_in(m, steps, v)]
        # A sensitive value must not come out, in a size or a zone either: it counts as not known.
        return [Value(v.path, UNKNOWN, True) if v.sensitive else v for v in kept]

    def known(self, m: Member, path: str) -> list[Any]:
        """The known values under a path."""
        return [v.value for v in self.values(m, path) if v.value is not UNKNOWN]

    def _filled_in(self, m: Member, steps: tuple[str, ...], v: Value) -> bool:
        """Unknown because unset and computed, not because it was set to something unknown."""
        path = whole(m, steps)
        if not m.configured:
            return any(_within(v.path, c, steps) for c in m.row.computed)
        if self.refs.dynamic(m.resource, m.block, (*m.prefix, *names_of(v.path))):
            return False
        if self.refs.configured(m.block, path):
            return any(_within(v.path, c, steps) for c in m.row.computed) and self._wrote_null(m, steps)
        if any(_within(v.path, c, steps) for c in m.row.computed):
            # Inside a dynamic block an unknown value was set by someone, unless the whole block is unknown.
            return v.path == steps[0] or self.refs.configured(m.block, path[:1])
        if len(steps) == 1:
            return not m.prefix  # an attribute cannot come from a dynamic block
        return self.refs.configured(m.block, path[:1]) and self.refs.configured(m.block, path[:-1])

    def _wrote_null(self, m: Member, steps: tuple[str, ...]) -> bool:
        """Whether an unknown, computed attribute was written as null: nothing it names could make it unknown.

        `node_count = var.autoscaling ? null : var.n` names known values only. What a local hides is taken
        for known where sizes and zones are read: another attribute must speak of them, or they stay open. Not so
        where silence has a size of its own, as that of a group without a target.
        So is a kind of capacity, a word that people write: no resource gives it.
        """
        word = any(segments(t.partition(" ")[0]) == steps for t in m.row.spot)
        counts = (*m.row.min, *m.row.max) if m.row.nodes_absent is None else ()
        sizes = any(segments(t.partition(" ")[0]) == steps for t in (*counts, *m.row.zones))
        return self.refs.wrote_null(m.block, m.prefix + steps, ("local.",) if word or sizes else (), word)

    # --- conditions

    def holds(self, m: Member, text: str, needed: int | None = None) -> bool | None:
        """Whether a condition holds: None where the plan does not say."""
        if "&" in text or "{" in text:
            return _all(self._part(m, part) for part in both(text))
        c = condition(text)
        if c.op in ("set", "unset"):
            is_set = self._is_set(m, c)
            return is_set if c.op == "set" or is_set is None else not is_set
        if c.op == "written":
            made = not m.configured or m.resource.change.actions == ("create",)
            return self._is_set(m, c) if made or self.refs.configured(m.block, whole(m, c.path)) else False
        values = self.values(m, c.path)
        if c.op == "absent":
            return not values
        if c.op == "same":
            return self._same(m, c)
        if c.op == "refers":
            return bool(self.join(m, f"{'.'.join(c.path)} -> {c.value}").members)
        if c.op.startswith("count"):
            return self._counted(m, c)
        if not values and c.op == "=" and "null" in c.value.split("|"):
            return True
        verdicts = [_test(c, v.value) for v in values]
        if c.op == "!=":
            return None if None in verdicts else all(v is True for v in verdicts)
        if True in verdicts:
            return True
        return None if None in verdicts else False

    def _part(self, m: Member, text: str) -> bool | None:
        """One part of a conjunction: a condition, or several about one block."""
        block = BLOCK.fullmatch(text)
        if block is None:
            return self.holds(m, text)
        inner = [None if e is None else self.holds(e, block[2]) for e in self.entries(m, segments(block[1]))]
        return True if True in inner else (None if None in inner else False)

    def _same(self, m: Member, c: Condition) -> bool | None:
        """Whether two attributes name the same resource, by reference or by value."""
        one, other = ".".join(c.path), c.value
        here, there = self.join(m, one), self.join(m, other)
        if here.how == "absent" or there.how == "absent":
            return False
        if here.members and there.members and not (here.partial or there.partial or here.mixed or there.mixed):
            first = {x.resource.address for x in here.members}
            second = {x.resource.address for x in there.members}
            return first == second if len(first) == 1 or not first & second else (None if len(second) > 1 else False)
        values = [v.value for v in (*self.values(m, one), *self.values(m, other))]
        if len(values) == 2 and UNKNOWN not in values:
            return bool(values[0] == values[1])
        return None

    def _counted(self, m: Member, c: Condition) -> bool | None:
        found = list(blocks(m.body.values, m.body.unknown, c.path[:-1], "")) if len(c.path) > 1 else []
        if any(mark is True for _, _, mark in found):
            return None
        at = self.values(m, c.path) if len(c.path) > 1 else m.body.get(c.path)
        listed = m.body.values.get(c.path[0]) if len(c.path) == 1 else None
        number = len(listed) if isinstance(listed, list) else len(at)
        if len(c.path) == 1 and isinstance(m.body.unknown, Mapping) and m.body.unknown.get(c.path[0]) is True:
            return False if self._filled_in(m, c.path, Value(c.path[0], UNKNOWN)) else None
        wanted = int(c.value)
        return {"count>": number > wanted, "count<": number < wanted, "count=": number == wanted}[c.op]

    def _is_set(self, m: Member, c: Condition) -> bool | None:
        values = self.values(m, c.path)
        if any(v.value is not UNKNOWN and v.value not in ("", []) for v in values):
            return True  # an empty object counts: it switches on what it names
        later = [v for v in values if v.value is UNKNOWN]
        if later:
            # Set to what a resource will be; what only a local or `each.value` hides may as well be null, and a block around
            # it that is not known may make none.
            path = whole(m, c.path)
            own = m.configured and any((*m.prefix, *names_of(v.path))[-len(path) :] == path for v in later)
            return True if own and self.refs.trace_of(m.resource, m.block, path).targets else None
        return False

    def any_holds(self, m: Member, texts: Iterable[str]) -> bool | None:
        verdicts = [self.holds(m, t) for t in texts]
        return True if True in verdicts else (None if None in verdicts else False)

    # --- references

    def join(self, m: Member, text: str) -> Joined:
        """The resources an attribute refers to, by configuration reference first."""
        p = pointer(text)
        path = whole(m, p.path)
        values = self.values(m, p.path)
        trace = self.refs.trace_of(m.resource, m.block, path)
        if not values and not trace.targets:
            return Joined("absent")
        shown = values[0].path if values else ".".join(p.path)
        if not values and m.body.get(p.path) == [] and not _unknown_at(m.body, p.path):
            return Joined("absent")  # written, and null: `x ? ref : null`
        # Instances of one block that do not index by their own key refer to the same resources: joined once.
        key = (m.block, path, m.resource.module_address, text, shown)
        if not trace.keyed and (held := self._joined.get(key)) is not None:
            self.refs.looked += 1
            return held
        found: list[Member] = []
        partial = bool(trace.unresolved)
        meant = 0  # targets that are what is asked for
        for target in trace.targets:
            got = self._target(m, target, trace.keyed, p)
            partial = partial or not got
            meant += bool(got)
            found.extend(got)
        loose = any(self._target(m, target, trace.keyed, p) for target in trace.loose)
        several = len({x.resource.address for x in found}) > 1
        chosen = _chosen(m, found, trace) or self._looked_up(m, p, trace.targets)
        mixed = several and (trace.unsure or (loose and meant > 1) or chosen)
        followed = bool(found)
        literal = [v.value for v in values if isinstance(v.value, str) and v.value]
        if not found and literal:
            found = [x for value in literal for x in self._named(value, p)]
        if not found and not literal:
            written = self.refs.configured(m.block, path)
            if not written or (trace.unresolved and all(u.startswith("local.") for u in trace.unresolved)):
                found = self._only_one(m, p)
        partial = partial or _strangers(found, values, trace.constants)
        unique = tuple({x.resource.address: _via(x, ".".join(p.path)) for x in found}.values())
        if unique:
            joined = Joined("found", unique, shown, trace.keyed, partial, mixed)
            if followed and not trace.keyed:
                self._joined[key] = joined
            return joined
        return Joined("outside" if literal else "unknown", (), shown, trace.keyed, True)

    def _looked_up(self, m: Member, p: Pointer, targets: Iterable[Target]) -> bool:
        """Whether a lookup that is read during apply may give the subnets, beside those that are named: it may be the other arm
        of a condition, or pick some of them."""
        if not p.path or m.row.kind == "instance":
            return False
        for t in targets:
            held = self.refs.instances_of(m.resource, t, "")
            if any(r.is_data and r.type not in p.types and r.action is Action.READ for r in held):
                return True
        return False

    def _target(self, m: Member, target: Target, keyed: str, p: Pointer) -> list[Member]:
        instances = [r for r in self.refs.instances_of(m.resource, target, keyed) if not p.types or r.type in p.types]
        made = [x for r in instances if (x := self.member(r)) is not None]
        if made:
            return made
        for r, values, marks in self.refs.prior_bodies(target):
            if p.types and r.type not in p.types:
                continue
            body = Body(values, {}, marks)
            if (x := self._make(r, body)) is not None:
                made.append(x)
        return made

    def _named(self, value: str, p: Pointer) -> list[Member]:
        """Resources of the plan whose id, name or link is this value; of the types given, so it is never a guess."""
        found: list[Member] = []
        for kind in p.types:
            if kind not in self._identities:
                self._identities[kind] = self._index(kind)
            found.extend(x for r in self._identities[kind].get(value, ()) if (x := self.member(r)) is not None)
        return found

    def _index(self, kind: str) -> dict[str, list[Resource]]:
        index: dict[str, list[Resource]] = {}
        for resources in self.plan.by_block.values():
            if resources[0].type != kind or resources[0].is_data:
                continue
            for r in resources:
                x = self.member(r)
                for name in x.row.identity if x is not None else ():
                    for v in x.body.get((name,)) if x is not None else ():
                        if isinstance(v.value, str):
                            index.setdefault(v.value, []).append(r)
        return index

    def every(self, types: Iterable[str]) -> list[Member]:
        """All resources of some types, data sources too, that stand after apply."""
        wanted = set(types)
        gone = ("delete",), ("forget",)
        made = [
            self.member(r) for group in self.plan.by_block.values() if group[0].type in wanted
            for r in group if r.change.actions not in gone
        ]  # fmt: skip
        return [m for m in made if m is not None]

    def _only_one(self, m: Member, p: Pointer) -> list[Member]:
        """Where a dynamic block or a local hides the reference: the one resource of that type in the same module."""
        self.refs.looked += 1
        home = m.resource.module_address
        found: list[Resource] = []
        for resources in self.plan.by_block.values():
            first = resources[0]
            if first.type in p.types and not first.is_data:
                found.extend(r for r in resources if r.module_address == home and r.change.actions != ("delete",))
        if len(found) > 1 and len({block_address(r) for r in found}) == 1 and m.resource.index is not None:
            found = [r for r in found if r.index == m.resource.index]
        made = self.member(found[0]) if len(found) == 1 else None
        # A reservation is there for those who name it: what a local hides may as well be null.
        return [made] if made is not None and not made.row.reserved_count else []


def _chosen(m: Member, found: Sequence[Member], trace: Trace) -> bool:
    """Whether a condition picks among a fleet's subnets: a plan keeps the names of both arms, not which one holds.

    `each.key == "serve" ? [aws_subnet.a.id, aws_subnet.b.id] : [aws_subnet.a.id]`: a key that indexes none of them; or a
    truth value beside them; or `aws_subnet.s[each.value.zone].id`, where no key is theirs. Single nodes are left out:
    theirs is one subnet each, and the block's nodes use them all.
    """
    if m.row.kind == "instance" or any(x.row.kind != "subnet" for x in found):
        return False
    own = trace.keyed.partition(" ")[0]
    keyed = own in ("each", "count") and all(x.resource.index is None for x in found)
    return keyed or trace.picks or any(isinstance(c, bool) for c in trace.constants)


def whole(m: Member, steps: tuple[str, ...]) -> tuple[str, ...]:
    """A path of a member from the root of its resource, as the configuration knows it: without filters."""
    if steps and steps[0].startswith("/"):
        return (steps[0][1:], *steps[1:])
    return m.prefix + tuple(s.partition("[")[0] for s in steps)


@lru_cache(maxsize=4096)
def _shape(steps: tuple[str, ...]) -> tuple[int | None, int | None]:
    """Which step of a table's path filters blocks, and which is a key with dots: the same few paths come again and again."""
    at = next((i for i, s in enumerate(steps) if "[" in s and "=" in s), None)
    return at, next((i for i, s in enumerate(steps) if "." in s), None)


def _filtered(body: Body, steps: tuple[str, ...]) -> list[Value]:
    """The values under a path; `name[key=x]` keeps the blocks of a list whose key is x. Keys with dots may hide a mark."""
    at, dotted = _shape(steps)
    if at is None:
        found = body.get(steps)
        if found and dotted is not None and body.is_sensitive(".".join(steps[:dotted])):
            return [Value(v.path, v.value, True) for v in found]
        return found
    name, _, rest = steps[at].partition("[")
    key, _, wanted = rest.rstrip("]").partition("=")
    keys = body.get((*steps[:at], name, key))
    kept = [v.path.rpartition(".")[0] for v in keys if v.value == wanted]
    values = body.get((*steps[:at], name, *steps[at + 1 :]))
    return [v for v in values if any(v.path.startswith(k + ".") for k in kept)]


def _strangers(found: Iterable[Member], values: Iterable[Value], constants: Iterable[Any]) -> bool:
    """Whether an attribute names more than what was found of it: ids written out beside references.

    A set with one unknown element is unknown as a whole: then only the constants of its expression tell of the others.
    """
    found, values = list(found), list(values)
    texts = {v.value for v in values if isinstance(v.value, str) and v.value} if len(values) > 1 else set()
    patterns = {x.row.id_pattern for x in found if x.row.id_pattern}
    hidden = any(v.value is UNKNOWN for v in values)
    named = {c for c in constants if hidden and isinstance(c, str) and any(re.search(p, c) for p in patterns)}
    if not found or not (texts or named):
        return False
    ids = (v.value for x in found for name in x.row.identity for v in x.body.get((name,)))
    return not texts | named <= {i for i in ids if isinstance(i, str)}


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    found = list(verdicts)
    return False if False in found else (None if None in found else True)


def _within(at: str, computed: str, steps: tuple[str, ...]) -> bool:
    """Whether a value unknown at a concrete path is unknown because of a computed path at or below it."""
    names = tuple(p.partition("[")[0] for p in at.split("."))
    wanted = segments(computed)
    return steps[: len(wanted)] == wanted and wanted[: len(names)] == names


def _via(m: Member, via: str) -> Member:
    return Member(m.resource, m.row, m.body, m.block, m.cloud, m.prefix, m.at, m.configured, via)


def _unknown_at(body: Body, path: tuple[str, ...]) -> bool:
    return any(v.value is UNKNOWN for v in body.get(path))


def blocks(value: Any, mark: Any, steps: tuple[str, ...], at: str) -> Iterator[tuple[str, Any, Any]]:
    """Every block under a path of block names, with its concrete path and its mark."""
    if not steps:
        yield at, value, mark
        return
    name = steps[0]
    inner = value.get(name) if isinstance(value, Mapping) else None
    marks = mark.get(name) if isinstance(mark, Mapping) else mark
    here = f"{at}.{name}" if at else name
    if marks is True:
        yield here, None, True
        return
    if isinstance(inner, list):
        for i, item in enumerate(inner):
            item_mark = marks[i] if isinstance(marks, list) and i < len(marks) else None
            yield from blocks(item, item_mark, steps[1:], f"{here}[{i}]")
    elif isinstance(inner, Mapping):
        yield from blocks(inner, marks, steps[1:], here)


def _test(c: Condition, value: Any) -> bool | None:
    """One value against a condition; None where it is unknown."""
    if value is UNKNOWN:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if c.op == "=":
        return text in c.value.split("|")
    if c.op == "!=":
        return text not in c.value.split("|")
    if c.op == "~":
        return re.search(c.value, text) is not None
    try:
        number = float(text)
    except ValueError:
        return None
    return number < float(c.value) if c.op == "<" else number > float(c.value)
