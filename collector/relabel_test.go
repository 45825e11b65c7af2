// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// TestRelabelKeepsCounts checks which label sets stay when labels are added and removed.
func TestRelabelKeepsCounts(t *testing.T) {
	zones := prefix.Rule{Match: `fw (?P<zone>\w+).*`}
	steps := []struct {
		name  string
		rules []prefix.Rule
		names []string           // of labels, without the group
		kept  map[string]scraped // after the reload
		want  map[string]scraped // after one more packet of each prefix
	}{
		{
			name:  "no rules",
			names: []string{"prefix"},
			kept:  map[string]scraped{},
			want:  map[string]scraped{"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {1, 1}, "": {1, 1}},
		},
		{
			name:  "a new label",
			rules: []prefix.Rule{zones},
			names: []string{"prefix", "zone"},
			kept:  map[string]scraped{"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {1, 1}, "": {1, 1}},
			want: map[string]scraped{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {2, 1},
				"prefix=fw wan,zone=wan": {1, 2}, "prefix=fw lan,zone=lan": {1, 2},
			},
		},
		{
			name:  "another label, which sorts before the others",
			rules: []prefix.Rule{{Match: "other", Labels: map[string]string{"action": "drop"}}, zones},
			names: []string{"action", "prefix", "zone"},
			kept: map[string]scraped{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {2, 1},
				"prefix=fw wan,zone=wan": {1, 2}, "prefix=fw lan,zone=lan": {1, 2},
			},
			want: map[string]scraped{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {3, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "action=drop,prefix=other": {1, 3},
			},
		},
		{
			name: "same labels, other rules",
			rules: []prefix.Rule{
				{Match: "other", Labels: map[string]string{"action": "drop", "zone": "dmz"}},
				{Match: `fw (?P<zone>\w+)`, Prefix: "fw"},
			},
			names: []string{"action", "prefix", "zone"},
			kept: map[string]scraped{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {3, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "action=drop,prefix=other": {1, 3},
			},
			want: map[string]scraped{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {4, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "action=drop,prefix=other": {1, 3},
				"prefix=fw,zone=wan": {1, 4}, "prefix=fw,zone=lan": {1, 4}, "action=drop,prefix=other,zone=dmz": {1, 4},
			},
		},
		{
			name:  "a label removed",
			rules: []prefix.Rule{zones},
			names: []string{"prefix", "zone"},
			kept: map[string]scraped{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {2, 1}, "": {4, 1},
				"prefix=fw wan,zone=wan": {2, 2}, "prefix=fw lan,zone=lan": {2, 2}, "prefix=fw,zone=wan": {1, 4}, "prefix=fw,zone=lan": {1, 4},
			},
			want: map[string]scraped{
				"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {3, 1}, "": {5, 1},
				"prefix=fw wan,zone=wan": {3, 2}, "prefix=fw lan,zone=lan": {3, 2}, "prefix=fw,zone=wan": {1, 4}, "prefix=fw,zone=lan": {1, 4},
			},
		},
		{
			name:  "no rules again",
			names: []string{"prefix"},
			kept:  map[string]scraped{"prefix=fw wan": {1, 1}, "prefix=fw lan": {1, 1}, "prefix=other": {3, 1}, "": {5, 1}},
			want:  map[string]scraped{"prefix=fw wan": {2, 1}, "prefix=fw lan": {2, 1}, "prefix=other": {4, 1}, "": {6, 1}},
		},
	}
	f := newFeed(t, Config{Labels: []string{"prefix"}})
	for _, step := range steps {
		f.reload(t, step.rules...)
		checkScraped(t, step.name+", reloaded", step.kept, f.scrape(t, step.names...))
		for _, prefix := range []string{"fw wan", "fw lan", "other", ""} {
			f.count(udpInput(prefix, 2, 100))
		}
		checkScraped(t, step.name+", counted", step.want, f.scrape(t, step.names...))
	}
}

// TestRelabelNetNS checks which label sets stay when the network namespace becomes a label, and when it is removed.
func TestRelabelNetNS(t *testing.T) {
	own, blue := GroupConfig{Group: 100}, GroupConfig{Group: 100, NetNS: "blue"}
	c := mustNew(t, Config{Groups: []GroupConfig{blue}, Labels: []string{"prefix"}})
	f := feedGroup(c, 0)
	check := func(want map[string]float64) {
		t.Helper()
		got := samples(t, c)
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

	mustReload(t, c, []GroupConfig{own, blue})
	check(map[string]float64{`nflog_label_sets{group="100",netns=""}`: 0, `nflog_label_sets{group="100",netns="blue"}`: 0})
	f.count(udpInput("a", 2, 100))
	ownFeed := feedGroup(c, 0)
	ownFeed.count(udpInput("a", 2, 100), udpInput("a", 2, 100))
	check(map[string]float64{
		`nflog_packets_total{group="100",netns="",prefix="a"}`: 2, `nflog_packets_total{group="100",netns="blue",prefix="a"}`: 1,
		`nflog_label_sets{group="100",netns=""}`: 1, `nflog_label_sets{group="100",netns="blue"}`: 1,
	})

	// Series of the own namespace stay: their label netns was empty.
	mustReload(t, c, []GroupConfig{own})
	check(map[string]float64{`nflog_packets_total{group="100",prefix="a"}`: 2, `nflog_label_sets{group="100"}`: 1})
}
