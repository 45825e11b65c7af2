// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the exporter from the outside: the real binary runs in a
// network namespace with real rules that log real packets. The tests compare the
// metrics with the counters of the rules.
//
// It contains tests only, for Linux only. Files that other tests build on:
//
//   - exporter, scrape, series: run the exporter and read its metrics
//   - book: compare metrics with the counters of rules
//   - topology, send: networks and their packets
//   - site, monitor, promserver, history: a network with a real Prometheus
package e2e
