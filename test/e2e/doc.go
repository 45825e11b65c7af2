// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the exporter from the outside: the real binary, started in
// a network namespace, with real rules that log real traffic. What it serves is
// held against the counters that the rules themselves keep.
//
// It has nothing but tests, which are for Linux only.
package e2e
