// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package queries gathers the PromQL that the project ships, of dashboards, of rules and of the documentation, so that tests can look at
// it and ask a Prometheus.
//
// It reads the files that users get, not what made them.
package queries
