"""Functions that read files: inside the root module's folder only, and inside bounds."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import InputError
from auditor.load.hcl.expressions import parse_template
from auditor.load.hcl.instances import Env
from auditor.load.hcl.text_functions import TEXT_FUNCTIONS
from auditor.load.hcl.values import EvalError, Sensitive, unmark
from auditor.model import UNKNOWN
from auditor.syntax import Call, Literal, Source, Template

if TYPE_CHECKING:
    from auditor.load.hcl.evaluate import Evaluator


def _text_of(ev: Evaluator, path: Any) -> str | None:
    if not isinstance(path, str) or ev.folders is None or path.startswith(("/", "~")):
        return None
    folder, name = posixpath.split(posixpath.normpath(path.replace("\\", "/")))
    data = None if folder.startswith("..") or name == ".." else ev.folders.extra(folder, name)
    if data is None or len(data) > 1_000_000:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def file_(ev: Evaluator, e: Call, env: Env) -> Any:
    path, hidden = unmark(ev.eval(e.args[0], env) if e.args else UNKNOWN, ev.budget)
    text = _text_of(ev, path)
    made: Any = UNKNOWN
    if text is not None:
        made = TEXT_FUNCTIONS["base64encode"](text) if e.name == "filebase64" else True if e.name == "fileexists" else text
    return Sensitive(made) if hidden else made


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
    "file": file_, "filebase64": file_, "fileexists": file_, "templatefile": templatefile_, "templatestring": templatestring_,
}
