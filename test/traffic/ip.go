// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"net/netip"
)

// Lengths of headers without options.
const (
	ipv4HeaderLen = 20
	ipv6HeaderLen = 40
)

// An IPv4 is an IPv4 packet.
type IPv4 struct {
	Src, Dst       netip.Addr
	ID             uint16
	MoreFragments  bool
	FragmentOffset int    // in bytes, a multiple of 8
	Options        []byte // a multiple of 4 long
	Protocol       uint8
	Payload        []byte
}

// Bytes returns the packet in wire format, with a TTL of 64.
func (p IPv4) Bytes() []byte {
	headerLen := ipv4HeaderLen + len(p.Options)
	fragment := uint16(p.FragmentOffset / 8)
	if p.MoreFragments {
		fragment |= 1 << 13
	}
	b := []byte{4<<4 | byte(headerLen/4), 0}
	b = binary.BigEndian.AppendUint16(b, uint16(headerLen+len(p.Payload)))
	b = binary.BigEndian.AppendUint16(b, p.ID)
	b = binary.BigEndian.AppendUint16(b, fragment)
	b = append(b, 64, p.Protocol, 0, 0)
	b = append(b, p.Src.AsSlice()...)
	b = append(b, p.Dst.AsSlice()...)
	b = append(b, p.Options...)
	binary.BigEndian.PutUint16(b[10:], checksum(b))
	return append(b, p.Payload...)
}

// An IPv6 is an IPv6 packet.
type IPv6 struct {
	Src, Dst   netip.Addr
	Extensions []Extension // in wire order
	Protocol   uint8       // of the payload
	Payload    []byte
}

// Bytes returns the packet in wire format, with a hop limit of 64.
func (p IPv6) Bytes() []byte {
	next := func(i int) byte { // number of the header after i extensions
		if i < len(p.Extensions) {
			return p.Extensions[i].header
		}
		return p.Protocol
	}
	var rest []byte
	for i, extension := range p.Extensions {
		rest = append(rest, next(i+1))
		rest = append(rest, extension.body...)
	}
	rest = append(rest, p.Payload...)

	b := binary.BigEndian.AppendUint32(nil, 6<<28)
	b = binary.BigEndian.AppendUint16(b, uint16(len(rest)))
	b = append(b, next(0), 64)
	b = append(b, p.Src.AsSlice()...)
	b = append(b, p.Dst.AsSlice()...)
	return append(b, rest...)
}

// ProtocolNoNext says that nothing follows an IPv6 header.
const ProtocolNoNext = 59

// Protocol numbers of IPv6 extension headers.
const (
	protocolHopByHop           = 0
	protocolRouting            = 43
	protocolFragment           = 44
	protocolAH                 = 51
	protocolDestinationOptions = 60
)

// An Extension is an extension header of IPv6.
type Extension struct {
	header uint8  // protocol number of this header
	body   []byte // the header without its first byte, the next header's number
}

// HopByHop returns a hop-by-hop options header of 8 bytes, with padding only.
func HopByHop() Extension {
	return Extension{header: protocolHopByHop, body: padding()}
}

// DestinationOptions returns a destination options header of 8 bytes, with padding
// only.
func DestinationOptions() Extension {
	return Extension{header: protocolDestinationOptions, body: padding()}
}

// Routing returns a routing header of 8 bytes, of the experimental type 253, with no
// segments left: every node must ignore it (RFC 8200, section 4.4).
func Routing() Extension {
	return Extension{header: protocolRouting, body: []byte{0, 253, 0, 0, 0, 0, 0}}
}

// Fragment returns a fragment header. The offset is in bytes, a multiple of 8.
func Fragment(offset int, more bool, id uint32) Extension {
	field := uint16(offset)
	if more {
		field |= 1
	}
	body := binary.BigEndian.AppendUint16([]byte{0}, field)
	return Extension{header: protocolFragment, body: binary.BigEndian.AppendUint32(body, id)}
}

// Authentication returns an authentication header of 24 bytes. Its security
// association does not exist.
func Authentication() Extension {
	body := make([]byte, 23)
	body[0] = 4 // length in units of 4 bytes, less 2
	return Extension{header: protocolAH, body: body}
}

// padding returns the body of an options header: the length 0 (in units of 8 bytes,
// without the first 8), and a PadN option of 6 bytes.
func padding() []byte {
	return []byte{0, 1, 4, 0, 0, 0, 0}
}
