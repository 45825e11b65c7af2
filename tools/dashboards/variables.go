// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// Matchers for the values that the user chose in the variables, on dashboards of many nodes and of one node. The node's
// dashboard matches instance with "=", because Grafana escapes a value for "=~" only if the variable allows several values.
const (
	targetMatchers = `job=~"$job",instance=~"$instance"`
	groupMatchers  = targetMatchers + groupMatcher
	packetMatchers = groupMatchers + labelMatchers

	nodeMatchers       = `job=~"$job",instance="$instance"`
	nodeGroupMatchers  = nodeMatchers + groupMatcher
	nodePacketMatchers = nodeGroupMatchers + labelMatchers

	groupMatcher = `,group=~"$group"`
	// If all values are chosen, packets without the label match as well.
	labelMatchers = `,prefix=~"$prefix",family=~"$family",hook=~"$hook",in_interface=~"$in_interface",` +
		`out_interface=~"$out_interface",protocol=~"$protocol"`
)

// targetVariables choose exporters. The variable job has no pattern for all jobs, so that Grafana lists the jobs of
// nflog_up in queries: "up" has other jobs as well.
func targetVariables() []variable {
	source := variable{
		Name:        "datasource",
		Label:       "Data source",
		Description: "The Prometheus that scrapes the exporters",
		Type:        "datasource",
		Query:       "prometheus",
		Refresh:     1,
	}
	job := values("job", "Job", "nflog_up", "")
	job.Description = "Scrape jobs that have the exporter"
	instance := values("instance", "Instance", `nflog_up{job=~"$job"}`, ".+")
	instance.Description = "Nodes, as the scrape configuration calls them"
	return []variable{source, job, instance}
}

func groupVariable(targets string) variable {
	group := values("group", "Group", series("nflog_up", targets), ".+")
	group.Description = "NFLOG groups"
	group.Sort = 3
	return group
}

// packetVariables choose packets by the default labels of the exporter.
func packetVariables(groups string) []variable {
	var all []variable
	for _, label := range []struct{ name, title, text string }{
		{"prefix", "Prefix", "Prefixes of rules. Only All includes packets without a prefix."},
		{"family", "Family", "Where the rule sits: ip, ip6, arp, bridge, netdev"},
		{"hook", "Hook", "The chain's hook"},
		{"in_interface", "In", "Interfaces that packets arrived on. Only All includes packets without one."},
		{"out_interface", "Out", "Interfaces that packets leave by. Only All includes packets without one."},
		{"protocol", "Protocol", "Transport protocols"},
	} {
		v := values(label.name, label.title, series("nflog_packets_total", groups), ".*")
		v.Description = label.text
		all = append(all, v)
	}
	return append(all, variable{
		Name:  "filters",
		Label: "Further labels",
		Description: "For optional labels, labels of prefix rules, and netns. " +
			"Panels of metrics without the label are then empty.",
		Type:       "adhoc",
		Datasource: prometheus(),
	})
}

// values returns a variable with the values of a label. Users can choose several values, or All. The regular expression
// all replaces All in queries, so that a long list of nodes does not make queries long. If it is empty, Grafana lists the
// values.
func values(label, title, selector, all string) variable {
	return variable{
		Name:       label,
		Label:      title,
		Type:       "query",
		Datasource: prometheus(),
		Query:      fmt.Sprintf("label_values(%s, %s)", selector, label),
		Refresh:    2,
		Sort:       1,
		Multi:      true,
		IncludeAll: true,
		AllValue:   all,
		Current:    &option{Text: []string{"All"}, Value: []string{"$__all"}},
	}
}
