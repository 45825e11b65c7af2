// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"errors"
	"fmt"
	"io/fs"
)

// A Kind is the kind of a query.
type Kind string

// The kinds of queries of Prometheus's HTTP API.
const (
	Instant     Kind = "instant"      // at one time
	Range       Kind = "range"        // over a time range
	LabelValues Kind = "label values" // the values of a label
)

// A Query is a query of a panel, a variable, a rule or a page of documentation.
type Query struct {
	Where string // file and place, for messages
	Kind  Kind
	Expr  string // PromQL, which may contain variables; for LabelValues, a selector
	Label string // for LabelValues

	Record string // name of the recorded series, if the query is of a recording rule
	Alert  string // name of the alert, if the query is of an alert
}

// All returns the queries in the project's tree: of dashboards/*.json, deploy/prometheus/*.yml, README.md and docs/*.md.
func All(tree fs.FS) ([]Query, error) {
	var all []Query
	for _, source := range []struct {
		pattern string
		read    func(name string, content []byte) ([]Query, error)
	}{
		{"dashboards/*.json", dashboardQueries},
		{"deploy/prometheus/*.yml", ruleQueries},
		{"README.md", ofPage},
		{"docs/*.md", ofPage},
	} {
		names, err := fs.Glob(tree, source.pattern)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("no %s in this folder", source.pattern)
		}
		for _, name := range names {
			content, err := fs.ReadFile(tree, name)
			if err != nil {
				return nil, err
			}
			found, err := source.read(name, content)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, found...)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no queries")
	}
	return all, nil
}
