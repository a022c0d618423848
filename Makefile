# Two commands do all the set-up: `make matrix` and `make test`. Both install the pinned environment into .venv.
PYTHON ?= python3
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: matrix picture test collect lint ruff types arrows ledger docs bench durations clean

matrix: .venv/installed
	$(BIN)/tasnet matrix --profile matrix -n $(JOBS)
	$(BIN)/tasnet matrix --profile probes -n $(JOBS)
	$(BIN)/tasnet matrix --profile trained -n $(JOBS)
	$(BIN)/tasnet matrix --profile plans -n $(JOBS)

# What the README shows, in light and in dark: what the notes compiled, and below it what keeps the trained function.
picture: .venv/installed
	$(BIN)/tasnet matrix --profile matrix -n $(JOBS)
	$(BIN)/tasnet matrix --profile trained -n $(JOBS)
	$(BIN)/tasnet report --run last~1 --run last --picture docs/report.png
	$(BIN)/tasnet report --run last~1 --run last --picture docs/report-dark.png --dark

test: .venv/installed .venv/beside/installed
	$(BIN)/python -m pytest -n $(JOBS)

# Whether every test can be collected, told before any is run. What they import is compiled then, and by one process.
collect: .venv/installed .venv/beside/installed
	$(BIN)/python -m pytest --collect-only -qq

# What a commit must pass before any test: the hooks of .pre-commit-config.yaml run the same targets.
lint: ruff types arrows ledger

ruff: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

arrows: .venv/installed
	$(BIN)/lint-imports

ledger: .venv/installed
	$(BIN)/tasnet ledger check

# Pages from the docstrings, build/docs/index.html; docs/README.md says which of them to read.
docs: .venv/installed
	$(BIN)/python -m pdoc --docformat markdown --no-show-source tasnet -o build/docs

bench: .venv/installed
	$(BIN)/python -m benchmarks

# How long each test takes, by which CI shards them: run alone, and commit what changed.
durations: .venv/installed
	$(BIN)/python -m pytest -n $(JOBS) --store-durations --clean-durations
	$(BIN)/python -m benchmarks.durations .test_durations

# `uv sync` makes the same environment of the same pins. The pip that comes with Python may be too old for groups.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) 'pip>=25.1'
	$(PIP) --group dev
	$(PIP) --no-deps --group oracles
	$(PIP) --no-deps --editable .
	touch $@

# Other pytest plugins, for the tests that hold tasnet beside them.
.venv/beside/installed: tests/suite/plugin/beside.txt .venv/installed
	$(PIP) --no-deps --upgrade --target .venv/beside -r $<
	touch $@

clean:
	rm -rf .venv .tasnet
