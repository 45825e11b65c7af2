// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// A kind is a Grafana visualization, by Grafana's name.
type kind string

const (
	lines   kind = "timeseries"
	number  kind = "stat"
	states  kind = "state-timeline"
	heatmap kind = "heatmap"
	table   kind = "table"
)

// A chart holds what differs between panels. The rest is the same for all panels of a kind.
type chart struct {
	kind    kind
	title   string
	text    string
	w, h    int
	unit    string
	noValue string // shown when there is no data
	queries []query

	stacked   bool              // lines
	log       bool              // lines: the axis is logarithmic
	zeroToOne bool              // lines: the axis ends at 1
	colors    map[string]string // lines: the colors of names that mean the same everywhere
	color     object            // numbers: instead of the color of steps
	curve     bool              // numbers: with the curve over the time range
	steps     []threshold       // numbers and lines
	mappings  []object          // texts and colors for values
	columns   []column          // tables
	join      string            // tables of several queries: the label to join by
	outer     bool              // tables of several queries: with rows that are not in the results of all
	points    int               // tables whose queries have $__interval: the intervals of the time range
	links     []object
}

// A query is evaluated over the time range for lines, states and heat maps, and at its end for numbers and tables.
type query struct {
	expr   string
	legend string
	total  bool // draws the total as a dashed line, not stacked
}

// panel returns the chart as a Grafana panel.
func (c chart) panel() panel {
	p := panel{
		Type:        string(c.kind),
		Title:       c.title,
		Description: c.text,
		Datasource:  prometheus(),
		FieldConfig: &fieldConfig{
			Defaults: fieldDefaults{
				Unit:       c.unit,
				NoValue:    c.noValue,
				Color:      object{"mode": "palette-classic"},
				Thresholds: thresholds{Mode: "absolute", Steps: c.steps},
				Mappings:   c.mappings,
				Links:      c.links,
			},
			Overrides: []override{},
		},
	}
	if c.steps == nil {
		p.FieldConfig.Defaults.Thresholds.Steps = []threshold{{Color: "text"}}
	}
	for i, q := range c.queries {
		p.Targets = append(p.Targets, c.target(i, q))
	}
	switch c.kind {
	case lines:
		c.asLines(&p)
	case number:
		c.asNumber(&p)
	case states:
		c.asStates(&p)
	case heatmap:
		c.asHeatmap(&p)
	case table:
		c.asTable(&p)
	}
	return p
}

// prometheus returns the data source that the user chose.
func prometheus() *datasource {
	return &datasource{Type: "prometheus", UID: "${datasource}"}
}

// refID returns Grafana's name for the i-th query of a panel: A, B, …
func refID(i int) string { return string(rune('A' + i)) }

func (c chart) target(i int, q query) target {
	t := target{
		RefID:        refID(i),
		Datasource:   *prometheus(),
		EditorMode:   "code",
		Expr:         q.expr,
		Format:       "time_series",
		LegendFormat: q.legend,
	}
	switch c.kind {
	case table:
		t.Format = "table"
	case heatmap:
		t.Format = "heatmap"
	}
	t.Instant = c.kind == table || c.kind == number && !c.curve
	t.Range = !t.Instant
	return t
}

// green returns the steps of a value that is green below the first limit, and has the color of each limit from there on. What
// shows in place of a value that is not there is not green.
func green(limits ...threshold) []threshold {
	return append([]threshold{{Color: "text"}, from(0, "green")}, limits...)
}

func from(value float64, color string) threshold {
	return threshold{Color: color, Value: &value}
}

// redAboveZero returns the steps of a value that should be 0.
func redAboveZero() []threshold { return green(from(1e-9, "red")) }

// unusual returns the steps of a value that shows a color from the first limit on.
func unusual(limits ...threshold) []threshold {
	return append([]threshold{{Color: "text"}}, limits...)
}

// plain is the color of numbers that are neither good nor bad.
func plain() object { return object{"mode": "fixed", "fixedColor": "text"} }
