// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// An Origin is what the packets that one rule logs on one path have in common. Packets of the same
// Origin share a pointer to it, for as long as the decoder remembers it, so that what depends on it
// alone need not be worked out for each packet. It never changes, and is the caller's to keep, its
// Prefix too.
type Origin struct {
	// Group is the number of the group.
	Group uint16

	// Family is the netfilter family of the hook, NFPROTO_* of include/uapi/linux/netfilter.h:
	// 2 (ip), 3 (arp), 5 (netdev), 7 (bridge) or 10 (ip6).
	Family uint8

	// Hook is the number of the hook, whose meaning depends on the family. In ip, ip6 and bridge it
	// is 0 prerouting, 1 input, 2 forward, 3 output or 4 postrouting, and 5 is ingress of ip and ip6;
	// in arp 0 input, 1 output or 2 forward; in netdev 0 ingress or 1 egress.
	Hook uint8

	// HWProtocol is the EtherType of the packets: 0x0800 for IPv4, 0x86dd for IPv6.
	HWProtocol uint16

	// Prefix is the prefix of the rule: up to 127 bytes, of any value but NUL. It is empty where the
	// rule has none.
	Prefix string

	// InDev and OutDev are the indexes of the interfaces that the packets come in and leave by, in
	// the reader's network namespace; 0, which is no interface's, where they don't. In the family
	// bridge they are the bridge, while PhysInDev and PhysOutDev are its ports; those are 0 where no
	// bridge has to do with the packets.
	InDev, OutDev, PhysInDev, PhysOutDev uint32

	// OriginIndex numbers the Origins of a decoder from 0. A decoder that has met very many forgets
	// them all and begins anew, so that an index comes to be that of another Origin.
	OriginIndex int

	head   string // the bytes of its messages from struct nfgenmsg on to the last of its attributes
	hash   uint64 // of head
	shapes []*shape
}

// originAttribute reports whether an attribute belongs to a packet's origin.
func originAttribute(t attributeType) bool {
	switch t {
	case attrPacketHeader, attrPrefix, attrInDev, attrOutDev, attrPhysInDev, attrPhysOutDev:
		return true
	default:
		return false
	}
}

// Sizes of an originTable.
const (
	originSlots = 64 // at first
	originLimit = 16384
	headLimit   = 1024 // bytes of a head; a kernel makes 180
)

// An originTable remembers origins. It is a hash table with open addressing, by the bytes of the
// message: a map would want a string of them.
type originTable struct {
	seed    maphash.Seed
	slots   []*Origin // as many as a power of two, at most half of them in use
	used    int
	scratch []byte
}

func newOriginTable() originTable {
	t := originTable{seed: maphash.MakeSeed()}
	t.clear()
	return t
}

func (t *originTable) clear() {
	t.slots = make([]*Origin, originSlots)
	t.used = 0
}

// find returns the origin of a message, or nil where that is of a length that no kernel makes.
func (t *originTable) find(msg []byte, l *layout) *Origin {
	head := t.head(msg, l)
	if len(head) > headLimit {
		return nil
	}
	hash := maphash.Bytes(t.seed, head)
	slot := t.slot(hash, head)
	if *slot == nil {
		if t.used == originLimit {
			t.clear()
		} else if 2*t.used == len(t.slots) {
			t.grow()
		}
		slot = t.slot(hash, head)
		*slot = newOrigin(msg, l)
		(*slot).head, (*slot).hash, (*slot).OriginIndex = string(head), hash, t.used
		t.used++
	}
	return *slot
}

// head returns the bytes of a message that tell its origin, put in one piece where they are not.
func (t *originTable) head(msg []byte, l *layout) []byte {
	if l.originTo > 0 {
		return msg[headerLen:l.originTo]
	}
	t.scratch = append(t.scratch[:0], msg[headerLen:attributesAt]...)
	for typ, at := range l.at {
		if at > 0 && originAttribute(attributeType(typ)) {
			t.scratch = append(t.scratch, msg[at-attributeHeaderLen:at]...)
			t.scratch = append(t.scratch, l.value(msg, attributeType(typ))...)
			t.scratch = append(t.scratch, make([]byte, align(len(t.scratch))-len(t.scratch))...)
		}
	}
	return t.scratch
}

// slot returns the slot of a head, or the free one that is its place.
func (t *originTable) slot(hash uint64, head []byte) **Origin {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		o := t.slots[i]
		if o == nil || o.hash == hash && o.head == string(head) {
			return &t.slots[i]
		}
	}
}

func (t *originTable) grow() {
	old := t.slots
	t.slots = make([]*Origin, 2*len(old))
	for _, o := range old {
		if o != nil {
			*t.slot(o.hash, []byte(o.head)) = o
		}
	}
}

func newOrigin(msg []byte, l *layout) *Origin {
	header := l.value(msg, attrPacketHeader)
	device := func(t attributeType) uint32 {
		if v := l.value(msg, t); v != nil {
			return binary.BigEndian.Uint32(v)
		}
		return 0
	}
	return &Origin{
		Group:      binary.BigEndian.Uint16(msg[headerLen+2:]),
		Family:     msg[headerLen],
		HWProtocol: binary.BigEndian.Uint16(header),
		Hook:       header[2],
		Prefix:     string(bytes.TrimSuffix(l.value(msg, attrPrefix), []byte{0})),
		InDev:      device(attrInDev),
		OutDev:     device(attrOutDev),
		PhysInDev:  device(attrPhysInDev),
		PhysOutDev: device(attrPhysOutDev),
	}
}
