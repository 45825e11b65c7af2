// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// fuzzedRules are prefix rules that a fuzzed reload chooses from.
var fuzzedRules = [][]prefix.Rule{
	nil,
	{{Match: `a(?P<zone>\d)`}},
	{{Match: `a(?P<zone>\d)`, Prefix: "a"}, {Match: `b.*`, Labels: map[string]string{"action": "drop"}}},
	{{Match: `b(?P<action>\d)`, Prefix: "${action}"}},
	{{Match: `.*`, Labels: map[string]string{"zone": "all"}}},
	{{Match: `.*`, Prefix: "one"}},
	{{Match: `never`, Labels: map[string]string{"unused": "x"}}},
}

// FuzzReload counts packets, forgets label sets and reloads in any order. A reload that was prepared before some of that leads to
// the same as one that is not prepared, no packet is lost, and all indexes fit.
func FuzzReload(f *testing.F) {
	f.Add(uint64(0), []byte{0, 1, 2, 3, 200, 4, 5, 6, 7, 201, 0, 1, 220, 3, 230, 202, 1, 1, 203})
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		var ops []byte
		for range 100 {
			ops = append(ops, byte(r.Uint32()))
		}
		f.Add(seed, ops)
	}
	f.Fuzz(func(t *testing.T, options uint64, ops []byte) {
		config := Config{Labels: []string{"prefix", "in_interface"}, MaxLabelSets: 5 + int(options%30)}
		if options&32 != 0 {
			config.HistogramLabels = []string{"prefix"}
		}
		late, early := newFeed(t, config), newFeed(t, config)
		early.now, early.table.started, early.table.lastSnapshot = late.now, late.table.started, late.table.lastSnapshot
		var prepared *relabeler
		var to *labeling
		packets := uint64(0)
		reload := func() {
			if prepared == nil {
				return
			}
			prepared.apply(early.now)
			newRelabeler(late.table, to).apply(late.now)
			prepared = nil
		}
		for _, op := range ops {
			for _, f := range []*feed{late, early} {
				f.now = f.now.Add(time.Second)
			}
			switch {
			case op < 200:
				packets++
				for _, f := range []*feed{late, early} {
					f.count(udpInput(fmt.Sprintf("%c%d", "abc"[op%3], op/3%10), 1+uint32(op/30)%3, 40*(1+int(op)%50)))
				}
			case op < 220:
				reload()
				c := config
				c.PrefixRules = fuzzedRules[int(op)%len(fuzzedRules)]
				c.Groups = []GroupConfig{{Group: 100}}
				var err error
				if to, err = newLabeling(&c, c.Groups[0], nil); err != nil {
					t.Fatal(err)
				}
				prepared = newRelabeler(early.table, to)
			case op < 235:
				reload()
			case op < 250:
				for _, f := range []*feed{late, early} {
					f.table.mu.Lock()
					f.table.evict(func(s *labelSet) bool { return s.bytes%uint64(op-230) == 0 })
					f.table.mu.Unlock()
				}
			default:
				for _, f := range []*feed{late, early} {
					f.now = f.now.Add(idleAtLimit)
					f.snapshot()
				}
			}
		}
		reload()
		if diff := cmp.Diff(late.dump(t), early.dump(t)); diff != "" {
			t.Errorf("a prepared reload differs (-without +prepared):\n%s", diff)
		}
		s := early.snapshot()
		s.checkBooks(t)
		sum := s.forgotten
		for _, set := range s.sets {
			sum += set.packets
		}
		if sum != packets {
			t.Errorf("%d packets are counted or forgotten, want %d", sum, packets)
		}
	})
}

// dump returns all that a table has, as text. It checks that its indexes fit.
func (f *feed) dump(t *testing.T) map[string]string {
	t.Helper()
	table := f.table
	dump := make(map[string]string)
	var overflows [overflowSteps]int
	stale, sizeCounts := 0, 0
	sets := make(map[*histogram]int32)
	for _, set := range table.sets {
		dump["set "+set.series.values+set.series.total.prefix] = fmt.Sprint(set.packets, set.bytes, set.overflow, set.stale, set.prefixes,
			set.series.created, set.sizes.counts, set.sizes.forgotten, set.sizes.series.values, set.sizes.series.created)
		found := table.setsByValues[set.series.values]
		if set.overflow == overflowFully {
			found = table.overflowed[set.series.total]
		}
		if found != set || table.prefixes[set.series.total.prefix] != set.series.total {
			t.Errorf("%q is not found", set.series.values)
		}
		overflows[set.overflow]++
		if set.stale {
			stale++
		}
		sets[set.sizes]++
	}
	for _, h := range table.histograms {
		sizeCounts += len(h.counts)
		if sets[h] != h.sets {
			t.Errorf("%q has %d label sets, not %d", h.series.values, sets[h], h.sets)
		}
		if !table.labeling.sameHistogram && table.histogramsByValues[h.series.values] != h {
			t.Errorf("the histogram of %q is not found", h.series.values)
		}
	}
	if len(table.setsByValues)+len(table.overflowed) != len(table.sets) || len(table.histograms) != len(sets) ||
		!table.labeling.sameHistogram && len(table.histogramsByValues) != len(table.histograms) {
		t.Errorf("%d label sets and %d histograms are found of %d and %d",
			len(table.setsByValues)+len(table.overflowed), len(table.histogramsByValues), len(table.sets), len(table.histograms))
	}
	if overflows != table.overflows || stale != table.stale || sizeCounts != table.sizeCounts {
		t.Errorf("counted overflows %v, stale %d, sizes %d, noted are %v, %d, %d",
			overflows, stale, sizeCounts, table.overflows, table.stale, table.sizeCounts)
	}
	for prefix, total := range table.prefixes {
		dump["prefix "+prefix] = fmt.Sprint(total.others, total.series.values, total.series.created)
	}
	dump["totals"] = fmt.Sprint(table.forgotten, table.forgottenOverflow, table.stale, table.overflows)
	return dump
}
