# Seven words. `make demo` needs only Python ≥ 3.11, pip and make; nothing is installed outside .venv,
# except that `make test`, run as root on Debian, adds Chromium and a CJK font for the browser tests.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python
WORKERS ?= 2

.PHONY: install demo test check bench soak serve clean lock system

install: $(VENV)/.runtime

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $(VENV)/.runtime $@

# On a terminal the demo keeps serving until Ctrl-C; where nobody looks it ends when done.
demo: $(VENV)/.runtime
	@if [ -t 1 ]; then $(RUN) main.py demo $(ARGS); else $(RUN) main.py demo --headless $(ARGS); fi

serve: $(VENV)/.runtime
	$(RUN) main.py serve $(ARGS)

bench: $(VENV)/.runtime
	$(RUN) -m clients.bench.all $(ARGS)

system:
	@sh tests/system.sh

test: system $(VENV)/.dev
	$(RUN) -m pytest -q -n $(WORKERS) --dist worksteal -m "not soak" -rs tests

soak: system $(VENV)/.dev
	$(RUN) -m pytest -q -n $(WORKERS) -m soak -rs tests

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# Locks are written for every platform, with hashes and without addresses; run by a maintainer.
lock: $(VENV)/.dev
	$(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -q -o requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -q -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build dist out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
