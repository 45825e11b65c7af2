// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// What the variables select: of many nodes, and of one. Grafana escapes a value for a regular expression only if
// there can be many.
const (
	ofTargets = `job=~"$job",instance=~"$instance"`
	ofGroups  = ofTargets + andGroup
	ofPackets = ofGroups + andLabels

	ofNode        = `job=~"$job",instance="$instance"`
	ofNodeGroups  = ofNode + andGroup
	ofNodePackets = ofNodeGroups + andLabels

	andGroup = `,group=~"$group"`
	// Where all values are chosen, a packet without the label matches, too.
	andLabels = `,prefix=~"$prefix",family=~"$family",hook=~"$hook",in_interface=~"$in_interface",` +
		`out_interface=~"$out_interface",protocol=~"$protocol"`
)

// targetVariables choose exporters. The jobs are listed where all of them are chosen: "up" has others, too.
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
	group := values("group", "Group", of("nflog_up", targets), ".+")
	group.Description = "NFLOG groups"
	group.Sort = 3
	return group
}

// packetVariables choose packets by the labels that they have unless others are chosen.
func packetVariables(groups string) []variable {
	var all []variable
	for _, label := range []struct{ name, title, text string }{
		{"prefix", "Prefix", "Prefixes of rules. Packets without one are among all only."},
		{"family", "Family", "Where the rule sits: ip, ip6, arp, bridge, netdev"},
		{"hook", "Hook", "The chain's hook"},
		{"in_interface", "In", "Interfaces that packets came by. Those without one are among all only."},
		{"out_interface", "Out", "Interfaces that packets leave by. Those without one are among all only."},
		{"protocol", "Protocol", "Transport protocols"},
	} {
		v := values(label.name, label.title, of("nflog_packets_total", groups), ".*")
		v.Description = label.text
		all = append(all, v)
	}
	return append(all, variable{
		Name:  "filters",
		Label: "Further labels",
		Description: "For labels that are there on request or by prefix rules, and for netns. " +
			"Panels whose metrics don't have the label are empty then.",
		Type:       "adhoc",
		Datasource: prometheus(),
	})
}

// values returns a variable with the values of a label. Many can be chosen, and all, which is what all stands
// for in queries: so a long list of nodes does not make queries long.
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
