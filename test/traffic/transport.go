// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"net/netip"
)

// Numbers of transport protocols.
const (
	ProtocolICMP   = 1
	ProtocolTCP    = 6
	ProtocolUDP    = 17
	ProtocolICMPv6 = 58
)

// UDPDatagram returns a UDP datagram with its checksum.
func UDPDatagram(src, dst netip.AddrPort, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	b = append(b, 0, 0)
	b = append(b, payload...)
	sum := transportChecksum(src.Addr(), dst.Addr(), ProtocolUDP, b)
	if sum == 0 {
		sum = 0xffff // 0 means no checksum
	}
	binary.BigEndian.PutUint16(b[6:], sum)
	return b
}

// TCPSegment returns a TCP segment with its checksum. The flags are the byte of the
// header, from CWR (0x80) to FIN (0x01).
func TCPSegment(src, dst netip.AddrPort, flags uint8, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = append(
		b,
		0, 0, 0, 1, // sequence number
		0, 0, 0, 0, // acknowledgement number
		5<<4, flags, // length of the header
		0xff, 0xff, // window
		0, 0, // checksum
		0, 0, // urgent pointer
	)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[16:], transportChecksum(src.Addr(), dst.Addr(), ProtocolTCP, b))
	return b
}

// icmpMessage returns an ICMP message with its checksum. The body follows the checksum.
func icmpMessage(typ, code uint8, body []byte) []byte {
	b := append([]byte{typ, code, 0, 0}, body...)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

// transportChecksum returns the checksum of b with the pseudo-header of IPv4 or
// IPv6.
func transportChecksum(src, dst netip.Addr, protocol uint8, b []byte) uint16 {
	pseudo := append(src.AsSlice(), dst.AsSlice()...)
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(b)))
	pseudo = append(pseudo, 0, 0, 0, protocol)
	return checksum(append(pseudo, b...))
}

// checksum returns the Internet checksum (RFC 1071) of b.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
