// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// A header is what Parse tells first.
type header struct {
	protocol Protocol
	length   uint32
	bad      bool
}

func headerOf(p Parsed) header { return header{p.Protocol, p.Length, p.Malformed} }

func decodeHeader(etherType uint16, b []byte) header {
	var h Parsed
	h.parse(etherType, b)
	return headerOf(h)
}

func headerOfPacket(p nflog.Packet) header {
	var h Parsed
	h.Parse(p)
	return headerOf(h)
}

func known(p Protocol, length uint32) header { return header{protocol: p, length: length} }

var (
	unknownHeader = header{protocol: ProtocolUnknown}
	badHeader     = header{protocol: ProtocolUnknown, bad: true}
)

func checkHeader(t *testing.T, want, got header) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(header{})); diff != "" {
		t.Errorf("unexpected header (-want +got):\n%s", diff)
	}
}

func TestDecodeHeader(t *testing.T) {
	tests := []struct {
		name      string
		etherType uint16
		packet    string
		want      header
	}{
		{name: "IPv4", etherType: 0x0800, packet: nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "IPv6", etherType: 0x86dd, packet: nflogtest.IPv6UDP, want: known(17, 48)},
		{name: "ARP", etherType: 0x0806, packet: nflogtest.ARPRequest, want: known(ProtocolARP, 28)},
		{name: "ARP of long addresses", etherType: 0x0806, packet: "0020 0800 1404 0001", want: known(ProtocolARP, 56)},
		{name: "ARP of the longest addresses", etherType: 0x0806, packet: "0001 0800 ffff 0001", want: known(ProtocolARP, 1028)},
		{name: "ARP of no addresses", etherType: 0x0806, packet: "0001 0800 0000 0001", want: known(ProtocolARP, 8)},
		{name: "ARP up to the lengths", etherType: 0x0806, packet: "0001 0800 0604", want: known(ProtocolARP, 28)},
		{name: "ARP too short for the lengths", etherType: 0x0806, packet: "0001 0800 06", want: known(ProtocolARP, 0)},
		{name: "ARP without a byte", etherType: 0x0806, packet: "", want: known(ProtocolARP, 0)},

		{name: "LLDP", etherType: 0x88cc, packet: "0207 0402 0000 0000 01", want: known(protocolEtherType|0x88cc, 0)},
		{name: "LLDP without a byte", etherType: 0x88cc, packet: "", want: known(protocolEtherType|0x88cc, 0)},
		{name: "no EtherType", etherType: 0, packet: nflogtest.IPv4UDP, want: known(protocolEtherType, 0)},
		{name: "what looks like IPv4", etherType: 0x88cc, packet: nflogtest.IPv4UDP, want: known(protocolEtherType|0x88cc, 0)},

		{name: "tagged IPv4", etherType: 0x8100, packet: "0005 0800" + nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "tagged IPv6", etherType: 0x8100, packet: "0005 86dd" + nflogtest.IPv6UDP, want: known(17, 48)},
		{name: "tagged ARP", etherType: 0x8100, packet: "0005 0806" + nflogtest.ARPRequest, want: known(ProtocolARP, 28)},
		{name: "tagged LLDP", etherType: 0x8100, packet: "0005 88cc 0207", want: known(protocolEtherType|0x88cc, 0)},
		{name: "tagged by a provider", etherType: 0x88a8, packet: "0005 0800" + nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "two tags", etherType: 0x88a8, packet: "0005 8100 0006 0800" + nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "two tags of a kind", etherType: 0x8100, packet: "0005 8100 0006 86dd" + nflogtest.IPv6UDP, want: known(17, 48)},
		{name: "three tags", etherType: 0x88a8, packet: "0005 8100 0006 8100 0007 0800" + nflogtest.IPv4UDP, want: known(protocolEtherType|0x8100, 0)},
		{name: "no byte of a tag", etherType: 0x8100, packet: "", want: unknownHeader},
		{name: "tag cut short", etherType: 0x8100, packet: "0005 08", want: unknownHeader},
		{name: "second tag cut short", etherType: 0x88a8, packet: "0005 8100 0006 08", want: unknownHeader},
		{name: "nothing behind a tag", etherType: 0x8100, packet: "0005 0800", want: unknownHeader},
		{name: "nothing behind two tags", etherType: 0x88a8, packet: "0005 8100 0006 86dd", want: unknownHeader},
		{name: "wrong behind a tag", etherType: 0x8100, packet: "0005 0800" + nflogtest.IPv6UDP, want: badHeader},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkHeader(t, tt.want, decodeHeader(tt.etherType, nflogtest.Unhex(tt.packet)))
		})
	}
}

func TestDecodeIPv4(t *testing.T) {
	tests := []struct {
		name   string
		packet string
		want   header
	}{
		{name: "TCP", packet: "4500 0034 0000 4000 4006 0000 0a00 0001 0a00 0002", want: known(6, 52)},
		{name: "ICMP", packet: "4500 0054 0000 4000 4001 0000 0a00 0001 0a00 0002", want: known(1, 84)},
		{name: "protocol 0", packet: "4500 0014 0000 4000 4000 0000 0a00 0001 0a00 0002", want: known(0, 20)},
		{name: "protocol 255", packet: "4500 0014 0000 4000 40ff 0000 0a00 0001 0a00 0002", want: known(255, 20)},
		{name: "longest", packet: "4500 ffff 0000 4000 4011 0000 0a00 0001 0a00 0002", want: known(17, 65535)},
		{name: "options", packet: "4600 0020 0000 0000 4011 0000 0a00 0001 0a00 0002 9404 0000 0009 0009 0008 0000", want: known(17, 32)},
		{name: "options not copied", packet: "4f00 0050 0000 0000 4011 0000 0a00 0001 0a00 0002", want: known(17, 80)},
		{name: "options alone", packet: "4f00 003c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: known(17, 60)},
		{name: "first fragment", packet: "4500 05dc 0001 2000 4011 0000 0a00 0001 0a00 0002", want: known(17, 1500)},
		{name: "later fragment", packet: "4500 0040 0001 00b9 4011 0000 0a00 0001 0a00 0002", want: known(17, 64)},
		// A packet that segmentation offload has made longer than the field can tell (BIG TCP).
		{name: "total length 0", packet: "4500 0000 0000 4000 4006 0000 0a00 0001 0a00 0002", want: known(6, 0)},

		{name: "header too short", packet: "4400 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: badHeader},
		{name: "header of no length", packet: "4000 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: badHeader},
		{name: "version 6", packet: nflogtest.IPv6UDP, want: badHeader},
		{name: "version 5", packet: "5500 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: badHeader},
		{name: "version 0", packet: "0500 001c 0000 0000 4011 0000 0a00 0001 0a00 0002", want: badHeader},
		{name: "shorter than its header", packet: "4500 0013 0000 0000 4011 0000 0a00 0001 0a00 0002", want: badHeader},
		{name: "shorter than its options", packet: "4600 0017 0000 0000 4011 0000 0a00 0001 0a00 0002 9404 0000", want: badHeader},
		{name: "version wrong, one byte", packet: "65", want: badHeader},
		{name: "header too short, one byte", packet: "44", want: badHeader},
		{name: "shorter than its header, four bytes", packet: "4500 0013", want: badHeader},
		{name: "shorter than its header, to the protocol", packet: "4500 0013 0000 0000 4011", want: badHeader},
		{name: "shorter than its options, four bytes", packet: "4600 0017", want: badHeader},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkHeader(t, tt.want, decodeHeader(etherTypeIPv4, nflogtest.Unhex(tt.packet)))
		})
	}
}

// TestDecodeShort checks what each length of a copy tells. None of them is an error.
func TestDecodeShort(t *testing.T) {
	tests := []struct {
		name             string
		etherType        uint16
		packet           string
		full             header
		lengthAt, protAt int // how many bytes it takes to know
	}{
		{name: "IPv4", etherType: 0x0800, packet: nflogtest.IPv4UDP, full: known(17, 28), lengthAt: 4, protAt: 10},
		{name: "IPv6", etherType: 0x86dd, packet: nflogtest.IPv6UDP, full: known(17, 48), lengthAt: 6, protAt: 7},
		{name: "tagged IPv4", etherType: 0x8100, packet: "0005 0800" + nflogtest.IPv4UDP, full: known(17, 28), lengthAt: 8, protAt: 14},
		{name: "ARP", etherType: 0x0806, packet: nflogtest.ARPRequest, full: known(ProtocolARP, 28), lengthAt: 6, protAt: 0},
		{
			name: "IPv6 with options", etherType: 0x86dd,
			packet: nflogtest.IPv6Header("0010", "3c") + "1100 0104 0000 0000" + "0009 0009 0008 0000",
			full:   known(17, 56), lengthAt: 6, protAt: 42,
		},
		{
			name: "IPv6 fragment", etherType: 0x86dd,
			packet: nflogtest.IPv6Header("0010", "2c") + "1100 0001 0000 0001" + "0009 0009 0008 0000",
			full:   known(17, 56), lengthAt: 6, protAt: 44,
		},
	}
	for _, tt := range tests {
		packet := nflogtest.Unhex(tt.packet)
		for n := range len(packet) + 1 {
			t.Run(fmt.Sprintf("%s/%d", tt.name, n), func(t *testing.T) {
				want := unknownHeader
				if n >= tt.lengthAt {
					want.length = tt.full.length
				}
				if n >= tt.protAt {
					want.protocol = tt.full.protocol
				}
				checkHeader(t, want, decodeHeader(tt.etherType, packet[:n]))
			})
		}
	}
}

// TestPacketHeader checks for which hooks a packet is taken to begin at its link layer header.
func TestPacketHeader(t *testing.T) {
	frame, packet := nflogtest.Unhex(nflogtest.Ethernet+"0800"+nflogtest.IPv4UDP), nflogtest.Unhex(nflogtest.IPv4UDP)
	tests := []struct {
		name    string
		message nflogtest.Message
		want    header
	}{
		{name: "ip input", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: packet}, want: known(17, 28)},
		{name: "ip6 output", message: nflogtest.Message{Family: 10, Hook: 3, HWProtocol: 0x86dd, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)}, want: known(17, 48)},
		{name: "inet ingress", message: nflogtest.Message{Family: 2, Hook: 5, HWProtocol: 0x0800, Payload: packet}, want: known(17, 28)},
		{
			name:    "bridge input",
			message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, L2Header: frame[:14], Payload: packet},
			want:    known(17, 28),
		},
		{
			name:    "netdev ingress",
			message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x0800, L2Header: frame[:14], Payload: packet},
			want:    known(17, 28),
		},
		{
			name:    "netdev egress",
			message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: frame[:14], Payload: frame},
			want:    known(17, 28),
		},
		{name: "arp input", message: nflogtest.Message{Family: 3, Hook: 0, HWProtocol: 0x0806, Payload: nflogtest.Unhex(nflogtest.ARPRequest)}, want: known(ProtocolARP, 28)},
		{
			name:    "arp output",
			message: nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x0806, Payload: nflogtest.Unhex(nflogtest.Ethernet + "0806" + nflogtest.ARPRequest)},
			want:    known(ProtocolARP, 28),
		},
		{
			name:    "arp output by a VLAN device that makes the tag a part of the header",
			message: nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x8100, Payload: nflogtest.Unhex(nflogtest.Broadcast + "8100 0005 0806" + nflogtest.ARPRequest)},
			want:    known(ProtocolARP, 28),
		},
		{name: "no payload", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}, want: unknownHeader},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			for p := range nflog.NewDecoder(0).Decode(tt.message.Append(nil)).Packets() {
				checkHeader(t, tt.want, headerOfPacket(p))
				n++
			}
			if n != 1 {
				t.Errorf("%d packets, want one", n)
			}
		})
	}
}
