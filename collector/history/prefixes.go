// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"maps"
	"time"
)

const (
	// MaxPrefixes is how many prefixes have a history.
	MaxPrefixes = 2000

	prefixSteps = 30
	minute      = int64(time.Minute / Step)

	// idlePrefix is how long a prefix has counted nothing that makes room for others.
	idlePrefix = time.Hour

	// searchInterval is how often such prefixes are searched for at most.
	searchInterval = time.Minute
)

// A Key names a prefix of a group.
type Key struct {
	Group         uint16
	NetNS, Prefix string
}

// A Prefix is the history of a prefix.
type Prefix struct {
	FirstSeen time.Time
	LastSeen  time.Time

	begun  time.Time // of all prefixes
	recent ring
}

// Prefixes are the histories of prefixes.
type Prefixes struct {
	begun    time.Time
	all      map[Key]*Prefix
	searched time.Time // for idle ones
}

// NewPrefixes returns a history that begins now.
func NewPrefixes(now time.Time) *Prefixes {
	return &Prefixes{begun: now, all: make(map[Key]*Prefix)}
}

// Add notes packets of a prefix that were counted from a moment until now.
func (p *Prefixes) Add(k Key, packets uint64, from, now time.Time) {
	h, found := p.all[k]
	if !found {
		if len(p.all) >= MaxPrefixes && !p.makeRoom(now) {
			return
		}
		h = &Prefix{FirstSeen: now, begun: p.begun, recent: newRing(prefixSteps)}
		p.all[k] = h
	}
	h.LastSeen = now
	h.recent.add(int64(middle(from, now).Sub(p.begun)/Step), packets)
}

// makeRoom forgets prefixes that counted nothing for long. It reports whether there were any.
func (p *Prefixes) makeRoom(now time.Time) bool {
	if now.Sub(p.searched) < searchInterval {
		return false
	}
	p.searched = now
	before := len(p.all)
	p.Keep(func(_ Key, h *Prefix) bool { return now.Sub(h.LastSeen) < idlePrefix })
	return len(p.all) < before
}

// Keep forgets the prefixes for which keep is false.
func (p *Prefixes) Keep(keep func(Key, *Prefix) bool) {
	maps.DeleteFunc(p.all, func(k Key, h *Prefix) bool { return !keep(k, h) })
}

// Of returns the history of a prefix, or nil.
func (p *Prefixes) Of(k Key) *Prefix { return p.all[k] }

// LastMinute returns how many packets were counted in about the last minute, and how long that is. It is less if the history is
// shorter.
func (p *Prefix) LastMinute(now time.Time) (packets uint64, in time.Duration) {
	age := now.Sub(p.begun)
	step := int64(age / Step)
	return p.recent.sum(step-minute, step+1), min(age, time.Minute+age%Step)
}

// Curve returns what was counted in the last minutes, in steps.
func (p *Prefix) Curve(now time.Time) Curve {
	to := int64(now.Sub(p.begun) / Step)
	return Curve{Step: Step, Packets: p.recent.between(max(0, to-prefixSteps), to)}
}
