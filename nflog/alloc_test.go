// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// TestAllocationsPerPacket reads packets as a Reader does, and as a hook gets them.
func TestAllocationsPerPacket(t *testing.T) {
	const group, few = 100, 20
	var complete []byte // packets with every attribute of the kernel
	for i := range few {
		complete = nflogtest.Message{
			Group: group, Family: 7, HWProtocol: 0x0800, Hook: 1, Prefix: "all: ",
			InDev: 1, OutDev: 2, PhysInDev: 3, PhysOutDev: 4, Mark: 5, Ethernet: true, Timestamp: 6, Owner: true,
			Seq: uint32(i), SeqGlobal: 7, Conntrack: make([]byte, 80), CTInfo: 2, VLAN: 8, L2Header: make([]byte, 14),
			Payload: make([]byte, 128),
		}.Append(complete)
	}
	flood, many := nflogtest.Datagram(group)

	d := NewDecoder(group)
	var origins, bytes int
	fast := func(datagram []byte) {
		for p := range d.Decode(datagram).Packets() {
			if p.Origin().Prefix != "" {
				origins++
			}
			bytes += len(p.Payload())
		}
	}
	s := &session{
		nflog:   &Nflog{logger: noLogger{}},
		ctx:     t.Context(),
		decoder: NewDecoder(group),
		hook: func(a Attribute) int {
			bytes += len(*a.Payload)
			return 0
		},
	}
	compatible := func(datagram []byte) { s.deliver(datagram) }

	tests := []struct {
		name     string
		read     func(datagram []byte)
		datagram []byte
		packets  int
		want     float64 // upper limit
	}{
		{name: "fast, flood", read: fast, datagram: flood, packets: many, want: 0},
		{name: "fast, complete", read: fast, datagram: complete, packets: few, want: 0},
		{name: "compatible, flood", read: compatible, datagram: flood, packets: many, want: 2},
		{name: "compatible, complete", read: compatible, datagram: complete, packets: few, want: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := testing.AllocsPerRun(10, func() { tt.read(tt.datagram) }) / float64(tt.packets)
			if got > tt.want {
				t.Errorf("unexpected allocations: %v per packet, want at most %v", got, tt.want)
			}
		})
	}
	if origins == 0 || bytes == 0 {
		t.Errorf("unexpected packets: %d prefixes and %d bytes, want some of both", origins, bytes)
	}
}
