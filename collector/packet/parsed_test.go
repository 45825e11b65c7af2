// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// packetOf returns the packet of a message.
func packetOf(m nflogtest.Message) nflog.Packet {
	return slices.Collect(nflog.NewDecoder(m.Group).Decode(m.Append(nil)).Packets())[0]
}

// noValues are the results of the methods of a Parsed for a packet that is not IP, "-" for no value.
var noValues = map[string]string{"vlan": "-", "dscp": "-", "addresses": "-", "ports": "-", "flags": "-", "icmp": "-", "fragment": ""}

// describe returns the results of all methods of a Parsed.
func describe(p nflog.Packet) map[string]string {
	var h packet.Parsed
	h.Parse(p)
	d := maps.Clone(noValues)
	if id, ok := h.VLAN(); ok {
		d["vlan"] = fmt.Sprint(id)
	}
	if dscp, ok := h.DSCP(); ok {
		d["dscp"] = dscp.String()
	}
	if source, destination, ok := h.Addresses(); ok {
		d["addresses"] = fmt.Sprintf("%v > %v", source, destination)
	}
	if source, destination, ok := h.Transport().Ports(); ok {
		d["ports"] = fmt.Sprintf("%d > %d", source, destination)
	}
	if flags, ok := h.Transport().TCPFlags(); ok {
		d["flags"] = flags.Kind().String()
	}
	if t, ok := h.Transport().ICMPType(); ok {
		d["icmp"] = t.String()
	}
	switch fragment, later := h.Fragment(); {
	case later:
		d["fragment"] = "later"
	case fragment:
		d["fragment"] = "first"
	}
	return d
}

func TestParsed(t *testing.T) {
	const (
		v4   = "10.0.0.1 > 10.0.0.2"
		v6   = "2001:db8::1 > 2001:db8::2"
		udp  = "0009 1f90 0008 0000"
		pad6 = "0104 0000 0000"
	)
	ip := func(packet string) nflogtest.Message {
		m := nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: nflogtest.Unhex(packet)}
		if packet != "" && packet[0] == '6' {
			m.Family, m.HWProtocol = 10, 0x86dd
		}
		return m
	}
	bridged := func(vlan, etherType uint16, payload string) nflogtest.Message {
		return nflogtest.Message{Family: 7, Hook: 1, HWProtocol: etherType, VLAN: vlan, Payload: nflogtest.Unhex(payload)}
	}
	type want = map[string]string
	tests := []struct {
		name    string
		message nflogtest.Message
		want    want // where it differs from noValues
	}{
		{
			name: "TCP", message: ip(nflogtest.IPv4Header("0028", "06") + nflogtest.TCPTo443 + nflogtest.SYN),
			want: want{"dscp": "cs0", "addresses": v4, "ports": "49152 > 443", "flags": "syn"},
		},
		{
			name: "UDP, EF", message: ip("45b8 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp),
			want: want{"dscp": "ef", "addresses": v4, "ports": "9 > 8080"},
		},
		{
			name: "ICMP", message: ip(nflogtest.IPv4Header("001c", "01") + "0800 0000 0001 0001"),
			want: want{"dscp": "cs0", "addresses": v4, "icmp": "echo-request"},
		},
		{
			name: "first fragment", message: ip("4500 05dc 0001 2000 4011 0000 0a00 0001 0a00 0002" + udp),
			want: want{"dscp": "cs0", "addresses": v4, "ports": "9 > 8080", "fragment": "first"},
		},
		{
			name: "later fragment", message: ip("4500 05dc 0001 2001 4011 0000 0a00 0001 0a00 0002" + udp),
			want: want{"dscp": "cs0", "addresses": v4, "fragment": "later"},
		},
		{
			name: "last fragment", message: ip("4500 001c 0001 1fff 4011 0000 0a00 0001 0a00 0002" + udp),
			want: want{"dscp": "cs0", "addresses": v4, "fragment": "later"},
		},
		{
			name: "cut in the flags of fragments", message: ip("4500 001c 0001 20"),
			want: want{"dscp": "cs0"},
		},
		{
			name: "cut in the addresses", message: ip("4500 001c 0001 2000 4011 0000 0a00 0001 0a00 00"),
			want: want{"dscp": "cs0", "fragment": "first"},
		},
		{name: "malformed", message: ip("5500 001c 0001 2000 4011 0000 0a00 0001 0a00 0002" + udp)},

		{
			name: "IPv6, UDP", message: ip(nflogtest.IPv6Header("0008", "11") + udp),
			want: want{"dscp": "cs0", "addresses": v6, "ports": "9 > 8080"},
		},
		{
			name: "IPv6, ICMPv6", message: ip(nflogtest.IPv6Header("0008", "3a") + "8700 0000 0000 0000"),
			want: want{"dscp": "cs0", "addresses": v6, "icmp": "nd-neighbor-solicit"},
		},
		{
			name: "IPv6, first fragment", message: ip(nflogtest.IPv6Header("0010", "2c") + "1100 0001 0000 0001" + udp),
			want: want{"dscp": "cs0", "addresses": v6, "ports": "9 > 8080", "fragment": "first"},
		},
		{
			name: "IPv6, first fragment after options", message: ip(nflogtest.IPv6Header("0018", "3c") + "2c 00" + pad6 + "1100 0001 0000 0001" + udp),
			want: want{"dscp": "cs0", "addresses": v6, "ports": "9 > 8080", "fragment": "first"},
		},
		{
			name: "IPv6, fragment header of a whole packet", message: ip(nflogtest.IPv6Header("0010", "2c") + "1100 0000 0000 0001" + udp),
			want: want{"dscp": "cs0", "addresses": v6, "ports": "9 > 8080"},
		},
		{
			name: "IPv6, later fragment", message: ip(nflogtest.IPv6Header("0010", "2c") + "1100 05a8 0000 0001" + udp),
			want: want{"dscp": "cs0", "addresses": v6, "fragment": "later"},
		},
		{name: "IPv6, cut in the addresses", message: ip(nflogtest.IPv6Header("0008", "11")[:90]), want: want{"dscp": "cs0"}},

		{
			name: "tag in the message", message: bridged(42, 0x0800, nflogtest.IPv4UDP),
			want: want{"vlan": "42", "dscp": "cs0", "addresses": v4, "ports": "9 > 9"},
		},
		{
			name: "tag in the packet", message: bridged(0, 0x8100, "6005 86dd"+nflogtest.IPv6UDP),
			want: want{"vlan": "5", "dscp": "cs0", "addresses": v6, "ports": "9 > 9"},
		},
		{name: "ARP", message: bridged(0, 0x0806, nflogtest.ARPRequest)},
		{name: "LLDP", message: bridged(0, 0x88cc, nflogtest.IPv4UDP)},
		{name: "no payload", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := maps.Clone(noValues)
			maps.Copy(want, tt.want)
			if diff := cmp.Diff(want, describe(packetOf(tt.message))); diff != "" {
				t.Errorf("unexpected values (-want +got):\n%s", diff)
			}
		})
	}
}

// TestParseAllocations checks that parsing allocates nothing.
func TestParseAllocations(t *testing.T) {
	p := packetOf(nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd, Payload: nflogtest.Unhex(nflogtest.IPv6UDP)})
	n := testing.AllocsPerRun(100, func() {
		var h packet.Parsed
		h.Parse(p)
		h.VLAN()
		h.DSCP()
		h.Addresses()
		h.Transport().Ports()
		h.Fragment()
	})
	if n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
