// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// Fixed, so that links and bookmarks stay.
const (
	overviewUID = "nflog-overview"
	nodeUID     = "nflog-node"
	healthUID   = "nflog-health"
)

// overview is about all nodes together.
func overview() dashboard {
	return page{
		uid:       overviewUID,
		title:     "Firewall log overview",
		text:      "What the firewalls of all nodes log to NFLOG groups, as nflog_exporter counts it: how much, of what, where, and what is new.",
		variables: append(append(targetVariables(), groupVariable(ofTargets)), packetVariables(ofGroups)...),
		sections: []section{
			{charts: overviewNumbers()},
			{title: "What is logged", charts: append(byPrefix(), byNode()...)},
			{title: "Where and how", charts: byLabel()},
			{title: "New in this time range", charts: newcomers()},
			{title: "How large", charts: packetSizes(ofPackets)},
		},
	}.dashboard()
}

// What is counted of the packets that the variables select, of all nodes and of one.
const (
	packets     = "nflog_packets_total{" + ofPackets + "}"
	octets      = "nflog_bytes_total{" + ofPackets + "}"
	nodePackets = "nflog_packets_total{" + ofNodePackets + "}"
	nodeOctets  = "nflog_bytes_total{" + ofNodePackets + "}"
)

func overviewNumbers() []chart {
	lost, counted := growth(of("nflog_lost_packets_total", ofGroups)), growth(of("nflog_packets_total", ofGroups))
	blue := object{"mode": "fixed", "fixedColor": "blue"}
	return []chart{
		{
			kind: number, title: "Packets", w: 4, h: 4, unit: "pps", color: blue, none: "none",
			text:    "Packets logged each second, now. A packet that several rules log counts once for each.",
			queries: []query{{expr: sum("", rate(packets))}},
		},
		{
			kind: number, title: "Bytes", w: 4, h: 4, unit: "Bps", color: blue, none: "none",
			text:    "The length of those packets at the network layer, each second, now.",
			queries: []query{{expr: sum("", rate(octets))}},
		},
		{
			kind: number, title: "Prefixes", w: 4, h: 4, unit: "short", color: blue, none: "none",
			text:    "Different prefixes of rules that have logged anything since their exporter was started.",
			queries: []query{{expr: "count(count by (prefix) (" + packets + "))"}},
		},
		{
			kind: number, title: "Nodes", w: 4, h: 4, unit: "short", color: blue, none: "none",
			text:    "Nodes whose exporter answers.",
			queries: []query{{expr: "count(count by (job, instance) (" + of("nflog_up", ofTargets) + "))"}},
		},
		nodesNotReading(),
		{
			kind: number, title: "Lost", w: 4, h: 4, unit: "percentunit", steps: never(), none: "no packets",
			text: "Share of the packets logged in this time range that did not reach their exporter, whatever their labels. " +
				"All other numbers are too low by it. The dashboard Firewall log exporter health tells where.",
			queries: []query{{expr: fmt.Sprintf("sum(%s)\n/ (sum(%s) + sum(%s) > 0)", lost, lost, counted)}},
		},
	}
}

// nodesNotReading counts what is missing from all other panels.
func nodesNotReading() chart {
	return chart{
		kind: number, title: "Nodes not reading", w: 4, h: 4, unit: "short", steps: never(), none: "no nodes",
		text: "Nodes whose exporter does not answer, or can't bind one of its groups. What their firewalls log is not in " +
			"these panels. The dashboard Firewall log exporter health tells why.",
		queries: []query{{expr: fmt.Sprintf("sum(min by (job, instance) (%s or %s) == bool 0)",
			of("nflog_up", ofTargets), of("up", ofTargets))}},
	}
}

func byPrefix() []chart {
	return []chart{
		{
			kind: lines, title: "Packets by prefix", w: 12, h: 10, unit: "pps", stacked: true, none: "no packets",
			text: "The ten prefixes that logged most in this time range, one upon the other. What is between them and the " +
				"dashed line are all others.",
			queries: []query{
				{expr: named("prefix", top("prefix", packets)), legend: "{{prefix}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
		},
		movers("prefix", "Prefix", nil),
	}
}

func byNode() []chart {
	return []chart{
		{
			kind: lines, title: "Packets by node", w: 12, h: 10, unit: "pps", stacked: true, none: "no packets",
			text: "The ten nodes that logged most in this time range, one upon the other. What is between them and the " +
				"dashed line are all others.",
			queries: []query{
				{expr: top("instance", packets), legend: "{{instance}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
			links: []object{toNode("${__field.labels.instance}")},
		},
		movers("instance", "Node", toNode("${__value.raw}")),
	}
}

// movers compares a quarter of an hour with that an hour ago. What was not there then, or is not there now, was
// or is 0.
func movers(label, title string, link object) chart {
	now := sum(label, "rate("+packets+"[15m])")
	then := sum(label, "rate("+packets+"[15m] offset 1h)")
	change := fmt.Sprintf("(%s - %s or %s or 0 - %s)", now, then, now, then)
	shown := func(expr string) string { return expr }
	if label == "prefix" {
		shown = func(expr string) string { return named(label, expr) }
	}
	return chart{
		kind: table, title: title + ": top movers", w: 12, h: 10, unit: "pps", none: "no packets",
		text: "What has changed most against an hour ago, on average of 15 minutes: the eight that rose most and the " +
			"eight that fell most.",
		queries: []query{
			{expr: shown(now + " or " + then + " * 0")},
			{expr: shown(then + " or " + now + " * 0")},
			{expr: shown("topk(8, " + change + ")\nor bottomk(8, " + change + ")")},
		},
		join: label,
		columns: []column{
			{field: label, title: title, link: link},
			{field: "Value #C", title: "Change", unit: "pps", sort: true},
			{field: "Value #A", title: "Now", unit: "pps"},
			{field: "Value #B", title: "An hour ago", unit: "pps"},
		},
	}
}

// byLabel has the labels that have few values, and interfaces.
func byLabel() []chart {
	few := func(label, title, text string) chart {
		return chart{
			kind: lines, title: "Packets by " + title, w: 8, h: 8, unit: "pps", stacked: true, none: "no packets", text: text,
			queries: []query{{expr: named(label, sum(label, rate(packets))), legend: "{{" + label + "}}"}},
		}
	}
	protocol := few("protocol", "protocol", "The transport protocol, of the ten that logged most in this time range.")
	protocol.queries = []query{{expr: named("protocol", top("protocol", packets)), legend: "{{protocol}}"}}
	many := func(label, title, text string) chart {
		return chart{
			kind: lines, title: title, w: 12, h: 8, unit: "pps", stacked: true, none: "no packets", text: text,
			queries: []query{
				{expr: named(label, top(label, packets)), legend: "{{" + label + "}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
		}
	}
	return []chart{
		few("hook", "hook", "Where on their way packets were when a rule logged them."),
		few("family", "family", "The family of the rule: ip and ip6 for IPv4 and IPv6, of inet tables, too; arp, bridge, netdev."),
		protocol,
		many("in_interface", "Packets by interface in", "The ten interfaces by which most packets came. Packets that the node itself sends have none."),
		many("out_interface", "Packets by interface out", "The ten interfaces by which most packets leave. Packets that are for the node itself have none."),
	}
}

// newcomers are in series that were not there when the time range began.
func newcomers() []chart {
	before := func(labels string) string {
		return fmt.Sprintf("sum by (%s) (%s)\nunless sum by (%s) (%s offset $__range)", labels, packets, labels, packets)
	}
	side := func(label, direction string) string {
		matchers := ofPackets + "," + label + `!=""`
		seen := of("nflog_packets_total", matchers)
		fresh := fmt.Sprintf("sum by (instance, %s) (%s)\nunless sum by (instance, %s) (%s offset $__range)", label, seen, label, seen)
		return fmt.Sprintf("label_replace(label_replace(\n%s,\n%q, \"$1\", %q, \"(.+)\"), \"direction\", %q, \"\", \"\")",
			fresh, "interface", label, direction)
	}
	const text = " An exporter that was started anew forgets what there was before, so that all is new to it."
	return []chart{
		{
			kind: table, title: "New prefixes", w: 12, h: 9, unit: "short", none: "none",
			text:    "Prefixes that no node had logged when this time range began, with the packets since." + text,
			queries: []query{{expr: named("prefix", "topk(100, "+before("prefix")+")")}},
			columns: []column{
				{field: "prefix", title: "Prefix"},
				{field: "Value", title: "Packets", unit: "short", sort: true},
			},
		},
		{
			kind: table, title: "New interfaces", w: 12, h: 9, unit: "short", none: "none",
			text: "Interfaces on which a node had logged nothing when this time range began, with the packets since." + text,
			queries: []query{{expr: "topk(100, sum by (instance, interface, direction) (\n" +
				side("in_interface", "in") + "\nor\n" + side("out_interface", "out") + "\n))"}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "interface", title: "Interface"},
				{field: "direction", title: "Direction"},
				{field: "Value", title: "Packets", unit: "short", sort: true},
			},
		},
	}
}

// packetSizes has the mean from the counters, so that there is something without the histogram, too.
func packetSizes(matchers string) []chart {
	const noHistogram = "no histogram: is it off, or without one of the labels that are chosen above?"
	return []chart{
		{
			kind: heatmap, title: "Packet sizes", w: 12, h: 9, unit: "bytes", none: noHistogram,
			text: "How many packets there are of each length at the network layer. It is the native histogram where " +
				"Prometheus stores that, else the classic one. --no-collector.packet-size turns both off.",
			queries: []query{{expr: sizes(matchers), legend: "{{le}}"}},
		},
		{
			kind: lines, title: "Packet size", w: 12, h: 9, unit: "bytes", none: "no packets",
			text: "The size that half and 99 % of the packets don't exceed, from the histogram, and the mean, which is " +
				"there without it, too.",
			queries: []query{
				{expr: quantile("0.5", matchers), legend: "median"},
				{expr: quantile("0.99", matchers), legend: "99 %"},
				{expr: sum("", rate(of("nflog_bytes_total", matchers))) + "\n/ " + sum("", rate(of("nflog_packets_total", matchers))), legend: "mean"},
			},
		},
	}
}
