# Two commands: `make run` and `make test`. They need Python >= 3.9 with venv, make and a network.
#   PORT          where the bot listens (5005)
#   DATABASE_URL  the catalogue, as a SQLAlchemy URL (an SQLite file in MOTCUA_HOME)
#   MOTCUA_HOME   everything written at run time (.motcua)

PYTHON ?= python3
UV := .uv/bin/uv
ENVIRONMENT := .venv/.ready
MOTCUA := .venv/bin/motcua

export UV_COMPILE_BYTECODE = 1
export UV_PROJECT_ENVIRONMENT = .venv
export PYTHONWARNINGS = ignore
export GIT_CEILING_DIRECTORIES = $(dir $(CURDIR))

.DEFAULT_GOAL := run
.PHONY: run test lint types unit bench clean

run: $(ENVIRONMENT)
	@$(MOTCUA) run

test: lint types unit

lint: $(ENVIRONMENT)
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports

types: $(ENVIRONMENT)
	@.venv/bin/mypy bot actions

unit: $(ENVIRONMENT)
	@.venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(ENVIRONMENT)
	@.venv/bin/python -m tests.benchmarks.classifiers
	@.venv/bin/python -m tests.benchmarks.catalogue
	@.venv/bin/python -m tests.benchmarks.telegram
	@.venv/bin/python -m tests.benchmarks.publishing

clean:
	rm -rf .venv .uv

$(ENVIRONMENT): uv.lock pyproject.toml .python-version | $(UV)
	@$(UV) sync --locked --quiet
	@touch $@

$(UV):
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install -qq --disable-pip-version-check uv
