// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// health shows the state of the exporters themselves.
func health() dashboard {
	return page{
		uid:   healthUID,
		title: "Firewall log exporter health",
		text: "Whether the numbers of nflog_exporter can be trusted, on all nodes, and what they cost. With many nodes, " +
			"panels show the ten worst.",
		variables:   append(targetVariables(), groupVariable(series("nflog_up", targetMatchers))),
		annotations: annotations(targetMatchers, true),
		sections: []section{
			{charts: append([]chart{healthNodes()}, healthNumbers()...)},
			{title: "Groups and binding", charts: healthBinding()},
			{title: "Loss", charts: healthLoss()},
			{title: "Batching and buffers", charts: healthBatching()},
			{title: "Label sets", charts: healthLabelSets()},
			{title: "What it costs", charts: healthCost()},
		},
	}.dashboard()
}

// nodeGroupLabels identify a group among all nodes.
const (
	nodeGroupLabels = "instance, group, netns"
	nodeGroupLegend = "{{instance}}, {{group}}{{netns}}" // with spaceNetns
)

func healthNumbers() []chart {
	inRange := func(title, text, metric, page string) chart {
		return chart{
			kind: number, title: title, text: text, w: 4, h: 4, unit: "short", steps: redAboveZero(), noValue: "no exporter",
			queries: []query{{expr: counted("", series(metric, groupMatchers))}}, links: explained(page),
		}
	}
	notReading := nodesNotReading(4)
	notReading.links = explained("alerts.md#nflogexporterdown")
	return []chart{
		notReading,
		{
			kind: number, title: "Groups not bound", w: 4, h: 4, unit: "none", steps: redAboveZero(), noValue: "no exporter",
			text:    "Groups whose packets are not counted now.",
			queries: []query{{expr: "sum(" + series("nflog_up", groupMatchers) + " == bool 0)"}},
			links:   explained("alerts.md#nfloggroupnotbound"),
		},
		inRange("Packets lost", "Packets that were logged in this time range but did not reach their exporter.",
			"nflog_lost_packets_total", "alerts.md#nflogpacketslost"),
		inRange("Datagrams dropped", "Datagrams, of up to some 1,500 packets each, that the kernel dropped in this time range because a socket's buffer was full.",
			"nflog_socket_drops_total", "alerts.md#nflogpacketslost"),
		inRange("Decode errors", "Messages and packets that could not be decoded in this time range.",
			"nflog_decode_errors_total", "alerts.md#nflogdecodeerrors"),
		inRange("Overflow", "Packets counted under __overflow__ in this time range, because there were too many label sets.",
			"nflog_overflow_packets_total", "alerts.md#nfloglabelsetsatlimit"),
	}
}

func healthBinding() []chart {
	up := series("nflog_up", groupMatchers)
	failures := series("nflog_bind_failures_total", groupMatchers)
	return []chart{
		{
			kind: states, title: "Groups that were not bound", w: 12, h: 8, unit: "none", mappings: bound(), noValue: "none, or no exporter",
			text: "Groups that were not bound at some point of this time range, ten at most. Packets logged at such times " +
				"are not counted.",
			queries: []query{{
				expr:   spaceNetns(fmt.Sprintf("%s\nand topk(%d, min_over_time(%s[$__range] @ end()) == 0)", up, maxSeries, up)),
				legend: nodeGroupLegend,
			}},
			links: []object{toNode("${__field.labels.instance}")},
		},
		{
			kind: table, title: "Why groups could not be bound", w: 12, h: 8, unit: "short", noValue: "none, or no exporter",
			text: "Failed attempts in this time range. held: another socket has the group, permission: CAP_NET_ADMIN is missing, " +
				"namespace: the network namespace does not exist, unsupported: the kernel has no NFLOG. The exporter's log says more.",
			queries: []query{{expr: "topk(100, " + counted("instance, group, netns, reason", failures) + " > 0)"}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "group", title: "Group"},
				{field: "reason", title: "Reason"},
				{field: "Value", title: "Attempts", unit: "short", sort: true},
				{field: "netns", title: "Namespace"},
			},
		},
		{
			kind: lines, title: "Bindings", w: 12, h: 7, unit: "short", noValue: "none in this time range",
			text: "Successful bindings, of the ten groups that had most. Each one after an exporter's first may mark a gap in the " +
				"counts: the group was not bound for a while, for example after an error or because another process held it.",
			queries: []query{{
				expr: spaceNetns(topOf(nodeGroupLabels,
					"ceil("+sum(nodeGroupLabels, "increase("+series("nflog_binds_total", groupMatchers)+"[$__rate_interval])")+")",
					sum(nodeGroupLabels, "increase("+series("nflog_binds_total", groupMatchers)+"[$__range] @ end())")+" > 0")),
				legend: nodeGroupLegend,
			}},
		},
		{
			kind: table, title: "Groups", w: 12, h: 7, unit: "short", noValue: "no exporter",
			text: "The 100 groups that were bound most recently, with the time since then.",
			queries: []query{{
				expr: "bottomk(100, min by (instance, group, netns) (time() - (" + series("nflog_bound_timestamp_seconds", groupMatchers) + " > 0)))",
			}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "group", title: "Group", width: 80},
				{field: "Value", title: "Bound for", unit: "s", width: 110},
				{field: "netns", title: "Namespace"},
			},
		},
	}
}

func healthLoss() []chart {
	groups := func(title, text, metric, unit string) chart {
		return chart{
			kind: lines, title: title, text: text, w: 12, h: 8, unit: unit, noValue: "none, or no exporter",
			queries: []query{{expr: spaceNetns(worst(nodeGroupLabels, series(metric, groupMatchers))), legend: nodeGroupLegend}},
		}
	}
	reasons := func(title, text, metric string) chart {
		return chart{
			kind: lines, title: title, text: text, w: 8, h: 7, unit: eventRate, stacked: true, noValue: "none, or no exporter",
			queries: []query{{expr: worst("reason", series(metric, groupMatchers)), legend: "{{reason}}"}},
		}
	}
	return []chart{
		groups("Rate of lost packets", "Packets lost between kernel and exporter each second, of the ten groups that lost most. They count only when "+
			"the next packet arrives.", "nflog_lost_packets_total", packetRate),
		groups("Rate of dropped datagrams", "Datagrams that the kernel dropped each second because the socket's buffer was full, of the ten groups that lost "+
			"most. Each holds up to some 1,500 packets, which count as lost a little later.", "nflog_socket_drops_total", eventRate),
		reasons("Decode errors by reason", "Decoding errors each second. message and attribute: an invalid message, whose packets also count as lost. "+
			"packet: an invalid network header, which any host can send.", "nflog_decode_errors_total"),
		reasons("Receive errors by reason", "Failed reads each second. overrun: the kernel reports that it dropped datagrams. truncated: a datagram was "+
			"larger than expected. other: see the log.", "nflog_receive_errors_total"),
		{
			kind: lines, title: "Unknown attributes", w: 8, h: 7, unit: eventRate, noValue: "none, or no exporter",
			text: "Attributes each second of a type that the exporter does not know, of the ten nodes that have most. They are " +
				"harmless: newer kernels send them.",
			queries: []query{{expr: worst("instance", series("nflog_unknown_attributes_total", groupMatchers)), legend: "{{instance}}"}},
		},
	}
}

func healthBatching() []chart {
	batch := func(window string) string {
		return fmt.Sprintf("%s\n/ (%s > 0)",
			sum(nodeGroupLabels, "rate("+series("nflog_packets_total", groupMatchers)+window+")"),
			sum(nodeGroupLabels, "rate("+series("nflog_datagrams_total", groupMatchers)+window+")"))
	}
	fill := func(window string) string {
		return fmt.Sprintf("%s / (%s > 0)", series("nflog_socket_queued_bytes", groupMatchers)+window, series("nflog_socket_buffer_bytes", groupMatchers))
	}
	return []chart{
		{
			kind: lines, title: "Packets in a datagram", w: 12, h: 8, unit: "short", noValue: "no packets",
			text: "How many packets the kernel delivers at once, of the ten groups that have fewest. Few are normal if few packets " +
				"are logged. Few packets in many datagrams mean that a rule has its own threshold.",
			queries: []query{{
				expr: spaceNetns(fmt.Sprintf("%s\nand on (%s)\nbottomk(%d,\n%s)",
					batch("[$__rate_interval]"), nodeGroupLabels, maxSeries, batch("[$__range] @ end()"))),
				legend: nodeGroupLegend,
			}},
		},
		{
			kind: lines, title: "Datagrams", w: 12, h: 8, unit: eventRate, noValue: "no exporter",
			text: "Datagrams read each second, of the ten groups that have most. Each is a wake-up. The default timeout of 500 ms " +
				"makes two a second, and full batches add to them.",
			queries: []query{{expr: spaceNetns(top(nodeGroupLabels, series("nflog_datagrams_total", groupMatchers))), legend: nodeGroupLegend}},
		},
		{
			kind: lines, title: "Fill of the sockets' buffers", w: 12, h: 8, unit: "percentunit", zeroToOne: true, noValue: "empty at all scrapes, or no exporter",
			text: "At the time of a scrape, of the ten groups that had most in their buffer. When a buffer is full, the kernel drops packets.",
			queries: []query{{
				expr: spaceNetns(fmt.Sprintf("%s\nand topk(%d, max_over_time(%s[$__range] @ end()) > 0)",
					fill(""), maxSeries, series("nflog_socket_queued_bytes", groupMatchers))),
				legend: nodeGroupLegend,
			}},
		},
		{
			kind: table, title: "Smallest buffers", w: 12, h: 8, unit: "bytes", noValue: "no exporter",
			text: "The sockets' receive buffers as the kernel accounts for them: twice the requested size. If one is smaller than others, " +
				"net.core.rmem_max limited it, because the exporter has no CAP_NET_ADMIN in the initial user namespace.",
			queries: []query{{expr: "bottomk(100, min by (instance, group, netns) (" + series("nflog_socket_buffer_bytes", groupMatchers) + ") > 0)"}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "group", title: "Group", width: 80},
				{field: "Value", title: "Buffer", unit: "bytes", width: 110},
				{field: "netns", title: "Namespace"},
			},
		},
	}
}

func healthLabelSets() []chart {
	sets, limit := series("nflog_label_sets", groupMatchers), series("nflog_label_sets_limit", groupMatchers)
	return []chart{
		{
			kind: lines, title: "Label sets, of the limit", w: 8, h: 8, unit: "percentunit", noValue: "no exporter",
			text: "Combinations of label values that packets are counted under, as a share of their limit, of the ten groups that have " +
				"most. Beyond the limit, a tenth more can exist under __overflow__.",
			steps: []threshold{{Color: "green"}, from(0.8, "orange"), from(1, "red")},
			queries: []query{{
				expr:   spaceNetns(fmt.Sprintf("%s / %s\nand topk(%d, max_over_time(%s[$__range] @ end()))", sets, limit, maxSeries, sets)),
				legend: nodeGroupLegend,
			}},
		},
		{
			kind: lines, title: "Packets in overflow", w: 8, h: 8, unit: packetRate, noValue: "none, or no exporter",
			text: "Packets counted under __overflow__ each second, of the ten groups that have most. Totals stay correct; numbers by " +
				"interface or prefix are too low.",
			queries: []query{{expr: spaceNetns(worst(nodeGroupLabels, series("nflog_overflow_packets_total", groupMatchers))), legend: nodeGroupLegend}},
		},
		{
			kind: lines, title: "Packets forgotten", w: 8, h: 8, unit: packetRate, noValue: "none, or no exporter",
			text: "Packets removed from nflog_packets_total each second because their label set was forgotten: its interface was deleted, it " +
				"was idle, or a reload removed its labels. Of the ten groups that have most.",
			queries: []query{{expr: spaceNetns(worst(nodeGroupLabels, series("nflog_forgotten_packets_total", groupMatchers))), legend: nodeGroupLegend}},
		},
	}
}

func healthCost() []chart {
	cpu := series("process_cpu_seconds_total", targetMatchers)
	perPacket := func(window string) string {
		return fmt.Sprintf("%s\n/ (%s > 1)",
			sum("instance", "rate("+cpu+window+")"),
			sum("instance", "rate("+series("nflog_packets_total", targetMatchers)+window+")"))
	}
	nodes := func(title, text, unit, metric, none string) chart {
		gauge := series(metric, targetMatchers)
		return chart{
			kind: lines, title: title, text: text, w: 8, h: 8, unit: unit, noValue: none,
			queries: []query{{
				expr:   fmt.Sprintf("%s\nand topk(%d, max_over_time(%s[$__range] @ end()))", gauge, maxSeries, gauge),
				legend: "{{instance}}",
			}},
		}
	}
	return []chart{
		{
			kind: lines, title: "CPU per packet", w: 12, h: 8, unit: "s", noValue: "less than a packet each second, or no process metrics",
			text: "CPU time of the exporter, scrapes included, for each packet counted, of the ten nodes where it takes most. If few packets " +
				"are logged, the cost of wake-ups and scrapes is divided by few packets. Nodes with less than a packet each second are left out.",
			queries: []query{{
				expr: fmt.Sprintf("%s\nand on (instance)\ntopk(%d,\n%s)",
					perPacket("[$__rate_interval]"), maxSeries, perPacket("[$__range] @ end()")),
				legend: "{{instance}}",
			}},
		},
		{
			kind: lines, title: "CPU", w: 12, h: 8, unit: "percentunit", noValue: "no process metrics",
			text:    "Share of one CPU that the exporter uses, of the ten nodes where it uses most.",
			queries: []query{{expr: top("instance", cpu), legend: "{{instance}}"}},
		},
		nodes("Memory", "Resident memory of the exporter, of the ten nodes where it uses most. The sockets' buffers are kernel memory, and not included.",
			"bytes", "process_resident_memory_bytes", "no process metrics"),
		nodes("Time of a scrape", "How long Prometheus takes to scrape an exporter, of the ten that take longest.",
			"s", "scrape_duration_seconds", "no metrics of scrapes"),
		nodes("Samples of a scrape", "Samples in a scrape, of the ten exporters that have most. Each label set makes 13 samples with the classic histogram.",
			"none", "scrape_samples_scraped", "no metrics of scrapes"),
		{
			kind: table, title: "Versions", w: 12, h: 6, unit: "short", noValue: "no exporter",
			text:    "Exporters of each version.",
			queries: []query{{expr: "count by (version) (" + series("nflog_exporter_build_info", targetMatchers) + ")"}},
			columns: []column{
				{field: "version", title: "Version"},
				{field: "Value", title: "Exporters", unit: "short", sort: true},
			},
		},
		{
			kind: table, title: "Configuration files not applied", w: 12, h: 6, unit: "none", noValue: "none, or no configuration files",
			text: "Exporters that refused their --config.file at the last reload. They keep their previous configuration, but would not start " +
				"with this file. Their log says why.",
			queries: []query{{expr: "min by (instance) (" + series("nflog_exporter_config_last_reload_successful", targetMatchers) + ") == 0"}},
			columns: []column{
				{field: "instance", title: "Node", link: toNode("${__value.raw}")},
				{field: "Value", title: "Applied", mappings: []object{{"type": "value", "options": object{"0": object{"text": "no", "color": "red", "index": 0}}}}},
			},
		},
	}
}
