# Copyright The nflog_exporter Authors
# SPDX-License-Identifier: Apache-2.0

GO      ?= go
BIN     := nflog_exporter
PKG     := github.com/prometheus/common/version
VERSION ?= $(shell cat VERSION)
REVISION?= $(shell git rev-parse HEAD 2>/dev/null)
BRANCH  ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
LDFLAGS := -s -w -X $(PKG).Version=$(VERSION) -X $(PKG).Revision=$(REVISION) -X $(PKG).Branch=$(BRANCH)

.PHONY: all build demo test race bench fuzz lint format clean

all: build

build: ## build the exporter
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) .

demo: build ## run the exporter on sample rules and traffic, in namespaces of its own
	$(GO) build -o .build/demo ./internal/demo
	.build/demo -exporter ./$(BIN)

test: ## run all tests, on the real kernel
	$(GO) test ./...

race: ## run all tests with the race detector
	$(GO) test -race ./...

bench: build ## measure the exporter beside other readers (root, gcc, libnetfilter-log-dev)
	$(GO) build -o .build/bench ./internal/bench
	.build/bench -exporter ./$(BIN) $(BENCHFLAGS)

fuzz: ## fuzz each decoder for FUZZTIME
	./.ci/fuzz $(or $(FUZZTIME),30s)

lint: ## run the linters
	golangci-lint run

format: ## format the code
	golangci-lint fmt

clean:
	rm -rf $(BIN) .build .cache
