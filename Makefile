# Everything that CI does, by the same names. `make dev` first; the others make what they miss.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: dev test lint types docs docs-check accuracy bench wheel-test ci clean

dev: .venv/ready ## The virtual environment with the project in it, editable

.venv/ready: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m compileall -q src  # also where the environment says that imports write no bytecode
	touch $@

test: .venv/ready ## The tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: .venv/ready ## Ruff: rules and layout
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/ready ## Mypy, strict
	$(BIN)/mypy

docs: .venv/ready ## Write what is generated from the catalogue, the command line and the bench results
	for page in docs/generate*.py; do $(BIN)/python $$page || exit 1; done

docs-check: .venv/ready ## Fail where a generated page differs from what it is generated from
	for page in docs/generate*.py; do $(BIN)/python $$page --check || exit 1; done

accuracy: .venv/ready ## The fixtures, exactly as expected
	$(BIN)/python -m bench.accuracy.fixtures

bench: .venv/ready ## The labelled trees; TREES is the folder of their checkouts (bench/accuracy/README.md)
	$(BIN)/python -m bench.accuracy --trees "$(TREES)" --floor

wheel-test: .venv/ready ## Build the wheel, install it and its dependencies apart, audit from /
	CRONAUDIT_WHEEL_DEPENDENCIES=index $(BIN)/python -m pytest tests/packaging

ci: ## What CI runs
	.ci/run

clean: ## Remove what can be made again
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache
