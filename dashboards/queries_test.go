// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNothingFixed checks that no data source, node or rate interval is hard-coded.
func TestNothingFixed(t *testing.T) {
	ranges := []string{"$__rate_interval", "$__range", "$__range:$__interval"}
	// These compare the last minutes with others.
	fixedRange := regexp.MustCompile(`^Surging$| that (rose|fell)$|^(Packets|Bytes) by (prefix|node)$|^New `)
	// Metrics of kube-state-metrics have other targets.
	foreign := regexp.MustCompile(`\bkube_\w+{[^}]*}`)
	each(t, func(t *testing.T, d dashboard) {
		// Recorded series of prefixes have no instance.
		selects := `{job=~"$job",instance=`
		if d.UID == "nflog-fleet" {
			selects = `{job=~"$job"`
		}
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
				if strings.Count(foreign.ReplaceAllString(target.Expr, ""), "{") != strings.Count(target.Expr, selects) {
					t.Errorf("%q: %s does not select by the variables:\n%s", p.Title, target.RefID, target.Expr)
				}
				for _, m := range regexp.MustCompile(`\[([^]]*)\]`).FindAllStringSubmatch(target.Expr, -1) {
					if !slices.Contains(ranges, m[1]) && !fixedRange.MatchString(p.Title) {
						t.Errorf("%q: range %s of %s is hard-coded", p.Title, m[0], target.RefID)
					}
				}
			}
		}
	})
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

// TestFleetAsksRecordedSeries checks that the dashboard of large fleets does not query metrics that have a series for each
// label set, and that the others do not need recording rules.
func TestFleetAsksRecordedSeries(t *testing.T) {
	recorded := regexp.MustCompile(`\w+:nflog_\w+:\w+|ALERTS`)
	labelSets := regexp.MustCompile(`\bnflog_(packets_total|bytes_total|packet_size)`)
	each(t, func(t *testing.T, d dashboard) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if d.UID == "nflog-fleet" && labelSets.MatchString(target.Expr) {
					t.Errorf("%q: %s queries label sets:\n%s", p.Title, target.RefID, target.Expr)
				}
				if d.UID != "nflog-fleet" && recorded.MatchString(target.Expr) {
					t.Errorf("%q: %s needs recording rules:\n%s", p.Title, target.RefID, target.Expr)
				}
			}
		}
	})
}

// TestAnnotations checks that each dashboard marks alerts, and that marks of times in the data are in milliseconds.
func TestAnnotations(t *testing.T) {
	each(t, func(t *testing.T, d dashboard) {
		if len(d.Annotations.List) == 0 || d.Annotations.List[0].Name != "Alerts" || !d.Annotations.List[0].Enable {
			t.Errorf("alerts are not marked: %+v", d.Annotations.List)
		}
		for _, a := range d.Annotations.List {
			if a.Datasource == nil || a.Datasource.UID != "${datasource}" {
				t.Errorf("%s: data source is %v", a.Name, a.Datasource)
			}
			if a.UseValueForTime != strings.HasSuffix(a.Expr, "* 1000") {
				t.Errorf("%s: a time in the data must be in milliseconds:\n%s", a.Name, a.Expr)
			}
		}
	})
}
