"""Which commit a work tree stands at, read from git's own files: no git needed, nothing run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from auditor.report import Revision

MAX_FILE: Final = 1 << 20
_SCHEMES: Final = {"https", "http", "ssh", "git"}
_SECTION: Final = re.compile(r'\s*\[\s*(\w+)\s*(?:"([^"]*)")?\s*\]')
_URL: Final = re.compile(r"\s*url\s*=\s*(\S+)\s*$")
_SCP: Final = re.compile(r"(?:[^@/:\s]+@)?([^@/:\s]{2,}):(?!/)(\S+)")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def revision(root: Path) -> Revision | None:
    """The commit checked out in `root` and where the repository lives; None where it names no address.

    A path on this machine is no address, and what stands before the `@` of one is never told.
    """
    own = _git_dir(root)
    if own is None:
        return None
    shared = own / _text(own / "commondir").strip() if _text(own / "commondir") else own
    address = _address(_remote(_text(shared / "config")))
    return Revision(address, _commit(own, shared)) if address else None


def _git_dir(root: Path) -> Path | None:
    """`.git`, or where the file of that name points to (work trees, submodules)."""
    git = root / ".git"
    if git.is_dir():
        return git
    word, _, path = _text(git).strip().partition(": ")
    return root / path if word == "gitdir" and path else None


def _text(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > MAX_FILE:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not at hand: the report does without
        return ""


def _remote(config: str) -> str:
    """The address of the remote `origin`, else of the first one."""
    found: dict[str, str] = {}
    name: str | None = None
    for line in config.splitlines():
        if head := _SECTION.match(line):
            name = head.group(2) if head.group(1).lower() == "remote" else None
        elif name is not None and (url := _URL.match(line)):
            found.setdefault(name, url.group(1))
    return found.get("origin") or next(iter(found.values()), "")


def _address(url: str) -> str:
    """An absolute URI without user, password, query and fragment; "" for a path."""
    if (scp := _SCP.fullmatch(url)) and "://" not in url:
        url = f"ssh://{scp.group(1)}/{scp.group(2)}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}{port}{parts.path}" if parts.scheme in _SCHEMES and host else ""


def _commit(own: Path, shared: Path) -> str:
    head = _text(own / "HEAD").strip()
    if head.startswith("ref: "):
        ref = head[5:].strip()
        if ".." in ref or ref.startswith("/"):
            return ""
        head = _text(own / ref).strip() or _text(shared / ref).strip() or _packed(_text(shared / "packed-refs"), ref)
    return head if _COMMIT.fullmatch(head) else ""


def _packed(refs: str, wanted: str) -> str:
    for line in refs.splitlines():
        commit, _, ref = line.partition(" ")
        if ref == wanted:
            return commit
    return ""
