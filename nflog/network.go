// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "encoding/binary"

// A Network is a packet's network layer: where it begins, and how long the packet is there.
type Network struct {
	// EtherType is the EtherType of the network header, such as EtherTypeIPv4. It is that of a VLAN
	// tag if more than two tags precede the header, or if the copy ends in a tag. Header is nil in the last case.
	EtherType uint16

	// Header is the packet from its network header on, as far as the kernel has copied it. What follows Length is
	// padding of the link layer. It is borrowed, like the packet.
	Header []byte

	// Length is the length of the whole packet in bytes, from the network header on, however much was copied:
	//
	//   - the total length of IPv4
	//   - the payload length of IPv6 plus 40, or that of its jumbo payload option (RFC 2675)
	//   - the length of an ARP packet by the lengths of its addresses
	//
	// It is 0 if it is unknown: the packet has another EtherType, the header was not copied, or the kernel
	// has not set the length yet (of some packets larger than 64 KiB).
	Length uint32

	// Malformed is set if the header contradicts itself, or has a length that no packet has. Length is 0 then.
	// A header that was not copied whole is not malformed.
	Malformed bool

	// Tagged is set if the packet has a VLAN tag. VLAN is the ID of the outer one, which the kernel holds outside the
	// packet, see Packet.VLANTag, or else in it.
	Tagged bool
	VLAN   uint16
}

// EtherTypes, of Network.EtherType and Packet.HWProtocol: ETH_P_* of include/uapi/linux/if_ether.h.
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeVLAN = 0x8100 // IEEE 802.1Q
	EtherTypeIPv6 = 0x86dd
	EtherTypeQinQ = 0x88a8 // IEEE 802.1ad
)

const (
	ethernetHeaderLen = 14
	vlanTagLen        = 4
	ipv4HeaderLen     = 20
	ipv6HeaderLen     = 40
	arpHeaderLen      = 8

	vlanIDMask = 1<<12 - 1 // the rest of a tag's control information is priority and DEI

	// maxLength is more than the length of any packet in Linux: that of an aggregate is GSO_MAX_SIZE of
	// include/linux/netdevice.h at most, 8 * 65535 (BIG TCP).
	maxLength = 512 << 10
)

// Next headers of IPv6 that tell the length of a packet whose payload length is 0.
const (
	ipv6HopByHop = 0
	ipv6NoNext   = 59
)

// Hooks at which the kernel copies a packet from its link layer header on: NF_NETDEV_EGRESS of
// include/uapi/linux/netfilter.h and NF_ARP_OUT of netfilter_arp.h.
const (
	netdevEgress = 1
	arpOutput    = 1
)

// Network returns the packet's network layer. Unlike Payload, it always begins at the network header.
func (p Packet) Network() Network {
	var n Network
	switch o := p.Origin(); {
	case o.Family == FamilyNetdev && o.Hook == netdevEgress:
		n.EtherType, n.Header = skipLink(p.HWProtocol(), p.L2Header(), p.Payload())
	case o.Family == FamilyARP && o.Hook == arpOutput:
		n.EtherType, n.Header = skipLinkOfARP(p.Payload())
	default:
		n.EtherType, n.Header = p.HWProtocol(), p.Payload()
	}
	if isTag(n.EtherType) {
		n.skipTags()
	}
	if _, tci, ok := p.VLANTag(); ok {
		n.Tagged, n.VLAN = true, tci&vlanIDMask
	}
	n.setLength()
	return n
}

// skipTags skips up to two VLAN tags. If the copy ends in one, nothing is left.
func (n *Network) skipTags() {
	if len(n.Header) >= 2 {
		n.Tagged, n.VLAN = true, binary.BigEndian.Uint16(n.Header)&vlanIDMask
	}
	n.EtherType, n.Header, _ = skipTags(n.EtherType, n.Header)
}

// setLength sets Length and Malformed.
func (n *Network) setLength() {
	length, ok := uint32(0), true
	switch n.EtherType {
	case EtherTypeIPv4:
		length, ok = ipv4Length(n.Header)
	case EtherTypeIPv6:
		length, ok = ipv6Length(n.Header)
	case EtherTypeARP:
		length = arpLength(n.Header)
	}
	n.Length, n.Malformed = length, !ok
}

// ipv4Length returns the length of an IPv4 packet (RFC 791, section 3.1), or 0. ok is false if the header is malformed.
func ipv4Length(b []byte) (length uint32, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	headerLen := uint32(b[0]&0xf) * 4
	if b[0]>>4 != 4 || headerLen < ipv4HeaderLen {
		return 0, false
	}
	if len(b) < 4 {
		return 0, true
	}
	length = uint32(binary.BigEndian.Uint16(b[2:]))
	if length != 0 && length < headerLen {
		return 0, false
	}
	return length, true
}

// ipv6Length returns the length of an IPv6 packet (RFC 8200, section 3), or 0. ok is false if the header is malformed.
func ipv6Length(b []byte) (length uint32, ok bool) {
	if len(b) > 0 && b[0]>>4 != 6 {
		return 0, false
	}
	if len(b) < 6 {
		return 0, true
	}
	if n := binary.BigEndian.Uint16(b[4:]); n != 0 {
		return ipv6HeaderLen + uint32(n), true
	}
	switch {
	case len(b) < 7:
		return 0, true
	case b[6] == ipv6NoNext:
		return ipv6HeaderLen, true
	case b[6] == ipv6HopByHop:
		jumbo := jumboLength(b)
		if jumbo > maxLength {
			return 0, false
		}
		return uint32(jumbo), true
	default:
		return 0, true
	}
}

// arpLength returns the length of an ARP packet (RFC 826), or 0.
func arpLength(b []byte) uint32 {
	if len(b) < 6 {
		return 0
	}
	return arpHeaderLen + 2*(uint32(b[4])+uint32(b[5]))
}

// jumboLength returns the length of a packet with the jumbo payload option of RFC 2675 among its
// hop-by-hop options, or 0. It can be longer than any packet: at ingress and on a bridge, nobody has checked it.
func jumboLength(b []byte) uint64 {
	const pad1, jumbo = 0x00, 0xc2
	if len(b) < ipv6HeaderLen+2 {
		return 0
	}
	options := b[ipv6HeaderLen:]
	options = options[2:min((int(options[1])+1)*8, len(options))]
	for len(options) > 0 {
		if options[0] == pad1 {
			options = options[1:]
			continue
		}
		if len(options) < 2 {
			return 0
		}
		n := int(options[1])
		if len(options) < 2+n {
			return 0
		}
		if options[0] == jumbo && n == 4 {
			if length := binary.BigEndian.Uint32(options[2:]); length > 0 {
				return ipv6HeaderLen + uint64(length)
			}
			return 0
		}
		options = options[2+n:]
	}
	return 0
}
