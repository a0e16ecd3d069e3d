# Make targets. `make` without a target lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DEBIAN_FRONTEND := noninteractive

PYTHON ?= python3
# Debian packages for the local cloud and the tests, besides git, make and Python 3.11.
DEBIAN_PACKAGES := $(shell grep -v '^\#' packages.txt)
NEVER_IMPORTED := ansible_collections/(?!(amazon|ansible)/|community/(aws|crypto|general|postgresql)/)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# ---- set up -------------------------------------------------------------------------------

.PHONY: setup
setup: .venv/.installed ## Install what a controller of a real account needs; needs no root

.PHONY: setup-dev
setup-dev: ## Install also what the local cloud and the tests need; Debian packages need root
	@$(MAKE) --silent --jobs=2 .venv/.installed-dev .run/debian-packages

# Debian's Python cannot create a virtual environment without python3-venv.
CAN_CREATE := $(shell $(PYTHON) -c 'import ensurepip' 2>/dev/null && echo yes)
ifeq ($(CAN_CREATE),)
.venv/.installed-dev: | .run/debian-packages
endif

.venv/.installed: requirements.txt pyproject.toml
	$(call install,$<)

.venv/.installed-dev: requirements-dev.txt requirements.txt pyproject.toml local_cloud/pyproject.toml
	$(call install,$<)
	@touch .venv/.installed

define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' \
	  || { echo "$(PYTHON) is too old or missing, Python 3.11 is needed: make setup PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Debian's Python cannot create a virtual \
	environment yet. As root, once: apt-get install python3-venv"; exit 1; }
	@echo "==> virtual environment (about 80 s the first time)"
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --no-compile --requirement $(1)
	@# Compile with all processors, and skip the Ansible collections that nothing here imports.
	@.venv/bin/python -m compileall -q -j 0 -x '$(NEVER_IMPORTED)' .venv/lib/python*/site-packages || true
	@touch $@
endef

# policy-rc.d: the packages must not start their servers as services; the tests start their own.
# If this machine can't boot hosts, `make demo` and `make test` say what they leave out.
.run/debian-packages: packages.txt
	@mkdir -p .run
	@missing=$$(for p in $(DEBIAN_PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ]; then \
	    echo "Debian packages are missing, and what needs them is left out. As root:" \
	      "apt-get install" $$missing; exit 0; fi; \
	  echo "==> Debian packages:" $$missing; \
	  policy=/usr/sbin/policy-rc.d; \
	  if [ ! -e $$policy ]; then \
	    trap "rm -f $$policy" EXIT; \
	    printf '#!/bin/sh\nexit 101\n' > $$policy; chmod +x $$policy; \
	  fi; \
	  { apt-get update -qq \
	    && apt-get install -qq -y --no-install-recommends $$missing; } > .run/apt.log 2>&1 \
	    || { tail -20 .run/apt.log; ! $(PYTHON) -m local_cloud.preflight; exit; }; \
	fi; \
	touch $@

# ---- the local cloud ----------------------------------------------------------------------

.PHONY: demo
demo: demo-programs setup-dev ## Promote a good release and reject a bad one; on booted hosts if root
	@python -m tests.e2e.demo

# Root installs the programs. An ordinary user cannot, and is told so before the virtual environment
# is made, which takes minutes. The PATH of an ordinary user may lack the directories of HAProxy.
SYSTEM_PATH := /usr/local/sbin:/usr/sbin:/sbin
.PHONY: demo-programs
demo-programs:
	@[ "$$(id -u)" = 0 ] || PATH="$$PATH:$(SYSTEM_PATH)" type haproxy > /dev/null 2>&1 || { echo \
	  "HAProxy is not installed. Type, as root: apt-get install haproxy postgresql redis-server. Then:" \
	  "make demo. (Without HAProxy: make setup && .venv/bin/canary try)"; exit 2; }

.PHONY: status
status: ## Show the hosts of the local cloud, the live colour and the weights
	@local-cloud status
	@canary status --env local

.PHONY: destroy
destroy: ## Remove the local cloud and everything that it made
	@local-cloud destroy
	@git for-each-ref --format='%(refname)' refs/demo | xargs -r -n1 git update-ref -d

# ---- tests --------------------------------------------------------------------------------

.PHONY: test
test: setup-dev ## Run linters, unit and process tests, and the demonstration (16 min)
	@python -m tests

.PHONY: test-all
test-all: setup-dev ## Run all tests, as CI does (48 min)
	@.ci/run

.PHONY: test-long
test-long: setup-dev ## Run the tests that make test leaves out: Molecule, faults, leaks, alarms, hosts
	@python -m tests long

.PHONY: lint
lint: setup-dev ## Run all linters
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	yamllint --strict .
	squawk app/store/migrations/postgres/*.sql
	ansible-lint
	ansible-playbook site.yml --syntax-check

.PHONY: test-unit
test-unit: setup-dev ## Run all unit tests; needs no root and no network
	OPENBLAS_NUM_THREADS=1 pytest tests/unit -n auto

.PHONY: test-processes
test-processes: setup-dev ## Run the tests with real servers as processes
	OPENBLAS_NUM_THREADS=1 pytest tests/processes -n 3 --dist loadscope --no-loadscope-reorder

.PHONY: test-hosts
test-hosts: setup-dev ## Run the tests of the local cloud, which boot hosts
	pytest tests/hosts

.PHONY: test-foreign
test-foreign: setup-dev ## Test provisioning against a foreign emulator; needs no root
	pytest tests/foreign

.PHONY: test-e2e
test-e2e: setup-dev ## Run the end-to-end tests: the demonstration and its results
	pytest tests/e2e

.PHONY: test-sanity
test-sanity: setup-dev ## Run ansible-test sanity on the built collection (3 min)
	@python -m tests.sanity

.PHONY: molecule
molecule: setup-dev ## Test one role on a booted host: make molecule ROLE=proxy
	@test -n "$(ROLE)" || { echo "Which role? make molecule ROLE=proxy"; exit 2; }
	@python -m tests.molecule $(ROLE)

.PHONY: molecule-all
molecule-all: setup-dev ## Test all roles one after another, and print a table
	@python -m tests.molecule

.PHONY: chaos
chaos: setup-dev ## Inject faults into the running local cloud, and write docs/chaos.md
	python -m tests.chaos

# ---- the collection -----------------------------------------------------------------------

.PHONY: collection
collection: setup ## Build the Ansible collection cart.canary from the last commit, into dist/
	@rm -rf .run/collection && mkdir -p .run/collection dist
	@git archive HEAD | tar x -C .run/collection
	@ansible-galaxy collection build .run/collection --output-path dist --force

# ---- benchmarks ---------------------------------------------------------------------------

.PHONY: bench
bench: bench-judge bench-app ## Run the benchmarks that need no cloud (13 min, quiet machine)

.PHONY: bench-verdict
bench-verdict: setup-dev ## Compare the judge with other rules, and write docs/scoreboard.md (hours)
	python -m tests.bench.verdict

.PHONY: bench-judge
bench-judge: setup-dev ## Measure the time to judge, and that of Kayenta's algorithm
	python -m tests.bench.judge

.PHONY: bench-scale
bench-scale: setup ## Measure canary analyze with 1,000 instances and with 200 MB of CSV (2 min)
	python -m tests.bench.scale

.PHONY: reports
reports: setup-dev ## Make the five reports and the pictures of docs/reports.md again (needs Chromium; 2 min)
	python -m tests.bench.report_pictures

.PHONY: bench-app
bench-app: setup-dev ## Compare the speed of the shop with Flask and FastAPI (11 min, quiet machine)
	@command -v wrk > /dev/null || apt-get install -qq -y --no-install-recommends wrk > .run/apt.log \
	  || { echo "wrk is missing; as root: apt-get install wrk"; exit 1; }
	python -m tests.bench.bench_app

.PHONY: bench-suggest
bench-suggest: setup-dev ## Try canary suggest on Flask and FastAPI services under load (50 min)
	python -m tests.bench.suggest.record .run/suggest/turn1 480
	@for turn in turn2 turn3; do python -m tests.bench.suggest.record .run/suggest/$$turn 660 || exit 1; done
	python -m tests.bench.suggest.trial .run/suggest suggest
	python -m tests.bench.suggest.record .run/suggest/real 630 .run/suggest/faults.json
	python -m tests.bench.suggest.trial .run/suggest judge
	python -m tests.bench.suggest.trial .run/suggest show

.PHONY: bench-suggest-simulated
bench-suggest-simulated: setup-dev ## Try canary suggest on simulated services of the judge's benchmark (20 min)
	python -m tests.bench.suggest.simulated .run/suggest-simulated
	python -m tests.bench.suggest.trial .run/suggest-simulated suggest

.PHONY: bench-app-memory
bench-app-memory: setup-dev ## Measure the memory of the shop under load, without and with a leak (10 min)
	python -m tests.bench.bench_app_memory

.PHONY: bench-release
bench-release: setup-dev ## Compare the speed of traffic changes with plain Ansible; needs the cloud of make demo
	python -m tests.bench.release

.PHONY: clean
clean: ## Remove the virtual environment and all caches, but not the local cloud
	rm -rf .venv .run/debian-packages .mypy_cache .ruff_cache .pytest_cache .hypothesis
