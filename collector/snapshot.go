// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/collector/binderror"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A tableSnapshot is a copy of a table between two batches, so that its counts agree with each other.
type tableSnapshot struct {
	labels     []*dto.LabelPair // of the metrics about the group itself
	sets       []setSnapshot
	histograms []histogramSnapshot
	counts     []sizeCount   // of all histograms
	overflowed []setSnapshot // those that are one of sets
	prefixes   []prefixSnapshot

	ofCounters, ofHistogram labelDescs

	names      interfaceNames
	forgotten  uint64 // packets in label sets that were forgotten
	overflow   uint64 // packets in label sets of overflow, also forgotten ones
	stats      nflog.Stats
	malformed  uint64
	lastPacket time.Time
}

type setSnapshot struct {
	set            *labelSet
	series         *series
	packets, bytes uint64
}

type histogramSnapshot struct {
	series   *series
	sum      uint64
	from, to int // its counts
}

// countsOf returns the counts of a histogram, sorted by sub-bucket. Some are 0.
func (s *tableSnapshot) countsOf(h *histogramSnapshot) []sizeCount {
	counts := s.counts[h.from:h.to]
	slices.Sort(counts)
	return counts
}

// snapshot copies the table to s, sorted by series. The caller holds the gatherer's lock. Memory is allocated, and all is sorted, while the table is not locked, to
// hold up its reader no longer than the copy takes.
func (t *table) snapshot(s *tableSnapshot, now time.Time) {
	for !t.copyTo(s, now) {
	}
	s.addUp(now)
	s.joinOverflowed()
	slices.SortFunc(s.sets, func(a, b setSnapshot) int { return strings.Compare(a.series.values, b.series.values) })
	slices.SortFunc(s.histograms, func(a, b histogramSnapshot) int { return strings.Compare(a.series.values, b.series.values) })
}

// joinOverflowed makes one of the label sets of full overflow.
func (s *tableSnapshot) joinOverflowed() {
	for i, set := range s.overflowed {
		if i == 0 {
			s.sets = append(s.sets, set)
			continue
		}
		all := &s.sets[len(s.sets)-1]
		all.packets += set.packets
		all.bytes += set.bytes
	}
}

// copyTo copies the table if s has room for it. If not, it makes room.
func (t *table) copyTo(s *tableSnapshot, now time.Time) (ok bool) {
	t.mu.Lock()
	t.evictIdle(now)
	overflowed := len(t.overflowed)
	if !fits(s.sets, len(t.sets)) || !fits(s.histograms, len(t.histograms)) || !fits(s.counts, t.sizeCounts) ||
		!fits(s.overflowed, overflowed) || !fits(s.prefixes, len(t.prefixes)) {
		sets, histograms, counts, prefixes := len(t.sets), len(t.histograms), t.sizeCounts, len(t.prefixes)
		t.mu.Unlock()
		s.sets, s.histograms, s.counts = makeRoomFor[setSnapshot](sets), makeRoomFor[histogramSnapshot](histograms), makeRoomFor[sizeCount](counts)
		s.overflowed, s.prefixes = makeRoomFor[setSnapshot](overflowed), makeRoomFor[prefixSnapshot](prefixes)
		return false
	}
	defer t.mu.Unlock()
	t.lastSnapshot = now
	s.sets, s.histograms, s.counts, s.overflowed, s.prefixes = s.sets[:0], s.histograms[:0], s.counts[:0], s.overflowed[:0], s.prefixes[:0]
	s.labels, s.names, s.forgotten, s.overflow = t.groupLabels, t.names, t.forgotten, t.forgottenOverflow
	s.ofCounters, s.ofHistogram = t.labeling.ofCounters, t.labeling.ofHistogram
	at := t.moment(now)
	for _, h := range t.histograms {
		h.sum = h.forgotten
	}
	for _, set := range t.sets {
		set.see(at)
		if set.sizes != nil {
			set.sizes.sum += set.bytes
		}
		if copied := (setSnapshot{set, set.series, set.packets, set.bytes}); set.overflow == overflowFully {
			s.overflowed = append(s.overflowed, copied)
		} else {
			s.sets = append(s.sets, copied)
		}
		if set.overflow != overflowNone {
			s.overflow += set.packets
		}
	}
	for _, h := range t.histograms {
		from := len(s.counts)
		s.counts = append(s.counts, h.counts...)
		s.histograms = append(s.histograms, histogramSnapshot{series: h.series, sum: h.sum, from: from, to: len(s.counts)})
	}
	for _, total := range t.prefixes {
		s.prefixes = append(s.prefixes, prefixSnapshot{total: total, others: total.others})
	}
	s.stats, s.malformed, s.lastPacket = t.stats, t.malformed, t.lastPacket
	return true
}

// fits reports whether a slice has room for n elements, and not for very many more.
func fits[T any](s []T, n int) bool { return n <= cap(s) && cap(s) <= 4*n+1024 }

// makeRoomFor returns a slice with room for n elements, and some more, for those that are added meanwhile.
func makeRoomFor[T any](n int) []T { return make([]T, 0, n+n/8+8) }

// A groupSnapshot is a copy of a group's state, without its table.
type groupSnapshot struct {
	created      *timestamppb.Timestamp // of the counters
	state        GroupState
	socket       nflog.SocketStats // with the drops of earlier sockets
	binds        uint64
	bindFailures []uint64 // by binderror.Reasons
	readFailures uint64
}

func (g *group) snapshot() groupSnapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateSocket()
	s := groupSnapshot{created: g.created, state: g.state, socket: g.socket, binds: g.binds, readFailures: g.readFailures}
	s.socket.Drops += g.drops
	for _, reason := range binderror.Reasons() {
		s.bindFailures = append(s.bindFailures, g.bindFailures[reason])
	}
	return s
}
