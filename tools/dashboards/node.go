// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// node is about one instance, group by group.
func node() dashboard {
	variables := targetVariables()
	for i := range variables {
		if variables[i].Name == "instance" {
			one(&variables[i])
		}
	}
	return page{
		uid:       nodeUID,
		title:     "Firewall log node",
		text:      "What the firewall of one node logs to its NFLOG groups, as nflog_exporter counts it, in depth, and whether all of it is counted.",
		variables: append(append(variables, groupVariable(ofNode)), packetVariables(ofNodeGroups)...),
		sections: []section{
			{charts: nodeState()},
			{title: "Group $group", repeat: "group", charts: nodeGroup()},
			{title: "Reading", charts: nodeReading()},
		},
	}.dashboard()
}

// one lets a variable have a single value.
func one(v *variable) {
	v.Multi, v.IncludeAll, v.AllValue, v.Current = false, false, "", nil
}

// ofGroup is what tells groups of a node apart: netns is there where several namespaces are read.
const (
	ofGroup     = "group, netns"
	groupLegend = "group {{group}} {{netns}}"
)

func bound() []object {
	return []object{{"type": "value", "options": object{
		"0": object{"text": "not bound", "color": "red", "index": 0},
		"1": object{"text": "bound", "color": "green", "index": 1},
	}}}
}

func nodeState() []chart {
	return []chart{
		{
			kind: number, title: "Groups", w: 6, h: 4, unit: "none", words: bound(), none: "no exporter",
			text:    "Whether each group is bound, so that its packets are counted.",
			queries: []query{{expr: of("nflog_up", ofNodeGroups), legend: groupLegend}},
		},
		{
			kind: number, title: "Last packet", w: 6, h: 4, unit: "s", none: "never",
			text:    "How long ago a packet came. On a quiet node that can be long.",
			color:   object{"mode": "fixed", "fixedColor": "blue"},
			queries: []query{{expr: "time() - " + of("nflog_last_packet_timestamp_seconds", ofNodeGroups), legend: groupLegend}},
		},
		{
			kind: number, title: "Packets in this time range", w: 6, h: 4, unit: "short", none: "none",
			text:    "Packets counted, of each group.",
			color:   object{"mode": "fixed", "fixedColor": "blue"},
			queries: []query{{expr: sum(ofGroup, growth(nodePackets)), legend: groupLegend}},
		},
		{
			kind: number, title: "Lost in this time range", w: 6, h: 4, unit: "short", steps: never(), none: "no exporter",
			text:    "Packets that were logged but did not reach the exporter, of each group, whatever their labels.",
			queries: []query{{expr: sum(ofGroup, growth(of("nflog_lost_packets_total", ofNodeGroups))), legend: groupLegend}},
		},
	}
}

func nodeGroup() []chart {
	topTen := func(labels, legend, selector string) []query {
		return []query{
			{expr: named("prefix", top(labels, selector)), legend: legend},
			{expr: sum("", rate(selector)), legend: "all", total: true},
		}
	}
	stack := func(title, text, labels, legend string) chart {
		return chart{
			kind: lines, title: title, text: text, w: 8, h: 8, unit: "pps", stacked: true, none: "no packets",
			queries: []query{{expr: sum(labels, rate(nodePackets)), legend: legend}},
		}
	}
	path := stack("Packets by path", "The interfaces that packets came by and leave by, of the ten pairs that most take. "+
		"Packets for the node itself have only the first, those that it sends only the second.",
		"in_interface, out_interface", "{{in_interface}} → {{out_interface}}")
	path.queries[0].expr = top("in_interface, out_interface", nodePackets)
	protocol := stack("Packets by protocol", "The transport protocol, of the ten that logged most.", "protocol", "{{protocol}}")
	protocol.queries[0].expr = top("protocol", nodePackets)

	charts := []chart{
		{
			kind: lines, title: "Packets by prefix", w: 12, h: 9, unit: "pps", stacked: true, none: "no packets",
			text: "The ten prefixes that logged most in this time range, one upon the other. The dashed line is all. A rule " +
				"at its rate limit is a flat line.",
			queries: topTen("prefix", "{{prefix}}", nodePackets),
		},
		{
			kind: lines, title: "Bytes by prefix", w: 12, h: 9, unit: "Bps", stacked: true, none: "no packets",
			text:    "The ten prefixes whose packets had most bytes, at the network layer. The dashed line is all.",
			queries: topTen("prefix", "{{prefix}}", nodeOctets),
		},
		stack("Packets by family and hook", "Where the rule sits that logged them.", "family, hook", "{{family}} {{hook}}"),
		protocol,
		path,
	}
	charts = append(charts, packetSizes(ofNodePackets)...)
	return append(charts, labelSets()...)
}

// labelSets shows all labels that packets are counted by, whichever were chosen.
func labelSets() []chart {
	labels := []column{
		{field: "prefix", title: "Prefix"},
		{field: "family", title: "Family"},
		{field: "hook", title: "Hook"},
		{field: "in_interface", title: "In"},
		{field: "out_interface", title: "Out"},
		{field: "protocol", title: "Protocol"},
	}
	// Those of the target are the same in all rows.
	const all = "sum without (job, instance, group) "
	with := func(value column) []column { return append([]column{value}, labels...) }
	return []chart{
		{
			kind: table, title: "Busiest label sets", w: 24, h: 9, unit: "pps", none: "no packets",
			text:    "The 25 combinations of all labels that packets are counted by which log most now.",
			queries: []query{{expr: "topk(25, " + all + "(" + rate(nodePackets) + "))"}},
			columns: with(column{field: "Value", title: "Packets/s", unit: "pps", sort: true}),
		},
		{
			kind: table, title: "New label sets", w: 24, h: 9, unit: "short", none: "none",
			text: "The 25 largest of the combinations of labels that there were not when this time range began, with the " +
				"packets since. An exporter that was started anew forgets what there was before.",
			queries: []query{{expr: fmt.Sprintf("topk(25, %s(%s unless %s offset $__range))", all, nodePackets, nodePackets)}},
			columns: with(column{field: "Value", title: "Packets", unit: "short", sort: true}),
		},
	}
}

func nodeReading() []chart {
	lost := of("nflog_lost_packets_total", ofNodeGroups)
	counted := sum(ofGroup, rate(of("nflog_packets_total", ofNodeGroups)))
	datagrams := sum(ofGroup, rate(of("nflog_datagrams_total", ofNodeGroups)))
	return []chart{
		{
			kind: states, title: "Groups over time", w: 12, h: 7, unit: "none", words: bound(), none: "no exporter",
			text: "When each group was bound. While it is not, its packets are known to nobody. Where there is nothing, " +
				"the exporter did not answer.",
			queries: []query{{expr: of("nflog_up", ofNodeGroups), legend: groupLegend}},
		},
		{
			kind: lines, title: "Lost and dropped", w: 12, h: 7, unit: "short", none: "no exporter",
			text: "Packets lost between kernel and exporter, and datagrams of up to some 1,500 packets each that the kernel " +
				"dropped, each second. A loss shows in packets with the next one that comes.",
			queries: []query{
				{expr: sum(ofGroup, rate(lost)), legend: "packets lost, " + groupLegend},
				{expr: sum(ofGroup, rate(of("nflog_socket_drops_total", ofNodeGroups))), legend: "datagrams dropped, " + groupLegend},
			},
		},
		{
			kind: lines, title: "Packets in a datagram", w: 8, h: 7, unit: "short", none: "no packets",
			text: "How many packets the kernel hands over at once. Few are normal where few are logged. Few at a high rate " +
				"mean that a rule has a threshold of its own.",
			queries: []query{{expr: counted + "\n/ " + datagrams, legend: groupLegend}},
		},
		{
			kind: lines, title: "Fill of the socket's buffer", w: 8, h: 7, unit: "percentunit", full: true, none: "no exporter",
			text: "At the time of a scrape. When it is full, the kernel drops.",
			queries: []query{{
				expr:   of("nflog_socket_queued_bytes", ofNodeGroups) + "\n/ (" + of("nflog_socket_buffer_bytes", ofNodeGroups) + " > 0)",
				legend: groupLegend,
			}},
		},
		{
			kind: lines, title: "Label sets", w: 8, h: 7, unit: "short", none: "no exporter",
			text: "Combinations of labels that packets are counted under, and how many there may be. Packets of further ones " +
				"are counted under __overflow__.",
			queries: []query{
				{expr: of("nflog_label_sets", ofNodeGroups), legend: groupLegend},
				{expr: of("nflog_label_sets_limit", ofNodeGroups), legend: "limit, " + groupLegend, total: true},
			},
		},
	}
}
