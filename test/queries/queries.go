// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"errors"
	"fmt"
	"io/fs"
)

// A Kind is what a query asks for.
type Kind string

// Instant asks at one time, Range over a time range, LabelValues for the values of a label.
const (
	Instant     Kind = "instant"
	Range       Kind = "range"
	LabelValues Kind = "label values"
)

// A Query is one that a panel, a variable, a rule or a page has.
type Query struct {
	Where string // file and place, for people
	Kind  Kind
	Expr  string // PromQL, with variables where it is a dashboard's; of LabelValues a selector
	Label string // of LabelValues

	Record string // of a recording rule: what it records
	Alert  string // of an alert: its name
}

// All returns the queries of a tree of the project: of dashboards/*.json, of deploy/prometheus/*.yml, of
// README.md and of docs/*.md.
func All(tree fs.FS) ([]Query, error) {
	var all []Query
	for _, source := range []struct {
		pattern string
		read    func(name string, content []byte) ([]Query, error)
	}{
		{"dashboards/*.json", ofDashboard},
		{"deploy/prometheus/*.yml", ofRules},
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
