# Everything happens in .venv, from pinned and hashed packages. Extra arguments: make test ARGS="-k lanes".
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
IS_NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
# Looked up only when .venv has to be made.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,\
	$(shell $(p) $(IS_NEW_ENOUGH) 2>/dev/null && echo $(p))))

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test check format bench lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

install: $(VENV)/.installed  ## make .venv with parley and the embedded MongoDB

install-dev: $(VENV)/.installed-dev  ## the same with what tests and checks need

run: install  ## start the bot (with no token: the terminal chat)
	@exec $(BIN)/parley run $(ARGS)

test: install-dev  ## run the tests
	@$(BIN)/python -m pytest $(ARGS)

check: install-dev  ## formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: install-dev  ## format and apply safe fixes
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: install-dev  ## run the benchmarks
	@$(BIN)/python -m bench $(ARGS)

# The second lock is constrained by the first: what tests run against is what users get.
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --extra embedded --extra mcp --group build

lock: install-dev  ## renew both lock files (all pins; keep them with ARGS="", raise them with ARGS=--upgrade)
	@$(COMPILE) $(ARGS) --output-file requirements.lock
	@$(COMPILE) $(ARGS) --extra dev --constraints requirements.lock --output-file requirements-dev.lock
	@echo "renewed requirements.lock and requirements-dev.lock"

clean:  ## remove .venv and caches (never the data directory)
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find bot adapters tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/pip
	$(call install,requirements.lock)
	@touch $@

# Its lock contains the other one: whoever has this needs no second round for `make run`.
$(VENV)/.installed-dev: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/pip
	$(call install,requirements-dev.lock)
	@touch $(VENV)/.installed $@

define install
	@echo "installing $(1) into $(VENV) ..."
	@$(PIP) install --require-hashes --requirement $(1)
	@$(PIP) install --no-deps --no-build-isolation --editable .
endef

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "Parley needs Python 3.11 or newer and found none on PATH." \
		"Install it, or name it: make install PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) $(IS_NEW_ENOUGH) || { echo "Parley needs Python 3.11 or newer; '$(PYTHON)' is not:" \
		"$$($(PYTHON) --version 2>&1). Name another: make install PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "'$(PYTHON)' has no venv module." \
		"On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear $(VENV)
