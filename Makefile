# The README's commands. PYTHON may name another interpreter: make demo PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --constraint .ci/constraints.txt

.PHONY: demo test chaos long fuzz bench lint format clean

demo: .venv/demo
	$(BIN)/imaging-pipeline demo

# Hundreds of processes import what is compiled once, also where Python is told to keep nothing of it.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev
	$(BIN)/python -m pytest --numprocesses=3

# Four workers and 60 folders for some ten minutes; make chaos SEED=… does again what one run printed.
chaos: .venv/dev
	$(BIN)/python -m pytest tests/database/test_chaos.py --capture=no --chaos $(if $(SEED),--chaos-seed=$(SEED))

# 100 sequences of what people do to a folder, 50 on each database; make long SEED=… does again what one run printed.
long: SEED := $(or $(SEED),$(shell $(PYTHON) -c "import secrets; print(secrets.randbits(31))"))
long: .venv/dev
	$(BIN)/python -m pytest tests/database/test_walks.py --numprocesses=3 --walks 50 --walk-seed $(SEED)

# Damaged and hostile files for all readers, and folders that were changed as people, copying and crashes change
# them; make fuzz SEED=… makes the inputs again that one run was about.
fuzz: .venv/dev
	$(BIN)/python -m tests.altered --cases 2800 $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.fuzz --inputs 100000 $(if $(SEED),--seed $(SEED))

# One table, printed and put into docs/performance.md.
bench: .venv/bench
	$(BIN)/python -m benchmarks --write-docs

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# torch comes first and alone: pip would otherwise choose a build with gigabytes of CUDA.
.venv/torch: .ci/constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) torch
	touch $@

.venv/demo: .venv/torch pyproject.toml
	$(PIP) --editable '.[demo]'
	touch $@

.venv/dev: .venv/torch pyproject.toml
	$(PIP) --editable '.[demo,dev]'
	touch .venv/demo $@

.venv/bench: .venv/dev
	$(PIP) --editable '.[demo,dev,bench]'
	touch $@
