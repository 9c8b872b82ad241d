"""What a run is held to: the policy with what it extends, the workload manifest, and the flags, as one record.

Each value: flag > workload file > policy file > `extends` > default. Files are read here and nowhere else.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from auditor.documents import Document, read_file, validate
from auditor.errors import PolicyError
from auditor.facts import Index
from auditor.identity import UNWAIVABLE, Waiver
from auditor.layers import Layer, display, merge, merge_layers, policy_layers
from auditor.model import Level, Rule
from auditor.places import compile_allow, compile_countries, item_problem
from auditor.scopes import Places, compile_scope
from auditor.spelling import suggest

POLICY_NAME: Final = ".auditor.yaml"

# What holds where no document and no flag says otherwise; the schema repeats these as `default`, a test compares.
DEFAULTS: Final[Mapping[str, Any]] = {
    "on_unknown": "warning",
    "fail_on": "error",
    "interconnect": {
        "max_gpus_without_rdma": 8,
        "trigger": "total_gpus",
        "accept_fabrics": ["infiniband", "roce", "efa"],
        "max_p99_ms": 1.0,
    },
    "placement": {"max_zones_per_job": 1},
    "lag": {
        "max_months": 3,
        "young_days": 30,
        "stale_months": 6,
        "count_preview": False,
        "catalog_note_days": 45,
        "catalog_stale_days": 120,
    },
    "workarounds": {"allow": []},
    "gates": {"dataset_tb": 50, "min_saving_pct": 40, "max_egress_share": 0.15},
    "jit": {"max_rest_days": 0},
    "prices": {"hub_egress_usd_gb": 0.09, "spoke_egress_usd_gb": 0.0, "hub_egress_tiers": []},
}


@dataclass(frozen=True, slots=True)
class RuleOverride:
    """What a policy changes about one rule."""

    level: Level | None = None
    off: bool = False
    reason: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """One run's settings. Group settings are maps with the defaults filled in; money stays as written."""

    policy: str = ""  # the file or name that was read, "" where there is none
    places: Places | None = None  # None: no `allow`, sovereignty is not configured
    operators: frozenset[str] | None = None  # countries; None: not configured
    on_unknown: Level = "warning"
    fail_on: Level = "error"
    assume: Mapping[str, str] = field(default_factory=dict)
    interconnect: Mapping[str, Any] = field(default_factory=dict)
    placement: Mapping[str, Any] = field(default_factory=dict)
    lag: Mapping[str, Any] = field(default_factory=dict)
    workarounds: tuple[str, ...] = ()
    gates: Mapping[str, Any] = field(default_factory=dict)
    jit: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, RuleOverride] = field(default_factory=dict)
    rules_dirs: tuple[Path, ...] = ()
    catalog: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    baseline: Path | None = None
    workload: Mapping[str, Any] | None = None  # None: no manifest; read it through the properties where there is one

    @property
    def declared(self) -> Mapping[str, Any]:
        """The workload manifest, empty where there is none."""
        return self.workload or {}

    @property
    def regulated(self) -> bool:
        """True, or a list that is not empty."""
        return bool(self.declared.get("regulated"))

    @property
    def regulated_declared(self) -> bool:
        """Whether the manifest says anything about it: silence is not "no"."""
        return "regulated" in self.declared

    @property
    def stage(self) -> str:
        return str(self.declared.get("stage", "staging"))

    @property
    def role(self) -> str:
        """training | inference | mixed | "" (not declared)."""
        return str(self.declared.get("role", ""))

    @property
    def jobs(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(self.declared.get("jobs", ()))

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(self.declared.get("features", ()))

    @property
    def spoke(self) -> tuple[str, ...]:
        return tuple(self.declared.get("spoke", ()))

    @property
    def region_guarantees(self) -> Mapping[str, str]:
        return dict(self.declared.get("region_guarantees", {}))


def find_policy(start: Path) -> Path | None:
    """`.auditor.yaml` in a folder or the nearest one above it, up to the root of the file system."""
    start = start.resolve()
    return next((p for folder in (start, *start.parents) if (p := folder / POLICY_NAME).is_file()), None)


def load_config(
    policy: str | None,
    workload: Path | None,
    overrides: Mapping[str, Any],
    *,
    index: Index,
    rules: Mapping[str, Rule],
    as_of: str,
    cwd: Path,
    policies_dir: Path,
) -> Config:
    """Read and merge everything that shapes a run.

    policy: a shipped name or a path; None looks for `.auditor.yaml` upward from `cwd`.
    overrides: what flags say, in the shape of a policy ({"fail_on": "note", "assume": {...}}).
    rules: every known rule by id; as_of: ISO date. Raises PolicyError, with file and line where there is one.
    """
    cwd = cwd.resolve()
    if policy is None:
        found = find_policy(cwd)
        policy = str(found) if found else None
    layers = policy_layers(policy, cwd, policies_dir) if policy is not None else []
    documents = [_checked(layer, index, rules) for layer in layers]
    name = documents[-1].name if documents else ""
    merged = merge(merge(DEFAULTS, merge_layers(documents)), overrides)
    manifest = _workload(merged.get("workload"), workload, cwd)
    return Config(
        policy=name,
        places=_places(merged, index, as_of, name),
        operators=_operators(merged, index, as_of),
        on_unknown=merged["on_unknown"],
        fail_on=merged["fail_on"],
        assume=merged.get("assume", {}),
        interconnect=merged["interconnect"],
        placement=merged["placement"],
        lag=merged["lag"],
        workarounds=tuple(merged["workarounds"]["allow"]),
        gates=merged["gates"],
        jit=merged["jit"],
        prices=merged["prices"],
        rules=_rule_overrides(merged.get("rules", {}), documents, rules),
        rules_dirs=tuple(Path(p) for p in merged.get("rules_dirs", ())),
        catalog=merged.get("catalog", {}),
        waivers=(*merged.get("waivers", ()), *_waiver_files(merged.get("waiver_files", ()), cwd, rules)),
        baseline=Path(merged["baseline"]) if "baseline" in merged else None,
        workload=manifest,
    )


# --- one document -----------------------------------------------------------------------------------


def _checked(layer: Layer, index: Index, rules: Mapping[str, Rule]) -> Document:
    """The document with its waivers read, after checks that need its line numbers."""
    document = layer.document
    value = dict(document.value)
    for path, item in _place_items(value):
        if problem := item_problem(item, index):
            raise document.error(path, problem)
    _check_dates(document)
    if "rules" in value:
        value["rules"] = _canonical_rules(document, rules)
    for key in ("waivers", "+waivers"):
        if key in value:
            value[key] = list(_waivers(document, (key,), rules))
    return Document(document.name, value, document.lines)


def _place_items(value: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Every item of every place list, with its path."""
    lists: list[tuple[tuple[str | int, ...], Any]] = [
        ((k,), value.get(k, [])) for k in ("allow", "+allow", "deny", "+deny")
    ]
    lists += [(("operators", k), value.get("operators", {}).get(k, [])) for k in ("allow", "+allow")]
    for key in ("scopes", "+scopes"):
        lists += [((key, i, "allow"), scope["allow"]) for i, scope in enumerate(value.get(key, []))]
    for path, found in lists:
        roles = (
            [((*path, role), items) for role, items in found.items()] if isinstance(found, dict) else [(path, found)]
        )
        for where, items in roles:
            yield from (((*where, i), item) for i, item in enumerate(items))


_DATE_KEYS: Final = ("as_of", "reviewed_on", "measured_on", "expires", "date")


def _check_dates(document: Document) -> None:
    """The schema knows the shape of a date, not the calendar (2027-02-30)."""

    def visit(value: Any, path: tuple[str | int, ...]) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in entries:
            if key in _DATE_KEYS and isinstance(item, str):
                try:
                    datetime.date.fromisoformat(item)
                except ValueError:
                    raise document.error((*path, key), f'"{item}" is no day of the calendar') from None
            visit(item, (*path, key))

    visit({k: v for k, v in document.value.items() if k not in ("rules", "catalog")}, ())


def _known_rule(name: str, rules: Mapping[str, Rule]) -> str:
    """The id of a rule, by id or alias; "" where there is none."""
    if name in rules:
        return name
    return next((r.id for r in rules.values() if name in r.aliases), "")


def _canonical_rules(document: Document, rules: Mapping[str, Rule]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, entry in document.value["rules"].items():
        path = ("rules", name)
        rule_id = _known_rule(name, rules)
        if not rule_id:
            raise document.error(path, f'unknown rule "{name}"{suggest(name, rules)}', "`auditor rules` lists them")
        for param in entry.get("params", {}):
            known = rules[rule_id].params
            if param not in known:
                allowed = suggest(param, known) or f"; it takes: {', '.join(known) or 'none'}"
                raise document.error((*path, "params", param), f'{rule_id} has no parameter "{param}"{allowed}')
        if rule_id.startswith("META") and entry.get("level") in ("off", False):
            raise document.error((*path, "level"), f"{rule_id} cannot be switched off")
        made[rule_id] = merge(made.get(rule_id, {}), entry)
    return made


def _waivers(document: Document, path: tuple[str | int, ...], rules: Mapping[str, Rule]) -> Iterator[Waiver]:
    for i, entry in enumerate(document.value[path[0]]):
        here = (*path, i)
        rule_id = _known_rule(entry["rule"], rules)
        if not rule_id:
            raise document.error((*here, "rule"), f'unknown rule "{entry["rule"]}"{suggest(entry["rule"], rules)}')
        if rule_id.startswith(UNWAIVABLE):
            raise document.error((*here, "rule"), f"{rule_id} cannot be waived")
        yield Waiver(**{**entry, "rule": rule_id}, file=document.name, line=document.line(here))


def _waiver_files(paths: Sequence[str], cwd: Path, rules: Mapping[str, Rule]) -> Iterator[Waiver]:
    for path in paths:
        document = read_file(Path(path), display(Path(path), cwd))
        validate(document, "waivers")
        _check_dates(document)
        yield from _waivers(document, ("waivers",), rules)


# --- the merged policy ------------------------------------------------------------------------------


def _places(merged: Mapping[str, Any], index: Index, as_of: str, name: str) -> Places | None:
    deny, scopes = merged.get("deny", []), merged.get("scopes", [])
    where = f"{name} " if name else ""
    if "allow" not in merged:
        if scopes or deny:
            what = "scopes" if scopes else "deny"
            raise PolicyError(f"{where}`{what}` needs a top-level `allow`", "it governs what no scope matches")
        return None
    try:
        top = compile_allow(_per_role(merged["allow"]), deny, index, as_of)
        where += "scope "
        made = []
        for scope in scopes:
            where = f"{name} scope {scope['name']}: ".lstrip()
            made.append(compile_scope({**scope, "allow": _per_role(scope["allow"])}, deny, index, as_of))
    except PolicyError as error:
        raise PolicyError(f"{where}{error.message}", error.hint) from None
    return Places(top, tuple(made))


def _per_role(allow: Any) -> Any:
    """`+home` without anything inherited is `home`."""
    return merge({}, allow) if isinstance(allow, dict) else allow


def _operators(merged: Mapping[str, Any], index: Index, as_of: str) -> frozenset[str] | None:
    allow = merged.get("operators", {}).get("allow")
    return None if allow is None else compile_countries(allow, index, as_of)


def _rule_overrides(
    merged: Mapping[str, Any], documents: Sequence[Document], rules: Mapping[str, Rule]
) -> dict[str, RuleOverride]:
    made: dict[str, RuleOverride] = {}
    for rule_id, entry in merged.items():
        level = entry.get("level")
        off = level in ("off", False) and level is not None
        reason = entry.get("reason", "")
        if off and not reason:
            last = next((d for d in reversed(documents) if rule_id in d.value.get("rules", {})), None)
            where = f"{last.where(('rules', rule_id))} " if last else ""
            raise PolicyError(f"{where}{rule_id} is off without a reason", 'add reason: "..." beside it')
        made[rule_id] = RuleOverride(None if off else level, off, reason, entry.get("params", {}))
    return made


def _workload(inline: Any, path: Path | None, cwd: Path) -> dict[str, Any] | None:
    """The manifest: the file over what the policy holds inline; None where there is neither."""
    if path is None:
        return dict(inline) if isinstance(inline, dict) else None
    document = read_file(path, display(path.resolve(), cwd))
    if document.value is None:
        raise PolicyError(f"{document.name} is empty", "a workload manifest says at least what the GPUs do: role")
    validate(document, "workload")
    _check_dates(document)
    return merge(inline or {}, document.value, f"{document.name} ")
