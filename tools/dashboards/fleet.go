// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// fleet shows a thousand nodes and more. It queries recording rules and metrics with one series for each group, so that the
// number of label sets does not matter.
func fleet() dashboard {
	prefix := prefixVariable(series("prefix:nflog_packets:rate5m", jobMatcher))
	return page{
		uid:   fleetUID,
		title: "Firewall log fleet",
		text: "The packets that the firewalls of a large fleet log to NFLOG groups, from the recording rules of nflog_exporter: how many, " +
			"what is new, and which nodes to look at. It needs the recording rules and alerts.",
		variables:   append(jobVariables(), prefix, droppedVariable()),
		annotations: fleetAnnotations(),
		sections: []section{
			{charts: concat(fleetNumbers(), fleetPrefixes(), fleetMovers())},
			{title: "Nodes", charts: fleetNodes()},
		},
	}.dashboard()
}

// fleetAnnotations returns the alerts that concern prefixes: alerts of single nodes would hide each other.
func fleetAnnotations() []annotation {
	alerts := annotations(jobMatcher, true)[0]
	alerts.Expr = `sum by (alertname, prefix) (ALERTS{job=~"$job|",alertname=~"NflogPrefixSurge|NflogNewPrefix|NflogExporterMissing",alertstate="firing"})`
	alerts.TextFormat = "{{prefix}}"
	return []annotation{alerts}
}

const (
	fleetRate  = "prefix:nflog_packets:rate5m{" + fleetMatchers + "}"
	fleetHour  = "prefix:nflog_packets:rate1h{" + fleetMatchers + "}"
	fleetUsual = "prefix:nflog_packets:median7d_rate1h{" + fleetMatchers + "}"
	// With the first packet of each label set, and for as long as it exists.
	fleetQuarter = "prefix:nflog_packets:increase15m{" + fleetMatchers + "}"
	noRules      = "no packets, or no recording rules"
)

// newOnFleet are the prefixes that had no packets when the time range began. Without recording rules at that time, nothing is new.
const newOnFleet = "(count by (prefix) (" + fleetQuarter + ")\nunless count by (prefix) (last_over_time(" + fleetQuarter + "[10m] offset $__range))\n" +
	"and on () count(" + fleetQuarter + " offset $__range))"

func fleetNumbers() []chart {
	lost, counted := sum("", series("instance_group:nflog_lost_packets:increase15m", jobMatcher)), sum("", series("instance_group:nflog_packets:increase15m", jobMatcher))
	surging := fmt.Sprintf("(%s > 5 * %s) > 1", sum("prefix", fleetHour), sum("prefix", fleetUsual))
	return []chart{
		{
			kind: number, title: "Dropped and rejected", w: 5, h: 4, unit: packetRate, color: object{"mode": "fixed", "fixedColor": "orange"},
			curve: true, noValue: noRules,
			text: "Packets that the firewalls drop or reject each second, over five minutes, with the curve over the time range: those whose " +
				"label action, or else whose prefix, matches Dropped is, above. Only rules that log count.",
			queries: []query{{expr: dropped("%s", "prefix:nflog_packets:rate5m", fleetMatchers) + "\nor " + sum("", fleetRate) + " * 0", legend: "dropped and rejected"}},
		},
		{
			kind: number, title: "All packets", w: 5, h: 4, unit: packetRate, color: object{"mode": "fixed", "fixedColor": "blue"},
			curve: true, noValue: noRules,
			text:    "All packets logged each second, over five minutes, with the curve over the time range.",
			queries: []query{{expr: sum("", fleetRate), legend: "all"}},
		},
		{
			kind: number, title: "New prefixes", w: 4, h: 4, unit: "none", steps: green(from(1, "orange")), noValue: unknown,
			text:    "Prefixes that no node had logged when this time range began. They are in the table below. Unknown if there were no recording rules then.",
			queries: []query{{expr: orZero("count("+newOnFleet+")", fleetQuarter+" offset $__range")}}, links: explained("alerts.md#nflognewprefix"),
		},
		{
			kind: number, title: "Surging", w: 3, h: 4, unit: "none", steps: green(from(1, "orange")), noValue: unknown,
			text: "Prefixes with more than five times as many packets in the last hour as is usual at this time of the day, on all nodes " +
				"together, and more than one packet each second. They are in Prefixes that rose. Unknown without a day of recording rules.",
			queries: []query{{expr: orZero("count("+surging+")", fleetUsual)}}, links: explained("alerts.md#nflogprefixsurge"),
		},
		fleetNotReading(),
		{
			kind: number, title: "Lost", w: 3, h: 4, unit: "percentunit", steps: redAboveZero(), noValue: noRules,
			text: "Share of the packets logged in the last 15 minutes that did not reach their exporter. All other numbers are too low by " +
				"this share. Nodes that lose packets, below, shows where.",
			queries: []query{{expr: fmt.Sprintf("%s\n/ (%s + %s > 0)", lost, lost, counted)}}, links: explained("alerts.md#nflogpacketslost"),
		},
	}
}

func fleetNotReading() chart {
	return chart{
		kind: number, title: "Not reading", w: 4, h: 4, unit: "none", steps: redAboveZero(), noValue: "no exporter",
		text: "Nodes whose exporter can't be scraped, or can't bind one of its groups. The panels don't include the packets " +
			"that their firewalls log. Nodes not reading, below, shows which.",
		queries: []query{{expr: fmt.Sprintf("sum(min by (job, instance) (%s or %s) == bool 0)", series("nflog_up", jobMatcher), series("up", jobMatcher))}},
		links:   explained("alerts.md#nflogexporterdown"),
	}
}

func fleetPrefixes() []chart {
	byPrefix := sum("prefix", fleetRate)
	onNodes := "count by (prefix) (count by (job, instance, prefix) (" + series("instance_group_prefix:nflog_packets:increase15m", fleetMatchers) + " > 0))"
	return []chart{
		{
			kind: lines, title: "Packets by prefix", w: 14, h: 8, unit: packetRate, stacked: true, noValue: noRules,
			colors: map[string]string{"(none)": noneColor},
			text: "The seven prefixes that logged most in this time range, and the seven of its last five minutes, stacked. The gap up to " +
				"the dashed line is all other prefixes.",
			queries: []query{
				{
					expr: nameEmpty("prefix", fmt.Sprintf("%s\nand on (prefix)\n(topk(7, sum by (prefix) (avg_over_time(%s[$__range] @ end())))\nor topk(7, sum by (prefix) (%s @ end())))",
						byPrefix, fleetRate, fleetRate)),
					legend: "{{prefix}}",
				},
				{expr: sum("", fleetRate), legend: "all", total: true},
			},
		},
		{
			kind: table, title: "New prefixes, newest first", w: 10, h: 8, unit: "short", noValue: "none, or no recording rules when this time range began",
			text: "Prefixes that no node had logged when this time range began: since when, on how many nodes in the last 15 minutes, and " +
				"their packets in these 15 minutes.",
			queries: []query{
				{expr: nameEmpty("prefix", "time() - min_over_time((min by (prefix) (timestamp("+fleetQuarter+")))[$__range:$__interval])\nand on (prefix)\n"+newOnFleet)},
				{expr: nameEmpty("prefix", onNodes+"\nand on (prefix)\n"+newOnFleet)},
				{expr: nameEmpty("prefix", "round("+sum("prefix", fleetQuarter)+")\nand on (prefix)\n"+newOnFleet)},
			},
			points: 120,
			join:   "prefix", outer: true,
			columns: []column{
				{field: "prefix", title: "Prefix", link: toOverview("${__value.raw}")},
				{field: "Value #A", title: "Age", unit: "s", up: true, width: 100},
				{field: "Value #B", title: "Nodes", unit: "none", width: 80},
				{field: "Value #C", title: "Packets", unit: "short", width: 100},
			},
		},
	}
}

// fleetMovers compares the last hour with what is usual at this time of the day, or else with the hour a day before.
func fleetMovers() []chart {
	now, usual := sum("prefix", fleetHour), sum("prefix", fleetUsual)
	moved := func(verb, change string) chart {
		return chart{
			kind: table, title: "Prefixes that " + verb, w: 12, h: 6, unit: packetRate, noValue: "none, or less than a day of recording rules",
			text: "The eight that " + verb + " most: packets each second in the last hour, and what is usual at this time of the day, which is the median " +
				"of the last seven days. Without changes by less than a quarter, or by less than a thousandth of all packets.",
			queries: []query{
				{expr: nameEmpty("prefix", now)},
				{expr: nameEmpty("prefix", usual)},
				{expr: nameEmpty("prefix", "topk(8, ("+change+" > 0.25 * "+usual+") > 0.001 * scalar("+sum("", fleetHour)+"))")},
			},
			join: "prefix",
			columns: []column{
				{field: "prefix", title: "Prefix", link: toOverview("${__value.raw}")},
				{field: "Value #C", title: "Change", unit: packetRate, sort: true, width: 110},
				{field: "Value #A", title: "Now", unit: packetRate, width: 110},
				{field: "Value #B", title: "Usually", unit: packetRate, width: 110},
			},
		}
	}
	return []chart{moved("rose", now+" - "+usual), moved("fell", usual+" - "+now)}
}

func fleetNodes() []chart {
	node := column{field: "instance", title: "Node", link: toNode("${__value.raw}")}
	nodes := func(title, text, none, expr string, value column) chart {
		value.field, value.sort = "Value", !value.up
		value.width = 130
		return chart{
			kind: table, title: title, w: 8, h: 8, unit: "short", noValue: none, text: text,
			queries: []query{{expr: expr}}, columns: []column{node, value},
		}
	}
	rate5m := series("instance:nflog_packets:rate5m", jobMatcher)
	lost, counted := sum("instance", series("instance_group:nflog_lost_packets:increase15m", jobMatcher)), sum("instance", series("instance_group:nflog_packets:increase15m", jobMatcher))
	return []chart{
		{
			kind: lines, title: "Packets by node", w: 16, h: 8, unit: packetRate, stacked: true, noValue: noRules,
			text: "The seven nodes that logged most in this time range, and the seven of its last five minutes, stacked. The gap up to the " +
				"dashed line is all other nodes.",
			queries: []query{
				{
					expr: fmt.Sprintf("sum by (instance) (%s)\nand on (instance)\n(topk(7, sum by (instance) (avg_over_time(%s[$__range] @ end())))\nor topk(7, sum by (instance) (%s @ end())))",
						rate5m, rate5m, rate5m),
					legend: "{{instance}}",
				},
				{expr: sum("", rate5m), legend: "all", total: true},
			},
			links: []object{toNode("${__field.labels.instance}")},
		},
		nodes("Nodes not reading", "Nodes whose exporter can't be scraped, or can't bind one of its groups, a hundred at most.", "none, or no exporter",
			fmt.Sprintf("topk(100, (min by (instance) (%s) == 0)\nor (min by (instance) (%s) == 0) + 1)", series("up", jobMatcher), series("nflog_up", jobMatcher)),
			column{title: "State", mappings: nodeStates(), up: true}),
		nodes("Nodes that lose packets", "Share of the packets logged in the last 15 minutes that did not reach the exporter, of the hundred nodes that lost most.",
			"none, or no recording rules",
			fmt.Sprintf("topk(100, %s\n/ (%s + (%s or %s * 0) > 0) > 0)", lost, lost, counted, lost),
			column{title: "Lost", unit: "percentunit", steps: redAboveZero()}),
		nodes("Silent nodes", "The hundred nodes that have been silent for longest, more than 15 minutes. On a quiet node this is normal.",
			"none, or no recording rules",
			"topk(100, min by (instance) ("+series("instance_group:nflog_last_packet_timestamp_seconds:age", jobMatcher)+") > 900)",
			column{title: "Silent for", unit: "s"}),
		nodes("Label sets", "Label sets as a share of their limit, of the hundred nodes that have most, from 80 %.", "none, or no exporter",
			fmt.Sprintf("topk(100, max by (instance) (%s / %s) >= 0.8)", series("nflog_label_sets", jobMatcher), series("nflog_label_sets_limit", jobMatcher)),
			column{title: "Of the limit", unit: "percentunit", steps: green(from(0.8, "orange"), from(1, "red"))}),
		{
			kind: table, title: "Surges on single nodes", w: 24, h: 8, unit: "short", noValue: "none, or less than a day of recording rules",
			text: "Prefixes with more than five times as many packets in the last hour as is usual for the group at this time of the day, and more " +
				"than one packet each second: the hundred with most packets.",
			queries: []query{{expr: nameEmpty("prefix", fmt.Sprintf("topk(100, (%s > 5 * %s) > 1)",
				sum("instance, group, prefix", series("instance_group_prefix:nflog_packets:rate1h", fleetMatchers)),
				sum("instance, group, prefix", series("instance_group_prefix:nflog_packets:median7d_rate1h", fleetMatchers))))}},
			columns: []column{
				node,
				{field: "group", title: "Group", width: 90},
				{field: "prefix", title: "Prefix", link: toOverview("${__value.raw}")},
				{field: "Value", title: "In the last hour", unit: packetRate, sort: true, width: 150},
			},
		},
	}
}
