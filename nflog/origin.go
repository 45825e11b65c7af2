// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// An Origin is what all packets that one rule logs on one path have in common. Packets of the same Origin
// share a pointer to it as long as the decoder remembers the Origin, so a caller can cache whatever depends
// on the Origin alone. An Origin is immutable. The caller may keep it, including its Prefix.
type Origin struct {
	// Group is the number of the group.
	Group uint16

	// Family is the netfilter family of the hook.
	Family Family

	// Hook is the number of the hook. Its meaning depends on the family; see HookName. For ip, ip6 and
	// bridge: 0 prerouting, 1 input, 2 forward, 3 output, 4 postrouting; for ip and ip6 also 5 ingress.
	// For arp: 0 input, 1 output, 2 forward. For netdev: 0 ingress, 1 egress.
	Hook uint8

	// HWProtocol is the EtherType of the packets if it is 0x0800 (IPv4), 0x86dd (IPv6), 0x0806 (ARP), or that of
	// a VLAN tag, 0x8100 or 0x88a8. All others are one Origin, where it is 0: their senders could make tens of
	// thousands. [Packet.HWProtocol] tells them.
	HWProtocol uint16

	// Prefix is the prefix of the rule, up to 127 bytes of any value but NUL. It is empty if the rule
	// has none.
	Prefix string

	// InDev and OutDev are the indexes of the interfaces by which the packets come in and go out, in
	// the reader's network namespace. 0 means none. In family bridge they are the bridge, and
	// PhysInDev and PhysOutDev are its ports. The ports are 0 if the packets cross no bridge.
	InDev, OutDev, PhysInDev, PhysOutDev uint32

	// Index numbers the Origins of a decoder from 0. A decoder that has seen very many Origins
	// forgets all of them and starts over, so an index may later belong to another Origin.
	Index int

	head      string // bytes of its messages from struct nfgenmsg to the origin's last attribute
	hash      uint64 // of head
	templates []*template
}

// isOriginAttribute reports whether an attribute is part of the packet's origin.
func isOriginAttribute(t attributeType) bool {
	switch t {
	case attrPacketHeader, attrPrefix, attrInDev, attrOutDev, attrPhysInDev, attrPhysOutDev:
		return true
	default:
		return false
	}
}

// hwProtocolLen is the length of the EtherType, which struct nfulnl_msg_packet_hdr begins with.
const hwProtocolLen = 2

// isOwnHWProtocol reports whether packets of an EtherType have an origin of their own.
func isOwnHWProtocol(etherType uint16) bool {
	switch etherType {
	case EtherTypeIPv4, EtherTypeIPv6, EtherTypeARP, EtherTypeVLAN, EtherTypeQinQ:
		return true
	default:
		return false
	}
}

// Sizes of an originTable.
const (
	originSlots = 64 // initial number
	originLimit = 16384
	headLimit   = 1024 // bytes; a kernel's head has at most 180
)

// An originTable finds the origin of a message. It is a hash table with open addressing, keyed by bytes
// of the message. A map would need a string as its key.
type originTable struct {
	seed    maphash.Seed
	slots   []*Origin // length is a power of two; at most half are used
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

// find returns the origin of a message, or nil if its head is longer than any kernel's.
func (t *originTable) find(msg []byte, l *layout) *Origin {
	head := t.head(msg, l)
	if len(head) > headLimit {
		return nil
	}
	hash := maphash.Bytes(t.seed, head)
	slot := t.slot(hash, head)
	if *slot == nil {
		// Looked at last, to cost the others nothing.
		if !isOwnHWProtocol(binary.BigEndian.Uint16(l.value(msg, attrPacketHeader))) {
			head = t.headOfOthers(head, l)
			hash = maphash.Bytes(t.seed, head)
			if slot = t.slot(hash, head); *slot != nil {
				return *slot
			}
		}
		if t.used == originLimit {
			t.clear()
		} else if 2*t.used == len(t.slots) {
			t.grow()
		}
		slot = t.slot(hash, head)
		*slot = newOrigin(msg, l)
		(*slot).head, (*slot).hash, (*slot).Index = string(head), hash, t.used
		t.used++
	}
	return *slot
}

// headOfOthers returns a head whose EtherType has no origin of its own, with 0 in its place.
func (t *originTable) headOfOthers(head []byte, l *layout) []byte {
	at := uint32(attributesAt + attributeHeaderLen) // as head puts it, since the packet's header has the lowest type
	if l.originEnd > 0 {
		at = l.at[attrPacketHeader]
	}
	t.scratch = append(t.scratch[:0], head...)
	clear(t.scratch[at-headerLen:][:hwProtocolLen])
	return t.scratch
}

// head returns the bytes of a message that identify its origin. If they are not contiguous, it
// concatenates them in scratch.
func (t *originTable) head(msg []byte, l *layout) []byte {
	if l.originEnd > 0 {
		return msg[headerLen:l.originEnd]
	}
	t.scratch = append(t.scratch[:0], msg[headerLen:attributesAt]...)
	for typ, at := range l.at {
		if at > 0 && isOriginAttribute(attributeType(typ)) {
			t.scratch = append(t.scratch, msg[at-attributeHeaderLen:at]...)
			t.scratch = append(t.scratch, l.value(msg, attributeType(typ))...)
			t.scratch = append(t.scratch, make([]byte, align(len(t.scratch))-len(t.scratch))...)
		}
	}
	return t.scratch
}

// slot returns the slot that holds the origin of a head, or else the free slot for it.
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
	hwProtocol := binary.BigEndian.Uint16(header)
	if !isOwnHWProtocol(hwProtocol) {
		hwProtocol = 0
	}
	return &Origin{
		Group:      binary.BigEndian.Uint16(msg[headerLen+2:]),
		Family:     Family(msg[headerLen]),
		HWProtocol: hwProtocol,
		Hook:       header[2],
		Prefix:     string(bytes.TrimSuffix(l.value(msg, attrPrefix), []byte{0})),
		InDev:      device(attrInDev),
		OutDev:     device(attrOutDev),
		PhysInDev:  device(attrPhysInDev),
		PhysOutDev: device(attrPhysOutDev),
	}
}
