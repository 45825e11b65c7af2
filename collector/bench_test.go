// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/internal/logmsg"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// BenchmarkCount decodes a full datagram and counts its packets.
func BenchmarkCount(b *testing.B) {
	datagram, packets := logmsg.Datagram(100)
	d := nflog.NewDecoder(100)
	t := newTable(100, newDescs().packets, DefaultPacketSizeBuckets)
	t.begin(fixedNames{})
	now := time.Now()
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	for b.Loop() {
		t.count(d.Decode(datagram), now)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
}

type fixedNames struct{}

func (fixedNames) name(uint32) string { return "eth0" }
func (fixedNames) generation() uint64 { return 0 }
