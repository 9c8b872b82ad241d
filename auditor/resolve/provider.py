"""The region a resource's provider instance stands in: through aliases, modules, variables and data sources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from auditor.model import UNKNOWN, Evidence, Plan, ProviderConfig, Resource, block_address
from auditor.resolve.references import References
from auditor.resolve.traces import Target


class ProviderRegion(msgspec.Struct, frozen=True):
    """What a provider block says of its region.

    values: the one value, or several where the block is not certain (then `candidates`).
    cause: why there is no value, or no single one; grouped in reports.
    """

    values: tuple[str, ...] = ()
    candidates: bool = False
    cause: str = ""
    evidence: tuple[Evidence, ...] = ()
    sensitive: bool = False
    targets: tuple[Target, ...] = ()  # resources the block refers to (a cluster, say)


class Redirect(msgspec.Struct, frozen=True, gc=False):
    """An attribute of a provider block that sends calls elsewhere. service: "" for all. host: "" where not known."""

    what: str
    service: str
    host: str
    sensitive: bool


def _leaves(node: object, at: str = "") -> Iterator[tuple[str, object]]:
    """(path, expression) of what a provider block writes, nested blocks walked through."""
    if isinstance(node, Mapping):
        if at and ("constant_value" in node or "references" in node):
            yield at, node
            return
        for name, inner in node.items():
            yield from _leaves(inner, f"{at}.{name}" if at else str(name))
    elif isinstance(node, list):
        for inner in node:
            yield from _leaves(inner, at)


def _host(address: str) -> str:
    """The host of a URL, or of what is written in its place; no user, password, port or path."""
    return address.rpartition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


def block_name(config: ProviderConfig) -> str:
    """How people write it: `aws.us`, or `aws`."""
    return f"{config.name}.{config.alias}" if config.alias else config.name


def _first_name(node: object) -> str:
    """The first name that an expression mentions."""
    names = node.get("references") if isinstance(node, dict) else None
    return str(names[0]) if names and isinstance(names, list) else ""


class Providers:
    """Provider blocks of one plan."""

    def __init__(self, plan: Plan, refs: References) -> None:
        self.plan = plan
        self.refs = refs
        self._cache: dict[tuple[str, str, tuple[str, ...]], ProviderRegion] = {}
        self._redirects: dict[tuple[str, str], tuple[Redirect, ...]] = {}

    def key_of(self, resource: Resource) -> str:
        """The `provider_config_key` of the resource's block; "" where the block is gone."""
        if resource.provider_key:
            return resource.provider_key
        config = self.plan.blocks.get(block_address(resource))
        return config.provider_config_key if config is not None else ""

    def blocks_for(self, key: str, provider_name: str) -> tuple[ProviderConfig, ...]:
        """The provider block a key means; every block of that provider where it cannot be told."""
        configs = self.plan.configuration.provider_config
        if key in configs:
            return (configs[key],)
        if key:
            module, _, name = key.rpartition(":")
            while True:
                found = configs.get(f"{module}:{name}" if module else name)
                if found is not None:
                    return (found,)
                if not module:
                    break
                module = module.rpartition("module.")[0].rstrip(".")
        return tuple(c for c in configs.values() if c.full_name == provider_name)

    def region(self, resource: Resource, attributes: tuple[str, ...]) -> ProviderRegion:
        """The value of the first of `attributes` that the resource's provider block sets."""
        cache_key = (self.key_of(resource), resource.provider_name, attributes)
        if cache_key not in self._cache:
            self._cache[cache_key] = self._region(*cache_key)
        return self._cache[cache_key]

    def _region(self, key: str, provider_name: str, attributes: tuple[str, ...]) -> ProviderRegion:
        blocks = self.blocks_for(key, provider_name)
        short = provider_name.rpartition("/")[2] or provider_name
        if not blocks and self.plan.kind == "state":
            return ProviderRegion(cause="a state holds no provider blocks, and the resource names no place itself")
        if not blocks:
            return ProviderRegion(cause=f"no provider block for {short}: its region comes from the environment")
        found = [self._one(c, attributes) for c in blocks]
        if len(found) == 1:
            return found[0]
        values = tuple(dict.fromkeys(v for f in found for v in f.values))
        names = ", ".join(block_name(c) for c in blocks)
        decided = all(f.values and not f.cause for f in found)
        return ProviderRegion(
            values=values if decided else (),
            candidates=decided and len(values) > 1,
            cause=f"which provider block applies cannot be told from the plan (candidates: {names})",
            evidence=tuple(e for f in found for e in f.evidence),
            sensitive=any(f.sensitive for f in found),
        )

    def _one(self, config: ProviderConfig, attributes: tuple[str, ...]) -> ProviderRegion:
        name = block_name(config)
        what = f'provider alias "{name}"' if config.alias else f'provider "{name}"'
        if config.module_address:
            what += f" in {config.module_address}"
        here = Evidence(what, ref=("provider", config.module_address, name))
        for attribute in attributes:
            node = config.expressions.get(attribute)
            if node is None:
                continue
            here = Evidence(what, ref=("provider", config.module_address, name, attribute))
            told: tuple[Evidence, ...] = ()
            said = node
            if self.refs.answers is not None and self.plan.kind == "plan" and isinstance(node, dict) and node.get("references"):
                node = self.refs.answers.provider(config, attribute, node)
                if "evaluated" in node:
                    told = (Evidence(f"{attribute} as its source has it", *node["evaluated"]),)
            trace = self.refs.follow(config.module_address, node)
            constants = [c for c in trace.constants if isinstance(c, str) and c]
            values: list[str] = list(constants)
            cause = ""
            sensitive = trace.sensitive
            for target in trace.targets:
                got = self.refs.values(None, target)
                values.extend(str(v.value) for v in got if isinstance(v.value, str))
                sensitive = sensitive or any(v.sensitive for v in got)
                if not got or any(v.value is UNKNOWN for v in got):
                    cause = f"{attribute} of {what} is known only after apply ({target.block})"
            if trace.unresolved:
                cause = f"{attribute} of {what} is computed from {', '.join(trace.unresolved)}"
            values = list(dict.fromkeys(values))
            if (trace.mixed or len(values) > 1) and not cause:
                cause = f"{attribute} of {what} is computed from several values"
            if not values and not cause and any(c is not None for c in trace.constants):
                cause = f"{attribute} of {what} is computed from a value that is no text"
            if not values and not cause and not trace.constants and (named := _first_name(said)):
                cause = f"{attribute} of {what} is computed from {named}, whose value the plan does not hold"
            evidence = (here, *told, *trace.steps)
            if cause:
                return ProviderRegion(cause=cause, evidence=evidence, sensitive=sensitive)
            if values:
                return ProviderRegion(tuple(values), evidence=evidence, sensitive=sensitive)
        return ProviderRegion(
            cause=f"{what} sets no {attributes[0] if attributes else 'region'}: it comes from the environment",
            evidence=(here,),
        )

    def redirects(self, resource: Resource, patterns: Sequence[str]) -> tuple[Redirect, ...]:
        """Addresses to which the provider block of a resource sends calls of its cloud."""
        key = (self.key_of(resource), resource.provider_name)
        if key not in self._redirects:
            found: list[Redirect] = []
            for config in self.blocks_for(*key):
                for path, node in _leaves(config.expressions):
                    match = next((m for p in patterns if (m := re.fullmatch(p, path))), None)
                    if match is None:
                        continue
                    trace = self.refs.follow(config.module_address, node)
                    values = [c for c in trace.constants if isinstance(c, str)]
                    host = _host(values[0]) if len(values) == 1 and not (trace.unresolved or trace.targets) else ""
                    if values == [""] or (not values and not trace.unresolved and not trace.targets):
                        continue  # null or empty: not set
                    service = match.groupdict().get("service") or ""
                    found.append(Redirect(f'{path} of provider "{block_name(config)}"', service, host, trace.sensitive))
            self._redirects[key] = tuple(found)
        return self._redirects[key]

    def references(self, resource: Resource) -> tuple[tuple[Target, ...], tuple[Evidence, ...]]:
        """The resources that the provider block of `resource` mentions anywhere (the cluster it talks to)."""
        blocks = self.blocks_for(self.key_of(resource), resource.provider_name)
        targets: dict[Target, None] = {}
        evidence: list[Evidence] = []
        if len(blocks) == 1:
            for node in blocks[0].expressions.values():
                trace = self.refs.follow(blocks[0].module_address, node)
                targets.update(dict.fromkeys(trace.targets))
            evidence.append(Evidence(
                    f'provider "{block_name(blocks[0])}"', ref=("provider", blocks[0].module_address, block_name(blocks[0]))
                ))
        return tuple(targets), tuple(evidence)
