// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// Matchers for the values that the user chose in the variables, on dashboards of many nodes and of one node. The node's
// dashboard matches instance with "=", because Grafana escapes a value for "=~" only if the variable allows several values.
const (
	targetMatchers = jobMatcher + `,instance=~"$instance"`
	groupMatchers  = targetMatchers + groupMatcher
	packetMatchers = groupMatchers + prefixMatcher

	nodeMatchers       = jobMatcher + `,instance="$instance"`
	nodeGroupMatchers  = nodeMatchers + groupMatcher
	nodePacketMatchers = nodeGroupMatchers + prefixMatcher

	fleetMatchers = jobMatcher + prefixMatcher

	jobMatcher   = `job=~"$job"`
	groupMatcher = `,group=~"$group"`
	// If all values are chosen, packets without the label match as well.
	prefixMatcher = `,prefix=~"$prefix"`
)

// jobVariables choose the exporters of a data source. The variable job has no pattern for all jobs, so that Grafana lists
// the jobs of nflog_up in queries: "up" has other jobs as well. Few have several jobs, so that it has no picker; links and
// addresses can set it.
func jobVariables() []variable {
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
	job.Hide = 2
	return []variable{source, job}
}

func targetVariables() []variable {
	instance := values("instance", "Node", `nflog_up{job=~"$job"}`, ".+")
	instance.Description = "Nodes, as the scrape configuration calls them"
	return append(jobVariables(), instance)
}

func groupVariable(selector string) variable {
	group := values("group", "Group", selector, ".+")
	group.Description = "NFLOG groups"
	group.Sort = 3
	return group
}

func prefixVariable(selector string) variable {
	prefix := values("prefix", "Prefix", selector, ".*")
	prefix.Description = "Prefixes of rules. Only All includes packets without a prefix."
	return prefix
}

// droppedVariable tells packets that are dropped or rejected from others.
func droppedVariable() variable {
	return variable{
		Name:  "dropped",
		Label: "Dropped is",
		Description: "A regular expression for what counts as dropped or rejected: the label action, which prefix rules can set, " +
			"or else the prefix",
		Type:    "textbox",
		Query:   droppedPattern,
		Current: &option{Text: droppedPattern, Value: droppedPattern},
	}
}

// droppedPattern matches DROP, REJECT, DENY, denied, BLOCK, and prefixes with such a word.
const droppedPattern = "(?i).*(drop|reject|den[iy]|block|refuse).*"

func filterVariable() variable {
	return variable{
		Name:  "filters",
		Label: "Further labels",
		Description: "For interfaces, protocol, hook, family, optional labels, labels of prefix rules, and netns. " +
			"Panels of metrics without the label are then empty.",
		Type:       "adhoc",
		Datasource: prometheus(),
	}
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
