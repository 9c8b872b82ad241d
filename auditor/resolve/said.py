"""What a job's resources say on the questions of the tables: yes, no, or not known before apply, and where.

The questions are labels of `jobs.yaml` (`said`), so a rule asks for `spot` or `grouped` and never for a type or
attribute. Combinations that a cloud's API refuses are rows too (`refused`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from auditor.jobfacts import BLOCK, Refusal, both, condition
from auditor.model import UNKNOWN, Refused, Said, strip_keys
from auditor.resolve.attachments import Attachments
from auditor.resolve.members import Member, Reader

YES, NO = Said(True), Said(False)


def answers(reader: Reader, chain: Sequence[Member], roots: Mapping[str, str], lost: str) -> dict[str, Said]:
    """Label -> answer of one sizing resource with its templates and parts.

    roots: address -> attribute of the sizing resource that led there. lost: why a template could not be read; what
    nobody affirms is then not known.
    """
    found: dict[str, Said] = {}
    for m in chain:
        row = m.row
        for label, texts in ({"spot": row.spot, "block": row.block, "reservation": row.reservation} | row.said).items():
            for text in texts:
                said = _answer(reader, m, text, roots)
                held = found.get(label)
                if held is None or _rank(said) > _rank(held):
                    found[label] = said
    if lost:
        found = {k: Said(None, v.path, cause=lost) if v.verdict is False else v for k, v in found.items()}
    return found


def together(parts: Iterable[Mapping[str, Said]]) -> dict[str, Said]:
    """The answers of several groups: yes where one says yes, no where all say no."""
    found: dict[str, Said] = {}
    for part in parts:
        for label, said in part.items():
            held = found.get(label)
            if held is None or _rank(said) > _rank(held):
                found[label] = said
    return found


def _rank(said: Said) -> int:
    return {True: 2, None: 1, False: 0}[said.verdict]


def _answer(reader: Reader, m: Member, text: str, roots: Mapping[str, str]) -> Said:
    verdict = reader.holds(m, text)
    path, seen = where(reader, m, text, verdict)
    root = roots.get(m.resource.address)
    cause = f"{m.block}: {path} is known only after apply" if verdict is None else ""
    if root is None:
        return Said(verdict, strip_keys(m.at + path), seen, m.block, cause)
    return Said(verdict, strip_keys(root), f"{m.block}: {seen or path}", m.block, cause)


def where(reader: Reader, m: Member, text: str, verdict: bool | None = True) -> tuple[str, str]:
    """The attribute a condition is about, and what it holds; the last part of a conjunction tells most."""
    parts = both(text)
    block = BLOCK.fullmatch(parts[-1])
    if block is not None:
        return block[1], block[2].replace(" & ", ", ").replace("|null", "")
    c = condition(parts[-1])
    path = ".".join(c.path)
    if c.op in ("set", "unset", "absent", "same", "refers"):
        is_set = (verdict is not False) != (c.op in ("unset", "absent"))
        return path, f"{path} {'set' if is_set else 'not set'}"
    values = [v.value for v in reader.values(m, c.path) if v.value is not UNKNOWN]
    plain = [str(v).lower() if isinstance(v, bool) else str(v) for v in values if isinstance(v, (str, int, float))]
    return path, f"{path} = {plain[0]}" if plain else path


def refusals(
    reader: Reader, chain: Sequence[Member], roots: Mapping[str, str], said: Mapping[str, Said], types: Sequence[str],
    attachments: Attachments,
) -> list[tuple[Refusal, Refused]]:
    """What the API would refuse about one sizing resource, before its size and zones are counted."""
    found: list[tuple[Refusal, Refused]] = []
    for m in chain:
        for row in m.row.refused:
            if row.types and not any(re.search(row.types, t) for t in types):
                continue
            if row.except_types and any(re.search(row.except_types, t) for t in types):
                continue
            verdicts = [_held(reader, m, text, said, attachments) for text in row.when]
            if False in verdicts:
                continue
            verdict: bool | None = None if None in verdicts else True
            root = roots.get(m.resource.address)
            plain = [t for t in row.when if t[0] not in "!@+"]
            seen = "; ".join(s for t in plain for _, s in [where(reader, m, t)] if s)
            if not seen:
                seen = "; ".join(s.seen for t in row.when if (s := said.get(t.lstrip("!@"))) is not None and s.seen)
            first = said.get(row.when[0].lstrip("!@")) if row.when and "@" in row.when[0] else None
            path = root if root is not None else row.path or (first.path if first is not None else "")
            prefix = f"{m.block}: " if root is not None else ""
            cause = ""
            if verdict is None:
                cause = f"{m.block}: {row.path or path} is known only after apply"
            found.append((row, Refused(row.rule, verdict, strip_keys(path), prefix + seen, row.because, row.want, cause)))
    return found


def _held(
    reader: Reader, m: Member, text: str, said: Mapping[str, Said], attachments: Attachments
) -> bool | None:
    """A condition of this resource, something attached to it, or the answer the whole job gives to a label."""
    if text.startswith("+"):
        return any(x.resource.type in text[1:].split("|") for x in attachments.of(m.resource))
    if "@" not in text[:2]:
        return reader.holds(m, text)
    verdict = said.get(text.lstrip("!@"), NO).verdict
    return verdict if verdict is None or text[0] == "@" else not verdict


def counted(row: Refusal, refused: Refused, nodes: int | None, zones: int | None) -> Refused | None:
    """The refusal with size and zones taken into account; None where it does not come to that."""
    over = [(nodes, row.nodes_over, "number of nodes"), (zones, row.zones_over, "number of zones")]
    for number, limit, name in over:
        if not limit:
            continue
        if number is None:
            return Refused(
                refused.rule, None, refused.path, refused.seen, refused.because, refused.want, f"the {name} is not known"
            )
        if number <= limit:
            return None
    return refused
