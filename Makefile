# Suffice. Every target does its own set-up; `make demo` and `make test` need nothing but Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: help demo demo-local serve test test-long test-clients test-conformance check bench bench-routing bench-verify docs lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Suffice needs Python 3.11 or later; name one: make PYTHON=python3.12"; exit 3; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian: apt-get install python3-venv"; exit 3; }

# One stamp per lock file, so that a changed lock is installed again and an unchanged one costs nothing.
$(VENV)/.%: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements/$*.txt (hash-checked)"
	@$(BIN)/pip install -q --require-hashes -r requirements/$*.txt
	@$(BIN)/pip install -q --require-hashes -r requirements/build.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/.demo ## simulated providers, real coding tasks, the verified cascade: no keys, no network
	@$(BIN)/suffice demo

# Portable instructions only: autodetection picks some that virtual machines announce and do not run. Without pip's cache,
# because that may hold a wheel which another project had built with autodetection.
$(VENV)/.local: export PIP_NO_CACHE_DIR = 1
$(VENV)/.local: export CMAKE_ARGS ?= -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF
demo-local: $(VENV)/.demo $(VENV)/.local ## the same with real models on this machine (llama.cpp; ARGS="--anonymous-weights" for more rungs)
	@$(BIN)/suffice demo --local $(ARGS)

serve: $(VENV)/.core ## start the gateway
	@$(BIN)/suffice serve

test: $(VENV)/.dev ## all tests
	@$(BIN)/python -m pytest -m "not long and not clients"

test-long: $(VENV)/.dev ## the tests that take long (100 kills, many seeds)
	@$(BIN)/python -m pytest -m "long"

test-clients: $(VENV)/.dev ## real coding clients, pinned, through the gateway: ARGS="-k pi", WRITE=--write keeps the table
	@$(BIN)/python -m tests.clients.install
	@$(BIN)/python -m tests.clients.results --forget
	@$(BIN)/python -m pytest tests/clients -n 3 --no-header --tb=short $(ARGS); code=$$?; $(BIN)/python -m tests.clients.results $(WRITE); exit $$code

test-conformance: $(VENV)/.dev ## published API suites against the gateway: ARGS="--only llm-comply", OPEN_RESPONSES=clone of the suite
	@$(BIN)/python -m tests.conformance $(if $(OPEN_RESPONSES),--open-responses "$(OPEN_RESPONSES)") $(ARGS)

check: $(VENV)/.dev ## lint, format, types, import contracts, sizes, test mirror, documentation
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/python tools/check_shape.py && $(BIN)/python tools/check_mirror.py && $(BIN)/python tools/check_docs.py && $(BIN)/python tools/build_docs.py --check

BENCH_VENV ?= .venv-bench
LITELLM ?= $(BENCH_VENV)/bin/litellm

$(BENCH_VENV)/bin/litellm:
	@$(PYTHON) -m venv $(BENCH_VENV) && echo "Installing LiteLLM's proxy as a peer, in its own environment $(BENCH_VENV)" && $(BENCH_VENV)/bin/pip install -q 'litellm[proxy]' || echo "LiteLLM could not be installed: it will not be compared"

bench: $(VENV)/.dev $(if $(wildcard $(LITELLM)),,$(BENCH_VENV)/bin/litellm) ## speed side by side with nginx and LiteLLM, ~10 minutes: ARGS=--quick, LITELLM=program
	@$(BIN)/python -m bench.gateway --litellm "$(LITELLM)" $(ARGS)

bench-routing: $(VENV)/.dev ## replay recorded outcomes: DATA=folder of outcome tables, ARGS="--splits 20 --json FILE"
	@test -d "$(DATA)" || { echo "bench-routing needs DATA=folder of outcome tables (they are not part of the repository)"; exit 3; }
	@$(BIN)/python -m suffice.evals.replay_main --data $(DATA) $(ARGS)
	@$(BIN)/python bench/routing/decision_speed.py
	@$(BIN)/python bench/routing/stream.py
	@$(BIN)/python bench/routing/certificates.py $(DATA)

docs: $(VENV)/.dev ## write the generated reference
	@$(BIN)/python tools/build_docs.py

bench-verify: $(VENV)/.dev ## rates of the static gates over task sets, time of a sandbox launch: TASKS=folder ANSWERS=file JSON=file
	@$(BIN)/python -m bench.verify --launches 50 --tasks "$(or $(TASKS),shared/data/tasksets)" $(if $(ANSWERS),--answers "$(ANSWERS)") $(if $(JSON),--json "$(JSON)")

lock: ## resolve the lock files anew (needs uv)
	@cd requirements && for f in *.in; do uv pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate --universal --python-version 3.11 $$f -o $${f%.in}.txt || exit 1; done

clean: ## remove what the other targets made
	rm -rf $(VENV) $(BENCH_VENV) .clients .conformance .mypy_cache .ruff_cache .import_linter_cache
