// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestSkipLink parses packets that begin at their link layer header. The kernel sends their EtherType, and a copy of the
// bytes that it considers the link layer header.
func TestSkipLink(t *testing.T) {
	const (
		ipv4Ethernet = nflogtest.Ethernet + "0800" + nflogtest.IPv4UDP
		ipv6Ethernet = nflogtest.Ethernet + "86dd" + nflogtest.IPv6UDP
		tagged       = nflogtest.Ethernet + "8100 0005 0800" + nflogtest.IPv4UDP
		doubleTagged = nflogtest.Ethernet + "88a8 0005 8100 0006 0800" + nflogtest.IPv4UDP
		tripleTagged = nflogtest.Ethernet + "88a8 0005 8100 0006 8100 0007 0800" + nflogtest.IPv4UDP
		arpEthernet  = nflogtest.Broadcast + "0806" + nflogtest.ARPRequest
	)
	tests := []struct {
		name      string
		etherType uint16
		link      int // length of the link layer header; 0 for none
		packet    string
		want      fields
	}{
		{name: "IPv4", etherType: 0x0800, link: 14, packet: ipv4Ethernet, want: known(17, 28)},
		{name: "IPv6", etherType: 0x86dd, link: 14, packet: ipv6Ethernet, want: known(17, 48)},
		{name: "ARP", etherType: 0x0806, link: 14, packet: arpEthernet, want: known(protocolARP, 28)},
		{name: "LLDP", etherType: 0x88cc, link: 14, packet: nflogtest.Ethernet + "88cc 0207", want: known(protocolEtherType|0x88cc, 0)},
		{name: "another link layer", etherType: 0x0800, link: 4, packet: "0800 0000" + nflogtest.IPv4UDP, want: known(17, 28)},

		{name: "tag in the link header", etherType: 0x8100, link: 18, packet: tagged, want: known(17, 28)},
		{name: "tag after the link header", etherType: 0x8100, link: 14, packet: tagged, want: known(17, 28)},
		{name: "tag, but the EtherType of IPv4", etherType: 0x0800, link: 18, packet: tagged, want: known(17, 28)},
		{name: "two tags in the link header", etherType: 0x88a8, link: 22, packet: doubleTagged, want: known(17, 28)},
		{name: "two tags, one in the link header", etherType: 0x88a8, link: 18, packet: doubleTagged, want: known(17, 28)},
		{name: "two tags after the link header", etherType: 0x88a8, link: 14, packet: doubleTagged, want: known(17, 28)},
		{name: "three tags in the link header", etherType: 0x88a8, link: 26, packet: tripleTagged, want: known(protocolEtherType|0x8100, 0)},
		{name: "tagged ARP", etherType: 0x8100, link: 18, packet: nflogtest.Broadcast + "8100 0005 0806" + nflogtest.ARPRequest, want: known(protocolARP, 28)},
		{name: "tagged LLDP", etherType: 0x8100, link: 18, packet: nflogtest.Ethernet + "8100 0005 88cc 0207", want: known(protocolEtherType|0x88cc, 0)},

		{name: "link header longer than the copy", etherType: 0x0800, link: 14, packet: "0200 0000 0002", want: unknown},
		{name: "link header as long as the copy", etherType: 0x0800, link: 14, packet: nflogtest.Ethernet + "0800", want: unknown},
		{name: "network header cut", etherType: 0x0800, link: 14, packet: nflogtest.Ethernet + "0800 4500 001c", want: known(protocolUnknown, 28)},
		{name: "nothing copied", etherType: 0x0800, link: 14, packet: "", want: unknown},
		{name: "LLDP, nothing copied", etherType: 0x88cc, link: 14, packet: "", want: known(protocolEtherType|0x88cc, 0)},
		{name: "tagged, cut before the EtherType", etherType: 0x8100, link: 18, packet: nflogtest.Ethernet, want: unknown},
		{name: "tagged, cut after the EtherType", etherType: 0x8100, link: 18, packet: nflogtest.Ethernet + "8100", want: unknown},
		{name: "tagged, cut in the addresses", etherType: 0x8100, link: 14, packet: "0200 0000 00", want: unknown},
		{name: "tagged, nothing copied", etherType: 0x8100, link: 14, packet: "", want: unknown},

		// Devices such as tun have no link layer header. Their source address is in the place of Ethernet's EtherType.
		{name: "no link layer", etherType: 0x0800, packet: nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "no link layer, IPv6", etherType: 0x86dd, packet: nflogtest.IPv6UDP, want: known(17, 48)},
		{name: "no link layer, from 8.0.0.1", etherType: 0x0800, packet: ipv4From("0800"), want: known(17, 28)},
		{name: "no link layer, from 8.6.0.1", etherType: 0x0800, packet: ipv4From("0806"), want: known(17, 28)},
		{name: "no link layer, from 129.0.0.1", etherType: 0x0800, packet: ipv4From("8100"), want: known(17, 28)},
		{name: "no link layer, from 136.168.0.1", etherType: 0x0800, packet: ipv4From("88a8"), want: known(17, 28)},
		{
			name: "no link layer, from 2001:db8:8100::1", etherType: 0x86dd,
			packet: "6000 0000 0008 1140 2001 0db8 8100 0000 0000 0000 0000 0001 2001 0db8 8100 0000 0000 0000 0000 0002",
			want:   known(17, 48),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet := nflogtest.Unhex(tt.packet)
			// The copy of the link layer header is complete, even if the packet is cut in it.
			link := append(packet[:min(tt.link, len(packet)):len(packet)], make([]byte, max(0, tt.link-len(packet)))...)
			checkFields(t, tt.want, packetFields(egress(tt.etherType, link[:tt.link], packet)))
		})
	}
}

// egress returns a packet of netdev's hook egress, with the kernel's copy of its link layer header.
func egress(etherType uint16, link, packet []byte) nflog.Packet {
	return packetOf(nflogtest.Message{Family: 5, Hook: 1, HWProtocol: etherType, L2Header: link, Payload: packet})
}

// arpOutput returns a packet of arp's hook output.
func arpOutput(packet []byte) nflog.Packet {
	return packetOf(nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x0806, Payload: packet})
}

// TestSkipLinkOfARP parses packets as the kernel logs them at the output hook of ARP.
func TestSkipLinkOfARP(t *testing.T) {
	tests := []struct {
		name   string
		packet string
		want   fields
	}{
		{name: "Ethernet", packet: nflogtest.Broadcast + "0806" + nflogtest.ARPRequest, want: known(protocolARP, 28)},
		{name: "tagged", packet: nflogtest.Broadcast + "8100 0005 0806" + nflogtest.ARPRequest, want: known(protocolARP, 28)},
		{name: "tagged IPv4", packet: nflogtest.Broadcast + "8100 0005 0800" + nflogtest.IPv4UDP, want: known(protocolARP, 0)},
		// Four bytes of an IP over InfiniBand header: an EtherType and zeros.
		{name: "not Ethernet", packet: "0806 0000" + "0020 0800 1404 0001" + "0a0b 0c0d 0e0f", want: known(protocolARP, 0)},
		{name: "cut before the EtherType", packet: nflogtest.Broadcast, want: known(protocolARP, 0)},
		{name: "cut in the addresses", packet: "ffff ffff ffff 02", want: known(protocolARP, 0)},
		{name: "cut in a tag", packet: nflogtest.Broadcast + "8100 0005 08", want: known(protocolARP, 0)},
		{name: "nothing copied", packet: "", want: known(protocolARP, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkFields(t, tt.want, packetFields(arpOutput(nflogtest.Unhex(tt.packet))))
		})
	}
}

// ipv4From returns a UDP packet with these first two bytes of the source address, all in hexadecimal digits.
func ipv4From(source string) string {
	return "4500 001c 0000 0000 4011 0000" + source + "0001 0a00 0002 0009 0009 0008 0000"
}
