// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

func TestParseIPv6(t *testing.T) {
	tests := []struct {
		name   string
		packet string
		want   fields
	}{
		{name: "TCP", packet: nflogtest.IPv6Header("0020", "06"), want: known(6, 72)},
		{name: "ICMPv6", packet: nflogtest.IPv6Header("0040", "3a"), want: known(58, 104)},
		{name: "longest", packet: nflogtest.IPv6Header("ffff", "11"), want: known(17, 65575)},
		{name: "flow label and traffic class", packet: "6fff ffff" + nflogtest.IPv6Header("0008", "11")[9:], want: known(17, 48)},
		{name: "cut before the addresses", packet: "6000 0000 0008 1140", want: known(17, 48)},
		{name: "no next header", packet: nflogtest.IPv6Header("0000", "3b"), want: known(59, 40)},
		{name: "no next header, but a payload", packet: nflogtest.IPv6Header("0008", "3b"), want: known(59, 48)},
		// Segmentation offload makes packets that are too long for the field (BIG TCP).
		{name: "payload length 0", packet: nflogtest.IPv6Header("0000", "06"), want: known(6, 0)},

		{name: "version 4", packet: nflogtest.IPv4UDP, want: malformed},
		{name: "version 0", packet: "0" + nflogtest.IPv6UDP[1:], want: malformed},
		{name: "version 7, one byte", packet: "70", want: malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkFields(t, tt.want, parseFields(nflog.EtherTypeIPv6, nflogtest.Unhex(tt.packet)))
		})
	}
}

// TestParseIPv6Extensions checks that the walk along extension headers finds the same protocol as the kernel's
// ipv6_find_hdr.
func TestParseIPv6Extensions(t *testing.T) {
	const (
		pad6 = "0104 0000 0000"      // padding to the end of a header of 8 bytes
		pad8 = "0106 0000 0000 0000" // 8 more bytes of padding
		auth = "04 0000 0000 0001 0000 0001 0000 0000 0000 0000 0000 0000"
	)
	tests := []struct {
		name  string
		first string // next header of the IPv6 header
		rest  string
		want  Protocol
	}{
		{name: "hop-by-hop", first: "00", rest: "06 00" + pad6, want: 6},
		{name: "hop-by-hop, longer", first: "00", rest: "06 01" + pad6 + pad8, want: 6},
		{name: "routing", first: "2b", rest: "11 00 fd00 0000 0000", want: 17},
		{name: "routing, segments left", first: "2b", rest: "11 02 0401 0000 0000" + pad8 + pad8, want: 17},
		{name: "destination options", first: "3c", rest: "3a 00" + pad6, want: 58},
		{name: "authentication", first: "33", rest: "06" + auth, want: 6},
		{name: "authentication, shortest", first: "33", rest: "3c 00 0000 0000 0001" + "06 00" + pad6, want: 6},
		{name: "authentication, length not a multiple of 8", first: "33", rest: "3c 01 0000 0000 0001 0000 0001" + "06 00" + pad6, want: 6},
		{name: "all", first: "00", rest: "3c 00" + pad6 + "2b 00" + pad6 + "33 00 fd00 0000 0000" + "2c" + auth + "3c 00 0000 0000 0001" + "11 00" + pad6, want: 17},
		{name: "two destination options", first: "3c", rest: "3c 00" + pad6 + "11 00" + pad6, want: 17},
		{name: "hop-by-hop in the wrong place", first: "3c", rest: "00 00" + pad6 + "11 00" + pad6, want: 17},

		{name: "ESP ends the chain", first: "32", rest: "0000 0001 0000 0001", want: 50},
		{name: "ESP after options", first: "3c", rest: "32 00" + pad6 + "0600 0000", want: 50},
		{name: "no next header", first: "3c", rest: "3b 00" + pad6 + "0600 0000", want: 59},
		{name: "mobility header ends the chain", first: "87", rest: "3b00 0000", want: 135},
		{name: "HIP ends the chain", first: "8b", rest: "3b00 0000", want: 139},
		{name: "shim6 ends the chain", first: "8c", rest: "3b00 0000", want: 140},

		{name: "first fragment", first: "2c", rest: "11 00 0001 0000 0001", want: 17},
		{name: "only fragment", first: "2c", rest: "11 00 0000 0000 0001", want: 17},
		{name: "first fragment, options", first: "2c", rest: "3c 00 0001 0000 0001" + "11 00" + pad6, want: 17},
		{name: "first fragment, reserved bits", first: "2c", rest: "11 ff 0007 0000 0001", want: 17},
		{name: "second fragment", first: "2c", rest: "11 00 0009 0000 0001" + "ffff ffff", want: 17},
		{name: "last fragment", first: "2c", rest: "06 00 05a8 0000 0001" + "ffff ffff", want: 6},
		{name: "later fragment after options", first: "3c", rest: "2c 00" + pad6 + "11 00 05a8 0000 0001", want: 17},
		{name: "later fragment, no next header", first: "2c", rest: "3b 00 05a8 0000 0001", want: 59},
		{name: "later fragment of ESP", first: "2c", rest: "32 00 05a8 0000 0001", want: 50},
		// The first fragment has the rest of the extension headers, and the protocol.
		{name: "later fragment of options", first: "2c", rest: "3c 00 05a8 0000 0001" + "11 00" + pad6, want: protocolUnknown},
		{name: "later fragment of authentication", first: "2c", rest: "33 00 05a8 0000 0001" + "11" + auth, want: protocolUnknown},

		{name: "options not copied", first: "3c", rest: "", want: protocolUnknown},
		{name: "options cut after next header", first: "3c", rest: "11", want: protocolUnknown},
		{name: "options cut after length", first: "3c", rest: "11 00", want: 17},
		{name: "options longer than the copy", first: "3c", rest: "11 ff" + pad6, want: 17},
		{name: "options longer than the copy, before other options", first: "3c", rest: "3c ff" + pad6, want: protocolUnknown},
		{name: "fragment not copied", first: "2c", rest: "", want: protocolUnknown},
		{name: "fragment cut before offset", first: "2c", rest: "11 00 00", want: protocolUnknown},
		{name: "fragment cut after offset", first: "2c", rest: "11 00 05a8", want: 17},
		{name: "authentication not copied", first: "33", rest: "06", want: protocolUnknown},
		{name: "routing not copied", first: "2b", rest: "06", want: protocolUnknown},
		{name: "chain cut", first: "00", rest: "3c 00" + pad6 + "06", want: protocolUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := parseFields(nflog.EtherTypeIPv6, nflogtest.Unhex(nflogtest.IPv6Header("0100", tt.first)+tt.rest))
			checkFields(t, known(tt.want, 296), got)
		})
	}
}

// TestParseIPv6Jumbo checks the lengths of jumbograms (RFC 2675). Their length is in a hop-by-hop option.
func TestParseIPv6Jumbo(t *testing.T) {
	tests := []struct {
		name    string
		length  string // the header's payload length
		options string // the hop-by-hop header
		want    uint32 // of the packet
	}{
		{name: "jumbo", length: "0000", options: "06 00 c204 0001 0000", want: 65536 + 40},
		{name: "65537 bytes", length: "0000", options: "06 00 c204 0001 0001", want: 65537 + 40},
		{name: "longest aggregate (BIG TCP)", length: "0000", options: "06 00 c204 0007 ffd0", want: 8 * 65535},
		{name: "longest", length: "0000", options: "06 00 c204 0007 ffd8", want: 512 << 10},
		{name: "length 0", length: "0000", options: "06 00 c204 0000 0000", want: 0},
		{name: "after Pad1", length: "0000", options: "06 01 00 00 00 00 c204 0001 0000 0102 0000", want: 65536 + 40},
		{name: "after PadN", length: "0000", options: "06 01 0102 0000 c204 0001 0000 0102 0000", want: 65536 + 40},
		{name: "after an empty PadN", length: "0000", options: "06 01 0100 0100 c204 0001 0000 0102 0000", want: 65536 + 40},
		{name: "after router alert", length: "0000", options: "06 01 0502 0000 c204 0001 0000 0102 0000", want: 65536 + 40},
		{name: "before another option", length: "0000", options: "06 01 c204 0001 0000 0502 0000 0102 0000", want: 65536 + 40},
		{name: "options longer than the copy", length: "0000", options: "06 ff c204 0001 0000", want: 65536 + 40},

		{name: "none", length: "0000", options: "06 00 0104 0000 0000", want: 0},
		{name: "only Pad1", length: "0000", options: "06 00 0000 0000 0000", want: 0},
		{name: "after the options", length: "0000", options: "06 00 0104 0000 0000 c204 0001 0000", want: 0},
		{name: "option too short", length: "0000", options: "06 00 c203 0001 0000", want: 0},
		{name: "option too long", length: "0000", options: "06 01 c205 0001 0000 0001 0500 0000", want: 0},
		{name: "option beyond the end", length: "0000", options: "06 00 0103 0000 00c2", want: 0},
		{name: "another option beyond the end", length: "0000", options: "06 00 01ff 0000 0000", want: 0},
		{name: "cut in the length", length: "0000", options: "06 00 c204 0001 00", want: 0},
		{name: "cut before the option", length: "0000", options: "06 00", want: 0},
		{name: "cut before the options' length", length: "0000", options: "06", want: 0},
		{name: "not copied", length: "0000", options: "", want: 0},

		// A length in the header takes precedence.
		{name: "two lengths", length: "0010", options: "06 00 c204 0001 0000", want: 56},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := parseFields(nflog.EtherTypeIPv6, nflogtest.Unhex(nflogtest.IPv6Header(tt.length, "00")+tt.options))
			want := known(6, tt.want)
			if len(nflogtest.Unhex(tt.options)) < 2 {
				want.protocol = protocolUnknown
			}
			checkFields(t, want, got)
		})
	}
}

// TestParseIPv6JumboTooLong checks that a length that no packet has makes the header malformed.
func TestParseIPv6JumboTooLong(t *testing.T) {
	for _, length := range []string{"0007 ffd9", "0008 0000", "7fff ffff", "ffff ffd7", "ffff ffd8", "ffff ffff"} {
		t.Run(length, func(t *testing.T) {
			packet := nflogtest.IPv6Header("0000", "00") + "1100 c204" + length + "0005 0035 0009 0000"
			h := parse(nflog.EtherTypeIPv6, nflogtest.Unhex(packet))
			checkFields(t, malformed, fieldsOf(h))
			if _, ok := h.DSCP(); ok {
				t.Error("the packet has a DSCP")
			}
			h = parse(nflog.EtherTypeVLAN, nflogtest.Unhex("0005 86dd"+packet))
			checkFields(t, malformed, fieldsOf(h))
			if h.vlan != 5|vlanPresent {
				t.Errorf("the VLAN is %#x", h.vlan)
			}
		})
	}
}

// TestParseIPv6JumboElsewhere checks that the jumbo payload option counts only among hop-by-hop options right after the
// header.
func TestParseIPv6JumboElsewhere(t *testing.T) {
	const jumbo = "06 00 c204 0001 0000"
	for name, packet := range map[string]string{
		"destination options": nflogtest.IPv6Header("0000", "3c") + jumbo,
		"second header":       nflogtest.IPv6Header("0000", "3c") + "00 00 0104 0000 0000" + jumbo,
	} {
		t.Run(name, func(t *testing.T) {
			checkFields(t, known(6, 0), parseFields(nflog.EtherTypeIPv6, nflogtest.Unhex(packet)))
		})
	}
}
