# Needs Python 3.11 or newer and make; everything else comes into .venv from the lock file.
# PYTHON=… names the interpreter, UV=… the locker (make lock only), BUS=pulsar the bus of the demo, TESTS=… a part of the suite.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
unexport PIP_FIND_LINKS # wheels that lie about on a machine have no say
unexport PYTHONDONTWRITEBYTECODE # set in many containers; each of our processes would compile all modules anew

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; print("$(name)" if sys.version_info >= (3, 11) else "")' 2>/dev/null)))
UV ?= uv
BIN := .venv/bin
READY := .venv/.ready
LOCK := deploy/locks/develop.txt
CODE := actors chaos runtime schemas tests $(wildcard benchmarks)
TESTS ?= tests
SECONDS ?= 120
JOBS ?= 2
SEED ?= 1

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(READY) ## make .venv and install the locked versions (every other target does it when needed)

# Done again when the lock or the project file changes; a second call costs nothing.
$(READY): $(LOCK) pyproject.toml
	@$(if $(strip $(PYTHON)),:,echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python." >&2; exit 1)
	@echo "Setting up .venv"
	@rm -f $@
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q actors chaos runtime schemas
	@touch $@

.PHONY: demo
demo: $(READY) ## the shop under load, with a crash half-way (BUS=pulsar: on a real Pulsar)
	@$(BIN)/magnetar demo $(if $(BUS),--bus $(BUS))

.PHONY: test
test: $(READY) ## the whole suite in JOBS=2 processes (TESTS=tests/unit: a part of it; JOBS=0: in this one)
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

.PHONY: check
check: $(READY) ## format, lint, types, layers, public names: what needs no server
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy $(CODE)
	@$(BIN)/basedpyright $(CODE)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest --quiet tests/unit/test_public_names.py

.PHONY: contracts
contracts: $(READY) ## the compatibility gate: the shop's contracts break nothing that was released
	@$(BIN)/magnetar schema check magnetar.actors.charging.shop:SHOP --out schemas/magnetar/schemas/commerce/avro

.PHONY: format
format: $(READY) ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only $(CODE)
	@$(BIN)/ruff format $(CODE)

.PHONY: bench
bench: $(READY) ## every benchmark, one after the other; fails at the end if a floor was missed
	@missed=""; for what in ordinary "ordinary 5 20000 postgres" processes "processes 3 40000 postgres" steady latency idle world gate; do \
		echo "== $$what"; $(BIN)/python -m benchmarks.$$what || missed="$$missed, $$what"; \
	done; if [ -n "$$missed" ]; then echo "below its floor, or unknown:$${missed#,}" >&2; exit 1; fi

.PHONY: simulate
simulate: $(READY) ## new seeds through the simulation for SECONDS=120, in JOBS=2 processes
	@$(BIN)/python -m magnetar.chaos.simulation --first -1 --seconds $(SECONDS) --jobs $(JOBS)

.PHONY: zoo
zoo: $(READY) ## hunt every known bug in JOBS=2 processes: which checker catches it, after how many schedules
	@$(BIN)/python -m magnetar.chaos.zoo --jobs $(JOBS)

.PHONY: crash-matrix
crash-matrix: $(READY) ## every fault at every fault point in every kind of step, then pairs (PART=1: a fifth of these)
	@$(BIN)/python -m magnetar.chaos.matrix $(if $(PART),--part)

.PHONY: takeover
takeover: $(READY) ## kill, freeze, cut off, restart and add real workers under load; what shards notice (SEED=1)
	@$(BIN)/python -m magnetar.chaos.takeover --seed $(SEED)

.PHONY: lock
lock: ## choose new versions of everything we use (needs uv)
	@command -v $(UV) >/dev/null || { echo "uv is needed: install it, or name it with UV=/path/to/uv." >&2; exit 1; }
	@$(UV) pip compile pyproject.toml --all-extras --group dev --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-package magnetar \
		--no-annotate --no-header --quiet --output-file $(LOCK)

.PHONY: clean
clean: ## remove what the tools left (not .venv)
	@rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: parking
parking: $(READY) ## 10,000 orders, some of which fail, under workers that are killed: do healthy ones notice? (SEED=1)
	@$(BIN)/python -m magnetar.chaos.parking --seed $(SEED)

.PHONY: paying
paying: $(READY) ## 2,000 orders, and a payment provider that is killed, slow and lying: does anybody pay twice? (SEED=1)
	@$(BIN)/python -m magnetar.chaos.paying --seed $(SEED)

.PHONY: chaos-zoo
chaos-zoo: $(READY) ## bugs that need a real cluster, each caught on one (SEED=1); records in build/chaos-zoo
	@$(BIN)/magnetar chaos zoo --seed $(SEED)

.PHONY: chaos-suite
chaos-suite: $(READY) ## every chaos scenario on a small real cluster, more than an hour (SEED=1); records in build/chaos
	@$(BIN)/magnetar chaos run --all --seed $(SEED)

.PHONY: reports
reports: $(READY) ## the pages of what is in build/chaos and build/chaos-pairs, for docs/reports
	@$(BIN)/magnetar chaos report build/chaos
	@$(BIN)/magnetar chaos report build/chaos-pairs
	@rm -rf docs/reports && mkdir -p docs/reports/pairs
	@cd build/chaos && cp --parents index.html summary.md */report.html ../../docs/reports
	@cd build/chaos-pairs && cp --parents index.html summary.md */report.html ../../docs/reports/pairs

.PHONY: chaos-ci
chaos-ci: $(READY) ## the chaos scenarios for CI on one small real cluster (SEED=1); records in build/chaos-ci
	@$(BIN)/magnetar chaos run --ci --seed $(SEED) --out build/chaos-ci
