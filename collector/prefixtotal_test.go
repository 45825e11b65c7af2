// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
)

// prefixPackets returns the totals of prefixes, which it checks.
func (f *feed) prefixPackets(t *testing.T) map[string]uint64 {
	t.Helper()
	s := f.collector.gatherer.copyTable(0, f.now)
	s.checkBooks(t)
	packets := make(map[string]uint64)
	for _, p := range s.prefixes {
		packets[p.total.prefix] = p.packets
	}
	return packets
}

func (f *feed) checkPrefixes(t *testing.T, want map[string]uint64) {
	t.Helper()
	if diff := cmp.Diff(want, f.prefixPackets(t)); diff != "" {
		t.Errorf("unexpected packets by prefix (-want +got):\n%s", diff)
	}
}

// pretendPrefixes makes rules known that log to group 100 with these prefixes.
func (f *feed) pretendPrefixes(prefixes ...string) {
	facts := &ruleset.Facts{}
	for _, raw := range prefixes {
		facts.Rules = append(facts.Rules, ruleset.Rule{Family: ruleset.INet, Table: "t", Chain: "c", Group: 100, Prefix: raw})
	}
	facts.Packets = make([]uint64, len(prefixes))
	f.collector.firewalls.Pretend("", facts)
}

// TestPrefixOfRule checks that the prefix of a rule counts from 0, and for how long it is kept when the rule is gone.
func TestPrefixOfRule(t *testing.T) {
	f := newFeed(t, Config{})
	f.pretendPrefixes("a ", "b", "b")
	f.checkPrefixes(t, map[string]uint64{"a": 0, "b": 0})
	f.count(udpInput("a ", 2, 40), udpInput("unknown", 2, 40))
	f.checkPrefixes(t, map[string]uint64{"a": 1, "b": 0, "unknown": 1})

	f.now = f.now.Add(48 * time.Hour)
	f.checkPrefixes(t, map[string]uint64{"a": 1, "b": 0, "unknown": 1})
	f.pretendPrefixes("c")
	f.now = f.now.Add(23 * time.Hour)
	f.checkPrefixes(t, map[string]uint64{"a": 1, "b": 0, "unknown": 1, "c": 0})
	f.count(udpInput("a ", 2, 40))
	f.checkPrefixes(t, map[string]uint64{"a": 2, "b": 0, "unknown": 1, "c": 0})
	f.now = f.now.Add(time.Hour)
	f.checkPrefixes(t, map[string]uint64{"a": 2, "unknown": 1, "c": 0, overflowValue: 0})
	f.now = f.now.Add(23 * time.Hour)
	f.checkPrefixes(t, map[string]uint64{"unknown": 1, "c": 0, overflowValue: 2})
	if s := f.snapshot(); s.forgotten != 2 || len(s.sets) != 1 {
		t.Errorf("%d packets are forgotten, and there are %d label sets, want 2 and 1", s.forgotten, len(s.sets))
	}

	// The rule comes back, as if for the first time.
	f.pretendPrefixes("a ")
	f.checkPrefixes(t, map[string]uint64{"a": 0, "unknown": 1, "c": 0, overflowValue: 2})
	f.count(udpInput("a ", 2, 40))
	f.checkPrefixes(t, map[string]uint64{"a": 1, "unknown": 1, "c": 0, overflowValue: 2})
}

// TestPrefixNotKnown checks that a prefix is kept while its label sets are, if nothing is known of rules, and without them for a day.
func TestPrefixNotKnown(t *testing.T) {
	f := newFeed(t, Config{IdleTimeout: time.Hour})
	f.count(udpInput("a", 2, 40))
	f.checkPrefixes(t, map[string]uint64{"a": 1})
	f.now = f.now.Add(2 * time.Hour)
	f.checkPrefixes(t, map[string]uint64{"a": 1})
	f.now = f.now.Add(prefixTimeout)
	f.checkPrefixes(t, map[string]uint64{overflowValue: 1})
}

// TestPrefixNotFolded checks that overflow, and label sets that are forgotten, leave the totals of prefixes alone.
func TestPrefixNotFolded(t *testing.T) {
	for _, labels := range [][]string{nil, {"group", "prefix", "family", "hook"}} {
		f := newFeed(t, Config{Labels: labels, MaxLabelSets: 20, HistogramLabels: labels})
		want := make(map[string]uint64)
		for i := range 100 {
			for j := range i%3 + 1 {
				raw := fmt.Sprint("p", i)
				f.count(udpInput(raw, 1+uint32(j), 40))
				want[raw]++
			}
		}
		f.checkPrefixes(t, want)
		s := f.snapshot()
		full := s.sets[0] // sorted
		if len(s.sets) > 20+2+1 || len(s.overflowed) < 50 || f.labelsOf(full.series)["prefix"] != overflowValue {
			t.Errorf("%d label sets, and %d of overflow", len(s.sets), len(s.overflowed))
		}

		// All that overflowed is one series and does not fall, also when some of its prefixes expire.
		var gone []*prefixTotal
		for _, p := range s.prefixes[30:60] {
			gone = append(gone, p.total)
			want[overflowValue] += p.packets
			delete(want, p.total.prefix)
		}
		f.table.mu.Lock()
		f.table.forgetPrefixes(gone, f.now)
		f.table.mu.Unlock()
		f.checkPrefixes(t, want)
		if after := f.snapshot().sets[0]; after.packets != full.packets || after.bytes != full.bytes || after.series.created != full.series.created {
			t.Errorf("overflow had %+v, and has %+v", full, after)
		}

		mustReload(t, f.collector, []GroupConfig{{Group: 100}}, prefix.Rule{Match: "p(?P<number>.).*", Prefix: "p"})
		f.checkPrefixes(t, want)
		f.now = f.now.Add(2 * idleAtLimit)
		f.snapshot()
		f.count(udpInput("p7", 1, 40))
		want["p"] = 1
		f.checkPrefixes(t, want)
	}
}

// TestPrefixLimit checks that further prefixes are counted together.
func TestPrefixLimit(t *testing.T) {
	f := newFeed(t, Config{})
	var rules []string
	for i := range maxPrefixTotals {
		rules = append(rules, fmt.Sprint(i))
	}
	f.pretendPrefixes(append(rules, "x", "y")...)
	f.prefixPackets(t)
	f.count(udpInput("0", 1, 40), udpInput("x", 1, 40), udpInput("z", 1, 40))
	got := f.prefixPackets(t)
	if len(got) != maxPrefixTotals+1 || got["0"] != 1 || got[overflowValue] != 2 {
		t.Errorf("%d prefixes, %d packets of one and %d of others", len(got), got["0"], got[overflowValue])
	}
}

// TestPrefixNotSelected checks that nothing is counted by prefix without that label.
func TestPrefixNotSelected(t *testing.T) {
	f := newFeed(t, Config{Labels: []string{"group", "hook"}})
	f.pretendPrefixes("a")
	f.count(udpInput("a", 2, 40))
	if got := gather(t, f.collector)["nflog_prefix_packets_total"]; len(got) != 0 {
		t.Errorf("unexpected metrics: %v", got)
	}
}

// TestPrefixMemory checks how much memory all prefixes of a group take that are counted apart, when all of them have overflowed.
func TestPrefixMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("counts allocated memory, which other tests may change")
	}
	f := newFeed(t, Config{MaxLabelSets: 10})
	for i := range maxPrefixTotals {
		f.count(udpInput(fmt.Sprintf("DROP by policy namespace-%04d/network-policy-of-the-shop-%04d", i, i), 1, 40))
	}
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	with := used()
	f.table.sets, f.table.overflowed, f.table.prefixes, f.table.setsByValues = nil, nil, nil, nil
	f.table.keys.clear()
	bytes := with - used()
	t.Logf("%d prefixes take %d kB", maxPrefixTotals, bytes/1000)
	if bytes > 1<<20 {
		t.Errorf("%d prefixes take %d bytes, want at most 1 MiB", maxPrefixTotals, bytes)
	}
	runtime.KeepAlive(f)
}
