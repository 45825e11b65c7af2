// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// A panel is a Grafana panel, or a row of panels.
type panel struct {
	Title   string
	Panels  []panel
	Targets []struct {
		RefID   string
		Expr    string
		Instant bool
	}
}

// dashboardQueries returns the queries of a dashboard's variables and panels.
func dashboardQueries(name string, content []byte) ([]Query, error) {
	var d struct {
		Templating struct {
			List []struct{ Name, Type, Query string }
		}
		Panels []panel
	}
	if err := json.Unmarshal(content, &d); err != nil {
		return nil, err
	}
	var all []Query
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		q, err := variableQuery(v.Query)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		q.Where = fmt.Sprintf("%s: variable %s", name, v.Name)
		all = append(all, q)
	}
	return append(all, panelQueries(name, d.Panels)...), nil
}

// variableQuery parses label_values(SELECTOR, LABEL), the only form that the variables use.
func variableQuery(query string) (Query, error) {
	m := regexp.MustCompile(`(?s)^label_values\((.+), *([a-zA-Z_]\w*)\)$`).FindStringSubmatch(query)
	if m == nil {
		return Query{}, fmt.Errorf("%q is not label_values(SELECTOR, LABEL)", query)
	}
	return Query{Kind: LabelValues, Expr: m[1], Label: m[2]}, nil
}

// panelQueries returns the queries of panels, and of the panels in rows.
func panelQueries(name string, panels []panel) []Query {
	var all []Query
	for _, p := range panels {
		for _, t := range p.Targets {
			q := Query{
				Where: fmt.Sprintf("%s: panel %q, %s", name, p.Title, t.RefID),
				Kind:  Range,
				Expr:  t.Expr,
			}
			if t.Instant {
				q.Kind = Instant
			}
			all = append(all, q)
		}
		all = append(all, panelQueries(name, p.Panels)...)
	}
	return all
}
