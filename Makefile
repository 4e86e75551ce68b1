# `make book`, `make test` and `make explore` do everything on a fresh machine: each sets itself up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Programs installed there take precedence, here and in everything started from here.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup runs merge book pages pdf explore app test test-fast lint clean

help:  ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 11

# TORCH=cpu (or cu128, …) takes that build of PyTorch from its own index, in place of PyPI's with CUDA.
TORCH ?=

$(STAMP): pyproject.toml
	@echo "== installing into $(VENV) (PyTorch is large: this can take some minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "trsfnet needs Python 3.11 or later; name one by: make PYTHON=python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@test -z "$(TORCH)" || \
	  $(BIN)/python -m pip install torch torchvision --index-url https://download.pytorch.org/whl/$(TORCH)
	@$(BIN)/python -m pip install --editable '.[test]'
	@# In a separate step, because pip's resolver fails if everything is installed at once.
	@$(BIN)/python -m pip install --quiet --editable '.[cluster]'
	@touch $@

setup: $(STAMP)  ## the environment, in .venv; TORCH=cpu leaves CUDA out

# What of the pipeline: make runs BUDGET=short TRACK=lfw SEEDS=0,1 EXHIBIT="table 1"
OPTIONS = $(if $(STUDY),study=$(STUDY)) $(if $(BUDGET),budget=$(BUDGET)) $(if $(TRACK),track=$(TRACK)) \
  $(if $(SEEDS),seeds=$(SEEDS)) $(if $(EXHIBIT),'exhibit=$(EXHIBIT)')
CORES ?= all

runs: $(STAMP)  ## the paper's 18 runs on rendered faces, into runs/; BUDGET, TRACK, SEEDS, EXHIBIT, STUDY, CORES choose
	@python -m snakemake --cores $(CORES) --quiet rules host progress reason $(if $(strip $(OPTIONS)),--config $(OPTIONS))

merge: $(STAMP)  ## finished runs from runs/ into their studies in results/, to be committed
	@python -m trsfnet merge

book: $(STAMP)  ## those runs, then the book, into _build/html/index.html; a failed run does not keep it from being made
	@status=0; $(MAKE) --no-print-directory runs || status=$$?; \
	jupyter-book build book/ || exit; \
	echo "open $(CURDIR)/_build/html/index.html"; exit $$status

pages: $(STAMP)  ## the book of the existing runs, with warnings as errors
	jupyter-book build book/ --warningiserror --nitpick

# The report is printed by whatever Chromium there is.
CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
PDF := _build/report.pdf

pdf: $(STAMP)  ## the report of the runs that are there as one PDF; needs Chromium or Chrome
	@test -n "$(CHROMIUM)" || { echo "make pdf prints by Chromium or Chrome, and finds neither: install one, such as \
	by apt-get install chromium"; exit 2; }
	jupyter-book build book/ --builder singlehtml
	@"$(CHROMIUM)" --headless --no-sandbox --disable-gpu --no-pdf-header-footer --print-to-pdf=$(PDF) \
	  "file://$(CURDIR)/_build/singlehtml/index.html" 2> /dev/null
	@echo "open $(CURDIR)/$(PDF)"

# If root is the only user, as in a container, Jupyter needs this option.
ROOT_TOO := $(if $(filter 0,$(shell id -u)),--allow-root)

explore: $(STAMP)  ## the explorer in JupyterLab: all runs' scales and slopes, "What if?", verifying two images
	jupyter lab $(ROOT_TOO) notebooks/explore.ipynb

app: $(STAMP)  ## the same as a page without code, by Voilà
	voila notebooks/explore.ipynb

test: $(STAMP) lint  ## lint and tests, which build the book with warnings as errors
	@.ci/browser
	@# A process on each core, each of one thread: more would wait for each other.
	OMP_NUM_THREADS=1 python -m pytest --numprocesses auto --maxprocesses 4

test-fast: $(STAMP)  ## the tests that take a moment each, in under three minutes
	OMP_NUM_THREADS=1 python -m pytest --numprocesses auto --maxprocesses 4 -m "not slow"

lint: $(STAMP)  ## every check of the sources: Python and its types, notebooks, JavaScript, workflows
	ruff check .
	ruff format --check .
	mypy
	nbstripout --verify --keep-id notebooks/*.ipynb
	oxlint --deny-warnings book/_static trsfnet/report/explore/browser
	actionlint
	zizmor --offline --persona pedantic --quiet .

clean:  ## remove what was built, but neither runs/ nor the environment
	rm -rf _build book/generated .snakemake .pytest_cache .ruff_cache .mypy_cache
