// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A table counts the packets of one group by their labels. The goroutine that reads the group
// writes it, under a lock that it takes once per batch; a scrape takes a copy.
type table struct {
	group  string
	desc   *prometheus.Desc // of the packet counter, for its labels
	bounds []uint32         // of the histogram's buckets

	// Of the reader's goroutine.
	names      interfaceNames
	generation uint64
	keys       *keyIndex
	values     map[labelValues]*labelSet
	read       nflog.Stats // by readers that are closed

	mu         sync.Mutex // guards what follows, and the counts of the label sets
	sets       []*labelSet
	stats      nflog.Stats
	badHeaders uint64
	lastPacket time.Time
}

// interfaceNames says what interfaces are called.
type interfaceNames interface {
	name(index uint32) string
	generation() uint64 // moves when an answer of name may have changed
}

// maxKeys bounds how many keys are remembered beside the label sets that they lead to: interfaces
// that come and go under the same name leave keys behind.
const maxKeys = 16384

// maxPrefix is no shorter than any prefix: NF_LOG_PREFIXLEN of include/net/netfilter/nf_log.h.
const maxPrefix = 128

func newTable(group uint16, desc *prometheus.Desc, bounds []uint32) *table {
	return &table{
		group:  strconv.Itoa(int(group)),
		desc:   desc,
		bounds: bounds,
		keys:   newKeyIndex(),
		values: make(map[labelValues]*labelSet),
	}
}

// begin prepares the table for the batches of a new reader.
func (t *table) begin(names interfaceNames) {
	t.names = names
	t.read = t.stats
	t.forgetKeys()
}

// count counts the packets of a batch.
func (t *table) count(b *nflog.Batch, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.names.generation() != t.generation {
		t.forgetKeys()
	}
	for p := range b.Packets() {
		t.countPacket(p, now)
	}
	stats := t.read.Plus(b.Stats())
	if stats.Packets != t.stats.Packets {
		t.lastPacket = now
	}
	t.stats = stats
}

func (t *table) countPacket(p nflog.Packet, now time.Time) {
	h := packetHeader(p)
	if h.bad {
		t.badHeaders++
	}
	k := key{p.Origin(), h.protocol}
	set := t.keys.slot(k).set
	if set == nil {
		set = t.learn(k, now)
	}
	set.count(h.length, t.bounds)
}

// learn returns the label set of a key that is not known, a new one if no other key has led to it.
func (t *table) learn(k key, now time.Time) *labelSet {
	values := labelValues{
		prefixLabel(k.origin.Prefix[:min(len(k.origin.Prefix), maxPrefix)]),
		familyName(k.origin.Family),
		hookName(k.origin.Family, k.origin.Hook),
		escapeLabel(t.names.name(k.origin.InDev)),
		escapeLabel(t.names.name(k.origin.OutDev)),
		k.protocol.String(),
	}
	set := t.values[values]
	if set == nil {
		set = newLabelSet(t.desc, t.group, values, now)
		t.values[values] = set
		t.sets = append(t.sets, set)
	}
	if t.keys.used == maxKeys {
		t.keys.clear()
	}
	t.keys.add(k, set)
	return set
}

// forgetKeys makes the keys lead to label sets anew, because interfaces changed their names.
func (t *table) forgetKeys() {
	t.generation = t.names.generation()
	t.keys.clear()
}

// A tableSnapshot is a copy of a table, taken between two batches: its books balance.
type tableSnapshot struct {
	sets       []*labelSet // for labels and creation time, which never change
	counts     []counts    // of sets
	stats      nflog.Stats
	badHeaders uint64
	lastPacket time.Time
}

func (t *table) snapshot() tableSnapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := tableSnapshot{
		sets:       slices.Clip(t.sets),
		counts:     make([]counts, len(t.sets)),
		stats:      t.stats,
		badHeaders: t.badHeaders,
		lastPacket: t.lastPacket,
	}
	for i, set := range t.sets {
		s.counts[i] = set.counts
	}
	return s
}
