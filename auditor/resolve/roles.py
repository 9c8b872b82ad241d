"""What a job is for: training, inference, or not said. The first kind of evidence that speaks decides."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from auditor.model import JobRole

TRAINING: Final = frozenset({"train", "training", "trainer", "pretrain", "finetune", "sft", "rlhf"})
INFERENCE: Final = frozenset({"infer", "inference", "serve", "serving", "endpoint", "predict"})
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
LABELS: Final = ("workload", "role")


def words(text: str) -> set[str]:
    """Whole words of a name: split at anything that is no letter and at camelCase; `pre-train` reads as pretrain too."""
    found = [w.lower() for w in _WORD.findall(text)]
    joined = {a + b for a, b in itertools.pairwise(found)}
    return set(found) | (joined & (TRAINING | INFERENCE))


@lru_cache(maxsize=4096)
def heard(text: str) -> frozenset[str]:
    """The words of a name that speak for a role."""
    return frozenset(words(text) & (TRAINING | INFERENCE))


def by_words(texts: Iterable[str]) -> JobRole | None:
    """The role that names speak for; None where they say nothing, unknown where they contradict each other."""
    found = {w for t in texts for w in heard(t)}
    training, inference = bool(found & TRAINING), bool(found & INFERENCE)
    if training and inference:
        return "unknown"
    return "training" if training else "inference" if inference else None


def spoken(texts: Iterable[str]) -> str:
    """The words that spoke, for the reason."""
    return ", ".join(sorted({w for t in texts for w in heard(t)}))
