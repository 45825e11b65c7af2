// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
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
			for _, group := range g.groups {
				g.expireAndCopy(group.table, now)
				g.record(group, now)
			}
			g.mu.Unlock()
		}
	}
}

// expired returns the label sets of a snapshot that counted nothing for too long, and those of interfaces that were
// deleted too long ago. It takes note of which ones count. The caller holds the gatherer's lock.
func (s *tableSnapshot) expired(l limits, now time.Time) []*setSnapshot {
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
		if set.exposed().observe(set.packets, l, present, now) {
			expired = append(expired, set)
		}
	}
	return expired
}

// observe takes note of a label set's packets and its missing interfaces, and reports whether it has expired.
func (e *exposedSet) observe(packets uint64, l limits, present map[string]bool, now time.Time) (expired bool) {
	if packets != e.packets {
		e.packets, e.idleSince, e.missingSince = packets, now, time.Time{}
	}
	switch {
	case present == nil || e.allPresent(present):
		e.missingSince = time.Time{}
	case e.missingSince.IsZero():
		e.missingSince = now
	}
	return passed(e.idleSince, l.idle, now) || passed(e.missingSince, l.deletedInterface, now)
}

// allPresent reports whether no interface of the labels is missing.
func (e *exposedSet) allPresent(present map[string]bool) bool {
	for _, name := range e.interfaces {
		if !present[name] {
			return false
		}
	}
	return true
}

// passed reports whether a timeout has passed since a moment. A zero moment has not come, and a zero timeout never passes.
func passed(since time.Time, timeout time.Duration, now time.Time) bool {
	return !since.IsZero() && timeout > 0 && now.Sub(since) >= timeout
}

// evictExpired evicts expired label sets, except those that have counted packets since the snapshot.
func (t *table) evictExpired(expired []*setSnapshot) {
	packets := make(map[*labelSet]uint64, len(expired))
	for _, s := range expired {
		packets[s.set] = s.packets
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.evict(func(set *labelSet) bool {
		n, ok := packets[set]
		return ok && n == set.packets
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

// evictIdle forgets label sets that counted nothing for long, if the limit is reached. It reports whether there were any. Packets
// that overflowed before resolve anew then.
func (t *table) evictIdle(now time.Time) bool {
	if t.overflows[overflowNone] < t.limits.labelSets || now.Sub(t.idleSearched) < idleSearchInterval {
		return false
	}
	t.idleSearched = now
	before := len(t.sets)
	t.evict(func(set *labelSet) bool { return set.idle(now) && set.overflow != overflowFully })
	return len(t.sets) < before
}

// see takes note of whether a label set counts, at a snapshot.
func (s *labelSet) see(now time.Time) {
	if s.packets != s.seenPackets {
		s.seenPackets, s.seenActive = s.packets, now
	}
}

// idle reports whether a label set has counted nothing for long. A new one counts at once.
func (s *labelSet) idle(now time.Time) bool {
	return s.packets == s.seenPackets && passed(s.seenActive, idleAtLimit, now)
}
