"""Waivers in comments of Terraform source: `# auditor:ignore SOV001 reason="..." until=2027-01-31`.

A comment counts for what stands directly below it, or before it on its line: a resource block (all of it), a module call
(all that the module makes), a nested block or an attribute (what points there). Comments of downloaded modules count for
nothing: who writes them is not who owns the policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

import msgspec

from auditor.errors import PolicyError
from auditor.identity import Waiver
from auditor.model import Rule
from auditor.spelling import suggest
from auditor.syntax import Attribute, Block, Body, Comment, File, Module, Source, SourceTree
from auditor.vetting import known_rule, waiver_problem

_MARK: Final = re.compile(r"auditor:ignore\b(.*)", re.DOTALL)
_PART: Final = re.compile(r"""\s*(?:(reason|until|owner)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+))|([\w-]+)\s*,?)""")
_FORM: Final = '# auditor:ignore SOV001 reason="why" until=2027-01-31'


class _Target(msgspec.Struct, frozen=True):
    """What a comment may stand at: its first line, the last line of its header, the lines it holds, its address."""

    first: int
    header: int
    last: int
    address: str
    narrow: bool  # matched by where a finding points, not by address


def inline_waivers(tree: SourceTree, rules: Mapping[str, Rule], as_of: str) -> list[Waiver]:
    """Every waiver written in the user's own modules. Raises PolicyError with file and line for a malformed one."""
    found: dict[tuple[str, int, str, str], Waiver] = {}
    for module in tree.root.walk():
        if not module.own:
            continue
        for file in module.files:
            if not any("auditor:ignore" in c.text for c in file.comments):
                continue
            targets = sorted(_targets(module, file), key=lambda t: (t.first, -t.last))
            for comment in file.comments:
                for waiver in _read(comment, file, targets, rules, as_of):
                    found[(waiver.file, waiver.line, waiver.rule, waiver.address)] = waiver
    return list(found.values())


def _targets(module: Module, file: File) -> Iterator[_Target]:
    prefix = f"{module.path}." if module.path else ""
    for block in file.body.blocks:
        name = ".".join(block.labels)
        address = {
            "resource": f"{prefix}{name}", "data": f"{prefix}data.{name}", "module": f"{prefix}module.{name}.*"
        }.get(block.type, "*")  # fmt: skip
        yield _block(block, address, address == "*")
        yield from _inner(block.body)


def _inner(body: Body) -> Iterator[_Target]:
    for attribute in body.attributes.values():
        yield _attribute(attribute)
    for block in body.blocks:
        yield _block(block, "*", True)
        yield from _inner(block.body)


def _line(source: Source, offset: int) -> int:
    return source.position(offset)[0]


def _block(block: Block, address: str, narrow: bool) -> _Target:
    at = block.source
    return _Target(_line(at, block.start), _line(at, block.header_end), _line(at, block.end), address, narrow)


def _attribute(a: Attribute) -> _Target:
    first, last = _line(a.source, a.start), _line(a.source, max(a.end - 1, a.start))
    return _Target(first, last, last, "*", True)


def _read(
    comment: Comment, file: File, targets: list[_Target], rules: Mapping[str, Rule], as_of: str
) -> Iterator[Waiver]:
    text = comment.text.removesuffix("*/") if comment.text.startswith("/*") else comment.text
    m = _MARK.search(text)
    if m is None or not re.fullmatch(r"[\s#/*]*", text[: m.start()]):
        return
    source = file.source
    line = _line(source, comment.start)
    where = f"{source.path}:{line}"
    names, given = _parts(m.group(1), where)
    for key in ("reason", "until"):
        if not given.get(key, "").strip():
            raise PolicyError(f"{where}: this waiver has no {key}", f"Write: {_FORM}")
    try:
        date.fromisoformat(given["until"])
    except ValueError:
        raise PolicyError(f"{where}: until={given['until']} is not a date", f"Write: {_FORM}") from None
    target = _below(comment, file, targets, line)
    for name in names:
        rule_id = known_rule(name, rules)
        if not rule_id:
            raise PolicyError(f'{where}: unknown rule "{name}"{suggest(name, rules)}', "`auditor rules` lists them.")
        rule = rules[rule_id]
        if problem := waiver_problem(rule, given["until"], as_of):
            raise PolicyError(f"{where}: {problem}")
        address = target.address if target is not None else "(nothing)"
        lines = (target.first, target.last) if target is not None and target.narrow else (0, 0)
        yield Waiver(
            rule.id, address, given["reason"], given["until"], owner=given.get("owner", ""), file=source.path, line=line,
            lines=lines,
        )  # fmt: skip


def _parts(text: str, where: str) -> tuple[list[str], dict[str, str]]:
    """Rule names and named values of a waiver, in any order."""
    names: list[str] = []
    given: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        m = _PART.match(text, at)
        if m is None:
            raise PolicyError(f"{where}: this waiver cannot be read from `{text[at:].strip()[:30]}` on", f"Write: {_FORM}")
        if m.group(1):
            quoted = m.group(2)
            given[m.group(1)] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else m.group(3) or m.group(4) or ""
        else:
            names.append(m.group(5))
        at = m.end()
    if not names:
        raise PolicyError(f"{where}: this waiver names no rule", f"Write: {_FORM}")
    return names, given


def _below(comment: Comment, file: File, targets: list[_Target], line: int) -> _Target | None:
    """What the comment stands at: what ends or opens on its line before it, else what begins on the next line of code."""
    source = file.source
    begin = source.data.rfind(b"\n", 0, comment.start) + 1
    if source.data[begin : comment.start].strip(b"\xef\xbb\xbf \t\r"):
        same = [t for t in targets if t.header == line or t.first == line]
        return max(same, key=lambda t: t.first, default=None) if same else None
    last = _line(source, max(comment.end - 1, comment.start))
    skipped = {n for c in file.comments for n in range(_line(source, c.start), _line(source, max(c.end - 1, c.start)) + 1)}
    following = [t for t in targets if t.first > last]
    if not following:
        return None
    target = following[0]
    gap = range(last + 1, target.first)
    return target if all(n in skipped for n in gap) else None
