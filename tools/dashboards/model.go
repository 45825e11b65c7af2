// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// The types in this file are the part of Grafana's classic dashboard model that is used here. Fields have Grafana's names.
// https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/

type object = map[string]any

type dashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
	SchemaVersion int      `json:"schemaVersion"`
	Editable      bool     `json:"editable"`
	GraphTooltip  int      `json:"graphTooltip"` // 1: all panels share the crosshair
	Refresh       string   `json:"refresh"`
	Time          span     `json:"time"`
	Timezone      string   `json:"timezone"`
	Links         []link   `json:"links"`
	Annotations   struct {
		List []annotation `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type span struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// link links to all dashboards that have its tags.
type link struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Tooltip     string   `json:"tooltip"`
	Icon        string   `json:"icon"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
}

// annotation marks times on all lines of a dashboard. With UseValueForTime, a value is the time in milliseconds.
type annotation struct {
	Name            string     `json:"name"`
	Enable          bool       `json:"enable"`
	IconColor       string     `json:"iconColor"`
	Datasource      datasource `json:"datasource"`
	Expr            string     `json:"expr"`
	TitleFormat     string     `json:"titleFormat"`
	TextFormat      string     `json:"textFormat,omitempty"`
	UseValueForTime bool       `json:"useValueForTime"`
}

type variable struct {
	Name        string      `json:"name"`
	Label       string      `json:"label"`
	Description string      `json:"description"`
	Type        string      `json:"type"`
	Datasource  *datasource `json:"datasource,omitempty"`
	Query       string      `json:"query,omitempty"`
	Refresh     int         `json:"refresh,omitempty"` // 1: when the dashboard loads, 2: when the time range changes
	Sort        int         `json:"sort,omitempty"`    // 1: alphabetically, 3: numerically
	Hide        int         `json:"hide,omitempty"`    // 2: no picker
	Multi       bool        `json:"multi,omitempty"`
	IncludeAll  bool        `json:"includeAll,omitempty"`
	AllValue    string      `json:"allValue,omitempty"`
	Current     *option     `json:"current,omitempty"`
}

type option struct {
	Text  any `json:"text"` // a text, or several
	Value any `json:"value"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// panel is a panel or a row. Only a row has Collapsed and Panels.
type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	Repeat          string           `json:"repeat,omitempty"`
	GridPos         gridPos          `json:"gridPos"`
	Collapsed       *bool            `json:"collapsed,omitempty"`
	Panels          *[]panel         `json:"panels,omitempty"`
	Datasource      *datasource      `json:"datasource,omitempty"`
	MaxDataPoints   int              `json:"maxDataPoints,omitempty"`
	Targets         []target         `json:"targets,omitempty"`
	Transformations []transformation `json:"transformations,omitempty"`
	FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
	Options         object           `json:"options,omitempty"`
}

type gridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

type target struct {
	RefID        string     `json:"refId"`
	Datasource   datasource `json:"datasource"`
	EditorMode   string     `json:"editorMode"`
	Expr         string     `json:"expr"`
	Format       string     `json:"format"`
	Instant      bool       `json:"instant"`
	Range        bool       `json:"range"`
	LegendFormat string     `json:"legendFormat"`
}

type transformation struct {
	ID      string `json:"id"`
	Options object `json:"options"`
}

type fieldConfig struct {
	Defaults  fieldDefaults `json:"defaults"`
	Overrides []override    `json:"overrides"`
}

type fieldDefaults struct {
	Unit       string     `json:"unit"`
	Decimals   *int       `json:"decimals,omitempty"`
	Min        *int       `json:"min,omitempty"`
	Max        *int       `json:"max,omitempty"`
	NoValue    string     `json:"noValue,omitempty"`
	Color      object     `json:"color"`
	Thresholds thresholds `json:"thresholds"`
	Mappings   []object   `json:"mappings,omitempty"`
	Links      []object   `json:"links,omitempty"`
	Custom     object     `json:"custom,omitempty"`
}

type thresholds struct {
	Mode  string      `json:"mode"`
	Steps []threshold `json:"steps"`
}

// threshold sets the color of values from Value on. The first threshold has no Value: it begins at minus infinity.
type threshold struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}
