"""Every rule's own cases (`tests/rules/*.yaml`), through the same code as `auditor test`."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.catalog import Catalog
from auditor.cli.common import known_rules
from auditor.policytest import Case, read_cases, run_case

CATALOG, RULES = Catalog(), known_rules()
CASES = read_cases(Path(__file__).parent / "rules")


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{Path(c.where.rpartition(':')[0]).stem}: {c.name}")
def test_case(case: Case) -> None:
    assert run_case(case, CATALOG, RULES).problems == ()
