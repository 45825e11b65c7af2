// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

func TestTableCounts(t *testing.T) {
	f := newFeed(t, Config{})
	f.count(
		udpInput("a", 2, 100),
		udpInput("b", 2, 100),
		udpInput("a", 3, 100),
		udpInput("a", 2, 28),
		nflogtest.Message{Family: 2, Hook: 3, HWProtocol: 0x0800, Prefix: "a", OutDev: 2, Payload: nflogtest.Unhex(nflogtest.IPv4UDP)},
		nflogtest.Message{Family: 2, Hook: 2, HWProtocol: 0x0800, Prefix: "a", InDev: 2, OutDev: 3, Payload: nflogtest.Unhex(nflogtest.IPv4UDP)},
		nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd, Prefix: "a", InDev: 2, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)},
	)
	f.count(
		udpInput("a", 2, 65535),
		nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd, Prefix: "a", InDev: 2, Payload: nflogtest.Unhex(nflogtest.IPv6Header("0014", "06"))},
		nflogtest.Message{Family: 3, Hook: 0, HWProtocol: 0x0806, InDev: 9, Payload: nflogtest.Unhex(nflogtest.ARPRequest)},
		nflogtest.Message{Family: 7, Hook: 4, HWProtocol: 0x0800, InDev: 2, OutDev: 2, PhysInDev: 3, PhysOutDev: 4, Payload: nflogtest.Unhex(nflogtest.IPv4UDP)},
	)
	f.count(nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd, Prefix: "a", InDev: 2, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)})

	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}:              {3, 100 + 28 + 65535},
		{"b", "ip", "input", "eth0", "", "udp"}:              {1, 100},
		{"a", "ip", "input", "eth1", "", "udp"}:              {1, 100},
		{"a", "ip", "output", "", "eth0", "udp"}:             {1, 28},
		{"a", "ip", "forward", "eth0", "eth1", "udp"}:        {1, 28},
		{"a", "ip6", "input", "eth0", "", "udp"}:             {2, 2 * 48},
		{"a", "ip6", "input", "eth0", "", "tcp"}:             {1, 60},
		{"", "arp", "input", "if9", "", "arp"}:               {1, 28},
		{"", "bridge", "postrouting", "eth0", "eth0", "udp"}: {1, 28},
	})
	want := nflog.Stats{Packets: 12, Datagrams: 3}
	if diff := cmp.Diff(want, f.snapshot().stats); diff != "" {
		t.Errorf("unexpected counts (-want +got):\n%s", diff)
	}
}

// TestTableRename checks that packets are counted under the name that their interface has at the time.
func TestTableRename(t *testing.T) {
	f := newFeed(t, Config{})
	f.count(udpInput("a", 2, 100), udpInput("a", 3, 100))
	f.names.rename(2, "wan")
	f.count(udpInput("a", 2, 100), udpInput("a", 3, 100), udpInput("a", 2, 100))
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}: {1, 100},
		{"a", "ip", "input", "wan", "", "udp"}:  {2, 200},
		{"a", "ip", "input", "eth1", "", "udp"}: {2, 200},
	})

	// The first interface gets its old name back, and the second the name that is free.
	f.names.rename(2, "eth0")
	f.names.rename(3, "wan")
	f.count(udpInput("a", 2, 100), udpInput("a", 3, 100))
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}: {2, 200},
		{"a", "ip", "input", "wan", "", "udp"}:  {3, 300},
		{"a", "ip", "input", "eth1", "", "udp"}: {2, 200},
	})
}

// TestTableUnknownLength checks that packets of unknown length are counted, but neither in bytes nor in histograms.
func TestTableUnknownLength(t *testing.T) {
	f := newFeed(t, Config{})
	udp := func(payload string) nflogtest.Message {
		return nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: nflogtest.Unhex(payload)}
	}
	f.count(
		udp(nflogtest.IPv4UDP),
		udp("4500 0000 0000 0000 4011 0000 0a00 0001 0a00 0002"),
		udp("4500"),
		udp(""),
		nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88cc, Payload: nflogtest.Unhex("0207 0402")},
	)
	f.check(t, map[defaultValues]total{
		{"", "ip", "input", "", "", "udp"}:          {2, 28},
		{"", "ip", "input", "", "", "unknown"}:      {2, 0},
		{"", "netdev", "ingress", "", "", "0x88cc"}: {1, 0},
	})
	s := f.snapshot()
	if inBuckets := bucketSum(s.counts); inBuckets != 1 {
		t.Errorf("%d packets are in the histograms, want 1", inBuckets)
	}
	if s.malformed != 0 {
		t.Errorf("%d headers are malformed, want none", s.malformed)
	}
}

// TestTableMalformedHeader checks that packets with a malformed network header are counted, as such and under their labels.
func TestTableMalformedHeader(t *testing.T) {
	f := newFeed(t, Config{})
	malformed := nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)}
	f.count(malformed, udpInput("", 0, 100), malformed)
	f.count(malformed)
	f.check(t, map[defaultValues]total{
		{"", "ip", "input", "", "", "unknown"}: {3, 0},
		{"", "ip", "input", "", "", "udp"}:     {1, 100},
	})
	if got := f.snapshot().malformed; got != 3 {
		t.Errorf("%d headers are malformed, want 3", got)
	}
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
	f.attach()
	f.countDatagram(nil)
	check(first)
	f.count(udpInput("a", 2, 100))
	check(f.now)
}

// TestTableAllocations checks that nothing is allocated for packets of known label sets.
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
