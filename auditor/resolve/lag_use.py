"""What a plan uses that lag and workaround rules ask about: types and arguments by block, versions in force, escape hatches."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from auditor.facts import provider_source
from auditor.lagfacts import Hatch, LagFacts, Workarounds
from auditor.laguse import Command, Escape, InForce, LagUse, Preview, Use
from auditor.model import UNKNOWN, Action, Change, ConfigResource, Constraint, Evidence, Plan, Resource
from auditor.resolve.commands import calls, interpreted, is_language, quoted
from auditor.resolve.lag_arguments import arguments_in_use, gates
from auditor.resolve.lag_source import source_commands, source_constraints, source_program
from auditor.resolve.references import References
from auditor.resolve.templates import types_of
from auditor.values import Body, Projection
from auditor.versions import Term, admits, has_upper_bound, parse_constraint, parse_version

_KINDS: Final = {"managed": "resource", "data": "data-source"}
_API_VERSION: Final = re.compile(r"""^\s*["']?apiVersion["']?\s*:\s*["']?([\w./-]+)""", re.MULTILINE)
_BUILTIN: Final = "builtin/"
_GONE: Final = (Action.DELETE, Action.FORGET)


def collect(plan: Plan, refs: References, facts: LagFacts) -> LagUse:
    """Read a plan's blocks once; bodies are decoded only where a type has something to ask."""
    known = facts.workarounds
    blocks = [*_blocks(plan), *_unplanned(plan)]
    sources = {r.provider_name: provider_source(r.provider_name) for _, rs in blocks for r in rs[:1]}
    present = set(sources.values())
    constraints = (*plan_constraints(plan), *(source_constraints(plan.source) if plan.source is not None else ()))
    hosts_of = {source: name.lower().rpartition(source)[0].rstrip("/") for name, source in sources.items()}
    in_force = {
        s: _in_force(s, hosts_of[s], plan, facts, constraints) for s in sorted(present) if not s.startswith(_BUILTIN)
    }
    hosts = [re.compile(h) for h in known.hosts]
    reader = _Reader()
    uses: list[Use] = []
    escapes: list[Escape] = []
    commands: list[Command] = []
    previews: list[Preview] = []
    for block, resources in blocks:
        head = resources[0]
        source = sources[head.provider_name]
        existing = all(_existing(r, plan) for r in resources)
        shard = facts.shard(source)
        kind = _KINDS.get(head.mode, head.mode)
        asked = gates(head.type, kind, shard, in_force.get(source))
        attributes, unsure = arguments_in_use(block, resources, asked, reader.body, refs, plan) if asked else ((), ())
        uses.append(Use(block, source, kind, head.type, existing, len(resources), attributes, unsure))
        hatch = _hatch(head, source, present, known)
        if hatch is not None and (hatch.data == head.is_data):
            made = _escape(block, resources, source, hatch, reader, existing, known.scaffolding)
            if made is not None:
                escapes.append(made)
        command = _command(block, resources, plan, known, hosts, reader, existing)
        if command is not None:
            commands.append(command)
        if not head.is_data:
            previews.extend(_previews(block, resources, source, known, reader))
    return LagUse(tuple(uses), tuple(escapes), tuple(commands), tuple(previews), in_force)


def _blocks(plan: Plan) -> list[tuple[str, list[Resource]]]:
    """Blocks with an instance that stays, in plan order."""
    found = []
    for block, resources in plan.by_block.items():
        alive = [r for r in resources if not r.deposed and r.action not in _GONE]
        if alive and not (plan.kind == "state" and alive[0].is_data):
            found.append((block, alive))
    return found


def _unplanned(plan: Plan) -> Iterator[tuple[str, list[Resource]]]:
    """Blocks that run without a change in the plan: data sources read while planning, ephemeral resources and the like.

    Their arguments are known as far as the configuration states them; the rest counts as unknown.
    """
    for block, config in plan.blocks.items():
        if config.mode == "managed" or block in plan.by_block or _never(config):
            continue
        name = _provider_of(plan, config.provider_config_key)
        if not name:
            continue
        values: dict[str, Any] = {}
        unknown: dict[str, bool] = {}
        for key, node in config.expressions.items():
            if isinstance(node, Mapping) and "constant_value" in node:
                values[key] = node["constant_value"]
            else:
                unknown[key] = True
        change = Change(
            ("read",), after=msgspec.Raw(msgspec.json.encode(values)), after_unknown=msgspec.Raw(msgspec.json.encode(unknown))
        )
        yield block, [Resource(block, config.type, config.name, config.mode, name, change)]


def _never(config: ConfigResource) -> bool:
    """Whether the block is written to have no instance."""
    count = config.count_expression or {}
    each = config.for_each_expression or {}
    return count.get("constant_value", 1) == 0 or each.get("constant_value", True) in ({}, [])


def _provider_of(plan: Plan, key: str) -> str:
    """The provider address behind a key; a module's key falls back on the same provider further up."""
    configs = plan.configuration.provider_config
    name = key.rpartition(":")[2]
    for candidate in (key, name, name.partition(".")[0]):
        if candidate in configs:
            return configs[candidate].full_name or configs[candidate].name
    return ""


def _existing(r: Resource, plan: Plan) -> bool:
    return not r.importing and (plan.kind == "state" or r.action is Action.NOOP)


class _Reader:
    """Decodes the wanted root attributes of a body, one projection per set of names."""

    def __init__(self) -> None:
        self._projections: dict[frozenset[str], Projection] = {}

    def body(self, resource: Resource, roots: Iterable[str]) -> Body:
        key = frozenset(roots)
        if key not in self._projections:
            self._projections[key] = Projection(key)
        return self._projections[key].after(resource)


# --- versions in force -------------------------------------------------------------------------------


def plan_constraints(plan: Plan) -> Iterator[Constraint]:
    """What plan JSON holds of `required_providers` and of `version` in provider blocks."""
    for config in plan.configuration.provider_config.values():
        if config.version_constraint:
            yield Constraint(
                provider_source(config.full_name or config.name), config.version_constraint, config.module_address
            )


def _in_force(source: str, host: str, plan: Plan, facts: LagFacts, constraints: Iterable[Constraint]) -> InForce:
    shard = facts.shard(source)
    texts = dict.fromkeys(c.text for c in constraints if c.source == source)
    terms: list[Term] = []
    malformed = False
    for text in texts:
        parsed = parse_constraint(text)
        malformed = malformed or parsed is None
        terms.extend(parsed or ())
    joined = ", ".join(texts)
    lock = plan.lock.of(source, host) if plan.lock is not None else None
    locked = parse_version(lock.version) if lock is not None else None
    evidence = []
    if lock is not None and plan.lock is not None:
        evidence.append(Evidence(f'locked {lock.version} in {plan.lock.path.rpartition("/")[2]}', plan.lock.path, lock.line))
    lowest = highest = None
    conflict = False
    if shard is not None and not malformed:
        # An exact version is what it is, whether or not the catalogue holds the release.
        bounds = {t.version for t in terms if t.op == "=" or (t.version > shard.newest and t.version.released)}
        candidates = sorted({*shard.versions, *bounds})
        fitting = [v for v in candidates if admits(terms, v)]
        conflict = not fitting
        if fitting:
            lowest, highest = fitting[0], fitting[-1]
    return InForce(
        source, locked, lock.version if lock is not None else "", joined, malformed, has_upper_bound(terms), conflict,
        lowest, highest, locked is not None and not malformed and not admits(terms, locked), shard is not None,
        tuple(evidence), plan.lock.path.rpartition("/")[2] if plan.lock is not None and lock is None else "",
    )  # fmt: skip


# --- escape hatches ----------------------------------------------------------------------------------


def _hatch(resource: Resource, source: str, present: set[str], known: Workarounds) -> Hatch | None:
    hatch = known.hatches.get(resource.type)
    if hatch is not None:
        return hatch
    beside = known.beside.get(source)
    if beside is not None and beside.native in present and not resource.is_data:
        return beside
    return None


def _escape(
    block: str, resources: list[Resource], source: str, hatch: Hatch, reader: _Reader, existing: bool,
    scaffolding: Collection[str],
) -> Escape | None:  # fmt: skip
    head = resources[0]
    unread = ""
    path = ""
    if hatch.when:
        name, _, pattern = hatch.when.partition("=")
        values = [v.value for r in resources for v in reader.body(r, (name,)).get((name,))]
        if not any(v is not UNKNOWN and re.fullmatch(pattern, str(v)) for v in values):
            if UNKNOWN not in values:
                return None
            path, unread = name, f"{name} is known only after apply"
    types: dict[str, None] = {}
    sensitive = False
    for resource in resources:
        later = ""  # of two ways to give a body, the one that is not written is unknown too: it speaks only alone
        seen = False
        for reading in hatch.read:
            if reading.form == "own_type":
                types[head.type] = None
                seen = True
                continue
            steps = tuple(reading.path.split("."))
            for value in reader.body(resource, (steps[0],)).get(steps):
                if value.value is UNKNOWN:
                    later = later or reading.path
                    continue
                seen = True
                path = path or reading.path
                sensitive = sensitive or value.sensitive
                named = types_of(reading.form, value.value)
                if named is None:
                    unread = unread or f"{reading.path} cannot be read from the plan"
                else:
                    types.update(dict.fromkeys(n for n in named if n.lower() not in scaffolding))
        if not seen and hatch.read:
            path = path or later
            unread = unread or (f"{later} is known only after apply" if later else f"{hatch.read[0].path} is not set")
    return Escape(block, source, head.type, hatch, path, tuple(types), unread, existing, sensitive)


# --- commands ----------------------------------------------------------------------------------------


def _command(
    block: str, resources: list[Resource], plan: Plan, known: Workarounds, hosts: list[re.Pattern[str]],
    reader: _Reader, existing: bool,
) -> Command | None:  # fmt: skip
    head = resources[0]
    config = plan.blocks.get(block)
    found: dict[str, None] = {}
    unread = ""
    path = ""
    texts: list[tuple[str, str | None]] = []
    if config is not None:
        for i, provisioner in enumerate(config.provisioners):
            texts.extend(_provisioner(provisioner, i))
    if plan.source is not None:  # has what plan JSON leaves out: commands with gaps
        texts = source_commands(plan.source, block) or texts
    if head.is_data and head.type in known.runners:
        names = known.runners[head.type]
        ran = list(_program(resources, reader, names))
        words = source_program(plan.source, block, names) if plan.source is not None and (None in dict(ran).values()) else None
        texts.extend(ran if words is None else [(names[0], " ".join(map(quoted, words)))])
    for where, text in texts:
        if text is None:
            if not unread and not found:
                path = where
            unread = unread or f"{where} is not a constant: what it runs cannot be read"
            continue
        for call in calls(text, known.programs, hosts):
            if call.script:
                if not unread and not found:
                    path = where
                unread = unread or f"{where} runs {call.shown}, whose content is not in the plan"
            else:
                if not found:
                    path = where
                found.setdefault(call.shown)
    if not found and not unread:
        return None
    return Command(block, head.type, path, tuple(found), unread, existing)


def _provisioner(provisioner: Mapping[str, Any], index: int) -> Iterator[tuple[str, str | None]]:
    """(path, command text) of a provisioner; None where the text is no constant."""
    kind = str(provisioner.get("type", ""))
    held = provisioner.get("expressions")
    expressions = held if isinstance(held, Mapping) else {}
    with_ = expressions.get("interpreter")
    interpreter = with_.get("constant_value") if isinstance(with_, Mapping) else None
    if isinstance(interpreter, list) and interpreter and is_language(str(interpreter[0])):
        yield f"provisioner[{index}].command", str(interpreter[0])
        return
    before = [str(w) for w in interpreter] if isinstance(interpreter, list) else []
    names = {"local-exec": ("command",), "remote-exec": ("inline", "script", "scripts")}.get(kind, ())
    for name in names:
        node = expressions.get(name)
        if node is None:
            continue
        value = node.get("constant_value") if isinstance(node, Mapping) else None
        where = f"provisioner[{index}].{name}"
        if name in ("script", "scripts"):
            yield where, "./script.sh"
        elif isinstance(value, str):
            yield where, interpreted(before, value)
        elif isinstance(value, list) and all(isinstance(v, str) for v in value):
            yield where, "\n".join(value)
        else:
            yield where, None


def _program(resources: list[Resource], reader: _Reader, names: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """The program of a data source that runs one: the words of its attributes, in order."""
    for resource in resources:
        body = reader.body(resource, names)
        words = []
        for name in names:
            for value in body.get((name,)):
                if value.value is UNKNOWN:
                    yield name, None
                    return
                words.append(str(value.value))
        if words:
            yield names[0], " ".join(map(quoted, words))


# --- previews ----------------------------------------------------------------------------------------


def _previews(
    block: str, resources: list[Resource], source: str, known: Workarounds, reader: _Reader
) -> Iterator[Preview]:
    head = resources[0]
    if source in known.channels:
        yield Preview(block, "provider", known.channels[source])
        return
    if any(re.search(p, head.type) for p in known.preview_types):
        yield Preview(block, "", head.type)
        return
    for path in known.preview_kinds.get(head.type, ()):
        steps = tuple(path.split("."))
        for resource in resources:
            for value in reader.body(resource, (steps[0],)).get(steps):
                found = _versions(value.value) if isinstance(value.value, str) else []
                young = next((v for v in found if re.search(r"preview|alpha", v, re.IGNORECASE)), None)
                if young is not None:
                    yield Preview(block, path, "a preview API version" if value.sensitive else young)
                    return


def _versions(text: str) -> list[str]:
    """The API versions that a value names: itself, or those of the manifests in it."""
    return _API_VERSION.findall(text) if "apiVersion" in text else [text]

