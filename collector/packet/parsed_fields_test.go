// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// fields are the exported fields of a Parsed.
type fields struct {
	protocol  Protocol
	length    uint32
	malformed bool
}

func fieldsOf(p Parsed) fields { return fields{p.Protocol, p.Length, p.Malformed} }

// parseFields parses a packet that begins at its network header, or at a VLAN tag.
func parseFields(etherType uint16, b []byte) fields { return fieldsOf(parse(etherType, b)) }

// parse is like parseFields, and returns all that was parsed.
func parse(etherType uint16, b []byte) Parsed {
	return parsePacket(packetOf(nflogtest.Message{Family: 7, HWProtocol: etherType, Payload: b}))
}

func parsePacket(p nflog.Packet) (h Parsed) {
	h.Parse(p)
	return h
}

func packetFields(p nflog.Packet) fields { return fieldsOf(parsePacket(p)) }

// packetOf returns the packet of a message.
func packetOf(m nflogtest.Message) nflog.Packet {
	return slices.Collect(nflog.NewDecoder(m.Group).Decode(m.Append(nil)).Packets())[0]
}

func known(p Protocol, length uint32) fields { return fields{protocol: p, length: length} }

var (
	unknown   = fields{protocol: protocolUnknown}
	malformed = fields{protocol: protocolUnknown, malformed: true}
)

func checkFields(t *testing.T, want, got fields) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(fields{})); diff != "" {
		t.Errorf("unexpected fields (-want +got):\n%s", diff)
	}
}

func TestParseEtherTypes(t *testing.T) {
	tests := []struct {
		name      string
		etherType uint16
		packet    string
		want      fields
	}{
		{name: "IPv4", etherType: 0x0800, packet: nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "IPv6", etherType: 0x86dd, packet: nflogtest.IPv6UDP, want: known(17, 48)},
		{name: "ARP", etherType: 0x0806, packet: nflogtest.ARPRequest, want: known(protocolARP, 28)},
		{name: "ARP of long addresses", etherType: 0x0806, packet: "0020 0800 1404 0001", want: known(protocolARP, 56)},
		{name: "ARP of the longest addresses", etherType: 0x0806, packet: "0001 0800 ffff 0001", want: known(protocolARP, 1028)},
		{name: "ARP of no addresses", etherType: 0x0806, packet: "0001 0800 0000 0001", want: known(protocolARP, 8)},
		{name: "ARP up to the lengths", etherType: 0x0806, packet: "0001 0800 0604", want: known(protocolARP, 28)},
		{name: "ARP too short for the lengths", etherType: 0x0806, packet: "0001 0800 06", want: known(protocolARP, 0)},
		{name: "ARP not copied", etherType: 0x0806, packet: "", want: known(protocolARP, 0)},

		{name: "LLDP", etherType: 0x88cc, packet: "0207 0402 0000 0000 01", want: known(protocolEtherType|0x88cc, 0)},
		{name: "LLDP not copied", etherType: 0x88cc, packet: "", want: known(protocolEtherType|0x88cc, 0)},
		{name: "no EtherType", etherType: 0, packet: nflogtest.IPv4UDP, want: known(protocolEtherType, 0)},
		{name: "IPv4 under another EtherType", etherType: 0x88cc, packet: nflogtest.IPv4UDP, want: known(protocolEtherType|0x88cc, 0)},

		{name: "tagged IPv4", etherType: 0x8100, packet: "0005 0800" + nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "tagged IPv6", etherType: 0x8100, packet: "0005 86dd" + nflogtest.IPv6UDP, want: known(17, 48)},
		{name: "tagged ARP", etherType: 0x8100, packet: "0005 0806" + nflogtest.ARPRequest, want: known(protocolARP, 28)},
		{name: "tagged LLDP", etherType: 0x8100, packet: "0005 88cc 0207", want: known(protocolEtherType|0x88cc, 0)},
		{name: "provider tag", etherType: 0x88a8, packet: "0005 0800" + nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "two tags", etherType: 0x88a8, packet: "0005 8100 0006 0800" + nflogtest.IPv4UDP, want: known(17, 28)},
		{name: "two tags of the same type", etherType: 0x8100, packet: "0005 8100 0006 86dd" + nflogtest.IPv6UDP, want: known(17, 48)},
		{name: "three tags", etherType: 0x88a8, packet: "0005 8100 0006 8100 0007 0800" + nflogtest.IPv4UDP, want: known(protocolEtherType|0x8100, 0)},
		{name: "tag not copied", etherType: 0x8100, packet: "", want: unknown},
		{name: "cut in a tag", etherType: 0x8100, packet: "0005 08", want: unknown},
		{name: "cut in the second tag", etherType: 0x88a8, packet: "0005 8100 0006 08", want: unknown},
		{name: "cut after a tag", etherType: 0x8100, packet: "0005 0800", want: unknown},
		{name: "cut after two tags", etherType: 0x88a8, packet: "0005 8100 0006 86dd", want: unknown},
		{name: "malformed after a tag", etherType: 0x8100, packet: "0005 0800" + nflogtest.IPv6UDP, want: malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkFields(t, tt.want, parseFields(tt.etherType, nflogtest.Unhex(tt.packet)))
		})
	}
}

// TestParseCut checks how many bytes of a packet are needed for its length and its protocol. A packet that is cut is not
// malformed.
func TestParseCut(t *testing.T) {
	tests := []struct {
		name             string
		etherType        uint16
		packet           string
		full             fields
		lengthAt, protAt int // bytes that are needed
	}{
		{name: "IPv4", etherType: 0x0800, packet: nflogtest.IPv4UDP, full: known(17, 28), lengthAt: 4, protAt: 10},
		{name: "IPv6", etherType: 0x86dd, packet: nflogtest.IPv6UDP, full: known(17, 48), lengthAt: 6, protAt: 7},
		{name: "tagged IPv4", etherType: 0x8100, packet: "0005 0800" + nflogtest.IPv4UDP, full: known(17, 28), lengthAt: 8, protAt: 14},
		{name: "ARP", etherType: 0x0806, packet: nflogtest.ARPRequest, full: known(protocolARP, 28), lengthAt: 6, protAt: 0},
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
				want := unknown
				if n >= tt.lengthAt {
					want.length = tt.full.length
				}
				if n >= tt.protAt {
					want.protocol = tt.full.protocol
				}
				checkFields(t, want, parseFields(tt.etherType, packet[:n]))
			})
		}
	}
}

// TestParseHooks checks at which hooks packets begin at their link layer header.
func TestParseHooks(t *testing.T) {
	frame, packet := nflogtest.Unhex(nflogtest.Ethernet+"0800"+nflogtest.IPv4UDP), nflogtest.Unhex(nflogtest.IPv4UDP)
	tests := []struct {
		name    string
		message nflogtest.Message
		want    fields
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
		{name: "arp input", message: nflogtest.Message{Family: 3, Hook: 0, HWProtocol: 0x0806, Payload: nflogtest.Unhex(nflogtest.ARPRequest)}, want: known(protocolARP, 28)},
		{
			name:    "arp output",
			message: nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x0806, Payload: nflogtest.Unhex(nflogtest.Ethernet + "0806" + nflogtest.ARPRequest)},
			want:    known(protocolARP, 28),
		},
		{
			name:    "arp output of a VLAN device with the tag in the link layer header",
			message: nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x8100, Payload: nflogtest.Unhex(nflogtest.Broadcast + "8100 0005 0806" + nflogtest.ARPRequest)},
			want:    known(protocolARP, 28),
		},
		{name: "no payload", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}, want: unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkFields(t, tt.want, packetFields(packetOf(tt.message)))
		})
	}
}
