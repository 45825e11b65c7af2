// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// annotations returns marks for alerts, and for bindings and restarts in the time range. With many nodes, marks of
// bindings and restarts hide each other, so that the user has to turn them on.
func annotations(targets string, many bool) []annotation {
	times := func(name, color, metric, text string) annotation {
		return annotation{
			Name: name, Enable: !many, IconColor: color, Datasource: *prometheus(), TitleFormat: text, UseValueForTime: true,
			Expr: "(" + series(metric, targets) + " > $__from / 1000) * 1000",
		}
	}
	return []annotation{
		{
			Name: "Alerts", Enable: true, IconColor: "red", Datasource: *prometheus(),
			TitleFormat: "{{alertname}}", TextFormat: "{{instance}} {{group}} {{prefix}}",
			// Alerts on many nodes together have no instance.
			Expr: `ALERTS{job=~"$job|",` + alertTargets(many) + `alertname=~"Nflog.+",alertstate="firing"}`,
		},
		times("Bindings", "blue", "nflog_bound_timestamp_seconds", "{{instance}}: group {{group}} was bound"),
		times("Restarts", "purple", "process_start_time_seconds", "{{instance}}: the exporter started"),
	}
}

func alertTargets(many bool) string {
	if many {
		return `instance=~"$instance|",`
	}
	return `instance="$instance",`
}
