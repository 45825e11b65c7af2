// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// of returns a selector.
func of(metric, matchers string) string { return metric + "{" + matchers + "}" }

// rate returns what a counter grows by in a second.
func rate(selector string) string { return "rate(" + selector + "[$__rate_interval])" }

// growth returns what a counter grows by in the time range.
func growth(selector string) string { return "increase(" + selector + "[$__range])" }

// sum returns a sum by some labels, or by none.
func sum(labels, expr string) string {
	if labels == "" {
		return "sum(" + expr + ")"
	}
	return "sum by (" + labels + ") (" + expr + ")"
}

// mostOf is how many series a panel shows at most: as many as an eye can tell apart.
const mostOf = 10

// top returns rates by labels, for the ten that have most.
func top(labels, selector string) string {
	return topOf(labels, sum(labels, rate(selector)), sum(labels, "rate("+selector+"[$__range] @ end())"))
}

// topOf returns what expr has of the ten that have most by overRange, which is about the whole time range. A topk of
// expr alone would choose anew at each point, and show many more than ten, with holes.
func topOf(labels, expr, overRange string) string {
	return fmt.Sprintf("%s\nand on (%s)\ntopk(%d, %s)", expr, labels, mostOf, overRange)
}

// named gives a label a value where it is empty, which a legend could not show.
func named(label, expr string) string {
	return fmt.Sprintf("label_replace(\n%s,\n%q, \"(none)\", %q, \"\")", expr, label, label)
}

// The histogram comes in two forms, and Prometheus stores either or both. The native one is the finer. Where it is
// not there, the right side of the "or" is all there is: "on ()" lets anything on the left keep all on the right away.
const either = "%s\nor on ()\n%s"

// sizes returns how many packets there are of each size, for a heat map.
func sizes(matchers string) string {
	return fmt.Sprintf(either,
		"sum(increase("+of("nflog_packet_size_bytes", matchers)+"[$__rate_interval]))",
		"sum by (le) (increase("+of("nflog_packet_size_bytes_bucket", matchers)+"[$__rate_interval]))")
}

// quantile returns the size that a share of the packets does not exceed.
func quantile(share, matchers string) string {
	return fmt.Sprintf(either,
		"histogram_quantile("+share+", "+sum("", rate(of("nflog_packet_size_bytes", matchers)))+")",
		"histogram_quantile("+share+", "+sum("le", rate(of("nflog_packet_size_bytes_bucket", matchers)))+")")
}
