// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A table counts the packets of one group by their labels. The goroutine that reads the group
// writes it, under a lock that it takes once per batch; a scrape takes a copy.
type table struct {
	schema *schema
	labels []*dto.LabelPair // of the group's own metrics
	scale  *sizeScale       // of the histogram, nil where there is none
	limits limits

	mu    sync.Mutex     // guards what follows
	names interfaceNames // nil before the first reader
	read  nflog.Stats    // by readers that are closed

	keys       *keyIndex
	generation uint64         // of names that keys were made with
	sets       []*labelSet    // sorted as series
	folded     [foldSteps]int // how many of them by step
	histograms []*histogram   // sorted as series
	pages      int            // of all histograms

	zeroed      time.Time // what does not exist counted nothing then
	unreachable int       // label sets that no packet leads to since the rules have changed
	forgotten   uint64    // packets of label sets that were forgotten
	overflowed  uint64    // those of folded ones among them

	stats      nflog.Stats
	badHeaders uint64
	lastPacket time.Time
}

// limits keep a table small.
type limits struct {
	labelSets        int           // that are not folded
	idle             time.Duration // after which a label set is forgotten; 0 for never
	deletedInterface time.Duration // after whose deletion a label set is forgotten; 0 for never
}

// interfaceNames says what interfaces are called.
type interfaceNames interface {
	Name(index uint32) string
	Generation() uint64 // moves when an answer of name may have changed
	Present() map[string]bool
}

func newTable(s *schema, scale *sizeScale, l limits) *table {
	return &table{
		schema: s,
		labels: s.groupLabels(),
		scale:  scale,
		limits: l,
		keys:   newKeyIndex(s.extras.any()),
		zeroed: time.Now(),
	}
}

// begin prepares the table for the batches of a new reader.
func (t *table) begin(names interfaceNames) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names = names
	t.read = t.stats
	t.forgetKeys()
}

// count counts the packets of a batch.
func (t *table) count(b *nflog.Batch, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.names.Generation() != t.generation {
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
	k := key{origin: p.Origin(), protocol: h.protocol}
	if t.keys.extras {
		k.extras = t.schema.extras.extract(p, h.protocol)
	}
	set := t.keys.slot(&k).set
	if set == nil {
		set = t.learn(&k, now)
	}
	set.packets++
	if h.length == 0 {
		return // it can't be known
	}
	set.bytes += uint64(h.length)
	if set.sizes != nil && set.sizes.count(h.length, t.scale.cell(h.length)) {
		t.pages++
	}
}
