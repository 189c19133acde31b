# NovaHunt's verbs. Each does all its own set-up, in a cache outside the checkout, and cleans up what it started.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHONPATH := $(CURDIR):$(CURDIR)/common:$(CURDIR)/operator:$(CURDIR)/collector_image:$(CURDIR)/cli:$(CURDIR)/gateway:$(CURDIR)/tests
export PYTHONDONTWRITEBYTECODE := 1

# Found when a recipe needs it, so that `make help` needs nothing.
PY = $$(scripts/venv)/bin/python

.PHONY: help
help: ## Show this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Collect twelve domains on a real cluster; KUBECONFIG=… uses yours (REGISTRY=… to push images to)
	@$(PY) -m tools.demo $(if $(filter command line,$(origin KUBECONFIG)),--kubeconfig "$(KUBECONFIG)") $(if $(REGISTRY),--registry "$(REGISTRY)")

.PHONY: demo-clean
demo-clean: ## Remove all that `make demo` made
	@$(PY) -m tools.demo --clean $(if $(filter command line,$(origin KUBECONFIG)),--kubeconfig "$(KUBECONFIG)")

.PHONY: test
test: ## Run all tests: unit, contract, control plane, whole node
	@scripts/test

.PHONY: test-unit
test-unit: ## Unit, property and contract tests (no cluster), on each Python 3.11 to 3.13 that is installed
	@scripts/test-unit

.PHONY: test-cluster
test-cluster: ## Tests on a real control plane (no root needed)
	@$(PY) -m pytest tests -m cluster

.PHONY: test-e2e
test-e2e: ## End-to-end tests on the whole node with the built images and the chart (root)
	@$(PY) -m pytest tests -m node

.PHONY: fuzz
fuzz: ## Fuzz every reader of what others wrote, for ten minutes in all; FUZZ_SECONDS=… for longer
	@FUZZ_SECONDS="$(FUZZ_SECONDS)" $(PY) -m tools.fuzz

.PHONY: histories
histories: ## Search random histories for long: a thousand of each property test, in about half an hour
	@HYPOTHESIS_PROFILE=long $(PY) -m pytest tests/property -o timeout=3600

.PHONY: chaos-short
chaos-short: ## Kill every victim once, in two minutes (no root needed)
	@$(PY) -m pytest tests/cluster/test_chaos.py -m cluster

.PHONY: chaos
chaos: ## Kill everything at every step, and print the table of docs/chaos.md; about an hour (the whole node's part: root)
	@$(PY) -m tools.chaos $(CHAOS)

.PHONY: bench
bench: ## Measure the collector, and print the table of docs/benchmarks.md
	@$(PY) -m bench.collector

.PHONY: bench-scale
bench-scale: ## Measure the operator over 10,000 domains on simulated nodes, for about an hour; DOMAINS=… for fewer
	@DOMAINS="$(DOMAINS)" WINDOW="$(WINDOW)" $(PY) -m bench.scale

.PHONY: bench-gateway
bench-gateway: ## Measure status calls and files of the gateway, for some minutes
	@$(PY) -m bench.gateway

.PHONY: soak
soak: ## Hold two keys of six collections to their whole allowance, for ten minutes; SECONDS=… for a trial
	@SECONDS="$(SECONDS)" $(PY) -m bench.soak

.PHONY: lint
lint: ## Run every check that needs no cluster
	@scripts/lint

.PHONY: docs
docs: ## Build the pages as a site, in the cache; broken links, and pages that the navigation lacks, are refused
	@$(PY) -m tools.site

.PHONY: reference
reference: ## Write docs/reference.md and the record of fields anew, after a change of crds/
	@$(PY) -m tools.reference

.PHONY: chart-readme
chart-readme: ## Write the chart's README anew, after a change of charts/novahunt/values.yaml
	@$(PY) -m tools.chart_readme

.PHONY: argocd
argocd: ## Write what is made for Argo CD anew: recorded objects and settings, after a change of a status or of the Lua
	@$(PY) -m tools.argocd

.PHONY: dashboard
dashboard: ## Write the chart's Grafana dashboard anew, after a change of tools/dashboard.py
	@$(PY) -m tools.dashboard

.PHONY: dashboard-picture
dashboard-picture: ## Draw the dashboard with the data of a real run, for docs/metrics.md; some minutes (no root needed)
	@$$(scripts/venv --lock picture)/bin/python -m tools.picture

.PHONY: images
images: ## Build the images; REGISTRY=… pushes them
	@$(PY) -m tools.images $(if $(REGISTRY),--registry "$(REGISTRY)")

.PHONY: release
release: ## Make a release: REGISTRY=host/path OUTPUT=folder (SOURCE=url, TRIAL=1 to only try); see docs/supply-chain.md
	@$$(scripts/venv --lock release)/bin/python -m tools.release --registry "$(REGISTRY)" --output "$(OUTPUT)" --source "$(SOURCE)" $(if $(TRIAL),--trial)

.PHONY: licences
licences: ## Write docs/licences.md anew, after a change of requirements/
	@$(PY) -m tools.release.licences

.PHONY: dev
dev: ## Run the operator from the checkout against a control plane of its own, until Ctrl-C
	@$(PY) -m tools.dev

.PHONY: lock
lock: ## Renew the lock: requirements/*.txt from pyproject.toml
	@scripts/lock

.PHONY: clean
clean: ## Take down every cluster of the cluster tool; the cache stays
	@$(PY) -m devcluster down --all
