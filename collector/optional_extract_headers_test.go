// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestExtractHeaders checks the labels whose values are in the network and transport headers of a packet.
func TestExtractHeaders(t *testing.T) {
	const (
		pad6 = "0104 0000 0000" // padding to the end of an extension header of 8 bytes
		auth = "04 0000 0000 0001 0000 0001 0000 0000 0000 0000 0000 0000"
		udp  = "0009 1f90 0008 0000"
	)
	type want struct{ dscp, flags, icmp, port string }
	tests := []struct {
		name   string
		packet string
		want   want
	}{
		{name: "TCP", packet: nflogtest.IPv4Header("0028", "06") + nflogtest.TCPTo443 + nflogtest.SYN, want: want{dscp: "cs0", flags: "syn", port: "443"}},
		{name: "UDP", packet: nflogtest.IPv4Header("001c", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "UDP-Lite", packet: nflogtest.IPv4Header("001c", "88") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "DCCP", packet: nflogtest.IPv4Header("0024", "21") + udp + "0000 0000 0000 0000", want: want{dscp: "cs0", port: "8080"}},
		{name: "SCTP", packet: nflogtest.IPv4Header("0020", "84") + "0009 1f90 0000 0001 0000 0000", want: want{dscp: "cs0", port: "8080"}},
		{name: "ICMP", packet: nflogtest.IPv4Header("001c", "01") + "0800 0000 0001 0001", want: want{dscp: "cs0", icmp: "echo-request"}},
		{name: "GRE", packet: nflogtest.IPv4Header("001c", "2f") + "2000 0800 0001 0001", want: want{dscp: "cs0"}},
		{name: "options", packet: "4600 0020 0000 0000 4011 0000 0a00 0001 0a00 0002 9404 0000" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "first fragment", packet: "4500 05dc 0001 2000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "unfragmented, with the flag DF", packet: "4500 001c 0001 4000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "second fragment", packet: "4500 05dc 0001 2001 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0"}},
		{name: "far fragment", packet: "4500 001c 0001 3000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0"}},
		{name: "last fragment", packet: "4500 001c 0001 1fff 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0"}},
		{name: "total length 0", packet: nflogtest.IPv4Header("0000", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "no header, only padding", packet: nflogtest.IPv4Header("0014", "06") + nflogtest.TCPTo443 + nflogtest.SYN, want: want{dscp: "cs0"}},
		{name: "header up to the ports, padding", packet: nflogtest.IPv4Header("0018", "06") + nflogtest.TCPTo443 + nflogtest.SYN, want: want{dscp: "cs0", port: "443"}},
		{name: "no ICMP header, only padding", packet: nflogtest.IPv4Header("0014", "01") + "0800 0000 0001 0001", want: want{dscp: "cs0"}},

		{name: "IPv6, TCP", packet: nflogtest.IPv6Header("0014", "06") + nflogtest.TCPTo443 + nflogtest.SYN, want: want{dscp: "cs0", flags: "syn", port: "443"}},
		{name: "IPv6, UDP", packet: nflogtest.IPv6Header("0008", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, ICMPv6", packet: nflogtest.IPv6Header("0008", "3a") + "8000 0000 0001 0001", want: want{dscp: "cs0", icmp: "echo-request"}},
		{name: "IPv6, extensions", packet: nflogtest.IPv6Header("0020", "00") + "3c 00" + pad6 + "2b 00" + pad6 + "11 00 fd00 0000 0000" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, authentication", packet: nflogtest.IPv6Header("0020", "33") + "11" + auth + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, first fragment", packet: nflogtest.IPv6Header("0010", "2c") + "11 00 0001 0000 0001" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, first fragment, options", packet: nflogtest.IPv6Header("0018", "2c") + "3c 00 0001 0000 0001" + "11 00" + pad6 + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, later fragment", packet: nflogtest.IPv6Header("0010", "2c") + "11 00 05a8 0000 0001" + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, later fragment of ICMPv6", packet: nflogtest.IPv6Header("0010", "2c") + "3a 00 05a8 0000 0001" + "8000 0000 0001 0001", want: want{dscp: "cs0"}},
		{name: "IPv6, later fragment of options", packet: nflogtest.IPv6Header("0018", "2c") + "3c 00 05a8 0000 0001" + "11 00" + pad6 + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, ESP", packet: nflogtest.IPv6Header("0008", "32") + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, no next header", packet: nflogtest.IPv6Header("0008", "3b") + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, payload length 0", packet: nflogtest.IPv6Header("0000", "11") + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "IPv6, no header, only padding", packet: nflogtest.IPv6Header("0008", "3c") + "11 00" + pad6 + udp, want: want{dscp: "cs0"}},
		{name: "IPv6, header up to the ports, padding", packet: nflogtest.IPv6Header("0004", "06") + nflogtest.TCPTo443 + nflogtest.SYN, want: want{dscp: "cs0", port: "443"}},
		{name: "IPv6, chain cut", packet: nflogtest.IPv6Header("0010", "3c") + "11", want: want{dscp: "cs0"}},
		{name: "IPv6, options longer than the copy", packet: nflogtest.IPv6Header("0100", "3c") + "11 ff" + pad6 + udp, want: want{dscp: "cs0"}},

		{name: "DSCP", packet: "45b8 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "DSCP and ECN", packet: "45bb 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "only ECN", packet: "4503 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "cs0", port: "8080"}},
		{name: "DSCP without a name", packet: "45fc 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{dscp: "63", port: "8080"}},
		{name: "IPv6, DSCP", packet: "6b80" + nflogtest.IPv6Header("0008", "11")[4:] + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "IPv6, DSCP, ECN and flow label", packet: "6bbf ffff" + nflogtest.IPv6Header("0008", "11")[9:] + udp, want: want{dscp: "ef", port: "8080"}},
		{name: "IPv6, DSCP of lower bits", packet: "6040" + nflogtest.IPv6Header("0008", "11")[4:] + udp, want: want{dscp: "lephb", port: "8080"}},

		{name: "nothing copied", packet: "", want: want{}},
		{name: "version wrong", packet: "5500 001c 0000 0000 4011 0000 0a00 0001 0a00 0002" + udp, want: want{}},
		{name: "shorter than its header", packet: nflogtest.IPv4Header("0013", "11") + udp, want: want{}},
		{name: "shorter than its header, cut", packet: "4500 0013", want: want{}},
	}
	x := newTestExtractor(t, 0, "dscp", "tcp_flags", "icmp_type", "destination_port")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := extractMessage(&x, ipPacket(tt.packet))
			got := want{
				dscp: o.value(labelDSCP), flags: o.value(labelTCPFlags),
				icmp: o.value(labelICMPType), port: o.value(labelDestinationPort),
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("unexpected labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestExtractAfterLink checks that headers are found after VLAN tags and link layer headers.
func TestExtractAfterLink(t *testing.T) {
	const (
		segment = "4528 0028 0000 4000 4006 0000 0a00 0001 0a00 0002" + nflogtest.TCPTo443 + nflogtest.SYN
		link    = nflogtest.Ethernet + "8100 0005 0800"
	)
	tests := []struct {
		name    string
		message nflogtest.Message
		payload string
		want    string // values of dscp, tcp_flags and destination_port
	}{
		{name: "bridge", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800}, payload: segment, want: "af11 syn 443"},
		{name: "bridge, tag", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x8100}, payload: "0005 0800" + segment, want: "af11 syn 443"},
		{name: "netdev ingress, two tags", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88a8}, payload: "0005 8100 0006 0800" + segment, want: "af11 syn 443"},
		{name: "netdev ingress, three tags", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x88a8}, payload: "0005 8100 0006 8100 0007 0800" + segment, want: "  "},
		{name: "netdev ingress, tag cut", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005 08", want: "  "},
		{name: "netdev ingress, cut after the tag", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005 0800 4528", want: "af11  "},
		{name: "netdev ingress, malformed after the tag", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x8100}, payload: "0005 86dd" + segment, want: "  "},
		{name: "netdev egress", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: nflogtest.Unhex(nflogtest.Ethernet + "0800")}, payload: nflogtest.Ethernet + "0800" + segment, want: "af11 syn 443"},
		{name: "netdev egress, tag", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x8100, L2Header: nflogtest.Unhex(link)}, payload: link + segment, want: "af11 syn 443"},
		{name: "netdev egress, tag, but the EtherType of IPv4", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: nflogtest.Unhex(link)}, payload: link + segment, want: "af11 syn 443"},
		{name: "netdev egress, no link layer", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800}, payload: segment, want: "af11 syn 443"},
		{name: "ARP", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0806}, payload: nflogtest.ARPRequest, want: "  "},
		{name: "LLDP", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x88cc}, payload: segment, want: "  "},
	}
	x := newTestExtractor(t, 0, "dscp", "tcp_flags", "destination_port")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.message.Payload = nflogtest.Unhex(tt.payload)
			o := extractMessage(&x, tt.message)
			got := fmt.Sprintf("%s %s %s", o.value(labelDSCP), o.value(labelTCPFlags), o.value(labelDestinationPort))
			if got != tt.want {
				t.Errorf("labels %q, want %q", got, tt.want)
			}
		})
	}
}

// TestExtractCut checks how many bytes of a packet are needed for the value of each label.
func TestExtractCut(t *testing.T) {
	x := newTestExtractor(t, 0, "dscp", "tcp_flags", "icmp_type", "destination_port")
	tests := []struct {
		name   string
		packet string
		at     map[label]int // bytes that are needed
	}{
		{name: "TCP", packet: nflogtest.IPv4Header("0028", "06") + nflogtest.TCPTo443 + nflogtest.SYN, at: map[label]int{labelDSCP: 2, labelDestinationPort: 24, labelTCPFlags: 34}},
		{name: "ICMP", packet: nflogtest.IPv4Header("001c", "01") + "0800 0000 0001 0001", at: map[label]int{labelDSCP: 2, labelICMPType: 21}},
		{name: "IPv6, TCP", packet: nflogtest.IPv6Header("0014", "06") + nflogtest.TCPTo443 + nflogtest.SYN, at: map[label]int{labelDSCP: 2, labelDestinationPort: 44, labelTCPFlags: 54}},
		{
			name: "IPv6, options, ICMPv6", packet: nflogtest.IPv6Header("0010", "00") + "3a00 0502 0000 0100" + "8700 0000 0000 0000",
			at: map[label]int{labelDSCP: 2, labelICMPType: 49},
		},
	}
	for _, tt := range tests {
		full := ipPacket(tt.packet)
		want := extractMessage(&x, full)
		for n := range len(full.Payload) + 1 {
			t.Run(fmt.Sprintf("%s/%d", tt.name, n), func(t *testing.T) {
				m := full
				m.Payload = full.Payload[:n]
				got := extractMessage(&x, m)
				for _, l := range optionalLabels {
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
