// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"net/netip"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/nflog-exporter/nflog_exporter/collector/firewall"
	"github.com/nflog-exporter/nflog_exporter/collector/network"
	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A table counts the packets of one group by their labels. The goroutine that reads the group writes to it, and takes
// the lock once per batch. A scrape takes a copy.
type table struct {
	buckets *bucketLayout // of the histogram; nil without one
	limits  limits
	rules   *firewall.Prefixes // that the totals of prefixes are told of; guarded by the gatherer's lock

	mu          sync.Mutex // guards what follows
	labeling    *labeling
	groupLabels []*dto.LabelPair // of the metrics about the group itself
	names       interfaceNames   // nil before the first reader
	sources     *sourceCounter   // nil if nobody asks for top sources
	closedStats nflog.Stats      // of readers that are closed

	keys       *keyIndex
	generation uint64             // of names, when the keys were resolved
	sets       []*labelSet        // in no order
	overflows  [overflowSteps]int // how many of the sets are there by each step
	histograms []*histogram       // in no order
	sizeCounts int                // how many the histograms have

	setsByValues       map[string]*labelSet // by series.values
	histogramsByValues map[string]*histogram
	overflowed         map[*prefixTotal]*labelSet // by full overflow
	prefixes           prefixTotals
	joined             []byte      // for look-ups in them
	values             labelValues // for new keys

	started           time.Time // moment 0
	lastSnapshot      time.Time // the creation time of label sets made after it
	stale             int       // how many label sets are stale
	idleSearched      time.Time // when evictIdle last looked at all label sets
	forgotten         uint64    // packets of label sets that were forgotten
	forgottenOverflow uint64    // those of them that had overflowed

	stats      nflog.Stats
	malformed  uint64 // network headers
	lastPacket time.Time
}

// limits keep a table small.
type limits struct {
	labelSets        int           // without those of overflow
	idle             time.Duration // after which a label set is forgotten; 0 for never
	deletedInterface time.Duration // after whose deletion a label set is forgotten; 0 for never
}

// interfaceNames are the names and aliases of interfaces, see [ifname.Names].
type interfaceNames interface {
	Name(index uint32) string
	Alias(index uint32) string
	Generation() uint64
	Present() map[string]bool
	Networks(name string) []netip.Prefix
	FollowAddresses()
}

func newTable(l *labeling, buckets *bucketLayout, limits limits) *table {
	now := time.Now()
	t := &table{
		labeling:     l,
		groupLabels:  l.groupLabels(),
		buckets:      buckets,
		limits:       limits,
		keys:         newKeyIndex(l.optional.any()),
		started:      now,
		lastSnapshot: now,

		setsByValues:       make(map[string]*labelSet),
		histogramsByValues: make(map[string]*histogram),
		overflowed:         make(map[*prefixTotal]*labelSet),
	}
	if l.selection.has(labelPrefix) {
		t.prefixes = make(prefixTotals)
	}
	return t
}

// attach prepares the table for the batches of a new reader.
func (t *table) attach(names interfaceNames) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names = names
	t.closedStats = t.stats
	t.resolveAnew()
}

// resolveAnew makes all keys resolve again, as names or networks of interfaces have changed.
func (t *table) resolveAnew() {
	t.generation = t.names.Generation()
	if networks := t.labeling.optional.networks; networks != nil {
		networks.Follow(t.names)
	}
	t.keys.clear()
}

// followAddresses follows the addresses of interfaces, if networks of these are part of those that packets are counted by, or will
// be counted by. Nil names stand for those of the current reader. It may take a while.
func (t *table) followAddresses(names interfaceNames, next *network.Resolver) {
	t.mu.Lock()
	if names == nil {
		names = t.names
	}
	current := t.labeling.optional.networks
	t.mu.Unlock()
	for _, r := range []*network.Resolver{next, current} {
		if names != nil && r != nil && r.Set().FollowsInterfaces() {
			names.FollowAddresses()
		}
	}
}

// count counts the packets of a batch.
func (t *table) count(b *nflog.Batch, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.names.Generation() != t.generation {
		t.resolveAnew()
	}
	if networks := t.labeling.optional.networks; networks != nil {
		t.makeRoomForAddresses(networks.MakeRoom(now))
	}
	if t.sources != nil {
		t.sources.tracker.Advance(now)
	}
	for p := range b.Packets() {
		t.countPacket(p, now)
	}
	stats := t.closedStats.Plus(b.Stats())
	if stats.Packets != t.stats.Packets {
		t.lastPacket = now
	}
	t.stats = stats
}

func (t *table) countPacket(p nflog.Packet, now time.Time) {
	var h packet.Parsed
	h.Parse(p)
	if h.Malformed {
		t.malformed++
	}
	set := t.labelSet(p, &h, now)
	set.packets++
	if t.sources != nil {
		t.countSource(p, &h)
	}
	if h.Length == 0 {
		return // unknown
	}
	set.bytes += uint64(h.Length)
	if set.sizes != nil {
		t.countSize(set, h.Length)
	}
}

// countSize counts a packet in the histogram of its label set. Packets of one label set often have the same length.
func (t *table) countSize(set *labelSet, length uint32) {
	if length != set.lastLength {
		set.lastLength, set.lastTag = length, sizeTag(t.buckets.index(length)+1)
	}
	if n := set.sizes.first(set.lastTag); n.tag() == set.lastTag {
		*n++
	} else {
		t.sizeCounts += set.sizes.count(set.lastTag)
	}
}

// labelSet returns the label set of a packet and its headers.
func (t *table) labelSet(p nflog.Packet, h *packet.Parsed, now time.Time) *labelSet {
	origin := p.Origin()
	if len(t.keys.optionals) == 0 {
		if set := t.keys.find(origin, h.Protocol); set != nil {
			return set
		}
		return t.resolve(&key{origin: origin, protocol: h.Protocol}, now)
	}
	o := t.labeling.optional.extract(p, h)
	if set := t.keys.findOptional(origin, h.Protocol, o); set != nil {
		return set
	}
	return t.resolve(&key{origin, h.Protocol, o}, now)
}
