// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestUnits checks that units read right: Grafana shows rates in pps and cps below one as thousandths, and packets have lengths in
// decimal bytes.
func TestUnits(t *testing.T) {
	eachPanel(t, func(t *testing.T, p panel) {
		units := []string{p.FieldConfig.Defaults.Unit}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if unit, ok := property.Value.(string); ok && property.ID == "unit" {
					units = append(units, unit)
				}
			}
		}
		for _, unit := range units {
			if slices.Contains([]string{"pps", "cps", "ops", "reqps"}, unit) {
				t.Errorf("unit %s shows thousandths", unit)
			}
		}
		if strings.HasPrefix(p.Title, "Packet size") {
			if p.FieldConfig.Defaults.Unit != "decbytes" {
				t.Errorf("unit is %s, want decbytes", p.FieldConfig.Defaults.Unit)
			}
			if p.Type == "timeseries" && p.FieldConfig.Defaults.Custom.ScaleDistribution.Type != "log" {
				t.Error("the axis of sizes is not logarithmic")
			}
		}
	})
}

// TestWholeNumbers checks that counts have no fractions: Prometheus extrapolates increases.
func TestWholeNumbers(t *testing.T) {
	eachPanel(t, func(t *testing.T, p panel) {
		if !slices.Contains([]string{"short", "none"}, p.FieldConfig.Defaults.Unit) {
			return
		}
		for _, target := range p.Targets {
			if target.Instant && strings.Contains(target.Expr, "increase(") && !regexp.MustCompile(`ceil\(|round\(|/`).MatchString(target.Expr) {
				t.Errorf("%s can have a fraction:\n%s", target.RefID, target.Expr)
			}
		}
	})
}

// TestNoDataIsNotGreen checks that what shows in place of a number is not green: there may be no exporter.
func TestNoDataIsNotGreen(t *testing.T) {
	eachPanel(t, func(t *testing.T, p panel) {
		d := p.FieldConfig.Defaults
		if p.Type == "stat" && d.Color.Mode == "thresholds" && d.Thresholds.Steps[0].Color != "text" {
			t.Errorf("without data, the color is %s", d.Thresholds.Steps[0].Color)
		}
	})
}

// TestColumns checks that all columns of a table are named, and that a cell without a value does not read as the table without
// rows does.
func TestColumns(t *testing.T) {
	eachPanel(t, func(t *testing.T, p panel) {
		if p.Type != "table" {
			return
		}
		if len(p.FieldConfig.Overrides) == 0 {
			t.Error("no column has settings")
		}
		for _, o := range p.FieldConfig.Overrides {
			told := false
			for _, property := range o.Properties {
				told = told || property.ID == "noValue" && property.Value != p.FieldConfig.Defaults.NoValue
			}
			if !told {
				t.Errorf("column %s has no text of its own for cells without a value", o.Matcher.Options)
			}
		}
		for _, target := range p.Targets {
			// These drop the metric's name, which would be a column.
			if !regexp.MustCompile(`\bby \(|\bwithout \(`).MatchString(target.Expr) {
				t.Errorf("%s keeps the name of the metric and all labels:\n%s", target.RefID, target.Expr)
			}
		}
	})
}

// TestColors checks that colors are of the palette, which has a color for each series, or fixed, and that no fixed color of a
// value is the red of alarms.
func TestColors(t *testing.T) {
	eachPanel(t, func(t *testing.T, p panel) {
		mode := p.FieldConfig.Defaults.Color.Mode
		if p.Type == "timeseries" && mode != "palette-classic" {
			t.Errorf("mode %s can give two series one color", mode)
		}
		used := make(map[any]string)
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if p.Type != "timeseries" || property.ID != "color" {
					continue
				}
				color := property.Value.(map[string]any)["fixedColor"]
				if other, taken := used[color]; taken {
					t.Errorf("%s and %s have the color %v", o.Matcher.Options, other, color)
				}
				used[color] = o.Matcher.Options
				if strings.Contains(color.(string), "red") {
					t.Errorf("%s is red", o.Matcher.Options)
				}
			}
		}
	})
}

// TestLegends checks that legends with numbers begin with the last one, and that labels that may be absent leave no gap.
func TestLegends(t *testing.T) {
	eachPanel(t, func(t *testing.T, p panel) {
		if legend := p.Options.Legend; p.Type == "timeseries" && legend.DisplayMode == "table" && (len(legend.Calcs) == 0 || legend.Calcs[0] != "lastNotNull") {
			t.Errorf("the legend shows %q", legend.Calcs)
		}
		for _, target := range p.Targets {
			if strings.Contains(target.LegendFormat, " {{netns}}") {
				t.Errorf("legend %q has a gap where there is no netns", target.LegendFormat)
			}
			if strings.Contains(target.LegendFormat, "{{netns}}") && !strings.Contains(target.Expr, `"netns", " $1"`) {
				t.Errorf("legend %q has no space before netns", target.LegendFormat)
			}
		}
	})
}

// TestWorst checks that panels of the worst groups or nodes do not list those without a fault.
func TestWorst(t *testing.T) {
	faults := regexp.MustCompile(`nflog_(lost_packets|socket_drops|decode_errors|receive_errors|overflow_packets|forgotten_packets|unknown_attributes)_total`)
	eachPanel(t, func(t *testing.T, p panel) {
		for _, target := range p.Targets {
			if faults.MatchString(target.Expr) && strings.Contains(target.Expr, "topk") && !strings.Contains(target.Expr, "> 0)") {
				t.Errorf("%s lists what has no fault:\n%s", target.RefID, target.Expr)
			}
		}
	})
}

// TestAges checks that the time since the last packet ends at the scrape that told of it, not now.
func TestAges(t *testing.T) {
	found := 0
	eachPanel(t, func(t *testing.T, p panel) {
		for _, target := range p.Targets {
			if !strings.Contains(target.Expr, "nflog_last_packet_timestamp_seconds{") {
				continue
			}
			found++
			if strings.Contains(target.Expr, "time() - nflog_last") || !strings.Contains(target.Expr, "timestamp(nflog_last_packet_timestamp_seconds{") {
				t.Errorf("%s shows the age of the scrape, too:\n%s", target.RefID, target.Expr)
			}
			if !strings.Contains(target.Expr, "* 0 - 1") {
				t.Errorf("%s shows nothing for a group that had no packet:\n%s", target.RefID, target.Expr)
			}
		}
	})
	if found == 0 {
		t.Error("no panel shows the last packet")
	}
}
