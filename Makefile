# The verbs of this project. CI calls these and nothing else. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
QUICK := not slow and not kafka and not redis and not browser
SPREAD := -n 2 --dist loadfile
# What pytest would try once more: of no use, and no list of all, where a run has broken off.
LAST_FAILED := .pytest_cache/v/cache/lastfailed

# Both locks hold hashes for every supported Python and platform, and name no index.
LOCK := --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"

# The first of these that is Python 3.11 or later and can make a virtual environment. `make PYTHON=...` names another.
CANDIDATES := python3 python3.13 python3.12 python3.11 python
PROBE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(CANDIDATES); do if "$$p" -c '$(PROBE)' >/dev/null 2>&1; then echo "$$p"; break; fi; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: help
help: ## List the verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Make .venv with the mindgap command (needs Python 3.11 or later, nothing else)

$(STAMP): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(PROBE)' >/dev/null 2>&1; then \
		echo "make: no Python 3.11 or later that can make a virtual environment: tried $(or $(PYTHON),$(CANDIDATES))." >&2; \
		echo "make: install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3 setup" >&2; \
		exit 1; \
	fi
	@if [ -e $(VENV) ] && ! $(BIN)/python -c '$(PROBE)' 2>/dev/null; then echo "$(VENV) is broken or too old: made anew"; rm -rf $(VENV); fi
	@if [ ! -e $(VENV) ]; then echo "making $(VENV) with $$("$(PYTHON)" -V)"; "$(PYTHON)" -m venv $(VENV); fi
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

.PHONY: demo
demo: setup ## A company's day in a minute: broker, worker, events and escalations on this machine
	$(BIN)/mindgap demo

.PHONY: test
test: setup ## The quick tests (nothing else installed)
	$(BIN)/python -m pytest -m "$(QUICK)" $(SPREAD)

.PHONY: test-all
test-all: setup ## Every test; what this machine lacks is said, and fails the run
	@failed= broken=; export MINDGAP_TEST_ALL=1; \
	run() { local status=0; $(BIN)/python -m pytest "$$@" || status=$$?; \
		if ((status)); then failed=1; fi; if ((status > 1)); then broken=1; fi; }; \
	run -m "$(QUICK)" $(SPREAD); \
	run -m "not ($(QUICK))" $(SPREAD); \
	if [ -n "$$broken" ]; then rm -f $(LAST_FAILED); echo "make: a run of the tests broke off: see above" >&2; exit 1; fi; \
	if [ -n "$$failed" ]; then echo "make: tests failed; once more, alone: MINDGAP_TEST_ALL=1 $(BIN)/python -m pytest --lf" >&2; exit 1; fi

.PHONY: check
check: setup ## Linters, types, floors, schema drift, documents
	@failed=; \
	for tool in "ruff check ." "ruff format --check ." "mypy" "lint-imports --no-cache --no-logo" \
		"mindgap schema --check" "python -m pytest -q tests/house"; do \
		echo "== $$tool"; $(BIN)/$$tool || failed="$$failed, $$tool"; \
	done; \
	if [ -n "$$failed" ]; then echo "make: failed: $${failed#, }" >&2; exit 1; fi

.PHONY: fix
fix: setup ## Let the linter and the formatter mend what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: setup ## Measure on this machine
	@if [ -e tests/bench/__main__.py ] || [ -e tests/bench.py ]; then $(BIN)/python -m tests.bench; \
	else echo "make: there are no benches yet (tests/bench)" >&2; exit 1; fi

.PHONY: up
up: setup ## Apache Kafka and Redis on this machine until Ctrl-C (needs Java 17, Maven and redis-server)
	@$(BIN)/mindgap up

.PHONY: kafka
kafka: setup ## Fetch Apache Kafka's jars (needs Maven); what needs them does it by itself, too
	@$(BIN)/python -c "from agents.brokers.jars import kafka_jars; print(kafka_jars())"

.PHONY: up-containers
up-containers: ## The whole of it in containers (needs Docker with compose)
	docker compose up --build

.PHONY: schemas
schemas: setup ## Write schemas/json from the models
	$(BIN)/mindgap schema --write

.PHONY: lock
lock: ## Write the lock files from pyproject.toml
	@tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	"$(PYTHON)" -m venv "$$tools" && "$$tools/bin/pip" install --quiet uv && \
	compile() { "$$tools/bin/uv" pip compile pyproject.toml $(LOCK) "$$@"; } && \
	compile --extra dev --output-file requirements.lock && \
	compile --constraints requirements.lock --output-file deploy/requirements.lock

.PHONY: audit
audit: setup ## SBOM of the image's packages (build/sbom.json), checked, and what is known against them
	@.ci/audit $(BIN)/python

.PHONY: clean
clean: ## Remove .venv and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist .kafka *.egg-info
