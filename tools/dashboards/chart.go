// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// A kind is Grafana's name of a visualization.
type kind string

const (
	lines   kind = "timeseries"
	number  kind = "stat"
	states  kind = "state-timeline"
	heatmap kind = "heatmap"
	table   kind = "table"
)

// A chart is what a panel has of its own. The rest is the same for all of its kind.
type chart struct {
	kind    kind
	title   string
	text    string
	w, h    int
	unit    string
	none    string // what it says where there is nothing to show
	queries []query

	stacked bool        // lines
	full    bool        // lines from 0 to 1
	color   object      // of numbers, else that of steps
	steps   []threshold // of numbers and lines
	words   []object    // for values
	columns []column    // of a table
	join    string      // the label that tables of several queries have in common
	links   []object
}

// A query is asked over the time range for lines, states and heat maps, and for its end by others.
type query struct {
	expr   string
	legend string
	total  bool // a line beside the stack: all there is
}

// panel makes the chart a panel.
func (c chart) panel() panel {
	p := panel{
		Type:        string(c.kind),
		Title:       c.title,
		Description: c.text,
		Datasource:  prometheus(),
		FieldConfig: &fieldConfig{
			Defaults: fieldDefaults{
				Unit:       c.unit,
				NoValue:    c.none,
				Color:      object{"mode": "palette-classic-by-name"},
				Thresholds: thresholds{Mode: "absolute", Steps: c.steps},
				Mappings:   c.words,
				Links:      c.links,
			},
			Overrides: []override{},
		},
	}
	if c.steps == nil {
		p.FieldConfig.Defaults.Thresholds.Steps = []threshold{{Color: "green"}}
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

// prometheus is the data source that the user chose.
func prometheus() *datasource {
	return &datasource{Type: "prometheus", UID: "${datasource}"}
}

// refID returns Grafana's name of a panel's i-th query.
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
	t.Instant = c.kind == table || c.kind == number
	t.Range = !t.Instant
	return t
}

// green returns the steps of a value that is good, and turns another color from each limit on.
func green(limits ...threshold) []threshold {
	return append([]threshold{{Color: "green"}}, limits...)
}

func from(value float64, color string) threshold {
	return threshold{Color: color, Value: &value}
}

// never returns the steps of a value that should be 0.
func never() []threshold { return green(from(1e-9, "red")) }
