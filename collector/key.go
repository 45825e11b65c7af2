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
	byOptional bool      // keys differ in their optional values, too
	slots      []keySlot // a power of two, at most half of them in use
	used       int
}

type keySlot struct {
	key key
	set *labelSet // nil in a free slot
}

const minKeySlots = 64

func newKeyIndex(byOptional bool) *keyIndex {
	return &keyIndex{byOptional: byOptional, slots: make([]keySlot, minKeySlots)}
}

// slot returns the slot of a key, or the free one for it.
func (x *keyIndex) slot(k *key) *keySlot {
	mask := uint32(len(x.slots) - 1)
	h := uint32(k.origin.Index)*0x9e3779b1 ^ uint32(k.protocol)*0x85ebca77
	if x.byOptional {
		h ^= k.optional.hash()
	}
	for i := h >> 16; ; i++ {
		s := &x.slots[i&mask]
		if s.set == nil ||
			s.key.origin == k.origin && s.key.protocol == k.protocol && (!x.byOptional || s.key.optional == k.optional) {
			return s
		}
	}
}

// add makes a new key lead to a label set.
func (x *keyIndex) add(k *key, set *labelSet) {
	if 2*x.used >= len(x.slots) {
		old := x.slots
		x.slots = make([]keySlot, 2*len(old))
		for i := range old {
			if s := &old[i]; s.set != nil {
				*x.slot(&s.key) = *s
			}
		}
	}
	*x.slot(k) = keySlot{*k, set}
	x.used++
}

// clear removes all keys.
func (x *keyIndex) clear() { *x = *newKeyIndex(x.byOptional) }
