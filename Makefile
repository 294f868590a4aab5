# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2

.PHONY: help demo test lint unit bench exam clean

help:
	@echo "make demo   install into .venv and judge an embedded real server"
	@echo "make test   lint, types, architecture and every test (what CI runs)"
	@echo "make lint   the first three of these"
	@echo "make bench  measure speed against peers; writes bench/RESULTS.md"
	@echo "make exam   the long runs"

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "no venv: apt install python3-venv"; exit 1; }
	@touch $@

.venv/demo: .venv/made pyproject.toml
	@echo "installing into .venv ..."
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[all]'
	@touch $@

.venv/dev: .venv/made pyproject.toml
	@echo "installing into .venv ..."
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/demo

# aiosmtpd breaks some rules of RFC 5321, and check says so by exit code 1: here that is the point.
demo: .venv/demo
	@echo; echo "Judging an embedded aiosmtpd (a real server) by RFC 5321:"; echo
	@$(BIN)/fsm-smtp check; code=$$?; \
	if [ $$code -eq 1 ]; then \
	  echo; echo "Exit code 1: the server broke the rules above. That is aiosmtpd's doing, and what this tool is for."; \
	else exit $$code; fi

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache

# Our own plugin would be imported before the measuring begins.
# Coverage is asked of the core, and costs half as much again: what does not test the core goes without.
CORE_TESTS := tests/core tests/wire tests/session tests/ahead tests/client tests/verify tests/mutate tests/owed
CORE := fsm_smtp/table/*,fsm_smtp/verify/*,fsm_smtp/wire/*,fsm_smtp/machine.py,fsm_smtp/configuration.py,fsm_smtp/refusal.py,fsm_smtp/session.py,fsm_smtp/ahead/*,fsm_smtp/counts.py,fsm_smtp/event.py,fsm_smtp/vocabulary.py,fsm_smtp/yaml_source.py,fsm_smtp/errors.py,fsm_smtp/command.py

# Whole tables, visited again and again: no line of the core is theirs alone, and coverage doubles their time.
TESTS := $(filter-out %/__pycache__,$(patsubst %/,%,$(wildcard tests/*/))) $(wildcard tests/test_*.py)
REPEATED := $(addprefix tests/verify/,test_broken.py test_policies.py test_reference.py) tests/core/test_three_way.py tests/owed/test_calibrate.py

unit: .venv/dev
	$(BIN)/python -m pytest -q -p no:fsm_smtp -n $(JOBS) --dist worksteal --cov --cov-report= $(CORE_TESTS) $(addprefix --ignore=,$(REPEATED))
	$(BIN)/coverage report --include='$(CORE)' --skip-covered --show-missing --fail-under=100
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal $(REPEATED) $(filter-out $(CORE_TESTS),$(TESTS))

test: lint unit

bench: .venv/dev
	$(BIN)/python -m bench

exam: bench
	FSM_SMTP_EXAM=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal tests/export
	$(BIN)/python -m tests.exam.streaming
	$(BIN)/python -m tests.exam.model
	$(BIN)/python -m tests.exam.kit
	$(BIN)/python -m tests.exam.link
	$(BIN)/python -m tests.exam.delivery
	$(BIN)/python -m tests.judged --exam
	$(BIN)/python -m tests.exam.composition
	$(BIN)/python -m tests.exam.checker
	{ echo "# Every mutant of the table"; echo; date -u +%F; $(BIN)/fsm-smtp --version; echo; \
	  echo "Each single change of a written row is refused by the loader, noticed by verification, or proven by"; \
	  echo "bisimulation to make no difference."; echo; \
	  echo '```'; $(BIN)/fsm-smtp mutate --all || exit 1; echo '```'; } > docs/mutants.md; cat docs/mutants.md

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
