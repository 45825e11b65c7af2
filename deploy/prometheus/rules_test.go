// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package prometheus_test checks conventions that promtool does not check: names, annotations, runbooks, and that each
// alert has tests.
package prometheus_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"
)

type group struct {
	Name, Interval string
	Rules          []rule
}

type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// groups returns the rule groups of all files.
func groups(t *testing.T) []group {
	t.Helper()
	var all []group
	for _, file := range load[struct{ Groups []group }](t, "*.yml") {
		all = append(all, file.Groups...)
	}
	return all
}

// rules returns the recording rules and the alerts.
func rules(t *testing.T) (recording, alerts []rule) {
	t.Helper()
	for _, g := range groups(t) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				alerts = append(alerts, r)
			} else {
				recording = append(recording, r)
			}
		}
	}
	return recording, alerts
}

// load reads YAML files.
func load[T any](t *testing.T, pattern string) []T {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no %s", pattern)
	}
	files := make([]T, len(names))
	for i, name := range names {
		if err := yaml.Unmarshal([]byte(text(t, name)), &files[i]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return files
}

func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestGroups(t *testing.T) {
	names := make(map[string]bool)
	for _, g := range groups(t) {
		if !strings.HasPrefix(g.Name, "nflog_exporter.") || names[g.Name] {
			t.Errorf("the name of group %q is not unique, or does not begin with nflog_exporter", g.Name)
		}
		names[g.Name] = true
		// A global evaluation interval of 15 seconds would cost four times as much, for no benefit.
		if g.Interval == "" {
			t.Errorf("group %s has no interval", g.Name)
		}
	}
}

func TestRecordingRules(t *testing.T) {
	recording, _ := rules(t)
	_, section, _ := strings.Cut(text(t, "../../docs/alerts.md"), "\n## Recording rules\n")
	var documented, names []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+:[a-z0-9_:]+)` \\|").FindAllStringSubmatch(section, -1) {
		documented = append(documented, m[1])
	}
	for _, r := range recording {
		names = append(names, r.Record)
		if !regexp.MustCompile(`^[a-z_]+:nflog_[a-z_]+:[a-z0-9_]+$`).MatchString(r.Record) {
			t.Errorf("%s does not have the form LEVEL:METRIC:OPERATIONS", r.Record)
		}
	}
	if diff := cmp.Diff(names, documented); diff != "" {
		t.Errorf("unexpected recording rules in docs/alerts.md (-want +got):\n%s", diff)
	}
}

// TestLabelsLeftOut checks that rules by group and prefix aggregate away all other labels of the exporter.
func TestLabelsLeftOut(t *testing.T) {
	_, section, _ := strings.Cut(text(t, "../../docs/metrics.md"), "\n## Labels\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var want []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z_]+`(?:, `[a-z_]+`)*) \\|").FindAllStringSubmatch(section, -1) {
		for label := range strings.SplitSeq(strings.ReplaceAll(row[1], "`", ""), ", ") {
			if label != "group" && label != "prefix" {
				want = append(want, label)
			}
		}
	}
	want = append(want, "pod", "container", "endpoint") // change with each pod
	recording, _ := rules(t)
	found := 0
	for _, r := range recording {
		if !strings.HasPrefix(r.Record, "instance_group_prefix:") || !strings.Contains(r.Expr, "_total") {
			continue
		}
		found++
		list, _, _ := strings.Cut(strings.TrimPrefix(r.Expr, "sum without ("), ")")
		if diff := cmp.Diff(want, regexp.MustCompile(`\w+`).FindAllString(list, -1)); diff != "" {
			t.Errorf("%s leaves other labels out than docs/metrics.md has (-want +got):\n%s", r.Record, diff)
		}
	}
	if len(want) == 0 || found == 0 {
		t.Errorf("%d labels in docs/metrics.md, %d rules", len(want), found)
	}
}

func TestAlerts(t *testing.T) {
	const page = "https://github.com/nflog-exporter/nflog_exporter/blob/main/docs/alerts.md#"
	doc := text(t, "../../docs/alerts.md")
	_, alerts := rules(t)
	var names []string
	for _, a := range alerts {
		names = append(names, a.Alert)
		if !regexp.MustCompile(`^Nflog[A-Z][A-Za-z]+$`).MatchString(a.Alert) {
			t.Errorf("%s is not a valid name for an alert", a.Alert)
		}
		severity := a.Labels["severity"]
		if !slices.Contains([]string{"critical", "warning", "info"}, severity) {
			t.Errorf("%s has severity %q", a.Alert, severity)
		}
		for _, name := range []string{"summary", "description"} {
			// The last sentence may be conditional.
			if !regexp.MustCompile(`\.({{ end }})?$`).MatchString(a.Annotations[name]) {
				t.Errorf("%s has no %s of whole sentences", a.Alert, name)
			}
		}
		if want := page + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s has runbook %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		_, section, _ := strings.Cut(doc, "\n## "+a.Alert+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !strings.Contains(section, "**Look at**") && !strings.Contains(section, "| what to do |") {
			t.Errorf("docs/alerts.md does not say what to look at for %s", a.Alert)
		}
		if !strings.Contains(section, "**It ends**") {
			t.Errorf("docs/alerts.md does not say when %s ends", a.Alert)
		}
		row := regexp.MustCompile("(?m)^\\| `" + severity + "` \\|.*$").FindString(doc)
		if !strings.Contains(row, "["+a.Alert+"](#"+strings.ToLower(a.Alert)+")") {
			t.Errorf("docs/alerts.md does not list %s under severity %s", a.Alert, severity)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^## (Nflog\w+)$`).FindAllStringSubmatch(doc, -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("docs/alerts.md has %s, but there is no such alert", m[1])
		}
	}
}

// TestAlertsAreTested checks that each alert has a test in which it does not fire yet, one in which it fires, and one in
// which it has ended.
func TestAlertsAreTested(t *testing.T) {
	type alertTest struct {
		Name string `yaml:"alertname"`
		At   string `yaml:"eval_time"`
		Want []any  `yaml:"exp_alerts"`
	}
	type testFile struct {
		GroupEvalOrder []string `yaml:"group_eval_order"`
		Tests          []struct {
			Name           string
			AlertRuleTests []alertTest `yaml:"alert_rule_test"`
		}
	}
	at := func(test alertTest) model.Duration {
		d, err := model.ParseDuration(test.At)
		if err != nil {
			t.Errorf("%s: %v", test.Name, err)
		}
		return d
	}
	var order []string
	for _, g := range groups(t) {
		order = append(order, g.Name)
	}
	slices.Sort(order)
	states := make(map[string]map[string]bool)
	for _, file := range load[testFile](t, "tests/*.yml") {
		// Without an order, it is left to chance whether alerts are evaluated before the rules that they need.
		slices.Sort(file.GroupEvalOrder)
		hasAlerts := false
		for _, test := range file.Tests {
			hasAlerts = hasAlerts || len(test.AlertRuleTests) > 0
			fired := make(map[string]bool)
			slices.SortStableFunc(test.AlertRuleTests, func(a, b alertTest) int { return int(at(a) - at(b)) })
			for _, check := range test.AlertRuleTests {
				state := "quiet"
				switch {
				case len(check.Want) > 0:
					state, fired[check.Name] = "fires", true
				case fired[check.Name]:
					state = "ended"
				}
				if states[check.Name] == nil {
					states[check.Name] = make(map[string]bool)
				}
				states[check.Name][state] = true
			}
		}
		if diff := cmp.Diff(order, file.GroupEvalOrder); hasAlerts && diff != "" {
			t.Errorf("unexpected groups in group_eval_order (-want +got):\n%s", diff)
		}
	}
	_, alerts := rules(t)
	for _, a := range alerts {
		for _, state := range []string{"quiet", "fires", "ended"} {
			if !states[a.Alert][state] {
				t.Errorf("no test in which %s is in the state %q", a.Alert, state)
			}
		}
	}
}
