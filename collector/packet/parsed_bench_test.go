// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

func BenchmarkParse(b *testing.B) {
	benchmarks := []struct {
		name      string
		family    uint8
		etherType uint16
		packet    string
	}{
		{name: "IPv4", family: 2, etherType: 0x0800, packet: nflogtest.IPv4UDP},
		{name: "IPv6", family: 10, etherType: 0x86dd, packet: nflogtest.IPv6UDP},
		{
			name: "IPv6Extensions", family: 10, etherType: 0x86dd,
			packet: nflogtest.IPv6Header("0100", "00") + "3c00 0502 0000 0100" + "2c00 0104 0000 0000" + "0600 0001 0000 0001",
		},
		{name: "TaggedIPv4", family: 7, etherType: 0x8100, packet: "0005 0800" + nflogtest.IPv4UDP},
	}
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			p := packetOf(nflogtest.Message{Family: bb.family, HWProtocol: bb.etherType, Payload: nflogtest.Unhex(bb.packet)})
			b.ReportAllocs()
			for b.Loop() {
				var h Parsed
				h.Parse(p)
			}
		})
	}
}
