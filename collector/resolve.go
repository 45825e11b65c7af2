// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// minKeys is how many keys are remembered at least beside the label sets that they lead to. There are more of
// them: interfaces that come and go under the same name leave keys behind.
const minKeys = 16384

// maxUnseen is how far back the creation time of a label set may lie. What ingests creation times
// takes none that are many minutes old.
const maxUnseen = time.Minute

// learn returns the label set of a key that is not known, a new one if no other key has led to it.
func (t *table) learn(k *key, now time.Time) *labelSet {
	c := t.schema.combine(k, t.names)
	set := t.find(c, foldNothing, now)
	if set == nil && t.schema.hasExtras() {
		t.schema.foldExtras(c)
		set = t.find(c, foldExtras, now)
	}
	if set == nil {
		t.schema.foldAll(c)
		set = t.find(c, foldAll, now)
	}
	if t.keys.used == max(minKeys, 2*t.limits.labelSets) {
		t.keys.clear()
	}
	t.keys.add(k, set)
	set.ledBy(c.raw)
	return set
}

// find returns the label set of a combination, a new one if there is room for it, else nil.
func (t *table) find(c *combination, step foldStep, now time.Time) *labelSet {
	values := c.list(t.schema.columns)
	i, found := slices.BinarySearchFunc(t.sets, values, func(s *labelSet, v []string) int { return s.compare(v) })
	if found {
		set := t.sets[i]
		if set.unreachable { // no more
			set.unreachable = false
			t.unreachable--
		}
		return set
	}
	if t.folded[step] >= t.limits.room(step) {
		if t.unreachable == 0 {
			return nil
		}
		t.deleteSets(func(set *labelSet) bool { return set.unreachable })
		return t.find(c, step, now)
	}
	set := &labelSet{series: newSeries(t.schema.columns, values, t.creation(now)), fold: step, interfaces: c.interfaces}
	if t.scale != nil {
		set.sizes = t.findHistogram(c, now)
	}
	t.sets = slices.Insert(t.sets, i, set)
	t.folded[step]++
	return set
}

// room returns how many label sets there may be that were folded so far.
func (l limits) room(step foldStep) int {
	switch step {
	case foldNothing:
		return l.labelSets
	case foldExtras:
		return l.labelSets / 10
	default:
		return 1
	}
}

// findHistogram returns the histogram of a combination, for one more label set.
func (t *table) findHistogram(c *combination, now time.Time) *histogram {
	values := c.list(t.schema.histogram)
	i, found := slices.BinarySearchFunc(t.histograms, values, func(h *histogram, v []string) int { return h.compare(v) })
	if !found {
		t.histograms = slices.Insert(t.histograms, i, &histogram{series: newSeries(t.schema.histogram, values, t.creation(now))})
	}
	t.histograms[i].sets++
	return t.histograms[i]
}

// creation returns the creation time of what comes to be: when the table was copied last, as it counted
// nothing then. It must be before the time of the scrape that shows it first, which may have begun already.
func (t *table) creation(now time.Time) *timestamppb.Timestamp {
	created := now.Add(-maxUnseen)
	if t.zeroed.After(created) {
		created = t.zeroed
	}
	return timestamppb.New(created)
}
