// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command dashboards writes the Grafana dashboards of a folder.
//
//	go run ./tools/dashboards dashboards
//
// Three dashboards of 65 panels are almost seven thousand lines of JSON, of which nine in
// ten are the same for all panels of a kind. Here a panel is what is its own: a title, a
// description, a size and its queries, in overview.go, node.go and health.go.
// It is Go and not jsonnet, as who works on the exporter has the one and knows it, and
// the compiler finds what is misspelt.
//
// The JSON is kept in the tree, since people and the Helm chart take it as it is. A test
// compares it with what this command would write.
package main
