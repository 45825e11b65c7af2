// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"iter"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A tableSnapshot is a copy of a table, taken between two batches: its books balance.
type tableSnapshot struct {
	sets       []setSnapshot
	histograms []histogramSnapshot
	pages      []sizePage // of all histograms, one after the other

	names      interfaceNames
	forgotten  uint64 // packets in label sets that are no more
	overflow   uint64 // packets in label sets that are folded
	stats      nflog.Stats
	badHeaders uint64
	lastPacket time.Time
}

type setSnapshot struct {
	*labelSet
	packets, bytes uint64
}

type histogramSnapshot struct {
	*histogram
	sum   uint64
	pages [sizePages]bool // which there are
	n     int             // how many
}

// cells iterates over the cells in which there are packets, and how many, where pages are the histogram's.
func (h *histogramSnapshot) cells(pages []sizePage) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		for i, there := range h.pages {
			if !there {
				continue
			}
			for j, n := range pages[0] {
				if n > 0 && !yield(i*pageCells+j, n) {
					return
				}
			}
			pages = pages[1:]
		}
	}
}

// snapshot copies the table to s, into memory that is allocated while the table is not locked, for the
// reader's sake. What has expired is not in it.
func (t *table) snapshot(s *tableSnapshot, now time.Time) {
	for !t.copyTo(s, now) || t.sweep(s, now) {
	}
}

// copyTo copies the table if there is room in s, else makes room.
func (t *table) copyTo(s *tableSnapshot, now time.Time) (ok bool) {
	t.mu.Lock()
	if len(t.sets) > cap(s.sets) || len(t.histograms) > cap(s.histograms) || t.pages > cap(s.pages) {
		sets, histograms, pages := len(t.sets), len(t.histograms), t.pages
		t.mu.Unlock()
		// Some more, for what comes meanwhile.
		s.sets = make([]setSnapshot, 0, sets+sets/8+8)
		s.histograms = make([]histogramSnapshot, 0, histograms+histograms/8+8)
		s.pages = make([]sizePage, 0, pages+pages/8+8)
		return false
	}
	defer t.mu.Unlock()
	t.zeroed = now
	s.sets, s.histograms, s.pages = s.sets[:0], s.histograms[:0], s.pages[:0]
	s.names, s.forgotten, s.overflow = t.names, t.forgotten, t.overflowed
	for _, set := range t.sets {
		s.sets = append(s.sets, setSnapshot{set, set.packets, set.bytes})
		if set.fold != foldNothing {
			s.overflow += set.packets
		}
	}
	for _, h := range t.histograms {
		c := histogramSnapshot{histogram: h, sum: h.sum}
		for i, page := range h.pages {
			if page != nil {
				c.pages[i] = true
				c.n++
				s.pages = append(s.pages, *page)
			}
		}
		s.histograms = append(s.histograms, c)
	}
	s.stats, s.badHeaders, s.lastPacket = t.stats, t.badHeaders, t.lastPacket
	return true
}
