"""Functions that read files: inside the root module's folder only, and inside bounds."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import InputError
from auditor.load.hcl.encoding_functions import HASHES
from auditor.load.hcl.expressions import parse_template
from auditor.load.hcl.instances import Env
from auditor.load.hcl.values import EvalError, Sensitive, Set, unmark
from auditor.model import UNKNOWN
from auditor.syntax import Call, Literal, Source, Template

if TYPE_CHECKING:
    from auditor.load.hcl.evaluate import Evaluator

MAX_FILE: Final = 1_000_000  # bytes

def _place(path: Any) -> tuple[str, str] | None:
    """(folder, name) below the root module; None for anything else."""
    if not isinstance(path, str) or path.startswith(("/", "~")):
        return None
    folder, name = posixpath.split(posixpath.normpath(path.replace("\\", "/")))
    return None if folder.startswith("..") or name == ".." else (folder, name)


def _bytes_of(ev: Evaluator, path: Any) -> bytes | None:
    place = _place(path)
    data = ev.folders.extra(*place) if place is not None and ev.folders is not None else None
    return None if data is None or len(data) > MAX_FILE else data


def _text_of(ev: Evaluator, path: Any) -> str | None:
    data = _bytes_of(ev, path)
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def file_(ev: Evaluator, e: Call, env: Env) -> Any:
    """`file` and those that say something about a file: its hash, base64, whether it is there."""
    if len(e.args) != 1:
        raise EvalError(f"{e.name} takes a path")
    path, hidden = unmark(ev.eval(e.args[0], env), ev.budget)
    data = _bytes_of(ev, path)
    made: Any = UNKNOWN
    name = e.name.removeprefix("core::")
    if data is not None:
        try:
            made = _OF_BYTES[name](data)
        except UnicodeDecodeError:
            made = UNKNOWN
    return Sensitive(made) if hidden else made


_OF_BYTES: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "file": lambda data: data.decode("utf-8"), "filebase64": lambda data: base64.b64encode(data).decode(),
    "fileexists": lambda data: True, **{f"file{name}": digest for name, digest in HASHES.items()},
}  # fmt: skip


def fileset_(ev: Evaluator, e: Call, env: Env) -> Any:
    """Files below a folder whose path matches a pattern."""
    if len(e.args) != 2:
        raise EvalError("fileset takes a folder and a pattern")
    (folder, a), (pattern, b) = (unmark(ev.eval(x, env), ev.budget) for x in e.args)
    place = _place(folder)
    made: Any = UNKNOWN
    if place is not None and isinstance(pattern, str) and ev.folders is not None:
        compiled = _glob(pattern)
        names = ev.folders.below(posixpath.normpath(posixpath.join(*place)))
        if compiled is not None and names is not None:
            made = Set(sorted(n for n in names if compiled.fullmatch(n)))
    return Sensitive(made) if a or b else made


_GLOB: Final = re.compile(r"(\*\*/)|(\*\*$)|(\*+)|(\?)|(\{[^{}/]*\})|([\w ./@+=,~#%-])")


def _glob(pattern: str) -> re.Pattern[str] | None:
    """A pattern of `fileset`; None for what is not sure to mean the same here."""
    at, made = 0, ""
    pattern = posixpath.normpath(pattern)
    if ".." in pattern.split("/"):
        return None
    while at < len(pattern):
        m = _GLOB.match(pattern, at)
        if m is None or len(pattern) > 200 or (m.group(1) and at and pattern[at - 1] != "/"):
            return None
        at = m.end()
        kind = m.lastindex or 0
        word = m.group()
        if kind == 3 and word != "*":
            return None
        if kind == 5:
            options = [o.replace("*", "\0") for o in word[1:-1].split(",")]
            word = "(?:" + "|".join(re.escape(o).replace("\0", "[^/]*").replace("\\\0", "[^/]*") for o in options) + ")"
        made += {1: "(?:[^/]+/)*", 2: "(?:[^/]+/)*[^/]+", 3: "[^/]*", 4: "[^/]", 5: word}.get(kind, re.escape(word))
    return re.compile(made)


def templatefile_(ev: Evaluator, e: Call, env: Env) -> Any:
    if len(e.args) != 2:
        raise EvalError("templatefile takes a path and variables")
    path = unmark(ev.eval(e.args[0], env), ev.budget)[0]
    names = ev.eval(e.args[1], env)
    text = _text_of(ev, path)
    if text is None or not isinstance(names, dict):
        return UNKNOWN
    return _rendered(ev, text, str(path), names)


def templatestring_(ev: Evaluator, e: Call, env: Env) -> Any:
    if len(e.args) != 2:
        raise EvalError("templatestring takes a template and variables")
    text, names = ev.eval(e.args[0], env), ev.eval(e.args[1], env)
    if not isinstance(text, str) or not isinstance(names, dict):
        return UNKNOWN
    return _rendered(ev, text, "template", names)


def _rendered(ev: Evaluator, text: str, path: str, names: Mapping[str, Any]) -> Any:
    try:
        made = parse_template(text, Source(path, text.encode()), 0)
    except InputError as e:
        raise EvalError(e.message) from None
    whole = made if isinstance(made, (Template, Literal)) else Template((made,))
    return ev.eval(whole, Env(None, names=names))


FILE_FUNCTIONS: Final[Mapping[str, Callable[[Evaluator, Call, Env], Any]]] = {
    **dict.fromkeys(_OF_BYTES, file_), "fileset": fileset_, "templatefile": templatefile_, "templatestring": templatestring_,
}
