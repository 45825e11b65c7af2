// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
)

// testStart is when the rules were read.
var testStart = time.Unix(1_800_000_000, 0)

// testLabels returns labels as the collector makes them. The namespace is a label if byNetNS says so.
func testLabels(t *testing.T, netns string, byNetNS bool, rules ...prefix.Rule) *Labels {
	t.Helper()
	compiled, err := prefix.NewRules(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	var ofAll []*dto.LabelPair
	if byNetNS {
		ofAll = []*dto.LabelPair{{Name: new("netns"), Value: &netns}}
	}
	return &Labels{Prefixes: compiled, OfAll: ofAll, OfGroup: func(group string) []*dto.LabelPair {
		return append([]*dto.LabelPair{{Name: new("group"), Value: &group}}, ofAll...)
	}}
}

// A tested is firewalls with the rules that a test makes up.
type tested struct {
	*Firewalls
	t     *testing.T
	known struct{ facts *ruleset.Facts } // of the first namespace
	bound map[Group]bool
	logs  bytes.Buffer
}

// newTested returns firewalls that know these rules of the own namespace, whose group 100 is read.
func newTested(t *testing.T, prefixRules []prefix.Rule, rules ...ruleset.Rule) *tested {
	t.Helper()
	f := &tested{t: t, bound: make(map[Group]bool)}
	f.Firewalls = New(log.NewLogfmtLogger(&f.logs))
	f.apply([]uint16{100}, prefixRules...)
	f.know(rules...)
	return f
}

// apply reads these groups of the own namespace, with these prefix rules.
func (f *tested) apply(groups []uint16, rules ...prefix.Rule) {
	f.t.Helper()
	f.Apply([]Namespace{{Groups: groups, Labels: testLabels(f.t, "", false, rules...)}}, rules)
}

// know makes up the rules of the first namespace.
func (f *tested) know(rules ...ruleset.Rule) {
	f.known.facts = factsOf(rules...)
}

// pretend makes the rules known, after the test may have changed them.
func (f *tested) pretend() { f.Pretend(f.all[0].netns, f.known.facts) }

// samples returns the metrics by name and labels.
func (f *tested) samples() map[string]float64 {
	var to Families
	all := []**dto.MetricFamily{&to.Rules, &to.RulePackets, &to.RulesUnread, &to.RulesetChanges, &to.RulesetChanged}
	names := []string{"rules", "rule_packets_total", "rules_unread", "ruleset_changes_total", "ruleset_last_change_timestamp_seconds"}
	for _, family := range all {
		*family = &dto.MetricFamily{}
	}
	f.pretend()
	f.Gather(&to, f.bound)
	got := make(map[string]float64)
	for i, family := range all {
		for _, m := range (*family).Metric {
			var labels []string
			for _, pair := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", pair.GetName(), pair.GetValue()))
			}
			got["nflog_"+names[i]+"{"+strings.Join(labels, ",")+"}"] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return got
}

func (f *tested) check(want map[string]float64) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.samples()); diff != "" {
		f.t.Errorf("unexpected metrics of rules (-want +got):\n%s", diff)
	}
}

// factsOf returns facts with counters that are 0, and all groups bound.
func factsOf(rules ...ruleset.Rule) *ruleset.Facts {
	facts := &ruleset.Facts{
		Rules: rules, Packets: make([]uint64, len(rules)), Bound: make(map[uint16]bool),
		Read: testStart, Counted: testStart, Changed: testStart,
	}
	for i := range rules {
		facts.Bound[rules[i].Group] = true
	}
	return facts
}

func rule(handle uint64, group uint16, raw string) ruleset.Rule {
	return ruleset.Rule{Family: ruleset.INet, Table: "t", Chain: "c", Hook: ruleset.NoHook, Handle: handle, Group: group, Prefix: raw}
}

func counted(r ruleset.Rule) ruleset.Rule {
	r.Counted = true
	return r
}

// TestRuleMetrics checks the labels and values of the metrics of rules.
func TestRuleMetrics(t *testing.T) {
	odd := ruleset.Rule{
		Family: ruleset.Bridge, Table: "__overflow__", Chain: "__chain7", Handle: 9, Group: 65535, Prefix: "\xff", Comment: "a\\b\n",
	}
	other := rule(4, 7, "b")
	other.Comment = "why"
	f := newTested(t, []prefix.Rule{{Match: "fw (?P<zone>.*)", Prefix: "fw"}},
		counted(rule(1, 100, "a ")), rule(2, 100, "a"), counted(rule(3, 100, "fw x")), counted(rule(5, 100, "fw y")), other, odd)
	f.known.facts.Packets = []uint64{10, 0, 5, 6, 0, 0}
	f.known.facts.Bound[65535] = false
	f.known.facts.Changes = 3
	want := map[string]float64{
		`nflog_rules{chain="c",comment="",family="inet",group="100",prefix="a",table="t"}`:                                         2,
		`nflog_rules{chain="c",comment="",family="inet",group="100",prefix="fw",table="t"}`:                                        2,
		`nflog_rules{chain="c",comment="why",family="inet",group="7",prefix="b",table="t"}`:                                        1,
		`nflog_rules{chain="__chain",comment="a\\\\b\\x0a",family="bridge",group="65535",prefix="\\xff",table="\\x5f_overflow__"}`: 1,
		`nflog_rule_packets_total{chain="c",comment="",family="inet",group="100",prefix="a",table="t"}`:                            10,
		`nflog_rule_packets_total{chain="c",comment="",family="inet",group="100",prefix="fw",table="t"}`:                           11,
		`nflog_rules_unread{group="7"}`:                 0,
		`nflog_rules_unread{group="100"}`:               0,
		`nflog_rules_unread{group="65535"}`:             1,
		`nflog_ruleset_changes_total{}`:                 3,
		`nflog_ruleset_last_change_timestamp_seconds{}`: 1.8e9,
	}
	f.check(want)

	// The collector has bound a group after the kernel was asked.
	f.known.facts.Bound[100] = false
	if got := f.samples()[`nflog_rules_unread{group="100"}`]; got != 4 {
		t.Errorf("%v rules unread while the group is not bound, want 4", got)
	}
	f.bound[Group{Number: 100}] = true
	f.check(want)

	// Nothing known, and nothing but that.
	f.known.facts = nil
	f.check(map[string]float64{})
	f.known.facts = &ruleset.Facts{}
	f.check(map[string]float64{`nflog_rules_unread{group="100"}`: 0, `nflog_ruleset_changes_total{}`: 0})
}

// TestRuleMetricsNamespaces checks that the metrics of each namespace's rules have its label.
func TestRuleMetricsNamespaces(t *testing.T) {
	f := &tested{t: t, Firewalls: New(log.NewNopLogger())}
	f.Apply([]Namespace{
		{Groups: []uint16{1, 2}, Labels: testLabels(t, "", true)},
		{Name: "blue", Groups: []uint16{1, 2}, Labels: testLabels(t, "blue", true)},
	}, nil)
	f.know()
	f.known.facts.Changed = time.Time{}
	f.Pretend("blue", &ruleset.Facts{Rules: []ruleset.Rule{rule(1, 2, "a")}, Packets: []uint64{0}, Bound: map[uint16]bool{2: false}})
	f.check(map[string]float64{
		`nflog_rules{chain="c",comment="",family="inet",group="2",netns="blue",prefix="a",table="t"}`: 1,
		`nflog_rules_unread{group="1",netns=""}`:                                                      0,
		`nflog_rules_unread{group="2",netns=""}`:                                                      0,
		`nflog_rules_unread{group="1",netns="blue"}`:                                                  0,
		`nflog_rules_unread{group="2",netns="blue"}`:                                                  1,
		`nflog_ruleset_changes_total{netns=""}`:                                                       0,
		`nflog_ruleset_changes_total{netns="blue"}`:                                                   0,
	})
	blue := f.all[1]
	f.Apply([]Namespace{{Name: "blue", Groups: []uint16{2}, Labels: testLabels(t, "blue", false)}}, nil)
	if len(f.all) != 1 || f.all[0] != blue {
		t.Errorf("unexpected firewalls: %+v", f.all)
	}
}

// TestRuleCounters checks that the counter of a series never falls while it has rules, and loses nothing that was seen.
func TestRuleCounters(t *testing.T) {
	const name = `nflog_rule_packets_total{chain="c",comment="",family="inet",group="100",prefix="a",table="t"}`
	f := newTested(t, nil, counted(rule(1, 100, "a")), counted(rule(2, 100, "a")))
	step := func(what string, want float64, facts *ruleset.Facts, packets ...uint64) {
		t.Helper()
		f.known.facts = facts
		f.known.facts.Packets = packets
		if got := f.samples()[name]; got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	step("first", 1100, f.known.facts, 1000, 100)
	again := *f.known.facts
	step("more", 1111, &again, 1010, 101)
	step("a rule is gone", 1111, factsOf(counted(rule(2, 100, "a"))), 101)
	step("another place", 1112, factsOf(rule(8, 100, "b"), counted(rule(2, 100, "a"))), 0, 102)
	again = *f.known.facts
	step("counter reset", 1115, &again, 0, 3)
	step("loaded again", 1117, factsOf(counted(rule(21, 100, "a")), counted(rule(22, 100, "a"))), 2, 0)
	f.apply([]uint16{100, 101})
	again = *f.known.facts
	step("reload", 1118, &again, 2, 1)
	step("all gone", 0, factsOf())
	step("back", 5, factsOf(counted(rule(31, 100, "a"))), 5)
}

// TestRuleSeriesLimit checks what happens beyond the limits of series and groups: no rule is left out.
func TestRuleSeriesLimit(t *testing.T) {
	var rules []ruleset.Rule
	for i := range maxRuleSeries + 10 {
		rules = append(rules, rule(uint64(i+1), 100, fmt.Sprint("p", i)))
	}
	for i := range maxRuleGroups + 10 {
		rules = append(rules, rule(uint64(i+1), uint16(1000+i), "x"))
	}
	f := newTested(t, nil, rules...)
	f.known.facts.Folded = map[uint16]int{100: 5, 7: 3}
	f.known.facts.Bound[100] = false

	sum, series := 0.0, 0
	got := f.samples()
	for name, value := range got {
		if strings.HasPrefix(name, "nflog_rules{") {
			sum += value
			series++
		}
	}
	if want := float64(len(rules) + 8); sum != want {
		t.Errorf("%v rules, want %v", sum, want)
	}
	if most := maxRuleSeries + maxRuleGroups + 1; series > most {
		t.Errorf("%d series, want at most %d", series, most)
	}
	const all = `nflog_rules{chain="__overflow__",comment="__overflow__",family="__overflow__",group="%s",prefix="__overflow__",table="__overflow__"}`
	// All groups but 100, 999 others, are beyond the limit of series, and 11 and 7 beyond that of groups.
	for group, want := range map[string]float64{"100": 10 + 5, "1000": 1, "__overflow__": 11 + 3} {
		if value := got[fmt.Sprintf(all, group)]; value != want {
			t.Errorf("%v rules of group %s folded, want %v", value, group, want)
		}
	}
	if got := got[`nflog_rules_unread{group="100"}`]; got != maxRuleSeries+10+5 {
		t.Errorf("%v rules unread", got)
	}
}

// TestUnusedPrefixRules checks which prefix rules are warned of, and that each is once.
func TestUnusedPrefixRules(t *testing.T) {
	rules := append(prefix.Preset("shorewall"), prefix.Rule{Match: "fw (?P<zone>.*)"}, prefix.Rule{Match: "ssh"}, prefix.Preset("k3s")[0])
	f := newTested(t, rules)
	check := func(what string, lines int, unused ...string) {
		t.Helper()
		f.pretend()
		f.checkPrefixRules()
		if diff := cmp.Diff(unused, f.UnusedPrefixRules()); diff != "" {
			t.Errorf("%s: unexpected rules (-want +got):\n%s", what, diff)
		}
		if got := strings.Count(f.logs.String(), "A prefix rule applies to no firewall rule"); got != lines {
			t.Errorf("%s: %d lines, want %d: %q", what, got, lines, f.logs.String())
		}
	}
	check("no rules", 0)
	f.known.facts = factsOf(rule(1, 99, "x"))
	check("none to the group", 0)
	f.known.facts = factsOf(rule(1, 100, "net-fw DROP "), rule(2, 100, "fw lan"), rule(3, 99, "ssh"))
	k3s := prefix.Preset("k3s")[0].Match
	check("some", 2, "ssh", k3s)
	f.known.facts = factsOf(rule(1, 100, "net-fw DROP "), rule(3, 100, "ssh"))
	check("others", 3, "fw (?P<zone>.*)", k3s)
	f.apply([]uint16{100}, rules...)
	check("reload", 3, "fw (?P<zone>.*)", k3s)
	f.apply([]uint16{100}, prefix.Rule{Match: "never"})
	check("other configuration", 4, "never")
	f.known.facts.Folded = map[uint16]int{100: 1}
	check("not all known", 4)
	f.known.facts = nil
	check("nothing known", 4)
}

// TestStates checks what the state says of rules.
func TestStates(t *testing.T) {
	forward := ruleset.Rule{
		Family: ruleset.INet, Table: "t", Chain: "for\tward", Hook: 2, Handle: 5, Comment: "c", Group: 100, Prefix: "a ",
		Threshold: 20, Snaplen: 64, Limit: "10/minute", Counted: true,
	}
	f := &tested{t: t, Firewalls: New(log.NewNopLogger())}
	f.apply([]uint16{100})
	if got := f.States(nil); len(got) != 1 || got[0].Known || got[0].Reason == "" {
		t.Errorf("unexpected state %+v before anything is known", got)
	}
	f.know(forward, rule(1, 101, "b"))
	f.known.facts.Packets[0], f.known.facts.Bound[101] = 7, false
	f.known.facts.Changes, f.known.facts.Folded = 2, map[uint16]int{9: 1}
	f.all[0].setReason("")
	f.pretend()
	want := []State{{
		Known: true, Read: testStart, Counted: testStart, Changed: testStart, Changes: 2, Further: map[uint16]int{9: 1},
		Rules: []Rule{
			{
				Family: "inet", Table: "t", Chain: `for\x09ward`, Hook: "forward", Handle: 5, Comment: "c", Group: 100, Prefix: "a",
				Threshold: 20, Snaplen: 64, Limit: "10/minute", Counted: true, Packets: 7,
			},
			{Family: "inet", Table: "t", Chain: "c", Handle: 1, Group: 101, Prefix: "b", Unread: true},
		},
	}}
	if diff := cmp.Diff(want, f.States(nil)); diff != "" {
		t.Errorf("unexpected state (-want +got):\n%s", diff)
	}
}
