# The targets are a contract: scripts and workflows rely on them. Each sets up what it needs.
PYTHON ?= python3
SPEED ?= 10
STAGE ?= dev
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
SCHEMA := .venv/schema/bin/check-jsonschema --quiet --builtin-schema vendor.

.PHONY: venv drill outage test lint security taskcat taskcat-aws bench soak sweep storms accuracy clean deploy-and-drill
.DEFAULT_GOAL := help

help:  ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

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

outage: venv  ## us-east-1 loses its API and its edge: traffic fails over, stays, and comes home by command
	@$(RUN) $(BIN)/python -m benchmarks.outage

test: venv  ## run every test, in two processes
	@$(RUN) $(BIN)/python -m pytest -n 2 --no-loadscope-reorder

lint: venv .venv/schema/ready .venv/checkov/ready  ## style, spelling, types, layers, templates, workflows
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) codespell
	@$(RUN) deploytool lint
	@$(RUN) deploytool lint --config tests/taskcat/deploytool.toml
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) actionlint
	@$(RUN) zizmor --offline --quiet --persona auditor .github
	@$(SCHEMA)github-workflows .github/workflows/*.yml
	@$(SCHEMA)github-actions .github/actions/*/action.yml
	@$(SCHEMA)dependabot .github/dependabot.yml
	@$(MAKE) --no-print-directory security

# GitHub's schemas come with check-jsonschema, which cannot live beside taskcat: that holds jsonschema below 4.
.venv/schema/ready: .github/requirements.txt | venv
	@$(PYTHON) -m venv .venv/schema
	@.venv/schema/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

security: .venv/checkov/ready  ## the templates by checkov, which has an environment of its own
	@.venv/checkov/bin/python -m checkov.main --config-file .checkov.yaml

.venv/checkov/ready: .ci/checkov.txt | venv
	@$(PYTHON) -m venv .venv/checkov
	@echo "installing checkov into .venv/checkov (about half a minute) ..."
	@.venv/checkov/bin/pip install --quiet --disable-pip-version-check --requirement .ci/checkov.txt
	@touch $@

taskcat: venv  ## create and delete every template's stack in both regions of a private local cloud, with taskcat
	@$(RUN) deploytool local run --speed $(SPEED) -- $(BIN)/python tests/taskcat/run.py --local

taskcat-aws: venv  ## the same on AWS, with your credentials (docs/how-to/test-the-templates.md)
	@$(RUN) $(BIN)/python tests/taskcat/run.py

bench: venv  ## print the figures that the README quotes
	@$(RUN) $(BIN)/python -m benchmarks

soak: venv  ## the long proofs that nothing is lost, with figures (under an hour; docs/reliability.md)
	@$(RUN) $(BIN)/python -m benchmarks.soak

sweep: venv  ## kill drills, failovers and failbacks with SIGKILL at 40 moments each: what ends them, and what is left (20 minutes)
	@$(RUN) $(BIN)/python -m benchmarks.sweep
	@$(RUN) $(BIN)/python -m benchmarks.switch_sweep

storms: venv  ## run every command while the API throttles, fails and loses answers: nothing is lost (25 minutes)
	@$(RUN) $(BIN)/python -m benchmarks.storms

accuracy: venv  ## how far what a drill measures is from what the local cloud really did, over 30 drills at 10 and 50 probes a second
	@$(RUN) $(BIN)/python -m benchmarks.accuracy

clean:  ## remove what was made
	rm -rf .venv .bench .deploytool reports .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
