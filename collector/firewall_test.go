// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
)

// fakeRules are known rules.
type fakeRules struct{ facts *ruleset.Facts }

func (f *fakeRules) Facts() *ruleset.Facts { return f.facts }
func (f *fakeRules) Peek() *ruleset.Facts  { return f.facts }

// newKnown returns a collector of group 100 that knows the rules of its firewall.
func newKnown(t *testing.T, config Config, rules ...ruleset.Rule) (*Collector, *fakeRules) {
	t.Helper()
	if config.Groups == nil {
		config.Groups = []GroupConfig{{Group: 100}}
	}
	c := mustNew(t, config)
	return c, know(c, rules...)
}

// know tells a collector the rules of its first firewall.
func know(c *Collector, rules ...ruleset.Rule) *fakeRules {
	known := &fakeRules{facts: factsOf(rules...)}
	c.firewalls[0].known = known
	return known
}

// factsOf returns facts with counters that are 0, and all groups bound.
func factsOf(rules ...ruleset.Rule) *ruleset.Facts {
	facts := &ruleset.Facts{
		Rules: rules, Packets: make([]uint64, len(rules)), Bound: make(map[uint16]bool),
		Read: feedStart, Counted: feedStart, Changed: feedStart,
	}
	for i := range rules {
		facts.Bound[rules[i].Group] = true
	}
	return facts
}

// ruleSamples returns the samples about rules.
func ruleSamples(t *testing.T, c *Collector) map[string]float64 {
	t.Helper()
	all := samples(t, c)
	maps.DeleteFunc(all, func(name string, _ float64) bool { return !strings.HasPrefix(name, "nflog_rule") })
	return all
}

func checkRuleSamples(t *testing.T, c *Collector, want map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, ruleSamples(t, c)); diff != "" {
		t.Errorf("unexpected metrics of rules (-want +got):\n%s", diff)
	}
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
	c, known := newKnown(t, Config{PrefixRules: []prefix.Rule{{Match: "fw (?P<zone>.*)", Prefix: "fw"}}},
		counted(rule(1, 100, "a ")), rule(2, 100, "a"), counted(rule(3, 100, "fw x")), counted(rule(5, 100, "fw y")), other, odd)
	known.facts.Packets = []uint64{10, 0, 5, 6, 0, 0}
	known.facts.Bound[65535] = false
	known.facts.Changes = 3
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
	checkRuleSamples(t, c, want)

	// The collector has bound a group after the kernel was asked.
	known.facts.Bound[100] = false
	if got := ruleSamples(t, c)[`nflog_rules_unread{group="100"}`]; got != 4 {
		t.Errorf("%v rules unread while the group is not bound, want 4", got)
	}
	pretendBound(c)
	checkRuleSamples(t, c, want)

	// Nothing known, and nothing but that.
	known.facts = nil
	checkRuleSamples(t, c, map[string]float64{})
	known.facts = &ruleset.Facts{}
	checkRuleSamples(t, c, map[string]float64{`nflog_rules_unread{group="100"}`: 0, `nflog_ruleset_changes_total{}`: 0})

	off := mustNew(t, Config{Groups: []GroupConfig{{Group: 100}}, NoRuleset: true})
	if got := off.Firewalls(); len(got) != 0 {
		t.Errorf("unexpected firewalls: %+v", got)
	}
	checkRuleSamples(t, off, map[string]float64{})
}

// TestRuleMetricsNamespaces checks that the metrics of each namespace's rules have its label.
func TestRuleMetricsNamespaces(t *testing.T) {
	c := mustNew(t, Config{Groups: []GroupConfig{{Group: 1}, {Group: 2}, {Group: 1, NetNS: "blue"}, {Group: 2, NetNS: "blue"}}})
	if len(c.firewalls) != 2 {
		t.Fatalf("%d firewalls, want 2", len(c.firewalls))
	}
	know(c).facts.Changed = time.Time{}
	c.firewalls[1].known = &fakeRules{facts: &ruleset.Facts{Rules: []ruleset.Rule{rule(1, 2, "a")}, Packets: []uint64{0}, Bound: map[uint16]bool{2: false}}}
	checkRuleSamples(t, c, map[string]float64{
		`nflog_rules{chain="c",comment="",family="inet",group="2",netns="blue",prefix="a",table="t"}`: 1,
		`nflog_rules_unread{group="1",netns=""}`:                                                      0,
		`nflog_rules_unread{group="2",netns=""}`:                                                      0,
		`nflog_rules_unread{group="1",netns="blue"}`:                                                  0,
		`nflog_rules_unread{group="2",netns="blue"}`:                                                  1,
		`nflog_ruleset_changes_total{netns=""}`:                                                       0,
		`nflog_ruleset_changes_total{netns="blue"}`:                                                   0,
	})
	blue := c.firewalls[1]
	mustReload(t, c, []GroupConfig{{Group: 2, NetNS: "blue"}})
	if len(c.firewalls) != 1 || c.firewalls[0] != blue {
		t.Errorf("unexpected firewalls: %+v", c.firewalls)
	}
}

// TestRuleCounters checks that the counter of a series never falls while it has rules, and loses nothing that was seen.
func TestRuleCounters(t *testing.T) {
	const name = `nflog_rule_packets_total{chain="c",comment="",family="inet",group="100",prefix="a",table="t"}`
	c, known := newKnown(t, Config{}, counted(rule(1, 100, "a")), counted(rule(2, 100, "a")))
	step := func(what string, want float64, facts *ruleset.Facts, packets ...uint64) {
		t.Helper()
		known.facts = facts
		known.facts.Packets = packets
		if got := ruleSamples(t, c)[name]; got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	step("first", 1100, known.facts, 1000, 100)
	again := *known.facts
	step("more", 1111, &again, 1010, 101)
	step("a rule is gone", 1111, factsOf(counted(rule(2, 100, "a"))), 101)
	step("another place", 1112, factsOf(rule(8, 100, "b"), counted(rule(2, 100, "a"))), 0, 102)
	again = *known.facts
	step("counter reset", 1115, &again, 0, 3)
	step("loaded again", 1117, factsOf(counted(rule(21, 100, "a")), counted(rule(22, 100, "a"))), 2, 0)
	mustReload(t, c, []GroupConfig{{Group: 100}, {Group: 101}})
	again = *known.facts
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
	c, known := newKnown(t, Config{}, rules...)
	known.facts.Folded = map[uint16]int{100: 5, 7: 3}
	known.facts.Bound[100] = false

	sum, series := 0.0, 0
	got := ruleSamples(t, c)
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
	logs := &logRecorder{}
	rules := append(prefix.Preset("shorewall"), prefix.Rule{Match: "fw (?P<zone>.*)"}, prefix.Rule{Match: "ssh"}, prefix.Preset("k3s")[0])
	c, known := newKnown(t, Config{PrefixRules: rules, Logger: logs})
	check := func(what string, lines int, unused ...string) {
		t.Helper()
		c.checkPrefixRules()
		if diff := cmp.Diff(unused, c.UnusedPrefixRules()); diff != "" {
			t.Errorf("%s: unexpected rules (-want +got):\n%s", what, diff)
		}
		if got := logs.with("level=warn", "A prefix rule applies to no firewall rule"); len(got) != lines {
			t.Errorf("%s: %d lines, want %d: %q", what, len(got), lines, got)
		}
	}
	check("no rules", 0)
	known.facts = factsOf(rule(1, 99, "x"))
	check("none to the group", 0)
	known.facts = factsOf(rule(1, 100, "net-fw DROP "), rule(2, 100, "fw lan"), rule(3, 99, "ssh"))
	k3s := prefix.Preset("k3s")[0].Match
	check("some", 2, "ssh", k3s)
	known.facts = factsOf(rule(1, 100, "net-fw DROP "), rule(3, 100, "ssh"))
	check("others", 3, "fw (?P<zone>.*)", k3s)
	mustReload(t, c, []GroupConfig{{Group: 100}}, rules...)
	check("reload", 3, "fw (?P<zone>.*)", k3s)
	mustReload(t, c, []GroupConfig{{Group: 100}}, prefix.Rule{Match: "never"})
	check("other configuration", 4, "never")
	known.facts.Folded = map[uint16]int{100: 1}
	check("not all known", 4)
	known.facts = nil
	check("nothing known", 4)
}

// TestFirewalls checks what the state says of rules.
func TestFirewalls(t *testing.T) {
	forward := ruleset.Rule{
		Family: ruleset.INet, Table: "t", Chain: "for\tward", Hook: 2, Handle: 5, Comment: "c", Group: 100, Prefix: "a ",
		Threshold: 20, Snaplen: 64, Limit: "10/minute", Counted: true,
	}
	c := mustNew(t, Config{Groups: []GroupConfig{{Group: 100}}})
	if got := c.Firewalls(); len(got) != 1 || got[0].Known || got[0].Reason == "" {
		t.Errorf("unexpected state %+v before anything is known", got)
	}
	known := know(c, forward, rule(1, 101, "b"))
	known.facts.Packets[0], known.facts.Bound[101] = 7, false
	known.facts.Changes, known.facts.Folded = 2, map[uint16]int{9: 1}
	c.firewalls[0].setReason("")
	want := []FirewallState{{
		Known: true, Read: feedStart, Counted: feedStart, Changed: feedStart, Changes: 2, Further: map[uint16]int{9: 1},
		Rules: []LoggingRule{
			{
				Family: "inet", Table: "t", Chain: `for\x09ward`, Hook: "forward", Handle: 5, Comment: "c", Group: 100, Prefix: "a",
				Threshold: 20, Snaplen: 64, Limit: "10/minute", Counted: true, Packets: 7,
			},
			{Family: "inet", Table: "t", Chain: "c", Handle: 1, Group: 101, Prefix: "b", Unread: true},
		},
	}}
	if diff := cmp.Diff(want, c.Firewalls()); diff != "" {
		t.Errorf("unexpected state (-want +got):\n%s", diff)
	}
}
