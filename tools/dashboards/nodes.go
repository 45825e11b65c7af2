// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// The states of a node, worst first. A state is the first that applies.
func nodeStates() []object {
	state := func(index int, text, color string) object {
		return object{"text": text, "color": color, "index": index}
	}
	return []object{{"type": "value", "options": object{
		"0": state(0, "not scraped", "red"),
		"1": state(1, "not bound", "red"),
		"2": state(2, "losing packets", "orange"),
		"3": state(3, "too many label sets", "orange"),
		"4": state(4, "reading", "green"),
	}}}
}

// healthNodes is a table with a row for each node.
func healthNodes() chart {
	up, bound := series("up", targetMatchers), series("nflog_up", targetMatchers)
	lost, all := sum("instance", increase(series("nflog_lost_packets_total", groupMatchers))), sum("instance", increase(series("nflog_packets_total", groupMatchers)))
	share := func(part, whole string) string {
		return fmt.Sprintf("max by (instance) (%s / (%s > 0))", series(part, groupMatchers), series(whole, groupMatchers))
	}
	sets := share("nflog_label_sets", "nflog_label_sets_limit")
	one := 1
	state := fmt.Sprintf("(min by (instance) (%s) == 0)\nor (min by (instance) (%s) == 0) + 1\nor (%s > 0) * 0 + 2\nor (%s >= 1) * 0 + 3\nor min by (instance) (%s) * 0 + 4",
		up, bound, lost, sets, bound)
	return chart{
		kind: table, title: "Nodes", w: 24, h: 10, unit: "short", noValue: "no exporter", join: "instance", outer: true,
		text: "The state of each node, worst first; its groups that are not bound; packets each second, now; the share of packets lost in this " +
			"time range; the time from the last packet to the last scrape; label sets, as a share of their limit; the fill of the fullest " +
			"buffer; and the share of one CPU.",
		queries: []query{
			{expr: state},
			{expr: "sum by (instance) (" + series("nflog_up", groupMatchers) + " == bool 0)"},
			{expr: sum("instance", rate(series("nflog_packets_total", groupMatchers)))},
			{expr: fmt.Sprintf("%s\n/ (%s + (%s or %s * 0) > 0)", lost, lost, all, lost)},
			{expr: silent("instance", groupMatchers)},
			{expr: sets},
			{expr: share("nflog_socket_queued_bytes", "nflog_socket_buffer_bytes")},
			{expr: sum("instance", rate(series("process_cpu_seconds_total", targetMatchers)))},
		},
		columns: []column{
			{field: "instance", title: "Node", link: toNode("${__value.raw}")},
			{field: "Value #A", title: "State", mappings: nodeStates(), up: true, width: 170},
			{field: "Value #B", title: "Not bound", unit: "none", steps: unusual(from(1e-9, "red")), width: 105},
			{field: "Value #C", title: "Packets", unit: packetRate, width: 105},
			{field: "Value #D", title: "Lost", unit: "percentunit", steps: unusual(from(1e-9, "red")), width: 95},
			{field: "Value #E", title: "Silent for", unit: "s", mappings: never(), steps: unusual(from(3600, "yellow")), width: 110},
			{field: "Value #F", title: "Label sets", unit: "percentunit", decimals: &one, steps: unusual(from(0.8, "orange"), from(1, "red")), width: 105},
			{field: "Value #G", title: "Buffer", unit: "percentunit", decimals: &one, steps: unusual(from(0.5, "orange"), from(0.9, "red")), width: 95},
			{field: "Value #H", title: "CPU", unit: "percentunit", decimals: &one, steps: unusual(from(0.5, "orange"), from(0.9, "red")), width: 95},
		},
	}
}
