# One environment, .venv, at two levels: the core (what the demo needs) and everything (extras and what the tests need).
# Versions are pinned by constraints.txt, the build backend's too.

PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PIP_INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: install demo test bench bench-generator lint types contracts clean help
.DEFAULT_GOAL := install

install: .venv/everything.stamp  ## Install everything: core, extras, development tools

.venv/core.stamp: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed. Install one, or: make PYTHON=/path/to/python" >&2; exit 2; }
	@echo "Installing the core into .venv (about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP_INSTALL) --editable .
	@touch $@

.venv/everything.stamp: .venv/core.stamp
	@echo "Installing torch, the extras and the development tools into .venv (several minutes, about 3 GB) ..."
	@$(PIP_INSTALL) --editable '.[full,dev]'
	@touch $@

# The log of the demo: LOG=FOLDER, or the sample in the folder of shared data, or else a built-in scene.
DRIVESIM_SHARED ?= ../shared
LOG ?= $(firstword $(wildcard $(DRIVESIM_SHARED)/data/av2_sensor/7fab2350*))

demo: .venv/core.stamp  ## Turn a driving log into surround-view control videos, in out/demo
	$(BIN)/drivesim demo $(if $(LOG),--log "$(LOG)") -o out/demo

test: .venv/everything.stamp  ## Run the tests (ARGS="-k lens" for some of them)
	$(BIN)/pytest $(ARGS)

bench: .venv/everything.stamp  ## Measure the renderer: a table, then one JSON line
	$(BIN)/python tests/benchmarks/bench_render.py $(ARGS)

bench-generator: .venv/everything.stamp  ## Measure the generator on random weights (ARGS="--device cuda --dtype bf16 --full")
	$(BIN)/python tests/benchmarks/bench_generator.py $(ARGS)

lint: .venv/everything.stamp  ## Check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/everything.stamp  ## Check types
	$(BIN)/mypy

contracts: .venv/everything.stamp  ## Check which package may import which
	$(BIN)/lint-imports

clean:  ## Remove the environment, builds and caches; out/ stays
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find scenegraph render models drivesim tests -name __pycache__ -prune -exec rm -rf {} +

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18
