// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// series returns the selector of a metric's series.
func series(metric, matchers string) string { return metric + "{" + matchers + "}" }

// rate returns the growth of a counter per second.
func rate(selector string) string { return "rate(" + selector + "[$__rate_interval])" }

// increase returns the growth of a counter over the dashboard's time range.
func increase(selector string) string { return "increase(" + selector + "[$__range])" }

// sum returns the sum by labels, or the total if labels is empty.
func sum(labels, expr string) string {
	if labels == "" {
		return "sum(" + expr + ")"
	}
	return "sum by (" + labels + ") (" + expr + ")"
}

// maxSeries is the maximum number of series of a panel: more lines than that can't be told apart.
const maxSeries = 10

// top returns rates by labels, of the maxSeries largest over the time range.
func top(labels, selector string) string {
	return topOf(labels, sum(labels, rate(selector)), sum(labels, "rate("+selector+"[$__range] @ end())"))
}

// topOf returns expr for the maxSeries label values that are largest by overRange, an expression over the whole time
// range. A topk of expr alone would choose again at each point, and show many more series, with gaps.
func topOf(labels, expr, overRange string) string {
	return fmt.Sprintf("%s\nand on (%s)\ntopk(%d, %s)", expr, labels, maxSeries, overRange)
}

// nameEmpty replaces empty values of a label by "(none)", because a legend can't show empty ones.
func nameEmpty(label, expr string) string {
	return fmt.Sprintf("label_replace(\n%s,\n%q, \"(none)\", %q, \"\")", expr, label, label)
}

// nativeOrClassic prefers the native histogram, which is finer, and falls back to the classic one. Prometheus stores
// either or both. With "on ()", any sample on the left side of "or" hides all samples on the right side.
const nativeOrClassic = "%s\nor on ()\n%s"

// sizes returns the number of packets by size, for a heat map.
func sizes(matchers string) string {
	return fmt.Sprintf(nativeOrClassic,
		"sum(increase("+series("nflog_packet_size_bytes", matchers)+"[$__rate_interval]))",
		"sum by (le) (increase("+series("nflog_packet_size_bytes_bucket", matchers)+"[$__rate_interval]))")
}

// quantile returns the size that the given share of packets does not exceed.
func quantile(share, matchers string) string {
	return fmt.Sprintf(nativeOrClassic,
		"histogram_quantile("+share+", "+sum("", rate(series("nflog_packet_size_bytes", matchers)))+")",
		"histogram_quantile("+share+", "+sum("le", rate(series("nflog_packet_size_bytes_bucket", matchers)))+")")
}
