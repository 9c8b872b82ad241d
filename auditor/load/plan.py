"""Reads a plan or a state by content, not by name, and fails closed on anything else.

A plan is decoded once, resource bodies kept raw. Wrapper lines around the JSON and the encodings that shells
produce are read with a notice; what is truncated, empty, foreign or of an unknown major version is an InputError.
"""

from __future__ import annotations

import codecs
import gc
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from auditor.errors import InputError
from auditor.files import read_bytes
from auditor.load.hcl.folders import is_source
from auditor.load.lockfile import decode_lock, find_lock
from auditor.load.source import archive_tree, paired
from auditor.model import EMPTY, NULL, Change, Configuration, Plan, Resource
from auditor.spelling import plural
from auditor.syntax import SourceTree

if TYPE_CHECKING:
    from auditor.load.hcl.inputs import SourceOptions

_STREAM: Final = b'"@level"'
_PIECE: Final = 1 << 20
_TIMEOUT: Final = 300  # seconds for `terraform show`
_GZIP: Final = b"\x1f\x8b"
_FORGET: Final = ("forget",)
_CHANGES: Final = b'"resource_changes"'
_SMALL: Final = 32_000_000  # bytes; in larger plans the last of two lists counts, as for every JSON reader
_AGAIN: Final = "Run: terraform show -json tfplan > plan.json"


class _Deferred(msgspec.Struct):
    reason: str = ""
    resource_change: Resource | None = None


class _Action(msgspec.Struct, frozen=True):
    address: str = ""


class _DeferredAction(msgspec.Struct):
    action_invocation: _Action = _Action()


class _PlannedResource(msgspec.Struct, gc=False):
    address: str = ""
    mode: str = "managed"


class _PlannedModule(msgspec.Struct):
    resources: list[_PlannedResource] | None = None
    child_modules: list[_PlannedModule] | None = None


class _PlannedValues(msgspec.Struct):
    root_module: _PlannedModule | None = None


class _PlanFile(msgspec.Struct):
    format_version: str = ""
    terraform_version: str = ""
    variables: dict[str, Any] | None = None
    resource_changes: list[Resource] | None = None
    resource_drift: list[Resource] | None = None
    configuration: Configuration | None = None
    planned_values: _PlannedValues | None = None
    prior_state: msgspec.Raw = NULL
    values: msgspec.Raw = NULL
    version: int = 0
    errored: bool = False
    complete: bool | None = None
    deferred_changes: list[_Deferred] | None = None
    action_invocations: list[_Action] | None = None
    deferred_action_invocations: list[_DeferredAction] | None = None


class _StateResource(msgspec.Struct):
    address: str
    type: str
    name: str = ""
    mode: str = "managed"
    provider_name: str = ""
    index: str | int | float | None = None
    values: msgspec.Raw = EMPTY
    sensitive_values: msgspec.Raw = EMPTY
    depends_on: tuple[str, ...] = ()
    deposed_key: str = ""


class _StateModule(msgspec.Struct):
    address: str = ""
    resources: list[_StateResource] = []
    child_modules: list[_StateModule] = []


class _StateValues(msgspec.Struct):
    root_module: _StateModule = msgspec.field(default_factory=_StateModule)


def load(source: str, stdin: Callable[[], bytes], options: SourceOptions | None = None) -> list[Plan]:
    """The plans that a path names: a file, `-` for standard input, a Terraform folder, or a folder of plan JSON files.

    Raises InputError for anything that cannot be audited.
    """
    if source == "-":
        return [with_lock(_read("-", stdin(), None), None)]
    path = Path(source)
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if any(is_source(f.name) for f in path.iterdir()):
            from auditor.load.folder import load_folder
            from auditor.load.hcl.inputs import SourceOptions

            plans = [f.name for f in files if f.name == "plan.json" or f.name.endswith(".tfplan.json")]
            beside = tuple(f"{source}: read as Terraform source; {name} beside it is not read" for name in plans)
            return [load_folder(path, options or SourceOptions(), beside)]
        if not files:
            raise InputError(
                f"{source}: a folder without Terraform files and without plan JSON",
                "Run: terraform show -json tfplan > plan.json",
            )
        return [with_lock(_read(str(f), _bytes(f), f), f) for f in files]
    return [with_lock(_read(source, _bytes(path), path), path)]


def load_bytes(name: str, data: bytes, path: Path | None, lock: bytes = b"", lock_name: str = "") -> Plan:
    """A plan whose bytes are at hand. `path` is where they lie on disk, None elsewhere; `lock` is the lock file beside
    them, read under `lock_name`. Raises InputError for anything that cannot be audited."""
    plan = with_lock(_read(name, data, path), path) if path is not None else _read(name, data, None)
    if plan.lock is None and lock:
        return replace(plan, lock=decode_lock(lock, lock_name))
    return plan


def with_lock(plan: Plan, path: Path | None) -> Plan:
    """The plan with the lock file that stands in it or beside it, if there is one."""
    lock = find_lock(path)
    return replace(plan, lock=lock) if lock is not None else plan


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as e:
        raise InputError(f"{path}: cannot be read: {e.strerror or e}", "Check the path.") from e


def _read(name: str, data: bytes, path: Path | None) -> Plan:
    tree: SourceTree | None = None
    if data[:4] == b"PK\x03\x04":
        tree = archive_tree(path, data) if path is not None else None
        data = _show(name, path)
    if data[:2] == _GZIP:
        told = f"Run: gunzip -c {name} | auditor check -" if path is not None else "Uncompress it first."
        raise InputError(f"{name}: compressed (gzip): one plan is read as it is, archives by `auditor sweep`", told)
    text, notices = _unwrap(name, data)
    if not text[:_TAIL].strip() and not text.strip():
        raise InputError(f"{name}: the file is empty", "Run: terraform show -json tfplan > plan.json")
    file = _decode(name, text)
    if len(text) <= _SMALL and text.count(_CHANGES) > 1 and _stands_twice(text):
        raise InputError(f"{name}: resource_changes stands twice: which of them is the plan cannot be told", _AGAIN)
    plan = _plan(name, file, tuple(notices))
    if tree is None:
        return plan
    return paired(plan, tree, plan.notices + tuple(f"{name}: no lines for: {u}" for u in tree.unread))


def _stands_twice(text: bytes) -> bool:
    """Whether the plan itself has the key twice, and not something in it. Terraform never writes that, a merge may."""
    import json

    depths: list[list[tuple[str, Any]]] = []
    try:  # the outermost object is closed last
        json.loads(text, object_pairs_hook=lambda pairs: depths.append(pairs), parse_int=str, parse_float=str)
    except RecursionError:
        return True
    return sum(key == "resource_changes" for key, _ in depths[-1]) > 1


def _show(name: str, path: Path | None) -> bytes:
    """A binary plan through the program that wrote it."""
    import shutil  # for binary plans alone
    import subprocess

    program = shutil.which("terraform") or shutil.which("tofu")
    command = f"terraform show -json {name} > plan.json"
    if path is None or program is None:
        raise InputError(f"{name}: this is a binary plan, and terraform is not on PATH", f"Run: {command}")
    try:
        done = subprocess.run(
            [program, "show", "-json", str(path.resolve())],
            capture_output=True, cwd=path.resolve().parent, timeout=_TIMEOUT, check=False,
            env={**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as e:
        raise InputError(f"{name}: {Path(program).name} show failed: {type(e).__name__}", f"Run: {command}") from e
    if done.returncode:
        raise InputError(
            f"{name}: `{Path(program).name} show -json` ended with exit {done.returncode}",
            f"Run it where the plan was made, after init: {command}",
        )
    return done.stdout


def _unwrap(name: str, data: bytes) -> tuple[bytes, list[str]]:
    """The JSON text as UTF-8, without byte order mark and without lines that CI wrappers put around it."""
    notices: list[str] = []
    encoding = ""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    elif data[:2] == b"{\x00":
        encoding = "utf-16-le"
    elif data[:2] == b"\x00{":
        encoding = "utf-16-be"
    if encoding:
        try:
            data = data.decode(encoding).encode()
        except UnicodeDecodeError as e:
            raise InputError(f"{name}: broken UTF-16 at byte {e.start}", "Write the plan as UTF-8.") from e
        notices.append(f"{name}: read as UTF-16")
    head = data.lstrip()
    if head[:1] != b"{":
        for start in _line_starts(data):
            if data[start : start + 1] == b"{":
                notices.append(f"{name}: skipped {start} bytes of wrapper output before the JSON")
                return _without_tail(data[start:], name, notices), notices
    return _without_tail(data, name, notices), notices


_TAIL: Final = 64  # bytes; enough for the line ends after the last brace


def _line_starts(data: bytes) -> Iterator[int]:
    at = data.find(b"\n")
    while at >= 0:
        yield at + 1
        at = data.find(b"\n", at + 1)


def _without_tail(data: bytes, name: str, notices: list[str]) -> bytes:
    """Workflow commands (`::debug::...`) that a wrapper prints after the JSON are dropped."""
    if data[-_TAIL:].rstrip().endswith(b"}"):
        return data  # the decoder skips white space; stripping it here would copy the whole plan
    body = data.rstrip()
    cut = body.find(b"\n::")
    if cut > 0 and body[:cut].rstrip().endswith(b"}"):
        notices.append(f"{name}: skipped wrapper output after the JSON")
        return body[:cut].rstrip()
    return body


def _decode(name: str, text: bytes) -> _PlanFile:
    _check_text(name, text)
    was = gc.isenabled()
    gc.disable()  # tens of thousands of records are made and kept: collecting meanwhile finds nothing
    try:
        return msgspec.json.decode(text, type=_PlanFile)
    except msgspec.ValidationError as e:
        raise InputError(f"{name}: not a plan that Terraform writes: {e}", "Run: terraform show -json tfplan") from e
    except msgspec.DecodeError as e:
        if _STREAM in text[:4096]:
            raise InputError(
                f"{name}: this is the streaming log of `terraform plan -json`",
                "Run: terraform plan -out tfplan && terraform show -json tfplan > plan.json",
            ) from e
        where = f" (the file ends at byte {len(text)})" if "truncated" in str(e) else ""
        raise InputError(f"{name}: broken JSON: {e}{where}", "Write the plan again: it may be cut off.") from e
    except RecursionError as e:
        raise InputError(f"{name}: JSON nested too deeply to be a plan") from e
    finally:
        if was:
            gc.enable()


def _check_text(name: str, text: bytes) -> None:
    """Bodies are decoded late and in part: that all of it is UTF-8 is asked once, here, a piece at a time."""
    if text.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    for at in range(0, len(text), _PIECE):
        try:
            decoder.decode(text[at : at + _PIECE], at + _PIECE >= len(text))
        except UnicodeDecodeError as e:
            raise InputError(f"{name}: not UTF-8 near byte {at + e.start}", "Write the plan again: it is damaged.") from e


def _plan(name: str, file: _PlanFile, notices: tuple[str, ...]) -> Plan:
    major = file.format_version.partition(".")[0]
    if not file.format_version:
        if file.version and file.resource_changes is None:
            raise InputError(
                f"{name}: a raw state file; its JSON form is needed", "Run: terraform show -json > state.json"
            )
        raise InputError(f"{name}: valid JSON, but no plan or state (no format_version)", "Run: terraform show -json")
    if major not in ("0", "1"):
        raise InputError(f"{name}: format_version {file.format_version} is newer than this auditor reads (0.x, 1.x)")
    is_plan = file.resource_changes is not None or file.configuration is not None or file.planned_values is not None
    if not is_plan:
        if file.values == NULL:
            if file.terraform_version:
                return Plan(name, "state", [], file.terraform_version, file.format_version, notices=notices)
            raise InputError(f"{name}: valid JSON, but neither a plan nor a state", "Run: terraform show -json tfplan")
        return _state(name, file, notices)
    resources = file.resource_changes or []
    if not resources and not file.errored and not file.deferred_changes and any(_planned(file)):
        raise InputError(
            f"{name}: planned_values holds resources, and resource_changes does not: a part of the plan is missing",
            "Run: terraform show -json tfplan > plan.json",
        )
    partial: list[str] = []
    if file.errored:
        partial.append("the plan ended with an error (errored: true): part of the resources is missing")
    if file.complete is False and not file.errored:
        partial.append("the plan is incomplete (complete: false): it was targeted or defers changes")
    if missing := _missing(file):
        shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        partial.append(f"{len(missing)} resources of planned_values are not in resource_changes: {shown}")
    if actions := _actions(file):
        shown = ", ".join(actions[:3]) + (" …" if len(actions) > 3 else "")
        partial.append(f"{plural(len(actions), 'action')} not judged, which Terraform runs with the plan: {shown}")
    if file.deferred_changes:
        partial.append(f"{len(file.deferred_changes)} deferred changes are planned only in part")
        resources = resources + [d.resource_change for d in file.deferred_changes if d.resource_change is not None]
    if any(r.change.actions == _FORGET for r in resources):
        resources = [_as_it_stays(r) if r.change.actions == _FORGET else r for r in resources]
    return Plan(
        name, "plan", resources, file.terraform_version, file.format_version,
        drift=file.resource_drift or [], configuration=file.configuration or Configuration(),
        variables=file.variables or {}, prior_state=file.prior_state, partial=tuple(partial), notices=notices,
    )  # fmt: skip


def _actions(file: _PlanFile) -> list[str]:
    """Addresses of the actions (Terraform 1.14) that resources trigger or `-invoke` asks for, each once."""
    deferred = [d.action_invocation for d in file.deferred_action_invocations or ()]
    return list(dict.fromkeys(a.address for a in (*(file.action_invocations or ()), *deferred)))


def _as_it_stays(r: Resource) -> Resource:
    """What leaves the state alone stays in the cloud as it was, though the plan says nothing of it afterwards."""
    change = msgspec.structs.replace(r.change, after=r.change.before, after_sensitive=r.change.before_sensitive)
    return msgspec.structs.replace(r, change=change)


def _planned(file: _PlanFile) -> Iterator[str]:
    """Addresses of the managed objects of `planned_values`."""
    root = file.planned_values.root_module if file.planned_values is not None else None
    queue = [root] if root is not None else []
    for module in queue:
        queue.extend(module.child_modules or ())
        yield from (r.address for r in module.resources or () if r.mode == "managed")


def _missing(file: _PlanFile) -> list[str]:
    """Managed objects of `planned_values` that no change speaks of: Terraform makes the one from the other."""
    changes = [*(file.resource_changes or ()), *(d.resource_change for d in file.deferred_changes or () if d.resource_change)]
    known = {r.address for r in changes}
    return [address for address in _planned(file) if address not in known]


def _values(name: str, raw: msgspec.Raw) -> _StateValues:
    try:
        return msgspec.json.decode(raw, type=_StateValues)
    except (msgspec.DecodeError, RecursionError) as e:
        raise InputError(f"{name}: not a state that Terraform writes: {e}") from e


def _resources(values: _StateValues) -> Iterator[tuple[_StateResource, str]]:
    """Every object with the address of its module."""
    queue = deque([values.root_module])
    while queue:
        module = queue.popleft()
        for r in module.resources:
            yield r, module.address
        queue.extend(module.child_modules)


def _state(name: str, file: _PlanFile, notices: tuple[str, ...]) -> Plan:
    if b'"root_module"' not in bytes(file.values):
        raise InputError(f"{name}: not a state that Terraform writes: values without root_module", "Run: terraform show -json")
    resources: list[Resource] = []
    dependencies: dict[str, tuple[str, ...]] = {}
    for r, module in _resources(_values(name, file.values)):
        change = Change(("no-op",), r.values, r.values, EMPTY, r.sensitive_values, r.sensitive_values)
        names = (r.address, r.type, r.name, r.mode, r.provider_name)
        resources.append(Resource(*names, change, r.index, module, deposed=r.deposed_key))
        if r.depends_on:
            dependencies[r.address] = r.depends_on
    return Plan(
        name, "state", resources, file.terraform_version, file.format_version, notices=notices, dependencies=dependencies
    )
