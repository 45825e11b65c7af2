// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package prometheus tests how Prometheus ingests the exporter's metrics. It runs
// Prometheus's scrape manager, storage and query engine, and the real exporter in a
// network namespace, with real rules that log real packets.
//
// It is a separate module, so that Prometheus is no dependency of nflog_exporter. It
// contains tests only, for Linux only.
package prometheus
