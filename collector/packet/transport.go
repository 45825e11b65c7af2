// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "encoding/binary"

// transportHeader returns the packet from its transport header on. It is empty where there is none: it was not copied,
// or the packet is a later fragment.
func (h *Parsed) transportHeader() []byte {
	if len(h.network) == 0 {
		return nil
	}
	if h.isIPv4() {
		return transportOfIPv4(h.network)
	}
	return h.transportOfIPv6()
}

// Ports returns the ports of a TCP, UDP, UDP-Lite, SCTP or DCCP packet.
func (h *Parsed) Ports() (source, destination uint16, ok bool) {
	switch h.Protocol {
	case protocolTCP, protocolUDP, protocolUDPLite, protocolSCTP, protocolDCCP:
	default:
		return 0, 0, false
	}
	b := h.transportHeader()
	if len(b) < 4 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), true
}

// TCPFlags returns the flags of a TCP segment.
func (h *Parsed) TCPFlags() (flags TCPFlags, ok bool) {
	if h.Protocol != protocolTCP {
		return 0, false
	}
	b := h.transportHeader()
	if len(b) < 14 {
		return 0, false
	}
	return TCPFlags(b[13]), true
}

// ICMPType returns the type of an ICMP or ICMPv6 message.
func (h *Parsed) ICMPType() (t ICMPType, ok bool) {
	switch h.Protocol {
	case protocolICMP:
	case protocolICMPv6:
		t = icmpv6
	default:
		return 0, false
	}
	b := h.transportHeader()
	if len(b) == 0 {
		return 0, false
	}
	return t | ICMPType(b[0]), true
}
