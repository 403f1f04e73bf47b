# Every target sets up what it needs; a second run with nothing changed takes no time.
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .tools/bin/uv
STAMP := .venv/.synced
WORKERS ?= 3
PYTEST_ARGS ?=
EXAMPLES ?= 150
LEAST ?= 10000

export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help setup run demo browser test check bench fuzz faults drill examples assets format clean

help:  ## Say what can be made.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# A uv on the PATH is taken where it fits (`required-version` in pyproject.toml, which every command of uv looks at).
$(UV):
	@if uv python find $(PYTHON) >/dev/null 2>&1; then \
		mkdir -p $(@D) && ln -sf "$$(command -v uv)" $@; \
	else \
		$(PYTHON) -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	fi

# Compiled once here: where Python may not write bytecode, every process else spends two seconds on it at its start.
$(STAMP): $(UV) pyproject.toml uv.lock
	$(UV) sync --frozen --all-groups --quiet --compile-bytecode --python $$($(PYTHON) -c 'import sys; print(sys.executable)')
	.venv/bin/python -m compileall -q -x '/\.|/(tests|bench)/' .
	@touch $@

setup: $(STAMP)  ## Prepare .venv with everything pinned in uv.lock.

run: setup  ## Start the embedded stack and print its addresses; Ctrl-C stops it.
	@exec .venv/bin/hetao up

demo: setup  ## Do the main job on real input, on an embedded stack of its own.
	@exec .venv/bin/hetao demo

# Debian's browser and fonts for the tests of pages; where they cannot be installed those tests are skipped and say why.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || [ -n "$$HETAO_CHROMIUM" ] \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; } \
	|| echo "Tests of pages need a browser: apt-get install chromium fonts-noto-cjk"

test: setup browser  ## Run all tests.
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

check: setup  ## Lint, formatting, types, imports.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup  ## Measure the engine beside the alternatives; FULL=1 for all of it.
	@exec .venv/bin/python -m bench.run

fuzz: setup  ## Send ten thousand generated requests and more, to every route as every role, and count them, and as many roster files; EXAMPLES=N a route, LEAST=N in all.
	HETAO_FUZZ_EXAMPLES=$(EXAMPLES) HETAO_FUZZ_LEAST=$(LEAST) .venv/bin/python -m pytest -p tests.api.tally \
		tests/api/test_fuzz.py tests/register/rosters/test_fuzz.py tests/test_altered.py -n $(WORKERS) --dist load

faults: setup  ## Break everything under 1,000 cases and look whether anything was lost, then the drill; CASES=100, DRILL=20, SEED=...
	@SEED="$(SEED)" CASES="$(CASES)" .venv/bin/python -m bench.faults.run; \
	first=$$?; SEED="$(SEED)" CASES="$(DRILL)" .venv/bin/python -m bench.faults.drill && exit $$first

drill: setup  ## Lose Temporal, take PostgreSQL back, and both, under 200 cases; CASES=20, SEED=..., LOSSES=temporal,postgres,both
	@SEED="$(SEED)" CASES="$(CASES)" LOSSES="$(LOSSES)" .venv/bin/python -m bench.faults.drill

examples: setup  ## Record the examples of the OpenAPI document that are new or fit no longer, from a walk through every route.
	HETAO_RECORD_EXAMPLES=1 .venv/bin/python -m pytest tests/api/test_examples.py -q -k record

assets:  ## Build the console's styles and scripts anew from their locked packages; needs node, which nothing else does.
	cd console/assets && npm ci --silent && node build.mjs

format: setup  ## Format the code and mend what ruff can mend.
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean:  ## Remove the environments and caches.
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
