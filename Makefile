# Everything a contributor types. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
SEED ?= 42
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

# Each process would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup browser demo test check bench soak lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from the locks (again only when they change)

# The locks are complete, so pip resolves nothing: no dependencies, no build isolation, only what the hashes name.
# pip would compile on one core; a file that cannot be compiled is one that nobody imports.
$(READY): requirements/dev.txt pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "leadflow needs Python 3.11 or newer"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@echo "installing what the locks name into .venv, about a minute"
	@$(PIP) --no-compile --require-hashes -r requirements/dev.txt
	@$(PIP) --no-build-isolation -e .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib leadflow flows || true
	@touch $@

browser: ## a Chromium for the tests that look at pages
	@tools/browser.sh

demo: setup ## 21 nights on 300 sample leads, about a minute (SEED=42)
	$(BIN)/leadflow demo --workspace demo-workspace --seed $(SEED)

test: setup browser ## every test, on SQLite and PostgreSQL, with branch coverage
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term-missing:skip-covered

check: setup ## lint, format, types, layers, sizes, tree
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_sizes.py
	$(BIN)/python tools/check_tree.py

bench: setup ## how the databases run a night, and what is promised about speed; SIZE=big adds a million leads
	$(BIN)/python -m bench --explain --size $(or $(SIZE),small)

soak: setup ## property tests with many more examples; quarters, storms and long scenarios on both databases
	LEADFLOW_SOAK=1 $(BIN)/pytest -n 2 -o faulthandler_timeout=0 -m "property or soak" --hypothesis-profile=soak

# The universal form of a lock, and no index in it: the same file installs wherever pip is configured.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml
lock: setup ## resolve the dependencies again into requirements/ (UPGRADE=--upgrade moves the pins)
	$(LOCK) $(UPGRADE) --output-file requirements/base.txt
	$(LOCK) $(UPGRADE) --extra dev --constraint requirements/base.txt --output-file requirements/dev.txt

clean: ## forget .venv, caches and the demo
	rm -rf .venv demo-workspace build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache \
		.ruff_cache .import_linter_cache *.egg-info
