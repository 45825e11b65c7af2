// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// These are fixed, so that links and bookmarks keep working.
const (
	overviewUID = "nflog-overview"
	nodeUID     = "nflog-node"
	healthUID   = "nflog-health"
	fleetUID    = "nflog-fleet"
)

// toNode returns a link to the node dashboard of the instance in value.
func toNode(value string) object {
	return object{
		"title": "Firewall log node",
		"url":   "/d/" + nodeUID + "?${datasource:queryparam}&${job:queryparam}&var-instance=" + value + "&${__url_time_range}",
	}
}

// toHealth returns the link from a number on a dashboard with the variable instance to what explains it.
func toHealth() []object {
	return []object{{
		"title": "Firewall log exporter health",
		"url":   "/d/" + healthUID + "?${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${__url_time_range}",
	}}
}

// toOverview returns a link to the overview of the prefix in value.
func toOverview(value string) object {
	return object{
		"title": "Firewall log overview",
		"url":   "/d/" + overviewUID + "?${datasource:queryparam}&${job:queryparam}&var-prefix=" + value + "&${__url_time_range}",
	}
}

// explained returns the link from a number to the page that says what to do about it.
func explained(page string) []object {
	return []object{{
		"title": "What to do", "targetBlank": true,
		"url": "https://github.com/nflog-exporter/nflog_exporter/blob/main/docs/" + page,
	}}
}
