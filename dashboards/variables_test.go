// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/queries"
)

// TestFixedNames checks names that links to a dashboard contain: its uid, and the variables.
func TestFixedNames(t *testing.T) {
	type names struct {
		UID       string
		Variables []string
	}
	targets := []string{"datasource", "job", "instance", "group"}
	packets := slices.Concat(targets, []string{"prefix", "filters"})
	want := map[string]names{
		"overview.json": {"nflog-overview", slices.Concat(targets, []string{"prefix", "dropped", "filters"})},
		"node.json":     {"nflog-node", packets},
		"health.json":   {"nflog-health", targets},
		"fleet.json":    {"nflog-fleet", []string{"datasource", "job", "prefix", "dropped"}},
	}
	got := make(map[string]names)
	for name, d := range dashboards(t) {
		n := names{UID: d.UID}
		for _, v := range d.Templating.List {
			n.Variables = append(n.Variables, v.Name)
		}
		got[name] = n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected names (-want +got):\n%s", diff)
	}
}

func TestVariables(t *testing.T) {
	everything := queries.Everything("", ".+", 0, 0) // for all jobs, Grafana lists them
	each(t, func(t *testing.T, d dashboard) {
		var exprs strings.Builder
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				exprs.WriteString(target.Expr)
			}
		}
		var names []string
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
			if v.Label == "" || v.Description == "" {
				t.Errorf("%s: no label or no description", v.Name)
			}
			if v.Type == "textbox" && !strings.Contains(exprs.String(), `=~"$`+v.Name+`"`) {
				t.Errorf("%s: not used", v.Name)
			}
			if v.Type != "query" {
				continue
			}
			if v.Datasource == nil || v.Datasource.UID != "${datasource}" {
				t.Errorf("%s: data source is %v", v.Name, v.Datasource)
			}
			if v.IncludeAll && v.AllValue != everything[v.Name] {
				t.Errorf("%s: the value for All is %q", v.Name, v.AllValue)
			}
			if single := d.UID == "nflog-node" && v.Name == "instance"; single == v.Multi || single == v.IncludeAll {
				t.Errorf("%s: multiple values: %t, All: %t", v.Name, v.Multi, v.IncludeAll)
			}
			// Grafana escapes a value for a regular expression only if the variable allows several values.
			operator := "="
			if v.Multi {
				operator = "=~"
			}
			if !strings.Contains(exprs.String(), v.Name+operator+`"$`+v.Name+`"`) {
				t.Errorf("%s: not used with the operator %s", v.Name, operator)
			}
		}
		// The values that a variable offers depend on the variables before it.
		order := []string{"datasource", "job", "instance", "group", "prefix", "dropped", "filters"}
		if !slices.IsSortedFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) }) {
			t.Errorf("the order of the variables is %q", names)
		}
		for _, m := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(exprs.String(), -1) {
			builtIn := strings.HasPrefix(m[1], "__") || m[1] == "1"
			if !builtIn && !slices.Contains(names, m[1]) {
				t.Errorf("variable %s is used, but not defined", m[0])
			}
		}
	})
}
