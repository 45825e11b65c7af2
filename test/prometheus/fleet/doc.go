// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command fleet makes the data of a Prometheus that scrapes many exporters, and tells how
// long the rules take there. It simulates the nodes minute by minute, evaluates the rules
// as Prometheus does, and leaves a folder of data that Prometheus can serve:
//
//	cd test/prometheus
//	go run -tags stringlabels ./fleet -nodes 1000 -minutes 40 -evaluate 20 /tmp/fleet
//	prometheus --config.file=/dev/null --storage.tsdb.path=/tmp/fleet --storage.tsdb.retention.time=90d
//
// Prometheus's own programs are built with that tag.
//
// On some nodes something is wrong or unusual. See events in node.go.
package main
