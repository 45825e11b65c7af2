// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// A column shows a label or a query's value.
type column struct {
	field    string // the label; or "Value" in a table of one query, else "Value #A", …
	title    string
	unit     string // of values
	decimals *int   // of values; nil: Grafana chooses
	width    int    // in pixels; 0: what is left, shared by all such columns
	sort     bool   // sort by this column, largest first
	up       bool   // sort by this column, smallest first
	link     object

	steps    []threshold // colors of values
	mappings []object    // texts and colors of values
}

// nothing is what cells without a value show. Without it, they show the text for a table without rows.
const nothing = "–"

func (c chart) asTable(p *panel) {
	p.FieldConfig.Defaults.Custom = object{
		"align": "auto", "cellOptions": object{"type": "auto"}, "filterable": true, "inspect": false,
	}
	p.Options = object{"showHeader": true, "cellHeight": "sm", "frameIndex": 0}

	if len(c.queries) > 1 {
		mode := "inner"
		if c.outer {
			mode = "outer"
		}
		p.Transformations = append(p.Transformations, transformation{
			ID: "joinByField", Options: object{"byField": c.join, "mode": mode},
		})
	}
	p.MaxDataPoints = c.points
	hidden := object{"Time": true}
	for i := range c.queries {
		// A joined table has a time column for each query.
		hidden[fmt.Sprintf("Time %d", i+1)] = true
	}
	names, places := object{}, object{}
	for i, column := range c.columns {
		names[column.field], places[column.field] = column.title, i
		if column.sort || column.up {
			p.Options["sortBy"] = []object{{"displayName": column.title, "desc": column.sort}}
		}
		properties := []property{{"noValue", nothing}}
		if column.unit != "" {
			properties = append(properties, property{"unit", column.unit})
		}
		if column.link != nil {
			properties = append(properties, property{"links", []object{column.link}})
		}
		if column.decimals != nil {
			properties = append(properties, property{"decimals", *column.decimals})
		}
		if column.width != 0 {
			properties = append(properties, property{"custom.width", column.width})
		}
		if column.mappings != nil {
			// Values that read as texts are aligned as texts.
			if column.unit == "" {
				properties = append(properties, property{"custom.align", "left"})
			}
			properties = append(properties, property{"mappings", column.mappings})
		}
		if column.steps != nil {
			properties = append(properties, property{"thresholds", thresholds{Mode: "absolute", Steps: column.steps}})
		}
		if column.steps != nil || column.mappings != nil {
			properties = append(properties,
				property{"custom.cellOptions", object{"type": "color-text"}}, property{"color", object{"mode": "thresholds"}})
		}
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
			Matcher: matcher{ID: "byName", Options: column.title}, Properties: properties,
		})
	}
	p.Transformations = append(p.Transformations, transformation{
		ID:      "organize",
		Options: object{"excludeByName": hidden, "renameByName": names, "indexByName": places, "includeByName": object{}},
	})
}
