// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"time"
)

// sweepInterval is how often label sets are looked through that nobody scrapes.
const sweepInterval = 10 * time.Second

// sweepUntil looks through the label sets of all groups now and then until the context is done.
func (g *gatherer) sweepUntil(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			g.mu.Lock()
			for _, group := range g.groups {
				group.table.snapshot(&g.copied, now)
			}
			g.mu.Unlock()
		}
	}
}

// sweep looks through a copy of the label sets, and forgets those that were idle for long, and those of
// interfaces that were deleted long ago. It reports whether there are any. The caller keeps others from sweeping.
func (t *table) sweep(s *tableSnapshot, now time.Time) (found bool) {
	if t.limits.idle == 0 && t.limits.deletedInterface == 0 {
		return false
	}
	var present map[string]bool
	if s.names != nil && t.limits.deletedInterface > 0 {
		present = s.names.Present()
	}
	for i := range s.sets {
		found = s.sets[i].expire(t.limits, present, now) || found
	}
	if found {
		t.mu.Lock()
		defer t.mu.Unlock()
		// Packets may have come since the copy.
		t.deleteSets(func(set *labelSet) bool { return set.expired && set.packets == set.seen })
	}
	return found
}

// expire reports whether a label set is to be forgotten.
func (s *setSnapshot) expire(l limits, present map[string]bool, now time.Time) bool {
	if s.packets != s.seen {
		s.seen, s.idle, s.orphaned = s.packets, now, time.Time{}
	}
	switch {
	case present == nil || s.allPresent(present):
		s.orphaned = time.Time{}
	case s.orphaned.IsZero():
		s.orphaned = now
	}
	s.expired = passed(s.idle, l.idle, now) || passed(s.orphaned, l.deletedInterface, now)
	return s.expired
}

// passed reports whether a time has passed since a moment, if that has come.
func passed(since time.Time, timeout time.Duration, now time.Time) bool {
	return !since.IsZero() && timeout > 0 && now.Sub(since) >= timeout
}

// deleteSets forgets the label sets that are to be: if their packets come again, they begin at 0.
func (t *table) deleteSets(del func(*labelSet) bool) {
	before := len(t.sets)
	t.sets = slices.DeleteFunc(t.sets, func(set *labelSet) bool {
		if !del(set) {
			return false
		}
		t.folded[set.fold]--
		t.forgotten += set.packets
		if set.fold != foldNothing {
			t.overflowed += set.packets
		}
		if set.unreachable {
			t.unreachable--
		}
		if set.sizes != nil {
			set.sizes.sets--
		}
		return true
	})
	if len(t.sets) == before {
		return
	}
	t.histograms = slices.DeleteFunc(t.histograms, func(h *histogram) bool {
		if h.sets > 0 {
			return false
		}
		t.pages -= h.pageCount()
		return true
	})
	t.keys.clear() // some of them lead to what is forgotten
}

// forgetKeys makes the keys lead to label sets anew, because interfaces changed their names.
func (t *table) forgetKeys() {
	t.generation = t.names.Generation()
	t.keys.clear()
}
