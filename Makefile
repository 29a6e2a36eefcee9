# Needs Python 3.11 or later, make and pip; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
CHECKED := codesign plugins hardware traces tests examples benchmarks

.PHONY: browser demo test types kernel site nightly fuzz docs bench clean

demo: $(VENV)/.runs
	$(BIN)/codesign simulate resnet50 --hardware edge-npu
	$(BIN)/codesign simulate lstm_lm --hardware edge-npu
	$(BIN)/codesign simulate gpt2 --hardware server-npu
	$(BIN)/codesign simulate llama_3_1_8b_decode --hardware edge-npu --set 'sram.size=256 KiB'

test: $(VENV)/.tests browser
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(MAKE) --jobs 2 types kernel site
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# pages are tested in a headless browser; a machine of CI gets one, on any other it is up to its owner
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif [ -n "$$CI" ] && command -v apt-get >/dev/null; then \
		(apt-get update && apt-get install -y chromium chromium-driver) >/dev/null 2>&1 \
			|| echo "chromium cannot be installed: the browser tests are skipped"; \
	else echo "no chromium and chromedriver: the browser tests are skipped"; fi

types: $(VENV)/.tests
	$(BIN)/mypy

kernel: $(VENV)/.tests
	$(BIN)/codesign memory warm-up

# the documentation as a site in site/: no dead link, and nothing is fetched
site: $(VENV)/.tests
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# all tests, with the cases that take too long for every change
nightly: $(VENV)/.tests fuzz
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m '' --hypothesis-profile nightly

# 100,000 hostile inputs; docs/security.md says of what
fuzz: $(VENV)/.tests
	PYTHONPATH=tests $(BIN)/python tests/security/fuzz/fuzz_campaign.py 100000

# renews the outputs that README.md and docs/ show
docs: $(VENV)/.tests
	$(BIN)/python tests/docs_runner.py
	$(BIN)/python tests/docs_tables.py

# one table of ratios; renews benchmarks/results.json and docs/benchmarks.md
bench: $(VENV)/.tests
	$(BIN)/python benchmarks/bench.py

clean:
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	touch $@

$(VENV)/.tests: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev,transformers]'
	touch $@ $(VENV)/.runs
