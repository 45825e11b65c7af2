// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// BenchmarkCount decodes a full datagram and counts its packets.
func BenchmarkCount(b *testing.B) {
	datagram, packets := nflogtest.Datagram(100)
	benchmarkCount(b, Config{}, datagram, packets)
}

// BenchmarkCountAllLabels does the same with all labels.
func BenchmarkCountAllLabels(b *testing.B) {
	datagram, packets := nflogtest.Datagram(100)
	benchmarkCount(b, Config{Labels: LabelNames()}, datagram, packets)
}

// BenchmarkCountMixed does the same with packets of all kinds in random order, the worst case.
func BenchmarkCountMixed(b *testing.B) {
	const packets = 1000
	r := seededRand()
	payloads := []struct {
		family     uint8
		hwProtocol uint16
		payload    []byte
	}{
		{2, 0x0800, nflogtest.Unhex(nflogtest.IPv4UDP)},
		{2, 0x0800, nflogtest.Unhex("4500 0054 0000 4000 4001 0000 0a00 0001 0a00 0002" + "0800 0000 0001 0001")},
		{2, 0x0800, nflogtest.UDP(1500, 128)},
		{10, 0x86dd, nflogtest.Unhex(nflogtest.IPv6UDP)},
		{10, 0x86dd, nflogtest.Unhex(nflogtest.IPv6Header("0100", "00") + "3c00 0502 0000 0100" + "0600 0104 0000 0000")},
	}
	var datagram []byte
	for i := range packets {
		p := payloads[r.IntN(len(payloads))]
		datagram = nflogtest.Message{
			Group: 100, Family: p.family, HWProtocol: p.hwProtocol, Hook: 1, InDev: 1 + r.Uint32N(4),
			Ethernet: true, Timestamp: 1, Seq: uint32(i),
			Prefix:  fmt.Sprintf("fw zone%d drop: ", r.IntN(32)),
			Payload: p.payload,
		}.Append(datagram)
	}
	benchmarkCount(b, Config{}, nflogtest.Done(datagram), packets)
}

// benchmarkCount counts a datagram over and over again. All its interfaces have the same name.
func benchmarkCount(b *testing.B, config Config, datagram []byte, packets int) {
	f := newFeed(b, config)
	f.names.names = map[uint32]string{1: "eth0", 2: "eth0", 3: "eth0", 4: "eth0"}
	f.countDatagram(datagram)
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	for b.Loop() {
		f.countDatagram(datagram)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
}
