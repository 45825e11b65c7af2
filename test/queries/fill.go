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

// Values are what Grafana's variables stand for, without the dollar, and what $PREFIX and the like do in the documentation.
type Values map[string]string

// Everything returns values of all variables, with the user's choice on "All" in dashboards: of one node, over a time range,
// in a Prometheus that scrapes every so often.
func Everything(job, instance string, timeRange, scrape time.Duration) Values {
	values := Values{
		"job":      regexp.QuoteMeta(job),
		"instance": instance,
		"group":    ".+",
		// As Grafana does it where a panel has enough points to show every scrape.
		"__interval":      duration(scrape),
		"__rate_interval": duration(4 * scrape),
		"__range":         duration(timeRange),

		"INSTANCE":  instance,
		"PREFIX":    "",
		"INTERFACE": "lo",
	}
	for _, label := range []string{"prefix", "family", "hook", "in_interface", "out_interface", "protocol"} {
		values[label] = ".*"
	}
	return values
}

// duration writes a duration as PromQL reads it.
func duration(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// With returns the values with some others.
func (v Values) With(others Values) Values {
	all := maps.Clone(v)
	maps.Copy(all, others)
	return all
}

// Fill returns q with its variables replaced. All must be known.
func (q Query) Fill(values Values) (Query, error) {
	variable := regexp.MustCompile(`\$(\w+)|\$\{(\w+)\}`)
	var unknown []error
	q.Expr = variable.ReplaceAllStringFunc(q.Expr, func(found string) string {
		if q.Record != "" || q.Alert != "" {
			return found // $1 of label_replace
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
