// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "encoding/binary"

// A Transport is the transport header of an IP packet, as far as it was copied. It is borrowed like the [Parsed].
type Transport struct {
	protocol Protocol
	header   []byte
}

// Transport returns the transport header. It is empty if it was not copied, and for a later fragment, which has none.
func (h *Parsed) Transport() Transport {
	switch {
	case len(h.network) == 0:
		return Transport{}
	case h.isIPv4():
		return Transport{h.Protocol, h.transportOfIPv4()}
	default:
		return Transport{h.Protocol, h.transportOfIPv6()}
	}
}

// Ports returns the ports of a TCP, UDP, UDP-Lite, SCTP or DCCP packet.
func (t Transport) Ports() (source, destination uint16, ok bool) {
	switch t.protocol {
	case protocolTCP, protocolUDP, protocolUDPLite, protocolSCTP, protocolDCCP:
		if len(t.header) >= 4 {
			return binary.BigEndian.Uint16(t.header), binary.BigEndian.Uint16(t.header[2:]), true
		}
	}
	return 0, 0, false
}

// TCPFlags returns the flags of a TCP segment.
func (t Transport) TCPFlags() (flags TCPFlags, ok bool) {
	if t.protocol != protocolTCP || len(t.header) < 14 {
		return 0, false
	}
	return TCPFlags(t.header[13]), true
}

// ICMPType returns the type of an ICMP or ICMPv6 message.
func (t Transport) ICMPType() (typ ICMPType, ok bool) {
	if len(t.header) == 0 {
		return 0, false
	}
	typ = ICMPType(t.header[0])
	switch t.protocol {
	case protocolICMP:
		return typ, true
	case protocolICMPv6:
		return icmpv6 | typ, true
	default:
		return 0, false
	}
}
