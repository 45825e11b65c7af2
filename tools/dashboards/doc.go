// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command dashboards generates the Grafana dashboards and writes them into a folder.
//
//	go run ./tools/dashboards dashboards
//
// The dashboards have some 80 panels and more than nine thousand lines of JSON. Nine lines in ten are the same for all
// panels of a kind. The code here states only what differs between panels: title, description, size and queries, in
// overview.go, labels.go, node.go, health.go and fleet.go. It is Go and not jsonnet because everybody who works on the exporter has Go and
// knows it, and because the compiler finds misspelt names.
//
// The JSON is committed because people and the Helm chart use it as it is. A test compares it with the output of this
// command.
package main
