// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// BenchmarkCount decodes a full datagram and counts its packets.
func BenchmarkCount(b *testing.B) {
	datagram, packets := nflogtest.Datagram(100)
	benchmarkCount(b, Config{}, datagram, packets)
}

// BenchmarkCountAllLabels is the same by all labels that there are.
func BenchmarkCountAllLabels(b *testing.B) {
	datagram, packets := nflogtest.Datagram(100)
	benchmarkCount(b, Config{Labels: LabelNames()}, datagram, packets)
}

// BenchmarkCountMixed is the same with packets of all kinds, which do not come in any order: the
// worst case.
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

// benchmarkCount counts a datagram over and over again.
func benchmarkCount(b *testing.B, config Config, datagram []byte, packets int) {
	f := newFeed(b, config)
	f.table.attach(fixedNames{})
	f.countDatagram(datagram)
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	for b.Loop() {
		f.countDatagram(datagram)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
}

// BenchmarkCollect collects and gathers the metrics of a group that has as many label sets as it
// may.
func BenchmarkCollect(b *testing.B) {
	const labelSets = 2000
	c := newCollector(b)
	f := feedTable(c.groups[0].table)
	for i := range labelSets {
		f.count(udpInput(fmt.Sprintf("fw zone%d drop: ", i), 2, 100))
	}

	b.Run("Collect", func(b *testing.B) {
		ch := make(chan prometheus.Metric, 4*labelSets)
		b.ReportAllocs()
		for b.Loop() {
			c.Collect(ch)
			for len(ch) > 0 {
				<-ch
			}
		}
	})
	b.Run("Gather", func(b *testing.B) {
		r := prometheus.NewRegistry()
		r.MustRegister(c)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Gather(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// fixedNames gives every interface the same name.
type fixedNames struct{}

func (fixedNames) Name(uint32) string { return "eth0" }
func (fixedNames) Generation() uint64 { return 0 }

func (fixedNames) Present() map[string]bool { return map[string]bool{"eth0": true} }
