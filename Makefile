# Two environments: .venv-runtime holds what a studio machine gets, .venv what the build side and the
# tests need. Both come from hash-locked lists, installed without following dependencies.

# A Python that runs; `make PYTHON=... test` overrides. 3.10-3.12 come first, because for them everything
# is a wheel; for newer ones the sampler (tinysoundfont) is compiled, which needs a C++ compiler.
PYTHON ?= $(shell for newest in 12 99; do for p in python3 python3.12 python3.11 python3.10 python3.13 python3.14; do \
  "$$p" -c "import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, $$newest))" \
  >/dev/null 2>&1 && { echo "$$p"; exit; }; done; done)

# A GPU, or an index that has builds for CUDA only: make TORCH="torch==2.13.0 --index-url ..." test
TORCH ?= torch==2.13.0

PACK := packs/reference
VOCAL := demo/vocal.flac
SOURCES := $(shell find appliance -type f -not -path '*/__pycache__/*' 2>/dev/null)
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps

# Neither an active environment nor the user's own packages may leak in.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PYTHONNOUSERSITE := 1

.DEFAULT_GOAL := help
.PHONY: help demo quick test machine bundle image lint lock bench bench-peers clean python

help:
	@echo 'make demo   set up the runtime and render $(VOCAL) with $(PACK)'
	@echo 'make quick  the checks that need no training and no service, in about a minute'
	@echo 'make test   set up the tools; ruff, mypy, import rules, every test'
	@echo 'make machine  as root: the service under real systemd, in machines of its own'
	@echo 'make bundle  dist/: the release as one file that installs without a network'
	@echo 'make image   dist/: the same release as a container image for podman and docker'
	@echo 'make lint   the checks of make test without the tests'
	@echo 'make bench  speed on this machine, in about ten minutes; see bench/README.md'
	@echo 'make lock   write requirements/*.txt anew from pyproject.toml'
	@echo 'make clean  remove both environments and what they built'

demo: .venv-runtime/installed
	rm -rf demo/out
	.venv-runtime/bin/backline render $(VOCAL) --pack $(PACK) --out demo/out

test: lint
	.venv/bin/python -m pytest

# The rooms that need no torch, without tests that start a service or are marked slow.
QUICK := tests/appliance tests/bench tests/bundle tests/house tests/systemd

quick: lint
	.venv/bin/python -m pytest -m 'not (slow or service or soak)' $(QUICK)

machine: .venv/installed
	.venv/bin/python -m pytest -m privileged -s --durations=0 tests/machine

# Signed with the minisign key that BACKLINE_SIGNING_KEY names, else with a throwaway one.
bundle: .venv/installed
	.venv/bin/python -m bundle

image: .venv/installed
	.venv/bin/python -m bundle image

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

# Everything side by side, in one run; BENCH passes on options, PEERS names a Python with other software.
BENCH :=
PEERS := .venv/bin/python

bench: .venv/installed
	.venv/bin/python -m bench $(BENCH)

bench-peers: .venv/installed
	.venv/bin/python -m bench --peers --peers-python $(PEERS) $(BENCH)

lock: .venv/locker
	for list in runtime tools compiler; do \
	  .venv/locker/bin/uv pip compile $$([ $$list = compiler ] || echo pyproject.toml) requirements/$$list.in \
	    --output-file requirements/$$list.txt \
	    --universal --python-version 3.10 --generate-hashes --custom-compile-command 'make lock' \
	    --excludes requirements/left-out.txt --no-emit-package torch --quiet \
	    $$([ $$list = tools ] && echo --extra tools --extra test) || exit 1; \
	done

clean:
	rm -rf .venv .venv-runtime demo/out dist build

python:
	@if [ -z "$(PYTHON)" ]; then echo 'Backline needs Python 3.10 or newer with venv \
	(Debian and Ubuntu: apt install python3-venv); set PYTHON=/path/to/python3 if it has another name.' >&2; exit 1; fi

# A list that is installed whole leaves a stamp; a changed list starts the environment afresh.
.venv-runtime/packages: requirements/runtime.txt | python
	rm -rf $(@D) && "$(PYTHON)" -m venv $(@D)
	$(@D)/bin/python $(PIP_INSTALL) --require-hashes -r $<
	touch $@

.venv-runtime/installed: .venv-runtime/packages pyproject.toml $(SOURCES)
	$(@D)/bin/python $(PIP_INSTALL) --no-build-isolation --force-reinstall .
	touch $@

.venv/packages: requirements/tools.txt | python
	rm -rf $(@D) && "$(PYTHON)" -m venv $(@D)
	$(@D)/bin/python $(PIP_INSTALL) --require-hashes -r $<
	touch $@

# torch has a build for each kind of machine, each with its own hash and companions, so it alone is
# pinned by version and may bring them. What all builds need is in the list already.
.venv/torch: .venv/packages
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	touch $@

.venv/installed: .venv/torch pyproject.toml
	$(@D)/bin/python $(PIP_INSTALL) --no-build-isolation --editable .
	touch $@

.venv/locker:
	"$(PYTHON)" -m venv $@ && $@/bin/python $(PIP_INSTALL) uv==0.13.8
