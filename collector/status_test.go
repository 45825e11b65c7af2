// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStatusPrefixes checks that prefixes keep the packets of label sets that are forgotten, and go with their group.
func TestStatusPrefixes(t *testing.T) {
	f := newFeed(t, Config{})
	packets := func() map[string]uint64 {
		got := make(map[string]uint64)
		for _, p := range f.collector.Status().Prefixes {
			got[p.Prefix] = p.Packets
		}
		return got
	}
	f.count(udpInput("drop ", 2, 40), udpInput("drop ", 2, 40), udpInput("accept ", 2, 40))
	if diff := cmp.Diff(map[string]uint64{"drop": 2, "accept": 1}, packets()); diff != "" {
		t.Errorf("unexpected packets (-want +got):\n%s", diff)
	}
	f.table.mu.Lock()
	f.table.evict(func(*labelSet) bool { return true })
	f.table.mu.Unlock()
	f.count(udpInput("drop ", 2, 40))
	s := f.collector.Status()
	if diff := cmp.Diff(map[string]uint64{"drop": 3, "accept": 1}, packets()); diff != "" {
		t.Errorf("unexpected packets after label sets were forgotten (-want +got):\n%s", diff)
	}
	g := s.Groups[0]
	if g.Packets != 4 || g.Forgotten != 3 || g.Datagrams != 2 || g.LabelSets != 1 || g.LabelSetsLimit != DefaultMaxLabelSets || !s.ByPrefix {
		t.Errorf("unexpected group: %+v", g)
	}
	for _, p := range s.Prefixes {
		if p.Prefix == "drop" {
			want := []Path{{Packets: 1, Hook: "input", InInterface: "eth0", Protocol: "udp"}}
			if diff := cmp.Diff(want, p.Busiest); diff != "" {
				t.Errorf("unexpected paths (-want +got):\n%s", diff)
			}
		}
	}

	mustReload(t, f.collector, []GroupConfig{{Group: 7}})
	if s := f.collector.Status(); len(s.Prefixes) != 0 || s.OtherPackets != 0 {
		t.Errorf("%d prefixes and %d packets of others after the group is gone, want none", len(s.Prefixes), s.OtherPackets)
	}
}
