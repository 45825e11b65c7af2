// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"slices"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// FuzzParse checks that a longer copy of a packet never contradicts a shorter one, and that the fields are plausible.
func FuzzParse(f *testing.F) {
	for _, seed := range []struct {
		etherType uint16
		link      int // length of the link layer header; -1 if the packet begins after it, -2 at the output hook of ARP
		packet    string
	}{
		{0x0800, -1, nflogtest.IPv4UDP},
		{0x0800, -1, "4600 0017 0000 0000 4011 0000 0a00 0001 0a00 0002 9404 0000"},
		{0x86dd, -1, nflogtest.IPv6UDP},
		{0x86dd, -1, nflogtest.IPv6Header("0000", "00") + "3c00 c204 0001 0000" + "2c00 0104 0000 0000" + "1100 0001 0000 0001"},
		{0x86dd, -1, nflogtest.IPv6Header("0000", "00") + "1100 c204 ffff f000" + "0005 0035 0009 0000"},
		{0x86dd, -1, nflogtest.IPv6Header("0020", "33") + "3c01 0000 0000 0001 0000 0001" + "0600 0104 0000 0000"},
		{0x86dd, -1, nflogtest.IPv6Header("0020", "2c") + "3c00 05a8 0000 0001"},
		{0x0806, -1, nflogtest.ARPRequest},
		{0x88cc, -1, "0207 0402"},
		{0x88a8, -1, "0005 8100 0006 0800" + nflogtest.IPv4UDP},
		{0x0800, 14, nflogtest.Ethernet + "0800" + nflogtest.IPv4UDP},
		{0x8100, 18, nflogtest.Ethernet + "8100 0005 0800" + nflogtest.IPv4UDP},
		{0x8100, 14, nflogtest.Ethernet + "8100 0005 86dd" + nflogtest.IPv6UDP},
		{0x0806, -2, nflogtest.Ethernet + "0806" + nflogtest.ARPRequest},
		{0x0806, -2, nflogtest.Ethernet + "8100 0005 0800" + "4500 05dc 0001 2000 4011 0000 0a00 0001 0a00 0002"},
		{0x0800, 0, ipv4From("8100")},
	} {
		f.Add(seed.etherType, seed.link, nflogtest.Unhex(seed.packet))
	}
	f.Fuzz(func(t *testing.T, etherType uint16, link int, packet []byte) {
		const maxLen = 512
		packet = packet[:min(len(packet), maxLen)]
		packetAt := func(b []byte) nflog.Packet {
			return packetOf(nflogtest.Message{Family: 7, HWProtocol: etherType, Payload: b})
		}
		if link == -2 {
			packetAt = arpOutput
		} else if link >= 0 {
			link := append(slices.Clip(packet), make([]byte, maxLen)...)[:link%maxLen]
			packetAt = func(b []byte) nflog.Packet { return egress(etherType, link, b) }
		}

		parse := func(b []byte) fields {
			p := packetAt(b)
			f := packetFields(p)
			checkNetwork(t, f, p.Network())
			if etherType == nflog.EtherTypeIPv4 || etherType == nflog.EtherTypeIPv6 {
				checkFamilyIP(t, etherType, b)
			}
			return f
		}
		full := parse(packet)
		checkPlausible(t, full)
		for n := range packet {
			short := parse(packet[:n:n])
			checkPlausible(t, short)
			// A jumbo option behind the cut can make the header malformed.
			if short.protocol != protocolUnknown && short.protocol != full.protocol && !full.malformed {
				t.Errorf("protocol is %v after %d bytes, %v after %d", short.protocol, n, full.protocol, len(packet))
			}
			if short.length != 0 && short.length != full.length {
				t.Errorf("length is %d after %d bytes, %d after %d", short.length, n, full.length, len(packet))
			}
			if short.malformed && !full.malformed {
				t.Errorf("malformed after %d bytes, but not after %d", n, len(packet))
			}
		}
	})
}

// checkNetwork checks that the library finds the same length.
func checkNetwork(t *testing.T, f fields, n nflog.Network) {
	t.Helper()
	if got := (fields{f.protocol, n.Length, n.Malformed}); got != f {
		t.Errorf("fields are %+v, the library's %+v", f, got)
	}
}

// checkFamilyIP checks that a packet is parsed the same in the family ip or ip6 as on a bridge.
func checkFamilyIP(t *testing.T, etherType uint16, b []byte) {
	t.Helper()
	m := nflogtest.Message{Family: 2, HWProtocol: etherType, Payload: b}
	if etherType == nflog.EtherTypeIPv6 {
		m.Family = 10
	}
	checkFields(t, parseFields(etherType, b), packetFields(packetOf(m)))
}

// checkPlausible checks that the protocol exists, and that it fits the length.
func checkPlausible(t *testing.T, f fields) {
	t.Helper()
	p := f.protocol
	if p > 0xff && p != protocolUnknown && p&^0xffff != protocolEtherType {
		t.Errorf("there is no protocol %#x", uint32(p))
	}
	if f.malformed && f != malformed {
		t.Errorf("a malformed packet has other fields: %+v", f)
	}
	var shortest, longest uint32
	switch {
	case p == protocolARP:
		shortest, longest = 8, 8+2*(255+255)
	case p == protocolUnknown || p <= 0xff:
		shortest, longest = ipv4HeaderLen, 512<<10
	}
	if f.length != 0 && (f.length < shortest || f.length > longest) {
		t.Errorf("no packet of protocol %v is %d bytes long", p, f.length)
	}
}
