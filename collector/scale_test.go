// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// A markFlood has datagrams of packets with many marks. With the label mark, each mark makes a label set.
type markFlood struct {
	marks     int
	datagrams [][]byte
}

// newMarkFlood returns a flood with that many packets of each mark, of different sizes.
func newMarkFlood(marks, packets int) *markFlood {
	const perDatagram = 1000
	f := &markFlood{marks: marks}
	var datagram []byte
	for i := range marks * packets {
		m := udpInput("fw drop: ", 2, benchmarkSizes[i%len(benchmarkSizes)])
		// A multiplication by an odd number keeps marks different, and puts them in no order.
		m.Group, m.Seq, m.Mark = 100, uint32(i), 2654435761*uint32(i/packets+1)
		datagram = m.Append(datagram)
		if (i+1)%perDatagram == 0 || i+1 == marks*packets {
			f.datagrams = append(f.datagrams, nflogtest.Done(datagram))
			datagram = nil
		}
	}
	return f
}

// newMarkFeed returns a feed with the label mark, that takes up to a million label sets.
func newMarkFeed(t testing.TB) *feed {
	return newFeed(t, Config{Labels: append(DefaultLabels(), "mark"), MaxLabelSets: 1_000_000})
}

// count counts all packets.
func (m *markFlood) count(f *feed) {
	for _, d := range m.datagrams {
		f.countDatagram(d)
	}
}

// fastest returns the least time that a function takes, of three times. Its argument is prepared before.
func fastest[T any](prepare func() T, fn func(T)) time.Duration {
	least := time.Duration(1<<63 - 1)
	for range 3 {
		prepared := prepare()
		began := time.Now()
		fn(prepared)
		least = min(least, time.Since(began))
	}
	return least
}

// maxRatio is how many times as long a label set may take where there are ten times as many.
const maxRatio = 3

// TestScaleCreation checks that a label set costs the same to make, and a packet the same to count, however many label sets
// there are.
func TestScaleCreation(t *testing.T) {
	perMark := func(marks int) (creation, look time.Duration) {
		flood := newMarkFlood(marks, 1)
		creation = fastest(func() *feed { return newMarkFeed(t) }, flood.count)
		filled := newMarkFeed(t)
		flood.count(filled)
		if s := filled.snapshot(); len(s.sets) != marks || s.overflow != 0 {
			t.Fatalf("%d label sets, want %d", len(s.sets), marks)
		}
		look = fastest(func() *feed { return filled }, flood.count)
		return creation / time.Duration(marks), look / time.Duration(marks)
	}
	creation, look := perMark(10_000)
	creation10, look10 := perMark(100_000)
	t.Logf("10,000 label sets: %v to make, %v to find; 100,000: %v, %v", creation, look, creation10, look10)
	if creation10 > maxRatio*creation {
		t.Errorf("one of 100,000 label sets takes %v to make, one of 10,000 %v", creation10, creation)
	}
	// More memory than the caches hold makes each look-up slower, once.
	if look10 > 2*maxRatio*look {
		t.Errorf("one of 100,000 label sets takes %v to find, one of 10,000 %v", look10, look)
	}
}
