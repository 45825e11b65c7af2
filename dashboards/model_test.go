// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards_test checks that a dashboard can be used as it is after import.
package dashboards_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
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
	Annotations struct {
		List []struct {
			Name, Expr      string
			Enable          bool
			UseValueForTime bool
			Datasource      *datasource
		}
	}
	Templating struct{ List []variable }
	Panels     []panel // with those of collapsed rows

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
	Panels                           []panel // of a collapsed row
	Datasource                       *datasource
	Targets                          []struct {
		RefID, Expr, Format, LegendFormat string
		Datasource                        *datasource
		Instant, Range                    bool
	}
	Options struct {
		GraphMode string
		Legend    struct {
			DisplayMode string
			Calcs       []string
		}
	}
	FieldConfig struct {
		Defaults struct {
			Unit, NoValue string
			Color         struct{ Mode, FixedColor string }
			Thresholds    struct{ Steps []step }
			Links         []struct{ URL string }
			Custom        struct {
				ScaleDistribution struct{ Type string }
			}
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
}

type step struct {
	Color string
	Value *float64
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
	for _, name := range []string{"overview.json", "node.json", "health.json", "fleet.json"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := dashboard{text: string(content)}
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, row := range d.Panels {
			d.Panels = append(d.Panels, row.Panels...)
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

// eachPanel runs a test on every panel that is not a row.
func eachPanel(t *testing.T, test func(t *testing.T, p panel)) {
	t.Helper()
	each(t, func(t *testing.T, d dashboard) {
		for _, p := range d.Panels {
			if p.Type != "row" {
				t.Run(p.Title, func(t *testing.T) { test(t, p) })
			}
		}
	})
}
