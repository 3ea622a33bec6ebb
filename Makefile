# Patard. `make demo` shows a town at work, `make test` runs every test; both install what they need first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
RUNTIME := .venv/.runtime

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.PHONY: help install demo test planted browser checkers bench check lint types contracts format lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      a town with its currency on this machine, up to now (PORT=8123 moves it, Ctrl-C ends it;"
	@echo "               DAY=2026-11-22 makes that of a stated day, which is the same everywhere)"
	@echo "make test      every test"
	@echo "make planted   bugs put into a copy of the source, one at a time: does a test see each?"
	@echo "make bench     the benchmarks; writes benchmarks/results.json"
	@echo "make check     lint, format, types, import contracts"
	@echo "make format    rewrite the sources in the one format"
	@echo "make lock      pin the newest versions that pyproject.toml allows"
	@echo "make clean     forget .venv, .demo and every cache"

install: $(STAMP)

# The stamp is touched last: an install that was interrupted starts again, a complete one costs nothing. The demo runs
# on what a server or a wallet needs, a quarter of what the tests do.
$(STAMP): requirements-dev.lock pyproject.toml
	@$(call installed,requirements-dev.lock)
	@touch $@ $(RUNTIME)

$(RUNTIME): requirements.lock pyproject.toml
	@$(call installed,requirements.lock)
	@touch $@

define installed
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Patard needs Python 3.11 or newer: make PYTHON=python3.11 ...")' && \
	{ test -x $(BIN)/python || $(PYTHON) -m venv .venv; } && \
	echo "Installing the pinned requirements into .venv (once; a minute or two)" && \
	$(BIN)/python -m pip install -qq --require-hashes -r $(1) && \
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
endef

# The trap keeps the shell alive until the demo has closed its books, so that Ctrl-C ends without an error.
demo: $(RUNTIME)
	@trap : INT TERM; $(BIN)/patard demo $(if $(DAY),--day $(DAY)) || test $$? -eq 130

browser: install
	@sh tests/get_browser.sh $(BIN)

# What judges the accounts that we export (hledger, ledger-cli, somebody else's check of FEC files, apart from our
# packages), and the proxy that stands in front of a server on the internet.
checkers: install .venv/checkers/.installed
	@sh tests/get_hledger.sh
	@sh tests/get_proxy.sh .venv/proxy

.venv/checkers/.installed: tests/checkers.lock | $(STAMP)
	@rm -rf .venv/checkers
	@$(BIN)/python -m pip install -qq --require-hashes --no-deps --target .venv/checkers -r tests/checkers.lock
	@touch $@

test: install browser checkers
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

planted: install
	@$(BIN)/python -m tests.planted $(ARGS)

bench: install
	@$(BIN)/pytest benchmarks $(ARGS)

check: lint types contracts

lint: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install
	@$(BIN)/mypy

contracts: install
	@$(BIN)/lint-imports --no-logo

format: install
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

PIP_COMPILE := build/lock/bin/pip-compile --quiet --upgrade --strip-extras --generate-hashes --allow-unsafe \
	--no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install -qq pip-tools
	$(PIP_COMPILE) --extra dev -o requirements-dev.lock pyproject.toml
	$(PIP_COMPILE) --extra build --constraint requirements-dev.lock -o requirements.lock pyproject.toml

clean:
	rm -rf .venv .demo build *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
