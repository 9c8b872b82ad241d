"""What a run is held to: the policy with what it extends, the workload manifest, and the flags, as one record.

Each value: flag > workload file > policy file > `extends` > default. Files are read here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from auditor.documents import Document, decoded, read_file, read_yaml, validate
from auditor.errors import PolicyError
from auditor.facts import Index
from auditor.identity import Waiver
from auditor.layers import display, merge, merge_layers, policy_layers
from auditor.model import Level, Rule
from auditor.overlays import Overlay, overlay_of, with_rows
from auditor.places import compile_allow, compile_countries
from auditor.scopes import Places, compile_scope
from auditor.vetting import assumption_problem, read_waivers, vet_dates, vet_jobs, vet_policy

POLICY_NAME: Final = ".auditor.yaml"
_POLICY_NAMES: Final = (POLICY_NAME, ".auditor.yml")
WORKLOAD_NAME: Final = "workload.yaml"

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


class RuleOverride(msgspec.Struct, frozen=True):
    """What a policy changes about one rule."""

    level: Level | None = None
    off: bool = False
    reason: str = ""
    params: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Config(msgspec.Struct, frozen=True):
    """One run's settings. Group settings are maps with the defaults filled in; money stays as written."""

    policy: str = ""  # the file or name that was read, "" where there is none
    places: Places | None = None  # None: no `allow`, sovereignty is not configured
    operators: frozenset[str] | None = None  # countries; None: not configured
    on_unknown: Level = "warning"
    fail_on: Level = "error"
    assume: Mapping[str, str] = msgspec.field(default_factory=dict)
    interconnect: Mapping[str, Any] = msgspec.field(default_factory=dict)
    placement: Mapping[str, Any] = msgspec.field(default_factory=dict)
    lag: Mapping[str, Any] = msgspec.field(default_factory=dict)
    workarounds: tuple[str, ...] = ()
    gates: Mapping[str, Any] = msgspec.field(default_factory=dict)
    jit: Mapping[str, Any] = msgspec.field(default_factory=dict)
    prices: Mapping[str, Any] = msgspec.field(default_factory=dict)
    prices_declared: frozenset[str] = frozenset()  # those that a document or flag states: the rest are defaults
    rules: Mapping[str, RuleOverride] = msgspec.field(default_factory=dict)
    own_rules: Mapping[str, Rule] = msgspec.field(default_factory=dict)  # of `rules_dirs`, by id
    overlay: Overlay = msgspec.field(default_factory=Overlay)  # rows over the shipped catalogue
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
    """`.auditor.yaml` (or `.yml`) in a folder or the nearest one above it. Raises PolicyError where both lie side by side."""
    start = start.resolve()
    for folder in (start, *start.parents):
        found = [p for name in _POLICY_NAMES if (p := folder / name).is_file()]
        if len(found) > 1:
            raise PolicyError(f"{folder} holds both {' and '.join(_POLICY_NAMES)}", "keep one of them")
        if found:
            return found[0]
    return None


def find_workload(folders: Iterable[Path]) -> Path | None:
    """`workload.yaml` in the first of the folders that holds one; a Kubernetes manifest of that name is not ours."""
    for folder in folders:
        path = folder / WORKLOAD_NAME
        if path.is_file():
            value = read_file(path).value
            if not (isinstance(value, dict) and {"apiVersion", "kind"} <= value.keys()):
                return path
    return None


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
    documents = [with_rows(layer.document) for layer in layers]
    overlay = overlay_of(merge_layers({}, documents).get("catalog", {}), index)
    if overlay.rows:
        index = msgspec.convert(overlay.patch_index(msgspec.to_builtins(index)), Index)
    shipped, rules = rules, _with_own(rules, documents, index, as_of, cwd)
    documents = [vet_policy(document, index, rules, as_of) for document in documents]
    name = documents[-1].name if documents else ""
    for key, value in overrides.get("assume", {}).items():
        if problem := assumption_problem(key, value, index):
            raise PolicyError(f"--assume {key}={value}: {problem}")
    stated = merge(merge_layers({}, documents), overrides)
    merged = merge(merge_layers(DEFAULTS, documents), overrides)
    manifest = _workload(merged.get("workload"), workload, cwd)
    return Config(
        policy=name,
        places=_places(merged, documents, index, as_of),
        operators=_operators(merged, documents, index, as_of),
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
        prices_declared=frozenset(k.removeprefix("+") for k in stated.get("prices", {})),
        rules=_rule_overrides(merged.get("rules", {}), documents),
        own_rules={k: r for k, r in rules.items() if k not in shipped},
        overlay=overlay,
        waivers=(*merged.get("waivers", ()), *_waiver_files(merged, documents, cwd, rules, as_of)),
        baseline=Path(merged["baseline"]) if "baseline" in merged else None,
        workload=manifest,
    )


def rules_folders(cwd: Path, policies_dir: Path) -> list[Path]:
    """The `rules_dirs` of the policy found upward from a folder; empty where there is none."""
    found = find_policy(cwd)
    layers = policy_layers(str(found), cwd.resolve(), policies_dir) if found is not None else []
    folders = merge_layers({}, [layer.document for layer in layers]).get("rules_dirs", ())
    return [Path(f) for f in dict.fromkeys(folders)]


def known_with_own(
    policy: str | None, rules: Mapping[str, Rule], *, index: Index, as_of: str, cwd: Path, policies_dir: Path
) -> Mapping[str, Rule]:
    """The known rules and those of a policy's `rules_dirs`, its waivers not read: they may be what is being mended."""
    cwd = cwd.resolve()
    found = policy if policy is not None else find_policy(cwd)
    if found is None:
        return rules
    documents = [with_rows(layer.document) for layer in policy_layers(str(found), cwd, policies_dir)]
    return _with_own(rules, documents, index, as_of, cwd)


# --- parts of the merged policy ---------------------------------------------------------------------


def _origin(documents: Sequence[Document], *path: str) -> str:
    """`FILE:LINE ` of the last document that says something at a path (or that appends to it); "" where none does."""
    top = (path[0], f"+{path[0]}")
    for document in reversed(documents):
        key = next((k for k in top if k in document.value), "")
        if key:
            return f"{document.where((key, *path[1:]))} "
    return ""


def _with_own(
    rules: Mapping[str, Rule], documents: Sequence[Document], index: Index, as_of: str, cwd: Path
) -> Mapping[str, Rule]:
    """The known rules and those of `rules_dirs`."""
    folders = merge_layers({}, documents).get("rules_dirs", ())
    own = []
    for folder in dict.fromkeys(folders):
        where = _origin(documents, "rules_dirs")
        if not Path(folder).is_dir():
            hint = "rules_dirs names folders; every rule in them is read" if Path(folder).is_file() else ""
            raise PolicyError(f"{where}no folder {display(Path(folder), cwd)}", hint)
        from auditor.ownrules import read_rules_dir

        found = read_rules_dir(Path(folder), display(Path(folder), cwd), index, as_of)
        if not found:
            raise PolicyError(f"{where}no rule in {display(Path(folder), cwd)}")
        own += found
    if not own:
        return rules
    from auditor.ownrules import join

    return join(rules, own)


def _waiver_files(
    merged: Mapping[str, Any], documents: Sequence[Document], cwd: Path, rules: Mapping[str, Rule], as_of: str
) -> Iterator[Waiver]:
    for path in dict.fromkeys(merged.get("waiver_files", ())):
        if not Path(path).is_file():
            raise PolicyError(f"{_origin(documents, 'waiver_files')}no waiver file {display(Path(path), cwd)}")
        yield from read_waiver_file(Path(path), display(Path(path), cwd), rules, as_of)


def read_waiver_file(path: Path, name: str, rules: Mapping[str, Rule], as_of: str) -> list[Waiver]:
    """The waivers of one file. Raises PolicyError with file and line."""
    document = read_file(path, name)
    if document.value is None:
        raise PolicyError(f"{name}:1 is empty", 'an empty list is written "waivers: []"')
    validate(document, "waivers")
    vet_dates(document)
    return list(read_waivers(document, ("waivers",), rules, as_of))


def _places(merged: Mapping[str, Any], documents: Sequence[Document], index: Index, as_of: str) -> Places | None:
    deny, scopes = merged.get("deny", []), merged.get("scopes", [])
    if "allow" not in merged:
        if scopes or deny:
            what = "scopes" if scopes else "deny"
            where = _origin(documents, what)
            raise PolicyError(f"{where}`{what}` needs a top-level `allow`", "it governs what no scope matches")
        return None
    where = _origin(documents, "allow")
    try:
        top = compile_allow(_per_role(merged["allow"]), deny, index, as_of)
        made = []
        for scope in scopes:
            where = f"{_origin(documents, 'scopes')}scope {scope['name']}: "
            made.append(compile_scope({**scope, "allow": _per_role(scope["allow"])}, deny, index, as_of))
    except PolicyError as error:
        raise PolicyError(f"{where}{error.message}", error.hint) from None
    return Places(top, tuple(made))


def _per_role(allow: Any) -> Any:
    """`+home` without anything inherited is `home`."""
    return merge({}, allow) if isinstance(allow, dict) else allow


def _operators(
    merged: Mapping[str, Any], documents: Sequence[Document], index: Index, as_of: str
) -> frozenset[str] | None:
    allow = merged.get("operators", {}).get("allow")
    if allow is None:
        return None
    countries = compile_countries(allow, index, as_of)
    if not countries:
        raise PolicyError(f"{_origin(documents, 'operators', 'allow')}operators.allow names no country")
    return countries


def _rule_overrides(merged: Mapping[str, Any], documents: Sequence[Document]) -> dict[str, RuleOverride]:
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
    document = read_workload(path, display(Path(os.path.realpath(path)), cwd))
    return merge(inline or {}, document.value, document)


def with_manifest(config: Config, data: bytes, name: str) -> Config | None:
    """The settings with a manifest whose bytes are at hand; None where a Kubernetes manifest bears the name.

    Raises PolicyError with file and line.
    """
    document = read_yaml(decoded(data, name), name)
    if isinstance(document.value, dict) and {"apiVersion", "kind"} <= document.value.keys():
        return None
    return replace(config, workload=merge(config.workload or {}, _vetted(document).value, document))


def read_workload(path: Path, name: str) -> Document:
    """One workload manifest, valid. Raises PolicyError with file and line."""
    return _vetted(read_file(path, name))


def _vetted(document: Document) -> Document:
    if document.value is None:
        raise PolicyError(f"{document.name}:1 is empty", "a workload manifest says at least what the GPUs do: role")
    validate(document, "workload")
    vet_dates(document)
    vet_jobs(document, ())
    return document
