# Needs only Python 3.11+ with pip: uv, and everything else, is installed below this folder.
PYTHON ?= python3
UV_HOME := .uv
UV := $(UV_HOME)/bin/uv
RUN := $(UV) run --frozen

.DEFAULT_GOAL := help
.PHONY: help setup demo test check unit contract live format generate record lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(UV):
	$(PYTHON) -m pip install --quiet --target $(UV_HOME) 'uv>=0.11,<1'

setup: $(UV) ## Make the development environment in .venv
	$(UV) sync --frozen --quiet

demo: setup ## Run the main job on a real Airflow 3, end to end (ARGS="--airflow 2.11" for the other)
	$(RUN) airflow-mcp demo $(ARGS)

test: check ## Run every check and every test, on a real Airflow 2.11 and a real Airflow 3.3
	$(RUN) pytest --cov --cov-report=term

check: setup ## Lint, format, types, layers, generated files
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python -m scripts.generate --check

unit: setup ## Run the unit tests alone
	$(RUN) pytest tests/unit

contract: setup ## Run the contract tests alone
	$(RUN) pytest tests/contract

live: setup ## Run the live tests alone (ARGS="-k clear" to choose)
	$(RUN) pytest tests/live $(ARGS)

format: setup ## Put the code into its form
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

generate: setup ## Write the generated files: README tables, server.json, schema snapshots
	$(RUN) python -m scripts.generate

record: setup ## Record the unit tests' payloads from the real servers again
	$(RUN) python -m scripts.record

lock: $(UV) ## Resolve the dependencies again
	$(UV) lock --upgrade

clean: ## Remove what make has made here
	rm -rf $(UV_HOME) .venv .coverage htmlcov .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
