// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/nflog-exporter/nflog_exporter/internal/exposition"
)

// benchmarkSizes are the sizes of the packets in each label set.
var benchmarkSizes = []int{40, 52, 60, 100, 576, 1200, 1500}

// filledCollector returns a collector of one group with that many label sets.
func filledCollector(b *testing.B, labelSets int) *Collector {
	b.Helper()
	f := newFeed(b, Config{MaxLabelSets: labelSets})
	for i := range labelSets {
		for _, size := range benchmarkSizes {
			f.count(udpInput(fmt.Sprintf("fw zone%d drop: ", i), 2, size))
		}
	}
	return f.collector
}

// filledVectors returns the same metrics, without those of the group itself, as vectors of client_golang.
func filledVectors(labelSets int) prometheus.TransactionalGatherer {
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

// gatherPieces gathers the metrics of a registry as GatherPieces does.
func gatherPieces(g prometheus.TransactionalGatherer) (pieces exposition.Pieces, done func(), err error) {
	families, done, err := g.Gather()
	return slices.Values(families), done, err
}

// benchmarkPieces runs a benchmark with 10,000 label sets, of the collector and as vectors of client_golang.
func benchmarkPieces(b *testing.B, benchmark func(*testing.B, exposition.Pieces)) {
	const labelSets = 10_000
	run := func(name string, gather func() (exposition.Pieces, func(), error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				pieces, done, err := gather()
				if err != nil {
					b.Fatal(err)
				}
				benchmark(b, pieces)
				done()
			}
		})
	}
	run("exporter", filledCollector(b, labelSets).GatherPieces)
	vectors := filledVectors(labelSets)
	run("vectors", func() (exposition.Pieces, func(), error) { return gatherPieces(vectors) })
}

// BenchmarkGather gathers metrics.
func BenchmarkGather(b *testing.B) {
	benchmarkPieces(b, func(_ *testing.B, pieces exposition.Pieces) {
		for range pieces {
		}
	})
}

// BenchmarkCollect collects metrics for a registry, and gathers them from it, with the default limit of label sets.
func BenchmarkCollect(b *testing.B) {
	c := filledCollector(b, DefaultMaxLabelSets)
	b.Run("Collect", func(b *testing.B) {
		ch := make(chan prometheus.Metric, 100)
		defer close(ch)
		go func() {
			for range ch {
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			c.Collect(ch)
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

// BenchmarkCopy copies a table of 10,000 label sets. A scrape holds up the table's reader for that long.
func BenchmarkCopy(b *testing.B) {
	table := filledCollector(b, 10_000).groups[0].table
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

// BenchmarkScrape gathers metrics, and encodes them.
func BenchmarkScrape(b *testing.B) {
	for _, format := range []struct {
		name string
		typ  expfmt.FormatType
	}{{"text", expfmt.TypeTextPlain}, {"protobuf", expfmt.TypeProtoDelim}} {
		b.Run(format.name, func(b *testing.B) {
			benchmarkPieces(b, func(b *testing.B, pieces exposition.Pieces) {
				var w countingWriter
				if err := exposition.Write(&w, expfmt.NewFormat(format.typ), pieces); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(w))
			})
		})
	}
}

// A countingWriter only counts bytes.
type countingWriter int

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}
