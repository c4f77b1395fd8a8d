# Everything a person does here. Each target builds .venv from the lock by itself the first time.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,15))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo run test e2e browser pictures check lint types format accept bench lock clean

$(STAMP): requirements-dev.lock
	@test -n "$(PYTHON)" || { echo "Fanwatch needs Python 3.11 to 3.14 on the PATH (or PYTHON=...)."; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(STAMP)   ## a simulated Discord and agency with the real bot in it; ARGS="--port 8080 --speed 120"
	$(BIN)/python -m bot demo $(ARGS)

run: $(STAMP)    ## the bot itself, from .env
	$(BIN)/python -m bot run $(ARGS)

test: $(STAMP)   ## everything that needs no token, no network and no minutes
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not accept and not bench and not browser and not e2e" $(ARGS)

e2e: $(STAMP)    ## people at work: the unchanged bot in the sandbox, every command and button
	$(BIN)/python -m pytest -n auto --dist loadfile -m e2e $(ARGS)

browser: $(STAMP) ## the page in a real browser; skipped, and says so, where there is no Chromium
	$(BIN)/python -m pytest -n auto --dist loadfile -m browser -rs $(ARGS)

pictures: $(STAMP) ## the README's pictures, taken by the browser's tests
	FANWATCH_PICTURES=docs/pictures $(BIN)/python -m pytest -m browser tests/browser/test_work.py $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

check: lint types test e2e browser   ## the one gate

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

accept: $(STAMP) ## a month of a real purchase history at Discord's real limits; needs ../shared
	$(BIN)/python -m pytest -m accept -s $(ARGS)

bench: $(STAMP)  ## ratios to a floor measured in the same run
	$(BIN)/python -m pytest -m bench -s $(ARGS)

lock:            ## needs uv on the PATH
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
