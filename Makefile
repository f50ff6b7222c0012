# Andon on a fresh machine: `make demo` and `make test` set up all they need in .venv, from hash-locked requirements.

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p $(NEW_ENOUGH) && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCKED := $(PIP) install --require-hashes
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint format soak lock clean

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

demo: .venv/runtime  ## Replay a real failure that every dashboard missed (under a minute)
	@mkdir -p build
	@$(BIN)/andon demo --html build/demo.html

test: lint  ## Lint, types, import contracts, tests (the demo among them), and the wheel: what CI runs
	@.ci/install-components
	$(BIN)/python -m pytest -n 2 --dist worksteal
	.ci/check-wheel $(BIN)/python

lint: .venv/dev  ## Ruff, mypy and the import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev  ## Format the sources and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

soak: .venv/dev  ## The long tests: many random examples, quiet replays
	$(BIN)/python -m pytest -n 2 --dist worksteal --hypothesis-profile=soak -m "soak or not soak"
	$(BIN)/python benchmarks/quiet.py --replays 60 --jobs 2

lock: .venv/place  ## Make requirements/*.txt anew (LOCK_FLAGS=--upgrade for newer versions)
	$(LOCKED) -r requirements/lock.txt
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) requirements/build.in -o requirements/build.txt
	$(COMPILE) pyproject.toml requirements/dev.in -c requirements/runtime.txt -c requirements/build.txt -o requirements/dev.txt
	$(COMPILE) requirements/lock.in -o requirements/lock.txt
	for peer in evidently nannyml mlflow attestroot; do $(COMPILE) benchmarks/peers/$$peer.in -o benchmarks/peers/$$peer.txt || exit; done
	$(COMPILE) --no-deps requirements/trials.in -o requirements/trials.txt

clean:  ## Remove all that the other targets made
	rm -rf .venv .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--custom-compile-command "make lock" $(LOCK_FLAGS)

# Each stamp below is made again only when what it depends on has changed.

.venv/dev: .venv/runtime requirements/dev.txt
	@echo "Installing the development tools"
	@$(LOCKED) -r requirements/dev.txt
	@touch $@

.venv/runtime: .venv/place requirements/runtime.txt requirements/build.txt pyproject.toml
	@echo "Installing Andon in .venv (only now and when its requirements change)"
	@$(LOCKED) -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# A virtual environment knows its absolute path, so one that was moved or copied is made anew.
ifneq ($(shell cat .venv/place 2>/dev/null),$(CURDIR))
.PHONY: .venv/place
endif
.venv/place:
	@$(or $(PYTHON),false) $(NEW_ENOUGH) || { echo "Andon needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module:" \
		"install the package $(notdir $(PYTHON))-venv (its name on Debian and Ubuntu), then run make again." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@echo "$(CURDIR)" > $@
