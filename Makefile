# How to work on the project. Needs make and Python 3.11+ (or uv); no root, no Docker, no service.
.SUFFIXES:
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
EXAMPLE := examples/media-library
IMAGE ?= migration-gate
PYTEST_ARGS ?= -n auto
BENCH_ARGS ?= --sizes 5 100 500 --repeat 5

# Tests are collected in half the time if their bytecode is kept.
unexport PYTHONDONTWRITEBYTECODE

# Where no server is installed, a Postgres in a wheel serves.
SERVERS := $(wildcard /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres \
	/opt/homebrew/opt/postgresql*/bin/postgres /usr/local/opt/postgresql*/bin/postgres) $(shell command -v postgres)
EMBEDDED := $(if $(strip $(SERVERS)),no,yes)

.PHONY: help demo demo-broken demo-failing test test-fast test-release update lint format image docs bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: .venv/.gate $(EXAMPLE)/.venv/.ready ## set everything up, and run the gate on the example: it passes
	$(BIN)/migration-gate check $(EXAMPLE)

demo-broken: .venv/.gate $(EXAMPLE)/.venv/.ready ## the same, on a copy with one example of each kind of finding
	$(BIN)/python examples/copy_variant.py broken build/media-library-broken
	@$(BIN)/migration-gate check build/media-library-broken; \
		status=$$?; echo "Exit status $$status, as it should be 1."; test $$status = 1

demo-failing: .venv/.gate $(EXAMPLE)/.venv/.ready ## the same, on a copy with a revision that Postgres refuses
	$(BIN)/python examples/copy_variant.py failing build/media-library-failing
	@$(BIN)/migration-gate check build/media-library-failing; \
		status=$$?; echo "Exit status $$status, as it should be 1."; test $$status = 1

test: .venv/.dev $(EXAMPLE)/.venv/.ready ## set everything up, and run all tests (PYTEST_ARGS="-k drift")
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-fast: .venv/.dev ## only the tests that start neither Postgres nor another interpreter
	$(BIN)/python -m pytest -m "not slow and not docker and not corpus and not release" $(PYTEST_ARGS)

test-release: .venv/.dev $(EXAMPLE)/.venv/.ready ## the tests that run before a release only, because they take long
	$(BIN)/python -m pytest -m release $(PYTEST_ARGS)

update: .venv/.dev $(EXAMPLE)/.venv/.ready ## regenerate all pages, golden files and example reports
	$(BIN)/python -m pytest --update -q -m "not docker and not release" $(PYTEST_ARGS)
	$(BIN)/python -m docs.generate
	@git status --short 2>/dev/null || true

lint: .venv/.dev ## ruff, mypy, and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py

format: .venv/.dev ## format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: .venv/.dev ## regenerate the pages that come from the code
	$(BIN)/python -m docs.generate

image: ## build the action's image; prints its size and how fast it starts (needs Docker)
	IMAGE=$(IMAGE) .ci/image

bench: .venv/.gate .venvs/bench/.ready ## time the gate against plain Alembic and pytest-alembic (BENCH_ARGS="--sizes 100")
	$(BIN)/python benchmarks/replay/run.py $(BENCH_ARGS)

lock: ## resolve the image's packages again, with their hashes (needs uv)
	uv lock --upgrade --quiet
	uv export --quiet --frozen --no-default-groups --group image --no-emit-project --no-annotate --no-header \
		--no-emit-package pygments --no-emit-package markdown-it-py --no-emit-package mdurl \
		--format requirements-txt --output-file requirements.lock

clean: ## remove what was set up and built
	rm -rf .venv .venvs build dist $(EXAMPLE)/.venv .mypy_cache .ruff_cache .pytest_cache

# --- environments ------------------------------------------------------------

.venv/.gate: pyproject.toml .ci/environment
	@EMBEDDED=$(EMBEDDED) .ci/environment .venv --editable .
	@touch $@

.venv/.dev: pyproject.toml .ci/environment
	@EMBEDDED=yes .ci/environment .venv --editable . --group dev
	@touch .venv/.gate $@

# The example's packages are in an environment of their own, as any project's are.
$(EXAMPLE)/.venv/.ready: $(EXAMPLE)/pyproject.toml .ci/environment | .venv/.gate
	@mkdir -p build
	@$(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"], sep="\n")' \
		$(EXAMPLE)/pyproject.toml > build/media-library.txt
	@EMBEDDED=no .ci/environment $(EXAMPLE)/.venv --requirement build/media-library.txt
	@touch $@

.venvs/bench/.ready: benchmarks/replay/requirements.txt .ci/environment
	@mkdir -p .venvs
	@EMBEDDED=no .ci/environment .venvs/bench --requirement benchmarks/replay/requirements.txt
	@touch $@
