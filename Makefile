# glassnb: make help lists the targets. Nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The stamp holds a checksum of what the environment is made from.
STAMP := $(VENV)/.made-from
SUM := $(shell { cat pyproject.toml; $(PYTHON) -V; } 2>/dev/null | cksum | cut -d' ' -f1)
FRESH := $(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$(SUM)" ] && echo yes)

.PHONY: help env notebooks lab test test-all lint format glasses crystals benchmarks clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: ## make the environment in .venv, if missing or out of date
ifneq ($(FRESH),yes)
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"glassnb needs Python 3.11 or later, found {v[0]}.{v[1]}: set PYTHON=python3.11")'
	@echo "making the environment in $(VENV) (about two minutes, once)"
	@rm -f $(STAMP)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@echo "$(SUM)" > $(STAMP)
endif

notebooks: env ## execute every notebook; HTML and figures land in output/
	@$(BIN)/python scripts/run_notebooks.py

lab: env ## open the notebooks in JupyterLab
	@$(BIN)/python -m jupyterlab --notebook-dir=notebooks

test: env ## run the whole test suite: library, notebooks, widgets, browser
	@$(BIN)/python -m pytest
	@GLASSNB_FIGURES=off $(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300 -W default -p no:cacheprovider notebooks

test-all: test ## what test runs, and 500 damaged files for each reader
	@GLASSNB_FUZZ=500 $(BIN)/python -m pytest $(wildcard tests/test_fuzz_*.py)

lint: env ## check formatting, style, types and that notebooks hold no outputs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/nbstripout --verify notebooks/*.ipynb

format: env ## format the code and strip the notebooks
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/nbstripout notebooks/*.ipynb

glasses: env ## make the shipped glasses again by molecular dynamics (five hours)
	@$(BIN)/python scripts/make_glasses.py
	@$(BIN)/python scripts/make_series.py
	@$(BIN)/python scripts/make_metallic_glasses.py

crystals: env ## make the database of the holes of crystals again (about five minutes)
	@$(BIN)/python scripts/make_crystal_database.py

benchmarks: env ## compare with peer packages and print the ratios
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmarks]'
	@$(BIN)/python -m benchmarks

clean: ## remove the environment and everything made
	rm -rf $(VENV) output .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
