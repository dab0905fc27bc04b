# Chappe's recipes. People and CI run the same ones; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench lock docs model clean

# The first of these that is Python 3.11 or newer. Another: make PYTHON=/path/to/python test
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

help: ## List the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1mmake %-8s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Chappe needs Python 3.11 or newer; none was found. Install it or set PYTHON=..." >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(READY) ## Start the demonstration: a server, receivers for mail and webhooks, and example messages
	$(BIN)/chappe serve --demo

test: lint ## Check everything: lint, types, layers, and all tests
	$(BIN)/pytest

lint: $(READY) ## Check format, lint, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code and mend what can be mended by machine
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(READY) ## Measure; ARGS="a b --quick" chooses (see bench/README.md)
	$(BIN)/python -m bench $(ARGS)

docs: $(READY) ## Write the generated pages of docs/ anew
	$(BIN)/python -m chappe.config > docs/settings.md
	$(BIN)/python -m tests.wire.conformance > docs/sqs-conformance.md
	$(BIN)/python -m chappe.cli.reference > docs/commands.md
	$(BIN)/python -m chappe.compliance.handbook docs/rules

model: $(READY) ## Train the classifier on the corpus anew; CHECK=FILE.csv judges labelled messages with it
	$(BIN)/chappe classify train --corpus corpus --out src/chappe/classify/model.json \
		--licence Apache-2.0 --max-false-positives 6% $(if $(CHECK),--check $(CHECK))

lock: $(READY) ## Resolve the dependencies anew into requirements.lock and requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --group dev pyproject.toml -o requirements-dev.lock

clean: ## Remove what the recipes made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache bench/results
