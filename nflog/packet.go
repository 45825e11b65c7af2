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
// It is borrowed: the Packet, and every slice that its methods return, are the memory of the reader
// that it came from, good until the next call of [Reader.Receive] (or [Decoder.Decode]). What has to live
// longer has to be copied, a slice by [bytes.Clone], all of the packet by [Packet.Attribute]. The
// Origin and what is no slice are the caller's to keep.
//
// Where a packet lacks a value, ok is false or the slice is nil. All integers are as the machine has
// them, and devices, users and groups are numbers of the reader's namespaces.
//
// A Packet is four words, so that it passes in registers.
type Packet struct {
	msg      []byte
	template *template
}

// Origin returns what the packet has in common with others of its rule and path: group, family, hook,
// prefix, devices, EtherType. It is not borrowed: it may be kept.
func (p Packet) Origin() *Origin { return p.template.origin }

func (p Packet) value(t attributeType) []byte { return p.template.layout.value(p.msg, t) }

// at returns the message from the value of an attribute on, or nil.
func (p Packet) at(t attributeType) []byte {
	o := p.template.layout.at[t]
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

// Mark returns the packet's mark (NFULA_MARK). The kernel sends none that is 0.
func (p Packet) Mark() (mark uint32, ok bool) { return p.uint32(attrMark) }

// UID returns the user that owns the packet's socket, as the reader's user namespace numbers it,
// 65534 for one that has no number there (NFULA_UID). Few packets but those that the host itself
// sends have a socket.
func (p Packet) UID() (uid uint32, ok bool) { return p.uint32(attrUID) }

// GID returns the group of users that owns the packet's socket, numbered as in UID (NFULA_GID).
func (p Packet) GID() (gid uint32, ok bool) { return p.uint32(attrGID) }

// Seq returns the number of the packet in its group, counted from 0 at the binding, modulo 2³²
// (NFULA_SEQ). A few packets that come while the group is bound have none.
func (p Packet) Seq() (seq uint32, ok bool) { return p.uint32(attrSeq) }

// SeqGlobal returns the number of the packet in its network namespace, over all groups whose readers
// ask for it, modulo 2³² (NFULA_SEQ_GLOBAL): see [ReaderConfig]. A gap is no loss.
func (p Packet) SeqGlobal() (seq uint32, ok bool) { return p.uint32(attrSeqGlobal) }

// Timestamp returns when the packet arrived, by the realtime clock, to the microsecond
// (NFULA_TIMESTAMP). The kernel sends it for hooks of numbers 0 to 2 only, so IP packets have none at
// the hooks output, postrouting and ingress; an old one (5.10), only of packets that were stamped.
func (p Packet) Timestamp() (t time.Time, ok bool) {
	b := p.at(attrTimestamp)
	if b == nil {
		return time.Time{}, false
	}
	sec, usec := int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	return time.Unix(sec, usec*int64(time.Microsecond)), true
}

// HWAddr returns the link layer's source address of a packet that came in, 8 bytes at most, or nil
// (NFULA_HWADDR). It is borrowed.
func (p Packet) HWAddr() []byte {
	b := p.at(attrHWAddr)
	if b == nil {
		return nil
	}
	n := min(int(binary.BigEndian.Uint16(b)), 8)
	return b[4 : 4+n : 4+n]
}

// HWType returns the type of the interface that the packet came in by (NFULA_HWTYPE), ARPHRD_* of
// include/uapi/linux/if_arp.h: 1 for Ethernet.
func (p Packet) HWType() (typ uint16, ok bool) { return p.uint16(attrHWType) }

// HWLen returns the length of the link layer header of the interface that the packet came in by, in
// bytes (NFULA_HWLEN).
func (p Packet) HWLen() (n uint16, ok bool) { return p.uint16(attrHWLen) }

// HWHeader returns the link layer header that the packet came in with, or nil (NFULA_HWHEADER). It is
// empty where the link has none. It is borrowed.
func (p Packet) HWHeader() []byte { return p.value(attrHWHeader) }

// VLANTag returns the tag that the kernel holds beside the packet, in the families bridge and
// netdev (NFULA_VLAN): the EtherType of the tag (0x8100 or 0x88a8) and its control information,
// priority in the upper four bits and VLAN id in the lower twelve.
func (p Packet) VLANTag() (protocol, tci uint16, ok bool) {
	protocol, hasProtocol := p.uint16(attrVLANProtocol)
	tci, hasTCI := p.uint16(attrVLANTCI)
	if !hasProtocol || !hasTCI {
		return 0, 0, false
	}
	return protocol, tci, true
}

// L2Header returns the layer 2 header of a packet of the families bridge and netdev, or nil
// (NFULA_L2HDR). A tag that VLANTag tells is not in it. It is borrowed.
func (p Packet) L2Header() []byte { return p.value(attrL2Header) }

// Payload returns as many bytes of the packet as were copied, or nil (NFULA_PAYLOAD). They begin at its
// network header; in the netdev family's egress hook and ARP's output hook, at its layer 2 header. The
// packet's whole length is in that header alone. They are borrowed.
func (p Packet) Payload() []byte { return p.value(attrPayload) }
