// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestSnapshotIsCopy checks that a snapshot does not change when packets are counted.
func TestSnapshotIsCopy(t *testing.T) {
	f := newFeed(t, Config{})
	f.count(udpInput("a", 2, 100))
	s := f.snapshot()
	f.count(udpInput("a", 2, 100), udpInput("b", 2, 100))
	if len(s.sets) != 1 || s.sets[0].packets != 1 || bucketSum(s.counts) != 1 || s.stats.Packets != 1 {
		t.Errorf("the snapshot of one packet has become %+v, %+v", s.sets, s.stats)
	}
}

// TestSnapshotConsistent takes snapshots while packets are counted. The counts of each agree, and no count falls.
func TestSnapshotConsistent(t *testing.T) {
	const datagrams = 1000
	f := newFeed(t, Config{})
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		r := seededRand()
		for i := range datagrams {
			var messages []nflogtest.Message
			for range r.IntN(20) {
				m := udpInput(string(rune('a'+r.IntN(20))), r.Uint32N(5), 28+r.IntN(2000))
				m.Payload = m.Payload[:r.IntN(len(m.Payload))]
				messages = append(messages, m)
			}
			if i%100 == 99 {
				f.names.rename(2, string(rune('A'+i/100)))
			}
			if i%300 == 299 {
				f.attach()
			}
			f.count(messages...)
		}
	})

	last := &tableSnapshot{}
	counted := make(map[*series]uint64)
	check := func() {
		s := f.snapshot()
		var packets uint64
		for _, set := range s.sets {
			packets += set.packets
			if set.packets < counted[set.series] {
				t.Errorf("a counter fell from %d to %d", counted[set.series], set.packets)
			}
			counted[set.series] = set.packets
		}
		if n := bucketSum(s.counts); n > packets {
			t.Errorf("%d packets of %d are in histograms", n, packets)
		}
		if packets != s.stats.Packets {
			t.Errorf("%d packets are counted, %d were read", packets, s.stats.Packets)
		}
		if len(s.sets) < len(last.sets) || s.stats.Packets < last.stats.Packets {
			t.Errorf("%d label sets and %d packets became %d and %d",
				len(last.sets), last.stats.Packets, len(s.sets), s.stats.Packets)
		}
		last = s
	}
	for {
		check()
		select {
		case <-done:
			wg.Wait()
			check()
			return
		default:
		}
	}
}
