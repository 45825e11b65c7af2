// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"
	"time"
)

// A relabeler makes a table count packets by another labeling. Label sets keep their counts. Labels that are new are empty on
// them, and they make room when it is needed. A label set that had a value for a removed label is forgotten.
//
// To work that out for many label sets takes longer than a reader or a scrape should wait. So it is prepared while the table
// still counts, and applied under its lock.
type relabeler struct {
	table      *table
	from, to   *labeling
	sameLabels bool // so that series stay the same

	sets, unused []relabeled          // of all label sets when they were last looked at, in the table's order; memory for the next look
	setsByValues map[string]*labelSet // by their new series, unless they stay the same, and without full overflow
	histograms   map[*histogram]*series
}

// A relabeled is what becomes of a label set.
type relabeled struct {
	set      *labelSet
	prefixes []string // of the label set
	series   *series  // nil if it is forgotten
	stale    bool
}

const (
	// relabelRounds is how often label sets are prepared at most, and fewFresh how many of them need no further round.
	relabelRounds = 3
	fewFresh      = 1000
)

// newRelabeler prepares another labeling of a table. Only one at a time may do that.
func newRelabeler(t *table, to *labeling) *relabeler {
	r := &relabeler{
		table: t, from: t.labeling, to: to,
		setsByValues: make(map[string]*labelSet),
		histograms:   make(map[*histogram]*series),
	}
	r.sameLabels = slices.Equal(r.from.ofCounters.names(), to.ofCounters.names())
	for range relabelRounds {
		t.mu.Lock()
		sets := r.look()
		histograms := t.histograms
		if !to.sameHistogram {
			histograms = slices.Clone(histograms)
		}
		t.mu.Unlock()
		fresh := r.prepare(sets)
		if !to.sameHistogram {
			for _, h := range histograms {
				r.histograms[h] = r.histogram(h)
			}
		}
		if fresh <= fewFresh {
			break
		}
	}
	r.unused = makeRoomFor[relabeled](len(r.sets)) // for apply, which should not allocate it
	return r
}

// look returns all label sets of the table, whose lock the caller holds.
func (r *relabeler) look() []relabeled {
	sets := slices.Grow(r.unused[:0], len(r.table.sets))
	for _, set := range r.table.sets {
		sets = append(sets, relabeled{set: set, prefixes: set.prefixes})
	}
	return sets
}

// prepare works out what becomes of label sets. It returns for how many that was not known. Series and overflow of a label set
// change only with its labeling, so they can be read without the table's lock.
//
// New label sets come after those that are known, and label sets that were forgotten leave the others in their order.
func (r *relabeler) prepare(sets []relabeled) (fresh int) {
	known := r.sets
	forget := func(n *relabeled) {
		if n.series != nil {
			delete(r.setsByValues, n.series.values)
		}
	}
	for i := range sets {
		n := &sets[i]
		for len(known) > 0 && known[0].set != n.set {
			forget(&known[0])
			known = known[1:]
		}
		switch {
		case len(known) == 0:
			fresh++
			n.series = r.series(n.set)
			n.stale = r.stale(n)
			if n.series != nil && !r.sameLabels && n.set.overflow != overflowFully {
				r.setsByValues[n.series.values] = n.set
			}
			continue
		case len(known[0].prefixes) == len(n.prefixes):
			*n = known[0]
		default:
			n.series = known[0].series
			n.stale = r.stale(n)
		}
		known = known[1:]
	}
	for i := range known {
		forget(&known[i])
	}
	r.sets, r.unused = sets, r.sets
	return fresh
}

// series returns the new series of a label set, or nil if it is forgotten.
func (r *relabeler) series(set *labelSet) *series {
	switch {
	case r.to.netns != "" && len(r.from.ofGroup) != len(r.to.ofGroup):
		return nil // the namespace became a label, or stopped being one
	case r.sameLabels:
		return set.series
	case set.overflow == overflowFully:
		return &series{string(r.to.overflowValues().join(nil, r.to.ofCounters)), set.series.created, set.series.total}
	default:
		return set.series.relabel(r.from.ofCounters, r.to.ofCounters)
	}
}

// stale reports whether a label set gets no more packets.
func (r *relabeler) stale(n *relabeled) bool {
	return n.series != nil && n.set.overflow != overflowFully && r.to.selection.has(labelPrefix) &&
		len(n.prefixes) < maxPrefixes && !r.to.producedBy(n.prefixes, n.series.values)
}

// histogram returns the new series of a histogram. Label sets that would lose a value are forgotten, and the one of full
// overflow is for apply.
func (r *relabeler) histogram(h *histogram) *series {
	if s, ok := r.histograms[h]; ok {
		return s
	}
	return h.series.relabel(r.from.ofHistogram, r.to.ofHistogram)
}

// apply counts packets by the new labeling from now on. The caller holds the gatherer's lock.
func (r *relabeler) apply(now time.Time) {
	t := r.table
	t.mu.Lock()
	defer t.mu.Unlock()
	r.prepare(r.look())
	t.labeling, t.groupLabels = r.to, r.to.groupLabels()
	if networks := r.to.optional.networks; networks != nil {
		networks.Inherit(r.from.optional.networks)
		if t.names != nil {
			networks.Follow(t.names)
		}
	}
	t.keys.clear()
	t.sources.forgetOrigins()
	for _, total := range t.prefixes {
		total.series = r.to.prefixSeries(total.prefix, total.series.created)
	}
	if !r.sameLabels {
		next := 0
		t.evict(func(*labelSet) bool {
			next++
			return r.sets[next-1].series == nil
		})
		t.setsByValues = r.setsByValues
		t.lastSnapshot = now // label sets that are forgotten come back younger
	}
	var overflow *histogram
	t.stale = 0
	for i := range r.sets {
		n := &r.sets[i]
		if n.series == nil {
			continue
		}
		n.set.series, n.set.stale = n.series, n.stale
		if n.stale {
			t.stale++
		}
		if n.set.sizes == nil {
			continue
		}
		if r.to.sameHistogram {
			n.set.sizes.series = n.series
		}
		if n.set.overflow == overflowFully {
			overflow = n.set.sizes
		}
	}
	if !r.sameLabels && !r.to.sameHistogram {
		r.applyToHistograms(overflow)
	}
}

// applyToHistograms gives histograms their new series. One of them is that of full overflow, if there is one.
func (r *relabeler) applyToHistograms(overflow *histogram) {
	t := r.table
	t.histogramsByValues = make(map[string]*histogram, len(t.histograms))
	for _, h := range t.histograms {
		if h == overflow {
			h.series = &series{values: string(r.to.overflowValues().join(nil, r.to.ofHistogram)), created: h.series.created}
		} else {
			h.series = r.histogram(h)
		}
		t.histogramsByValues[h.series.values] = h
	}
}

// relabel returns the series with other labels, or nil if it would lose a value.
func (s *series) relabel(from, to labelDescs) *series {
	values := make([]string, len(to))
	rest := s.values
	for _, d := range from {
		var value string
		value, rest, _ = strings.Cut(rest, valueEnd)
		j := slices.IndexFunc(to, func(other labelDesc) bool { return other.name == d.name })
		switch {
		case j >= 0:
			values[j] = value
		case value != "":
			return nil
		}
	}
	return &series{strings.Join(values, valueEnd) + valueEnd, s.created, s.total}
}
