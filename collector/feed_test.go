// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// mustNew returns a collector that does not run.
func mustNew(t testing.TB, config Config) *Collector {
	t.Helper()
	c, err := New(config)
	if err != nil {
		t.Fatalf("failed to make a collector: %v", err)
	}
	return c
}

// mustReload applies other groups and prefix rules.
func mustReload(t testing.TB, c *Collector, groups []GroupConfig, rules ...prefix.Rule) {
	t.Helper()
	if err := c.Reload(groups, rules, nil); err != nil {
		t.Fatalf("failed to reload: %v", err)
	}
}

// A feed stands in for the reader of group 100: it gives its table messages, names of interfaces and the time.
type feed struct {
	collector *Collector
	table     *table
	names     *fakeNames
	decoder   *nflog.Decoder
	seq       uint32 // of the next packet
	now       time.Time
}

// feedStart is the time of a new feed.
var feedStart = time.Unix(1_800_000_000, 0)

// newFeed returns a feed of the only group of a collector.
func newFeed(t testing.TB, config Config) *feed {
	t.Helper()
	config.Groups = []GroupConfig{{Group: 100}}
	return feedGroup(mustNew(t, config), 0)
}

// feedGroup returns a feed of the group at that place in the configuration, with the interfaces lo, eth0 and eth1, 1 to 3.
func feedGroup(c *Collector, i int) *feed {
	f := &feed{
		collector: c,
		table:     c.groups[i].table,
		names:     &fakeNames{names: map[uint32]string{1: "lo", 2: "eth0", 3: "eth1"}},
		now:       feedStart,
	}
	f.table.mu.Lock()
	f.table.lastSnapshot = f.now
	f.table.mu.Unlock()
	f.attach()
	return f
}

// attach prepares the table for a new reader, whose packets are numbered from 0.
func (f *feed) attach() {
	f.decoder = nflog.NewDecoder(100)
	f.seq = 0
	f.table.attach(f.names)
}

// count numbers messages, and counts them as one datagram.
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

// snapshot returns a copy of the table, without label sets that have expired.
func (f *feed) snapshot() *tableSnapshot {
	s := &tableSnapshot{}
	f.table.expireAndCopy(s, f.now)
	return s
}

// udpInput returns the message of a UDP packet of that length at the input hook.
func udpInput(prefix string, inDev uint32, length int) nflogtest.Message {
	return nflogtest.Message{
		Family: 2, Hook: 1, HWProtocol: 0x0800, Prefix: prefix, InDev: inDev, Ethernet: true,
		Payload: nflogtest.UDP(length, min(length, 64)),
	}
}

// defaultValues are the values of the default labels without the group.
type defaultValues [6]string

// A total is what was counted under a label set.
type total struct{ packets, bytes uint64 }

// totals returns what the table has counted by label values. It checks that no two label sets have the same ones.
func (f *feed) totals(t *testing.T) map[defaultValues]total {
	t.Helper()
	got := make(map[defaultValues]total)
	s := f.snapshot()
	s.checkBooks(t)
	for _, set := range s.sets {
		labels := f.labelsOf(set.series)
		if labels["group"] != "100" {
			t.Errorf("the group of a label set is %q", labels["group"])
		}
		var values defaultValues
		for j, name := range DefaultLabels()[1:] {
			values[j] = labels[name]
		}
		if _, ok := got[values]; ok {
			t.Errorf("two label sets are %q", values)
		}
		got[values] = total{set.packets, set.bytes}
	}
	return got
}

// checkBooks checks that the totals of prefixes have all packets.
func (s *tableSnapshot) checkBooks(t testing.TB) {
	t.Helper()
	packets := s.forgotten
	for _, set := range s.sets {
		packets += set.packets
	}
	byPrefix := uint64(0)
	for _, p := range s.prefixes {
		byPrefix += p.packets
	}
	if byPrefix != packets {
		t.Errorf("%d packets by prefix, %d by label set or forgotten", byPrefix, packets)
	}
}

func (f *feed) check(t *testing.T, want map[defaultValues]total) {
	t.Helper()
	if diff := cmp.Diff(want, f.totals(t), cmp.AllowUnexported(total{})); diff != "" {
		t.Errorf("unexpected label sets (-want +got):\n%s", diff)
	}
}

// labelsOf returns the values of the labels of a counter's series by name.
func (f *feed) labelsOf(s *series) map[string]string {
	values := make(map[string]string)
	var m metricLabels
	for _, pair := range m.set(f.table.labeling.ofCounters, s.values) {
		values[pair.GetName()] = pair.GetValue()
	}
	return values
}

// bucketSum returns how many packets are in histograms.
func bucketSum(counts []sizeCount) (sum uint64) {
	for _, count := range counts {
		sum += count.packets()
	}
	return sum
}

// fakeNames are names of interfaces by index.
type fakeNames struct {
	names    map[uint32]string
	aliases  map[uint32]string
	networks map[string][]netip.Prefix
	followed bool // FollowAddresses was called
	renames  uint64
}

func (f *fakeNames) Generation() uint64 { return f.renames }

func (f *fakeNames) Name(index uint32) string {
	if name, ok := f.names[index]; ok || index == 0 {
		return name
	}
	return "if" + strconv.FormatUint(uint64(index), 10)
}

func (f *fakeNames) Alias(index uint32) string { return f.aliases[index] }

func (f *fakeNames) Networks(name string) []netip.Prefix {
	if !f.followed {
		return nil
	}
	return f.networks[name]
}

func (f *fakeNames) FollowAddresses() { f.followed = true }

func (f *fakeNames) Present() map[string]bool {
	present := make(map[string]bool)
	for _, name := range f.names {
		present[name] = true
	}
	return present
}

// rename gives an interface another name.
func (f *fakeNames) rename(index uint32, name string) {
	f.names[index] = name
	f.renames++
}
