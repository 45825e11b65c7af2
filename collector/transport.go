// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/binary"
	"strconv"
)

// The transport protocols in whose headers labels are found, as IANA assigns their numbers.
const (
	protocolICMP    protocol = 1
	protocolTCP     protocol = 6
	protocolUDP     protocol = 17
	protocolDCCP    protocol = 33
	protocolICMPv6  protocol = 58
	protocolSCTP    protocol = 132
	protocolUDPLite protocol = 136
)

// transportOfIPv4 returns what was copied of a packet from its transport header on, given that its
// network header is good; nothing of a later fragment. What follows the packet's own length is the
// link layer's padding.
func transportOfIPv4(b []byte) []byte {
	const offset = 0x1fff // of a fragment
	if len(b) < ipv4Len || binary.BigEndian.Uint16(b[6:])&offset != 0 {
		return nil
	}
	if n := int(binary.BigEndian.Uint16(b[2:])); n != 0 && n < len(b) {
		b = b[:n]
	}
	return b[min(int(b[0]&0xf)*4, len(b)):]
}

// transportOfIPv6 does the same, behind the extension headers.
func transportOfIPv6(b []byte) []byte {
	if len(b) < ipv6Len {
		return nil
	}
	if n := ipv6Len + int(binary.BigEndian.Uint16(b[4:])); n != ipv6Len && n < len(b) {
		b = b[:n]
	}
	_, transport := upperLayer(b[6], b[ipv6Len:])
	return transport
}

// A tcpFlags is what the flags of a TCP header are for.
type tcpFlags uint8

const (
	tcpNoHeader tcpFlags = iota
	tcpSYN
	tcpSYNACK
	tcpACK
	tcpFIN
	tcpRST
	tcpNull
	tcpXmas
	tcpOther
)

var tcpFlagsNames = [...]string{"", "syn", "syn-ack", "ack", "fin", "rst", "null", "xmas", "other"}

// String returns the value of the label tcp_flags.
func (f tcpFlags) String() string { return tcpFlagsNames[f] }

// tcpFlagsOf classifies the flags byte of a TCP header (RFC 9293, section 3.1).
func tcpFlagsOf(flags uint8) tcpFlags {
	const (
		fin, syn, rst, psh, ack, urg = 1, 2, 4, 8, 16, 32

		xmas = fin | psh | urg
	)
	switch {
	case flags == 0:
		return tcpNull
	case flags&rst != 0:
		return tcpRST
	case flags&(xmas|syn|ack) == xmas:
		return tcpXmas
	}
	switch flags & (fin | syn | ack) {
	case syn:
		return tcpSYN
	case syn | ack:
		return tcpSYNACK
	case ack:
		return tcpACK
	case fin, fin | ack:
		return tcpFIN
	default:
		return tcpOther
	}
}

// A portClass is a port that was named, portNamed plus its number, or the range that another one is
// in.
type portClass uint32

const (
	portNone portClass = iota // no port at all
	portWellKnown
	portRegistered
	portDynamic

	portNamed portClass = 1 << 16
)

// String returns the value of the label destination_port.
func (c portClass) String() string {
	switch c {
	case portNone:
		return ""
	case portWellKnown:
		return "well-known"
	case portRegistered:
		return "registered"
	case portDynamic:
		return "dynamic"
	default:
		return strconv.Itoa(int(c &^ portNamed))
	}
}

// A portSet is a set of ports, one bit each.
type portSet [1 << 16 / 64]uint64

func newPortSet(ports []uint16) *portSet {
	s := &portSet{}
	for _, port := range ports {
		s[port/64] |= 1 << (port % 64)
	}
	return s
}

func (s *portSet) has(port uint16) bool { return s[port/64]>>(port%64)&1 != 0 }

// class classifies a port, where the set is those that are named.
func (s *portSet) class(port uint16) portClass {
	// The ranges of RFC 6335, section 6.
	const firstRegistered, firstDynamic = 1024, 49152
	class := portWellKnown
	if port >= firstRegistered {
		class = portRegistered
	}
	if port >= firstDynamic {
		class = portDynamic
	}
	if s.has(port) {
		class = portNamed | portClass(port)
	}
	return class
}
