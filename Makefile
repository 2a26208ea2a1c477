# Two commands: `make report` and `make test`. Each does all its set-up, in .venv.
STUDY ?= cnc_afdas_2026
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: attack audit-dependencies docs fuzz structure report pdf preview build audit validate reconstruct test lint format bench lock clean

report: .venv/quarto-tried
	@python -m analysis report $(STUDY) $(if $(REPORT_LANG),--lang $(REPORT_LANG))

# The report, and the whole of it as one document: Chromium prints it (apt-get install chromium).
pdf: .venv/quarto-tried
	@python -m analysis report $(STUDY) $(if $(REPORT_LANG),--lang $(REPORT_LANG)) --pdf

# The report on http://127.0.0.1:4343, made again as prose, labels or data change.
preview: .venv/ready
	@python -m analysis preview $(STUDY) $(if $(REPORT_LANG),--lang $(REPORT_LANG))

build audit validate reconstruct: .venv/ready
	@python -m analysis $@ $(STUDY)

# Two at a time, a file to each: most of them wait for a browser, a kernel or a build.
test: .venv/ready
	python -m pytest -n 2 --dist loadfile

lint: .venv/ready
	ruff check .
	ruff format --check .
	mypy

format: .venv/ready
	ruff check --fix .
	ruff format .

# Twenty thousand mutated studies, which must build or be refused: an hour or two.
fuzz: .venv/ready
	python tests/fuzz.py --cases 20000

# What disclosure control withholds, attacked in 400 random studies and 40 built sites: half an hour.
attack: .venv/ready
	ATTACKS=400 SITES=40 python -m pytest -n auto tests/test_attack.py

# Each prints its figures beside their limits; all are run, and any that is over fails.
bench: .venv/ready
	@over=0; for each in national survey million pages consumption; do \
	  echo "== $$each"; python bench/$$each.py || over=1; done; exit $$over

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --require-hashes -r requirements.lock
	python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The pip package of Quarto, known by its hash, fetches the binary of its version from GitHub. It is
# tried once; where it cannot be had, pandoc (from the lock) renders the same pages.
.venv/quarto-tried: .venv/ready
	@command -v quarto >/dev/null || timeout 300 python -m pip install --quiet --no-deps --no-build-isolation --require-hashes \
	  -r requirements-quarto.lock >/dev/null 2>&1 || true
	@touch $@

# One lock, with the tools of the tests in it, so that everyone has the same of everything.
# What audits them has a lock of its own, as its thirty packages are no part of anything else.
lock: .venv/ready
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --upgrade --quiet --no-header -o requirements.lock
	echo pip-audit | uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --upgrade --quiet --no-header -o requirements-audit.lock

# Known weaknesses of the packages of the lock (pypi.org must be reached). A package that could not
# be looked up fails it too. SOURCE=osv asks osv.dev instead.
audit-dependencies: .venv-audit/ready
	.venv-audit/bin/pip-audit --require-hashes --disable-pip --strict --progress-spinner off \
	  $(if $(SOURCE),-s $(SOURCE)) -r requirements.lock

.venv-audit/ready: requirements-audit.lock
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --require-hashes -r requirements-audit.lock
	@touch $@

clean:
	rm -rf data/clean _site .venv .venv-audit

# Writes the stored structure of the pages anew, after a look at them.
structure: report
	python tests/test_structure.py _site/cnc_afdas_2026/fr _site/cnc_afdas_2026/en

# Every key of study.yml, for people and for editors, from the model that reads it.
docs: .venv/ready
	python -m analysis.keys
