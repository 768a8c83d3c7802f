# Every target sets up what it needs; nothing but Python 3.11 and make has to be there before.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-output
SECONDS_A_TARGET ?= 60
INSTALLED := $(VENV)/installed
PRISM := $(VENV)/bin/prism
FLINK := $(VENV)/flink
KAFKA := $(VENV)/kafka
KAFKA_BROKER := $(VENV)/kafka-broker
PRISM_VERSION := v2.77.0

.PHONY: setup demo test fuzz runners kafka test-runners test-cloud lint format benchmark clean

setup: $(INSTALLED)

$(INSTALLED): setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25,<27'
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: setup  ## a small labelled organisation, the backfill over it, and what it found
	$(BIN)/python -m pipeline.demo $(DEMO)

test: setup  ## the whole suite that needs no other engine and no emulator
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

runners: setup $(PRISM) $(FLINK)  ## engines for streams on this machine: Prism by Go 1.26, Flink by Maven and Java 17

$(PRISM):
	GOBIN=$(abspath $(BIN)) go install github.com/apache/beam/sdks/v2/go/cmd/prism@$(PRISM_VERSION)

kafka: setup $(KAFKA) $(KAFKA_BROKER)  ## Kafka itself, for tests, and what reads it for Beam

$(FLINK): deploy/flink/pom.xml
$(KAFKA): deploy/kafka/pom.xml
$(KAFKA_BROKER): tests/runners/kafka_broker/pom.xml
$(FLINK) $(KAFKA) $(KAFKA_BROKER):
	mvn -q -B -f $< dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(abspath $@)
	touch $@

test-runners: runners kafka  ## what needs those engines
	$(BIN)/python -m pytest -m runners tests/runners --durations 5

test-cloud: setup  ## what talks to emulators: Pub/Sub by drongo, and by Google's own where it is installed
	$(BIN)/python -m pytest -m cloud tests/cloud --durations 5 -rs

fuzz: setup  ## every parser for a minute; SECONDS_A_TARGET=3600 for as long as one wants
	$(BIN)/python -m tests.fuzzing.run --seconds $(SECONDS_A_TARGET)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: setup  ## this pipeline against a hand-written DuckDB query, on the same files
	$(BIN)/python -m tests.benchmarks.compare --events 10000000

clean:
	rm -rf $(VENV) $(DEMO) build *.egg-info
