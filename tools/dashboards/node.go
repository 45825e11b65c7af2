// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// node shows one instance, group by group.
func node() dashboard {
	variables := targetVariables()
	for i := range variables {
		if variables[i].Name == "instance" {
			single(&variables[i])
		}
	}
	return page{
		uid:       nodeUID,
		title:     "Firewall log node",
		text:      "The packets that the firewall of one node logs to NFLOG groups, as counted by nflog_exporter, in detail, and whether all of them are counted.",
		variables: append(append(variables, groupVariable(nodeMatchers)), packetVariables(nodeGroupMatchers)...),
		sections: []section{
			{charts: nodeState()},
			{title: "Group $group", repeat: "group", charts: nodeGroup()},
			{title: "Reading", charts: nodeReading()},
		},
	}.dashboard()
}

// single restricts a variable to a single value.
func single(v *variable) {
	v.Multi, v.IncludeAll, v.AllValue, v.Current = false, false, "", nil
}

// groupLabels identify a group of a node. The label netns exists only where several namespaces are read.
const (
	groupLabels = "group, netns"
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
			kind: number, title: "Groups", w: 6, h: 4, unit: "none", mappings: bound(), noValue: "no exporter",
			text:    "Whether each group is bound, so that its packets are counted.",
			queries: []query{{expr: series("nflog_up", nodeGroupMatchers), legend: groupLegend}},
		},
		{
			kind: number, title: "Last packet", w: 6, h: 4, unit: "s", noValue: "never",
			text:    "Time since the last packet arrived. On a quiet node it can be long.",
			color:   object{"mode": "fixed", "fixedColor": "blue"},
			queries: []query{{expr: "time() - " + series("nflog_last_packet_timestamp_seconds", nodeGroupMatchers), legend: groupLegend}},
		},
		{
			kind: number, title: "Packets in this time range", w: 6, h: 4, unit: "short", noValue: "none",
			text:    "Packets counted in each group.",
			color:   object{"mode": "fixed", "fixedColor": "blue"},
			queries: []query{{expr: sum(groupLabels, increase(nodePackets)), legend: groupLegend}},
		},
		{
			kind: number, title: "Lost in this time range", w: 6, h: 4, unit: "short", steps: redAboveZero(), noValue: "no exporter",
			text:    "Packets of each group that were logged but did not reach the exporter, for all labels.",
			queries: []query{{expr: sum(groupLabels, increase(series("nflog_lost_packets_total", nodeGroupMatchers))), legend: groupLegend}},
		},
	}
}

func nodeGroup() []chart {
	topTen := func(labels, legend, selector string) []query {
		return []query{
			{expr: nameEmpty("prefix", top(labels, selector)), legend: legend},
			{expr: sum("", rate(selector)), legend: "all", total: true},
		}
	}
	stack := func(title, text, labels, legend string) chart {
		return chart{
			kind: lines, title: title, text: text, w: 8, h: 8, unit: "pps", stacked: true, noValue: "no packets",
			queries: []query{{expr: sum(labels, rate(nodePackets)), legend: legend}},
		}
	}
	path := stack("Packets by path", "The ten pairs of arriving and leaving interface with most packets. "+
		"Packets for the node itself have only the first, packets that it sends only the second.",
		"in_interface, out_interface", "{{in_interface}} → {{out_interface}}")
	path.queries[0].expr = top("in_interface, out_interface", nodePackets)
	protocol := stack("Packets by protocol", "The ten transport protocols with most packets.", "protocol", "{{protocol}}")
	protocol.queries[0].expr = top("protocol", nodePackets)

	charts := []chart{
		{
			kind: lines, title: "Packets by prefix", w: 12, h: 9, unit: "pps", stacked: true, noValue: "no packets",
			text: "The ten prefixes that logged most in this time range, stacked. The dashed line is the total. A rule " +
				"at its rate limit shows as a flat line.",
			queries: topTen("prefix", "{{prefix}}", nodePackets),
		},
		{
			kind: lines, title: "Bytes by prefix", w: 12, h: 9, unit: "Bps", stacked: true, noValue: "no packets",
			text:    "The ten prefixes with most bytes, counted at the network layer. The dashed line is the total.",
			queries: topTen("prefix", "{{prefix}}", nodeOctets),
		},
		stack("Packets by family and hook", "Family and hook of the rules that logged the packets.", "family, hook", "{{family}} {{hook}}"),
		protocol,
		path,
	}
	charts = append(charts, packetSizes(nodePacketMatchers)...)
	return append(charts, labelSets()...)
}

// labelSets shows all labels that packets are counted by, including optional ones.
func labelSets() []chart {
	labels := []column{
		{field: "prefix", title: "Prefix"},
		{field: "family", title: "Family"},
		{field: "hook", title: "Hook"},
		{field: "in_interface", title: "In"},
		{field: "out_interface", title: "Out"},
		{field: "protocol", title: "Protocol"},
	}
	// The labels of the target are the same in all rows.
	const all = "sum without (job, instance, group) "
	with := func(value column) []column { return append([]column{value}, labels...) }
	return []chart{
		{
			kind: table, title: "Busiest label sets", w: 24, h: 9, unit: "pps", noValue: "no packets",
			text:    "The 25 label sets with most packets now. A label set is one combination of all labels that packets are counted by.",
			queries: []query{{expr: "topk(25, " + all + "(" + rate(nodePackets) + "))"}},
			columns: with(column{field: "Value", title: "Packets/s", unit: "pps", sort: true}),
		},
		{
			kind: table, title: "New label sets", w: 24, h: 9, unit: "short", noValue: "none",
			text: "The 25 largest of the label sets that did not exist when this time range began, with their packets since " +
				"then. An exporter that was restarted has forgotten earlier packets.",
			queries: []query{{expr: fmt.Sprintf("topk(25, %s(%s unless %s offset $__range))", all, nodePackets, nodePackets)}},
			columns: with(column{field: "Value", title: "Packets", unit: "short", sort: true}),
		},
	}
}

func nodeReading() []chart {
	lost := series("nflog_lost_packets_total", nodeGroupMatchers)
	counted := sum(groupLabels, rate(series("nflog_packets_total", nodeGroupMatchers)))
	datagrams := sum(groupLabels, rate(series("nflog_datagrams_total", nodeGroupMatchers)))
	return []chart{
		{
			kind: states, title: "Groups over time", w: 12, h: 7, unit: "none", mappings: bound(), noValue: "no exporter",
			text: "When each group was bound. While a group is not bound, its packets are not counted. Gaps mean that the " +
				"exporter could not be scraped.",
			queries: []query{{expr: series("nflog_up", nodeGroupMatchers), legend: groupLegend}},
		},
		{
			kind: lines, title: "Lost and dropped", w: 12, h: 7, unit: "short", noValue: "no exporter",
			text: "Packets lost between kernel and exporter, and datagrams of up to some 1,500 packets each that the kernel " +
				"dropped, each second. A loss counts in packets only when the next packet arrives.",
			queries: []query{
				{expr: sum(groupLabels, rate(lost)), legend: "packets lost, " + groupLegend},
				{expr: sum(groupLabels, rate(series("nflog_socket_drops_total", nodeGroupMatchers))), legend: "datagrams dropped, " + groupLegend},
			},
		},
		{
			kind: lines, title: "Packets in a datagram", w: 8, h: 7, unit: "short", noValue: "no packets",
			text: "How many packets the kernel delivers at once. Few are normal if few packets are logged. Few at a high " +
				"rate mean that a rule has its own threshold.",
			queries: []query{{expr: counted + "\n/ " + datagrams, legend: groupLegend}},
		},
		{
			kind: lines, title: "Fill of the socket's buffer", w: 8, h: 7, unit: "percentunit", zeroToOne: true, noValue: "no exporter",
			text: "At the time of a scrape. When the buffer is full, the kernel drops packets.",
			queries: []query{{
				expr:   series("nflog_socket_queued_bytes", nodeGroupMatchers) + "\n/ (" + series("nflog_socket_buffer_bytes", nodeGroupMatchers) + " > 0)",
				legend: groupLegend,
			}},
		},
		{
			kind: lines, title: "Label sets", w: 8, h: 7, unit: "short", noValue: "no exporter",
			text: "Combinations of label values that packets are counted under, and their limit. Packets of further " +
				"combinations are counted under __overflow__.",
			queries: []query{
				{expr: series("nflog_label_sets", nodeGroupMatchers), legend: groupLegend},
				{expr: series("nflog_label_sets_limit", nodeGroupMatchers), legend: "limit, " + groupLegend, total: true},
			},
		},
	}
}
