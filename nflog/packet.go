// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"time"
)

// A Packet is one logged packet. It is a view of the message that the kernel built in
// __build_packet_message (net/netfilter/nfnetlink_log.c).
//
// A Packet is borrowed: the Packet and the slices that its methods return are memory of the reader, valid
// until the next call of [Reader.Receive] or [Decoder.Decode]. To keep them longer, copy a slice with
// [bytes.Clone], or the whole packet with [Packet.Attribute]. The caller may keep the Origin and all values
// that are not slices.
//
// If a packet lacks a value, ok is false or the slice is nil. Integers are in the machine's byte order.
// Interface, user and group numbers are those of the reader's namespaces.
//
// A Packet is four words, so it is passed in registers.
type Packet struct {
	msg      []byte
	template *template
}

// Origin returns what the packet has in common with other packets of its rule and path: group, family, hook,
// prefix, interfaces and usual EtherTypes. The caller may keep it.
func (p Packet) Origin() *Origin { return p.template.origin }

// HWProtocol returns the EtherType of the packet (NFULA_PACKET_HDR). Every packet has one.
func (p Packet) HWProtocol() uint16 {
	etherType, _ := p.uint16(attrPacketHeader)
	return etherType
}

func (p Packet) value(t attributeType) []byte { return p.template.layout.value(p.msg, t) }

// at returns the message from the value of an attribute to the end of the message, or nil.
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

// Bytes returns the kernel's message without its netlink header: struct nfgenmsg and all attributes, also unknown ones. This
// is a packet of LINKTYPE_NFLOG (239) in a pcap file that is written in the machine's byte order. The bytes are borrowed.
func (p Packet) Bytes() []byte { return p.msg[headerLen:] }

// Mark returns the packet's mark (NFULA_MARK). The kernel does not send a mark of 0.
func (p Packet) Mark() (mark uint32, ok bool) { return p.uint32(attrMark) }

// UID returns the user that owns the packet's socket (NFULA_UID), numbered as in the reader's user
// namespace, or 65534 if the user has no number there. Usually only packets that the host itself sends
// have a socket.
func (p Packet) UID() (uid uint32, ok bool) { return p.uint32(attrUID) }

// GID returns the user group that owns the packet's socket (NFULA_GID), numbered as in UID.
func (p Packet) GID() (gid uint32, ok bool) { return p.uint32(attrGID) }

// Seq returns the sequence number of the packet in its group (NFULA_SEQ). Numbers begin at 0 when the group
// is bound and wrap at 2³². A few packets that are logged during the binding have none.
func (p Packet) Seq() (seq uint32, ok bool) { return p.uint32(attrSeq) }

// SeqGlobal returns the sequence number of the packet in its network namespace, across all groups whose
// readers request it (NFULA_SEQ_GLOBAL), see [ReaderConfig]. It wraps at 2³². A gap does not mean loss.
func (p Packet) SeqGlobal() (seq uint32, ok bool) { return p.uint32(attrSeqGlobal) }

// Timestamp returns when the packet arrived, by the realtime clock, in microseconds (NFULA_TIMESTAMP). The
// kernel sends it only for hooks with numbers 0 to 2, so IP packets have none in output, postrouting and
// ingress. An old kernel (5.10) sends it only for packets that were timestamped on arrival.
func (p Packet) Timestamp() (t time.Time, ok bool) {
	b := p.at(attrTimestamp)
	if b == nil {
		return time.Time{}, false
	}
	sec, usec := int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	return time.Unix(sec, usec*int64(time.Microsecond)), true
}

// HWAddr returns the link layer source address of an incoming packet, 8 bytes at most, or nil
// (NFULA_HWADDR). It is borrowed.
func (p Packet) HWAddr() []byte {
	b := p.at(attrHWAddr)
	if b == nil {
		return nil
	}
	n := min(int(binary.BigEndian.Uint16(b)), 8)
	return b[4 : 4+n : 4+n]
}

// HWType returns the type of the incoming interface (NFULA_HWTYPE), ARPHRD_* of
// include/uapi/linux/if_arp.h: 1 for Ethernet.
func (p Packet) HWType() (typ uint16, ok bool) { return p.uint16(attrHWType) }

// HWLen returns the length of the incoming interface's link layer header in bytes (NFULA_HWLEN).
func (p Packet) HWLen() (n uint16, ok bool) { return p.uint16(attrHWLen) }

// HWHeader returns the link layer header of an incoming packet, or nil (NFULA_HWHEADER). It is empty if the
// link has no header. It is borrowed.
func (p Packet) HWHeader() []byte { return p.value(attrHWHeader) }

// VLANTag returns the VLAN tag that the kernel holds outside the packet, in families bridge and netdev
// (NFULA_VLAN). protocol is the tag's EtherType, 0x8100 or 0x88a8. tci is its control information: priority
// and DEI in the upper four bits, VLAN ID in the lower twelve.
func (p Packet) VLANTag() (protocol, tci uint16, ok bool) {
	if protocol, ok = p.uint16(attrVLANProtocol); !ok {
		return 0, 0, false
	}
	if tci, ok = p.uint16(attrVLANTCI); !ok {
		return 0, 0, false
	}
	return protocol, tci, true
}

// L2Header returns the layer 2 header of a packet in families bridge and netdev, or nil (NFULA_L2HDR). It
// does not contain the tag that VLANTag returns. It is borrowed.
func (p Packet) L2Header() []byte { return p.value(attrL2Header) }

// Payload returns the bytes of the packet that the kernel has copied, or nil (NFULA_PAYLOAD). They begin at
// the network header, or at the layer 2 header in the egress hook of family netdev and the output hook of
// family arp; see Network. Only the network header says how long the whole packet is. The bytes are borrowed.
func (p Packet) Payload() []byte { return p.value(attrPayload) }
