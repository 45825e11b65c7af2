// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestTableAttachKeepsStats checks that the statistics are sums over all readers.
func TestTableAttachKeepsStats(t *testing.T) {
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

	// No loss between the last packet of one reader and the first of the next.
	f.attach()
	check(want)
	f.count(udpInput("a", 2, 100))
	want.Packets, want.Datagrams = 4, 3
	check(want)

	f.attach()
	f.seq = 7
	f.count(udpInput("a", 2, 100))
	want.Packets, want.Datagrams, want.Lost = 5, 4, 12
	check(want)

	// Decode errors of another reader.
	f.attach()
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

	f.attach()
	f.attach()
	check(want)
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}:   {5, 500},
		{"", "ip", "prerouting", "", "", "other"}: {1, 0},
	})
}

// TestTableAttachResolvesNames checks that a table uses the names of a new reader, even if their generation is the same.
func TestTableAttachResolvesNames(t *testing.T) {
	f := newFeed(t, Config{})
	f.count(udpInput("a", 2, 100))
	f.names = &fakeNames{names: map[uint32]string{2: "wan"}}
	f.attach()
	f.count(udpInput("a", 2, 100))
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}: {1, 100},
		{"a", "ip", "input", "wan", "", "udp"}:  {1, 100},
	})
}
