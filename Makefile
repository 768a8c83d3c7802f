# Every target sets up what it needs; nothing but Python 3.11 and make has to be there before.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# Pyenv's own python3.13 only says where one is, unless it is switched on.
find_python = $(shell python$(1) -c 'import sys; print(sys.executable)' 2>/dev/null || \
	ls "$$(pyenv root 2>/dev/null)"/versions/$(1).*/bin/python$(1) 2>/dev/null | tail -1)
PYTHON313 ?= $(call find_python,3.13)
OTHER_PYTHONS ?= 3.12 3.13
QUICK := tests/transforms tests/schemas tests/oracle tests/pipeline/test_backfill_oracle.py
# What another version of Python might change: how data is read, and a whole backfill.
PORTABLE := tests/schemas $(addprefix tests/transforms/rules/,activities columns events parsing recognition verdicts) \
	tests/pipeline/test_backfill_oracle.py
DEMO := demo-output
SECONDS_A_TARGET ?= 60
HOURS ?= 1
FAULTS ?= all
ORGANISATIONS ?= 1
INSTALLED := $(VENV)/installed
TYPED := $(VENV)/typed/uncommon_im/.links
PRISM := $(VENV)/bin/prism
FLINK := $(VENV)/flink
KAFKA := $(VENV)/kafka
KAFKA_BROKER := $(VENV)/kafka-broker
OPENSEARCH := $(VENV)/opensearch
BIGQUERY := $(VENV)/bigquery-emulator
AZURITE := $(VENV)/azurite
DEPLOY := $(VENV)/deploy
AIRFLOW := $(VENV)/airflow
HCLFMT := $(VENV)/bin/hclfmt
OSV_SCANNER := $(VENV)/bin/osv-scanner
ADVISORIES ?= $(VENV)/advisories
UNREACHABLE ?= fail
CHROMIUM = $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))
LOCK := deploy/container
COMPILE := --quiet --upgrade --generate-hashes --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28
SBOM := $(DEPLOY)/bin/uv run --quiet --no-project --python $(PYTHON) $(LOCK)/sbom.py
define write_bill
$(DEPLOY)/bin/uv venv --quiet --clear --python $(PYTHON) $(DEPLOY)/locked
$(DEPLOY)/bin/uv pip install --quiet --python $(DEPLOY)/locked --require-hashes -r $(LOCK)/build.lock
$(DEPLOY)/bin/uv pip install --quiet --python $(DEPLOY)/locked --require-hashes --no-build-isolation -r $(LOCK)/requirements.lock
$(SBOM) $(abspath $(DEPLOY))/locked/bin/python > $(DEPLOY)/sbom.cdx.json
cp $(DEPLOY)/sbom.cdx.json $(LOCK)/sbom.cdx.json
endef
PRISM_VERSION := v2.77.0
OSV_SCANNER_VERSION := v2.5.0
HCLFMT_VERSION := v2.24.0
AZURITE_VERSION := 3.35.0

.PHONY: setup demo docs test test-quick test-pythons soak fuzz runners kafka opensearch test-runners test-cloud test-faults test-report test-airflow test-deploy lock sbom audit lint format benchmark clean

setup: $(INSTALLED)

$(INSTALLED): setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25,<27'
	PYTHONWARNINGS='ignore:Editable installation' $(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m compileall -q pipeline transforms schemas  # as pip does; where writing bytecode is off, each run would
	touch $@

# The installed layout, for what cannot follow an editable install. Of the rooms alone: a link to all would hold $(VENV).
$(TYPED): | $(INSTALLED)
	rm -rf $(VENV)/typed && mkdir -p $(@D)
	ln -s $(CURDIR)/pipeline $(CURDIR)/transforms $(CURDIR)/schemas $(@D)
	touch $@

demo: setup  ## a small labelled organisation, the backfill over it, and what it found
	$(BIN)/python -m uncommon_im.pipeline.cli.demo $(DEMO)

docs: setup $(TYPED)  ## the documentation as a site, in .venv/site; its generated tables are made anew
	$(BIN)/python -m tests.docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(VENV)/site

test: setup  ## the whole suite that needs no other engine and no emulator
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-quick: setup  ## its quick part: the rules, the schemas, the oracle, one backfill against it
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal $(QUICK)

test-pythons: $(addprefix test-python-,$(OTHER_PYTHONS))  ## what a version of Python might change, on the others that are here

test-python-%:
	@if test -n "$(call find_python,$*)"; then $(MAKE) test-quick PYTHON="$(call find_python,$*)" VENV=.venv-$* \
			QUICK="$(PORTABLE)"; \
		else echo "Python $* is not here: not tested"; fi

runners: setup $(PRISM) $(FLINK)  ## engines for streams on this machine: Prism by Go 1.26, Flink by Maven and Java 17

$(PRISM):
	GOBIN=$(abspath $(BIN)) go install github.com/apache/beam/sdks/v2/go/cmd/prism@$(PRISM_VERSION)

kafka: setup $(KAFKA) $(KAFKA_BROKER)  ## Kafka itself, for tests, and what reads it for Beam

opensearch: setup $(OPENSEARCH)  ## OpenSearch itself, for tests

$(FLINK): deploy/flink/pom.xml
$(KAFKA): deploy/kafka/pom.xml
$(KAFKA_BROKER): tests/runners/kafka_broker/pom.xml
$(OPENSEARCH): tests/runners/opensearch/pom.xml
$(FLINK) $(KAFKA) $(KAFKA_BROKER) $(OPENSEARCH):
	mvn -q -B -f $< dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(abspath $@)
	touch $@

test-runners: runners kafka opensearch  ## what needs those engines; ORGANISATIONS=20 gives each so many random ones
	ORGANISATIONS=$(ORGANISATIONS) $(BIN)/python -m pytest -m runners tests/runners --numprocesses 2 --dist loadfile --durations 5

test-cloud: setup $(BIGQUERY)/installed $(AZURITE)/installed  ## what talks to emulators: Pub/Sub, BigQuery, Cloud Storage, S3, Azure
	$(BIN)/python -m pytest -m cloud tests/cloud --numprocesses 2 --dist loadfile --durations 5 -rs

$(BIGQUERY)/installed: tests/cloud/bigquery-emulator.txt | $(INSTALLED)
	@test -n "$(PYTHON313)" || { echo "the emulator of BigQuery needs Python 3.13: PYTHON313=PATH says where one is"; exit 1; }
	$(PYTHON313) -m venv $(BIGQUERY)
	$(BIGQUERY)/bin/python -m pip install --quiet --upgrade 'pip>=25,<27'
	$(BIGQUERY)/bin/python -m pip install --quiet --requirement $<
	HOME=$(abspath $(BIGQUERY)) $(BIGQUERY)/bin/python -c "from duckdb_extensions import import_extension as put; \
		[put(name) for name in ('ducklake', 'icu', 'spatial')]"
	touch $@

$(AZURITE)/installed: | $(INSTALLED)
	@command -v npm > /dev/null || { echo "Azurite, a server of Azure's blobs, needs Node.js and npm"; exit 1; }
	npm install --prefix $(AZURITE) --silent --no-audit --no-fund azurite@$(AZURITE_VERSION)
	touch $@

test-faults: setup  ## kills every command that writes at every step, and fails its calls; FAULTS=short takes a few steps
	FAULTS=$(FAULTS) $(BIN)/python -m pytest -m faults tests/faults --numprocesses 2 --dist worksteal --durations 5 -rs

test-report: setup  ## the page of `report` in a browser: the Chromium that is there, else Debian's, else Playwright's
	@test -n "$(CHROMIUM)" || { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } \
		|| $(BIN)/playwright install chromium
	$(BIN)/python -m pytest -m browser tests/browser --durations 5

test-airflow: setup $(AIRFLOW)/installed  ## the DAG in Airflow itself: it loads, and what each exit status does to its task
	$(BIN)/python -m pytest --quiet -m airflow tests/deploy

$(AIRFLOW)/installed: tests/deploy/airflow.txt
	$(PYTHON) -m venv $(AIRFLOW)
	$(AIRFLOW)/bin/python -m pip install --quiet --upgrade 'pip>=25,<27'
	$(AIRFLOW)/bin/python -m pip install --quiet --requirement $<
	touch $@

test-deploy: setup $(DEPLOY)/installed $(HCLFMT) $(OSV_SCANNER)  ## what deploys it: checkov, Terraform's and Kubernetes' files, locks that install, their bill
	$(DEPLOY)/bin/checkov --directory deploy/terraform --framework terraform --quiet --compact --skip-download
	$(DEPLOY)/bin/checkov --file deploy/container/Dockerfile --framework dockerfile --quiet --compact --skip-download
	$(DEPLOY)/bin/checkov --directory deploy/kubernetes --framework kubernetes --quiet --compact --skip-download
	$(DEPLOY)/bin/kubernetes-validate --quiet --strict deploy/kubernetes/*.yaml
	$(DEPLOY)/bin/checkov --directory deploy --framework secrets --quiet --compact --skip-download
	$(HCLFMT) -require-no-change deploy/terraform/*.tf > /dev/null
	$(DEPLOY)/image/bin/python -m pip install --quiet --dry-run --require-hashes --no-build-isolation -r $(LOCK)/requirements.lock
	$(SBOM) < $(LOCK)/sbom.cdx.json | cmp - $(LOCK)/sbom.cdx.json
	$(BIN)/python -m pytest --quiet tests/deploy/test_audit.py

# The image's own environment is built as the Dockerfile says, from the locks alone; checkov and uv are beside it.
$(DEPLOY)/installed: tests/deploy/tools.txt $(LOCK)/build.lock
	$(PYTHON) -m venv $(DEPLOY)
	$(DEPLOY)/bin/python -m pip install --quiet --upgrade 'pip>=25,<27'
	$(DEPLOY)/bin/python -m pip install --quiet --requirement $<
	$(PYTHON) -m venv $(DEPLOY)/image
	$(DEPLOY)/image/bin/python -m pip install --quiet --require-hashes --requirement $(LOCK)/build.lock
	touch $@

$(HCLFMT):
	GOBIN=$(abspath $(BIN)) go install github.com/hashicorp/hcl/v2/cmd/hclfmt@$(HCLFMT_VERSION)

$(OSV_SCANNER):
	GOBIN=$(abspath $(BIN)) go install github.com/google/osv-scanner/v2/cmd/osv-scanner@$(OSV_SCANNER_VERSION)

lock: $(DEPLOY)/installed  ## the newest packages within setup.py's bounds, for the container, and their bill of materials
	$(DEPLOY)/bin/uv pip compile $(COMPILE) --extra gcp --output-file $(LOCK)/requirements.lock setup.py
	$(DEPLOY)/bin/uv pip compile $(COMPILE) --output-file $(LOCK)/build.lock $(LOCK)/build.in
	$(write_bill)

sbom: $(DEPLOY)/installed  ## the software bill of materials of the locks, in CycloneDX's form
	$(write_bill)

audit: setup $(OSV_SCANNER)  ## what is known against the locked packages; ADVISORIES=FOLDER keeps the database
	$(BIN)/python $(LOCK)/audit.py --scanner $(OSV_SCANNER) --database $(ADVISORIES) --unreachable $(UNREACHABLE)

soak: setup  ## random organisations against the oracle, in every way and on every engine that is here: HOURS=2 for two hours
	$(BIN)/python -m tests.soak --hours $(HOURS)

fuzz: setup  ## every parser for a minute; SECONDS_A_TARGET=3600 for as long as one wants
	$(BIN)/python -m tests.fuzzing.run --seconds $(SECONDS_A_TARGET)

lint: setup $(TYPED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=$(VENV)/typed $(BIN)/lint-imports --no-logo --no-cache

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: setup  ## beside a hand-written DuckDB query; of your own: make benchmark LAKE='DIR/*.parquet' QUERY=FILE.py
	$(BIN)/python -m tests.benchmarks.compare $(if $(LAKE),--lake '$(LAKE)' --query '$(QUERY)',--events 10000000)

clean:
	rm -rf $(VENV) .venv-* $(DEMO) build *.egg-info
