"""Many address patterns at once: the same answer as one by one, without asking each of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import identity
from auditor.identity import Patterns, compile_pattern, covers

SEGMENTS = st.sampled_from(["module.a", "module.ab", "aws_s3_bucket.logs", "aws_s3_bucket.l", "t.n"])
KEYS = st.sampled_from(["", "[0]", "[1]", '["x.y"]', '["a*"]', '["[0]"]'])
ADDRESSES = st.lists(st.tuples(SEGMENTS, KEYS).map("".join), min_size=1, max_size=3).map(".".join)
WILD = st.sampled_from(["*", "?", "", "[*]", "module.*", ".*"])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """An address with a piece of it replaced by a wildcard, or left as it is."""
    text = draw(ADDRESSES)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    return text[:start] + draw(WILD) + text[end:] if draw(st.booleans()) else text


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.lists(patterns(), max_size=12), st.lists(ADDRESSES, min_size=1, max_size=6))
def test_index_agrees_with_each_pattern(texts: list[str], addresses: list[str]) -> None:
    index = Patterns(texts)
    for address in addresses:
        assert index.covering(address) == tuple(i for i, t in enumerate(texts) if covers(compile_pattern(t), address))


def test_patterns_elsewhere_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of waivers cost what those do that may be meant: no finding is held against every one of them."""
    asked: list[str] = []

    def counted(text: str) -> Any:
        asked.append(text)
        return compile_pattern(text)

    monkeypatch.setattr(identity, "compile_pattern", counted)
    index = Patterns([*(f"module.m{i}.t.n" for i in range(1000)), *(f"module.m{i}[*].t.*" for i in range(1000)), "module.m7.*"])
    assert index.covering('module.m7["x"].t.n') == (7, 1007, 2000)
    assert len(asked) < 10
