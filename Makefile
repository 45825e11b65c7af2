# Copyright The nflog_exporter Authors
# SPDX-License-Identifier: Apache-2.0

GO      ?= go
BIN     := nflog_exporter
PKG     := github.com/prometheus/common/version
VERSION ?= $(shell cat VERSION)
REVISION?= $(shell git rev-parse HEAD 2>/dev/null)
BRANCH  ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
LDFLAGS := -s -w -X $(PKG).Version=$(VERSION) -X $(PKG).Revision=$(REVISION) -X $(PKG).Branch=$(BRANCH)

.PHONY: all build demo test race bench profile fuzz lint format clean

all: build

build:
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) .

demo: build
	$(GO) build -o .build/demo ./internal/demo
	.build/demo -exporter ./$(BIN) $(DEMOFLAGS)

# Tests with dependencies that the product must not have are in modules of their own.
MODULES ?= test/gonflog test/prometheus

test:
	$(GO) test -pgo=off ./...
	for module in $(MODULES); do (cd $$module && $(GO) test ./...) || exit; done

race:
	$(GO) test -pgo=off -race ./...
	cd test/gonflog && $(GO) test -race ./...

bench: build
	$(GO) build -o .build/bench ./internal/bench
	.build/bench -exporter ./$(BIN) $(BENCHFLAGS)

# The compiler inlines what the profile shows to be hot. Worth anew when the path of a packet changes.
profile:
	$(GO) test -run '^$$' -bench 'Count(Mixed|AllLabels)?$$' -benchtime 4s -cpuprofile default.pgo -o .build/profile.test ./collector

fuzz:
	./.ci/fuzz $(or $(FUZZTIME),30s)

lint:
	golangci-lint run

format:
	golangci-lint fmt

clean:
	rm -rf $(BIN) .build .cache
