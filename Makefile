# rocketshift: what a newcomer types. `make` alone lists the targets.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export GOFLAGS ?=

BIN := bin
PROGRAMS := $(BIN)/rocketshift $(BIN)/rocketshift-worker $(BIN)/rocketshift-gateway $(BIN)/rocketshift-demo $(BIN)/rocketshift-demo-app $(BIN)/rocketshift-demo-app5
TEMPORAL_VERSION := 1.5.1
CHECKERS := $(BIN)/tools/.complete
LINTER := $(BIN)/tools/golangci-lint
APPROVE ?= auto
TRAFFIC ?= gateway
AT ?=
KILLS ?= 200

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: prerequisites
prerequisites:
	@command -v go >/dev/null || { echo "go is missing: install Go 1.26 or newer"; exit 1; }
	@command -v java >/dev/null || { echo "java is missing: install a JDK, version 17 or newer"; exit 1; }
	@command -v mvn >/dev/null || { echo "mvn is missing: install Maven"; exit 1; }
	@command -v git >/dev/null || { echo "git is missing: install git"; exit 1; }
	@free=$$(df -Pk . | awk 'NR==2{print int($$4/1024)}'); \
	  if [ "$$free" -lt 4096 ]; then echo "only $$free MB are free on this disk: free at least 4096 MB"; exit 1; fi

.PHONY: build
build: prerequisites ## build all programs and the embedded Temporal into bin/
	@$(MAKE) --no-print-directory -j2 programs $(BIN)/temporal

# What real servers need besides programs: RocketMQ's jars. All at once, as downloads leave processors free.
.PHONY: ready
ready: prerequisites
	@$(MAKE) --no-print-directory -j3 programs $(BIN)/temporal jars

.PHONY: programs
programs: $(BIN)/.standard-library
	@echo "rocketshift: building its programs; half a minute at first"
	go build -o $(BIN)/rocketshift ./starter
	go build -o $(BIN)/rocketshift-worker ./worker
	go build -o $(BIN)/rocketshift-gateway ./gateway
	go build -o $(BIN)/rocketshift-demo ./demo
	go build -o $(BIN)/rocketshift-demo-app ./demo/app
	go build -o $(BIN)/rocketshift-demo-app5 ./demo/app5

# Go commands that run side by side would all compile it.
$(BIN)/.standard-library: go.mod
	@mkdir -p $(BIN)
	@go build std
	@touch $@

# Built once.
$(BIN)/temporal: tools/temporal/go.mod tools/temporal/go.sum | $(BIN)/.standard-library
	@tools/temporal/build.sh $(TEMPORAL_VERSION) $@

$(CHECKERS): tools/check/go.mod tools/check/go.sum
	mkdir -p $(BIN)/tools
	cd tools/check && go build -o ../../$(BIN)/tools/ tool
	touch $@

# Apart, as it takes two minutes to build and only `make check` needs it.
$(LINTER): tools/lint/go.mod tools/lint/go.sum
	mkdir -p $(BIN)/tools
	cd tools/lint && go build -o ../../$(LINTER) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	touch $@

.PHONY: jars
jars: prerequisites $(BIN)/.standard-library ## download RocketMQ's jars into .cache/jars, and make servers start faster
	tools/jars/fetch.sh
	go run ./internal/lab/archive

CLIENTS := .cache/clients
OTHER_CLIENTS := internal/lab/otherclients

.PHONY: clients
clients: $(CLIENTS)/python/.complete $(CLIENTS)/node/.complete ## install the C++ client (by Python) and the one for Node, for tests

$(CLIENTS)/python/.complete: $(OTHER_CLIENTS)/requirements.txt
	@command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.9 or newer, with venv"; exit 1; }
	python3 -m venv $(CLIENTS)/python
	$(CLIENTS)/python/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(CLIENTS)/node/.complete: $(OTHER_CLIENTS)/package.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node 18 or newer"; exit 1; }
	mkdir -p $(CLIENTS)/node
	cp $< $(CLIENTS)/node/
	cd $(CLIENTS)/node && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts
	touch $@

.PHONY: demo
demo: ready ## migrate a real 4.9.7 cluster with running applications behind a gateway; TRAFFIC=release without; APPROVE=me waits for you
	@APPROVE=$(APPROVE) TRAFFIC=$(TRAFFIC) $(BIN)/rocketshift-demo

.PHONY: source
source: ready ## start a 4.9.7 cluster with applications at work, in the background, for a migration by hand: name server on 9876
	@$(BIN)/rocketshift-demo source start

.PHONY: source-release
source-release: | $(BIN)/rocketshift-demo ## restart its applications with other name servers: AT=127.0.0.1:9877
	@[ -n "$(AT)" ] || { echo "AT is missing: which name servers, such as AT=127.0.0.1:9877"; exit 1; }
	@$(BIN)/rocketshift-demo source release $(AT)

.PHONY: source-stop
source-stop: | $(BIN)/rocketshift-demo ## end exactly what make source started, and tell what its applications noted
	@$(BIN)/rocketshift-demo source stop

$(BIN)/rocketshift-demo:
	@$(MAKE) --no-print-directory programs

.PHONY: apsara
apsara: jars ## simulate ApsaraMQ in the foreground: its API on 8098, and a real 5.3.3 for each instance that is bought
	go run ./internal/lab/apsara/serve

.PHONY: temporal
temporal: prerequisites $(BIN)/temporal ## start the embedded Temporal in the foreground: Web UI on 8233, data in .run/temporal, kept 90 days
	@mkdir -p .run/temporal
	@{ for _ in $$(seq 100); do \
	    $(BIN)/temporal operator namespace update --namespace default --retention 90d >/dev/null 2>&1 && break; sleep 0.3; done; } & \
	  exec $(BIN)/temporal server start-dev --db-filename .run/temporal/temporal.db \
	    --search-attribute RocketshiftStage=Keyword --search-attribute RocketshiftWaiting=Keyword \
	    --search-attribute RocketshiftTarget=Keyword

# AGAIN=n: so many tests with servers that fail may pass in a second run; they are told as FLAKY. It is for CI.
LOOP ?= TestLong(WhateverIsDone|TheTargetIsKilled|TheTemporalServer|TheWorkerIsDead|AMigrationThatWaits|ANewBuild|ABuildThat|EveryPath|AMonthOf|TheWayBackOf|JavaClients|MembersCome|TransactionsDelays|TargetBehind|ClustersOf|GroupsReadOn|AGatewayKilled|ABrokerFails|ASiege|RestartsOf|NobodyGets|EachWorkflow)
LOOPED := ./worker ./workflows ./activities ./internal/gateway ./bench/gateway
AGAIN ?= 0
BUSY ?= 3

.PHONY: test
test: ready check ## the tests: all without servers, and one on real servers for each promise; up to 18 minutes on two cores
	go run ./tools/test -tests quick -again $(AGAIN)

.PHONY: test-long
test-long: ready $(CHECKERS) ## what test-all runs besides: each way, kind, fault and shape on real servers
	go run ./tools/test -tests rest -again $(AGAIN)

.PHONY: test-loops
test-loops: ready ## all rounds of what test-long has in short, every intervention in every stage, histories of 10,000 topics: hours; LOOP=name for some
	ROCKETSHIFT_LOOPS=1 go test -p 1 -count=1 -v -timeout 4h -run '$(LOOP)' $(LOOPED)

.PHONY: test-all
test-all: ready check ## all tests
	go run ./tools/test -tests all -again $(AGAIN)

.PHONY: test-clients
test-clients: ready clients ## stock clients of all kinds in all their ways, through the gateway and without it; needs python3 and npm
	ROCKETSHIFT_LOOPS=1 go test -count=1 -v -timeout 20m -run '^TestLongStockClients' ./internal/gateway

.PHONY: reference
reference: ## write the parts of docs/reference that are made of the code
	WRITE_REFERENCE=1 go test -count=1 -run '^TestTheReference' \
	  ./internal/reference ./internal/findings ./internal/brokerconfig ./starter ./gateway ./worker

.PHONY: test-busy
test-busy: ready $(CHECKERS) ## the tests of make test while BUSY=3 other processes spin
	go run ./tools/test -tests quick -busy $(BUSY)

.PHONY: check
check: prerequisites $(CHECKERS) $(LINTER) ## gofumpt, vet, staticcheck, workflowcheck, golangci-lint, imports and sizes
	@unformatted=$$($(BIN)/tools/gofumpt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not formatted by gofumpt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(BIN)/tools/staticcheck ./...
	$(BIN)/tools/workflowcheck -config tools/check/workflowcheck.yaml ./workflows/...
	$(LINTER) run ./...
	go test ./internal/arch

.PHONY: fixtures
fixtures: ready ## record the workflows' histories for the replay tests: real runs, and every path with stand-ins
	ROCKETSHIFT_LOOPS=1 RECORD_FIXTURES=1 go test -count=1 -timeout 25m ./workflows -run '^TestLongEveryPathReplays$$'
	RECORD_FIXTURES=1 go test -count=1 -timeout 25m ./demo -run 'AMigrationHarmsNobody|GoingBackHarmsNobody|BehindAGateway'

.PHONY: bench
bench: ready ## the replicator's throughput on real brokers
	go test ./replicator -run '^$$' -bench . -benchtime 1x -timeout 20m

.PHONY: bench-gateway
bench-gateway: jars ## what the gateway costs applications, beside a direct way and the 5.x proxy, and with 1,000 clients
	@mkdir -p .run
	go run ./bench/gateway -rounds 2
	go run ./bench/gateway -rounds 1 -batch 32 -way direct,gateway
	go run ./bench/gateway -rounds 2 -load reads -way direct,gateway
	go run ./bench/gateway -load clients

.PHONY: bench-hostile
bench-hostile: jars ## what clients notice of 10,000 hostile connections, and what memory the gateway takes
	@mkdir -p .run
	go run ./bench/gateway -load hostile -memory 512

.PHONY: bench-restarts
bench-restarts: jars ## how long groups read nothing when the gateway is killed, another process takes over, or their broker is killed
	@mkdir -p .run
	go run ./bench/gateway -load restarts -restarts 8 -warm 5 -rate 100 -threads 4 -members java,java-4.9.7,mixed -restart killed,takeover,broker

.PHONY: bench-moves
bench-moves: jars ## how long applications wait when homes and groups move, and 1,000 queues moved under load
	@mkdir -p .run
	go run ./bench/gateway -load moves

.PHONY: bench-assess
bench-assess: jars ## how long Assess takes, and what memory, for 10,000 topics and 10,000 groups: of a cluster that only answers, and of a real pair
	go test ./internal/clusters/inventory -run '^$$' -bench BenchmarkAssess -benchtime 1x -timeout 20m

.PHONY: bench-metadata
bench-metadata: jars ## how long 10,000 topics and 10,000 groups take to a real 5.3.3, and a second run that changes nothing; and to be written as a model
	go test ./internal/clusters/metadata -run '^$$' -bench BenchmarkApply -benchtime 1x -timeout 20m
	go test ./internal/metadata -run '^$$' -bench BenchmarkDocument -benchtime 5x

.PHONY: bench-stock
bench-stock: jars ## the same beside copiers that people write by hand with stock clients
	go run ./bench/stock -way rocketshift,client-go-batch,java-batch,java-single -messages 200000 -rounds 3

.PHONY: soak
soak: ready ## kill copiers at random points under load; KILLS=1000 for longer
	ROCKETSHIFT_SOAK_KILLS=$(KILLS) go test ./replicator -count=1 -v -timeout 60m -run 'KilledAtRandomPoints'

.PHONY: readings
readings: jars ## record what RocketMQ's own classes read of the fuzz targets' corpus, with which tests compare the gateway
	RECORD_READINGS=1 go test -count=1 ./internal/gateway ./internal/gateway/wire -run '^Fuzz.*AgainstJava$$'

# Packages with fuzz targets; a test in internal/arch compares. Targets that end in AgainstJava compare what the gateway
# reads with RocketMQ's own classes.
FUZZED := ./plan ./internal/metadata ./internal/metadata/brokerjson ./internal/metadata/rights/acl1 \
  ./internal/metadata/sheet ./internal/rocketmq/remoting ./internal/gateway/wire ./internal/gateway
FUZZTIME ?= 20s

.PHONY: fuzz
fuzz: jars ## fuzz what reads bytes from outside, FUZZTIME=20s each
	@for package in $(FUZZED); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; go test $$package -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME); done; done

.PHONY: clean
clean: ## remove what was built and what runs left; downloads stay in .cache
	@if [ -d .run/source ]; then $(MAKE) --no-print-directory source-stop; fi
	@if [ -d .run/instances ] && [ -x $(BIN)/rocketshift ] && $(BIN)/rocketshift targets -o json | grep -q '"processes"'; then \
	  $(BIN)/rocketshift targets; echo "these targets run, and nobody would find them any more: remove them first"; exit 1; fi
	rm -rf $(BIN) .run
