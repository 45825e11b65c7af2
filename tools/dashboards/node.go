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
	// A group without packets, such as one that another process holds, has no section of its own. It is in Reading.
	group := groupVariable(series("nflog_packets_total", nodeMatchers))
	group.Description = "NFLOG groups with packets. All includes groups without any."
	return page{
		uid:         nodeUID,
		title:       "Firewall log node",
		text:        "The packets that the firewall of one node logs to NFLOG groups, as counted by nflog_exporter, in detail, and whether all of them are counted.",
		variables:   append(variables, group, prefixVariable(series("nflog_packets_total", nodeGroupMatchers)), filterVariable()),
		annotations: annotations(nodeMatchers, false),
		sections: []section{
			{charts: nodeState()},
			{title: "Reading", charts: nodeReading()},
			{title: "Rules that log", charts: nodeRules()},
			{title: "Group $group", repeat: "group", charts: nodeGroup()},
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
	groupLegend = "group {{group}}{{netns}}" // with spaceNetns
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
			queries: []query{{expr: spaceNetns(series("nflog_up", nodeGroupMatchers)), legend: groupLegend}},
		},
		{
			kind: number, title: "Silent for", w: 6, h: 4, unit: "s", noValue: "no exporter", color: plain(), mappings: never(),
			text:    "Time from the last packet to the last scrape. On a quiet node it can be long.",
			queries: []query{{expr: spaceNetns(silent(groupLabels, nodeGroupMatchers)), legend: groupLegend}},
		},
		{
			kind: number, title: "Packets in this time range", w: 6, h: 4, unit: "short", noValue: "no packets", color: plain(),
			text:    "Packets counted in each group.",
			queries: []query{{expr: spaceNetns("round(" + sum(groupLabels, increase(nodePackets)) + ")"), legend: groupLegend}},
		},
		{
			kind: number, title: "Lost in this time range", w: 6, h: 4, unit: "short", steps: redAboveZero(), noValue: "no exporter",
			text:    "Packets of each group that were logged but did not reach the exporter, for all labels.",
			queries: []query{{expr: spaceNetns(counted(groupLabels, series("nflog_lost_packets_total", nodeGroupMatchers))), legend: groupLegend}},
			links:   explained("alerts.md#nflogpacketslost"),
		},
	}
}

// silent returns the time from the last packet to the last scrape, or -1 if there was no packet yet.
func silent(labels, matchers string) string {
	last := series("nflog_last_packet_timestamp_seconds", matchers)
	return fmt.Sprintf("min by (%s) (timestamp(%s) - %s)\nor min by (%s) (%s * 0 - 1)", labels, last, last, labels, series("nflog_up", matchers))
}

func never() []object {
	return []object{{"type": "value", "options": object{"-1": object{"text": "never", "index": 0}}}}
}

func nodeGroup() []chart {
	topTen := func(labels, legend, selector string) []query {
		return []query{
			{expr: nameEmpty("prefix", topNow(labels, selector)), legend: legend},
			{expr: sum("", rate(selector)), legend: "all", total: true},
		}
	}
	stack := func(title, text, labels, legend string) chart {
		return chart{
			kind: lines, title: title, text: text, w: 8, h: 8, unit: packetRate, stacked: true, noValue: "no packets",
			colors:  map[string]string{"(none)": noneColor},
			queries: []query{{expr: sum(labels, rate(nodePackets)), legend: legend}},
		}
	}
	path := stack("Packets by path", "The ten pairs of arriving and leaving interface with most packets. "+
		"Packets for the node itself have only the first, packets that it sends only the second.",
		"in_interface, out_interface", "{{in_interface}} → {{out_interface}}")
	path.queries[0].expr = nameEmpty("in_interface", nameEmpty("out_interface", top("in_interface, out_interface", nodePackets)))
	path.colors = nil
	protocol := stack("Packets by protocol", "The ten transport protocols with most packets.", "protocol", "{{protocol}}")
	protocol.queries[0].expr = nameEmpty("protocol", top("protocol", nodePackets))
	protocol.colors = labelColors["protocol"]

	charts := []chart{
		{
			kind: lines, title: "Packets by prefix", w: 12, h: 9, unit: packetRate, stacked: true, noValue: "no packets", colors: map[string]string{"(none)": noneColor},
			text: "The seven prefixes that logged most in this time range, and the seven of its last five minutes, stacked. The dashed line is the total. A rule " +
				"at its rate limit shows as a flat line.",
			queries: topTen("prefix", "{{prefix}}", nodePackets),
		},
		{
			kind: lines, title: "Bytes by prefix", w: 12, h: 9, unit: "Bps", stacked: true, noValue: "no packets", colors: map[string]string{"(none)": noneColor},
			text:    "The prefixes with most bytes, likewise, counted at the network layer. The dashed line is the total.",
			queries: wholeBytes(topTen("prefix", "{{prefix}}", nodeOctets)),
		},
		stack("Packets by family and hook", "Family and hook of the rules that logged the packets.", "family, hook", "{{family}} {{hook}}"),
		protocol,
		path,
	}
	charts = append(charts, packetSizes(nodePacketMatchers)...)
	charts = append(charts, nodeSources()...)
	return append(charts, labelSets()...)
}

// wholeBytes rounds rates of bytes: Grafana shows less than one as thousandths.
func wholeBytes(queries []query) []query {
	for i := range queries {
		queries[i].expr = "round(" + queries[i].expr + ")"
	}
	return queries
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
	const all = "sum without (job, instance, group, cluster, namespace, service, pod, container, endpoint) "
	with := func(value column) []column { return append([]column{value}, labels...) }
	return []chart{
		{
			kind: table, title: "Busiest label sets", w: 24, h: 9, unit: packetRate, noValue: "no packets",
			text:    "The 25 label sets with most packets now. A label set is one combination of all labels that packets are counted by.",
			queries: []query{{expr: "topk(25, " + all + "(" + rate(nodePackets) + ") > 0)"}},
			columns: with(column{field: "Value", title: "Packets/s", unit: packetRate, sort: true}),
		},
		{
			kind: table, title: "New label sets", w: 24, h: 6, unit: "short", noValue: "none",
			text: "The 25 largest of the label sets that did not exist when this time range began, with their packets since " +
				"then. An exporter that was restarted has forgotten earlier packets.",
			queries: []query{{expr: fmt.Sprintf("topk(25, %s(%s unless %s offset $__range))", all, nodePackets, nodePackets)}},
			columns: with(column{field: "Value", title: "Packets", unit: "short", sort: true}),
		},
	}
}

func nodeReading() []chart {
	lost := series("nflog_lost_packets_total", nodeGroupMatchers)
	packets := sum(groupLabels, rate(series("nflog_packets_total", nodeGroupMatchers)))
	datagrams := sum(groupLabels, rate(series("nflog_datagrams_total", nodeGroupMatchers)))
	return []chart{
		{
			kind: states, title: "Groups over time", w: 12, h: 7, unit: "none", mappings: bound(), noValue: "no exporter",
			text: "When each group was bound. While a group is not bound, its packets are not counted. Gaps mean that the " +
				"exporter could not be scraped.",
			queries: []query{{expr: spaceNetns(series("nflog_up", nodeGroupMatchers)), legend: groupLegend}},
		},
		{
			kind: lines, title: "Packets lost", w: 6, h: 7, unit: packetRate, noValue: "no exporter",
			text:    "Packets lost between kernel and exporter each second. A loss counts only when the next packet arrives.",
			queries: []query{{expr: spaceNetns(sum(groupLabels, rate(lost))), legend: groupLegend}},
		},
		{
			kind: lines, title: "Datagrams dropped", w: 6, h: 7, unit: eventRate, noValue: "no exporter",
			text:    "Datagrams of up to some 1,500 packets each that the kernel dropped each second, because the socket's buffer was full.",
			queries: []query{{expr: spaceNetns(sum(groupLabels, rate(series("nflog_socket_drops_total", nodeGroupMatchers)))), legend: groupLegend}},
		},
		{
			kind: lines, title: "Packets in a datagram", w: 8, h: 7, unit: "short", noValue: "no packets",
			text: "How many packets the kernel delivers at once. Few are normal if few packets are logged. Few at a high " +
				"rate mean that a rule has its own threshold.",
			queries: []query{{expr: spaceNetns(packets + "\n/ (" + datagrams + " > 0)"), legend: groupLegend}},
		},
		{
			kind: lines, title: "Fill of the socket's buffer", w: 8, h: 7, unit: "percentunit", zeroToOne: true, noValue: "no exporter",
			text: "At the time of a scrape. When the buffer is full, the kernel drops packets.",
			queries: []query{{
				expr:   spaceNetns(series("nflog_socket_queued_bytes", nodeGroupMatchers) + "\n/ (" + series("nflog_socket_buffer_bytes", nodeGroupMatchers) + " > 0)"),
				legend: groupLegend,
			}},
		},
		{
			kind: lines, title: "Label sets", w: 8, h: 7, unit: "short", noValue: "no exporter",
			text: "Combinations of label values that packets are counted under, and their limit. Packets of further " +
				"combinations are counted under __overflow__.",
			queries: []query{
				{expr: spaceNetns(series("nflog_label_sets", nodeGroupMatchers)), legend: groupLegend},
				{expr: spaceNetns(series("nflog_label_sets_limit", nodeGroupMatchers)), legend: "limit, " + groupLegend, total: true},
			},
		},
	}
}

// nodeRules shows the firewall rules that log, as far as the exporter knows them.
func nodeRules() []chart {
	rules := series("nflog_rules", nodeGroupMatchers)
	matched := rate(series("nflog_rule_packets_total", nodeGroupMatchers))
	return []chart{
		{
			kind: table, title: "Rules by prefix", w: 24, h: 8, unit: "short", noValue: "no rules known",
			text:    "Firewall rules of nf_tables that log to the groups now, also those that have logged nothing yet. Rules alike in all these labels are counted together.",
			queries: []query{{expr: "sum by (group, netns, prefix, family, table, chain, comment) (" + rules + ")"}},
			columns: []column{
				{field: "group", title: "Group", width: 70},
				{field: "prefix", title: "Prefix"},
				{field: "family", title: "Family", width: 70},
				{field: "table", title: "Table"},
				{field: "chain", title: "Chain"},
				{field: "comment", title: "Comment"},
				{field: "Value", title: "Rules", unit: "short", width: 70},
				{field: "netns", title: "Namespace"},
			},
			links: explained("metrics.md#rules-that-log"),
		},
		{
			kind: lines, title: "Packets that rules match", w: 24, h: 8, unit: packetRate, noValue: "no rules with counters",
			text: "By the rules' own counters, where they have one before their rate limit, of the ten prefixes that match most. Where far fewer packets are " +
				"logged, a limit leaves out the others.",
			queries: []query{{
				expr:   nameEmpty("prefix", fmt.Sprintf("topk(%d, %s)", maxSeries, sum("prefix", matched))),
				legend: "{{prefix}}",
			}},
			links: explained("alerts.md#nflogrulelogslittle"),
		},
		{
			kind: number, title: "Rules that nobody reads", w: 6, h: 4, unit: "short", steps: redAboveZero(), noValue: "no rules known",
			text:    "Firewall rules that log to a group that no program reads, of all groups.",
			queries: []query{{expr: "sum(" + series("nflog_rules_unread", nodeMatchers) + ")"}},
			links:   explained("alerts.md#nflogrulesunread"),
		},
		{
			kind: number, title: "Prefixes without packets", w: 6, h: 4, unit: "short", color: plain(), noValue: "no rules known",
			text:    "Prefixes that firewall rules have, and that have logged no packet since the exporter started.",
			queries: []query{{expr: orZero("count("+series("nflog_prefix_packets_total", nodeGroupMatchers)+" == 0)", rules)}},
		},
		{
			kind: number, title: "Ruleset changes", w: 6, h: 4, unit: "short", color: plain(), noValue: "no rules known",
			text:    "How often the ruleset has changed in the time range, whether or not the change was about rules that log.",
			queries: []query{{expr: spaceNetns("round(sum by (netns) (increase(" + series("nflog_ruleset_changes_total", nodeMatchers) + "[$__range])))"), legend: "{{netns}}"}},
		},
		{
			kind: number, title: "Ruleset changed", w: 6, h: 4, unit: "dateTimeFromNow", color: plain(), noValue: "no change seen",
			text:    "When the exporter last saw a change.",
			queries: []query{{expr: spaceNetns("max by (netns) (" + series("nflog_ruleset_last_change_timestamp_seconds", nodeMatchers) + ") * 1000"), legend: "{{netns}}"}},
		},
	}
}
