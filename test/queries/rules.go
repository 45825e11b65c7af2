// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// ruleQueries returns the queries of a file with recording rules or alerts.
func ruleQueries(name string, content []byte) ([]Query, error) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct{ Record, Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	var all []Query
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			all = append(all, Query{
				Where:  fmt.Sprintf("%s: %s%s", name, rule.Record, rule.Alert),
				Kind:   Instant,
				Expr:   rule.Expr,
				Record: rule.Record,
				Alert:  rule.Alert,
			})
		}
	}
	return all, nil
}
