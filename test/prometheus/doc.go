// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package prometheus lets a Prometheus scrape the exporter: Prometheus's own scrape
// manager, storage and query engine, and the real binary in a network namespace,
// with real rules that log real packets.
//
// It is a module of its own, so that nobody who uses nflog_exporter gets Prometheus
// with it. There is nothing but tests, for Linux only.
package prometheus
