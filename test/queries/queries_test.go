// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package queries

import (
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAll(t *testing.T) {
	tree := fstest.MapFS{
		"dashboards/a.json": {Data: []byte(`{
			"templating": {"list": [
				{"name": "datasource", "type": "datasource", "query": "prometheus"},
				{"name": "b", "type": "query", "query": "label_values(c{d=~\"$d\"}, e)"}
			]},
			"panels": [
				{"title": "f", "targets": [{"refId": "A", "expr": "g"}, {"refId": "B", "expr": "h", "instant": true}]},
				{"title": "i", "panels": [{"title": "j", "targets": [{"refId": "A", "expr": "k"}]}]}
			]
		}`)},
		"deploy/prometheus/l.yml": {Data: []byte("groups:\n- name: m\n  rules:\n  - {record: n, expr: o}\n  - {alert: p, expr: q}\n")},
		"README.md":               {Data: []byte("# r\n```sh\ns\n```\n```promql\nt  # u\n  / v\n\n# u\nw (\n)\n```\n- x:\n  ```promql\n  y\n    / $z\n  ```\n")},
		"docs/a.md":               {Data: []byte("```promql\na\n```\n")},
	}
	want := []Query{
		{Where: "dashboards/a.json: variable b", Kind: LabelValues, Expr: `c{d=~"$d"}`, Label: "e"},
		{Where: `dashboards/a.json: panel "f", A`, Kind: Range, Expr: "g"},
		{Where: `dashboards/a.json: panel "f", B`, Kind: Instant, Expr: "h"},
		{Where: `dashboards/a.json: panel "j", A`, Kind: Range, Expr: "k"},
		{Where: "deploy/prometheus/l.yml: n", Kind: Instant, Expr: "o", Record: "n"},
		{Where: "deploy/prometheus/l.yml: p", Kind: Instant, Expr: "q", Alert: "p"},
		{Where: "README.md:6", Kind: Instant, Expr: "t  # u\n  / v"},
		{Where: "README.md:10", Kind: Instant, Expr: "w (\n)"},
		{Where: "README.md:15", Kind: Instant, Expr: "y\n  / $z"},
		{Where: "docs/a.md:2", Kind: Instant, Expr: "a"},
	}
	got, err := All(tree)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected queries (-want +got):\n%s", diff)
	}
}

func TestAllErrors(t *testing.T) {
	const rules = "groups: []"
	tests := []struct {
		name string
		tree fstest.MapFS
		want string
	}{
		{
			name: "no dashboards",
			tree: fstest.MapFS{"deploy/prometheus/a.yml": {Data: []byte(rules)}},
			want: "no dashboards/*.json in this folder",
		},
		{
			name: "no queries",
			tree: fstest.MapFS{
				"dashboards/a.json":       {Data: []byte(`{}`)},
				"deploy/prometheus/a.yml": {Data: []byte(rules)},
				"README.md":               {Data: []byte("```\na\n```\n")},
				"docs/a.md":               {Data: []byte("a\n")},
			},
			want: "no queries",
		},
		{
			name: "block without end",
			tree: fstest.MapFS{
				"dashboards/a.json":       {Data: []byte(`{}`)},
				"deploy/prometheus/a.yml": {Data: []byte(rules)},
				"README.md":               {Data: []byte("\n```promql\na\n")},
			},
			want: "README.md: line 2: the block has no end",
		},
		{
			name: "other variable",
			tree: fstest.MapFS{"dashboards/a.json": {Data: []byte(`{"templating":{"list":[{"name":"b","type":"query","query":"metrics(c)"}]}}`)}},
			want: `dashboards/a.json: variable b: "metrics(c)" is not label_values(SELECTOR, LABEL)`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := All(tt.tree)
			if err == nil || err.Error() != tt.want {
				t.Errorf("unexpected error:\n- want: %s\n-  got: %v", tt.want, err)
			}
		})
	}
}

func TestFill(t *testing.T) {
	values := Values{"a": "1", "__range": "2"}
	tests := []struct {
		name string
		q    Query
		want string
		err  string
	}{
		{name: "both forms", q: Query{Expr: `x{y="$a"}[$__range] ${a}`}, want: `x{y="1"}[2] 1`},
		{name: "group of an expression", q: Query{Expr: `label_replace(x, "y", "$1${2}", "z", "$a")`}, want: `label_replace(x, "y", "$1${2}", "z", "1")`},
		{name: "rule", q: Query{Expr: "$b", Record: "x"}, want: "$b"},
		{name: "unknown", q: Query{Where: "here", Expr: "$b"}, err: "here: variable $b is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.q.Fill(values)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("unexpected error:\n- want: %s\n-  got: %v", tt.err, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Expr != tt.want {
				t.Errorf("unexpected query:\n- want: %s\n-  got: %s", tt.want, got.Expr)
			}
		})
	}
}

// ofTree returns the queries of the project with their variables filled in.
func ofTree(t *testing.T) []Query {
	t.Helper()
	all, err := All(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	values := Everything("nflog", "localhost:10100", time.Hour, 15*time.Second)
	for i := range all {
		if all[i], err = all[i].Fill(values); err != nil {
			t.Error(err)
		}
	}
	return all
}
