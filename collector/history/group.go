// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package history remembers what groups and prefixes have counted in the last minutes: an hour by the minute for each group, and
// a few minutes in steps of ten seconds for groups and prefixes. Its memory is bounded. It is given the counts at any moments, and
// not only at those that begin a step.
package history

import "time"

const (
	// Step is the length of the short steps.
	Step = 10 * time.Second

	minutes    = 60 // of a group
	shortSteps = 36 // of a group
	samples    = 8  // of a group, a Step apart
)

// Counts are the counts of a group, from its start to a moment.
type Counts struct {
	Packets, Lost, Datagrams, Drops, Overflow uint64
}

func (c Counts) minus(other Counts) Counts {
	c.Packets -= other.Packets
	c.Lost -= other.Lost
	c.Datagrams -= other.Datagrams
	c.Drops -= other.Drops
	c.Overflow -= other.Overflow
	return c
}

type sample struct {
	at time.Time
	Counts
}

// A Group is the history of a group. It takes some 1.4 kB.
type Group struct {
	begun   time.Time
	last    sample
	samples []sample // oldest first

	packets, lost           ring // by the minute
	shortPackets, shortLost ring // by the Step

	// When these counts were last seen to rise, zero for never.
	LastLost, LastDrop, LastOverflow time.Time
}

// NewGroup returns the history of a group that begins to count now.
func NewGroup(now time.Time) *Group {
	g := &Group{
		begun:        now,
		last:         sample{at: now},
		samples:      make([]sample, 0, samples),
		packets:      newRing(minutes),
		lost:         newRing(minutes),
		shortPackets: newRing(shortSteps),
		shortLost:    newRing(shortSteps),
	}
	g.samples = append(g.samples, g.last)
	return g
}

// middle returns the moment whose step has what was counted between two: who adds counts at the end of each step may be a little
// late. After a longer time, such as the sleep of the host, it is the end that counts.
func middle(from, to time.Time) time.Time {
	if d := to.Sub(from); d <= 2*Step {
		return from.Add(d / 2)
	}
	return to.Add(-Step / 2)
}

// Begun returns when the history began.
func (g *Group) Begun() time.Time { return g.begun }

// LastAdd returns when counts were last noted, or when the history began.
func (g *Group) LastAdd() time.Time { return g.last.at }

// Add notes the counts at this moment.
func (g *Group) Add(c Counts, now time.Time) {
	delta := c.minus(g.last.Counts)
	at := middle(g.last.at, now).Sub(g.begun)
	minute, short := int64(at/time.Minute), int64(at/Step)
	g.packets.add(minute, delta.Packets)
	g.lost.add(minute, delta.Lost)
	g.shortPackets.add(short, delta.Packets)
	g.shortLost.add(short, delta.Lost)
	for _, rise := range []struct {
		by   uint64
		last *time.Time
	}{{delta.Lost, &g.LastLost}, {delta.Drops, &g.LastDrop}, {delta.Overflow, &g.LastOverflow}} {
		if rise.by > 0 {
			*rise.last = now
		}
	}
	g.last = sample{now, c}
	if now.Sub(g.samples[len(g.samples)-1].at) < Step*9/10 {
		return
	}
	if len(g.samples) == samples {
		copy(g.samples, g.samples[1:])
		g.samples = g.samples[:samples-1]
	}
	g.samples = append(g.samples, g.last)
}

// Since returns what was counted in about the time before the last Add, a minute at most, and how long that is. It is less if the
// history is shorter.
func (g *Group) Since(d time.Duration) (counted Counts, in time.Duration) {
	from := g.samples[0]
	for _, s := range g.samples[1:] {
		if g.last.at.Sub(s.at) >= d {
			from = s
		}
	}
	return g.last.minus(from.Counts), g.last.at.Sub(from.at)
}

// LostIn returns how many packets were lost in the last so many minutes, the one under way included.
func (g *Group) LostIn(minutes int, now time.Time) uint64 {
	minute := int64(now.Sub(g.begun) / time.Minute)
	return g.lost.sum(minute-int64(minutes)+1, minute+1)
}

// A Curve is what was counted in each of the last steps, oldest first. It has whole steps only, and none from before the history
// began.
type Curve struct {
	Step          time.Duration
	Packets, Lost []uint32
}

// Curve returns the last hour by the minute. As long as the history is short, it returns that in short steps.
func (g *Group) Curve(now time.Time) Curve {
	age := now.Sub(g.begun)
	if age < shortSteps*Step {
		to := int64(age / Step)
		return Curve{Step, g.shortPackets.between(0, to), g.shortLost.between(0, to)}
	}
	to := int64(age / time.Minute)
	from := max(0, to-minutes)
	return Curve{time.Minute, g.packets.between(from, to), g.lost.between(from, to)}
}
