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

// counted returns the growth of counters over the dashboard's time range, as a whole number: Prometheus extrapolates to the
// ends of the range. What is more than 0 does not become 0.
func counted(labels, selector string) string { return "ceil(" + sum(labels, increase(selector)) + ")" }

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

// worst returns rates of faults by labels as top does, but nothing where there was no fault.
func worst(labels, selector string) string {
	return topOf(labels, sum(labels, rate(selector)), sum(labels, "rate("+selector+"[$__range] @ end())")+" > 0")
}

// topOf returns expr for the maxSeries label values that are largest by overRange, an expression over the whole time
// range. A topk of expr alone would choose again at each point, and show many more series, with gaps.
func topOf(labels, expr, overRange string) string {
	return fmt.Sprintf("%s\nand on (%s)\ntopk(%d, %s)", expr, labels, maxSeries, overRange)
}

// topNow returns rates by labels, of those that are largest over the time range and of those that are largest in its last
// five minutes, so that what has just begun is among them.
func topNow(labels, selector string) string {
	return fmt.Sprintf("%s\nand on (%s)\n(topk(7, %s)\nor topk(7, %s))", sum(labels, rate(selector)), labels,
		sum(labels, "rate("+selector+"[$__range] @ end())"), sum(labels, "rate("+selector+"[5m] @ end())"))
}

// nameEmpty replaces empty values of a label by "(none)", because a legend can't show empty ones.
func nameEmpty(label, expr string) string {
	return fmt.Sprintf("label_replace(\n%s,\n%q, \"(none)\", %q, \"\")", expr, label, label)
}

// spaceNetns puts a space before the network namespace, for legends that show it where it is.
func spaceNetns(expr string) string {
	return fmt.Sprintf("label_replace(\n%s,\n\"netns\", \" $1\", \"netns\", \"(.+)\")", expr)
}

// orZero returns 0 where expr has no result although there is what it counts among.
func orZero(expr, among string) string {
	return fmt.Sprintf("%s\nor count(%s) * 0", expr, among)
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
