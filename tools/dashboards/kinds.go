// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"
)

// maxPoints is the maximum number of points of a line. It bounds the cost of panels with very many series, and is still
// finer than the eye can see.
const maxPoints = 300

func (c chart) asLines(p *panel) {
	p.MaxDataPoints = maxPoints
	stacking := object{"mode": "none", "group": "A"}
	fill := 0
	if c.stacked {
		stacking["mode"], fill = "normal", 30
	}
	zero, one := 0, 1
	scale := object{"type": "linear"}
	if c.log {
		scale = object{"type": "log", "log": 2}
	} else {
		p.FieldConfig.Defaults.Min = &zero
	}
	if c.zeroToOne {
		p.FieldConfig.Defaults.Max = &one
	}
	style := "off"
	if c.steps != nil {
		style = "dashed"
	}
	p.FieldConfig.Defaults.Custom = object{
		"drawStyle":         "line",
		"fillOpacity":       fill,
		"lineWidth":         1,
		"scaleDistribution": scale,
		"showPoints":        "auto",
		"spanNulls":         false,
		"stacking":          stacking,
		"thresholdsStyle":   object{"mode": style},
	}
	for _, name := range slices.Sorted(maps.Keys(c.colors)) {
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
			Matcher:    matcher{ID: "byName", Options: name},
			Properties: []property{{"color", object{"mode": "fixed", "fixedColor": c.colors[name]}}},
		})
	}
	for i, q := range c.queries {
		if q.total {
			p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
				Matcher: matcher{ID: "byFrameRefID", Options: refID(i)},
				Properties: []property{
					{"custom.stacking", object{"mode": "none", "group": "B"}},
					{"custom.fillOpacity", 0},
					{"custom.lineStyle", object{"fill": "dash", "dash": []int{4, 4}}},
					{"color", object{"mode": "fixed", "fixedColor": "text"}},
				},
			})
		}
	}
	// Wide panels have room for a legend with a table.
	legend := object{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}}
	if c.w >= gridWidth/2 {
		legend = object{
			"showLegend": true, "displayMode": "table", "placement": "right", "calcs": []string{"lastNotNull", "max"},
			"sortBy": "Last *", "sortDesc": true,
		}
	}
	p.Options = object{"legend": legend, "tooltip": object{"mode": "multi", "sort": "desc"}}
}

func (c chart) asNumber(p *panel) {
	p.FieldConfig.Defaults.Color = object{"mode": "thresholds"}
	if c.color != nil {
		p.FieldConfig.Defaults.Color = c.color
	}
	graph := "none"
	if c.curve {
		p.MaxDataPoints = maxPoints / 3
		graph = "area"
		zero := 0
		p.FieldConfig.Defaults.Min = &zero
	}
	p.Options = object{
		"reduceOptions":          object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		"orientation":            "auto",
		"textMode":               "auto",
		"colorMode":              "value",
		"graphMode":              graph,
		"justifyMode":            "auto",
		"percentChangeColorMode": "standard",
		"showPercentChange":      false,
		"wideLayout":             true,
	}
}

func (c chart) asStates(p *panel) {
	p.MaxDataPoints = maxPoints
	p.FieldConfig.Defaults.Color = object{"mode": "thresholds"}
	p.FieldConfig.Defaults.Custom = object{"fillOpacity": 70, "lineWidth": 0}
	p.Options = object{
		"mergeValues": true,
		"showValue":   "auto",
		"alignValue":  "left",
		"rowHeight":   0.9,
		"legend":      object{"showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		"tooltip":     object{"mode": "single", "sort": "none"},
	}
}

func (c chart) asHeatmap(p *panel) {
	// Cells need more pixels than points.
	p.MaxDataPoints = maxPoints / 3
	p.Options = object{
		"calculate":    false,
		"cellGap":      1,
		"cellValues":   object{"unit": "short"},
		"color":        object{"mode": "scheme", "scheme": "Oranges", "exponent": 0.5, "fill": "dark-orange", "reverse": false, "scale": "exponential", "steps": 64},
		"exemplars":    object{"color": "rgba(255,0,255,0.7)"},
		"filterValues": object{"le": 1e-9},
		"legend":       object{"show": true},
		"rowsFrame":    object{"layout": "auto"},
		"showValue":    "never",
		"tooltip":      object{"mode": "single", "showColorScale": true, "yHistogram": false},
		"yAxis":        object{"axisPlacement": "left", "reverse": false, "unit": c.unit},
	}
}
