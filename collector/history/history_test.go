// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var begun = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func after(d time.Duration) time.Time { return begun.Add(d) }

// run adds counts of a steady rate to a group each Step, a little late each time, and returns the packets of the last.
func run(g *Group, from, to time.Duration, perStep uint64) {
	c := g.last.Counts
	for at := from + Step; at <= to; at += Step {
		c.Packets += perStep
		c.Datagrams++
		g.Add(c, after(at+at%(3*time.Second)/1000))
	}
}

func TestGroupShort(t *testing.T) {
	g := NewGroup(begun)
	if c := g.Curve(begun); c.Step != Step || len(c.Packets) != 0 {
		t.Errorf("unexpected curve of a new group: %+v", c)
	}
	g.Add(Counts{Packets: 5}, after(10*time.Second))
	g.Add(Counts{Packets: 7}, after(13*time.Second)) // somebody looks at the page
	g.Add(Counts{Packets: 10, Lost: 4}, after(20*time.Second))
	g.Add(Counts{Packets: 10, Lost: 4}, after(30*time.Second))
	want := Curve{Step: Step, Packets: []uint32{5, 5, 0}, Lost: []uint32{0, 4, 0}}
	if diff := cmp.Diff(want, g.Curve(after(30*time.Second))); diff != "" {
		t.Errorf("unexpected curve (-want +got):\n%s", diff)
	}
	if !g.LastLost.Equal(after(20*time.Second)) || !g.LastDrop.IsZero() || !g.LastOverflow.IsZero() {
		t.Errorf("last lost %v, last drop %v, last overflow %v", g.LastLost, g.LastDrop, g.LastOverflow)
	}
	if c, in := g.Since(Step); c.Packets != 0 || in != Step {
		t.Errorf("%d packets in %v, want none in %v", c.Packets, in, Step)
	}
	if c, in := g.Since(time.Minute); c.Packets != 10 || c.Lost != 4 || in != 30*time.Second {
		t.Errorf("%+v in %v, want all since the start", c, in)
	}
	if n := g.LostIn(10, after(30*time.Second)); n != 4 {
		t.Errorf("%d lost lately, want 4", n)
	}
}

func TestGroupHour(t *testing.T) {
	g := NewGroup(begun)
	run(g, 0, 90*time.Minute, 7)
	now := after(90 * time.Minute)
	c := g.Curve(now)
	want := Curve{Step: time.Minute, Packets: slices.Repeat([]uint32{42}, 60), Lost: make([]uint32, 60)}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("unexpected curve (-want +got):\n%s", diff)
	}
	if counted, in := g.Since(time.Minute); counted.Packets != 42 || counted.Datagrams != 6 || in.Round(time.Second) != time.Minute {
		t.Errorf("%+v in %v, want 42 packets in a minute", counted, in)
	}

	// The host sleeps for two hours, and then loses packets.
	counts := g.last.Counts
	counts.Lost = 9
	now = now.Add(2 * time.Hour)
	g.Add(counts, now)
	now = now.Add(time.Minute)
	g.Add(counts, now)
	c = g.Curve(now)
	if sum := sum(c.Packets); len(c.Packets) != 60 || sum != 0 {
		t.Errorf("%d packets in %d minutes after two hours without any", sum, len(c.Packets))
	}
	if sum(c.Lost[58:]) != 9 {
		t.Errorf("lost %v", c.Lost)
	}
}

func sum(counts []uint32) (sum uint64) {
	for _, n := range counts {
		sum += uint64(n)
	}
	return sum
}

func TestLostLately(t *testing.T) {
	g := NewGroup(begun)
	run(g, 0, 30*time.Minute, 1)
	c := g.last.Counts
	c.Lost = 5
	now := after(30*time.Minute + 10*time.Second)
	g.Add(c, now)
	for _, tt := range []struct {
		after time.Duration
		want  uint64
	}{{0, 5}, {8 * time.Minute, 5}, {11 * time.Minute, 0}} {
		g.Add(c, now.Add(tt.after))
		if n := g.LostIn(10, now.Add(tt.after)); n != tt.want {
			t.Errorf("%v later %d lost lately, want %d", tt.after, n, tt.want)
		}
	}
}

func TestPrefixes(t *testing.T) {
	p := NewPrefixes(begun)
	k := Key{Group: 100, Prefix: "drop"}
	for at := Step; at <= 10*time.Minute; at += Step {
		p.Add(k, 3, after(at-Step), after(at))
	}
	now := after(10 * time.Minute)
	h := p.all[k]
	if packets, in := h.LastMinute(now); packets != 18 || in != time.Minute {
		t.Errorf("%d packets in %v, want 18 in a minute", packets, in)
	}
	if diff := cmp.Diff(Curve{Step: Step, Packets: slices.Repeat([]uint32{3}, 30)}, h.Curve(now)); diff != "" {
		t.Errorf("unexpected curve (-want +got):\n%s", diff)
	}
	if !h.FirstSeen.Equal(after(Step)) || !h.LastSeen.Equal(now) {
		t.Errorf("first seen %v, last %v", h.FirstSeen, h.LastSeen)
	}
	if packets, _ := h.LastMinute(now.Add(5 * time.Minute)); packets != 0 {
		t.Errorf("%d packets in a minute without any", packets)
	}

	p.Keep(func(k Key, _ *Prefix) bool { return k.Group != 100 })
	if p.Of(k) != nil {
		t.Error("the prefix of a group that is gone has a history")
	}
}

// TestPrefixesLimit checks that prefixes that count nothing make room, and others don't.
func TestPrefixesLimit(t *testing.T) {
	p := NewPrefixes(begun)
	add := func(i int, at time.Duration) {
		p.Add(Key{Group: 100, Prefix: fmt.Sprint(i)}, 1, after(at), after(at))
	}
	for i := range MaxPrefixes + 5 {
		add(i, 0)
	}
	if len(p.all) != MaxPrefixes {
		t.Errorf("%d prefixes, want %d", len(p.all), MaxPrefixes)
	}
	for i := range MaxPrefixes / 2 {
		add(i, idlePrefix/2)
	}
	add(5000, idlePrefix)
	if len(p.all) != MaxPrefixes/2+1 || p.Of(Key{Group: 100, Prefix: "5000"}) == nil {
		t.Errorf("%d prefixes, want %d", len(p.all), MaxPrefixes/2+1)
	}
}

// TestMemory checks the bound of the memory: 300 groups and 2,000 prefixes stay within 2 MiB.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("counts allocated memory, which other tests may change")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	groups := make([]*Group, 300)
	for i := range groups {
		groups[i] = NewGroup(begun)
		run(groups[i], 0, 10*time.Minute, 1)
	}
	p := NewPrefixes(begun)
	for i := range 2 * MaxPrefixes {
		prefix := fmt.Sprintf("DROP by policy namespace-%04d/network-policy-of-the-shop-%04d", i, i)
		p.Add(Key{Group: 100, Prefix: prefix}, 1, begun, begun.Add(time.Hour))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := after.HeapAlloc - before.HeapAlloc
	t.Logf("300 groups and %d prefixes take %d kB", len(p.all), used/1000)
	if used > 2<<20 {
		t.Errorf("300 groups and %d prefixes take %d bytes, want at most 2 MiB", len(p.all), used)
	}
	runtime.KeepAlive(groups)
}
