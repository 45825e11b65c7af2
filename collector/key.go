// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A key is all of a packet that its labels depend on. Packets with the same key have the same labels while interfaces
// keep their names. Packets with different keys can have the same labels, too.
type key struct {
	origin   *nflog.Origin
	protocol packet.Protocol
	optional optional // zero if no optional label is selected
}

// A keyIndex finds label sets by key. It is a hash table with open addressing, at a third of the cost of a map.
type keyIndex struct {
	slots     []keySlot  // a power of two, at most half of them in use
	optionals []optional // of the keys in the slots; nil if no optional label is selected
	used      int
}

// A keySlot is what most look-ups need, in less than half a cache line.
type keySlot struct {
	origin   *nflog.Origin
	set      *labelSet // nil in a free slot
	protocol packet.Protocol
}

const minKeySlots = 64

func newKeyIndex(byOptional bool) *keyIndex {
	x := &keyIndex{}
	x.allocate(minKeySlots, byOptional)
	return x
}

func (x *keyIndex) allocate(slots int, byOptional bool) {
	x.slots = make([]keySlot, slots)
	if byOptional {
		x.optionals = make([]optional, slots)
	}
}

// find returns the label set of a key without optional values, or nil.
func (x *keyIndex) find(origin *nflog.Origin, protocol packet.Protocol) *labelSet {
	mask := uint32(len(x.slots) - 1)
	for i := hash(origin, protocol); ; i++ {
		s := &x.slots[i&mask]
		if s.origin == origin && s.protocol == protocol || s.set == nil {
			return s.set
		}
	}
}

// findOptional returns the label set of a key, or nil.
func (x *keyIndex) findOptional(k *key) *labelSet {
	mask := uint32(len(x.slots) - 1)
	optionals := x.optionals[:len(x.slots)]
	for i := hash(k.origin, k.protocol) ^ k.optional.hash(); ; i++ {
		s := &x.slots[i&mask]
		if s.set == nil || s.origin == k.origin && s.protocol == k.protocol && optionals[i&mask] == k.optional {
			return s.set
		}
	}
}

func hash(origin *nflog.Origin, protocol packet.Protocol) uint32 {
	return (uint32(origin.Index)*0x9e3779b1 ^ uint32(protocol)*0x85ebca77) >> 16
}

// slot returns the index of a key's slot, or of the free one for it.
func (x *keyIndex) slot(k *key) uint32 {
	mask := uint32(len(x.slots) - 1)
	i := hash(k.origin, k.protocol)
	if x.optionals != nil {
		i ^= k.optional.hash()
	}
	for ; ; i++ {
		s := &x.slots[i&mask]
		if s.set == nil ||
			s.origin == k.origin && s.protocol == k.protocol && (x.optionals == nil || x.optionals[i&mask] == k.optional) {
			return i & mask
		}
	}
}

// add makes a new key lead to a label set.
func (x *keyIndex) add(k *key, set *labelSet) {
	if 2*x.used >= len(x.slots) {
		old, optionals := x.slots, x.optionals
		x.allocate(2*len(old), optionals != nil)
		for i, s := range old {
			if s.set == nil {
				continue
			}
			k := key{origin: s.origin, protocol: s.protocol}
			if optionals != nil {
				k.optional = optionals[i]
			}
			x.put(&k, s.set)
		}
	}
	x.put(k, set)
	x.used++
}

func (x *keyIndex) put(k *key, set *labelSet) {
	i := x.slot(k)
	x.slots[i] = keySlot{k.origin, set, k.protocol}
	if x.optionals != nil {
		x.optionals[i] = k.optional
	}
}

// clear removes all keys.
func (x *keyIndex) clear() { *x = *newKeyIndex(x.optionals != nil) }
