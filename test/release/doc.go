// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package release tests the Makefile: its targets and how it builds, and that
// promu, which builds releases of Prometheus and its exporters, builds the same
// by .promu.yml. The tests need GNU make and tar, so they are for Linux only.
package release
