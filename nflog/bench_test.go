// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog_test

import (
	"testing"

	"github.com/nflog-exporter/nflog_exporter/internal/logmsg"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// BenchmarkDecode decodes a full datagram and looks at no packet.
func BenchmarkDecode(b *testing.B) {
	datagram, packets := logmsg.Datagram(100)
	d := nflog.NewDecoder(100)
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	for b.Loop() {
		for range d.Decode(datagram).Packets() {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
}
