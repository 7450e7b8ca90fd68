# The targets are a contract: scripts and workflows rely on them. Each sets up what it needs.
PYTHON ?= python3
SPEED ?= 10
STAGE ?= dev
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
VENV := PYTHON="$(PYTHON)" .ci/venv
SUPPLY := .venv-supply/bin
# Every version with the hashes of its files, for each supported Python and platform
LOCK := $(SUPPLY)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url $(UPGRADE)
SCHEMA := .venv/schema/bin/check-jsonschema --quiet --builtin-schema vendor.

.PHONY: venv docs site lock audit dist sbom release drill outage test lint security taskcat taskcat-aws bench soak sweep storms accuracy clean deploy-and-drill python
.DEFAULT_GOAL := help

help:  ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

venv: .venv/ready  ## make .venv with everything in it

# Exactly the versions and files of the lock, then deploytool itself
.venv/ready: pyproject.toml requirements-dev.lock | python
	@echo "installing into .venv ..."
	@$(VENV) .venv requirements-dev.lock --project
	@touch .venv/product $@

# What a drill on the local cloud needs, without the tools of the developers
.venv/product: pyproject.toml requirements.lock | python
	@echo "installing into .venv ..."
	@$(VENV) .venv requirements.lock --project
	@touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit("deploytool needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; name another: make venv PYTHON=python3.12") if sys.version_info < (3, 11) else None'

drill: .venv/product  ## deploy to two regions of a private local cloud and drill a failover (SPEED=10 times real time)
	@$(RUN) deploytool local run --speed $(SPEED) -- $(MAKE) --no-print-directory deploy-and-drill

deploy-and-drill:  # what `drill` runs inside its private local cloud
	@$(RUN) deploytool deploy --local --stage $(STAGE)
	@$(RUN) deploytool drill --local --stage $(STAGE)

outage: venv  ## us-east-1 loses its API and its edge: traffic fails over, stays, and comes home by command
	@$(RUN) $(BIN)/python -m benchmarks.outage

test: venv  ## run every test, in four processes
	@$(RUN) $(BIN)/python -m pytest -n 4 --no-loadscope-reorder

docs: venv  ## write what the documentation takes from the code: tables, and the JSON Schemas
	@$(BIN)/python docs/generate.py

site: .venv/docs/ready  ## build the site of docs/ into site/; a broken link is an error
	@.venv/docs/bin/python docs/build_site.py .venv/docs/bin/zensical

.venv/docs/ready: .ci/docs.lock | venv
	@$(VENV) .venv/docs $<
	@touch $@

lint: venv .venv/schema/ready .venv/checkov/ready .venv/docs/ready  ## style, spelling, types, layers, templates, workflows, links
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
	@$(MAKE) --no-print-directory security site

# GitHub's schemas come with check-jsonschema, which cannot live beside taskcat: that holds jsonschema below 4.
.venv/schema/ready: .github/requirements.lock | venv
	@$(VENV) .venv/schema $<
	@touch $@

security: .venv/checkov/ready  ## the templates by checkov, which has an environment of its own
	@.venv/checkov/bin/python -m checkov.main --config-file .checkov.yaml

.venv/checkov/ready: .ci/checkov.lock | venv
	@echo "installing checkov into .venv/checkov ..."
	@$(VENV) .venv/checkov $<
	@touch $@

lock: .venv-supply/ready  ## write the lock files again from what pyproject.toml asks for (UPGRADE=--upgrade takes newer versions)
	@$(LOCK) pyproject.toml --extra dev --output-file requirements-dev.lock
	@$(LOCK) pyproject.toml --extra local --extra lint --extra test --constraint requirements-dev.lock --output-file requirements.lock
	@$(LOCK) .github/requirements.txt --output-file .github/requirements.lock
	@$(LOCK) .ci/checkov.txt --output-file .ci/checkov.lock
	@$(LOCK) .ci/docs.txt --output-file .ci/docs.lock
	@$(LOCK) .ci/supply.txt --output-file .ci/supply.lock
	@$(LOCK) .ci/uv.txt --output-file .ci/uv.lock
	@$(LOCK) tests/taskcat/requirements.txt --constraint requirements-dev.lock --output-file tests/taskcat/requirements.lock

audit: .venv-supply/ready  ## look for known vulnerabilities in what a user of deploytool installs
	@$(SUPPLY)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

dist: .venv-supply/ready  ## build the wheel and the source distribution into dist/
	@rm -rf dist
	@$(SUPPLY)/python -m build --no-isolation --outdir dist .

sbom: .venv-supply/ready  ## write the bill of materials of requirements.lock to dist/deploytool.cdx.json
	@mkdir -p dist
	@$(SUPPLY)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file dist/deploytool.cdx.json requirements.lock

release:  # what the release workflow does last, with GitHub's own command
	gh release create "$$GITHUB_REF_NAME" --verify-tag --generate-notes dist/* requirements.lock

.venv-supply/ready: .ci/supply.lock
	@$(VENV) .venv-supply $<
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

storms: venv  ## run every command while the API throttles, fails and loses answers: nothing is lost (30 minutes)
	@$(RUN) $(BIN)/python -m benchmarks.storms

accuracy: venv  ## how far what a drill measures is from what the local cloud really did, over 30 drills at 10 and 50 probes a second
	@$(RUN) $(BIN)/python -m benchmarks.accuracy

clean:  ## remove what was made
	rm -rf .venv .venv-supply .bench .site site dist .deploytool reports .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
