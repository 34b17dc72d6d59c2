# Needs only Python 3.11+ with pip: uv, and everything else, is installed below this folder.
PYTHON ?= python3
UV_HOME := .uv
# By its whole path, and for what make starts too: the demo and the tests install Airflow with it.
export UV := $(CURDIR)/$(UV_HOME)/bin/uv
VENV := .venv
RUN = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# Two workers; the tests of one server stay in one of them. ARGS=-n0 for none, as a debugger needs it.
SIDE_BY_SIDE = -n 2 --dist loadgroup
PYTHONS ?= 3.11 3.12 3.13 3.14

.DEFAULT_GOAL := help
.PHONY: help setup debian kerberos demo test coverage quick airflows eval test-matrix test-scale overhead evidence wide test-pythons check unit contract live format generate record lock clean

# What the Kerberos tests need from the system: a realm, and what builds the Python packages that speak to it.
KERBEROS_PROGRAMS := krb5kdc kinit kadmin.local krb5-config gcc
KERBEROS_PACKAGES = krb5-kdc krb5-user krb5-admin-server libkrb5-dev gcc libc6-dev $(if $(HEADERS),,python3-dev)
HEADERS = $(wildcard $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h)
TRY_KERBEROS = { command -v krb5-config >/dev/null && $(MAKE) --no-print-directory kerberos; } || test -z "$$CI"
SCALE_PROGRAMS := /usr/lib/postgresql/*/bin/postgres /usr/sbin/nginx
SCALE_PACKAGES := postgresql nginx
# For every Python and system at once, and without the address of an index: each machine has its own.
COMPILE = "$(UV)" pip compile pyproject.toml --upgrade --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command 'make lock'
INSTALL := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(UV_HOME)/bin/uv:
	$(PYTHON) -m pip install --quiet --target $(UV_HOME) 'uv>=0.11,<1'

$(VENV)/bin/python: | $(UV_HOME)/bin/uv
	"$(UV)" venv --quiet --clear --python $(PYTHON) $(VENV)

# The empty files tell make that an environment has what the lock says.
$(VENV)/.dev: $(VENV)/bin/python requirements/dev.txt pyproject.toml
	"$(UV)" pip sync --quiet --compile-bytecode --python $(VENV) --require-hashes requirements/dev.txt
	"$(UV)" pip install --quiet --python $(VENV) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.kerberos: $(VENV)/.dev requirements/kerberos.txt
	"$(UV)" pip install --quiet --compile-bytecode --python $(VENV) --require-hashes --requirements requirements/kerberos.txt
	@touch $@

setup: $(VENV)/.dev ## Make the development environment in .venv

debian: ## Install what the Kerberos tests need, on Debian and as root; elsewhere do nothing
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		! ( [ "$(HEADERS)" ] && for each in $(KERBEROS_PROGRAMS); do command -v $$each || exit 1; done ) >/dev/null; then \
		$(INSTALL) $(KERBEROS_PACKAGES); \
	fi

kerberos: $(VENV)/.kerberos ## Add the extra for a sign-in with Kerberos (it is compiled, which takes a minute)

demo: setup ## Run the main job on a real Airflow 3, end to end (ARGS="--airflow 2.11" for the other)
	$(RUN) airflow-mcp demo $(ARGS)

test: debian check airflows ## Run every check and every test, on a real Airflow 2.11 and a real Airflow 3.3 (ARGS="-k clear" to choose)
	@$(TRY_KERBEROS)
	$(RUN) pytest $(SIDE_BY_SIDE) $(ARGS)

coverage: ## Run every test and tell what lines and branches they reach (slower)
	@$(MAKE) --no-print-directory test ARGS="--cov --cov-report=term $(ARGS)"

quick: check ## Run the checks, and the tests that need no server (ARGS="-k clear" to choose)
	$(RUN) pytest $(SIDE_BY_SIDE) tests/unit tests/hostile tests/contract $(ARGS)

airflows: setup
	$(RUN) python -m tests.releases

eval: airflows ## Break a real Airflow 2.11 and a real Airflow 3.3 in many ways, and score what the diagnoses say (ARGS=--show)
	$(RUN) python -m tests.eval $(ARGS)

test-matrix: setup ## Run the live tests on each Airflow from 2.7 on (AIRFLOW=2.9 for one), and write the table
	$(RUN) python -m scripts.matrix $(AIRFLOW)

test-scale: setup ## Run an Airflow 3.3 with 10,000 DAGs on PostgreSQL behind nginx (as root on Debian, install both)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! ls $(SCALE_PROGRAMS) >/dev/null 2>&1; then \
		$(INSTALL) $(SCALE_PACKAGES); \
	fi
	CI=true $(RUN) pytest tests/scale

overhead: setup ## Measure what a call costs beside the bare HTTP call, and beside a peer that is installed for it
	$(RUN) python -m benchmarks.overhead $(ARGS)

evidence: setup ## Measure how much of the evidence of a failure is kept of logs of many kinds
	$(RUN) python -m benchmarks.evidence

wide: airflows ## Measure previews of DAGs with thousands of tasks
	$(RUN) python -m benchmarks.wide

test-pythons: $(UV_HOME)/bin/uv ## Run the unit, hostile and contract tests on Python 3.11 to 3.14 (PYTHONS="3.12 3.13" for some)
	@bad=; for python in $(PYTHONS); do \
		if ! $(MAKE) --no-print-directory VENV=.venv-$$python PYTHON=$$python setup; then \
			bad="$$bad; Python $$python is not to be had (uv said why)"; \
		elif ! .venv-$$python/bin/pytest -q tests/unit tests/hostile tests/contract; then \
			bad="$$bad; Python $$python failed"; \
		fi; \
	done; \
	if [ "$$bad" ]; then echo "$${bad#; }"; exit 1; fi; echo "Good on Python $(PYTHONS)"

check: setup ## Lint, format, types, layers, generated files
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python -m scripts.generate --check

unit: setup ## Run the unit tests alone
	$(RUN) pytest tests/unit $(ARGS)

contract: setup ## Run the contract tests alone
	$(RUN) pytest tests/contract $(ARGS)

live: airflows ## Run the live tests alone (ARGS="-k clear" to choose)
	@$(TRY_KERBEROS)
	$(RUN) pytest $(SIDE_BY_SIDE) tests/live $(ARGS)

format: setup ## Put the code into its form
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

generate: setup ## Write the generated files: tables of README and docs, server.json, schema snapshots
	$(RUN) python -m scripts.generate

record: setup ## Record the unit tests' payloads from the real servers again
	$(RUN) python -m scripts.record

lock: $(UV_HOME)/bin/uv ## Resolve the dependencies again
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --group dev --constraints requirements/run.txt --output-file requirements/dev.txt
	$(COMPILE) --extra kerberos --constraints requirements/dev.txt --output-file requirements/kerberos.txt

clean: ## Remove what make has made here
	rm -rf $(UV_HOME) .venv .venv-* .coverage htmlcov .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
