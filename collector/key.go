// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/bits"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A key has everything of a packet that its labels depend on. Packets with the same key have the same labels while interfaces
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
	shift     uint8      // from a hash to the index of a slot
	used      int
	recent    *[recentKeys]recentKey // where findOptional looks first; nil if no optional label is selected
}

// recentKeys is how many recent keys there are. More origins than that share them.
const recentKeys = 32

// A recentKey is the last key that was found for an origin. Most packets are like the last one of their origin, and to compare takes
// less time than to hash.
type recentKey struct {
	key
	set *labelSet
}

// A keySlot has what most look-ups need, in less than half a cache line.
type keySlot struct {
	origin   *nflog.Origin
	set      *labelSet // nil in a free slot
	protocol packet.Protocol
}

const minKeySlots = 64

func newKeyIndex(byOptional bool) *keyIndex {
	x := &keyIndex{}
	if byOptional {
		x.recent = new([recentKeys]recentKey)
	}
	x.allocate(minKeySlots, byOptional)
	return x
}

// allocate makes a number of free slots, which is a power of two.
func (x *keyIndex) allocate(slots int, byOptional bool) {
	x.slots = make([]keySlot, slots)
	x.shift = uint8(64 - bits.TrailingZeros(uint(slots)))
	if byOptional {
		x.optionals = make([]optional, slots)
	}
}

// find returns the label set of a key without optional values, or nil. The index must have no optional values.
func (x *keyIndex) find(origin *nflog.Origin, protocol packet.Protocol) *labelSet {
	mask := uint64(len(x.slots) - 1)
	for i := hash(origin, protocol) >> x.shift; ; i++ {
		s := &x.slots[i&mask]
		if s.origin == origin && s.protocol == protocol || s.set == nil {
			return s.set
		}
	}
}

// findOptional returns the label set of a key with optional values, or nil.
func (x *keyIndex) findOptional(origin *nflog.Origin, protocol packet.Protocol, o optional) *labelSet {
	recent := &x.recent[uint(origin.Index)%recentKeys]
	if recent.origin == origin && recent.protocol == protocol && recent.optional == o {
		return recent.set
	}
	set := x.search(origin, protocol, o)
	if set != nil {
		*recent = recentKey{key{origin, protocol, o}, set}
	}
	return set
}

// search is findOptional without the recent keys.
func (x *keyIndex) search(origin *nflog.Origin, protocol packet.Protocol, o optional) *labelSet {
	mask := uint64(len(x.slots) - 1)
	optionals := x.optionals[:len(x.slots)]
	for i := (hash(origin, protocol) ^ o.hash()) >> x.shift; ; i++ {
		s := &x.slots[i&mask]
		if s.set == nil || s.origin == origin && s.protocol == protocol && optionals[i&mask] == o {
			return s.set
		}
	}
}

// slot returns the index of a key's slot, or of the free one for it.
func (x *keyIndex) slot(k *key) uint64 {
	mask := uint64(len(x.slots) - 1)
	h := hash(k.origin, k.protocol)
	if len(x.optionals) > 0 {
		h ^= k.optional.hash()
	}
	for i := h >> x.shift; ; i++ {
		s := &x.slots[i&mask]
		if s.set == nil ||
			s.origin == k.origin && s.protocol == k.protocol && (len(x.optionals) == 0 || x.optionals[i&mask] == k.optional) {
			return i & mask
		}
	}
}

// hash returns a hash. Its upper bits are the best.
func hash(origin *nflog.Origin, protocol packet.Protocol) uint64 {
	return uint64(origin.Index)*0x9e3779b97f4a7c15 ^ uint64(protocol)*0xd6e8feb86659fd93
}

// add adds a key of a label set. The index must not have it yet.
func (x *keyIndex) add(k *key, set *labelSet) {
	if 2*x.used >= len(x.slots) {
		old, optionals := x.slots, x.optionals
		x.allocate(2*len(old), len(optionals) > 0)
		for i, s := range old {
			if s.set == nil {
				continue
			}
			k := key{origin: s.origin, protocol: s.protocol}
			if len(optionals) > 0 {
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
	if len(x.optionals) > 0 {
		x.optionals[i] = k.optional
	}
}

// clear removes all keys.
func (x *keyIndex) clear() { *x = *newKeyIndex(len(x.optionals) > 0) }
