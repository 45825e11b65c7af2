// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"time"
)

// A Packet is a view of one logged packet, as the message that the kernel built of it in
// __build_packet_message (net/netfilter/nfnetlink_log.c) describes it.
//
// It borrows the memory of the reader that it came from: the Packet and every slice that its
// methods return are good until the next call of [Reader.Receive]. Copy what has to live longer.
//
// It is four words, so that it passes in registers.
type Packet struct {
	msg   []byte
	shape *shape
}

// Origin returns what the packet has in common with others of its rule and path. It is not
// borrowed: it may be kept.
func (p Packet) Origin() *Origin { return p.shape.origin }

func (p Packet) value(t attributeType) []byte { return p.shape.layout.value(p.msg, t) }

// at returns the message from the value of an attribute on, or nil.
func (p Packet) at(t attributeType) []byte {
	o := p.shape.layout.at[t]
	if o == 0 {
		return nil
	}
	return p.msg[o:]
}

func (p Packet) uint32(t attributeType) (uint32, bool) {
	b := p.at(t)
	if b == nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(b), true
}

func (p Packet) uint16(t attributeType) (uint16, bool) {
	b := p.at(t)
	if b == nil {
		return 0, false
	}
	return binary.BigEndian.Uint16(b), true
}

// Mark returns the packet's mark. The kernel sends none that is 0.
func (p Packet) Mark() (mark uint32, ok bool) { return p.uint32(attrMark) }

// UID returns the user that owns the packet's socket, as the reader's user namespace numbers it
// (65534 for one that has no number there).
func (p Packet) UID() (uid uint32, ok bool) { return p.uint32(attrUID) }

// GID returns the group that owns the packet's socket, numbered as in UID.
func (p Packet) GID() (gid uint32, ok bool) { return p.uint32(attrGID) }

// Seq returns the number of the packet in its group, counted from 0 at the binding.
func (p Packet) Seq() (seq uint32, ok bool) { return p.uint32(attrSeq) }

// SeqGlobal returns the number of the packet in its network namespace, over all groups.
func (p Packet) SeqGlobal() (seq uint32, ok bool) { return p.uint32(attrSeqGlobal) }

// Timestamp returns when the packet arrived, by the realtime clock. The kernel sends it for hooks
// of numbers 0 to 2 only, so IP packets have none at the hooks output, postrouting and ingress.
func (p Packet) Timestamp() (t time.Time, ok bool) {
	b := p.at(attrTimestamp)
	if b == nil {
		return time.Time{}, false
	}
	sec, usec := int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	return time.Unix(sec, usec*int64(time.Microsecond)), true
}

// HWAddr returns the link layer's source address, 8 bytes at most, or nil.
func (p Packet) HWAddr() []byte {
	b := p.at(attrHWAddr)
	if b == nil {
		return nil
	}
	n := min(int(binary.BigEndian.Uint16(b)), 8)
	return b[4 : 4+n : 4+n]
}

// HWType returns the type of the interface that the packet came in by, ARPHRD_* of
// include/uapi/linux/if_arp.h.
func (p Packet) HWType() (typ uint16, ok bool) { return p.uint16(attrHWType) }

// HWLen returns the length of that interface's link layer header in bytes.
func (p Packet) HWLen() (n uint16, ok bool) { return p.uint16(attrHWLen) }

// HWHeader returns the link layer header that the packet came in with, or nil.
func (p Packet) HWHeader() []byte { return p.value(attrHWHeader) }

// VLANTag returns the tag that the kernel holds beside the packet, in the families bridge and
// netdev: the EtherType of the tag (0x8100 or 0x88a8) and its control information, priority in
// the upper four bits and VLAN id in the lower twelve.
func (p Packet) VLANTag() (protocol, tci uint16, ok bool) {
	protocol, hasProtocol := p.uint16(attrVLANProtocol)
	tci, hasTCI := p.uint16(attrVLANTCI)
	if !hasProtocol || !hasTCI {
		return 0, 0, false
	}
	return protocol, tci, true
}

// L2Header returns the layer 2 header of a packet of the families bridge and netdev, or nil. A
// tag that VLANTag tells is not in it.
func (p Packet) L2Header() []byte { return p.value(attrL2Header) }

// Payload returns as many bytes of the packet as were copied. They begin at its network header;
// in the netdev family's egress hook and ARP's output hook, at its layer 2 header.
func (p Packet) Payload() []byte { return p.value(attrPayload) }
