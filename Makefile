# Thin: each target is enough by itself in a fresh clone with Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test lint catalog fuzz bench bench-hcl fail-closed sbom
$(BIN)/auditor:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'

demo: $(BIN)/auditor
	cd examples/rogue-gpu && $(abspath $(BIN))/auditor check plan.json --hcl-dir . --as-of 2026-11-20 || test $$? -eq 1

test: $(BIN)/auditor
	$(BIN)/python -m pytest

lint: $(BIN)/auditor
	$(BIN)/ruff check .
	$(BIN)/mypy --strict -p auditor

catalog: $(BIN)/auditor
	$(BIN)/python scripts/build_catalog.py

fuzz: $(BIN)/auditor
	AUDITOR_FUZZ=$(or $(N),3000) $(BIN)/python -m pytest tests/test_mutations.py
	$(BIN)/python scripts/fuzz_values.py --seconds $(or $(SECONDS),60)
	$(BIN)/pip install -q --disable-pip-version-check atheris
	$(BIN)/python scripts/fuzz.py --seconds $(or $(SECONDS),60)

bench: $(BIN)/auditor
	$(BIN)/python scripts/bench.py --out docs/benchmarks.md $(BENCH)

bench-hcl: $(BIN)/auditor
	$(BIN)/python scripts/bench_hcl.py --out docs/benchmarks-hcl.md $(BENCH)

fail-closed: $(BIN)/auditor
	$(BIN)/python scripts/fail_closed.py $(PEERS)

sbom: $(BIN)/auditor
	$(BIN)/python scripts/sbom.py > sbom.json
