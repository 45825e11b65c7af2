// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"slices"
	"strings"
	"testing"
)

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
		// A ConfigMap holds 1 MiB, and all four may be in one.
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
				if target.Instant == target.Range || target.Instant != (p.Type == "stat" && p.Options.GraphMode == "none" || p.Type == "table") {
					t.Errorf("%q: %s must be an instant query for numbers without a curve and for tables, else a range query; the panel is a %s", p.Title, target.RefID, p.Type)
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
