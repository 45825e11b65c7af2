// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestOverflowSteps counts packets with more combinations of label values than the limit of label sets.
func TestOverflowSteps(t *testing.T) {
	const limit = 20
	f := newFeed(t, Config{MaxLabelSets: limit})
	const o = overflowValue
	for i := range limit {
		f.count(udpInput(fmt.Sprintf("first %d", i), 2, 100))
	}
	// A tenth more label sets, without what senders choose.
	f.count(udpInput("second", 2, 100), icmpInput("second", 3), udpInput("third", 2, 100))
	// One more, without any labels.
	f.count(udpInput("fourth", 2, 100), udpInput("fifth", 3, 100))
	// Packets of known label sets.
	f.count(udpInput("first 7", 2, 100), udpInput("second", 1, 100), udpInput("fourth", 2, 100))

	want := map[defaultValues]total{
		{"second", "ip", "input", o, o, o}: {3, 284},
		{"third", "ip", "input", o, o, o}:  {1, 100},
		{o, o, o, o, o, o}:                 {3, 300},
	}
	for i := range limit {
		want[defaultValues{fmt.Sprintf("first %d", i), "ip", "input", "eth0", "", "udp"}] = total{1, 100}
	}
	want[defaultValues{"first 7", "ip", "input", "eth0", "", "udp"}] = total{2, 200}
	f.check(t, want)
	if got := f.snapshot().overflow; got != 7 {
		t.Errorf("%d packets are counted under %s, want 7", got, o)
	}
}

// icmpInput returns the message of an ICMP packet of 84 bytes at the input hook.
func icmpInput(prefix string, inDev uint32) nflogtest.Message {
	m := udpInput(prefix, inDev, 84)
	m.Payload = nflogtest.Unhex(nflogtest.IPv4Header("0054", "01") + "0800 0000 0001 0001")
	return m
}

// TestOverflowLiteral counts packets whose prefix, interface and label by a prefix rule read __overflow__, beside packets that
// overflow.
func TestOverflowLiteral(t *testing.T) {
	const o, escaped = overflowValue, `\x5f_overflow__`
	rule := prefix.Rule{Match: `(?P<zone>\w+)`, Prefix: "${zone}"}
	f := newFeed(t, Config{Labels: []string{"prefix", "in_interface"}, MaxLabelSets: 10, PrefixRules: []prefix.Rule{rule}})
	f.names.names[4] = o
	for i := range 9 {
		f.count(udpInput(fmt.Sprintf("p%d", i), 2, 100))
	}
	f.count(udpInput(o, 4, 100), udpInput(o, 4, 100))
	f.count(udpInput(o, 2, 100), udpInput("more", 2, 100))
	want := map[string]scraped{
		"in_interface=" + escaped + ",prefix=" + escaped + ",zone=" + escaped: {packets: 2},
		"in_interface=" + o + ",prefix=" + escaped + ",zone=" + escaped:       {packets: 1},
		"in_interface=" + o + ",prefix=" + o + ",zone=" + o:                   {packets: 1},
	}
	for i := range 9 {
		want[fmt.Sprintf("in_interface=eth0,prefix=p%d,zone=p%d", i, i)] = scraped{packets: 1}
	}
	checkScraped(t, "full", want, f.scrape(t, "in_interface", "prefix", "zone"))
	if got := f.snapshot().overflow; got != 2 {
		t.Errorf("%d packets are counted under %s, want 2", got, o)
	}
}

// TestOverflowManyPrefixes counts packets of very many prefixes. The number of label sets stays at the limit, and all
// packets are counted.
func TestOverflowManyPrefixes(t *testing.T) {
	if testing.Short() {
		t.Skip("counts 200,000 prefixes")
	}
	const (
		limit    = 1000
		prefixes = 100_000
	)
	f := newFeed(t, Config{MaxLabelSets: limit, Labels: append(DefaultLabels(), "mark")})
	f.count(udpInput("known", 2, 100))
	for range 2 {
		for i := 0; i < prefixes; i += 100 {
			var messages []nflogtest.Message
			for j := range 100 {
				messages = append(messages, udpInput(fmt.Sprintf("bomb %d", i+j), 2, 100))
			}
			f.count(messages...)
		}
	}
	f.count(udpInput("known", 2, 100))
	s := f.snapshot()
	if most := limit + limit/10 + 1; len(s.sets) != most {
		t.Errorf("%d label sets, want %d", len(s.sets), most)
	}
	var packets, bytes uint64
	for _, set := range s.sets {
		packets += set.packets
		bytes += set.bytes
		if f.labelsOf(set.series)["prefix"] == "known" && set.packets != 2 {
			t.Errorf("%d packets of the known prefix, want 2", set.packets)
		}
	}
	if want := uint64(2*prefixes + 2); packets != want || bytes != 100*want || s.stats.Packets != want || bucketSum(s.counts) != want {
		t.Errorf("%d packets of %d bytes are counted, %d in histograms, %d were read, want %d", packets, bytes, bucketSum(s.counts), s.stats.Packets, want)
	}
	if want := uint64(2 * (prefixes - limit + 1)); s.overflow != want {
		t.Errorf("%d packets are counted under %s, want %d", s.overflow, overflowValue, want)
	}
}

// TestOverflowOptionalLabels checks that the first step of overflow gives up optional labels.
func TestOverflowOptionalLabels(t *testing.T) {
	f := newFeed(t, Config{MaxLabelSets: 10, Labels: []string{"prefix", "mark", "protocol"}})
	for mark := range uint32(12) {
		m := udpInput("a", 2, 100)
		m.Mark = mark
		f.count(m)
	}
	got := make(map[string]uint64)
	for _, set := range f.snapshot().sets {
		l := f.labelsOf(set.series)
		protocol := "udp"
		if l["mark"] == overflowValue {
			protocol = overflowValue
		}
		if l["group"] != "100" || l["prefix"] != "a" || l["protocol"] != protocol || len(l) != 4 {
			t.Errorf("unexpected labels: %v", l)
		}
		got[l["mark"]] = set.packets
	}
	want := map[string]uint64{overflowValue: 2}
	for mark := range 10 {
		want[fmt.Sprintf("%#x", mark)] = 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected marks (-want +got):\n%s", diff)
	}
}

// TestOverflowFullyAtOnce checks that packets overflow fully at once without a label that the first step could give up.
func TestOverflowFullyAtOnce(t *testing.T) {
	f := newFeed(t, Config{MaxLabelSets: 10, Labels: []string{"prefix", "hook"}})
	for i := range 30 {
		f.count(udpInput(fmt.Sprintf("p%d", i), 2, 100))
	}
	s := f.snapshot()
	if len(s.sets) != 11 || s.overflow != 20 {
		t.Errorf("%d label sets, want 11; %d packets under %s, want 20", len(s.sets), s.overflow, overflowValue)
	}
	for _, set := range s.sets {
		if l := f.labelsOf(set.series); (l["prefix"] == overflowValue) != (set.packets == 20) {
			t.Errorf("%d packets are counted under %v", set.packets, l)
		}
	}
}
