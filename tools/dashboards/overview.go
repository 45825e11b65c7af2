// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
)

// overview shows all nodes together.
func overview() dashboard {
	return page{
		uid:   overviewUID,
		title: "Firewall log overview",
		text: "The packets that the firewalls of all nodes log to NFLOG groups, as counted by nflog_exporter: how many, of what kind, where, " +
			"and what is new. For more than a hundred nodes, use the dashboard Firewall log fleet.",
		variables: append(targetVariables(),
			groupVariable(series("nflog_up", targetMatchers)),
			prefixVariable(series("nflog_packets_total", groupMatchers)),
			droppedVariable(), filterVariable()),
		annotations: annotations(targetMatchers, true),
		sections: []section{
			{charts: concat(overviewNumbers(), byPrefix(), movers("prefix", "Prefixes", "Prefix", nil))},
			{title: "Where", charts: concat(byNode(), []chart{newInterfaces()}, movers("instance", "Nodes", "Node", toNode("${__value.raw}")), byInterface())},
			{title: "What kind", charts: byLabel()},
			{title: "How large", charts: packetSizes(packetMatchers)},
			{title: "Pods of Kubernetes", collapsed: true, charts: pods()},
		},
	}.dashboard()
}

// concat returns the charts of all lists.
func concat(lists ...[]chart) []chart { return slices.Concat(lists...) }

// Counters of the packets that the variables select, on all nodes and on one node.
const (
	packets     = "nflog_packets_total{" + packetMatchers + "}"
	octets      = "nflog_bytes_total{" + packetMatchers + "}"
	nodePackets = "nflog_packets_total{" + nodePacketMatchers + "}"
	nodeOctets  = "nflog_bytes_total{" + nodePacketMatchers + "}"
)

// unknown is what shows in place of the number of what is new or unusual, where there is nothing to compare with.
const unknown = "unknown"

// Units of rates. Grafana's own pps shows thousandths of a packet as mp/s.
const (
	packetRate = "count:p/s"
	eventRate  = "count:/s"
)

// dropped returns the sum of what expr, with a selector in place of %s, returns for packets that are dropped or rejected:
// by the label action where there is one, else by the prefix.
func dropped(expr, metric, matchers string) string {
	return fmt.Sprintf("sum(%s or %s)",
		fmt.Sprintf(expr, series(metric, matchers+`,action=~"$dropped"`)),
		fmt.Sprintf(expr, series(metric, matchers+`,action="",prefix=~"$dropped"`)))
}

func overviewNumbers() []chart {
	lost, all := increase(series("nflog_lost_packets_total", groupMatchers)), increase(series("nflog_packets_total", groupMatchers))
	up := series("nflog_up", targetMatchers)
	before, usual := sum("prefix", "rate("+packets+"[15m])"), sum("prefix", "rate("+packets+"[1h] offset 1h)")
	return []chart{
		{
			kind: number, title: "Dropped and rejected", w: 5, h: 4, unit: packetRate, color: object{"mode": "fixed", "fixedColor": "orange"},
			curve: true, noValue: "no packets",
			text: "Packets that the firewalls drop or reject each second, now, with the curve over the time range: those whose label action, " +
				"or else whose prefix, matches Dropped is, above. Only rules that log count.",
			queries: []query{{expr: dropped("rate(%s[$__rate_interval])", "nflog_packets_total", packetMatchers) + "\nor " + sum("", rate(packets)) + " * 0", legend: "dropped and rejected"}},
		},
		{
			kind: number, title: "All packets", w: 5, h: 4, unit: packetRate, color: object{"mode": "fixed", "fixedColor": "blue"},
			curve: true, noValue: "no packets",
			text: "All packets logged each second, now, with the curve over the time range. A packet that several rules log counts " +
				"once for each rule.",
			queries: []query{{expr: sum("", rate(packets)), legend: "all"}},
		},
		{
			kind: number, title: "New prefixes", w: 4, h: 4, unit: "none", steps: green(from(1, "orange")), noValue: unknown,
			text:    "Prefixes that no node had logged when this time range began. They are in the table below. Unknown if there was no exporter then.",
			queries: []query{{expr: orZero("count("+newPrefixes+")", up+" offset $__range")}},
		},
		{
			kind: number, title: "Surging", w: 3, h: 4, unit: "none", steps: green(from(1, "orange")), noValue: unknown,
			text: "Prefixes with more than five times as many packets in the last 15 minutes as in the hour that ended an hour ago, and more " +
				"than one packet each second. They are in Prefixes that rose. Unknown if there was no exporter an hour ago.",
			queries: []query{{expr: orZero(fmt.Sprintf("count(%s > 5 * %s > 1)", before, usual), up+" offset 1h")}},
		},
		nodesNotReading(4),
		{
			kind: number, title: "Lost", w: 3, h: 4, unit: "percentunit", steps: redAboveZero(), noValue: "no packets",
			text: "Share of the packets logged in this time range that did not reach their exporter, for all labels. " +
				"All other numbers are too low by this share. The dashboard Firewall log exporter health shows where.",
			queries: []query{{expr: fmt.Sprintf("sum(%s)\n/ (sum(%s) + sum(%s) > 0)", lost, lost, all)}},
			links:   toHealth(),
		},
	}
}

// nodesNotReading counts the nodes that are missing in all other panels.
func nodesNotReading(w int) chart {
	return chart{
		kind: number, title: "Not reading", w: w, h: 4, unit: "none", steps: redAboveZero(), noValue: "no exporter",
		text: "Nodes whose exporter can't be scraped, or can't bind one of its groups. The panels don't include the packets " +
			"that their firewalls log. The dashboard Firewall log exporter health shows why.",
		queries: []query{{expr: fmt.Sprintf("sum(min by (job, instance) (%s or %s) == bool 0)",
			series("nflog_up", targetMatchers), series("up", targetMatchers))}},
		links: toHealth(),
	}
}

// newPrefixes are the prefixes that no node had when the time range began. Without an exporter at that time, nothing is new.
const newPrefixes = "count by (prefix) (" + packets + ")\nunless count by (prefix) (last_over_time(" + packets + "[10m] offset $__range))\n" +
	"and on () count(nflog_up{" + targetMatchers + "} offset $__range)"

func byPrefix() []chart {
	return []chart{
		{
			kind: lines, title: "Packets by prefix", w: 14, h: 8, unit: packetRate, stacked: true, noValue: "no packets",
			colors: map[string]string{"(none)": noneColor},
			text: "The seven prefixes that logged most in this time range, and the seven of its last five minutes, stacked. The gap up to " +
				"the dashed line is all other prefixes.",
			queries: []query{
				{expr: nameEmpty("prefix", topNow("prefix", packets)), legend: "{{prefix}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
		},
		{
			kind: table, title: "New prefixes, newest first", w: 10, h: 8, unit: "short", noValue: "none, or no exporter when this time range began",
			text: "Prefixes that no node had logged when this time range began: since when, on how many nodes, and their packets since then. " +
				"An exporter that was restarted has forgotten earlier packets.",
			queries: []query{
				{expr: nameEmpty("prefix", "time() - min_over_time((min by (prefix) (timestamp("+packets+")))[$__range:$__interval])\nand on (prefix)\n("+newPrefixes+")")},
				{expr: nameEmpty("prefix", "count by (prefix) (count by (job, instance, prefix) ("+packets+"))")},
				{expr: nameEmpty("prefix", sum("prefix", packets))},
			},
			join: "prefix", points: 60,
			columns: []column{
				{field: "prefix", title: "Prefix"},
				{field: "Value #A", title: "Age", unit: "s", up: true, width: 100},
				{field: "Value #B", title: "Nodes", unit: "none", width: 80},
				{field: "Value #C", title: "Packets", unit: "short", width: 100},
			},
		},
	}
}

func byNode() []chart {
	return []chart{
		{
			kind: lines, title: "Packets by node", w: 14, h: 9, unit: packetRate, stacked: true, noValue: "no packets",
			text: "The seven nodes that logged most in this time range, and the seven of its last five minutes, stacked. The gap up to the " +
				"dashed line is all other nodes.",
			queries: []query{
				{expr: topNow("instance", packets), legend: "{{instance}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
			links: []object{toNode("${__field.labels.instance}")},
		},
	}
}

// movers returns tables of what rose and what fell: the last 15 minutes, compared with 15 minutes an hour earlier. A change is
// negligible if it is less than a quarter of what was, or less than a thousandth of all packets.
func movers(label, what, title string, link object) []chart {
	at := func(offset string) (byLabel, all string) {
		return sum(label, "rate("+packets+"[15m]"+offset+")"), "scalar(" + sum("", "rate("+packets+"[15m]"+offset+")") + ")"
	}
	now, allNow := at("")
	then, allThen := at(" offset 1h")
	name := func(expr string) string { return expr }
	if label == "prefix" {
		name = func(expr string) string { return nameEmpty(label, expr) }
	}
	history := "count(nflog_up{" + targetMatchers + "} offset 1h)"
	moved := func(verb, text, change string) chart {
		return chart{
			kind: table, title: what + " that " + verb, w: 12, h: 6, unit: packetRate, noValue: "none, or no exporter an hour ago",
			text: "The eight that " + verb + " most, " + text + ": packets each second in the last 15 minutes, and in 15 minutes an hour " +
				"ago. Without changes by less than a quarter, or by less than a thousandth of all packets.",
			queries: []query{
				{expr: name(now + " or " + then + " * 0")},
				{expr: name(then + " or " + now + " * 0")},
				{expr: name("topk(8, " + change + ")\nand on () " + history)},
			},
			join: label,
			columns: []column{
				{field: label, title: title, link: link},
				{field: "Value #C", title: "Change", unit: packetRate, sort: true, width: 110},
				{field: "Value #A", title: "Now", unit: packetRate, width: 110},
				{field: "Value #B", title: "An hour ago", unit: packetRate, width: 125},
			},
		}
	}
	return []chart{
		moved("rose", "which may be new", fmt.Sprintf("(%s - %s > 0.25 * %s or %s unless %s) > 0.001 * %s", now, then, then, now, then, allNow)),
		moved("fell", "which may have gone", fmt.Sprintf("(%s - %s > 0.25 * %s or %s unless %s) > 0.001 * %s", then, now, then, then, now, allThen)),
	}
}

func byInterface() []chart {
	many := func(label, title, text string) chart {
		return chart{
			kind: lines, title: title, w: 12, h: 8, unit: packetRate, stacked: true, noValue: "no packets", text: text,
			colors: map[string]string{"(none)": noneColor},
			queries: []query{
				{expr: nameEmpty(label, top(label, packets)), legend: "{{" + label + "}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
		}
	}
	return []chart{
		many("in_interface", "Packets by interface in", "The ten interfaces on which most packets arrived. Packets that the node itself sends have none."),
		many("out_interface", "Packets by interface out", "The ten interfaces by which most packets leave. Packets for the node itself have none."),
	}
}

// newInterfaces is a table of interfaces that had no series when the time range began.
func newInterfaces() chart {
	side := func(label, direction string) string {
		seen := series("nflog_packets_total", packetMatchers+","+label+`!=""`)
		fresh := fmt.Sprintf("sum by (instance, %s) (%s)\nunless sum by (instance, %s) (last_over_time(%s[10m] offset $__range))\n"+
			"and on (instance) nflog_up{%s} offset $__range", label, seen, label, seen, targetMatchers)
		return fmt.Sprintf("label_replace(label_replace(\n%s,\n%q, \"$1\", %q, \"(.+)\"), \"direction\", %q, \"\", \"\")",
			fresh, "interface", label, direction)
	}
	return chart{
		kind: table, title: "New interfaces", w: 10, h: 9, unit: "short", noValue: "none, or no exporter when this time range began",
		text: "Interfaces on which a node had logged nothing when this time range began, with their packets since then. " +
			"An exporter that was restarted has forgotten earlier packets, so everything is new to it.",
		queries: []query{{expr: "topk(100, sum by (instance, interface, direction) (\n" +
			side("in_interface", "in") + "\nor\n" + side("out_interface", "out") + "\n))"}},
		columns: []column{
			{field: "instance", title: "Node", link: toNode("${__value.raw}")},
			{field: "interface", title: "Interface"},
			{field: "direction", title: "Side", width: 75},
			{field: "Value", title: "Packets", unit: "short", sort: true, width: 100},
		},
	}
}
