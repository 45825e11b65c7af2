// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "encoding/binary"

// Next headers of IPv6: extension headers, and the one after which nothing follows.
const (
	ipv6HopByHop    = 0
	ipv6Routing     = 43
	ipv6Fragment    = 44
	ipv6Auth        = 51
	ipv6NoNext      = 59
	ipv6Destination = 60
)

// Bits of the second 16-bit word of a fragment header.
const (
	ipv6FragmentOffset = 0xfff8
	ipv6MoreFragments  = 1
)

// parseIPv6 follows RFC 8200, section 3.
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
	if h.Length == 0 {
		switch next {
		case ipv6NoNext:
			h.Length = ipv6HeaderLen
		case ipv6HopByHop:
			length := jumboLength(b)
			if length > maxLength {
				*h = Parsed{Protocol: protocolUnknown, Malformed: true, vlan: h.vlan}
				return
			}
			h.Length = uint32(length)
		}
	}
	var transport []byte
	h.Protocol, h.fragment, transport = skipExtensions(next, b[min(ipv6HeaderLen, len(b)):])
	if len(transport) > 0 {
		h.transport = uint32(len(b) - len(transport))
	}
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
