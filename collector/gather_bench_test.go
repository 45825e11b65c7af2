// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// BenchmarkGather gathers the metrics of 10,000 label sets: the exporter's, and the same from vectors of
// client_golang.
func BenchmarkGather(b *testing.B) {
	const labelSets = 10_000
	sizes := []int{40, 52, 60, 100, 576, 1200, 1500}

	b.Run("exporter", func(b *testing.B) {
		c, err := New(Config{Groups: []GroupConfig{{Group: 100}}, MaxLabelSets: labelSets})
		if err != nil {
			b.Fatal(err)
		}
		f := feedTable(c.groups[0].table)
		for i := range labelSets {
			for _, size := range sizes {
				f.count(udpInput(fmt.Sprintf("fw zone%d drop: ", i), 2, size))
			}
		}
		benchmarkTransactions(b, c)
	})
	b.Run("vectors", func(b *testing.B) {
		labels := DefaultLabels()
		var bounds []float64
		for _, bound := range DefaultPacketSizeBuckets {
			bounds = append(bounds, float64(bound))
		}
		packets := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "nflog_packets_total", Help: "Packets."}, labels)
		bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "nflog_bytes_total", Help: "Bytes."}, labels)
		histogram := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "nflog_packet_size_bytes", Help: "Sizes.", Buckets: bounds, NativeHistogramBucketFactor: 1.1,
		}, labels)
		for i := range labelSets {
			values := []string{"100", fmt.Sprintf("fw zone%d drop:", i), "ip", "input", "eth0", "", "udp"}
			for _, size := range sizes {
				packets.WithLabelValues(values...).Inc()
				bytes.WithLabelValues(values...).Add(float64(size))
				histogram.WithLabelValues(values...).Observe(float64(size))
			}
		}
		benchmarkGather(b, packets, bytes, histogram)
	})
}

func benchmarkGather(b *testing.B, collectors ...prometheus.Collector) {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors...)
	benchmarkTransactions(b, prometheus.ToTransactionalGatherer(r))
}

func benchmarkTransactions(b *testing.B, g prometheus.TransactionalGatherer) {
	b.ReportAllocs()
	for b.Loop() {
		_, done, err := g.Gather()
		if err != nil {
			b.Fatal(err)
		}
		done()
	}
}
