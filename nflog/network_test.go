// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestNetwork finds the network layer of packets. collector/packet, which uses it, has more cases of each kind.
func TestNetwork(t *testing.T) {
	const tag, ethernet4 = "6005 0800", nflogtest.Ethernet + "0800"
	link := nflogtest.Unhex(ethernet4)
	tests := []struct {
		name    string
		message nflogtest.Message
		payload string
		at      int           // offset of the header in the payload; -1 if nothing of it was copied
		want    nflog.Network // without Header
	}{
		{
			name: "ip", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}, payload: nflogtest.IPv4UDP,
			want: nflog.Network{EtherType: 0x0800, Length: 28},
		},
		{
			name: "ip6", message: nflogtest.Message{Family: 10, Hook: 3, HWProtocol: 0x86dd}, payload: nflogtest.IPv6UDP,
			want: nflog.Network{EtherType: 0x86dd, Length: 48},
		},
		{
			name: "jumbogram", message: nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd},
			payload: nflogtest.IPv6Header("0000", "00") + "1100 c204 0001 0000",
			want:    nflog.Network{EtherType: 0x86dd, Length: 65576},
		},
		{
			name: "IPv6 without payload", message: nflogtest.Message{Family: 10, Hook: 1, HWProtocol: 0x86dd},
			payload: nflogtest.IPv6Header("0000", "3b"), want: nflog.Network{EtherType: 0x86dd, Length: 40},
		},
		{
			name: "padded on a bridge", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x0800, L2Header: link},
			payload: nflogtest.IPv4UDP + "0000 0000 0000", want: nflog.Network{EtherType: 0x0800, Length: 28},
		},
		{
			name: "netdev ingress", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x0800, L2Header: link},
			payload: nflogtest.IPv4UDP, want: nflog.Network{EtherType: 0x0800, Length: 28},
		},
		{
			name: "netdev egress", message: nflogtest.Message{Family: 5, Hook: 1, HWProtocol: 0x0800, L2Header: link},
			payload: ethernet4 + nflogtest.IPv4UDP, at: 14, want: nflog.Network{EtherType: 0x0800, Length: 28},
		},
		{
			name: "arp input", message: nflogtest.Message{Family: 3, Hook: 0, HWProtocol: 0x0806},
			payload: nflogtest.ARPRequest, want: nflog.Network{EtherType: 0x0806, Length: 28},
		},
		{
			name: "arp output", message: nflogtest.Message{Family: 3, Hook: 1, HWProtocol: 0x0806},
			payload: nflogtest.Broadcast + "0806" + nflogtest.ARPRequest, at: 14, want: nflog.Network{EtherType: 0x0806, Length: 28},
		},
		{
			name: "tag in the packet", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x8100},
			payload: tag + nflogtest.IPv4UDP, at: 4, want: nflog.Network{EtherType: 0x0800, Length: 28, Tagged: true, VLAN: 5},
		},
		{
			name: "tag beside the packet, another in it", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x8100, VLAN: 3<<13 | 42},
			payload: tag + nflogtest.IPv4UDP, at: 4, want: nflog.Network{EtherType: 0x0800, Length: 28, Tagged: true, VLAN: 42},
		},
		{
			name: "cut in a tag", message: nflogtest.Message{Family: 7, Hook: 1, HWProtocol: 0x8100}, payload: "6005 08", at: -1,
			want: nflog.Network{EtherType: 0x8100, Tagged: true, VLAN: 5},
		},
		{
			name: "another protocol", message: nflogtest.Message{Family: 7, Hook: 0, HWProtocol: 0x88cc}, payload: "0207 0402",
			want: nflog.Network{EtherType: 0x88cc},
		},
		{
			name: "nothing copied", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}, at: -1,
			want: nflog.Network{EtherType: 0x0800},
		},
		{
			name: "cut in the header", message: nflogtest.Message{Family: 2, Hook: 1, HWProtocol: 0x0800}, payload: "4500 00",
			want: nflog.Network{EtherType: 0x0800},
		},
		{
			name: "not IPv4", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x0800}, payload: "6500 0014",
			want: nflog.Network{EtherType: 0x0800, Malformed: true},
		},
		{
			name: "shorter than its header", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x0800}, payload: "4600 0014",
			want: nflog.Network{EtherType: 0x0800, Malformed: true},
		},
		{
			name: "longer than any packet", message: nflogtest.Message{Family: 5, Hook: 0, HWProtocol: 0x86dd},
			payload: nflogtest.IPv6Header("0000", "00") + "1100 c204 0008 0000",
			want:    nflog.Network{EtherType: 0x86dd, Malformed: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.message.Payload = nflogtest.Unhex(tt.payload)
			if tt.at >= 0 {
				tt.want.Header = tt.message.Payload[tt.at:]
			}
			d := nflog.NewDecoder(0)
			for p := range d.Decode(tt.message.Append(nil)).Packets() {
				if diff := cmp.Diff(tt.want, p.Network()); diff != "" {
					t.Errorf("unexpected network layer (-want +got):\n%s", diff)
				}
			}
		})
	}
}
