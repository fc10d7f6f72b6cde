# One target per thing people do. Each sets up what it needs.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' && echo $$p && break; done)
VENV := .venv
TINYML := $(VENV)/bin/tinyml
RUNS ?= runs
WORDS ?= yes,no
DATA ?=
BOARD ?= sim
comma := ,

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-nightly test-container test-all lint lint-types lint-text format docs kws bench fuzz lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## the Debian packages and the virtual environment

$(VENV)/.ready: pyproject.toml setup.py requirements.lock scripts/setup.sh
	@PYTHON="$(PYTHON)" scripts/setup.sh $(VENV)
	@touch $@

demo: setup ## words in, "yes" heard on the virtual board
	$(TINYML) pipeline kws --words $(WORDS) --quick --board $(BOARD) --run $(RUNS)/demo
	@if $(TINYML) build $(RUNS)/demo --board browser --quiet >/dev/null; then \
		echo 'Open $(abspath $(RUNS)/demo/firmware/browser/page.html) in a browser and say "$(firstword $(subst $(comma), ,$(WORDS)))".'; \
	fi

PYTEST := $(VENV)/bin/python -m pytest
# In the order of collection, which puts the files that take longest first (tests/conftest.py).
WORKERS := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# One more than there are cores: tests also wait, for devices and for each other.
ONE_MORE := -n $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 4 ? n + 1 : 4)))
# Collecting everything takes as long as the serial tests themselves, so only their files are given.
SERIAL = $(shell grep -rlw --include='test_*.py' mark.serial tests)
test: setup ## what guards behaviour, in minutes
	$(PYTEST) $(WORKERS) $(ONE_MORE) -m "not slow and not serial"
	$(PYTEST) -m "serial and not slow" $(SERIAL)

# MLflow brings 40 packages, which only the tests of --track need: they run with it here, and are skipped without.
test-slow: setup $(VENV)/.mlflow ## the rest: many kills, long fuzzing, repeated trainings
	$(PYTEST) $(WORKERS) --dist load -m "slow and not nightly"

test-nightly: setup ## what takes too long for every push
	$(PYTEST) $(WORKERS) --dist load -m "nightly"

test-container: setup ## a container image on a real base, trained in
	$(PYTEST) -m nightly tests/container

test-all: test test-slow test-nightly ## every test

lint: setup ## ruff, mypy, import directions, clang-format, generated pages
	@$(MAKE) --no-print-directory -j2 lint-types lint-text

# mypy takes as long as all the others together.
lint-types:
	$(VENV)/bin/mypy

lint-text:
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python scripts/clang_format.py --check
	$(VENV)/bin/python scripts/command_pages.py --check
	$(VENV)/bin/python scripts/json_pages.py --check
	$(VENV)/bin/python scripts/course_page.py --check
	$(VENV)/bin/python scripts/notebooks.py --check

format: setup ## lay out Python and C as lint wants it
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/python scripts/clang_format.py

docs: $(VENV)/.docs ## the documentation site, in build/site; warnings are errors
	$(VENV)/bin/zensical build --strict --clean

$(VENV)/.docs $(VENV)/.mlflow: $(VENV)/.%: requirements-%.lock | setup
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# --- the pipeline as files: make does only what is not done yet --------------------------------------
RUN := $(RUNS)/kws
kws: $(RUN)/firmware/$(BOARD)/firmware.elf ## the KWS pipeline stage by stage (WORDS=yes,no DATA=folder)

$(RUN)/model.keras: | $(VENV)/.ready
	$(TINYML) train kws --words $(WORDS) $(if $(DATA),--data $(DATA)) --run $(RUN) $(TRAIN_OPTIONS)
$(RUN)/calibration.npz: $(RUN)/model.keras
	$(TINYML) quantize $(RUN)
$(RUN)/model_int8.tflite: $(RUN)/calibration.npz
	$(TINYML) convert $(RUN)
$(RUN)/export/aot/network.c: $(RUN)/model_int8.tflite
	$(TINYML) export-c-array $(RUN)
$(RUN)/firmware/$(BOARD)/firmware.elf: $(RUN)/export/aot/network.c
	$(TINYML) build $(RUN) --board $(BOARD)

bench: setup ## regenerate the numbers of docs/benchmarks.md (DATA=folder MODELS=folder)
	$(VENV)/bin/python benchmarks/run_all.py $(if $(DATA),--data $(DATA)) $(if $(MODELS),--models $(MODELS))

fuzz: setup ## mutate files of every kind and watch their readers (MUTATIONS=2000 of each format)
	$(VENV)/bin/python benchmarks/fuzz_readers.py --mutations $(or $(MUTATIONS),2000)

lock: setup ## refresh requirements.lock
	$(VENV)/bin/python -m pip install --quiet uv
	scripts/lock.sh $(VENV)/bin/uv

clean: ## runs and build folders (asks nothing: recordings are never kept there)
	rm -rf build dist $(VENV)/.ready .cache .pytest_cache .mypy_cache .ruff_cache *.egg-info
