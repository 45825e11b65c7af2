// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// TestRelabelStale checks that stale label sets stay until their room is needed.
func TestRelabelStale(t *testing.T) {
	const limit = 10
	f := newFeed(t, Config{Labels: []string{"prefix"}, MaxLabelSets: limit})
	count := func(prefixes ...string) {
		t.Helper()
		for _, prefix := range prefixes {
			f.count(udpInput(prefix, 2, 100))
		}
	}
	check := func(name string, forgotten uint64, want map[string]float64) {
		t.Helper()
		got := make(map[string]float64)
		for labels, set := range f.scrape(t, "prefix", "zone") {
			got[labels] = set.packets
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: unexpected label sets (-want +got):\n%s", name, diff)
		}
		if s := f.snapshot(); s.forgotten != forgotten || s.overflow != 0 {
			t.Errorf("%s: %d packets are forgotten, want %d; %d counted under %s", name, s.forgotten, forgotten, s.overflow, overflowValue)
		}
	}

	count("fw wan", "fw wan", "fw lan", "other")
	f.reload(t, prefix.Rule{Match: `fw (?P<zone>\w+)`, Prefix: "fw"}, prefix.Rule{Match: `many \d+`, Prefix: "many"})
	count("fw wan", "other")
	// One label set has more prefixes than it remembers.
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
	f.reload(t, prefix.Rule{Match: `(?P<zone>\w+)`, Prefix: "x"})
	count("fw wan", "one more", "yet another", "other", "other")
	// The label set of "many" is not stale: its packets may still come, with prefixes that it does not remember.
	for labels := range want {
		if labels != "prefix=many" && labels != "prefix=one more" {
			delete(want, labels)
		}
	}
	want["prefix=fw wan"], want["prefix=one more"], want["prefix=yet another"], want["prefix=x,zone=other"] = 1, 2, 1, 2
	check("other rules", 3+1+2+5, want)
}

// TestRelabelStaleNoMore checks that a stale label set is stale no more once packets of another prefix have its labels.
func TestRelabelStaleNoMore(t *testing.T) {
	f := newFeed(t, Config{Labels: []string{"prefix"}, MaxLabelSets: 3})
	f.reload(t, prefix.Rule{Match: "a.*", Prefix: "x"})
	f.count(udpInput("a1", 2, 100), udpInput("a1", 2, 100))
	f.reload(t, prefix.Rule{Match: "b.*", Prefix: "x"})
	f.count(udpInput("b1", 2, 100))
	for i := range 5 {
		f.count(udpInput(fmt.Sprintf("p%d", i), 2, 100))
	}
	f.count(udpInput("b1", 2, 100))
	want := map[string]scraped{"prefix=x": {packets: 4}, "prefix=p0": {packets: 1}, "prefix=p1": {packets: 1}, "prefix=" + overflowValue: {packets: 3}}
	checkScraped(t, "full", want, f.scrape(t, "prefix"))
	if s := f.snapshot(); s.forgotten != 0 || s.overflow != 3 {
		t.Errorf("%d packets are forgotten, %d counted under %s, want 0 and 3", s.forgotten, s.overflow, overflowValue)
	}
}

// TestRelabelMakesRoom checks that evicted label sets, histograms and keys make room for others.
func TestRelabelMakesRoom(t *testing.T) {
	f := newFeed(t, Config{Labels: []string{"prefix"}, HistogramLabels: []string{"group"}, MaxLabelSets: 5})
	for i := range 20 {
		zone := fmt.Sprintf("zone%d", i)
		f.reload(t, prefix.Rule{Match: ".*", Labels: map[string]string{zone: "x"}})
		for j := range 5 {
			f.count(udpInput(fmt.Sprintf("prefix %d", j), 2, 100))
		}
		s := f.snapshot()
		if len(s.sets) != 5 || len(s.histograms) != 1 || s.overflow != 0 {
			t.Fatalf("%d label sets, %d histograms, %d packets under %s", len(s.sets), len(s.histograms), s.overflow, overflowValue)
		}
		if got := bucketSum(s.counts); got != 5 {
			t.Errorf("%d packets are in the histogram, want 5", got)
		}
	}
}
