// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// A column shows a label or a query's value.
type column struct {
	field string // the label; or "Value" in a table of one query, else "Value #A", …
	title string
	unit  string // of values
	sort  bool   // sort by this column, largest first
	link  object
}

func (c chart) asTable(p *panel) {
	p.FieldConfig.Defaults.Custom = object{
		"align": "auto", "cellOptions": object{"type": "auto"}, "filterable": true, "inspect": false,
	}
	p.Options = object{"showHeader": true, "cellHeight": "sm", "frameIndex": 0}

	if len(c.queries) > 1 {
		p.Transformations = append(p.Transformations, transformation{
			ID: "joinByField", Options: object{"byField": c.join, "mode": "inner"},
		})
	}
	hidden := object{"Time": true}
	for i := range c.queries {
		// A joined table has a time column for each query.
		hidden[fmt.Sprintf("Time %d", i+1)] = true
	}
	names, places := object{}, object{}
	for i, column := range c.columns {
		names[column.field], places[column.field] = column.title, i
		if column.sort {
			p.Options["sortBy"] = []object{{"displayName": column.title, "desc": true}}
		}
		var properties []property
		if column.unit != "" {
			properties = append(properties, property{"unit", column.unit})
		}
		if column.link != nil {
			properties = append(properties, property{"links", []object{column.link}})
		}
		if properties != nil {
			p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
				Matcher: matcher{ID: "byName", Options: column.title}, Properties: properties,
			})
		}
	}
	p.Transformations = append(p.Transformations, transformation{
		ID:      "organize",
		Options: object{"excludeByName": hidden, "renameByName": names, "indexByName": places, "includeByName": object{}},
	})
}

// toNode returns a link to the node dashboard of the instance in value.
func toNode(value string) object {
	return object{
		"title": "Firewall log node",
		"url":   "/d/" + nodeUID + "?${datasource:queryparam}&${job:queryparam}&var-instance=" + value + "&${__url_time_range}",
	}
}
