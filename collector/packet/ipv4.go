// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "encoding/binary"

// Bits of the third 16-bit word of an IPv4 header.
const (
	ipv4MoreFragments  = 0x2000
	ipv4FragmentOffset = 0x1fff
)

// parseIPv4 follows RFC 791, section 3.1.
func (h *Parsed) parseIPv4(b []byte) {
	const versionIHL = 4<<4 | ipv4HeaderLen/4
	h.Protocol = protocolUnknown
	if len(b) < 4 {
		h.Malformed = len(b) > 0 && (b[0] < versionIHL || b[0] > versionIHL|0xf)
		if !h.Malformed {
			h.network = b
		}
		return
	}
	length := uint32(binary.BigEndian.Uint16(b[2:]))
	if b[0] < versionIHL || b[0] > versionIHL|0xf || length != 0 && length < uint32(b[0]&0xf)*4 {
		h.Malformed = true
		return
	}
	h.network, h.Length = b, length
	if len(b) >= 10 {
		h.Protocol = Protocol(b[9])
	}
}

// fragmentationOfIPv4 tells fragments apart by the flags and offset in the header.
func fragmentationOfIPv4(b []byte) fragmentation {
	switch {
	case len(b) < 8:
		return unfragmented
	case binary.BigEndian.Uint16(b[6:])&ipv4FragmentOffset != 0:
		return laterFragment
	case binary.BigEndian.Uint16(b[6:])&ipv4MoreFragments != 0:
		return firstFragment
	default:
		return unfragmented
	}
}

// transportOfIPv4 returns a good packet from its transport header on, nothing where it has none. What follows the
// packet's own length is padding of the link layer.
func (h *Parsed) transportOfIPv4() []byte {
	b := h.network
	if len(b) < ipv4HeaderLen || binary.BigEndian.Uint16(b[6:])&ipv4FragmentOffset != 0 {
		return nil
	}
	if n := int(h.Length); n != 0 && n < len(b) {
		b = b[:n]
	}
	return b[min(int(b[0]&0xf)*4, len(b)):]
}
