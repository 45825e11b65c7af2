# Copyright The nflog_exporter Authors
# SPDX-License-Identifier: Apache-2.0

GO       ?= go
BIN      := nflog_exporter
PREFIX   ?= .
VERSION  ?= $(shell cat VERSION)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null)$(if $(shell git status --porcelain 2>/dev/null),-modified)

# Builds of one commit by one version of Go are identical, so the flags leave out time, user, host and folder. As -s leaves out
# debugging information, the compiler need not make it.
PKG        := github.com/prometheus/common/version
LDFLAGS     = -s -w -X $(PKG).Version=$(VERSION) -X $(PKG).Revision=$(REVISION)
BUILDFLAGS  = -trimpath -buildvcs=false -gcflags=all=-dwarf=false -ldflags '$(LDFLAGS)'

# Platforms, file names and tarball contents follow promu: keep them equal to .promu.yml. armv7 is 32-bit ARM, version 7
# and later. promu can't build for processors without floating point, which most routers with MIPS have.
PLATFORMS ?= linux/amd64 linux/arm64 linux/armv7 linux/386 linux/ppc64le linux/s390x linux/riscv64 \
	linux/armv5 linux/armv6 linux/loong64 linux/mips linux/mipsle linux/mips64le
TARBALLS   = $(PLATFORMS:linux/%=.tarballs/$(BIN)-$(VERSION).linux-%.tar.gz)
FILES     := LICENSE README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md dashboards deploy docs nflog
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION)

# Debian's names of architectures, and those of the platforms where they differ.
DEBARCHS        ?= amd64 arm64 armhf i386 riscv64 ppc64el s390x
PLATFORM_armhf   := armv7
PLATFORM_i386    := 386
PLATFORM_ppc64el := ppc64le
DEB              := prometheus-nflog-exporter_$(subst -,~,$(VERSION))-1_

# The same for RPM.
RPMARCHS        ?= x86_64 aarch64 armv7hl ppc64le s390x riscv64
PLATFORM_x86_64  := amd64
PLATFORM_aarch64 := arm64
PLATFORM_armv7hl := armv7
RPM              := $(BIN)-$(subst -,~,$(VERSION))-1.

# Modules of their own for tests with dependencies that the exporter must not have. They fetch hundreds of megabytes.
ALLMODULES := test/gonflog test/prometheus

# Where the demo serves its metrics, and where the Prometheus beside it has its pages.
LISTEN            ?= 127.0.0.1:10100
PROMETHEUS_LISTEN ?= 127.0.0.1:19090

.PHONY: all help go-version build crossbuild tarball deb rpm image dashboards demo demo-prometheus test test-all test-short old-go-nflog race bench profile fuzz lint format \
	clean FORCE

all: build

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1:\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS=: read -r target text; do \
		printf '%-16s %s\n' "$$target" "$$text"; done

# Go downloads the version that go.mod asks for, unless GOTOOLCHAIN is local.
go-version:
	@need=$$(sed -n 's/^go //p' go.mod); have=$$($(GO) env GOVERSION 2>/dev/null | sed 's/.*go//'); \
	if [ "$$(printf '%s\n' "$$need" "$$have" | sort -V | head -n 1)" != "$$need" ]; then \
		echo "Go $$need or later is needed (go.mod), but '$(GO)' is $${have:-not installed}: see https://go.dev/doc/install" >&2; \
		exit 1; \
	fi

build: | go-version ## Build ./nflog_exporter (the default target)
	@CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -o $(PREFIX)/$(BIN) .

crossbuild: $(PLATFORMS:linux/%=.build/linux-%/$(BIN)) ## Build for all PLATFORMS, in .build

.build/linux-%/$(BIN): FORCE
	@GOOS=linux GOARCH=$(patsubst armv%,arm,$*) GOARM=$(patsubst armv%,%,$(filter armv%,$*)) \
		GOMIPS=$(if $(filter mips%,$*),softfloat) GOMIPS64=$(if $(filter mips%,$*),softfloat) \
		$(MAKE) --no-print-directory build PREFIX=$(@D)

tarball: $(TARBALLS) ## Make release tarballs for all PLATFORMS, in .tarballs
	cd .tarballs && sha256sum $(^F) >sha256sums.txt

.tarballs/$(BIN)-$(VERSION).linux-%.tar.gz: .build/linux-%/$(BIN) FORCE
	@mkdir -p $(@D)
	tar -cf $@ -I 'gzip -n' --format=ustar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX --transform='s,^.build/linux-$*/,,;s,^,$(@F:.tar.gz=)/,' $< $(FILES)

deb: $(DEBARCHS:%=.debs/$(DEB)%.deb) ## Make Debian packages for all DEBARCHS, in .debs

.SECONDEXPANSION:
.debs/$(DEB)%.deb: .build/linux-$$(or $$(PLATFORM_$$*),$$*)/$(BIN) .build/help FORCE
	VERSION=$(VERSION) SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) HELP=.build/help GO=$(GO) deploy/debian/build $* $< $@

rpm: $(RPMARCHS:%=.rpms/$(RPM)%.rpm) ## Make RPMs for all RPMARCHS, in .rpms

.rpms/$(RPM)%.rpm: .build/linux-$$(or $$(PLATFORM_$$*),$$*)/$(BIN) .build/help FORCE
	VERSION=$(VERSION) SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) HELP=.build/help GO=$(GO) deploy/rpm/build $* $< $@

# The exporter for this machine, which prints its flags for the manual and for the completion of shells.
.build/help: FORCE | go-version
	@CGO_ENABLED=0 $(GO) build -pgo=off -o $@ .

image: ## Build the container image, with docker or BUILDER=podman or buildah
	DOCKER_BUILDKIT=1 $(or $(BUILDER),docker) build --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) $(IMAGEFLAGS) --tag nflog-exporter .

dashboards: | go-version ## Write the Grafana dashboards from tools/dashboards
	$(GO) run ./tools/dashboards dashboards

demo: ## Run the exporter on sample rules and traffic, and serve its metrics on LISTEN
	@echo 'Building the exporter and the demo. The first time, this takes a minute or two.'
	@$(MAKE) --no-print-directory build
	@$(GO) build -pgo=off -o .build/demo ./tools/demo
	@.build/demo -exporter ./$(BIN) -listen $(LISTEN) $(DEMOFLAGS)

demo-prometheus: ## Run a Prometheus on the demo, with its pages on PROMETHEUS_LISTEN
	@command -v prometheus >/dev/null || { echo 'Prometheus is not installed: see https://prometheus.io, or on Debian and Ubuntu: apt install prometheus.' \
		'That package also starts a service on port 9090, which systemctl disable --now prometheus ends.' >&2; exit 1; }
	@mkdir -p .build/prometheus
	@sed 's/localhost:10100/$(LISTEN)/; s,\.\./\*\.yml,$(CURDIR)/deploy/prometheus/*.yml,' deploy/prometheus/demo/prometheus.yml >.build/prometheus/prometheus.yml
	@echo 'In a minute, see what is dropped: http://$(PROMETHEUS_LISTEN)/graph?g0.tab=0&g0.range_input=5m&g0.expr=sum%20by%20%28prefix%29%20%28rate%28nflog_packets_total%5B15s%5D%29%29'
	@echo 'Ctrl-C ends it.'
	@prometheus --config.file=.build/prometheus/prometheus.yml --storage.tsdb.path=.build/prometheus/data \
		--web.listen-address=$(PROMETHEUS_LISTEN) --log.level=warn

# Tests are built without the profile, so that most packages are compiled once, not once more for each program.
test: | go-version $(if $(filter test/gonflog,$(MODULES)),old-go-nflog) ## Run the tests, with TESTFLAGS, and count skipped tests by reason
	$(GO) build -o .build/testsummary ./tools/testsummary
	.build/testsummary $(patsubst %,-in %,. $(MODULES)) $(GO) test -pgo=off $(TESTFLAGS) ./...
	@$(if $(MODULES),,echo 'Left to make test-all: comparisons with go-nflog and with Prometheus ($(ALLMODULES)). Left to .ci/run: the chart, packages, images and other kernels.')

# A test of test/gonflog runs itself with an old go-nflog. An ordinary user's tests have no network to fetch it.
old-go-nflog: | go-version
	@cd test/gonflog && $(GO) mod download -modfile=v2.1.0.mod

test-all: ## Run the tests, also those that fetch hundreds of megabytes
	@$(MAKE) --no-print-directory test MODULES='$(ALLMODULES)'

test-short: ## Run the tests that are fast and need no privilege
	@$(MAKE) --no-print-directory test TESTFLAGS=-short

# make test runs go vet, so the race tests leave it out.
race: | go-version old-go-nflog ## Run the tests with the race detector, which needs gcc
	$(GO) test -pgo=off -race -vet=off ./...
	cd test/gonflog && $(GO) test -race -vet=off ./...

bench: build ## Compare the exporter's CPU time with that of other readers, with BENCHFLAGS
	$(GO) build -o .build/bench ./tools/bench
	.build/bench -exporter ./$(BIN) $(BENCHFLAGS)

# Do this when the code that counts a packet changes. The profile is of BenchmarkCount, BenchmarkCountMixed and
# BenchmarkCountAllLabels in collector.
profile: | go-version ## Write default.pgo, the profile that the compiler optimizes by
	$(GO) test -run '^$$' -bench 'Count(Mixed|AllLabels)?$$' -benchtime 4s -cpuprofile default.pgo -o .build/profile.test ./collector

fuzz: | go-version ## Fuzz each decoder for FUZZTIME (30s)
	.ci/fuzz $(or $(FUZZTIME),30s)

lint: ## Run golangci-lint, which .ci/tools golangci-lint installs
	golangci-lint run

format: ## Format the code
	golangci-lint fmt

clean: ## Remove what make builds
	rm -rf $(BIN) .build .debs .rpms .tarballs .cache
