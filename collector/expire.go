// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"strings"
	"time"
)

// expireInterval is how often label sets expire when nothing scrapes.
const expireInterval = 10 * time.Second

const (
	// idleAtLimit is how long a label set has counted nothing that makes room for others at the limit.
	idleAtLimit = 15 * time.Minute

	// idleSearchInterval is how often such label sets are searched for at most.
	idleSearchInterval = 10 * time.Second
)

// expireUntil lets label sets of all groups expire until the context is done, and records what the groups have counted.
func (g *gatherer) expireUntil(ctx context.Context) {
	ticker := time.NewTicker(expireInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			g.mu.Lock()
			for i := range g.groups {
				g.copyTable(i, now)
				g.record(i, now)
			}
			g.mu.Unlock()
		}
	}
}

// expireAndCopy takes a snapshot of a table, once its expired label sets are forgotten. The caller holds the gatherer's lock.
func (t *table) expireAndCopy(s *tableSnapshot, now time.Time) {
	for {
		t.snapshot(s, now)
		if expired := s.expired(t.limits, t.moment(now)); len(expired) > 0 {
			t.evictExpired(expired)
		} else if !t.expirePrefixes(s, now) {
			return
		}
	}
}

// expired returns the label sets of a snapshot that counted nothing for too long, and those of interfaces that were
// deleted too long ago. It takes note of which interfaces are missing. The caller holds the gatherer's lock.
func (s *tableSnapshot) expired(l limits, now moment) []*setSnapshot {
	if l.idle == 0 && l.deletedInterface == 0 {
		return nil
	}
	var present map[string]bool
	if s.names != nil && l.deletedInterface > 0 {
		present = s.names.Present()
	}
	var expired []*setSnapshot
	for i := range s.sets {
		set := &s.sets[i]
		if set.set.overflow != overflowFully && set.set.observe(l, present, now) {
			expired = append(expired, set)
		}
	}
	before := len(expired)
	for i := range s.overflowed {
		set := &s.overflowed[i]
		if !set.set.observe(l, present, now) { // they are one series, so that they expire together
			return expired[:before]
		}
		expired = append(expired, set)
	}
	return expired
}

// observe takes note of a label set's missing interfaces, and reports whether it has expired at a snapshot.
func (s *labelSet) observe(l limits, present map[string]bool, now moment) (expired bool) {
	switch {
	case present == nil || s.allPresent(present):
		s.missingSince = never
	case s.missingSince == never:
		s.missingSince = now
	}
	return passed(s.seenActive, l.idle, now) || passed(s.missingSince, l.deletedInterface, now)
}

// allPresent reports whether no interface of the labels is missing.
func (s *labelSet) allPresent(present map[string]bool) bool {
	for _, name := range s.interfaces {
		if !present[name] {
			return false
		}
	}
	return true
}

// evictExpired evicts expired label sets, except those that have counted packets since the snapshot.
func (t *table) evictExpired(expired []*setSnapshot) {
	packets := make(map[*labelSet]uint64, len(expired))
	for _, s := range expired {
		packets[s.set] = s.packets
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	unchanged := func(set *labelSet) bool {
		n, ok := packets[set]
		return ok && n == set.packets
	}
	overflowExpired := true
	for _, set := range t.overflowed {
		overflowExpired = overflowExpired && unchanged(set)
	}
	t.evict(func(set *labelSet) bool {
		if set.overflow == overflowFully {
			return overflowExpired
		}
		return unchanged(set)
	})
}

// makeRoom forgets label sets for the sake of new ones: those that no packet can reach any more, or else those that counted nothing
// for long. It reports whether there were any.
func (t *table) makeRoom(now time.Time) bool {
	if t.stale == 0 {
		return t.evictIdle(now)
	}
	t.evict(func(set *labelSet) bool { return set.stale })
	return true
}

// makeRoomForAddresses forgets the label sets with addresses that values show no longer, so that a network never shows more than it
// may.
func (t *table) makeRoomForAddresses(removed []string) {
	if len(removed) == 0 {
		return
	}
	gone := make(map[string]bool, len(removed))
	for _, address := range removed {
		gone[address] = true
	}
	t.evict(func(set *labelSet) bool {
		rest := set.series.values
		for _, d := range t.labeling.ofCounters {
			var value string
			value, rest, _ = strings.Cut(rest, valueEnd)
			if (d.label == labelSource || d.label == labelDestination) && gone[value] {
				return true
			}
		}
		return false
	})
	t.keys.clear() // some lead to addresses that are gone
}

// evictIdle forgets label sets that counted nothing for long, if the limit is reached. It reports whether there were any. Packets
// that overflowed before resolve anew then.
func (t *table) evictIdle(now time.Time) bool {
	if t.overflows[overflowNone] < t.limits.labelSets || now.Sub(t.idleSearched) < idleSearchInterval {
		return false
	}
	t.idleSearched = now
	before := len(t.sets)
	at := t.moment(now)
	t.evict(func(set *labelSet) bool { return set.idle(at) && set.overflow != overflowFully })
	return len(t.sets) < before
}

// see takes note of whether a label set counts, at a snapshot.
func (s *labelSet) see(now moment) {
	if s.packets != s.seenPackets {
		s.seenPackets, s.seenActive, s.missingSince = s.packets, now, never
	}
}

// idle reports whether a label set has counted nothing for long. A new one counts at once.
func (s *labelSet) idle(now moment) bool {
	return s.packets == s.seenPackets && passed(s.seenActive, idleAtLimit, now)
}
