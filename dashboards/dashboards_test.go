// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards_test checks that a dashboard can be used as it is after import.
package dashboards_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/queries"
)

// A dashboard has the fields that the tests check.
type dashboard struct {
	UID, Title, Description, Refresh string
	Tags                             []string
	SchemaVersion                    int
	Editable                         *bool
	Links                            []struct {
		Type                  string
		Tags                  []string
		IncludeVars, KeepTime bool
	}
	Templating struct{ List []variable }
	Panels     []panel

	text string
}

type variable struct {
	Name, Label, Description, Type, Query, AllValue string
	Multi, IncludeAll                               bool
	Datasource                                      *datasource
}

type datasource struct{ Type, UID string }

type panel struct {
	ID                               int
	Type, Title, Description, Repeat string
	GridPos                          struct{ X, Y, W, H int }
	Datasource                       *datasource
	Targets                          []struct {
		RefID, Expr, Format string
		Datasource          *datasource
		Instant, Range      bool
	}
	FieldConfig struct {
		Defaults  struct{ Unit, NoValue string }
		Overrides []struct{ Matcher struct{ ID, Options string } }
	}
}

// each runs a test on every dashboard.
func each(t *testing.T, test func(t *testing.T, d dashboard)) {
	t.Helper()
	for name, d := range dashboards(t) {
		t.Run(name, func(t *testing.T) { test(t, d) })
	}
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	all := make(map[string]dashboard)
	for _, name := range []string{"overview.json", "node.json", "health.json"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := dashboard{text: string(content)}
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = d
	}
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(all) {
		t.Errorf("the files are %v, but the tests check only %d of them", files, len(all))
	}
	return all
}

func TestDashboard(t *testing.T) {
	const tag = "nflog_exporter"
	each(t, func(t *testing.T, d dashboard) {
		if d.SchemaVersion != 42 {
			t.Errorf("schema version is %d, want 42", d.SchemaVersion)
		}
		if d.Editable == nil || *d.Editable {
			t.Error("the dashboard is editable")
		}
		if d.Title == "" || d.Description == "" || d.Refresh == "" {
			t.Error("the dashboard has no title, no description or no refresh interval")
		}
		if !slices.Contains(d.Tags, tag) {
			t.Errorf("tags are %q, without %q", d.Tags, tag)
		}
		if len(d.Links) != 1 || d.Links[0].Type != "dashboards" || !slices.Contains(d.Links[0].Tags, tag) ||
			!d.Links[0].IncludeVars || !d.Links[0].KeepTime {
			t.Errorf("the dashboard does not link to the others: %+v", d.Links)
		}
		// A ConfigMap holds 1 MiB, and all three may be in one.
		if len(d.text) > 256<<10 {
			t.Errorf("the dashboard has %d bytes", len(d.text))
		}
	})
}

func TestPanels(t *testing.T) {
	each(t, func(t *testing.T, d dashboard) {
		ids, titles := make(map[int]bool), make(map[string]bool)
		for _, p := range d.Panels {
			if p.ID == 0 || ids[p.ID] {
				t.Errorf("%q: id %d is zero or not unique", p.Title, p.ID)
			}
			if p.Title == "" || titles[p.Title] {
				t.Errorf("%q: title is empty or not unique", p.Title)
			}
			ids[p.ID], titles[p.Title] = true, true
			if p.Type == "row" {
				continue
			}
			if p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("%q: no unit", p.Title)
			}
			if p.FieldConfig.Defaults.NoValue == "" {
				t.Errorf("%q: no text for the case without data", p.Title)
			}
			if !strings.HasSuffix(strings.TrimSpace(p.Description), ".") {
				t.Errorf("%q: description does not end with a full stop: %q", p.Title, p.Description)
			}
			if len(p.Targets) == 0 {
				t.Errorf("%q: no query", p.Title)
			}
			for i, target := range p.Targets {
				if target.RefID != string(rune('A'+i)) {
					t.Errorf("%q: query %d is named %q", p.Title, i, target.RefID)
				}
				if target.Instant == target.Range || target.Instant != (p.Type == "stat" || p.Type == "table") {
					t.Errorf("%q: %s must be an instant query for numbers and tables, else a range query; the panel is a %s", p.Title, target.RefID, p.Type)
				}
				if (target.Format == "table") != (p.Type == "table") || (target.Format == "heatmap") != (p.Type == "heatmap") {
					t.Errorf("%q: %s has format %s", p.Title, target.RefID, target.Format)
				}
			}
		}
	})
}

// TestGrid checks that panels fill the grid without gaps or overlaps.
func TestGrid(t *testing.T) {
	const width = 24
	each(t, func(t *testing.T, d dashboard) {
		type cell struct{ x, y int }
		taken := make(map[cell]string)
		bottom := 0
		for _, p := range d.Panels {
			pos := p.GridPos
			if pos.X < 0 || pos.X+pos.W > width || pos.W <= 0 || pos.H <= 0 {
				t.Errorf("%q is outside the grid: %+v", p.Title, pos)
			}
			bottom = max(bottom, pos.Y+pos.H)
			for x := pos.X; x < pos.X+pos.W; x++ {
				for y := pos.Y; y < pos.Y+pos.H; y++ {
					if other, ok := taken[cell{x, y}]; ok {
						t.Fatalf("%q overlaps %q", p.Title, other)
					}
					taken[cell{x, y}] = p.Title
				}
			}
		}
		if len(taken) != width*bottom {
			t.Errorf("%d of %d cells are empty", width*bottom-len(taken), width*bottom)
		}
	})
}

// TestNothingFixed checks that no data source, node or rate interval is hard-coded.
func TestNothingFixed(t *testing.T) {
	each(t, func(t *testing.T, d dashboard) {
		chosen := datasource{Type: "prometheus", UID: "${datasource}"}
		for _, m := range regexp.MustCompile(`"uid": "([^"]*)"`).FindAllStringSubmatch(d.text, -1) {
			if m[1] != chosen.UID && m[1] != d.UID {
				t.Errorf("uid %q is hard-coded", m[1])
			}
		}
		for _, found := range regexp.MustCompile(`localhost|\b\d+\.\d+\.\d+\.\d+\b|:\d{4,5}\b`).FindAllString(d.text, -1) {
			t.Errorf("%q is hard-coded", found)
		}
		for _, p := range d.Panels {
			if p.Type == "row" {
				continue
			}
			if p.Datasource == nil || *p.Datasource != chosen {
				t.Errorf("%q: data source is %v", p.Title, p.Datasource)
			}
			for _, target := range p.Targets {
				if target.Datasource == nil || *target.Datasource != chosen {
					t.Errorf("%q: data source of %s is %v", p.Title, target.RefID, target.Datasource)
				}
				if strings.Count(target.Expr, "{") != strings.Count(target.Expr, `{job=~"$job",instance=`) {
					t.Errorf("%q: %s does not select by job and instance:\n%s", p.Title, target.RefID, target.Expr)
				}
				for _, m := range regexp.MustCompile(`\[([^]]*)\]`).FindAllStringSubmatch(target.Expr, -1) {
					// Top movers compare two fixed periods of 15 minutes.
					if m[1] != "$__rate_interval" && m[1] != "$__range" && !strings.HasSuffix(p.Title, "top movers") {
						t.Errorf("%q: range %s of %s is hard-coded", p.Title, m[0], target.RefID)
					}
				}
			}
		}
	})
}

// TestFixedNames checks names that links to a dashboard contain: its uid, and the variables.
func TestFixedNames(t *testing.T) {
	type names struct {
		UID       string
		Variables []string
	}
	targets := []string{"datasource", "job", "instance", "group"}
	packets := slices.Concat(targets, []string{"prefix", "family", "hook", "in_interface", "out_interface", "protocol", "filters"})
	want := map[string]names{
		"overview.json": {"nflog-overview", packets},
		"node.json":     {"nflog-node", packets},
		"health.json":   {"nflog-health", targets},
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

// TestEveryMetricIsShown checks that the dashboards show every metric that groups have.
func TestEveryMetricIsShown(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var exprs strings.Builder
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				exprs.WriteString(target.Expr)
			}
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `(nflog_[a-z_]+)` \\| (?:counter|gauge|histogram) ").FindAllStringSubmatch(string(page), -1)
	if len(rows) == 0 {
		t.Error("docs/metrics.md has no table of metrics")
	}
	for _, m := range rows {
		if !strings.Contains(exprs.String(), m[1]) && !strings.HasPrefix(m[1], "nflog_exporter_") {
			t.Errorf("no panel shows %s", m[1])
		}
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
		if len(names) < 4 || !slices.Equal(names[:4], []string{"datasource", "job", "instance", "group"}) {
			t.Errorf("variables begin with %q", names)
		}
		for _, m := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(exprs.String(), -1) {
			builtIn := strings.HasPrefix(m[1], "__") || m[1] == "1"
			if !builtIn && !slices.Contains(names, m[1]) {
				t.Errorf("variable %s is used, but not defined", m[0])
			}
		}
	})
}

// TestHistogram checks that panels of sizes work with the native and with the classic histogram.
func TestHistogram(t *testing.T) {
	found := 0
	each(t, func(t *testing.T, d dashboard) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if !strings.Contains(target.Expr, "nflog_packet_size_bytes") {
					continue
				}
				found++
				native, classic, both := strings.Cut(target.Expr, "\nor on ()\n")
				if !both || !strings.Contains(native, "nflog_packet_size_bytes{") || !strings.Contains(classic, "nflog_packet_size_bytes_bucket{") {
					t.Errorf("%q: %s does not work with both forms of the histogram:\n%s", p.Title, target.RefID, target.Expr)
				}
			}
		}
	})
	if found == 0 {
		t.Error("no panel shows the histogram")
	}
}

// TestLinks checks that links to a dashboard have the uid of one, and keep the time range.
func TestLinks(t *testing.T) {
	uids := make(map[string]bool)
	for _, d := range dashboards(t) {
		uids[d.UID] = true
	}
	each(t, func(t *testing.T, d dashboard) {
		links := regexp.MustCompile(`"url": "([^"]*)"`).FindAllStringSubmatch(d.text, -1)
		if len(links) == 0 && d.UID != "nflog-node" {
			t.Error("no link to a node")
		}
		for _, m := range links {
			uid, rest, _ := strings.Cut(strings.TrimPrefix(m[1], "/d/"), "?")
			if !uids[uid] || !strings.Contains(rest, "${__url_time_range}") {
				t.Errorf("link %q has an unknown uid, or loses the time range", m[1])
			}
		}
	})
}
