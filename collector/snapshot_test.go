// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestTableRebind checks that what was counted before a binding stays in the sums.
func TestTableRebind(t *testing.T) {
	f := newFeed(t, Config{})
	check := func(want nflog.Stats) {
		t.Helper()
		if diff := cmp.Diff(want, f.snapshot().stats); diff != "" {
			t.Errorf("unexpected counts (-want +got):\n%s", diff)
		}
	}
	check(nflog.Stats{})

	f.count(udpInput("a", 2, 100), udpInput("a", 2, 100))
	f.seq += 5
	f.count(udpInput("a", 2, 100))
	want := nflog.Stats{Packets: 3, Lost: 5, Datagrams: 2}
	check(want)

	// Nothing was lost between the last packet of a binding and the first of the next.
	f.bind()
	check(want)
	f.count(udpInput("a", 2, 100))
	want.Packets, want.Datagrams = 4, 3
	check(want)

	f.bind()
	f.seq = 7
	f.count(udpInput("a", 2, 100))
	want.Packets, want.Datagrams, want.Lost = 5, 4, 12
	check(want)

	// What can't be decoded, in a binding of its own.
	f.bind()
	message := nflogtest.Message{Group: 100, Family: 2, Payload: nflogtest.Unhex(nflogtest.IPv4UDP)}.Append(nil)
	unknown := nflogtest.Attribute(message, 30, []byte("new"))
	binary.NativeEndian.PutUint32(unknown, uint32(len(unknown)))
	f.countDatagram(unknown)
	f.countDatagram([]byte{8, 0, 0, 0})
	short := nflogtest.Message{Group: 100, Family: 2}.Append(nil)
	short = nflogtest.Attribute(short, 2, []byte{1})
	binary.NativeEndian.PutUint32(short, uint32(len(short)))
	f.countDatagram(short)
	want.Packets, want.Datagrams = 6, 7
	want.UnknownAttributes, want.MalformedMessages, want.MalformedAttributes = 1, 1, 1
	check(want)

	f.bind()
	f.bind()
	check(want)
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}:    {5, 500},
		{"", "ip", "prerouting", "", "", "0x0000"}: {1, 0},
	})
}

// TestTableBindAnew checks that names are asked for anew when they come from elsewhere, even if
// their generation is the same.
func TestTableBindAnew(t *testing.T) {
	f := newFeed(t, Config{})
	f.count(udpInput("a", 2, 100))
	f.names = &fakeNames{names: map[uint32]string{2: "wan"}}
	f.bind()
	f.count(udpInput("a", 2, 100))
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}: {1, 100},
		{"a", "ip", "input", "wan", "", "udp"}:  {1, 100},
	})
}

func TestTableLastPacket(t *testing.T) {
	f := newFeed(t, Config{})
	first := f.now
	check := func(want time.Time) {
		t.Helper()
		if got := f.snapshot().lastPacket; !got.Equal(want) {
			t.Errorf("the last packet came at %v, want %v", got, want)
		}
	}
	check(time.Time{})

	f.countDatagram(nil)
	f.countDatagram([]byte("garbage"))
	check(time.Time{})

	f.count(udpInput("a", 2, 100))
	check(first)
	f.now = first.Add(time.Second)
	f.countDatagram(nil)
	f.countDatagram([]byte("garbage"))
	f.bind()
	f.countDatagram(nil)
	check(first)
	f.count(udpInput("a", 2, 100))
	check(f.now)
}

// TestTableSnapshotIsCopy checks that a snapshot stays what it is.
func TestTableSnapshotIsCopy(t *testing.T) {
	f := newFeed(t, Config{})
	f.count(udpInput("a", 2, 100))
	s := f.snapshot()
	f.count(udpInput("a", 2, 100), udpInput("b", 2, 100))
	if len(s.sets) != 1 || s.sets[0].packets != 1 || bucketSum(s.blocks) != 1 || s.stats.Packets != 1 {
		t.Errorf("the snapshot of one packet has become %+v, %+v", s.sets, s.stats)
	}
}

// TestTableSnapshotConsistent takes snapshots while packets are counted. The books of each balance.
func TestTableSnapshotConsistent(t *testing.T) {
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
				f.bind()
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
		if n := bucketSum(s.blocks); n > packets {
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

// TestTableAllocations checks that nothing is allocated for packets of known labels.
func TestTableAllocations(t *testing.T) {
	f := newFeed(t, Config{})
	var datagram []byte
	for i := range 100 {
		m := udpInput(string(rune('a'+i%7)), uint32(i%3), 28+i)
		m.Group, m.Seq = 100, uint32(i)
		datagram = m.Append(datagram)
	}
	f.countDatagram(datagram)
	if n := testing.AllocsPerRun(100, func() { f.countDatagram(datagram) }); n != 0 {
		t.Errorf("%v allocations for a datagram", n)
	}
}
