// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// noneColor is the color of packets without a value. It is neither an alarm nor the color of totals.
const noneColor = "#8e8e8e"

// labelColors are the colors of the values of labels with few values, so that a value has one color on all dashboards. They are not
// in Grafana's palette, which further values get their colors from, and none is the red of an alarm.
var labelColors = map[string]map[string]string{
	"hook": {
		"input": "#4e79a7", "forward": "#59a14f", "output": "#f28e2b", "prerouting": "#b07aa1", "postrouting": "#edc948",
		"ingress": "#76b7b2", "egress": "#9c755f", "(none)": noneColor,
	},
	"family": {
		"ip": "#4e79a7", "ip6": "#b07aa1", "arp": "#edc948", "bridge": "#59a14f", "netdev": "#f28e2b", "(none)": noneColor,
	},
	"protocol": {
		"tcp": "#4e79a7", "udp": "#59a14f", "icmp": "#edc948", "icmpv6": "#d7b5a6", "igmp": "#9c755f", "arp": "#b07aa1", "esp": "#8cd17d",
		"gre": "#499894", "sctp": "#a0cbe8", "vrrp": "#d4a6c8", "other": "#bab0ac", "unknown": "#f28e2b", "(none)": noneColor,
	},
}

// byLabel returns charts of the labels with few values.
func byLabel() []chart {
	few := func(label, expr, text string) chart {
		return chart{
			kind: lines, title: "Packets by " + label, w: 8, h: 8, unit: packetRate, stacked: true, noValue: "no packets", text: text,
			colors:  labelColors[label],
			queries: []query{{expr: nameEmpty(label, expr), legend: "{{" + label + "}}"}},
		}
	}
	return []chart{
		few("hook", sum("hook", rate(packets)), "The netfilter hook at which a rule logged the packets."),
		few("family", sum("family", rate(packets)),
			"The family of the rule: ip for IPv4, ip6 for IPv6, arp, bridge or netdev. Rules of inet tables count as ip and ip6."),
		few("protocol", top("protocol", packets), "The ten transport protocols with most packets in this time range."),
	}
}

// packetSizes takes the mean from the counters, so that the panel shows it even without the histogram.
func packetSizes(matchers string) []chart {
	const noHistogram = "no packets, or no histogram: it is off, or lacks a label that is selected above"
	return []chart{
		{
			kind: heatmap, title: "Packet sizes", w: 12, h: 9, unit: "decbytes", noValue: noHistogram,
			text: "The number of packets of each length at the network layer. From the native histogram if Prometheus " +
				"stores it, else from the classic one. --no-collector.packet-size turns both off.",
			queries: []query{{expr: sizes(matchers), legend: "{{le}}"}},
		},
		{
			kind: lines, title: "Packet size", w: 12, h: 9, unit: "decbytes", log: true, noValue: "no packets",
			text: "The median and the 99th percentile come from the histogram. The mean comes from the counters, and is there " +
				"even without the histogram.",
			colors: map[string]string{"median": "green", "99 %": "orange", "mean": "blue"},
			queries: []query{
				{expr: quantile("0.5", matchers), legend: "median"},
				{expr: quantile("0.99", matchers), legend: "99 %"},
				{expr: sum("", rate(series("nflog_bytes_total", matchers))) + "\n/ (" + sum("", rate(series("nflog_packets_total", matchers))) + " > 0)", legend: "mean"},
			},
		},
	}
}
