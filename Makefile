# On a fresh machine, `make book`, `make test` and `make explore` each do their own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Programs installed there take precedence, here and in everything started from here.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup runs merge book pages pdf explore app test test-fast lint clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 11

# TORCH=cpu (or cu128, …) installs that build of PyTorch from PyTorch's own index instead of PyPI's CUDA build.
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

setup: $(STAMP)  ## create the environment in .venv; TORCH=cpu leaves out CUDA

# Which runs the pipeline executes: make runs BUDGET=short TRACK=lfw SEEDS=0,1 EXHIBIT="table 1"
OPTIONS = $(if $(STUDY),study=$(STUDY)) $(if $(BUDGET),budget=$(BUDGET)) $(if $(TRACK),track=$(TRACK)) \
  $(if $(SEEDS),seeds=$(SEEDS)) $(if $(EXHIBIT),'exhibit=$(EXHIBIT)')
CORES ?= all

runs: $(STAMP)  ## train the paper's 18 settings briefly on rendered faces; BUDGET, TRACK, SEEDS, EXHIBIT, STUDY, CORES choose others
	@python -m snakemake --cores $(CORES) --quiet rules host progress reason $(if $(strip $(OPTIONS)),--config $(OPTIONS))

merge: $(STAMP)  ## add the finished runs in runs/ to their studies in results/
	@python -m trsfnet merge

book: $(STAMP)  ## train those runs, then build the book in _build/html, even if a run failed
	@status=0; $(MAKE) --no-print-directory runs || status=$$?; \
	jupyter-book build book/ || exit; \
	echo "open $(CURDIR)/_build/html/index.html"; exit $$status

pages: $(STAMP)  ## build the book from the existing runs, with warnings as errors
	jupyter-book build book/ --warningiserror --nitpick

# The report is printed by the Chromium or Chrome that is installed.
CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
PDF := _build/report.pdf

pdf: $(STAMP)  ## print the report of the existing runs as one PDF; needs Chromium or Chrome
	@test -n "$(CHROMIUM)" || { echo "make pdf needs Chromium or Chrome, and neither is installed: install one, \
	for example with apt-get install chromium"; exit 2; }
	jupyter-book build book/ --builder singlehtml
	@"$(CHROMIUM)" --headless --no-sandbox --disable-gpu --no-pdf-header-footer --print-to-pdf=$(PDF) \
	  "file://$(CURDIR)/_build/singlehtml/index.html" 2> /dev/null
	@echo "open $(CURDIR)/$(PDF)"

# If root is the only user, as in a container, Jupyter needs this option.
ROOT_TOO := $(if $(filter 0,$(shell id -u)),--allow-root)

explore: $(STAMP)  ## open the explorer in JupyterLab: scales and slopes of all runs, "What if?", two images
	jupyter lab $(ROOT_TOO) notebooks/explore.ipynb

app: $(STAMP)  ## show the explorer without its code, with Voilà
	voila notebooks/explore.ipynb

test: $(STAMP) lint  ## lint, then run all tests, which build the book with warnings as errors
	@.ci/browser
	@# One process per core with one thread each: more threads would wait for each other.
	OMP_NUM_THREADS=1 python -m pytest --numprocesses auto --maxprocesses 4

test-fast: $(STAMP)  ## run all tests except the slow ones, in under three minutes
	OMP_NUM_THREADS=1 python -m pytest --numprocesses auto --maxprocesses 4 -m "not slow"

lint: $(STAMP)  ## check Python and its types, notebooks, JavaScript and workflows
	ruff check .
	ruff format --check .
	mypy
	nbstripout --verify --keep-id notebooks/*.ipynb
	oxlint --deny-warnings book/_static trsfnet/report/explore/browser
	actionlint
	zizmor --offline --persona pedantic --quiet .

clean:  ## remove build products, but neither runs/ nor the environment
	rm -rf _build book/generated .snakemake .pytest_cache .ruff_cache .mypy_cache
