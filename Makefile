# Two commands do everything: `make run` and `make test`. The others are for working on it.

PYTHON ?= python3
EXAMPLES ?= 50
BIN := .venv/bin
# Present once the virtual environment holds what the requirement files say.
READY := .venv/.ready
MESSAGES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))

.DEFAULT_GOAL := help
.PHONY: help run worker test check format messages bench bench-fraud fuzz client postman clean

help:  ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: $(READY) $(MESSAGES)  ## Run everything at http://demo.localhost:8000, with a demo (PORT=8001 for another port)
	@exec $(BIN)/python -m config.run

worker: $(READY)  ## Run one more worker beside `make run`
	@exec $(BIN)/python -m config.servers $(BIN)/celery --app config.celery --quiet worker --loglevel INFO --hostname extra@%h

test: check  ## Check all, then run all tests
	@$(BIN)/python -m pytest

check: $(READY) $(MESSAGES)  ## Check format, lint, types, floors and migrations
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@SARAFAN_PROFILE=test $(BIN)/python manage.py makemigrations --check --dry-run

format: $(READY)  ## Put the code into shape
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

messages: $(MESSAGES)  ## Compile the translations

bench: $(READY) $(MESSAGES)  ## Measure, and compare with the limits of this machine
	@$(BIN)/python -m benchmarks

bench-fraud: $(READY) $(MESSAGES)  ## Measure how far antifraud tells crooks from honest people
	@$(BIN)/python -m benchmarks fraud

fuzz: $(READY) $(MESSAGES)  ## Fuzz the API by its own reference (EXAMPLES=2000 for each operation, ONLY=/rewards, SHARD=1/2, SUITE=sandbox)
	@EXAMPLES=$(EXAMPLES) ONLY=$(ONLY) SHARD=$(SHARD) $(BIN)/python -m pytest --quiet --capture=no tests/fuzz/fuzz.py -k "$(SUITE)"

client: $(READY) $(MESSAGES)  ## Generate a typed Python client of the API into var/client
	@SARAFAN_PROFILE=test $(BIN)/python manage.py client var/client

postman: $(READY) $(MESSAGES)  ## Write the API as a Postman collection to var/sarafan.postman_collection.json
	@SARAFAN_PROFILE=test $(BIN)/python manage.py postman var/sarafan.postman_collection.json

clean:  ## Forget the data, the virtual environment and all that was made
	@rm -rf var .venv staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -f locale/*/LC_MESSAGES/*.mo

%.mo: %.po $(READY)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

$(READY): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: PYTHON=python3.12 make run")'
	@echo "Installing what is needed into .venv (a minute or two, once) ..."
	@umask 022 && $(PYTHON) -m venv .venv
	@umask 022 && $(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@
