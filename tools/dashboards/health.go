// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// health is about the exporters themselves.
func health() dashboard {
	return page{
		uid:   healthUID,
		title: "Firewall log exporter health",
		text: "Whether the numbers of nflog_exporter can be trusted, on all nodes, and what they cost. Where there are many " +
			"nodes, panels show the ten that are worst.",
		variables: append(targetVariables(), groupVariable(ofTargets)),
		sections: []section{
			{charts: healthNumbers()},
			{title: "Groups and binding", charts: healthBinding()},
			{title: "Loss", charts: healthLoss()},
			{title: "Batching and buffers", charts: healthBatching()},
			{title: "Label sets", charts: healthLabelSets()},
			{title: "What it costs", charts: healthCost()},
		},
	}.dashboard()
}

// groupOnNode tells groups of all nodes apart.
const (
	groupOnNode       = "instance, group, netns"
	groupOnNodeLegend = "{{instance}} group {{group}} {{netns}}"
)

func healthNumbers() []chart {
	inRange := func(title, text, metric string) chart {
		return chart{
			kind: number, title: title, text: text, w: 4, h: 4, unit: "short", steps: never(), none: "no exporter",
			queries: []query{{expr: sum("", growth(of(metric, ofGroups)))}},
		}
	}
	notBound := chart{
		kind: number, title: "Groups not bound", w: 4, h: 4, unit: "short", steps: never(), none: "no exporter",
		text:    "Groups whose packets are known to nobody now.",
		queries: []query{{expr: "sum(" + of("nflog_up", ofGroups) + " == bool 0)"}},
	}
	return []chart{
		nodesNotReading(),
		notBound,
		inRange("Packets lost", "Packets that were logged in this time range but did not reach their exporter.", "nflog_lost_packets_total"),
		inRange("Datagrams dropped", "Datagrams, of up to some 1,500 packets each, that the kernel dropped in this time range as a socket's buffer was full.", "nflog_socket_drops_total"),
		inRange("Decode errors", "What could not be decoded in this time range.", "nflog_decode_errors_total"),
		inRange("Packets in __overflow__", "Packets counted under __overflow__ in this time range, as there were too many label sets.", "nflog_overflow_packets_total"),
	}
}

func healthBinding() []chart {
	up := of("nflog_up", ofGroups)
	failures := of("nflog_bind_failures_total", ofGroups)
	return []chart{
		{
			kind: states, title: "Groups that were not bound", w: 12, h: 8, unit: "none", words: bound(), none: "each was bound all the time",
			text: "Groups that were not bound at some point of this time range, ten at most. Packets logged meanwhile are " +
				"known to nobody.",
			queries: []query{{
				expr:   fmt.Sprintf("%s\nand topk(%d, min_over_time(%s[$__range] @ end()) == 0)", up, mostOf, up),
				legend: groupOnNodeLegend,
			}},
			links: []object{toNode("${__field.labels.instance}")},
		},
		{
			kind: table, title: "Why groups could not be bound", w: 12, h: 8, unit: "short", none: "no attempt failed",
			text: "Failed attempts in this time range. held: another socket has the group, permission: CAP_NET_ADMIN is missing, " +
				"namespace: the network namespace is not there, unsupported: the kernel has no NFLOG. The exporter's log says more.",
			queries: []query{{expr: "topk(100, " + sum("instance, group, netns, reason", growth(failures)) + " > 0)"}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "group", title: "Group"},
				{field: "reason", title: "Reason"},
				{field: "Value", title: "Attempts", unit: "short", sort: true},
				{field: "netns", title: "Namespace"},
			},
		},
		{
			kind: lines, title: "Bindings", w: 12, h: 7, unit: "short", none: "none",
			text: "Successful bindings, of the ten groups that had most. Each but the first of an exporter marks a hole in what " +
				"is counted: by a restart, a reload with other settings, or another process that had the group.",
			queries: []query{{
				expr: topOf(groupOnNode,
					sum(groupOnNode, "increase("+of("nflog_binds_total", ofGroups)+"[$__rate_interval])"),
					sum(groupOnNode, "increase("+of("nflog_binds_total", ofGroups)+"[$__range] @ end())")),
				legend: groupOnNodeLegend,
			}},
		},
		{
			kind: table, title: "Groups", w: 12, h: 7, unit: "short", none: "no exporter",
			text: "The 100 groups that were bound last, with the time since.",
			queries: []query{{
				expr: "bottomk(100, time() - (" + of("nflog_bound_timestamp_seconds", ofGroups) + " > 0))",
			}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "group", title: "Group"},
				{field: "Value", title: "Bound for", unit: "s"},
				{field: "netns", title: "Namespace"},
				{field: "job", title: "Job"},
			},
		},
	}
}

func healthLoss() []chart {
	worst := func(title, text, metric, unit string) chart {
		return chart{
			kind: lines, title: title, text: text, w: 12, h: 8, unit: unit, none: "no exporter",
			queries: []query{{expr: top(groupOnNode, of(metric, ofGroups)), legend: groupOnNodeLegend}},
		}
	}
	reasons := func(title, text, metric string) chart {
		return chart{
			kind: lines, title: title, text: text, w: 8, h: 7, unit: "cps", stacked: true, none: "no exporter",
			queries: []query{{expr: sum("reason", rate(of(metric, ofGroups))), legend: "{{reason}}"}},
		}
	}
	return []chart{
		worst("Rate of lost packets", "Packets lost between kernel and exporter each second, of the ten groups that lost most. They show with the "+
			"next packet that comes.", "nflog_lost_packets_total", "pps"),
		worst("Rate of dropped datagrams", "Datagrams that the kernel dropped each second as the socket's buffer was full, of the ten groups that lost "+
			"most. Each holds up to some 1,500 packets, which show as lost a little later.", "nflog_socket_drops_total", "cps"),
		reasons("Decode errors by reason", "What could not be decoded each second. message and attribute count as lost, too. packet is a network "+
			"header that is wrong, as a host can send it.", "nflog_decode_errors_total"),
		reasons("Receive errors by reason", "Failed reads each second. overrun: the kernel says that it dropped. truncated: a datagram was larger than "+
			"any should be. other: the log says more.", "nflog_receive_errors_total"),
		{
			kind: lines, title: "Unknown attributes", w: 8, h: 7, unit: "cps", none: "no exporter",
			text: "Attributes each second of a type that the exporter does not know, of the ten nodes that have most. They do no " +
				"harm: a newer kernel has them.",
			queries: []query{{expr: top("instance", of("nflog_unknown_attributes_total", ofGroups)), legend: "{{instance}}"}},
		},
	}
}

func healthBatching() []chart {
	batch := func(window string) string {
		return fmt.Sprintf("%s\n/ (%s > 0)",
			sum(groupOnNode, "rate("+of("nflog_packets_total", ofGroups)+window+")"),
			sum(groupOnNode, "rate("+of("nflog_datagrams_total", ofGroups)+window+")"))
	}
	fill := func(window string) string {
		return fmt.Sprintf("%s / (%s > 0)", of("nflog_socket_queued_bytes", ofGroups)+window, of("nflog_socket_buffer_bytes", ofGroups))
	}
	return []chart{
		{
			kind: lines, title: "Packets in a datagram", w: 12, h: 8, unit: "short", none: "no packets",
			text: "How many packets the kernel hands over at once, of the ten groups that have fewest. Few are normal where few " +
				"are logged. Few beside many datagrams mean that a rule has a threshold of its own.",
			queries: []query{{
				expr: fmt.Sprintf("%s\nand on (%s)\nbottomk(%d,\n%s)",
					batch("[$__rate_interval]"), groupOnNode, mostOf, batch("[$__range] @ end()")),
				legend: groupOnNodeLegend,
			}},
		},
		{
			kind: lines, title: "Datagrams", w: 12, h: 8, unit: "cps", none: "no exporter",
			text: "Datagrams read each second, each a wake-up, of the ten groups that have most. With the default timeout of 500 ms, " +
				"full batches apart, there are two.",
			queries: []query{{expr: top(groupOnNode, of("nflog_datagrams_total", ofGroups)), legend: groupOnNodeLegend}},
		},
		{
			kind: lines, title: "Fill of the sockets' buffers", w: 12, h: 8, unit: "percentunit", full: true, none: "no exporter",
			text: "At the time of a scrape, of the ten groups that had most in their buffer. When it is full, the kernel drops.",
			queries: []query{{
				expr: fmt.Sprintf("%s\nand topk(%d, max_over_time(%s[$__range] @ end()))",
					fill(""), mostOf, of("nflog_socket_queued_bytes", ofGroups)),
				legend: groupOnNodeLegend,
			}},
		},
		{
			kind: table, title: "Smallest buffers", w: 12, h: 8, unit: "bytes", none: "no exporter",
			text: "The sockets' receive buffers as the kernel accounts for them, twice what was asked for. One that is smaller than others " +
				"was cut to net.core.rmem_max, as the exporter has no CAP_NET_ADMIN in the initial user namespace.",
			queries: []query{{expr: "bottomk(100, " + of("nflog_socket_buffer_bytes", ofGroups) + " > 0)"}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "group", title: "Group"},
				{field: "Value", title: "Buffer", unit: "bytes"},
				{field: "netns", title: "Namespace"},
				{field: "job", title: "Job"},
			},
		},
	}
}

func healthLabelSets() []chart {
	sets, limit := of("nflog_label_sets", ofGroups), of("nflog_label_sets_limit", ofGroups)
	return []chart{
		{
			kind: lines, title: "Label sets, of the limit", w: 8, h: 8, unit: "percentunit", none: "no exporter",
			text: "Combinations of labels that packets are counted under, as a share of how many there may be, of the ten groups that have " +
				"most. Beyond the limit there is room for a tenth more, under __overflow__.",
			steps: green(from(0.8, "orange"), from(1, "red")),
			queries: []query{{
				expr:   fmt.Sprintf("%s / %s\nand topk(%d, max_over_time(%s[$__range] @ end()))", sets, limit, mostOf, sets),
				legend: groupOnNodeLegend,
			}},
		},
		{
			kind: lines, title: "Rate of packets in __overflow__", w: 8, h: 8, unit: "pps", none: "no exporter",
			text: "Packets counted under __overflow__ each second, of the ten groups that have most. Totals stay true; what is by interface " +
				"or prefix does not.",
			queries: []query{{expr: top(groupOnNode, of("nflog_overflow_packets_total", ofGroups)), legend: groupOnNodeLegend}},
		},
		{
			kind: lines, title: "Rate of packets forgotten", w: 8, h: 8, unit: "pps", none: "no exporter",
			text: "Packets that left nflog_packets_total each second, as their label set was forgotten: its interface was deleted, it was idle, " +
				"or a reload took its labels away. Of the ten groups that have most.",
			queries: []query{{expr: top(groupOnNode, of("nflog_forgotten_packets_total", ofGroups)), legend: groupOnNodeLegend}},
		},
	}
}

func healthCost() []chart {
	cpu := of("process_cpu_seconds_total", ofTargets)
	perPacket := func(window string) string {
		return fmt.Sprintf("%s\n/ (%s > 0)",
			sum("instance", "rate("+cpu+window+")"),
			sum("instance", "rate("+of("nflog_packets_total", ofTargets)+window+")"))
	}
	worst := func(title, text, unit, metric string) chart {
		gauge := of(metric, ofTargets)
		return chart{
			kind: lines, title: title, text: text, w: 8, h: 8, unit: unit, none: "no exporter",
			queries: []query{{
				expr:   fmt.Sprintf("%s\nand topk(%d, max_over_time(%s[$__range] @ end()))", gauge, mostOf, gauge),
				legend: "{{instance}}",
			}},
		}
	}
	return []chart{
		{
			kind: lines, title: "CPU per packet", w: 12, h: 8, unit: "s", none: "no packets, or no process metrics",
			text: "CPU time of the exporter, scrapes and all, for each packet counted, of the ten nodes where it takes most. Where few are " +
				"logged, a packet bears the whole cost of a wake-up and of scrapes.",
			queries: []query{{
				expr: fmt.Sprintf("%s\nand on (instance)\ntopk(%d,\n%s)",
					perPacket("[$__rate_interval]"), mostOf, perPacket("[$__range] @ end()")),
				legend: "{{instance}}",
			}},
		},
		{
			kind: lines, title: "CPU", w: 12, h: 8, unit: "percentunit", none: "no process metrics",
			text:    "Share of one CPU that the exporter takes, of the ten nodes where it takes most.",
			queries: []query{{expr: top("instance", cpu), legend: "{{instance}}"}},
		},
		worst("Memory", "Resident memory of the exporter, of the ten nodes where it takes most. The sockets' buffers are the kernel's, and not in it.",
			"bytes", "process_resident_memory_bytes"),
		worst("Time of a scrape", "How long Prometheus takes to scrape an exporter, of the ten that take longest.",
			"s", "scrape_duration_seconds"),
		worst("Samples of a scrape", "Samples in a scrape, of the ten exporters that have most. Each label set makes 13 with the classic histogram.",
			"short", "scrape_samples_scraped"),
		{
			kind: table, title: "Versions", w: 12, h: 6, unit: "short", none: "no exporter",
			text:    "Exporters of each version.",
			queries: []query{{expr: "count by (version) (" + of("nflog_exporter_build_info", ofTargets) + ")"}},
			columns: []column{
				{field: "version", title: "Version"},
				{field: "Value", title: "Exporters", unit: "short", sort: true},
			},
		},
		{
			kind: table, title: "Configuration files that could not be applied", w: 12, h: 6, unit: "none", none: "none",
			text: "Exporters that refused their --config.file when they were told to read it again. They go on with what they had, and would " +
				"not start with this file. Their log says why.",
			queries: []query{{expr: of("nflog_exporter_config_last_reload_successful", ofTargets) + " == 0"}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "job", title: "Job"},
				{field: "Value", title: "Applied"},
			},
		},
	}
}
