// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
)

// Values are the values of variables by name, without the dollar: Grafana's variables, and those of the documentation, such as
// $PREFIX.
type Values map[string]string

// Everything returns values for all variables as a dashboard sets them for one node with "All" selected. The time range is that
// of the dashboard, and scrape is the scrape interval.
func Everything(job, instance string, timeRange, scrape time.Duration) Values {
	values := Values{
		"job":      regexp.QuoteMeta(job),
		"instance": instance,
		"group":    ".+",
		"prefix":   ".*",
		"dropped":  "(?i).*(drop|reject).*",
		// As in Grafana, if a panel is wide enough to show every scrape.
		"__interval":      duration(scrape),
		"__rate_interval": duration(4 * scrape),
		"__range":         duration(timeRange),

		"INSTANCE":  instance,
		"PREFIX":    "",
		"INTERFACE": "lo",
	}
	return values
}

// duration formats a duration for PromQL.
func duration(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// With returns a copy of the values with others added or replaced.
func (v Values) With(others Values) Values {
	all := maps.Clone(v)
	maps.Copy(all, others)
	return all
}

// Fill returns q with its variables replaced by values. It returns an error for unknown variables.
func (q Query) Fill(values Values) (Query, error) {
	variable := regexp.MustCompile(`\$(\w+)|\$\{(\w+)\}`)
	var unknown []error
	q.Expr = variable.ReplaceAllStringFunc(q.Expr, func(found string) string {
		if q.Record != "" || q.Alert != "" {
			return found // in rules, only label_replace has a dollar ($1)
		}
		name := strings.Trim(found, "${}")
		if strings.Trim(name, "0123456789") == "" {
			return found
		}
		value, ok := values[name]
		if !ok {
			unknown = append(unknown, fmt.Errorf("%s: variable %s is unknown", q.Where, found))
		}
		return value
	})
	return q, errors.Join(unknown...)
}
