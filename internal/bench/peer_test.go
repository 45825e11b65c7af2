// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/sys/unix"
)

// packetMessage returns the data of a packet message.
func packetMessage(t *testing.T, family byte, attrs ...netlink.Attribute) []byte {
	t.Helper()
	b, err := netlink.MarshalAttributes(attrs)
	if err != nil {
		t.Fatalf("failed to marshal attributes: %v", err)
	}
	return append([]byte{family, unix.NFNETLINK_V0, 0, group}, b...)
}

func TestDecodePeerPacket(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want peerPacket
		ok   bool
	}{
		{name: "short header", data: []byte{unix.AF_INET, 0, 0}},
		{name: "no attributes", data: packetMessage(t, unix.AF_INET), want: peerPacket{Family: new(uint8(unix.AF_INET))}, ok: true},
		{
			name: "input",
			data: packetMessage(t, unix.AF_INET6,
				netlink.Attribute{Type: nfulaPacketHdr, Data: []byte{0x86, 0xdd, 1, 0}},
				netlink.Attribute{Type: nfulaPrefix, Data: []byte("in: \x00")},
				netlink.Attribute{Type: nfulaIfindexIndev, Data: []byte{0, 0, 0, 7}},
				netlink.Attribute{Type: nfulaHwaddr, Data: []byte{0, 6, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0}},
				netlink.Attribute{Type: nfulaPayload, Data: []byte{0x60}},
			),
			want: peerPacket{
				Family:     new(uint8(unix.AF_INET6)),
				HwProtocol: new(uint16(0x86dd)),
				Hook:       new(uint8(1)),
				Prefix:     new("in: "),
				InDev:      new(uint32(7)),
				HwAddr:     new([]byte{1, 2, 3, 4, 5, 6}),
				Payload:    new([]byte{0x60}),
			},
			ok: true,
		},
		{
			name: "short attributes",
			data: packetMessage(t, unix.AF_INET,
				netlink.Attribute{Type: nfulaPacketHdr, Data: []byte{8}},
				netlink.Attribute{Type: nfulaTimestamp, Data: []byte{1, 2, 3, 4}},
				netlink.Attribute{Type: nfulaHwaddr, Data: []byte{0, 6, 0, 0, 1}},
			),
			want: peerPacket{Family: new(uint8(unix.AF_INET)), HwAddr: new([]byte{1})},
			ok:   true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodePeerPacket(tt.data)
			if (err == nil) != tt.ok {
				t.Fatalf("unexpected error: want ok %t, got %v", tt.ok, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected packet (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPeerCount(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := newPeerMetrics(reg)
	ipv4 := append([]byte{0x45, 0, 0, 228, 0, 0, 0, 0, 64, unix.IPPROTO_UDP}, make([]byte, 10)...)
	for range 3 {
		m.count(peerPacket{
			Family:  new(uint8(unix.AF_INET)),
			Hook:    new(uint8(1)),
			Prefix:  new("in: "),
			Payload: &ipv4,
		})
	}
	m.count(peerPacket{})
	want := `
# HELP nflog_bytes_total Length of the packets.
# TYPE nflog_bytes_total counter
nflog_bytes_total{family="",hook="",in_interface="",out_interface="",prefix="",protocol="unknown"} 0
nflog_bytes_total{family="2",hook="1",in_interface="",out_interface="",prefix="in: ",protocol="17"} 684
# HELP nflog_packets_total Packets that rules logged.
# TYPE nflog_packets_total counter
nflog_packets_total{family="",hook="",in_interface="",out_interface="",prefix="",protocol="unknown"} 1
nflog_packets_total{family="2",hook="1",in_interface="",out_interface="",prefix="in: ",protocol="17"} 3
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), packetsMetric, "nflog_bytes_total"); err != nil {
		t.Error(err)
	}
}
