// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// gridWidth is the width of a dashboard in Grafana's units.
const gridWidth = 24

// tag is set on all dashboards. Their links find each other by it.
const tag = "nflog_exporter"

// A page holds what differs between dashboards.
type page struct {
	uid, title, text string
	variables        []variable
	annotations      []annotation
	sections         []section
}

// A section is a list of charts under a heading. The section at the top has no heading.
type section struct {
	title     string
	repeat    string // a variable: the section is repeated for each of its values
	collapsed bool   // until the user opens it, its queries are not asked
	charts    []chart
}

// dashboard lays the page out: charts go from left to right, and into the next line when the current one is full.
func (p page) dashboard() dashboard {
	d := dashboard{
		UID:           p.uid,
		Title:         p.title,
		Description:   p.text,
		Tags:          []string{tag},
		SchemaVersion: 42,
		GraphTooltip:  1,
		Refresh:       "1m",
		Time:          span{From: "now-3h", To: "now"},
		Timezone:      "browser",
		Links: []link{{
			Type:        "dashboards",
			Title:       "Firewall log dashboards",
			Tooltip:     "The other dashboards of nflog_exporter, with the same variables and time range",
			Icon:        "external link",
			Tags:        []string{tag},
			IncludeVars: true,
			KeepTime:    true,
			AsDropdown:  true,
		}},
	}
	d.Templating.List = p.variables
	d.Annotations.List = p.annotations
	y := 0
	id := 0
	add := func(list *[]panel, p panel, at gridPos) {
		id++
		p.ID, p.GridPos = id, at
		*list = append(*list, p)
	}
	for _, s := range p.sections {
		list := &d.Panels
		if s.title != "" {
			row := s.row()
			add(list, row, gridPos{Y: y, W: gridWidth, H: 1})
			y++
			if s.collapsed {
				list = row.Panels
			}
		}
		x, height := 0, 0
		for _, c := range s.charts {
			if x+c.w > gridWidth {
				x, y, height = 0, y+height, 0
			}
			add(list, c.panel(), gridPos{X: x, Y: y, W: c.w, H: c.h})
			x, height = x+c.w, max(height, c.h)
		}
		y += height
	}
	return d
}

// row returns the heading of the section. It holds the section's panels if it is collapsed; otherwise they follow it in the
// dashboard's list.
func (s section) row() panel {
	return panel{Type: "row", Title: s.title, Repeat: s.repeat, Collapsed: &s.collapsed, Panels: &[]panel{}}
}
