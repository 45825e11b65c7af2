// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// EtherTypes.
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeVLAN = 0x8100
	EtherTypeQinQ = 0x88a8
	EtherTypeIPv6 = 0x86dd
	EtherTypeLLDP = 0x88cc
)

// Ethernet returns a frame without padding. Links to the same kernel need none.
func Ethernet(dst, src net.HardwareAddr, ethertype uint16, payload []byte) []byte {
	b := append([]byte{}, dst...)
	b = append(b, src...)
	b = binary.BigEndian.AppendUint16(b, ethertype)
	return append(b, payload...)
}

// VLAN returns the payload of a frame with EtherTypeVLAN or EtherTypeQinQ: the tag
// control information tci (priority<<13 | id), the inner EtherType and the payload.
func VLAN(tci, ethertype uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, tci)
	b = binary.BigEndian.AppendUint16(b, ethertype)
	return append(b, payload...)
}

// ARPRequest returns an ARP request for the IPv4 address target, 28 bytes, as the
// payload of a frame. The kernel with that address answers with one frame.
func ARPRequest(sender net.HardwareAddr, senderIP, target netip.Addr) []byte {
	b := []byte{
		0, 1, // Ethernet
		8, 0, // IPv4
		6, 4, // lengths of addresses
		0, 1, // request
	}
	b = append(b, sender...)
	b = append(b, senderIP.AsSlice()...)
	b = append(b, 0, 0, 0, 0, 0, 0)
	return append(b, target.AsSlice()...)
}

// LLDP returns the LLDP message of a switch port called port, as the payload of a
// frame. Such frames go to 01:80:c2:00:00:0e.
func LLDP(chassis net.HardwareAddr, port string) []byte {
	b := []byte{1 << 1, byte(1 + len(chassis)), 4} // chassis id: a MAC address
	b = append(b, chassis...)
	b = append(b, 2<<1, byte(1+len(port)), 5) // port id: an interface name
	b = append(b, port...)
	b = append(b, 3<<1, 2, 0, 120) // time to live: 120 s
	return append(b, 0, 0)
}
