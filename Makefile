# Everything a developer or operator runs. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests of parts share the cores; tests of the whole Procfile have the machine to themselves.
SMALL_TESTS := tests/architecture tests/unit tests/property tests/integration tests/conformance
WHOLE_TESTS := tests/e2e tests/fault

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo up test test-slow lint fmt types db-check bench docs lock clean

help: ## list all targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.runtime: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3,11) <= sys.version_info[:2] <= (3,13) else "Trunkline needs Python 3.11, 3.12 or 3.13; run make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || (echo "python venv is missing: install python3-venv" && false)
	@echo "Installing locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing locked development dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.runtime ## create .venv from requirements.lock
install-dev: $(VENV)/.dev ## the same plus what tests and linters need

demo: install ## run a whole campaign in a simulated world, then stop everything
	@exec $(BIN)/python -m deploy.demo

up: install ## start Trunkline for real use (embedded stack unless DATABASE_URL and REDIS_URL are set)
	@exec $(BIN)/python -m deploy.up

test: install-dev ## all tests but the slow matrices (under 10 minutes on 2 cores)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(SMALL_TESTS)
	@$(BIN)/python -m pytest -m "not slow" $(WHOLE_TESTS)

test-slow: install-dev ## the slow matrices
	@$(BIN)/python -m pytest -m slow tests

lint: install-dev ## ruff and import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache

fmt: install-dev ## format the code
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

types: install-dev ## mypy --strict
	@$(BIN)/mypy

db-check: install-dev ## do migrations and tables agree?
	@$(BIN)/python -m pytest tests/integration/dispatch -k migrations

bench: install-dev ## measure, print ratios beside their baselines, write bench/results
	@$(BIN)/python -m bench

docs: install ## write docs/openapi.json from the API's own declaration
	@$(BIN)/python -m api.openapi docs/openapi.json

lock: ## resolve the lock files again (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra demo --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra demo --extra dev --generate-hashes --no-emit-index-url --no-header -q -o requirements-dev.lock

clean: ## remove the virtualenv, caches and local data
	rm -rf $(VENV) .trunkline .mypy_cache .ruff_cache .pytest_cache .hypothesis
