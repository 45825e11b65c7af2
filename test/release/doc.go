// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package release has tests of how the exporter is built for others: what the
// Makefile does, and that promu, which builds the releases of Prometheus and
// its exporters, would do the same by .promu.yml. They take GNU's tools, so they
// are for Linux only.
package release
