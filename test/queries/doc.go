// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package queries collects the PromQL queries of the dashboards, the rules and the documentation, so that tests can check them
// and run them on a Prometheus.
//
// It reads the files that users get, not their sources.
package queries
