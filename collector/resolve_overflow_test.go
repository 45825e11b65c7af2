// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// labelsOf returns the labels of a series but the group, by name.
func labelsOf(pairs []*dto.LabelPair) map[string]string {
	byName := make(map[string]string)
	for _, pair := range pairs {
		if pair.GetName() != "group" {
			byName[pair.GetName()] = pair.GetValue()
		}
	}
	return byName
}

// TestLimitFolds counts more combinations of labels than there may be.
func TestLimitFolds(t *testing.T) {
	const limit = 20
	f := newFeed(t, Config{MaxLabelSets: limit})
	const o = overflowValue
	for i := range limit {
		f.count(udpInput(fmt.Sprintf("first %d", i), 2, 100))
	}
	// Room for a tenth more, in which interfaces are not told apart.
	f.count(udpInput("second", 2, 100), udpInput("second", 3, 100), udpInput("third", 2, 100))
	// And for one more.
	f.count(udpInput("fourth", 2, 100), udpInput("fifth", 3, 100))
	// What is known stays.
	f.count(udpInput("first 7", 2, 100), udpInput("second", 1, 100), udpInput("fourth", 2, 100))

	want := map[defaultValues]total{
		{"second", "ip", "input", o, o, "udp"}: {3, 300},
		{"third", "ip", "input", o, o, "udp"}:  {1, 100},
		{o, o, o, o, o, o}:                     {3, 300},
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

// TestLimitBomb counts packets of very many prefixes: label sets stay at the limit, and the sum is right.
func TestLimitBomb(t *testing.T) {
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
		if labelsOf(set.series.labels)["prefix"] == "known" && set.packets != 2 {
			t.Errorf("%d packets of the known prefix, want 2", set.packets)
		}
	}
	if want := uint64(2*prefixes + 2); packets != want || bytes != 100*want || s.stats.Packets != want || bucketSum(s.blocks) != want {
		t.Errorf("%d packets of %d bytes are counted, %d in histograms, %d were read, want %d", packets, bytes, bucketSum(s.blocks), s.stats.Packets, want)
	}
	if want := uint64(2 * (prefixes - limit + 1)); s.overflow != want {
		t.Errorf("%d packets are counted under %s, want %d", s.overflow, overflowValue, want)
	}
}

// TestLimitFoldsExtras checks that labels which were chosen beside the default ones are folded with the
// interfaces.
func TestLimitFoldsExtras(t *testing.T) {
	f := newFeed(t, Config{MaxLabelSets: 10, Labels: []string{"prefix", "mark", "protocol"}})
	marked := func(mark uint32) nflogtest.Message {
		m := udpInput("a", 2, 100)
		m.Mark = mark
		return m
	}
	for mark := range uint32(12) {
		f.count(marked(mark))
	}
	got := make(map[string]uint64)
	for _, set := range f.snapshot().sets {
		l := labelsOf(set.series.labels)
		if l["prefix"] != "a" || l["protocol"] != "udp" || len(l) != 3 {
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

// TestLimitWithoutExtras has no label that the first step of folding could give up: there is no such step.
func TestLimitWithoutExtras(t *testing.T) {
	f := newFeed(t, Config{MaxLabelSets: 10, Labels: []string{"prefix", "hook"}})
	for i := range 30 {
		f.count(udpInput(fmt.Sprintf("p%d", i), 2, 100))
	}
	s := f.snapshot()
	if len(s.sets) != 11 || s.overflow != 20 {
		t.Errorf("%d label sets, want 11; %d packets under %s, want 20", len(s.sets), s.overflow, overflowValue)
	}
	for _, set := range s.sets {
		if l := labelsOf(set.series.labels); (l["prefix"] == overflowValue) != (set.packets == 20) {
			t.Errorf("%d packets are counted under %v", set.packets, l)
		}
	}
}

// TestIdleTimeout checks that a label set is forgotten that counted nothing for long, and begins at 0.
func TestIdleTimeout(t *testing.T) {
	f := newFeed(t, Config{IdleTimeout: time.Minute, MaxLabelSets: 2})
	a, b := defaultValues{"a", "ip", "input", "eth0", "", "udp"}, defaultValues{"b", "ip", "input", "eth0", "", "udp"}
	f.count(udpInput("a", 2, 100), udpInput("a", 2, 100), udpInput("b", 2, 100))
	f.check(t, map[defaultValues]total{a: {2, 200}, b: {1, 100}})
	first := f.creations(t)

	f.now = f.now.Add(59 * time.Second)
	f.count(udpInput("b", 2, 100))
	f.check(t, map[defaultValues]total{a: {2, 200}, b: {2, 200}})
	f.now = f.now.Add(time.Second)
	f.check(t, map[defaultValues]total{b: {2, 200}})

	f.count(udpInput("a", 2, 100), udpInput("c", 2, 100)) // c is one too many
	overflow := defaultValues{overflowValue, overflowValue, overflowValue, overflowValue, overflowValue, overflowValue}
	f.check(t, map[defaultValues]total{a: {1, 100}, b: {2, 200}, overflow: {1, 100}})
	second := f.creations(t)
	if !second["a"].After(first["a"]) || !second["b"].Equal(first["b"]) {
		t.Errorf("created %v, and then %v", first, second)
	}

	// All of them; and the room is free.
	f.now = f.now.Add(10 * time.Minute)
	f.check(t, map[defaultValues]total{})
	f.count(udpInput("b", 2, 100), udpInput("d", 2, 100))
	f.check(t, map[defaultValues]total{b: {1, 100}, {"d", "ip", "input", "eth0", "", "udp"}: {1, 100}})
	s := f.snapshot()
	if s.overflow != 1 || s.forgotten != 6 {
		t.Errorf("%d packets were counted under %s, want 1, and %d are forgotten, want 6", s.overflow, overflowValue, s.forgotten)
	}
	if bucketSum(s.blocks) != 2 || len(s.histograms) != 2 {
		t.Errorf("%d packets in %d histograms, want 2 in 2", bucketSum(s.blocks), len(s.histograms))
	}
}

// TestIdleTimeoutUnseen checks that label sets are forgotten, too, while nobody scrapes.
func TestIdleTimeoutUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Groups: []GroupConfig{{Group: 100, NetNS: "/missing"}}, IdleTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Run(ctx)
		}()
		f := feedTable(c.groups[0].table)
		f.now = time.Now()
		f.count(udpInput("a", 2, 100))
		sets := func() int {
			f.table.mu.Lock()
			defer f.table.mu.Unlock()
			return len(f.table.sets)
		}
		time.Sleep(time.Minute - 1)
		if sets() != 1 {
			t.Error("the label set was forgotten too early")
		}
		time.Sleep(2*expireInterval + 1)
		if sets() != 0 {
			t.Error("the label set is still there")
		}
		cancel()
		<-done
	})
}

// TestForgetMeanwhile checks that a label set stays whose packets came when it was about to be forgotten.
func TestForgetMeanwhile(t *testing.T) {
	f := newFeed(t, Config{IdleTimeout: time.Minute})
	f.count(udpInput("a", 2, 100), udpInput("b", 2, 100))
	s := f.snapshot()
	f.now = f.now.Add(time.Minute)
	f.count(udpInput("b", 2, 100))
	expired := s.expired(f.table.limits, f.now)
	if len(expired) != 2 {
		t.Errorf("%d label sets have expired, want 2", len(expired))
	}
	f.table.forget(expired)
	f.check(t, map[defaultValues]total{{"b", "ip", "input", "eth0", "", "udp"}: {2, 200}})
}

// creations returns when the label set of each prefix was created.
func (f *feed) creations(t *testing.T) map[string]time.Time {
	t.Helper()
	created := make(map[string]time.Time)
	for _, set := range f.snapshot().sets {
		created[labelsOf(set.series.labels)["prefix"]] = set.series.created.AsTime()
	}
	return created
}

// TestDeletedInterface checks that the label sets of a deleted interface are forgotten, those of others not.
func TestDeletedInterface(t *testing.T) {
	f := newFeed(t, Config{DeletedInterfaceTimeout: 10 * time.Minute})
	forward := func(in, out uint32) nflogtest.Message {
		return nflogtest.Message{Family: 2, Hook: 2, HWProtocol: 0x0800, Prefix: "a", InDev: in, OutDev: out, Payload: nflogtest.Unhex(nflogtest.IPv4UDP)}
	}
	f.count(forward(2, 1), forward(1, 3), forward(1, 1), udpInput("none", 0, 28))
	all := map[defaultValues]total{
		{"a", "ip", "forward", "eth0", "lo", "udp"}: {1, 28},
		{"a", "ip", "forward", "lo", "eth1", "udp"}: {1, 28},
		{"a", "ip", "forward", "lo", "lo", "udp"}:   {1, 28},
		{"none", "ip", "input", "", "", "udp"}:      {1, 28},
	}
	f.check(t, all)
	delete(f.names.names, 2)
	f.check(t, all)
	f.now = f.now.Add(5 * time.Minute)
	f.check(t, all)
	f.names.names[9] = "eth0" // back
	f.check(t, all)
	delete(f.names.names, 9)
	delete(f.names.names, 3)
	f.check(t, all)
	f.now = f.now.Add(10*time.Minute - time.Second)
	f.check(t, all)
	f.now = f.now.Add(time.Second)
	delete(all, defaultValues{"a", "ip", "forward", "eth0", "lo", "udp"})
	delete(all, defaultValues{"a", "ip", "forward", "lo", "eth1", "udp"})
	f.check(t, all)
}

// TestInterfacePatterns checks that names that churn are folded, by the first pattern that matches.
func TestInterfacePatterns(t *testing.T) {
	var patterns []prefix.InterfacePattern
	for _, p := range [][2]string{{"veth.*", "veth"}, {"(cali|lxc).*", "${1}"}, {"v.*", "never"}, {"tap(?P<more>x?)", "${more}"}, {"tap", "never"}} {
		pattern, err := prefix.NewInterfacePattern(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, pattern)
	}
	f := newFeed(t, Config{InterfacePatterns: patterns, DeletedInterfaceTimeout: time.Minute})
	f.names.names = map[uint32]string{1: "veth1", 2: "veth2", 3: "cali123", 4: "lxc", 5: "xveth", 6: "eth0", 7: "tap"}
	for device := range uint32(7) {
		f.count(udpInput("", device+1, 100))
	}
	want := map[defaultValues]total{
		{"", "ip", "input", "veth", "", "udp"}:  {2, 200},
		{"", "ip", "input", "cali", "", "udp"}:  {1, 100},
		{"", "ip", "input", "lxc", "", "udp"}:   {1, 100},
		{"", "ip", "input", "xveth", "", "udp"}: {1, 100},
		{"", "ip", "input", "eth0", "", "udp"}:  {1, 100},
		{"", "ip", "input", "tap", "", "udp"}:   {1, 100},
	}
	f.check(t, want)
	// What is folded is no interface that could be deleted.
	f.names.names = map[uint32]string{6: "eth0", 7: "tap"}
	f.check(t, want)
	f.now = f.now.Add(time.Hour)
	delete(want, defaultValues{"", "ip", "input", "xveth", "", "udp"})
	f.check(t, want)
}
