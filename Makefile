# Everything starts here; `make help` lists it. All that is installed goes into .venv, except the programs that some
# tests use (see .ci/system-parts), which are installed only where this user may.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
READY := .venv/ready-to-run
TOOLS := .venv/ready-to-test
CORE := .venv/core-compiled
# What is compiled, and what it takes constants and types from.
CORE_SOURCES := build_core.py $(addprefix stream_kpi/,entities.py exchange.py intake.py windows/zones.py) $(shell find \
	stream_kpi/calendars stream_kpi/events stream_kpi/lifecycles stream_kpi/measures -name '*.py')

.PHONY: help demo test check bench fmt generated screenshots

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

# The demo needs less than the tests: it starts sooner on a fresh machine.
$(READY): EXTRAS := embedded
$(TOOLS): EXTRAS := embedded,bench,dev
$(READY) $(TOOLS): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python)." >&2; exit 2; }
	@echo "Setting up .venv ($(EXTRAS)) ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@HATCH_BUILD_NO_HOOKS=true \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]' >&2
	@touch $@

# The demo is sooner ready without. Where there is no C compiler, build_core.py says so, and pure Python runs.
$(CORE): $(TOOLS) $(CORE_SOURCES)
	@echo "Compiling the core (about a minute) ..." >&2
	@$(BIN)/python build_core.py >.venv/core-compiled.log || true
	@touch $@

# At a terminal the demo gets a process group of its own (set -m), so that Ctrl-C ends the demo and not make.
demo: $(READY) ## everything on this machine: broker, worker, simulated support team, /metrics; Ctrl-C ends it
	@if [ -e $(CORE) ]; then $(MAKE) $(CORE); fi
	@if [ -t 0 ]; then set -m; $(BIN)/stream-kpi demo; else exec $(BIN)/stream-kpi demo; fi

test: $(CORE) ## all tests; those whose programs cannot be had are skipped and say why
	@.ci/system-parts
	@$(BIN)/python -m pytest

check: $(CORE) ## lint, types, layers, generated files, metrics
	@.ci/system-parts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m stream_kpi.settings_page --check
	@$(BIN)/python -m stream_kpi.contracts --check
	@$(BIN)/python -m stream_kpi.cli.pages --check
	@$(BIN)/python -m stream_kpi.publish.docs --check
	@$(BIN)/python -m stream_kpi.publish.rules --check
	@$(BIN)/python -m stream_kpi.publish.grafana --check
	@if command -v promtool >/dev/null; then promtool check config deploy/prometheus/prometheus.yml; \
	else echo "promtool is not installed: deploy/prometheus/ and the metrics are not checked." >&2; fi
	@$(BIN)/python -m pytest -q tests/contracts

bench: $(CORE) ## events per second on Apache Kafka, next to other ways of doing it
	@$(BIN)/stream-kpi bench

fmt: $(TOOLS) ## format the code
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

generated: $(CORE) ## write what is made from the code: the pages of settings, commands, topics, KPIs and metrics, the schemas, the alerts, the dashboards
	@$(BIN)/python -m stream_kpi.settings_page
	@$(BIN)/python -m stream_kpi.contracts
	@$(BIN)/python -m stream_kpi.cli.pages
	@$(BIN)/python -m stream_kpi.publish.docs
	@$(BIN)/python -m stream_kpi.publish.rules
	@$(BIN)/python -m stream_kpi.publish.grafana

screenshots: $(CORE) ## take the README's pictures of the wallboard anew (Chromium)
	@.ci/system-parts
	@$(BIN)/python -m tests.screenshots
