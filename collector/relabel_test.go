// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// A reloaded is a collector that is fed and reloaded.
type reloaded struct {
	*feed
	c *Collector
}

// newReloaded returns a collector of group 100.
func newReloaded(t *testing.T, config Config) *reloaded {
	t.Helper()
	config.Groups = []GroupConfig{{Group: 100}}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return &reloaded{feedTable(c.groups[0].table), c}
}

// reload lets other rules apply, a second after what was counted before.
func (r *reloaded) reload(t *testing.T, rules ...prefix.Rule) {
	t.Helper()
	r.now = r.now.Add(time.Second)
	if err := r.c.Reload(r.c.groupConfigs(), rules); err != nil {
		t.Fatalf("failed to reload: %v", err)
	}
}

// groupConfigs returns the groups that are read.
func (c *Collector) groupConfigs() []GroupConfig {
	var configs []GroupConfig
	for _, g := range c.groups {
		configs = append(configs, g.config)
	}
	return configs
}

// A shown is what a scrape shows of a label set.
type shown struct {
	packets float64
	age     int // how many reloads after the first packet it came to be
}

// show returns what a scrape shows, by those labels that have a value, and checks that all metrics of packets show the
// same labels. The labels that are there are names.
func (r *reloaded) show(t *testing.T, names ...string) map[string]shown {
	t.Helper()
	metrics := gather(t, r.c)
	r.snapshot() // by the clock of the feed: what comes to be is not older
	packets := metrics["nflog_packets_total"]
	byLabels := make(map[string]shown)
	for i, m := range packets {
		for _, other := range []*dto.Metric{metrics["nflog_bytes_total"][i], metrics["nflog_packet_size_bytes"][i]} {
			if diff := cmp.Diff(m.GetLabel(), other.GetLabel(), protocmp.Transform()); diff != "" {
				t.Errorf("the labels differ:\n%s", diff)
			}
			if h := other.GetHistogram(); h != nil && float64(h.GetSampleCount()) != m.GetCounter().GetValue() {
				t.Errorf("%v: %v packets, %d in the histogram", m.GetLabel(), m.GetCounter().GetValue(), h.GetSampleCount())
			}
		}
		var got, values []string
		for _, pair := range m.GetLabel() {
			got = append(got, pair.GetName())
			if pair.GetValue() != "" && pair.GetName() != "group" {
				values = append(values, pair.GetName()+"="+pair.GetValue())
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(append(names, "group"))), got); diff != "" {
			t.Errorf("unexpected names of labels (-want +got):\n%s", diff)
		}
		age := m.GetCounter().GetCreatedTimestamp().AsTime().Sub(time.Unix(1_800_000_000, 0))
		byLabels[strings.Join(values, ",")] = shown{m.GetCounter().GetValue(), int(age.Seconds())}
	}
	if len(byLabels) != len(packets) {
		t.Errorf("%d label sets have %d combinations of labels", len(packets), len(byLabels))
	}
	return byLabels
}

// TestReloadKeepsCounts checks what becomes of label sets when labels come and go.
func TestReloadKeepsCounts(t *testing.T) {
	zones := prefix.Rule{Match: `fw (?P<zone>\w+).*`}
	steps := []struct {
		name  string
		rules []prefix.Rule
		names []string // of labels, beside the group
		kept  map[string]shown
		want  map[string]shown // when one packet of each prefix was counted
	}{
		{
			name:  "no rules",
			names: []string{"prefix"},
			kept:  map[string]shown{},
			want:  map[string]shown{"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {1, 1}, "": {1, 1}},
		},
		{
			name:  "a new label",
			rules: []prefix.Rule{zones},
			names: []string{"prefix", "zone"},
			kept:  map[string]shown{"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {1, 1}, "": {1, 1}},
			want: map[string]shown{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {2, 1},
				"prefix=fw wan,zone=wan": {1, 2}, "prefix=fw lan,zone=lan": {1, 2},
			},
		},
		{
			name:  "another label beside it, which sorts before all",
			rules: []prefix.Rule{{Match: "other", Labels: map[string]string{"action": "drop"}}, zones},
			names: []string{"action", "prefix", "zone"},
			kept: map[string]shown{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {2, 1},
				"prefix=fw wan,zone=wan": {1, 2}, "prefix=fw lan,zone=lan": {1, 2},
			},
			want: map[string]shown{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {3, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "action=drop,prefix=other": {1, 3},
			},
		},
		{
			name: "the same labels by other rules",
			rules: []prefix.Rule{
				{Match: "other", Labels: map[string]string{"action": "drop", "zone": "dmz"}},
				{Match: `fw (?P<zone>\w+)`, Prefix: "fw"},
			},
			names: []string{"action", "prefix", "zone"},
			kept: map[string]shown{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {3, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "action=drop,prefix=other": {1, 3},
			},
			want: map[string]shown{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {4, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "action=drop,prefix=other": {1, 3},
				"prefix=fw,zone=wan": {1, 4}, "prefix=fw,zone=lan": {1, 4}, "action=drop,prefix=other,zone=dmz": {1, 4},
			},
		},
		{
			name:  "one label less",
			rules: []prefix.Rule{zones},
			names: []string{"prefix", "zone"},
			kept: map[string]shown{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {4, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "prefix=fw,zone=wan": {1, 4}, "prefix=fw,zone=lan": {1, 4},
			},
			want: map[string]shown{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {3, 1}, "": {5, 1},
				"prefix=fw wan,zone=wan": {3, 2}, "prefix=fw lan,zone=lan": {3, 2}, "prefix=fw,zone=wan": {1, 4}, "prefix=fw,zone=lan": {1, 4},
			},
		},
		{
			name:  "no rules again",
			names: []string{"prefix"},
			kept:  map[string]shown{"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {3, 1}, "": {5, 1}},
			want:  map[string]shown{"prefix=fw wan": {2, 1}, "prefix=fw lan": {2, 1}, "prefix=other": {4, 1}, "": {6, 1}},
		},
	}
	r := newReloaded(t, Config{Labels: []string{"prefix"}})
	for _, step := range steps {
		r.reload(t, step.rules...)
		if diff := cmp.Diff(step.kept, r.show(t, step.names...), cmp.AllowUnexported(shown{})); diff != "" {
			t.Errorf("%s: unexpected label sets were kept (-want +got):\n%s", step.name, diff)
		}
		for _, prefix := range []string{"fw wan", "fw lan", "other", ""} {
			r.count(udpInput(prefix, 2, 100))
		}
		if diff := cmp.Diff(step.want, r.show(t, step.names...), cmp.AllowUnexported(shown{})); diff != "" {
			t.Errorf("%s: unexpected label sets (-want +got):\n%s", step.name, diff)
		}
	}
}

// TestReloadAtLimit has labels come and go while packets are counted in common for want of label sets. What is counted
// under __overflow__ in each label begins anew; of the rest, only what has a value of a label that is gone is forgotten.
func TestReloadAtLimit(t *testing.T) {
	const o = overflowValue
	zones := prefix.Rule{Match: `fw (?P<zone>\w+)`}
	r := newReloaded(t, Config{Labels: []string{"prefix", "in_interface"}, MaxLabelSets: 10})
	fill := func() {
		t.Helper()
		for i := range 15 {
			r.count(udpInput(fmt.Sprintf("p%02d", i), 2, 100))
		}
		r.count(udpInput("fw wan", 2, 100), udpInput("fw lan", 2, 100))
	}
	known := func(packets float64) map[string]shown {
		want := make(map[string]shown)
		for i := range 10 {
			want[fmt.Sprintf("in_interface=eth0,prefix=p%02d", i)] = shown{packets: packets}
		}
		want["in_interface="+o+",prefix=p10"] = shown{packets: packets}
		return want
	}
	check := func(name string, overflow uint64, want map[string]shown, names ...string) {
		t.Helper()
		if diff := cmp.Diff(want, r.show(t, append(names, "in_interface", "prefix")...), cmp.AllowUnexported(shown{})); diff != "" {
			t.Errorf("%s: unexpected label sets (-want +got):\n%s", name, diff)
		}
		if got := r.snapshot().overflow; got != overflow {
			t.Errorf("%s: %v packets were counted under %s, want %v", name, got, o, overflow)
		}
	}

	fill()
	want := known(1)
	want["in_interface="+o+",prefix="+o] = shown{packets: 6}
	check("full", 7, want)

	// The set of all others has a value for each label.
	r.reload(t, zones)
	want = known(1)
	want["in_interface="+o+",prefix="+o+",zone="+o] = shown{packets: 6}
	check("a new label", 7, want, "zone")
	fill()
	want = known(2)
	want["in_interface="+o+",prefix="+o+",zone="+o] = shown{packets: 12}
	check("full with a new label", 14, want, "zone")

	r.reload(t, prefix.Rule{Match: `p1(?P<zone>\d)`})
	check("the same labels", 14, want, "zone")
	fill()
	// p10 has a zone now. There is room for it, as there are no more packets without one.
	want = known(3)
	delete(want, "in_interface="+o+",prefix=p10")
	want["in_interface="+o+",prefix=p10,zone=0"] = shown{1, 2}
	want["in_interface="+o+",prefix="+o+",zone="+o] = shown{packets: 18}
	check("full with the same labels", 21, want, "zone")

	r.reload(t)
	want = known(3)
	delete(want, "in_interface="+o+",prefix=p10")
	want["in_interface="+o+",prefix="+o] = shown{packets: 18}
	check("without the label", 21, want)
	fill()
	want = known(4)
	want["in_interface="+o+",prefix=p10"] = shown{1, 3}
	want["in_interface="+o+",prefix="+o] = shown{packets: 24}
	check("full without the label", 28, want)
}

// TestReloadUnreachable checks that label sets to which no packets lead any more stay until their room is needed.
func TestReloadUnreachable(t *testing.T) {
	const limit = 10
	r := newReloaded(t, Config{Labels: []string{"prefix"}, MaxLabelSets: limit})
	count := func(packets ...string) {
		t.Helper()
		for _, prefix := range packets {
			r.count(udpInput(prefix, 2, 100))
		}
	}
	check := func(name string, forgotten uint64, want map[string]float64) {
		t.Helper()
		got := make(map[string]float64)
		for labels, shown := range r.show(t, "prefix", "zone") {
			got[labels] = shown.packets
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: unexpected label sets (-want +got):\n%s", name, diff)
		}
		if s := r.snapshot(); s.forgotten != forgotten || s.overflow != 0 {
			t.Errorf("%s: %d packets are forgotten, want %d; %d counted under %s", name, s.forgotten, forgotten, s.overflow, overflowValue)
		}
	}

	count("fw wan", "fw wan", "fw lan", "other")
	r.reload(t, prefix.Rule{Match: `fw (?P<zone>\w+)`, Prefix: "fw"}, prefix.Rule{Match: `many \d+`, Prefix: "many"})
	count("fw wan", "other")
	// Many prefixes lead to one label set.
	for i := range 2 * maxPrefixes {
		count(fmt.Sprintf("many %d", i))
	}
	want := map[string]float64{"prefix=fw wan": 2, "prefix=fw lan": 1, "prefix=other": 2, "prefix=fw,zone=wan": 1, "prefix=many": 2 * maxPrefixes}
	check("rules", 0, want)
	for i := range limit - len(want) {
		p := fmt.Sprintf("p%d", i)
		count(p)
		want["prefix="+p] = 1
	}
	check("full", 0, want)
	count("one more")
	delete(want, "prefix=fw wan")
	delete(want, "prefix=fw lan")
	want["prefix=one more"] = 1
	check("one more", 3, want)
	r.reload(t, prefix.Rule{Match: `(?P<zone>\w+)`, Prefix: "x"})
	count("fw wan", "one more", "yet another", "other", "other")
	// Those of "many" might still come, as far as is known.
	for labels := range want {
		if labels != "prefix=many" && labels != "prefix=one more" {
			delete(want, labels)
		}
	}
	want["prefix=fw wan"], want["prefix=one more"], want["prefix=yet another"], want["prefix=x,zone=other"] = 1, 2, 1, 2
	check("other rules", 3+1+2+5, want)
}

// TestReloadFreesRoom checks that the label sets, histograms and keys that are forgotten make room for others.
func TestReloadFreesRoom(t *testing.T) {
	r := newReloaded(t, Config{Labels: []string{"prefix"}, HistogramLabels: []string{"group"}, MaxLabelSets: 5})
	for i := range 20 {
		zone := fmt.Sprintf("zone%d", i)
		r.reload(t, prefix.Rule{Match: ".*", Labels: map[string]string{zone: "x"}})
		for j := range 5 {
			r.count(udpInput(fmt.Sprintf("prefix %d", j), 2, 100))
		}
		s := r.snapshot()
		if len(s.sets) != 5 || len(s.histograms) != 1 || s.overflow != 0 {
			t.Fatalf("%d label sets, %d histograms, %d packets under %s", len(s.sets), len(s.histograms), s.overflow, overflowValue)
		}
		if got := bucketSum(s.blocks); got != 5 {
			t.Errorf("%d packets are in the histogram, want 5", got)
		}
	}
}

// TestReloadReachableAgain has another prefix lead to a label set than those before the reload: it is not one whose room is
// needed.
func TestReloadReachableAgain(t *testing.T) {
	r := newReloaded(t, Config{Labels: []string{"prefix"}, MaxLabelSets: 3})
	r.reload(t, prefix.Rule{Match: "a.*", Prefix: "x"})
	r.count(udpInput("a1", 2, 100), udpInput("a1", 2, 100))
	r.reload(t, prefix.Rule{Match: "b.*", Prefix: "x"})
	r.count(udpInput("b1", 2, 100))
	for i := range 5 {
		r.count(udpInput(fmt.Sprintf("p%d", i), 2, 100))
	}
	r.count(udpInput("b1", 2, 100))
	want := map[string]shown{"prefix=x": {packets: 4}, "prefix=p0": {packets: 1}, "prefix=p1": {packets: 1}, "prefix=" + overflowValue: {packets: 3}}
	if diff := cmp.Diff(want, r.show(t, "prefix"), cmp.AllowUnexported(shown{})); diff != "" {
		t.Errorf("unexpected label sets (-want +got):\n%s", diff)
	}
	if s := r.snapshot(); s.forgotten != 0 || s.overflow != 3 {
		t.Errorf("%d packets are forgotten, %d counted under %s, want 0 and 3", s.forgotten, s.overflow, overflowValue)
	}
}

// TestReloadGroupAnew checks that the counters of a group that comes back are younger than those before.
func TestReloadGroupAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := GroupConfig{Group: 1}, GroupConfig{Group: 2}
		c, err := New(Config{Groups: []GroupConfig{first, second}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 2 {
			time.Sleep(time.Second)
			if err := c.Reload([]GroupConfig{first}, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Reload([]GroupConfig{first, second}, nil); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []time.Time{began, time.Now()} {
			m := gather(t, c)["nflog_datagrams_total"][i]
			if got := m.GetCounter().GetCreatedTimestamp().AsTime(); !got.Equal(want) {
				t.Errorf("the counter of %v was created at %v, want %v", m.GetLabel(), got, want)
			}
		}
	})
}

// TestReloadWarns checks that rules are not without effect in silence.
func TestReloadWarns(t *testing.T) {
	for _, label := range []string{"prefix", "hook"} {
		var logs recorder
		r := newReloaded(t, Config{Labels: []string{label}, Logger: &logs})
		r.reload(t)
		r.reload(t, prefix.Rule{Match: "a"})
		want := 0
		if label != "prefix" {
			want = 1
		}
		if lines := logs.with("level=warn", "prefix rules have no effect"); len(lines) != want {
			t.Errorf("with the label %s, the log warns %d times, want %d", label, len(lines), want)
		}
	}
}

// TestReloadRefuses checks that nothing has changed where a reload is refused.
func TestReloadRefuses(t *testing.T) {
	zones := []prefix.Rule{{Match: `(?P<zone>\w+)`}}
	tests := []struct {
		name   string
		groups []GroupConfig
		rules  []prefix.Rule
		want   string
	}{
		{name: "no group", rules: zones, want: "no NFLOG group to read"},
		{name: "a group twice", groups: []GroupConfig{{Group: 7}, {Group: 100}, {Group: 7}}, rules: zones, want: "NFLOG group 7 is named twice"},
		{
			name:   "a group twice in a namespace",
			groups: []GroupConfig{{Group: 7, NetNS: "blue"}, {Group: 7}, {Group: 7, NetNS: "blue", CopyRange: 64}},
			want:   "NFLOG group 7 is named twice",
		},
		{
			name:   "bad rule",
			groups: []GroupConfig{{Group: 7}},
			rules:  append(zones, prefix.Rule{Match: "("}),
			want:   `prefix rule 2: match="(": must be a regular expression in RE2's syntax: missing closing ): "("`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReloaded(t, Config{})
			r.count(udpInput("a", 2, 100))
			before, groups := gather(t, r.c), r.c.Groups()
			err := r.c.Reload(tt.groups, tt.rules)
			if err == nil || err.Error() != tt.want {
				t.Errorf("unexpected error: got %v, want %s", err, tt.want)
			}
			if diff := cmp.Diff(before, gather(t, r.c), protocmp.Transform()); diff != "" {
				t.Errorf("metrics have changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(groups, r.c.Groups()); diff != "" {
				t.Errorf("groups have changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestReloadGroups has groups come, go and change while the collector runs. None can be bound.
func TestReloadGroups(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	group := func(number uint16, copyRange uint32) GroupConfig {
		return GroupConfig{Group: number, NetNS: missing, CopyRange: copyRange}
	}
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Groups: []GroupConfig{group(1, 64), group(2, 64)}})
		if err != nil {
			t.Fatal(err)
		}
		reload := func(groups ...GroupConfig) {
			t.Helper()
			if err := c.Reload(groups, nil); err != nil {
				t.Fatal(err)
			}
		}
		failures := func(group int) float64 {
			return samples(t, c)[fmt.Sprintf(`nflog_bind_failures_total{group="%d",reason="namespace"}`, group)]
		}
		check := func(want ...uint16) {
			t.Helper()
			synctest.Wait()
			var got []uint16
			for _, state := range c.Groups() {
				got = append(got, state.Group)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected groups (-want +got):\n%s", diff)
			}
			for _, m := range gather(t, c)["nflog_up"] {
				if i := slices.IndexFunc(want, func(g uint16) bool { return fmt.Sprint(g) == m.GetLabel()[0].GetValue() }); i < 0 {
					t.Errorf("there are metrics of %v", m.GetLabel())
				}
			}
			if n := len(gather(t, c)["nflog_up"]); n != len(want) {
				t.Errorf("there are metrics of %d groups, want %d", n, len(want))
			}
		}

		reload(group(2, 64), group(3, 64)) // before Run
		check(2, 3)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Run(ctx)
		}()
		check(2, 3)
		time.Sleep(10*time.Second - 1)
		check(2, 3)
		if failures(2) != 10 || failures(3) != 10 {
			t.Errorf("%v and %v failures, want 10 of each", failures(2), failures(3))
		}

		reload(group(4, 64), group(3, 64))
		check(4, 3)
		if failures(3) != 10 || failures(4) != 1 {
			t.Errorf("%v failures of the group that stayed, %v of the one that came, want 10 and 1", failures(3), failures(4))
		}
		reload(group(2, 64), group(3, 32)) // back again, and changed
		time.Sleep(10*time.Second - 1)
		check(2, 3)
		if failures(2) != 10 || failures(3) != 20 {
			t.Errorf("%v failures of the group that came back, %v of the one that changed, want 10 and 20", failures(2), failures(3))
		}
		if got := c.groups[1].config; got != group(3, 32) {
			t.Errorf("the settings are %+v", got)
		}

		cancel()
		<-done
		reload(group(5, 64)) // has no effect but on what is shown
		check(5)
		if failures(5) != 0 {
			t.Error("a group is read that came after the end")
		}
	})
}

// TestReloadNamespaces has the namespace become a label, and cease to be one.
func TestReloadNamespaces(t *testing.T) {
	own, blue := GroupConfig{Group: 100}, GroupConfig{Group: 100, NetNS: "blue"}
	c, err := New(Config{Groups: []GroupConfig{blue}, Labels: []string{"prefix"}})
	if err != nil {
		t.Fatal(err)
	}
	f := feedTable(c.groups[0].table)
	reload := func(groups ...GroupConfig) {
		t.Helper()
		if err := c.Reload(groups, nil); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want map[string]float64) {
		t.Helper()
		got := samples(t, c) // by a pedantic registry
		for name := range got {
			if !strings.HasPrefix(name, "nflog_packets_total{") && !strings.HasPrefix(name, "nflog_label_sets{") {
				delete(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("unexpected metrics (-want +got):\n%s", diff)
		}
	}
	f.count(udpInput("a", 2, 100))
	check(map[string]float64{`nflog_packets_total{group="100",prefix="a"}`: 1, `nflog_label_sets{group="100"}`: 1})

	reload(own, blue)
	check(map[string]float64{`nflog_label_sets{group="100",netns=""}`: 0, `nflog_label_sets{group="100",netns="blue"}`: 0})
	f.count(udpInput("a", 2, 100))
	ownFeed := feedTable(c.groups[0].table)
	ownFeed.count(udpInput("a", 2, 100), udpInput("a", 2, 100))
	check(map[string]float64{
		`nflog_packets_total{group="100",netns="",prefix="a"}`: 2, `nflog_packets_total{group="100",netns="blue",prefix="a"}`: 1,
		`nflog_label_sets{group="100",netns=""}`: 1, `nflog_label_sets{group="100",netns="blue"}`: 1,
	})

	// The own one's series stay the same.
	reload(own)
	check(map[string]float64{`nflog_packets_total{group="100",prefix="a"}`: 2, `nflog_label_sets{group="100"}`: 1})
}
