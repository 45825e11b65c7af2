// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"
	"time"
)

// relabel counts packets by another labeling from now on. Label sets keep their counts. Labels that are new are empty
// on them, and they make room when it is needed. A label set that had a value for a removed label is forgotten. The
// caller holds the gatherer's lock.
func (t *table) relabel(to *labeling, now time.Time) {
	r := newRelabeler(t, to)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.labeling, t.groupLabels = to, to.groupLabels()
	t.keys.clear()
	t.evict(func(set *labelSet) bool { return r.labelSet(set, set.prefixes).series == nil })
	var overflow *histogram
	t.stale = 0
	for _, set := range t.sets {
		n := r.labelSet(set, set.prefixes)
		set.series, set.stale = n.series, n.stale
		if to.sameHistogram && set.sizes != nil {
			set.sizes.series = set.series
		}
		if set.stale {
			t.stale++
		}
		if set.overflow == overflowFully {
			overflow = set.sizes
		}
	}
	if r.sameLabels {
		return
	}
	t.lastSnapshot = now // label sets that are forgotten come back younger
	for _, h := range t.histograms {
		if to.sameHistogram {
			break
		}
		if h == overflow {
			h.series = &series{string(to.overflowValues().join(nil, to.ofHistogram)), h.series.created}
		} else {
			h.series = r.histogram(h)
		}
	}
	clear(t.setsByValues)
	for _, set := range t.sets {
		t.setsByValues[set.series.values] = set
	}
	clear(t.histogramsByValues)
	if !to.sameHistogram {
		for _, h := range t.histograms {
			t.histogramsByValues[h.series.values] = h
		}
	}
}

// A relabeler works out what a labeling makes of the label sets of a table. That takes longer than a reader should wait,
// so it is done in advance, while the table still counts.
type relabeler struct {
	from, to   *labeling
	sameLabels bool // so that series stay the same
	sets       map[*labelSet]relabeled
	histograms map[*histogram]*series
}

// A relabeled is what becomes of a label set.
type relabeled struct {
	series   *series // nil if it is forgotten
	stale    bool
	prefixes int // how many of its prefixes were looked at
}

func newRelabeler(t *table, to *labeling) *relabeler {
	type setPrefixes struct {
		set      *labelSet
		prefixes []string
	}
	t.mu.Lock()
	from, histograms := t.labeling, slices.Clone(t.histograms)
	sets := make([]setPrefixes, len(t.sets))
	for i, set := range t.sets {
		sets[i] = setPrefixes{set, set.prefixes}
	}
	t.mu.Unlock()

	r := &relabeler{
		from: from, to: to,
		sameLabels: slices.Equal(from.ofCounters.names(), to.ofCounters.names()),
		sets:       make(map[*labelSet]relabeled, len(sets)),
		histograms: make(map[*histogram]*series, len(histograms)),
	}
	for _, s := range sets {
		r.sets[s.set] = r.labelSet(s.set, s.prefixes)
	}
	for _, h := range histograms {
		r.histograms[h] = r.histogram(h)
	}
	return r
}

// labelSet returns what becomes of a label set with packets of these prefixes. Series and overflow of a label set change
// only with its labeling, so they can be read without the table's lock.
func (r *relabeler) labelSet(set *labelSet, prefixes []string) relabeled {
	known, ok := r.sets[set]
	if ok && known.prefixes == len(prefixes) {
		return known
	}
	n := relabeled{series: set.series, prefixes: len(prefixes)}
	switch {
	case r.to.netns != "" && len(r.from.ofGroup) != len(r.to.ofGroup):
		// The namespace became a label, or stopped being one.
		n.series = nil
	case r.sameLabels:
	case set.overflow == overflowFully:
		n.series = &series{string(r.to.overflowValues().join(nil, r.to.ofCounters)), set.series.created}
	default:
		n.series = set.series.relabel(r.from.ofCounters, r.to.ofCounters)
	}
	if n.series != nil && set.overflow != overflowFully && r.to.selection.has(labelPrefix) && len(prefixes) < maxPrefixes {
		n.stale = !r.to.producedBy(prefixes, n.series.values)
	}
	return n
}

// histogram returns the new series of a histogram. Label sets that would lose a value are already gone, except the one of
// full overflow, whose histogram relabel handles.
func (r *relabeler) histogram(h *histogram) *series {
	if s, ok := r.histograms[h]; ok {
		return s
	}
	return h.series.relabel(r.from.ofHistogram, r.to.ofHistogram)
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
	return &series{strings.Join(values, valueEnd) + valueEnd, s.created}
}
