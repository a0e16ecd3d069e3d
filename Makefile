# The words a user needs. `make` alone explains them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DEBIAN_FRONTEND := noninteractive

PYTHON ?= python3
# What the local cloud and the tests need from Debian, beyond git, make and Python 3.11.
DEBIAN_PACKAGES := $(shell grep -v '^\#' packages.txt)
NEVER_IMPORTED := ansible_collections/(?!(amazon|ansible)/|community/(aws|crypto|general|postgresql)/)

.PHONY: help
help: ## Explain these words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# ---- set up -------------------------------------------------------------------------------

.PHONY: setup
setup: ## Install everything: virtual environment, Debian packages
	@$(MAKE) --silent --jobs=2 .venv/.installed .run/debian-packages

# Debian's own Python makes no environment before python3-venv is there.
ifeq ($(shell $(PYTHON) -c 'import ensurepip' 2>/dev/null && echo yes),)
.venv/.installed: | .run/debian-packages
endif

.venv/.installed: requirements.txt pyproject.toml local_cloud/pyproject.toml
	@echo "==> virtual environment (about 80 s the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, and $(PYTHON) is older: make setup PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --no-compile --requirement requirements.txt
	@# By all processors, and without the many collections of Ansible that nothing here imports.
	@.venv/bin/python -m compileall -q -j 0 -x '$(NEVER_IMPORTED)' .venv/lib/python*/site-packages || true
	@touch $@

# policy-rc.d keeps the servers that tests start themselves from running as services here.
.run/debian-packages: packages.txt
	@mkdir -p .run
	@missing=$$(for p in $(DEBIAN_PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ]; then \
	    echo "These Debian packages are missing; as root: apt-get install" $$missing; exit 1; fi; \
	  echo "==> Debian packages:" $$missing; \
	  apt-get update -qq; \
	  policy=/usr/sbin/policy-rc.d; \
	  if [ ! -e $$policy ]; then \
	    trap "rm -f $$policy" EXIT; \
	    printf '#!/bin/sh\nexit 101\n' > $$policy; chmod +x $$policy; \
	  fi; \
	  apt-get install -qq -y --no-install-recommends $$missing > .run/apt.log \
	    || { tail -20 .run/apt.log; exit 1; }; \
	fi
	@touch $@

# ---- the local cloud ----------------------------------------------------------------------

.PHONY: demo
demo: setup ## The whole story: local cloud, site.yml, a good release promoted, a bad one refused
	@python -m tests.e2e.demo

.PHONY: status
status: ## What runs: hosts of the local cloud, live colour, weights
	@local-cloud status
	@canary status --env local

.PHONY: destroy
destroy: ## Remove the local cloud and leave the machine as found
	@local-cloud destroy
	@git for-each-ref --format='%(refname)' refs/demo | xargs -r -n1 git update-ref -d

# ---- tests --------------------------------------------------------------------------------

.PHONY: test
test: setup ## Prove the product: linters, unit and process tests, the demonstration (15 min)
	@python -m tests

.PHONY: test-all
test-all: test test-long ## make test, then what takes longer (45 min in all)

.PHONY: test-long
test-long: setup ## Only what make test leaves out: Molecule, faults, leaks, alarms, hosts
	@python -m tests long

.PHONY: lint
lint: setup ## Every linter, no exceptions
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	yamllint --strict .
	squawk app/store/migrations/postgres/*.sql
	ansible-lint
	ansible-playbook site.yml --syntax-check

.PHONY: test-unit
test-unit: setup ## All unit tests: no root, no network
	OPENBLAS_NUM_THREADS=1 pytest tests/unit -n auto

.PHONY: test-processes
test-processes: setup ## Real servers as processes, without a host
	OPENBLAS_NUM_THREADS=1 pytest tests/processes -n 3 --dist loadscope

.PHONY: test-hosts
test-hosts: setup ## The local cloud itself: hosts that boot, stop and die
	pytest tests/hosts

.PHONY: test-e2e
test-e2e: setup ## The demonstration on a local cloud, and what it left behind
	pytest tests/e2e

.PHONY: test-sanity
test-sanity: setup ## ansible-test sanity on the collection as it would be installed (3 min)
	@python -m tests.sanity

.PHONY: molecule
molecule: setup ## One role on a booted host: make molecule ROLE=proxy
	@test -n "$(ROLE)" || { echo "Which role? make molecule ROLE=proxy"; exit 2; }
	@python -m tests.molecule $(ROLE)

.PHONY: molecule-all
molecule-all: setup ## Every role's scenarios, one after the other, and a table
	@python -m tests.molecule

.PHONY: chaos
chaos: setup ## Faults on the hosts of the local cloud that is up: what customers met, one table
	python -m tests.chaos

# ---- the collection -----------------------------------------------------------------------

.PHONY: collection
collection: setup ## Build the Ansible collection cart.canary of the last commit into dist/
	@rm -rf .run/collection && mkdir -p .run/collection dist
	@git archive HEAD | tar x -C .run/collection
	@ansible-galaxy collection build .run/collection --output-path dist --force

# ---- benchmarks ---------------------------------------------------------------------------

.PHONY: bench
bench: bench-judge bench-app ## Every claim of speed that needs no cloud (13 min, quiet machine)

.PHONY: bench-verdict
bench-verdict: setup ## Scoreboard: this judge beside its peers, seeded simulations
	python -m tests.bench.verdict

.PHONY: bench-judge
bench-judge: setup ## Time to judge, beside Kayenta's algorithm in the same run
	python -m tests.bench.judge

.PHONY: bench-app
bench-app: setup ## Speed: the shop beside Flask with gunicorn and FastAPI with uvicorn (11 min, quiet machine)
	@command -v wrk > /dev/null || apt-get install -qq -y --no-install-recommends wrk > .run/apt.log \
	  || { echo "wrk is missing; as root: apt-get install wrk"; exit 1; }
	python -m tests.bench.bench_app

.PHONY: bench-app-memory
bench-app-memory: setup ## Memory: does the shop grow in ten minutes of load, without and with a leak
	python -m tests.bench.bench_app_memory

.PHONY: bench-release
bench-release: setup ## How fast traffic moves, beside the plain Ansible way; needs make demo's cloud
	python -m tests.bench.release

.PHONY: clean
clean: ## Remove the virtual environment and caches (not the local cloud)
	rm -rf .venv .run/debian-packages .mypy_cache .ruff_cache .pytest_cache .hypothesis
