// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/binary"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// EtherTypes, include/uapi/linux/if_ether.h.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherVLAN = 0x8100 // IEEE 802.1Q
	etherIPv6 = 0x86dd
	etherQinQ = 0x88a8 // IEEE 802.1ad
)

const (
	ethernetLen = 14
	vlanTagLen  = 4
	ipv4Len     = 20
	ipv6Len     = 40
	arpLen      = 8
)

// A header is what a packet's network header tells.
type header struct {
	protocol protocol
	length   uint32 // of the packet at the network layer, in bytes; 0 where it can't be known
	bad      bool   // the header contradicts itself; one that was not copied whole does not
}

// Hooks at which the kernel copies a packet from its link layer header on, NF_NETDEV_EGRESS and
// NF_ARP_OUT of include/uapi/linux/netfilter.h and netfilter_arp.h.
const (
	netdevEgress = 1
	arpOutput    = 1
)

// packetHeader decodes the network header of a packet.
func packetHeader(p nflog.Packet) header {
	o := p.Origin()
	if beginsAtLink(o) {
		return decodeHeader(behindLink(p))
	}
	return decodeHeader(o.HWProtocol, p.Payload())
}

// beginsAtLink reports whether what was copied of packets begins at their link layer header.
func beginsAtLink(o *nflog.Origin) bool {
	return o.Family == familyNetdev && o.Hook == netdevEgress || o.Family == familyARP && o.Hook == arpOutput
}

// behindLink returns what was copied of such a packet behind its link layer header, and its EtherType.
func behindLink(p nflog.Packet) (etherType uint16, b []byte) {
	o := p.Origin()
	if o.Family == familyARP {
		return skipLinkOfARP(p.Payload())
	}
	return skipLink(o.HWProtocol, p.L2Header(), p.Payload())
}

// skipLink skips the link layer header that b begins with, of which linkHeader is a copy where the
// kernel sent one: not where there is none.
func skipLink(etherType uint16, linkHeader, b []byte) (uint16, []byte) {
	if isTag(etherType) && len(linkHeader) >= ethernetLen {
		// The kernel may take tags for a part of the link layer header or not.
		if len(b) < ethernetLen {
			return etherType, nil
		}
		return binary.BigEndian.Uint16(b[ethernetLen-2:]), b[ethernetLen:]
	}
	return etherType, b[min(len(linkHeader), len(b)):]
}

// skipLinkOfARP skips the link layer header before ARP, of which the kernel sends no copy. It tells
// its own end if it is Ethernet's.
func skipLinkOfARP(b []byte) (etherType uint16, _ []byte) {
	if len(b) >= ethernetLen {
		etherType, behind := binary.BigEndian.Uint16(b[ethernetLen-2:]), b[ethernetLen:]
		if inner, _, ok := skipTags(etherType, behind); ok && inner == etherARP {
			return etherType, behind
		}
	}
	return etherARP, nil
}

// decodeHeader decodes the beginning of a packet that begins at its network header, or at the tag that
// its EtherType tells.
func decodeHeader(etherType uint16, b []byte) header {
	if etherType == etherIPv4 {
		return decodeIPv4(b)
	}
	etherType, b, ok := skipTags(etherType, b)
	if !ok {
		return header{protocol: protocolUnknown}
	}
	switch etherType {
	case etherIPv4:
		return decodeIPv4(b)
	case etherIPv6:
		return decodeIPv6(b)
	case etherARP:
		return decodeARP(b)
	default:
		return header{protocol: protocolEtherType | protocol(etherType)}
	}
}

// skipTags skips up to two VLAN tags, or reports that one was not copied whole.
func skipTags(etherType uint16, b []byte) (_ uint16, _ []byte, ok bool) {
	for range 2 {
		if !isTag(etherType) {
			break
		}
		if len(b) < vlanTagLen {
			return etherType, nil, false
		}
		etherType, b = binary.BigEndian.Uint16(b[2:]), b[vlanTagLen:]
	}
	return etherType, b, true
}

func isTag(etherType uint16) bool { return etherType == etherVLAN || etherType == etherQinQ }

// decodeIPv4 follows RFC 791, section 3.1.
func decodeIPv4(b []byte) header {
	const versionIHL = 4<<4 | ipv4Len/4
	if len(b) < 4 {
		return header{protocol: protocolUnknown, bad: len(b) > 0 && (b[0] < versionIHL || b[0] > versionIHL|0xf)}
	}
	length := uint32(binary.BigEndian.Uint16(b[2:]))
	if b[0] < versionIHL || b[0] > versionIHL|0xf || length != 0 && length < uint32(b[0]&0xf)*4 {
		return header{protocol: protocolUnknown, bad: true}
	}
	if len(b) < 10 {
		return header{protocol: protocolUnknown, length: length}
	}
	return header{protocol: protocol(b[9]), length: length}
}

// decodeARP follows RFC 826.
func decodeARP(b []byte) header {
	h := header{protocol: protocolARP}
	if len(b) >= 6 {
		h.length = arpLen + 2*(uint32(b[4])+uint32(b[5]))
	}
	return h
}

// Extension headers of IPv6, and what ends them.
const (
	ipv6HopByHop    = 0
	ipv6Routing     = 43
	ipv6Fragment    = 44
	ipv6Auth        = 51
	ipv6NoNext      = 59
	ipv6Destination = 60
)

// decodeIPv6 follows RFC 8200, section 3.
func decodeIPv6(b []byte) header {
	h := header{protocol: protocolUnknown}
	if len(b) > 0 && b[0]>>4 != 6 {
		h.bad = true
		return h
	}
	if len(b) >= 6 {
		if n := binary.BigEndian.Uint16(b[4:]); n != 0 {
			h.length = ipv6Len + uint32(n)
		}
	}
	if len(b) < 7 {
		return h
	}
	next := b[6]
	if h.length == 0 {
		switch next {
		case ipv6NoNext:
			h.length = ipv6Len
		case ipv6HopByHop:
			h.length = jumboLength(b)
		}
	}
	h.protocol, _ = upperLayer(next, b[min(ipv6Len, len(b)):])
	return h
}

// upperLayer walks the extension headers in b, of which next tells the first, as the kernel's
// ipv6_find_hdr (net/ipv6/exthdrs_core.c) does. It returns the transport protocol and what was
// copied from its header on; of a later fragment, which has none, nil.
func upperLayer(next byte, b []byte) (protocol, []byte) {
	for {
		length := 0
		switch next {
		case ipv6HopByHop, ipv6Routing, ipv6Destination:
			if len(b) >= 2 {
				length = (int(b[1]) + 1) * 8
			}
		case ipv6Auth:
			if len(b) >= 2 {
				length = (int(b[1]) + 2) * 4
			}
		case ipv6Fragment:
			if len(b) >= 4 {
				length = 8
				if binary.BigEndian.Uint16(b[2:])&^7 != 0 {
					return laterFragment(b[0]), nil
				}
			}
		default:
			return protocol(next), b
		}
		if length == 0 {
			return protocolUnknown, nil
		}
		next, b = b[0], b[min(length, len(b)):]
	}
}

// laterFragment returns the protocol of a packet whose fragment header is followed by none, as next
// is in the first fragment.
func laterFragment(next byte) protocol {
	switch next {
	case ipv6HopByHop, ipv6Routing, ipv6Destination, ipv6Auth, ipv6Fragment:
		return protocolUnknown
	default:
		return protocol(next)
	}
}

// jumboLength returns the length of a packet whose hop-by-hop options hold the jumbo payload
// option of RFC 2675, or 0.
func jumboLength(b []byte) uint32 {
	const pad1, jumbo = 0x00, 0xc2
	if len(b) < ipv6Len+2 {
		return 0
	}
	options := b[ipv6Len:]
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
			if length := uint64(binary.BigEndian.Uint32(options[2:])) + ipv6Len; length > ipv6Len && length <= 1<<32-1 {
				return uint32(length)
			}
			return 0
		}
		options = options[2+n:]
	}
	return 0
}
