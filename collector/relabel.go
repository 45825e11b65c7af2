// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"
)

// A relabelling is what becomes of a label set by another schema.
type relabelling struct {
	series      *series // nil if the label set is to be forgotten
	unreachable bool
	prefixes    int // how many of the label set's were looked at
}

// A relabeller makes relabellings. They take longer than a reader should wait, so it makes them in advance.
type relabeller struct {
	from, to   *schema
	same       bool // columns, so that series stay what they are
	sets       map[*labelSet]relabelling
	histograms map[*histogram]*series
}

// newRelabeller returns the relabeller of a table, which is at work meanwhile.
func newRelabeller(t *table, to *schema) *relabeller {
	type ledBy struct {
		set      *labelSet
		prefixes []string
	}
	t.mu.Lock()
	from, histograms := t.schema, slices.Clone(t.histograms)
	sets := make([]ledBy, len(t.sets))
	for i, set := range t.sets {
		sets[i] = ledBy{set, set.prefixes}
	}
	t.mu.Unlock()

	r := &relabeller{from: from, to: to, same: slices.Equal(from.columns.names(), to.columns.names())}
	r.sets, r.histograms = make(map[*labelSet]relabelling), make(map[*histogram]*series)
	for _, s := range sets {
		r.sets[s.set] = r.labelSet(s.set, s.prefixes)
	}
	for _, h := range histograms {
		r.histograms[h] = r.histogram(h)
	}
	return r
}

// labelSet returns what becomes of a label set that counts packets whose rules have these prefixes.
func (r *relabeller) labelSet(set *labelSet, prefixes []string) relabelling {
	known, ok := r.sets[set]
	if ok && known.prefixes == len(prefixes) {
		return known
	}
	n := relabelling{series: set.series, prefixes: len(prefixes)}
	switch {
	case r.to.netns != "" && len(r.from.groupColumns) != len(r.to.groupColumns):
		// The namespace has become a label, or is none any more.
		n.series = nil
	case r.same:
	case set.fold == foldAll:
		n.series = newSeries(r.to.columns, r.to.overflow().list(r.to.columns), set.created)
	default:
		n.series = set.relabel(r.from.columns, r.to.columns)
	}
	if n.series != nil && set.fold != foldAll && r.to.selection.has(labelPrefix) && len(prefixes) < maxPrefixes {
		n.unreachable = !r.to.leadsTo(n.series.values, prefixes)
	}
	return n
}

// histogram returns the series that a histogram becomes. No label set counts in it that has a value which it could lose, but
// for the one of all that can't be told apart.
func (r *relabeller) histogram(h *histogram) *series {
	if s, ok := r.histograms[h]; ok {
		return s
	}
	return h.relabel(r.from.histogram, r.to.histogram)
}

// overflow returns the series that the histogram of what can't be told apart becomes.
func (r *relabeller) overflow(h *histogram) *series {
	return newSeries(r.to.histogram, r.to.overflow().list(r.to.histogram), h.created)
}

// reconfigure counts packets by another schema from now on. What was counted stays under its labels, to
// which those that are new are added without a value, until its room is needed; where one is no more that had a
// value, it is forgotten. The caller keeps others from gathering.
func (t *table) reconfigure(s *schema, now time.Time) {
	r := newRelabeller(t, s)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.schema, t.labels = s, s.groupLabels()
	t.keys.clear()
	var overflow *histogram
	t.unreachable = 0
	for _, set := range t.sets {
		becomes := r.labelSet(set, set.prefixes)
		set.series, set.unreachable = becomes.series, becomes.unreachable
		if set.unreachable {
			t.unreachable++
		}
		if set.fold == foldAll {
			overflow = set.sizes
		}
	}
	if r.same {
		return
	}
	t.deleteSets(func(set *labelSet) bool { return set.series == nil })
	t.zeroed = now // what is forgotten comes back younger
	for _, h := range t.histograms {
		if h == overflow {
			h.series = r.overflow(h)
		} else {
			h.series = r.histogram(h)
		}
	}
	// They are in order already, but for what can't be told apart.
	slices.SortFunc(t.sets, func(a, b *labelSet) int { return a.compare(b.values) })
	slices.SortFunc(t.histograms, func(a, b *histogram) int { return a.compare(b.values) })
}

// relabel returns the series with other columns, or nil if it would lose a value.
func (s *series) relabel(from, to columns) *series {
	values := make([]string, len(to))
	for i, c := range from {
		j := slices.IndexFunc(to, func(other column) bool { return other.name == c.name })
		switch {
		case j >= 0:
			values[j] = s.values[i]
		case s.values[i] != "":
			return nil
		}
	}
	return newSeries(to, values, s.created)
}
