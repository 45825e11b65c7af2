// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// nodeSources shows who sends the packets, if the exporter tells.
func nodeSources() []chart {
	const off = "needs --collector.top-sources"
	sources := sum("prefix", series("nflog_sources", nodePacketMatchers))
	heavy := sum("prefix, source", rate(series("nflog_source_packets_total", nodePacketMatchers)))
	return []chart{
		{
			kind: lines, title: "Sources", w: 12, h: 8, unit: "short", noValue: off,
			text: "How many addresses sent packets in the last 2.5 to 5 minutes, of the ten prefixes with most. An estimate, with a standard error " +
				"of 2.3 %. Addresses can be forged.",
			queries: []query{{expr: nameEmpty("prefix", fmt.Sprintf("topk(%d, %s)", maxSeries, sources)), legend: "{{prefix}}"}},
		},
		{
			kind: table, title: "Heavy sources", w: 12, h: 8, unit: packetRate, noValue: off,
			text:    "The 25 addresses with most packets now, of those with a share of 1 % or more of a prefix's packets, or that had it a short time ago.",
			queries: []query{{expr: fmt.Sprintf("topk(25, %s > 0)", heavy)}},
			columns: []column{
				{field: "Value", title: "Packets/s", unit: packetRate, sort: true},
				{field: "source", title: "Source"},
				{field: "prefix", title: "Prefix"},
			},
			links: explained("who.md#series"),
		},
	}
}
