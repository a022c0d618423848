# Two commands do all the set-up: `make matrix` and `make test`. Both install the pinned environment into .venv.
PYTHON ?= python3
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
BIN := .venv/bin

.PHONY: matrix picture test lint bench clean

matrix: .venv/installed
	$(BIN)/tasnet matrix --profile matrix -n $(JOBS)
	$(BIN)/tasnet matrix --profile probes -n $(JOBS)

# What the README shows: the report of the default matrix, in light and in dark.
picture: .venv/installed
	$(BIN)/tasnet matrix --profile matrix -n $(JOBS)
	$(BIN)/tasnet report --last 1 --picture docs/report.png
	$(BIN)/tasnet report --last 1 --picture docs/report-dark.png --dark

test: .venv/installed
	$(BIN)/python -m pytest -n $(JOBS)

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed
	$(BIN)/python -m benchmarks

.venv/installed: requirements.lock requirements-oracles.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-oracles.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

clean:
	rm -rf .venv .tasnet
