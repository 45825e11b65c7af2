// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// BenchmarkDecode decodes a full datagram and looks at no packet.
func BenchmarkDecode(b *testing.B) {
	benchmarkDatagram(b, func(batch *nflog.Batch) {
		for range batch.Packets() {
		}
	})
}

// BenchmarkFast decodes a full datagram and looks at what each packet is, as a program does that
// reads by batches.
func BenchmarkFast(b *testing.B) { benchmarkDatagram(b, readFast) }

// BenchmarkAttribute decodes a full datagram and makes an Attribute of each packet, as is done for a
// hook.
func BenchmarkAttribute(b *testing.B) { benchmarkDatagram(b, readAttributes) }

// benchmarkDatagram decodes a full datagram over and over again, has its packets read, and reports
// what one of them takes.
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

// readFast looks at what an exporter counts packets by.
func readFast(batch *nflog.Batch) {
	for p := range batch.Packets() {
		origin := p.Origin()
		sink += len(origin.Prefix) + int(origin.Hook) + int(origin.InDev) + int(origin.OutDev) + len(p.Payload())
	}
}

// readAttributes looks at the same of attributes.
func readAttributes(batch *nflog.Batch) {
	for p := range batch.Packets() {
		a := p.Attribute()
		sink += len(*a.Prefix) + int(*a.Hook) + int(*a.InDev) + len(*a.Payload)
	}
}
