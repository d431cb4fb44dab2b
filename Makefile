# Everything runs in .venv, which is made on demand: a machine with Python >= 3.11 and make is enough.
PYTHON ?= python3
BIN = .venv/bin
INSTALLED = .venv/.installed
JOBS = 2
SEED = $(shell date +%Y%m%d)

.PHONY: help demo test collected shuffled coverage interop-scenarios interop-others browser bench bench-client chaos soak conformance interop upstream upstream-interop versions parity docs build lint types twin static check clean

help:
	@echo "make demo    run examples/quickstart.py"
	@echo "make test    run the whole test suite; JOBS=2 processes"
	@echo "make collected  compile the tests, so that the next run begins sooner"
	@echo "make shuffled  the same in random order; SEED=20261128"
	@echo "make coverage  the same, and what of the package it reaches: a floor for each part"
	@echo "make conformance  compare the bundled server with recordings of the real one, if they are here"
	@echo "make interop run the interop scenarios on a real langgraph dev"
	@echo "make upstream run the tests that LangGraph and its SDK ship against this package"
	@echo "make browser run a page with useStream in Chromium; needs node, npm and chromium"
	@echo "make upstream-interop  the SDK's integration tests with one half of LangGraph's"
	@echo "make versions run tests on the oldest langgraph, and on newer Pythons"
	@echo "make chaos   thousands of streams through a wire that breaks: lost 0, repeated 0"
	@echo "make chaos-cluster  three servers on PostgreSQL, killed, paused, restarted: lost 0, repeated 0"
	@echo "make test-postgres  the tests of the server and the comparison with recordings, on PostgreSQL"
	@echo "make bench-servers  measure servers on PostgreSQL, one and three, beside SQLite"
	@echo "make bench   measure the bundled server beside a real langgraph dev"
	@echo "make bench-client  measure the client beside langgraph_sdk, httpx and the socket"
	@echo "make soak    100,000 runs on one server: memory and latency flat"
	@echo "make parity  write tests/remote/parity.md: RemoteGraph beside the local graph"
	@echo "make docs    build the documentation into docs/_build/html"
	@echo "make build   build sdist and wheel, and run examples from each in an empty environment"
	@echo "make check   format, lint, types, generated twin, stubs, tests: what CI runs"
	@echo "make static  all of it but the tests"
	@echo "make lint    check format and style"
	@echo "make types   check types and stubs"
	@echo "make twin    write the blocking client from the async one"
	@echo "make clean   delete .venv and caches"

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "langgraph_client needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@UV_NATIVE_TLS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[dev]" \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/python examples/quickstart.py

test: $(INSTALLED)
	@$(BIN)/python -m pytest -n $(JOBS)

# Each process of pytest-xdist would compile all tests for itself, and not find what others have compiled.
collected: $(INSTALLED)
	@$(BIN)/python -m pytest --collect-only -q >/dev/null

shuffled: $(INSTALLED)
	@$(BIN)/python -m pytest -n $(JOBS) --shuffle=$(SEED) --durations=20

coverage: $(INSTALLED)
	@$(BIN)/python .ci/coverage_floors.py -n $(JOBS)

conformance: $(INSTALLED)
	@$(BIN)/python tests/server/conformance.py
	@$(BIN)/python tests/server/event_conformance.py

.interop/.installed: $(INSTALLED)
	@$(BIN)/python -m tests.interop.real

interop: interop-scenarios interop-others

interop-scenarios: .interop/.installed
	@$(BIN)/python -m pytest --interop --durations=10 tests/_async/test_scenarios.py tests/_async/test_scenarios_runs.py \
		tests/_async/test_scenarios_events.py tests/_sync/test_scenarios.py \
		tests/_sync/test_scenarios_runs.py tests/_sync/test_scenarios_events.py \
		tests/remote/test_congruence.py tests/third_party

interop-others: .interop/.installed
	@$(BIN)/python -m pytest --interop --durations=10 tests/strangers tests/browser \
		tests/terminal/test_terminal.py::test_on_a_real_server tests/server/test_pull.py tests/apps \
		tests/acceptance tests/ui/test_interop.py

upstream: $(INSTALLED)
	@$(BIN)/python tests/upstream/run.py $(SUITES)

browser: $(INSTALLED)
	@$(BIN)/python -m pytest tests/browser --interop

upstream-interop: $(INSTALLED)
	@$(BIN)/python tests/upstream/run.py their-client their-server

versions: $(INSTALLED)
	@$(BIN)/python tests/versions/run.py $(PARTS)

chaos: $(INSTALLED)
	@$(BIN)/python tests/chaos/run.py $(CHAOS)

chaos-cluster: $(INSTALLED)
	@$(BIN)/python tests/cluster/chaos.py $(CHAOS)

test-postgres: $(INSTALLED)
	@$(BIN)/python -m pytest -n $(JOBS) --storage postgres tests/server tests/cluster
	@STORAGE=postgres $(BIN)/python tests/server/conformance.py
	@STORAGE=postgres $(BIN)/python tests/server/event_conformance.py

bench-servers: $(INSTALLED)
	@$(BIN)/python tests/benchmarks/servers.py

soak: $(INSTALLED)
	@$(BIN)/python tests/load/soak.py

parity: $(INSTALLED)
	@$(BIN)/python tests/remote/parity.py

bench: $(INSTALLED)
	@$(BIN)/python tests/benchmarks/run.py
	@$(BIN)/python tests/benchmarks/kit.py

bench-client: $(INSTALLED)
	@$(BIN)/python tests/benchmarks/client/run.py

docs: $(INSTALLED)
	@$(BIN)/sphinx-build -q -W --keep-going -E -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

build: $(INSTALLED)
	@$(BIN)/python .ci/build.py

lint: $(INSTALLED)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(INSTALLED)
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file .ci/mypy-examples.ini
	@$(BIN)/pyright
	@$(BIN)/pyright --project .ci/pyright-examples.json
	@$(BIN)/python .ci/stubtest.py

twin: $(INSTALLED)
	@$(BIN)/python .ci/unasync.py

static: lint types
	@$(BIN)/python .ci/unasync.py --check

check: static
	@$(MAKE) --no-print-directory shuffled

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
