// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"
)

// sweepInterval is how often label sets are looked through between scrapes.
const sweepInterval = 10 * time.Second

// sweep forgets the label sets that were idle for long, and those of interfaces that were deleted long
// ago.
func (t *table) sweep(now time.Time) {
	t.nextSweep = now.Add(sweepInterval)
	if t.limits.idle == 0 && t.limits.deletedInterface == 0 {
		return
	}
	var present map[string]bool
	if t.names != nil && t.limits.deletedInterface > 0 {
		present = t.names.present()
	}
	t.deleteSets(func(set *labelSet) bool {
		if set.packets != set.seen {
			set.seen, set.idle, set.orphaned = set.packets, now, time.Time{}
		}
		switch {
		case present == nil || set.allPresent(present):
			set.orphaned = time.Time{}
		case set.orphaned.IsZero():
			set.orphaned = now
		}
		forget := passed(set.idle, t.limits.idle, now) || passed(set.orphaned, t.limits.deletedInterface, now)
		if forget {
			t.zeroed = now // what comes back is younger
		}
		return forget
	})
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
		if set.fold != foldNothing {
			t.overflowed += set.packets
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
	t.generation = t.names.generation()
	t.keys.clear()
}
