// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// These are fixed, so that links and bookmarks keep working.
const (
	overviewUID = "nflog-overview"
	nodeUID     = "nflog-node"
	healthUID   = "nflog-health"
)

// overview shows all nodes together.
func overview() dashboard {
	return page{
		uid:       overviewUID,
		title:     "Firewall log overview",
		text:      "The packets that the firewalls of all nodes log to NFLOG groups, as counted by nflog_exporter: how many, of what kind, where, and what is new.",
		variables: append(append(targetVariables(), groupVariable(targetMatchers)), packetVariables(groupMatchers)...),
		sections: []section{
			{charts: overviewNumbers()},
			{title: "What is logged", charts: append(byPrefix(), byNode()...)},
			{title: "Where and how", charts: byLabel()},
			{title: "New in this time range", charts: newcomers()},
			{title: "How large", charts: packetSizes(packetMatchers)},
		},
	}.dashboard()
}

// Counters of the packets that the variables select, on all nodes and on one node.
const (
	packets     = "nflog_packets_total{" + packetMatchers + "}"
	octets      = "nflog_bytes_total{" + packetMatchers + "}"
	nodePackets = "nflog_packets_total{" + nodePacketMatchers + "}"
	nodeOctets  = "nflog_bytes_total{" + nodePacketMatchers + "}"
)

func overviewNumbers() []chart {
	lost, counted := increase(series("nflog_lost_packets_total", groupMatchers)), increase(series("nflog_packets_total", groupMatchers))
	blue := object{"mode": "fixed", "fixedColor": "blue"}
	return []chart{
		{
			kind: number, title: "Packets", w: 4, h: 4, unit: "pps", color: blue, noValue: "none",
			text:    "Packets logged each second, now. A packet that several rules log counts once for each rule.",
			queries: []query{{expr: sum("", rate(packets))}},
		},
		{
			kind: number, title: "Bytes", w: 4, h: 4, unit: "Bps", color: blue, noValue: "none",
			text:    "The length of those packets at the network layer, each second, now.",
			queries: []query{{expr: sum("", rate(octets))}},
		},
		{
			kind: number, title: "Prefixes", w: 4, h: 4, unit: "short", color: blue, noValue: "none",
			text:    "Different prefixes that rules have logged since their exporter started.",
			queries: []query{{expr: "count(count by (prefix) (" + packets + "))"}},
		},
		{
			kind: number, title: "Nodes", w: 4, h: 4, unit: "short", color: blue, noValue: "none",
			text:    "Nodes whose exporter can be scraped.",
			queries: []query{{expr: "count(count by (job, instance) (" + series("nflog_up", targetMatchers) + "))"}},
		},
		nodesNotReading(),
		{
			kind: number, title: "Lost", w: 4, h: 4, unit: "percentunit", steps: redAboveZero(), noValue: "no packets",
			text: "Share of the packets logged in this time range that did not reach their exporter, for all labels. " +
				"All other numbers are too low by this share. The dashboard Firewall log exporter health shows where.",
			queries: []query{{expr: fmt.Sprintf("sum(%s)\n/ (sum(%s) + sum(%s) > 0)", lost, lost, counted)}},
		},
	}
}

// nodesNotReading counts the nodes that are missing in all other panels.
func nodesNotReading() chart {
	return chart{
		kind: number, title: "Nodes not reading", w: 4, h: 4, unit: "short", steps: redAboveZero(), noValue: "no nodes",
		text: "Nodes whose exporter can't be scraped, or can't bind one of its groups. The panels don't include the packets " +
			"that their firewalls log. The dashboard Firewall log exporter health shows why.",
		queries: []query{{expr: fmt.Sprintf("sum(min by (job, instance) (%s or %s) == bool 0)",
			series("nflog_up", targetMatchers), series("up", targetMatchers))}},
	}
}

func byPrefix() []chart {
	return []chart{
		{
			kind: lines, title: "Packets by prefix", w: 12, h: 10, unit: "pps", stacked: true, noValue: "no packets",
			text: "The ten prefixes that logged most in this time range, stacked. The gap up to the dashed line is all " +
				"other prefixes.",
			queries: []query{
				{expr: nameEmpty("prefix", top("prefix", packets)), legend: "{{prefix}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
		},
		movers("prefix", "Prefix", nil),
	}
}

func byNode() []chart {
	return []chart{
		{
			kind: lines, title: "Packets by node", w: 12, h: 10, unit: "pps", stacked: true, noValue: "no packets",
			text: "The ten nodes that logged most in this time range, stacked. The gap up to the dashed line is all " +
				"other nodes.",
			queries: []query{
				{expr: top("instance", packets), legend: "{{instance}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
			links: []object{toNode("${__field.labels.instance}")},
		},
		movers("instance", "Node", toNode("${__value.raw}")),
	}
}

// movers compares the last 15 minutes with 15 minutes an hour earlier. Label values without series at one of these times
// count as 0 there.
func movers(label, title string, link object) chart {
	now := sum(label, "rate("+packets+"[15m])")
	then := sum(label, "rate("+packets+"[15m] offset 1h)")
	change := fmt.Sprintf("(%s - %s or %s or 0 - %s)", now, then, now, then)
	shown := func(expr string) string { return expr }
	if label == "prefix" {
		shown = func(expr string) string { return nameEmpty(label, expr) }
	}
	return chart{
		kind: table, title: title + ": top movers", w: 12, h: 10, unit: "pps", noValue: "no packets",
		text: "What has changed most compared with an hour ago, averaged over 15 minutes: the eight that rose most and the " +
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

// byLabel returns charts of the labels with few values, and of interfaces.
func byLabel() []chart {
	few := func(label, title, text string) chart {
		return chart{
			kind: lines, title: "Packets by " + title, w: 8, h: 8, unit: "pps", stacked: true, noValue: "no packets", text: text,
			queries: []query{{expr: nameEmpty(label, sum(label, rate(packets))), legend: "{{" + label + "}}"}},
		}
	}
	protocol := few("protocol", "protocol", "The ten transport protocols with most packets in this time range.")
	protocol.queries = []query{{expr: nameEmpty("protocol", top("protocol", packets)), legend: "{{protocol}}"}}
	many := func(label, title, text string) chart {
		return chart{
			kind: lines, title: title, w: 12, h: 8, unit: "pps", stacked: true, noValue: "no packets", text: text,
			queries: []query{
				{expr: nameEmpty(label, top(label, packets)), legend: "{{" + label + "}}"},
				{expr: sum("", rate(packets)), legend: "all", total: true},
			},
		}
	}
	return []chart{
		few("hook", "hook", "The netfilter hook at which a rule logged the packets."),
		few("family", "family", "The family of the rule: ip for IPv4, ip6 for IPv6, arp, bridge or netdev. Rules of inet tables count as ip and ip6."),
		protocol,
		many("in_interface", "Packets by interface in", "The ten interfaces on which most packets arrived. Packets that the node itself sends have none."),
		many("out_interface", "Packets by interface out", "The ten interfaces by which most packets leave. Packets for the node itself have none."),
	}
}

// newcomers returns tables of label values that had no series when the time range began.
func newcomers() []chart {
	before := func(labels string) string {
		return fmt.Sprintf("sum by (%s) (%s)\nunless sum by (%s) (%s offset $__range)", labels, packets, labels, packets)
	}
	side := func(label, direction string) string {
		matchers := packetMatchers + "," + label + `!=""`
		seen := series("nflog_packets_total", matchers)
		fresh := fmt.Sprintf("sum by (instance, %s) (%s)\nunless sum by (instance, %s) (%s offset $__range)", label, seen, label, seen)
		return fmt.Sprintf("label_replace(label_replace(\n%s,\n%q, \"$1\", %q, \"(.+)\"), \"direction\", %q, \"\", \"\")",
			fresh, "interface", label, direction)
	}
	const text = " An exporter that was restarted has forgotten earlier packets, so everything is new to it."
	return []chart{
		{
			kind: table, title: "New prefixes", w: 12, h: 9, unit: "short", noValue: "none",
			text:    "Prefixes that no node had logged when this time range began, with their packets since then." + text,
			queries: []query{{expr: nameEmpty("prefix", "topk(100, "+before("prefix")+")")}},
			columns: []column{
				{field: "prefix", title: "Prefix"},
				{field: "Value", title: "Packets", unit: "short", sort: true},
			},
		},
		{
			kind: table, title: "New interfaces", w: 12, h: 9, unit: "short", noValue: "none",
			text: "Interfaces on which a node had logged nothing when this time range began, with their packets since then." + text,
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

// packetSizes takes the mean from the counters, so that the panel shows it even without the histogram.
func packetSizes(matchers string) []chart {
	const noHistogram = "no histogram: it is off, or lacks a label that is selected above"
	return []chart{
		{
			kind: heatmap, title: "Packet sizes", w: 12, h: 9, unit: "bytes", noValue: noHistogram,
			text: "The number of packets of each length at the network layer. From the native histogram if Prometheus " +
				"stores it, else from the classic one. --no-collector.packet-size turns both off.",
			queries: []query{{expr: sizes(matchers), legend: "{{le}}"}},
		},
		{
			kind: lines, title: "Packet size", w: 12, h: 9, unit: "bytes", noValue: "no packets",
			text: "The median and the 99th percentile come from the histogram. The mean comes from the counters, and is there " +
				"even without the histogram.",
			queries: []query{
				{expr: quantile("0.5", matchers), legend: "median"},
				{expr: quantile("0.99", matchers), legend: "99 %"},
				{expr: sum("", rate(series("nflog_bytes_total", matchers))) + "\n/ " + sum("", rate(series("nflog_packets_total", matchers))), legend: "mean"},
			},
		},
	}
}
