// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Next headers of IPv6: extension headers, and the one after which nothing follows.
const (
	ipv6HopByHop    = 0
	ipv6Routing     = 43
	ipv6Fragment    = 44
	ipv6Auth        = 51
	ipv6Destination = 60
)

// Bits of the second 16-bit word of a fragment header.
const (
	ipv6FragmentOffset = 0xfff8
	ipv6MoreFragments  = 1
)

// parseIPv6 follows RFC 8200, section 3. Length stays 0 if the payload length is 0: see setIPv6Length.
func (h *Parsed) parseIPv6(b []byte) {
	h.Protocol = protocolUnknown
	if len(b) > 0 && b[0]>>4 != 6 {
		h.Malformed = true
		return
	}
	h.network = b
	if len(b) < 6 {
		return
	}
	if n := binary.BigEndian.Uint16(b[4:]); n != 0 {
		h.Length = ipv6HeaderLen + uint32(n)
	}
	if len(b) < 7 {
		return
	}
	next := b[6]
	var transport []byte
	h.Protocol, h.fragment, transport = skipExtensions(next, b[min(ipv6HeaderLen, len(b)):])
	if len(transport) > 0 {
		h.transport = uint32(len(b) - len(transport))
	}
}

// setIPv6Length sets the length of an IPv6 packet, also if its payload length is 0, as that of a jumbogram. That length can be
// malformed.
func (h *Parsed) setIPv6Length(n nflog.Network) {
	if n.Malformed {
		*h = Parsed{Protocol: protocolUnknown, Malformed: true, vlan: h.vlan}
		return
	}
	h.Length = n.Length
}

// skipExtensions walks the extension headers in b, of which next is the first, as the kernel's
// ipv6_find_hdr (net/ipv6/exthdrs_core.c) does. It returns the transport protocol and the bytes from the
// transport header on, nil for a later fragment.
func skipExtensions(next byte, b []byte) (protocol Protocol, f fragmentation, transport []byte) {
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
				if binary.BigEndian.Uint16(b[2:])&ipv6FragmentOffset != 0 {
					return protocolOfLaterFragment(b[0]), laterFragment, nil
				}
				if b[3]&ipv6MoreFragments != 0 {
					f = firstFragment
				}
			}
		default:
			return Protocol(next), f, b
		}
		if length == 0 {
			return protocolUnknown, f, nil
		}
		next, b = b[0], b[min(length, len(b)):]
	}
}

// protocolOfLaterFragment returns the protocol of a later fragment, whose fragment header has this next
// header. Extension headers after it are in the first fragment alone.
func protocolOfLaterFragment(next byte) Protocol {
	switch next {
	case ipv6HopByHop, ipv6Routing, ipv6Destination, ipv6Auth, ipv6Fragment:
		return protocolUnknown
	default:
		return Protocol(next)
	}
}

// transportOfIPv6 returns the packet from its transport header on, nothing where it has none. What follows the
// packet's own length is padding of the link layer.
func (h *Parsed) transportOfIPv6() []byte {
	b := h.network
	if h.transport == 0 {
		return nil
	}
	if n := int(binary.BigEndian.Uint16(b[4:])); n != 0 && ipv6HeaderLen+n < len(b) {
		b = b[:ipv6HeaderLen+n]
	}
	return b[min(int(h.transport), len(b)):]
}
