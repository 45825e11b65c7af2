// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// createdByPrefix returns when the label set of each prefix was created.
func (f *feed) createdByPrefix() map[string]time.Time {
	created := make(map[string]time.Time)
	for _, set := range f.snapshot().sets {
		created[f.labelsOf(set.series)["prefix"]] = time.Unix(0, set.series.created)
	}
	return created
}

// TestExpireIdle checks that a label set without packets expires, and begins at 0 when packets come again.
func TestExpireIdle(t *testing.T) {
	f := newFeed(t, Config{IdleTimeout: time.Minute, MaxLabelSets: 2})
	a, b := defaultValues{"a", "ip", "input", "eth0", "", "udp"}, defaultValues{"b", "ip", "input", "eth0", "", "udp"}
	f.count(udpInput("a", 2, 100), udpInput("a", 2, 100), udpInput("b", 2, 100))
	f.check(t, map[defaultValues]total{a: {2, 200}, b: {1, 100}})
	first := f.createdByPrefix()

	f.now = f.now.Add(59 * time.Second)
	f.count(udpInput("b", 2, 100))
	f.check(t, map[defaultValues]total{a: {2, 200}, b: {2, 200}})
	f.now = f.now.Add(time.Second)
	f.check(t, map[defaultValues]total{b: {2, 200}})

	f.count(udpInput("a", 2, 100), udpInput("c", 2, 100)) // there is no room for c
	overflow := defaultValues{overflowValue, overflowValue, overflowValue, overflowValue, overflowValue, overflowValue}
	f.check(t, map[defaultValues]total{a: {1, 100}, b: {2, 200}, overflow: {1, 100}})
	second := f.createdByPrefix()
	if !second["a"].After(first["a"]) || !second["b"].Equal(first["b"]) {
		t.Errorf("created %v, and then %v", first, second)
	}

	// All label sets expire, so there is room for others.
	f.now = f.now.Add(10 * time.Minute)
	f.check(t, map[defaultValues]total{})
	f.count(udpInput("b", 2, 100), udpInput("d", 2, 100))
	f.check(t, map[defaultValues]total{b: {1, 100}, {"d", "ip", "input", "eth0", "", "udp"}: {1, 100}})
	s := f.snapshot()
	if s.overflow != 1 || s.forgotten != 6 {
		t.Errorf("%d packets were counted under %s, want 1, and %d are forgotten, want 6", s.overflow, overflowValue, s.forgotten)
	}
	if bucketSum(s.counts) != 2 || len(s.histograms) != 2 {
		t.Errorf("%d packets in %d histograms, want 2 in 2", bucketSum(s.counts), len(s.histograms))
	}
}

// TestExpireIdleAtLimit checks that label sets that counted nothing for long make room at the limit, at once and not earlier, and that
// packets that overflowed before get a label set of their own.
func TestExpireIdleAtLimit(t *testing.T) {
	values := func(prefix string) defaultValues { return defaultValues{prefix, "ip", "input", "eth0", "", "udp"} }
	const o = overflowValue
	f := newFeed(t, Config{MaxLabelSets: 10})
	want := make(map[defaultValues]total)
	for i := range 9 {
		p := fmt.Sprintf("p%d", i)
		f.count(udpInput(p, 2, 100))
		want[values(p)] = total{1, 100}
	}
	f.check(t, want)
	f.now = f.now.Add(time.Hour) // below the limit, nothing is forgotten
	f.count(udpInput("p0", 2, 100))
	want[values("p0")] = total{2, 200}
	f.check(t, want)

	// The limit is reached, and at once the idle ones make room.
	f.count(udpInput("q0", 2, 100), udpInput("q1", 2, 100), udpInput("q2", 2, 100))
	want = map[defaultValues]total{values("p0"): {2, 200}, values("q0"): {1, 100}, values("q1"): {1, 100}, values("q2"): {1, 100}}
	f.check(t, want)
	if s := f.snapshot(); s.forgotten != 8 || s.overflow != 0 || len(s.histograms) != len(want) {
		t.Errorf("%d packets are forgotten, want 8; %d counted under %s, want none; %d histograms, want %d",
			s.forgotten, s.overflow, o, len(s.histograms), len(want))
	}

	// The limit is reached, and none is idle for long enough.
	for i := range 6 {
		p := fmt.Sprintf("r%d", i)
		f.count(udpInput(p, 2, 100))
		want[values(p)] = total{1, 100}
	}
	f.check(t, want)
	f.now = f.now.Add(idleAtLimit - time.Second)
	f.count(udpInput("late", 3, 100), udpInput("later", 3, 100), udpInput("p0", 2, 100))
	want[values("p0")] = total{3, 300}
	want[defaultValues{"late", "ip", "input", o, o, o}] = total{1, 100}
	want[defaultValues{o, o, o, o, o, o}] = total{1, 100}
	f.check(t, want)

	// Then they are. All but p0 make room with the next snapshot, not only with the next new combination.
	f.now = f.now.Add(idleSearchInterval)
	f.check(t, map[defaultValues]total{
		values("p0"): {3, 300}, {"late", "ip", "input", o, o, o}: {1, 100}, {o, o, o, o, o, o}: {1, 100},
	})
	f.count(udpInput("late", 3, 100), udpInput("later", 3, 100))
	f.check(t, map[defaultValues]total{
		values("p0"): {3, 300},
		{"late", "ip", "input", "eth1", "", "udp"}:  {1, 100},
		{"later", "ip", "input", "eth1", "", "udp"}: {1, 100},
		{"late", "ip", "input", o, o, o}:            {1, 100},
		{o, o, o, o, o, o}:                          {1, 100},
	})
	if s := f.snapshot(); s.forgotten != 17 || s.overflow != 2 {
		t.Errorf("%d packets are forgotten, want 17; %d counted under %s, want 2", s.forgotten, s.overflow, o)
	}
}

// TestExpireIdleSearches checks that the search for idle label sets is not repeated for each new combination.
func TestExpireIdleSearches(t *testing.T) {
	f := newFeed(t, Config{MaxLabelSets: 10})
	for i := range 10 {
		f.count(udpInput(fmt.Sprintf("p%d", i), 2, 100))
	}
	f.snapshot()
	f.now = f.now.Add(idleAtLimit - time.Second)
	f.count(udpInput("a", 2, 100)) // searches
	f.now = f.now.Add(idleSearchInterval - time.Second)
	f.count(udpInput("b", 2, 100))
	if s := f.snapshot(); s.forgotten != 0 || s.overflow != 2 {
		t.Errorf("%d packets are forgotten, want none yet; %d counted under %s, want 2", s.forgotten, s.overflow, overflowValue)
	}
	f.now = f.now.Add(time.Second)
	f.count(udpInput("c", 2, 100))
	if s := f.snapshot(); s.forgotten != 10 || s.overflow != 2 {
		t.Errorf("%d packets are forgotten, want 10; %d counted under %s, want 2", s.forgotten, s.overflow, overflowValue)
	}
}

// TestExpireWithoutScrapes checks that label sets expire when nothing scrapes.
func TestExpireWithoutScrapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config{Groups: []GroupConfig{{Group: 100, NetNS: "/missing"}}, IdleTimeout: time.Minute})
		runCollector(t, c)
		f := feedGroup(c, 0)
		f.now = time.Now()
		f.count(udpInput("a", 2, 100))
		sets := func() int {
			f.table.mu.Lock()
			defer f.table.mu.Unlock()
			return len(f.table.sets)
		}
		time.Sleep(time.Minute - 1)
		if sets() != 1 {
			t.Error("the label set has expired too early")
		}
		time.Sleep(2*expireInterval + 1)
		if sets() != 0 {
			t.Error("the label set has not expired")
		}
	})
}

// TestExpireUnlessCounted checks that a label set stays if it counts packets after the snapshot that shows it as expired.
func TestExpireUnlessCounted(t *testing.T) {
	f := newFeed(t, Config{IdleTimeout: time.Minute})
	f.count(udpInput("a", 2, 100), udpInput("b", 2, 100))
	s := f.snapshot()
	f.now = f.now.Add(time.Minute)
	f.count(udpInput("b", 2, 100))
	expired := s.expired(f.table.limits, f.table.moment(f.now))
	if len(expired) != 2 {
		t.Errorf("%d label sets have expired, want 2", len(expired))
	}
	f.table.evictExpired(expired)
	f.check(t, map[defaultValues]total{{"b", "ip", "input", "eth0", "", "udp"}: {2, 200}})
}

// TestExpireDeletedInterface checks that only the label sets of a deleted interface expire.
func TestExpireDeletedInterface(t *testing.T) {
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
	f.names.names[9] = "eth0" // another interface has the name now
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
