// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "github.com/nflog-exporter/nflog_exporter/nflog"

// A key is all of a packet that its labels are made of. Packets of one key have the same labels for
// as long as interfaces keep their names; packets of several keys may have them, too.
type key struct {
	origin   *nflog.Origin
	protocol protocol
	extras   extras // zero where no extra label is chosen
}

// A keyIndex leads from keys to label sets. It is a hash table with open addressing, at a third of
// the cost of a map.
type keyIndex struct {
	extras bool      // keys differ by their extras, too
	slots  []keySlot // as many as a power of two, at most half of them in use
	used   int
}

type keySlot struct {
	key key
	set *labelSet // nil in a free slot
}

const minKeySlots = 64

func newKeyIndex(extras bool) *keyIndex {
	return &keyIndex{extras: extras, slots: make([]keySlot, minKeySlots)}
}

// slot returns the slot of a key, or the free one that is its place.
func (x *keyIndex) slot(k *key) *keySlot {
	mask := uint32(len(x.slots) - 1)
	h := uint32(k.origin.OriginIndex)*0x9e3779b1 ^ uint32(k.protocol)*0x85ebca77
	if x.extras {
		h ^= k.extras.hash()
	}
	for i := h >> 16; ; i++ {
		s := &x.slots[i&mask]
		if s.set == nil ||
			s.key.origin == k.origin && s.key.protocol == k.protocol && (!x.extras || s.key.extras == k.extras) {
			return s
		}
	}
}

// add makes a key that has no slot yet lead to a label set.
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

// clear forgets all keys.
func (x *keyIndex) clear() { *x = *newKeyIndex(x.extras) }
