# Two commands do all the set-up: `make matrix` and `make test`. Both install the pinned environment into .venv.
PYTHON ?= python3
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
BIN := .venv/bin

.PHONY: matrix test lint bench durations clean

matrix: .venv/installed
	$(BIN)/tasnet matrix --profile matrix -n $(JOBS)
	$(BIN)/tasnet matrix --profile probes -n $(JOBS)

test: .venv/installed
	$(BIN)/python -m pytest -n $(JOBS)

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed
	$(BIN)/python -m benchmarks

# How long each test takes, by which CI shards them: run alone, and commit what changed.
durations: .venv/installed
	$(BIN)/python -m pytest -n $(JOBS) --store-durations --clean-durations
	$(BIN)/python -m benchmarks.durations .test_durations

.venv/installed: requirements.lock requirements-oracles.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-oracles.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

clean:
	rm -rf .venv .tasnet
