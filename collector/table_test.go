// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// A feed gives a table of group 100 what a reader would.
type feed struct {
	table   *table
	names   *fakeNames
	decoder *nflog.Decoder
	seq     uint32 // of the next packet
	now     time.Time
}

// fakeNames are names of interfaces by index.
type fakeNames struct {
	names map[uint32]string
	moves uint64
}

func (f *fakeNames) Generation() uint64 { return f.moves }

func (f *fakeNames) Name(index uint32) string {
	if name, ok := f.names[index]; ok || index == 0 {
		return name
	}
	return "if" + strconv.FormatUint(uint64(index), 10)
}

// rename gives an interface another name.
func (f *fakeNames) rename(index uint32, name string) {
	f.names[index] = name
	f.moves++
}

func (f *fakeNames) Present() map[string]bool {
	present := make(map[string]bool)
	for _, name := range f.names {
		present[name] = true
	}
	return present
}

// newFeed returns a feed of an empty table of group 100, configured as given.
func newFeed(t testing.TB, config Config) *feed {
	t.Helper()
	config.Groups = []GroupConfig{{Group: 100}}
	c, err := New(config)
	if err != nil {
		t.Fatalf("failed to make a collector: %v", err)
	}
	return feedTable(c.groups[0].table)
}

// feedTable returns a feed of a table, with the interfaces lo, eth0 and eth1, 1 to 3.
func feedTable(t *table) *feed {
	f := &feed{
		table: t,
		names: &fakeNames{names: map[uint32]string{1: "lo", 2: "eth0", 3: "eth1"}},
		now:   time.Unix(1_800_000_000, 0),
	}
	t.mu.Lock()
	t.lastSnapshot = f.now
	t.mu.Unlock()
	f.bind()
	return f
}

// bind begins anew as after a binding, with packet number 0.
func (f *feed) bind() {
	f.decoder = nflog.NewDecoder(100)
	f.seq = 0
	f.table.attach(f.names)
}

// count counts messages that come in one datagram, and numbers them.
func (f *feed) count(messages ...nflogtest.Message) {
	var datagram []byte
	for _, m := range messages {
		m.Group, m.Seq = 100, f.seq
		f.seq++
		datagram = m.Append(datagram)
	}
	f.countDatagram(datagram)
}

func (f *feed) countDatagram(datagram []byte) { f.table.count(f.decoder.Decode(datagram), f.now) }

// defaultValues are the values of the default labels but the group.
type defaultValues [6]string

// snapshot returns a copy of the table, without label sets that have expired.
func (f *feed) snapshot() *tableSnapshot {
	g := &gatherer{}
	g.read(f.table, f.now)
	return &g.copied
}

// A total is what was counted under a label set.
type total struct{ packets, bytes uint64 }

// totals returns what the table has counted by label values, and checks that no label set is there
// twice.
func (f *feed) totals(t *testing.T) map[defaultValues]total {
	t.Helper()
	got := make(map[defaultValues]total)
	for _, set := range f.snapshot().sets {
		byName := make(map[string]string)
		for _, pair := range set.series.labels {
			byName[pair.GetName()] = pair.GetValue()
		}
		if byName["group"] != "100" {
			t.Errorf("the group of a label set is %q", byName["group"])
		}
		var values defaultValues
		for j, name := range DefaultLabels()[1:] {
			values[j] = byName[name]
		}
		if _, ok := got[values]; ok {
			t.Errorf("two label sets are %q", values)
		}
		got[values] = total{set.packets, set.bytes}
	}
	return got
}

func (f *feed) check(t *testing.T, want map[defaultValues]total) {
	t.Helper()
	if diff := cmp.Diff(want, f.totals(t), cmp.AllowUnexported(total{})); diff != "" {
		t.Errorf("unexpected label sets (-want +got):\n%s", diff)
	}
}

// udpInput is a message of the input hook about a UDP packet of that length.
func udpInput(prefix string, inDev uint32, length int) nflogtest.Message {
	return nflogtest.Message{
		Family: 2, Hook: 1, HWProtocol: 0x0800, Prefix: prefix, InDev: inDev, Ethernet: true,
		Payload: nflogtest.UDP(length, min(length, 64)),
	}
}

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

// TestTableSameLabels checks that packets that differ, but not in their labels, are counted
// together.
func TestTableSameLabels(t *testing.T) {
	f := newFeed(t, Config{})
	f.names.rename(12, "eth0") // one deleted interface's name is another's now
	for range 2 {
		f.count(
			udpInput("a", 2, 100),
			udpInput("a ", 2, 100),
			udpInput("a \t\n", 2, 100),
			udpInput("a", 12, 100),
			udpInput(" a", 2, 100),
		)
	}
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}:  {8, 800},
		{" a", "ip", "input", "eth0", "", "udp"}: {2, 200},
	})
}

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

	// Back again, and the other one takes the name that is free.
	f.names.rename(2, "eth0")
	f.names.rename(3, "wan")
	f.count(udpInput("a", 2, 100), udpInput("a", 3, 100))
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "eth0", "", "udp"}: {2, 200},
		{"a", "ip", "input", "wan", "", "udp"}:  {3, 300},
		{"a", "ip", "input", "eth1", "", "udp"}: {2, 200},
	})
}

// TestTableUnknownLength checks that packets of no known length are missing in the bytes and the
// histogram alone.
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
	if inBuckets := bucketSum(s.blocks); inBuckets != 1 {
		t.Errorf("%d packets are in the histograms, want 1", inBuckets)
	}
	if s.malformed != 0 {
		t.Errorf("%d headers are bad, want none", s.malformed)
	}
}

// bucketSum returns how many packets are in histograms.
func bucketSum(pages []sizeBlock) (sum uint64) {
	for _, page := range pages {
		for _, n := range page {
			sum += n
		}
	}
	return sum
}

// TestTableBadHeader checks that packets whose header is wrong are counted nevertheless.
func TestTableBadHeader(t *testing.T) {
	f := newFeed(t, Config{})
	bad := nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)}
	f.count(bad, udpInput("", 0, 100), bad)
	f.count(bad)
	f.check(t, map[defaultValues]total{
		{"", "ip", "input", "", "", "unknown"}: {3, 0},
		{"", "ip", "input", "", "", "udp"}:     {1, 100},
	})
	if got := f.snapshot().malformed; got != 3 {
		t.Errorf("%d headers are bad, want 3", got)
	}
}

// TestTableLongPrefix checks that the longest prefixes that the kernel sends are told apart to
// their last byte.
func TestTableLongPrefix(t *testing.T) {
	f := newFeed(t, Config{})
	long := strings.Repeat("x", 126)
	f.count(udpInput(long, 0, 100), udpInput(long+"y", 0, 100), udpInput(long+"z", 0, 100), udpInput(long+"y", 0, 100))
	f.check(t, map[defaultValues]total{
		{long, "ip", "input", "", "", "udp"}:       {1, 100},
		{long + "y", "ip", "input", "", "", "udp"}: {2, 200},
		{long + "z", "ip", "input", "", "", "udp"}: {1, 100},
	})
}

// TestTableForgetsKeys has more keys than are remembered lead to a few label sets.
func TestTableForgetsKeys(t *testing.T) {
	const devices = minKeys + minKeys/2
	f := newFeed(t, Config{})
	for i := range uint32(devices) {
		f.names.names[10+i] = fmt.Sprintf("veth%d", i%3)
	}
	for range 2 {
		for i := range uint32(devices) {
			f.count(udpInput("a", 10+i, 100), udpInput("", 2, 100))
			if f.table.keys.used > minKeys {
				t.Fatalf("%d keys are remembered, more than %d", f.table.keys.used, minKeys)
			}
		}
	}
	const each = 2 * devices / 3
	f.check(t, map[defaultValues]total{
		{"a", "ip", "input", "veth0", "", "udp"}: {each, each * 100},
		{"a", "ip", "input", "veth1", "", "udp"}: {each, each * 100},
		{"a", "ip", "input", "veth2", "", "udp"}: {each, each * 100},
		{"", "ip", "input", "eth0", "", "udp"}:   {2 * devices, 2 * devices * 100},
	})
}

// TestTableInterfaceNames checks that a name of bytes that are not UTF-8, which Linux allows, is one
// that Prometheus takes: else all series with it would be missing from each scrape.
func TestTableInterfaceNames(t *testing.T) {
	c := newCollector(t)
	f := feedTable(c.groups[0].table)
	f.names.rename(2, "v\xff")
	f.names.rename(3, `v\xff`)
	for _, device := range []uint32{2, 3} {
		m := udpInput("", 0, 28)
		m.InDev = device
		f.count(m)
	}
	var got []string
	for _, m := range gather(t, c)["nflog_packets_total"] {
		for _, l := range m.GetLabel() {
			if l.GetName() == "in_interface" {
				got = append(got, l.GetValue())
			}
		}
	}
	if diff := cmp.Diff([]string{`v\\xff`, `v\xff`}, got); diff != "" {
		t.Errorf("unexpected interfaces (-want +got):\n%s", diff)
	}
}
