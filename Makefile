# The targets are a contract: scripts and workflows rely on them. Each sets up what it needs.
PYTHON ?= python3
SPEED ?= 10
STAGE ?= dev
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: venv drill test lint bench sweep accuracy clean deploy-and-drill
.DEFAULT_GOAL := help

help:  ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

venv: .venv/ready  ## make .venv with everything in it

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("deploytool needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; name another: make venv PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv
	@echo "installing into .venv (about a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

drill: venv  ## deploy to two regions of a private local cloud and drill a failover (SPEED=10 times real time)
	@$(RUN) deploytool local run --speed $(SPEED) -- $(MAKE) --no-print-directory deploy-and-drill

deploy-and-drill:  # what `drill` runs inside its private local cloud
	@$(RUN) deploytool deploy --local --stage $(STAGE)
	@$(RUN) deploytool drill --local --stage $(STAGE)

test: venv  ## run every test
	@$(RUN) $(BIN)/python -m pytest

lint: venv  ## ruff, mypy, the layers' rules, cfn-lint
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) deploytool lint

bench: venv  ## print the figures that the README quotes
	@$(RUN) $(BIN)/python -m benchmarks

sweep: venv  ## kill drills with SIGKILL at 40 moments: what restore, and the guard alone, leave of them (15 minutes)
	@$(RUN) $(BIN)/python -m benchmarks.sweep

accuracy: venv  ## how far what a drill measures is from what the local cloud really did, over 30 drills at 10 and 50 probes a second
	@$(RUN) $(BIN)/python -m benchmarks.accuracy

clean:  ## remove what was made
	rm -rf .venv .bench .deploytool reports .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
