// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"iter"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A tableSnapshot is a copy of a table between two batches, so that its counts agree with each other.
type tableSnapshot struct {
	labels     []*dto.LabelPair // of the metrics about the group itself
	sets       []setSnapshot
	histograms []histogramSnapshot
	blocks     []sizeBlock // of all histograms, one after the other

	names      interfaceNames
	forgotten  uint64 // packets in label sets that were forgotten
	overflow   uint64 // packets in label sets of overflow, also forgotten ones
	stats      nflog.Stats
	malformed  uint64
	lastPacket time.Time
}

type setSnapshot struct {
	set            *labelSet // for its identity, and for exposed
	series         *series
	packets, bytes uint64
}

// exposed returns what the gatherer keeps of the label set.
func (s *setSnapshot) exposed() *exposedSet { return &s.set.exposed }

type histogramSnapshot struct {
	metric *histogramMetric
	series *series
	sum    uint64
	blocks [maxBlocks]bool // which are allocated
	at     int             // index of the first in tableSnapshot.blocks
}

// subBuckets iterates over the sub-buckets with packets in them, by index, with their counts. blocks are those of the
// snapshot.
func (h *histogramSnapshot) subBuckets(blocks []sizeBlock) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		blocks := blocks[h.at:]
		for i, allocated := range h.blocks {
			if !allocated {
				continue
			}
			for j, n := range blocks[0] {
				if n > 0 && !yield(i*blockLen+j, n) {
					return
				}
			}
			blocks = blocks[1:]
		}
	}
}

// snapshot copies the table to s, sorted by series. Memory is allocated, and all is sorted, while the table is not locked, to
// hold up its reader no longer than the copy takes.
func (t *table) snapshot(s *tableSnapshot, now time.Time) {
	for !t.copyTo(s, now) {
	}
	slices.SortFunc(s.sets, func(a, b setSnapshot) int { return strings.Compare(a.series.values, b.series.values) })
	slices.SortFunc(s.histograms, func(a, b histogramSnapshot) int { return strings.Compare(a.series.values, b.series.values) })
}

// copyTo copies the table if s has room for it. If not, it makes room.
func (t *table) copyTo(s *tableSnapshot, now time.Time) (ok bool) {
	t.mu.Lock()
	t.evictIdle(now)
	if len(t.sets) > cap(s.sets) || len(t.histograms) > cap(s.histograms) || t.blocks > cap(s.blocks) {
		sets, histograms, blocks := len(t.sets), len(t.histograms), t.blocks
		t.mu.Unlock()
		// Some more, for label sets that are made meanwhile.
		s.sets = make([]setSnapshot, 0, sets+sets/8+8)
		s.histograms = make([]histogramSnapshot, 0, histograms+histograms/8+8)
		s.blocks = make([]sizeBlock, 0, blocks+blocks/8+8)
		return false
	}
	defer t.mu.Unlock()
	t.lastSnapshot = now
	s.sets, s.histograms, s.blocks = s.sets[:0], s.histograms[:0], s.blocks[:0]
	s.labels, s.names, s.forgotten, s.overflow = t.groupLabels, t.names, t.forgotten, t.forgottenOverflow
	for _, set := range t.sets {
		set.see(now)
		s.sets = append(s.sets, setSnapshot{set, set.series, set.packets, set.bytes})
		if set.overflow != overflowNone {
			s.overflow += set.packets
		}
	}
	for _, h := range t.histograms {
		c := histogramSnapshot{metric: &h.metric, series: h.series, sum: h.sum, at: len(s.blocks)}
		for i, block := range h.blocks {
			if block != nil {
				c.blocks[i] = true
				s.blocks = append(s.blocks, *block)
			}
		}
		s.histograms = append(s.histograms, c)
	}
	s.stats, s.malformed, s.lastPacket = t.stats, t.malformed, t.lastPacket
	return true
}

// A groupSnapshot is a copy of a group's state, without its table.
type groupSnapshot struct {
	created      *timestamppb.Timestamp // of the counters
	state        GroupState
	socket       nflog.SocketStats // with the drops of earlier sockets
	binds        uint64
	bindFailures []uint64 // by bindFailureReasons
	readFailures uint64
}

func (g *group) snapshot() groupSnapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateSocket()
	s := groupSnapshot{created: g.created, state: g.state, socket: g.socket, binds: g.binds, readFailures: g.readFailures}
	s.socket.Drops += g.drops
	for _, reason := range bindFailureReasons {
		s.bindFailures = append(s.bindFailures, g.bindFailures[reason])
	}
	return s
}
