// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// BenchmarkExtract extracts all optional values from packets of a flood, and each and all of them from packets of all kinds in
// random order.
func BenchmarkExtract(b *testing.B) {
	flood, _ := nflogtest.Datagram(100)
	b.Run("flood", func(b *testing.B) { benchmarkExtract(b, flood, LabelNames()...) })

	r := seededRand()
	var mixed []byte
	for i := range uint32(1000) {
		mixed = randomMessage(r, i).Append(mixed)
	}
	mixed = nflogtest.Done(mixed)
	for _, l := range optionalLabels {
		b.Run(labelNames[l], func(b *testing.B) { benchmarkExtract(b, mixed, labelNames[l]) })
	}
	b.Run("mixed", func(b *testing.B) { benchmarkExtract(b, mixed, LabelNames()...) })
}

func benchmarkExtract(b *testing.B, datagram []byte, names ...string) {
	packets := slices.Collect(nflog.NewDecoder(100).Decode(datagram).Packets())
	headers := make([]*packet.Parsed, len(packets))
	for i, p := range packets {
		headers[i] = parsed(p)
	}
	x := newTestExtractor(b, 0xffffffff, names...)
	b.ReportAllocs()
	var sum uint64 // so that the compiler removes nothing
	for b.Loop() {
		for i, p := range packets {
			o := x.extract(p, headers[i])
			sum += o.packed + o.owner + uint64(o.mark)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
	if sum == 0 && len(names) > 1 {
		b.Error("no packet has an optional value")
	}
}

// randomMessage returns the message of a TCP, UDP or ICMP packet over IPv4 or IPv6.
func randomMessage(r *rand.Rand, seq uint32) nflogtest.Message {
	m := nflogtest.Message{Group: 100, Family: 2, HWProtocol: 0x0800, Hook: 1, InDev: 1, Ethernet: true, Timestamp: 1, Seq: seq}
	pick := func(some ...byte) byte { return some[r.IntN(len(some))] }

	port := []byte{byte(r.IntN(256)), byte(r.IntN(256))}
	if r.IntN(2) == 0 {
		port = []byte{0, pick(22, 53, 80, 123, 137)}
	}
	transport, proto := append([]byte{0xc0, 0}, port...), pick(1, 6, 6, 17, 17)
	transport = append(transport, make([]byte, 60)...)
	switch proto {
	case 1:
		transport[0] = byte(r.IntN(12))
	case 6:
		transport[12], transport[13] = 0x50, pick(0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x00, 0x29)
	}

	network := nflogtest.Unhex(nflogtest.IPv4Header("0054", "00"))
	network[1], network[9] = pick(0, 0, 0x20, 0xb8), proto
	if r.IntN(3) == 0 {
		m.Family, m.HWProtocol = 10, 0x86dd
		network = nflogtest.Unhex(nflogtest.IPv6Header("0040", "00"))
		network[6] = proto
		if proto == 1 {
			network[6] = 58
			transport[0] += 128
		}
	}
	m.Payload = append(network, transport...)

	switch r.IntN(4) {
	case 0:
		m.Mark = 1 + r.Uint32N(4)
	case 1:
		m.UID, m.GID = 1000+r.Uint32N(4), 100
	case 2:
		m.Conntrack, m.CTInfo = conntrack, r.Uint32N(5)
	}
	return m
}
