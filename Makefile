# Copyright The nflog_exporter Authors
# SPDX-License-Identifier: Apache-2.0

GO       ?= go
BIN      := nflog_exporter
PREFIX   ?= .
VERSION  ?= $(shell cat VERSION)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null)$(if $(shell git status --porcelain 2>/dev/null),-modified)

# Builds of one commit by one Go are the same to the byte, wherever, whenever and by whomever they are made.
PKG        := github.com/prometheus/common/version
LDFLAGS     = -s -w -X $(PKG).Version=$(VERSION) -X $(PKG).Revision=$(REVISION)
BUILDFLAGS  = -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# Names, folders and files are those of promu, for which .promu.yml says the same. 32-bit ARM is named with the oldest
# version of the processor that will do.
PLATFORMS ?= linux/amd64 linux/arm64 linux/armv7 linux/386 linux/ppc64le linux/s390x linux/riscv64
TARBALLS   = $(PLATFORMS:linux/%=.tarballs/$(BIN)-$(VERSION).linux-%.tar.gz)
FILES     := LICENSE README.md CHANGELOG.md deploy/systemd
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION)

.PHONY: all build crossbuild tarball image dashboards demo test race bench profile fuzz lint format clean FORCE

all: build

build:
	@CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -o $(PREFIX)/$(BIN) .

crossbuild: $(PLATFORMS:linux/%=.build/linux-%/$(BIN))

.build/linux-%/$(BIN): FORCE
	@GOOS=linux GOARCH=$(patsubst armv%,arm,$*) GOARM=$(patsubst armv%,%,$(filter armv%,$*)) \
		$(MAKE) --no-print-directory build PREFIX=$(@D)

tarball: $(TARBALLS)
	cd .tarballs && sha256sum $(^F) >sha256sums.txt

.tarballs/$(BIN)-$(VERSION).linux-%.tar.gz: .build/linux-%/$(BIN) FORCE
	@mkdir -p $(@D)
	tar -cf $@ -I 'gzip -n' --format=ustar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX --transform='s,^\(.build/linux-$*\|deploy\)/,,;s,^,$(@F:.tar.gz=)/,' $< $(FILES)

# With docker, or BUILDER=podman or buildah.
image:
	DOCKER_BUILDKIT=1 $(or $(BUILDER),docker) build --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) $(IMAGEFLAGS) --tag nflog-exporter .

dashboards:
	$(GO) run ./tools/dashboards dashboards

demo: build
	$(GO) build -o .build/demo ./tools/demo
	.build/demo -exporter ./$(BIN) $(DEMOFLAGS)

# Tests with dependencies that the product must not have are in modules of their own.
MODULES ?= test/gonflog test/prometheus

test:
	$(GO) test -pgo=off ./...
	for module in $(MODULES); do (cd $$module && $(GO) test ./...) || exit; done

# What is vetted by test need not be again.
race:
	$(GO) test -pgo=off -race -vet=off ./...
	cd test/gonflog && $(GO) test -race -vet=off ./...

bench: build
	$(GO) build -o .build/bench ./tools/bench
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
	rm -rf $(BIN) .build .tarballs .cache
