// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package packet parses the headers of a logged packet. Their values have nft's names.
//
// [Parsed.Parse] reads the link and network headers once. Methods give the rest part by part, so that a caller pays only
// for what it needs.
package packet

import (
	"encoding/binary"
	"net/netip"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A Parsed holds the parsed headers of one packet, as far as the kernel copied them. It borrows the packet's bytes: it is
// valid for as long as the [nflog.Packet] that it was parsed from.
type Parsed struct {
	// Protocol is the transport protocol, or the EtherType of a packet that is not IP.
	Protocol Protocol

	// Length is the packet's length at the network layer in bytes, without link layer header and padding; 0 if it is
	// unknown.
	Length uint32

	// Malformed is set if the network header contradicts itself, or tells a length that no packet has. A header that was
	// cut by the copy range does neither.
	Malformed bool

	fragment  fragmentation // of IPv6 alone
	vlan      uint16        // vlanPresent and the id of the outer tag, or 0
	transport uint32        // offset of the transport header in network, of IPv6 alone; 0 without one
	network   []byte        // from the network header on; nil if the packet is not IP or malformed
}

const (
	vlanPresent = 1 << 12
	vlanIDMask  = 1<<12 - 1
)

const (
	ipv4HeaderLen = 20
	ipv6HeaderLen = 40
)

// Parse parses the headers of a packet into h, which must be zero. A function that returned a Parsed would take twice as
// long: it does not pass in registers.
//
// Packets of the families ip and ip6 begin at their network header, and most have their length in a fixed place. For all
// others, [nflog.Packet.Network] finds it.
func (h *Parsed) Parse(p nflog.Packet) {
	switch o := p.Origin(); {
	case o.Family == nflog.FamilyIPv4 && o.HWProtocol == nflog.EtherTypeIPv4:
		h.parseIPv4(p.Payload())
	case o.Family == nflog.FamilyIPv6 && o.HWProtocol == nflog.EtherTypeIPv6:
		h.parseIPv6(p.Payload())
		if h.Length == 0 {
			h.setIPv6Length(p.Network())
		}
	default:
		h.parseFrame(p.Network())
	}
}

// parseFrame parses a packet of a family that also has other protocols, and tags.
func (h *Parsed) parseFrame(n nflog.Network) {
	if n.Tagged {
		h.vlan = n.VLAN | vlanPresent
	}
	switch n.EtherType {
	case nflog.EtherTypeIPv4:
		h.parseIPv4(n.Header)
	case nflog.EtherTypeIPv6:
		h.parseIPv6(n.Header)
		h.setIPv6Length(n)
	case nflog.EtherTypeARP:
		h.Protocol, h.Length = protocolARP, n.Length
	case nflog.EtherTypeVLAN, nflog.EtherTypeQinQ:
		h.Protocol = protocolEtherType | Protocol(n.EtherType)
		if n.Header == nil {
			h.Protocol = protocolUnknown // the copy ends in a tag
		}
	default:
		h.Protocol = protocolEtherType | Protocol(n.EtherType)
	}
}

// VLAN returns the id of the packet's outer VLAN tag: of the one that the kernel holds beside the packet, or else of the first
// in its payload.
func (h *Parsed) VLAN() (id uint16, ok bool) { return h.vlan & vlanIDMask, h.vlan != 0 }

// isIPv4 reports whether a packet whose network header is there is IPv4, or else IPv6.
func (h *Parsed) isIPv4() bool { return h.network[0]>>4 == 4 }

// DSCP returns the code point of an IP packet (RFC 2474, section 3).
func (h *Parsed) DSCP() (dscp DSCP, ok bool) {
	b := h.network
	switch {
	case len(b) < 2:
		return 0, false
	case h.isIPv4():
		return DSCP(b[1] >> 2), true
	default:
		return DSCP(b[0]<<4>>2 | b[1]>>6), true
	}
}

// Addresses returns the source and the destination of an IP packet.
func (h *Parsed) Addresses() (source, destination netip.Addr, ok bool) {
	b := h.network
	switch {
	case len(b) < ipv4HeaderLen:
	case h.isIPv4():
		return netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:])), true
	case len(b) >= ipv6HeaderLen:
		return netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:])), true
	}
	return netip.Addr{}, netip.Addr{}, false
}

// IPv4 returns the addresses of an IPv4 packet, as numbers. It is cheaper than Addresses.
func (h *Parsed) IPv4() (source, destination uint32, ok bool) {
	b := h.network
	if len(b) < ipv4HeaderLen || !h.isIPv4() {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint32(b[16:]), true
}

// IPv6 returns the addresses of an IPv6 packet.
func (h *Parsed) IPv6() (source, destination *[16]byte, ok bool) {
	b := h.network
	if len(b) < ipv6HeaderLen || h.isIPv4() {
		return nil, nil, false
	}
	return (*[16]byte)(b[8:]), (*[16]byte)(b[24:]), true
}

// A fragmentation says whether a packet is a fragment of a datagram.
type fragmentation uint8

const (
	unfragmented fragmentation = iota
	firstFragment
	laterFragment // without a transport header
)

// Fragment reports whether an IP packet is a fragment of a datagram. A later fragment, any but the first, has no
// transport header.
func (h *Parsed) Fragment() (fragment, later bool) {
	f := h.fragment
	if len(h.network) > 0 && h.isIPv4() {
		f = fragmentationOfIPv4(h.network)
	}
	return f != unfragmented, f == laterFragment
}
