"""How many cards of a fabric a node's interfaces switch on, and whether two claim the same card."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.jobfacts import segments
from auditor.model import UNKNOWN, Cards
from auditor.resolve.members import Member, Reader


def count_cards(reader: Reader, chain: Sequence[Member]) -> Cards | None:
    """None where no resource of the job has fabric interfaces to count."""
    asked = [m for m in chain if m.row.cards is not None]
    if not asked:
        return None
    indexes: list[int] = []
    sure, more, cause = 0, False, ""
    for m in asked:
        spec = m.row.cards
        if spec is None:
            continue
        for entry in reader.entries(m, segments(spec.path)) if spec.path else [m]:
            kinds = [v.value for v in reader.values(entry, spec.kind)] if entry is not None else [UNKNOWN]
            if UNKNOWN in kinds:
                more, cause = True, f"{m.block}: {spec.path or spec.kind} is known only after apply"
            elif entry is not None and any(k in spec.values for k in kinds):
                sure += 1
                indexes += _index(reader, entry, spec.index, spec.index_absent)
    twice = tuple(sorted({i for i in indexes if indexes.count(i) > 1}))
    return Cards(sure, more, twice, cause)


def _index(reader: Reader, entry: Member, path: str, absent: int | None) -> list[int]:
    values = [v.value for v in reader.values(entry, path)] if path else []
    if not values:
        return [] if absent is None else [absent]
    return [int(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
