# Builds, runs, tests and checks the project. `make help` lists what there is.

ifneq ($(words $(CURDIR)),1)
$(error "$(CURDIR)": buildout cannot work in a directory whose path contains a blank)
endif

PYTHON ?= python3
# Most tests wait for a process or for a server: with four workers, two cores take a
# third less time than with two.
PYTEST_OPTIONS ?= -n 4 --dist loadgroup

VENV := .venv
# The linters are installed apart: a script of bin/ must not find what they need.
LINT := $(VENV)/lint
PIP := bin/pip --quiet --disable-pip-version-check
BUILDOUT_INPUT := buildout.cfg versions.cfg setup.py pyproject.toml \
	$(wildcard recipes/*/setup.py) $(shell find recipes/*/src -name '*.py' -o -name '*.in')
LINTED := src recipes tests tools benchmarks demo

# Builds of source releases take their build tools from the same pins.
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
# The tests start thousands of processes: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: install
install: $(VENV)/.built ## build bin/instance, bin/maildrop and bin/pytest

.PHONY: start
start: install ## the mail daemon in the background, Plone in the foreground
	bin/maildrop-status > /dev/null || bin/maildrop-start
	bin/instance fg

.PHONY: stop
stop: ## stop Plone and the mail daemon
	@test ! -x bin/instance || bin/instance stop
	@# A Plone in the foreground of another terminal has no daemon manager to ask, and no
	@# pid file while it starts.
	@ps -ww -eo pid=,args= | awk '$$3 == "$(CURDIR)/parts/instance/bin/interpreter" \
		&& $$4 ~ /\/serve\.py$$/ { print $$1 }' | while read -r pid; do kill "$$pid"; done
	@test ! -x bin/maildrop-stop || bin/maildrop-stop

.PHONY: demo
demo: install ## show a mail on its way, stay up until Ctrl-C; DEMO=once ends by itself
	@PYTHONPATH=. bin/py -m demo $(DEMO)

.PHONY: test
test: install ## build what is missing and run every test
	bin/pytest $(PYTEST_OPTIONS) --ignore tests/plone/browser \
		--ignore tests/proof/powercut --ignore tests/proof/soak
	@# By themselves: Playwright's greenlets and a failing test can crash a worker, and so
	@# can the parser that pytest needs for a traceback with source lines.
	bin/pytest --tb=native tests/plone/browser

.PHONY: fuzz
fuzz: install ## try the SMTP client against strange relays for about ten minutes
	bin/pytest $(PYTEST_OPTIONS) --hypothesis-profile=fuzz tests/engine/smtp/test_fuzz.py

.PHONY: proof
proof: install ## cut the power of recorded runs on both databases; PROOF_SECONDS=300
	bin/pytest tests/proof/powercut --proof-seconds $(or $(PROOF_SECONDS),300)

.PHONY: soak
soak: install ## let everything happen at once, watch memory; SOAK_MINUTES=10
	bin/pytest tests/proof/soak --soak-minutes $(or $(SOAK_MINUTES),2)

.PHONY: bench
bench: install ## measure beside what people use today; GROWTH=1, SHARED=1, CHURN=100000
	@bin/bench $(if $(GROWTH),growth) $(if $(SHARED),shared) $(if $(CHURN),churn $(CHURN))

.PHONY: lint
lint: $(LINT)/.done ## check style, types and the borders between the packages
	$(LINT)/bin/ruff check $(LINTED)
	$(LINT)/bin/ruff format --check $(LINTED)
	$(LINT)/bin/python tools/constraints.py --check
	$(LINT)/bin/mypy src/collective/maildrophost/engine tools
	cd recipes/collective.recipe.maildrophost && $(CURDIR)/$(LINT)/bin/mypy
	PYTHONPATH=src $(LINT)/bin/lint-imports
	$(LINT)/bin/towncrier build --draft --version next > /dev/null

.PHONY: format
format: $(LINT)/.done ## put the code into the project's style
	$(LINT)/bin/ruff check --fix $(LINTED)
	$(LINT)/bin/ruff format $(LINTED)

.PHONY: i18n
i18n: install ## collect what is to be translated, compile the translations
	bin/py tools/translations.py

.PHONY: screenshots
screenshots: install ## take the pictures of docs/images anew
	MAILDROP_SCREENSHOTS=docs/images bin/pytest tests/plone/browser

.PHONY: changes
changes: $(LINT)/.done ## make CHANGES.rst of news/ for a release; VERSION=1.0.0
	$(LINT)/bin/towncrier build --yes --version $(VERSION)

.PHONY: constraints
constraints: ## write constraints.txt from versions.cfg
	$(PYTHON) tools/constraints.py

.PHONY: clean
clean: ## stop what runs, remove all that was built, the data in var/ too
	@# Once the programs are gone nobody could stop what runs, and the next build would
	@# meet it. Errors are ignored: a program that is only half built stops nothing.
	-@$(MAKE) --no-print-directory --ignore-errors stop
	rm -rf $(VENV) bin build develop-eggs dist eggs parts var .installed.cfg
	rm -rf .coverage .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	rm -rf .mypy_cache recipes/*/.mypy_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	find src recipes -name '*.egg-info' -prune -exec rm -rf {} +

# .installed.cfg does not tell that a build is done: buildout writes it with the first
# part, and another one may fail later.
$(VENV)/.built: $(VENV)/bin/buildout $(BUILDOUT_INPUT)
	$(VENV)/bin/buildout
	@touch $@

$(VENV)/bin/buildout: constraints.txt $(VENV)/pyvenv.cfg
	$(VENV)/$(PIP) install --constraint constraints.txt pip setuptools wheel zc.buildout
	@touch $@

$(LINT)/.done: constraints.txt $(VENV)/pyvenv.cfg
	$(VENV)/bin/python3 -m venv $(LINT)
	$(LINT)/$(PIP) install --constraint constraints.txt pip
	$(LINT)/$(PIP) install --constraint constraints.txt \
		ruff mypy import-linter towncrier SQLAlchemy click idna psycopg zdaemon
	@touch $@

# An environment without pip is not complete: Debian's python3-venv is missing, say.
$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv --clear $(VENV) || { test -x $(VENV)/bin/pip || rm -f $@; exit 1; }

# It is made again if it has no pip: that comes last, so it was killed before the end.
ifeq ($(wildcard $(VENV)/bin/pip),)
.PHONY: without-pip
$(VENV)/pyvenv.cfg: without-pip
endif

# The environment that is there stays, unless PYTHON is given and has another version.
ifneq ($(origin PYTHON),file)
SAID = $(shell $(PYTHON) -c 'import sys; print(*sys.version_info[:3], sep=".")')
THERE = $(shell sed -n 's/^version = //p' $(VENV)/pyvenv.cfg 2> /dev/null)
ifneq ($(SAID),$(THERE))
.PHONY: another-python
$(VENV)/pyvenv.cfg: another-python
endif
endif
