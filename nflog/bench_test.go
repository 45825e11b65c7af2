// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// BenchmarkDecode decodes a full datagram without reading its packets.
func BenchmarkDecode(b *testing.B) {
	benchmarkDatagram(b, func(batch *nflog.Batch) {
		for range batch.Packets() {
		}
	})
}

// BenchmarkFast decodes a full datagram and reads each packet, as a program with a Reader does.
func BenchmarkFast(b *testing.B) { benchmarkDatagram(b, readFast) }

// BenchmarkAttribute decodes a full datagram and copies each packet to an Attribute.
func BenchmarkAttribute(b *testing.B) { benchmarkDatagram(b, readAttributes) }

// benchmarkDatagram decodes a full datagram repeatedly, reads its packets, and reports the cost of one packet.
func benchmarkDatagram(b *testing.B, read func(*nflog.Batch)) {
	datagram, packets := nflogtest.Datagram(group)
	d := nflog.NewDecoder(group)
	decode := func() { read(d.Decode(datagram)) }
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	for b.Loop() {
		decode()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
	b.ReportMetric(testing.AllocsPerRun(10, decode)/float64(packets), "allocs/packet")
}

// readFast reads the values by which an exporter counts packets.
func readFast(batch *nflog.Batch) {
	for p := range batch.Packets() {
		origin := p.Origin()
		sink += len(origin.Prefix) + int(origin.Hook) + int(origin.InDev) + int(origin.OutDev) + len(p.Payload())
	}
}

// readAttributes reads the same values of Attributes.
func readAttributes(batch *nflog.Batch) {
	for p := range batch.Packets() {
		a := p.Attribute()
		sink += len(*a.Prefix) + int(*a.Hook) + int(*a.InDev) + len(*a.Payload)
	}
}
