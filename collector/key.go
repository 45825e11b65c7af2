// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "hash/maphash"

// A key is all of a packet that its labels are made of, as the kernel sent it. Packets of one key
// have the same labels for as long as interfaces keep their names.
type key struct {
	path   path
	prefix string
}

// A path is the part of a key that has a fixed length.
type path struct {
	inDev, outDev uint32
	protocol      protocol
	family, hook  uint8
}

// A keyIndex leads from keys to label sets. It is a hash table with open addressing: a map would
// want its key made, with a string of the prefix, for each packet.
//
// Packets pass the rules of a chain in the same order one after the other, so the key that came
// after another one last time often comes after it again, and is looked at first.
type keyIndex struct {
	seed  maphash.Seed
	slots []*keyEntry // as many as a power of two, at most half of them in use
	used  int
	last  *keyEntry // that was found last
}

type keyEntry struct {
	key  key
	set  *labelSet
	hash uint64
	next *keyEntry // that was found after this one last time, or nil
}

const minKeySlots = 64

func newKeyIndex() *keyIndex {
	x := &keyIndex{seed: maphash.MakeSeed()}
	x.clear()
	return x
}

// clear forgets all keys.
func (x *keyIndex) clear() {
	x.slots = make([]*keyEntry, minKeySlots)
	x.used = 0
	x.last = &keyEntry{}
}

// find returns the label set of a key, or nil.
func (x *keyIndex) find(p path, prefix []byte) *labelSet {
	e := x.last.next
	if e == nil || e.key.path != p || e.key.prefix != string(prefix) {
		e = *x.slot(p, prefix, x.hash(p, prefix))
		if e == nil {
			return nil
		}
		x.last.next = e
	}
	x.last = e
	return e.set
}

func (x *keyIndex) hash(p path, prefix []byte) uint64 {
	const odd1, odd2 = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f
	h := maphash.Bytes(x.seed, prefix)
	h ^= (uint64(p.inDev) | uint64(p.outDev)<<32) * odd1
	h ^= (uint64(p.protocol) | uint64(p.family)<<32 | uint64(p.hook)<<40) * odd2
	return h ^ h>>32
}

// slot returns the slot of a key, or the free one that is its place.
func (x *keyIndex) slot(p path, prefix []byte, hash uint64) **keyEntry {
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		e := x.slots[i]
		if e == nil || e.hash == hash && e.key.path == p && e.key.prefix == string(prefix) {
			return &x.slots[i]
		}
	}
}

// add makes a key that find does not know lead to a label set.
func (x *keyIndex) add(p path, prefix []byte, set *labelSet) {
	if 2*x.used >= len(x.slots) {
		x.grow()
	}
	hash := x.hash(p, prefix)
	*x.slot(p, prefix, hash) = &keyEntry{key: key{p, string(prefix)}, set: set, hash: hash}
	x.used++
}

func (x *keyIndex) grow() {
	old := x.slots
	x.slots = make([]*keyEntry, 2*len(old))
	for _, e := range old {
		if e != nil {
			*x.slot(e.key.path, []byte(e.key.prefix), e.hash) = e
		}
	}
}
