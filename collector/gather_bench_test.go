// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// benchmarkSizes are those of the packets in each label set.
var benchmarkSizes = []int{40, 52, 60, 100, 576, 1200, 1500}

// exporterOf returns the exporter's metrics of so many label sets.
func exporterOf(b *testing.B, labelSets int) prometheus.TransactionalGatherer {
	return collectorOf(b, labelSets)
}

func collectorOf(b *testing.B, labelSets int) *Collector {
	c, err := New(Config{Groups: []GroupConfig{{Group: 100}}, MaxLabelSets: labelSets})
	if err != nil {
		b.Fatal(err)
	}
	f := feedTable(c.groups[0].table)
	for i := range labelSets {
		for _, size := range benchmarkSizes {
			f.count(udpInput(fmt.Sprintf("fw zone%d drop: ", i), 2, size))
		}
	}
	return c
}

// vectorsOf returns the same metrics, but those of the group as a whole, from vectors of client_golang.
func vectorsOf(_ *testing.B, labelSets int) prometheus.TransactionalGatherer {
	labels := DefaultLabels()
	var bounds []float64
	for _, bound := range DefaultPacketSizeBuckets() {
		bounds = append(bounds, float64(bound))
	}
	packets := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "nflog_packets_total", Help: "Packets."}, labels)
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "nflog_bytes_total", Help: "Bytes."}, labels)
	histogram := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "nflog_packet_size_bytes", Help: "Sizes.", Buckets: bounds, NativeHistogramBucketFactor: 1.1,
	}, labels)
	for i := range labelSets {
		values := []string{"100", fmt.Sprintf("fw zone%d drop:", i), "ip", "input", "eth0", "", "udp"}
		for _, size := range benchmarkSizes {
			packets.WithLabelValues(values...).Inc()
			bytes.WithLabelValues(values...).Add(float64(size))
			histogram.WithLabelValues(values...).Observe(float64(size))
		}
	}
	r := prometheus.NewRegistry()
	r.MustRegister(packets, bytes, histogram)
	return prometheus.ToTransactionalGatherer(r)
}

// benchmarkGatherers runs a benchmark with 10,000 label sets of the exporter, and of vectors.
func benchmarkGatherers(b *testing.B, benchmark func(*testing.B, prometheus.TransactionalGatherer)) {
	const labelSets = 10_000
	for _, of := range []struct {
		name string
		make func(*testing.B, int) prometheus.TransactionalGatherer
	}{{"exporter", exporterOf}, {"vectors", vectorsOf}} {
		b.Run(of.name, func(b *testing.B) {
			g := of.make(b, labelSets)
			b.ReportAllocs()
			benchmark(b, g)
		})
	}
}

// BenchmarkGather gathers the metrics.
func BenchmarkGather(b *testing.B) {
	benchmarkGatherers(b, func(b *testing.B, g prometheus.TransactionalGatherer) {
		for b.Loop() {
			_, done, err := g.Gather()
			if err != nil {
				b.Fatal(err)
			}
			done()
		}
	})
}

// BenchmarkCopy copies a table of 10,000 label sets: as long does a scrape hold the reader up.
func BenchmarkCopy(b *testing.B) {
	table := collectorOf(b, 10_000).groups[0].table
	var s tableSnapshot
	now := time.Now()
	table.snapshot(&s, now)
	b.ReportAllocs()
	for b.Loop() {
		if !table.copyTo(&s, now) {
			b.Fatal("no room for the copy")
		}
	}
}

// BenchmarkScrape gathers the metrics and writes them, as far as the network would take them.
func BenchmarkScrape(b *testing.B) {
	for _, format := range []struct{ name, accept string }{
		{"text", "text/plain"},
		{"protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"},
	} {
		b.Run(format.name, func(b *testing.B) {
			benchmarkGatherers(b, func(b *testing.B, g prometheus.TransactionalGatherer) {
				handler := promhttp.HandlerForTransactional(g, promhttp.HandlerOpts{})
				request := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
				request.Header.Set("Accept", format.accept)
				for b.Loop() {
					w := &discard{header: make(http.Header)}
					handler.ServeHTTP(w, request)
					if w.status != 0 && w.status != http.StatusOK {
						b.Fatal(w.status)
					}
					b.SetBytes(int64(w.written))
				}
			})
		})
	}
}

// A discard is an http.ResponseWriter that only counts.
type discard struct {
	header  http.Header
	status  int
	written int
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(p []byte) (int, error) {
	d.written += len(p)
	return len(p), nil
}
