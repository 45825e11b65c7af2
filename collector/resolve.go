// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"
)

// minKeys is the least number of keys that are remembered. There are more keys than label sets: interfaces that come and
// go under the same name leave keys behind.
const minKeys = 16384

// maxAge is how far back the creation time of a label set may be. Prometheus ingests no creation times that are many
// minutes old.
const maxAge = time.Minute

// resolve returns the label set of a key that the index does not have, and adds the key. It makes a new label set if no
// other key led to it.
//
// The index has keys with the protocols that labels show alone. Those that go by name are found there at once, at no cost;
// all others share a key, so that they can't fill the index.
func (t *table) resolve(k *key, now time.Time) *labelSet {
	if shown := t.labeling.protocols.Shown(k.protocol); shown != k.protocol {
		k.protocol = shown
		if set := t.keys.slots[t.keys.slot(k)].set; set != nil {
			return set
		}
	}
	v := &t.values
	t.labeling.packetValues(v, k, t.names)
	set := t.find(v, overflowNone, now)
	if set == nil && t.labeling.canOverflowPartly() {
		v.overflowPartly()
		set = t.find(v, overflowPartly, now)
	}
	if set == nil {
		set = t.findOverflowed(t.prefixTotal(v.shown, now), now)
	}
	if t.keys.used == max(minKeys, 2*t.limits.labelSets) {
		t.keys.clear()
	}
	t.keys.add(k, set)
	set.addPrefix(v.prefix)
	return set
}

// find returns the label set with these values, a new one if there is room for it, or nil.
func (t *table) find(v *labelValues, step overflowStep, now time.Time) *labelSet {
	t.joined = v.join(t.joined[:0], t.labeling.ofCounters)
	if set := t.setsByValues[string(t.joined)]; set != nil {
		if set.stale {
			set.stale = false
			t.stale--
		}
		return set
	}
	if t.overflows[step] >= t.limits.capacity(step) {
		if !t.makeRoom(now) {
			return nil
		}
		return t.find(v, step, now)
	}
	set := &labelSet{
		series:     &series{string(t.joined), t.creation(now), t.prefixTotal(v.shown, now)},
		overflow:   step,
		interfaces: slices.Clone(v.interfaces),
	}
	if t.buckets != nil {
		set.sizes = t.findHistogram(v, set.series)
	}
	t.setsByValues[set.series.values] = set
	t.add(set)
	return set
}

func (t *table) add(set *labelSet) {
	t.sets = append(t.sets, set)
	t.overflows[set.overflow]++
}

// capacity returns how many label sets there may be by one of the first steps of overflow.
func (l limits) capacity(step overflowStep) int {
	if step == overflowNone {
		return l.labelSets
	}
	return l.labelSets / 10
}

// findOverflowed returns the label set of full overflow for a prefix. There is at most one for each total.
func (t *table) findOverflowed(total *prefixTotal, now time.Time) *labelSet {
	if set := t.overflowed[total]; set != nil {
		return set
	}
	set := &labelSet{series: &series{total: total}, overflow: overflowFully}
	if len(t.overflowed) == 0 {
		v := t.labeling.overflowValues()
		set.series.values, set.series.created = string(v.join(nil, t.labeling.ofCounters)), t.creation(now)
		if t.buckets != nil {
			set.sizes = t.findHistogram(v, set.series)
		}
	}
	for _, other := range t.overflowed { // they share all that is exposed
		set.series.values, set.series.created, set.sizes = other.series.values, other.series.created, other.sizes
		if set.sizes != nil {
			set.sizes.sets++
		}
		break
	}
	t.overflowed[total] = set
	t.add(set)
	return set
}

// findHistogram returns the histogram for a new label set, with these values.
func (t *table) findHistogram(v *labelValues, s *series) *histogram {
	if t.labeling.sameHistogram {
		return t.addHistogram(s)
	}
	t.joined = v.join(t.joined[:0], t.labeling.ofHistogram)
	h := t.histogramsByValues[string(t.joined)]
	if h == nil {
		h = t.addHistogram(&series{values: string(t.joined), created: s.created})
		t.histogramsByValues[h.series.values] = h
		return h
	}
	h.sets++
	return h
}

// addHistogram adds a histogram of one label set.
func (t *table) addHistogram(s *series) *histogram {
	h := &histogram{sizeCounts: newSizeCounts(), sets: 1, series: s}
	t.histograms = append(t.histograms, h)
	t.sizeCounts += len(h.counts)
	return h
}

// creation returns the creation time of a new series: that of the last snapshot, which did not have it. It must
// not be after the scrape that exposes the series first, and that scrape may have begun already.
func (t *table) creation(now time.Time) int64 {
	created := now.Add(-maxAge)
	if t.lastSnapshot.After(created) {
		created = t.lastSnapshot
	}
	return created.UnixNano()
}

// evict forgets label sets. If their packets come again, they are counted from 0.
func (t *table) evict(which func(*labelSet) bool) {
	before := len(t.sets)
	t.sets = slices.DeleteFunc(t.sets, func(set *labelSet) bool {
		if !which(set) {
			return false
		}
		t.overflows[set.overflow]--
		t.forgotten += set.packets
		if total := set.series.total; total != nil {
			total.others += set.packets
		}
		if set.overflow != overflowNone {
			t.forgottenOverflow += set.packets
		}
		if set.stale {
			t.stale--
		}
		if set.sizes != nil {
			set.sizes.sets--
			set.sizes.forgotten += set.bytes
		}
		if set.overflow == overflowFully {
			delete(t.overflowed, set.series.total)
		} else {
			delete(t.setsByValues, set.series.values)
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
		t.sizeCounts -= len(h.counts)
		delete(t.histogramsByValues, h.series.values)
		return true
	})
	t.keys.clear() // some lead to label sets that are gone
}
