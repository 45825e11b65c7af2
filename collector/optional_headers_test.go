// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

const (
	// tcpTo443 is the beginning of a TCP header, up to the data offset.
	tcpTo443 = "c000 01bb 0000 0001 0000 0002"

	synFlag = "5002 ffff 0000 0000" // the rest, of a SYN
)

// ipv4 returns an IPv4 header, in hexadecimal digits, with that length and protocol.
func ipv4(length, protocol string) string {
	return "4500" + length + "0001 0000 40" + protocol + "0000 0a00 0001 0a00 0002"
}

// ipPacket returns the message of a packet at an input hook, which tells by its first digit whether it
// is IPv6.
func ipPacket(packet string) nflogtest.Message {
	m := nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800, Payload: unhex(packet)}
	if packet != "" && packet[0] == '6' {
		m.Family, m.HWProtocol = 10, 0x86dd
	}
	return m
}

// TestExtrasOfHeaders checks the labels that are in a packet's network and transport headers.
func TestExtrasOfHeaders(t *testing.T) {
	const (
		pad6 = "0104 0000 0000" // the rest of an extension header of 8 bytes, all padding
		auth = "04 0000 0000 0001 0000 0001 0000 0000 0000 0000 0000 0000"
		udp  = "0009 1f90 0008 0000"
	)
	type want struct{ dscp, flags, icmp, port string }
	tests := []struct {
		name   string
		packet string
		want   want
	}{
		{name: "TCP", packet: ipv4("0028", "06") + tcpTo443 + synFlag, want: want{dscp: "cs0", flags: "syn", port: "443"}},
		{name: "UDP", packet: ipv4("001c", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "UDP-Lite", packet: ipv4("001c", "88") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "DCCP", packet: ipv4("0024", "21") + udp + "0000 0000 0000 0000", want: want{dscp: "cs0", port: "8080"}},
		{name: "SCTP", packet: ipv4("0020", "84") + "0009 1f90 0000 0001 0000 0000", want: want{dscp: "cs0", port: "8080"}},
		{name: "ICMP", packet: ipv4("001c", "01") + "0800 0000 0001 0001", want: want{dscp: "cs0", icmp: "echo-request"}},
		{name: "GRE", packet: ipv4("001c", "2f") + "2000 0800 0001 0001", want: want{dscp: "cs0"}},
		{name: "options", packet: "4600 0020 0000 0000 4011 0000 0a00 0001 0a00 0002 9404 0000" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "first fragment", packet: "4500 05dc 0001 2000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "whole, not to be fragmented", packet: "4500 001c 0001 4000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "second fragment", packet: "4500 05dc 0001 2001 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0"}},
		{name: "far fragment", packet: "4500 001c 0001 3000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0"}},
		{name: "last fragment", packet: "4500 001c 0001 1fff 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0"}},
		{name: "total length 0", packet: ipv4("0000", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "no header, padding alone", packet: ipv4("0014", "06") + tcpTo443 + synFlag, want: want{dscp: "cs0"}},
		{name: "header up to the ports, padding", packet: ipv4("0018", "06") + tcpTo443 + synFlag, want: want{dscp: "cs0", port: "443"}},
		{name: "no ICMP header, padding alone", packet: ipv4("0014", "01") + "0800 0000 0001 0001", want: want{dscp: "cs0"}},

		{name: "IPv6, TCP", packet: ipv6Header("0014", "06") + tcpTo443 + synFlag, want: want{dscp: "cs0", flags: "syn", port: "443"}},
		{name: "IPv6, UDP", packet: ipv6Header("0008", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, ICMPv6", packet: ipv6Header("0008", "3a") + "8000 0000 0001 0001", want: want{dscp: "cs0", icmp: "echo-request"}},
		{name: "IPv6, extensions", packet: ipv6Header("0020", "00") + "3c 00" + pad6 + "2b 00" + pad6 + "11 00 fd00 0000 0000" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, authentication", packet: ipv6Header("0020", "33") + "11" + auth + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, first fragment", packet: ipv6Header("0010", "2c") + "11 00 0001 0000 0001" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, first fragment, options", packet: ipv6Header("0018", "2c") + "3c 00 0001 0000 0001" + "11 00" + pad6 + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, later fragment", packet: ipv6Header("0010", "2c") + "11 00 05a8 0000 0001" + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, later fragment of ICMPv6", packet: ipv6Header("0010", "2c") + "3a 00 05a8 0000 0001" + "8000 0000 0001 0001", want: want{dscp: "cs0"}},
		{name: "IPv6, later fragment of options", packet: ipv6Header("0018", "2c") + "3c 00 05a8 0000 0001" + "11 00" + pad6 + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, ESP", packet: ipv6Header("0008", "32") + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, no next header", packet: ipv6Header("0008", "3b") + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, payload length 0", packet: ipv6Header("0000", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, padding alone", packet: ipv6Header("0008", "3c") + "11 00" + pad6 + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, header up to the ports, padding", packet: ipv6Header("0004", "06") + tcpTo443 + synFlag, want: want{dscp: "cs0", port: "443"}},
		{name: "IPv6, chain cut", packet: ipv6Header("0010", "3c") + "11", want: want{dscp: "cs0"}},
		{name: "IPv6, options longer than the copy", packet: ipv6Header("0100", "3c") + "11 ff" + pad6 + udp, want: want{dscp: "cs0"}},

		{name: "DSCP", packet: "45b8 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "DSCP and congestion", packet: "45bb 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "congestion alone", packet: "4503 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "DSCP without a name", packet: "45fc 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "63", port: "8080"}},
		{name: "IPv6, DSCP", packet: "6b80" + ipv6Header("0008", "11")[4:] + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "IPv6, DSCP, congestion and flow", packet: "6bbf ffff" + ipv6Header("0008", "11")[9:] + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "IPv6, DSCP of lower bits", packet: "6040" + ipv6Header("0008", "11")[4:] + udp, want: want{dscp: "lephb", port: "8080"}},

		{name: "nothing copied", packet: "", want: want{}},
		{name: "version wrong", packet: "5500 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{}},
		{name: "shorter than its header", packet: ipv4("0013", "11") + udp, want: want{}},
		{name: "shorter than its header, cut", packet: "4500 0013", want: want{}},
	}
	x := newTestExtractor(t, 0, "dscp", "tcp_flags", "icmp_type", "destination_port")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := onePacket(t, ipPacket(tt.packet))
			e := x.extract(p, packetHeader(p).protocol)
			got := want{
				dscp: e.value(labelDSCP), flags: e.value(labelTCPFlags),
				icmp: e.value(labelICMPType), port: e.value(labelDestinationPort),
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("unexpected labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExtrasElsewhere checks that headers are found behind tags and link layer headers.
func TestExtrasElsewhere(t *testing.T) {
	const (
		segment = "4528 0028 0000 4000 4006 0000 0a00 0001 0a00 0002" + tcpTo443 + synFlag
		link    = ethernet + "8100 0005 0800"
	)
	tests := []struct {
		name    string
		message nflogtest.Message
		payload string
		want    string // of dscp, tcp_flags and destination_port
	}{
		{name: "bridge", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800}, payload: segment, want: "af11 syn 443"},
		{name: "bridge, tag", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x8100}, payload: "0005 0800" + segment, want: "af11 syn 443"},
		{name: "netdev ingress, two tags", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88a8}, payload: "0005 8100 0006 0800" + segment, want: "af11 syn 443"},
		{name: "netdev ingress, three tags", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88a8}, payload: "0005 8100 0006 8100 0007 0800" + segment, want: "  "},
		{name: "netdev ingress, tag cut", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005 08", want: "  "},
		{name: "netdev ingress, cut behind the tag", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005 0800 4528", want: "af11  "},
		{name: "netdev ingress, wrong behind the tag", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005 86dd" + segment, want: "  "},
		{name: "netdev egress", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: unhex(ethernet + "0800")}, payload: ethernet + "0800" + segment, want: "af11 syn 443"},
		{name: "netdev egress, tag", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x8100, L2Header: unhex(link)}, payload: link + segment, want: "af11 syn 443"},
		{name: "netdev egress, tag that the EtherType does not tell", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: unhex(link)}, payload: link + segment, want: "af11 syn 443"},
		{name: "netdev egress, no link layer", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800}, payload: segment, want: "af11 syn 443"},
		{name: "ARP", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0806}, payload: arpRequest, want: "  "},
		{name: "LLDP", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x88cc}, payload: segment, want: "  "},
	}
	x := newTestExtractor(t, 0, "dscp", "tcp_flags", "destination_port")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.message.Payload = unhex(tt.payload)
			p := onePacket(t, tt.message)
			e := x.extract(p, packetHeader(p).protocol)
			got := fmt.Sprintf("%s %s %s", e.value(labelDSCP), e.value(labelTCPFlags), e.value(labelDestinationPort))
			if got != tt.want {
				t.Errorf("labels %q, want %q", got, tt.want)
			}
		})
	}
}

// TestExtrasShort checks how many bytes of a packet it takes to know each label.
func TestExtrasShort(t *testing.T) {
	x := newTestExtractor(t, 0, "dscp", "tcp_flags", "icmp_type", "destination_port")
	tests := []struct {
		name   string
		packet string
		at     map[label]int
	}{
		{name: "TCP", packet: ipv4("0028", "06") + tcpTo443 + synFlag, at: map[label]int{labelDSCP: 2, labelDestinationPort: 24, labelTCPFlags: 34}},
		{name: "ICMP", packet: ipv4("001c", "01") + "0800 0000 0001 0001", at: map[label]int{labelDSCP: 2, labelICMPType: 21}},
		{name: "IPv6, TCP", packet: ipv6Header("0014", "06") + tcpTo443 + synFlag, at: map[label]int{labelDSCP: 2, labelDestinationPort: 44, labelTCPFlags: 54}},
		{
			name: "IPv6, options, ICMPv6", packet: ipv6Header("0010", "00") + "3a00 0502 0000 0100" + "8700 0000 0000 0000",
			at: map[label]int{labelDSCP: 2, labelICMPType: 49},
		},
	}
	for _, tt := range tests {
		full := ipPacket(tt.packet)
		p := onePacket(t, full)
		want := x.extract(p, packetHeader(p).protocol)
		for n := range len(full.Payload) + 1 {
			t.Run(fmt.Sprintf("%s/%d", tt.name, n), func(t *testing.T) {
				m := full
				m.Payload = full.Payload[:n]
				p := onePacket(t, m)
				got := x.extract(p, packetHeader(p).protocol)
				for _, l := range extraLabels {
					value := ""
					if at, ok := tt.at[l]; ok && n >= at {
						value = want.value(l)
					}
					if got := got.value(l); l != labelMark && got != value {
						t.Errorf("%s is %q, want %q", labelNames[l], got, value)
					}
				}
			})
		}
	}
}

func TestTCPFlags(t *testing.T) {
	const (
		fin, syn, rst, psh, ack, urg, ece, cwr = 1, 2, 4, 8, 16, 32, 64, 128
	)
	for flags, want := range map[uint8]string{
		syn: "syn", syn | ece | cwr: "syn", syn | psh: "syn", syn | urg: "syn",
		syn | ack: "syn-ack", syn | ack | ece: "syn-ack", syn | ack | psh: "syn-ack",
		ack: "ack", ack | psh: "ack", ack | urg: "ack", ack | psh | urg: "ack", ack | ece | cwr: "ack",
		fin: "fin", fin | ack: "fin", fin | psh | ack: "fin", fin | psh: "fin", fin | urg: "fin", fin | psh | urg | ack: "fin",
		rst: "rst", rst | ack: "rst", rst | syn: "rst", rst | fin: "rst", rst | psh | urg: "rst", 0xff: "rst",
		rst | fin | psh | urg: "rst",

		0:               "null",
		fin | psh | urg: "xmas", fin | psh | urg | ece: "xmas",
		syn | fin: "other", syn | fin | ack: "other", syn | fin | psh | urg: "other",
		psh: "other", urg: "other", psh | urg: "other", ece: "other", cwr: "other",
	} {
		if got := tcpFlagsOf(flags).String(); got != want {
			t.Errorf("flags %#02x are %q, want %q", flags, got, want)
		}
	}
	for flags := range 256 {
		if tcpFlagsOf(uint8(flags)).String() == "" {
			t.Errorf("flags %#02x have no name", flags)
		}
	}
}

func TestPortClass(t *testing.T) {
	named := newPortSet([]uint16{0, 63, 64, 443, 8080, 65535})
	for port, want := range map[uint16]string{
		0: "0", 63: "63", 64: "64", 443: "443", 8080: "8080", 65535: "65535",

		1: "well-known", 62: "well-known", 65: "well-known", 1023: "well-known",
		1024: "registered", 8081: "registered", 49151: "registered",
		49152: "dynamic", 65534: "dynamic",
	} {
		if got := named.class(port).String(); got != want {
			t.Errorf("port %d is %q, want %q", port, got, want)
		}
	}
	if got := newPortSet(nil).class(443).String(); got != "well-known" {
		t.Errorf("where no port is named, 443 is %q", got)
	}
}
