"""Version arithmetic, case by case as Terraform decides it."""

from __future__ import annotations

import pytest

from auditor.versions import admits, has_upper_bound, parse_constraint, parse_version


def holds(constraint: str, version: str) -> bool:
    terms, parsed = parse_constraint(constraint), parse_version(version)
    assert terms is not None
    assert parsed is not None
    return admits(terms, parsed)


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        ("6.0.0", ["6.0.0"], ["6.0.1", "5.9.9", "6.0.0-beta1"]),
        ("= 6.0", ["6.0.0"], ["6.1.0"]),
        ("!= 6.0.0", ["6.0.1", "5.0.0"], ["6.0.0"]),
        ("> 6.0", ["6.0.1", "7.0.0"], ["6.0.0"]),
        (">= 6.0", ["6.0.0", "9.0.0"], ["5.100.0", "6.0.0-rc1"]),
        ("< 6.0", ["5.100.0"], ["6.0.0", "6.0.0-beta1"]),
        ("<= 6.0", ["6.0.0"], ["6.0.1"]),
        ("~> 6.2", ["6.2.0", "6.99.0"], ["6.1.9", "7.0.0"]),
        ("~> 6.2.3", ["6.2.3", "6.2.99"], ["6.2.2", "6.3.0"]),
        ("~> 6", ["6.0.0", "6.99.9"], ["7.0.0", "5.9.9"]),
        ("~> 6.2.0", ["6.2.0", "6.2.9"], ["6.3.0"]),
        (">= 5.0, < 6.0, != 5.50.0", ["5.0.0", "5.99.0"], ["5.50.0", "6.0.0"]),
        (">=5.0,<6.0", ["5.1.0"], ["6.0.0"]),
        ("6.0.0-beta2", ["6.0.0-beta2"], ["6.0.0-beta1", "6.0.0"]),
        (">= 6.0.0-beta1", ["6.0.0"], ["6.0.0-beta1", "6.0.0-beta2"]),
        ("~> 6.0.0-beta1", ["6.0.0"], ["6.0.0-beta1"]),
        ("", ["0.0.1", "9.9.9"], ["9.9.9-rc1"]),
    ],
)
def test_constraint(constraint: str, inside: list[str], outside: list[str]) -> None:
    assert [v for v in inside if not holds(constraint, v)] == []
    assert [v for v in outside if holds(constraint, v)] == []


def test_order() -> None:
    texts = ["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
             "1.0.1", "1.2.0", "1.10.0", "10.0.0"]  # fmt: skip
    parsed = [parse_version(t) for t in texts]
    assert all(parsed)
    assert sorted(parsed, key=lambda v: v) == parsed  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "1.x", "1..2", "-1", "1.2.3-", "~> 1", "١.٢"])
def test_no_version(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize("text", ["=< 1.0", ">> 1.0", ">= 1.0 < 2.0", "^1.0", ">= ", ",", ">= 1.0,", "latest"])
def test_malformed_constraint(text: str) -> None:
    assert parse_constraint(text) is None


def test_metadata_does_not_count() -> None:
    assert parse_version("1.2.3+abc") == parse_version("v1.2.3")
    assert str(parse_version("1.2.3-rc.1+abc")) == "1.2.3-rc.1"


@pytest.mark.parametrize(
    ("text", "bounded"),
    [("", False), (">= 1.0", False), ("> 1, != 2", False), ("~> 1.0", True), ("1.0", True), (">= 1, < 2", True)],
)
def test_upper_bound(text: str, bounded: bool) -> None:
    terms = parse_constraint(text)
    assert terms is not None
    assert has_upper_bound(terms) is bounded
