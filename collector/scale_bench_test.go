// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"runtime"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
	"github.com/nflog-exporter/nflog_exporter/internal/exposition"
)

// scales are numbers of label sets. The last is the most that can be allowed.
var scales = []int{10_000, 100_000, 1_000_000}

// BenchmarkScaleCreate counts packets that each make a label set.
func BenchmarkScaleCreate(b *testing.B) {
	for _, n := range scales {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			flood := newMarkFlood(n, 1)
			for b.Loop() {
				b.StopTimer()
				f := newMarkFeed(b)
				b.StartTimer()
				flood.count(f)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/labelset")
		})
	}
}

// BenchmarkScaleFind counts packets that each have another label set, which is known.
func BenchmarkScaleFind(b *testing.B) {
	for _, n := range scales {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			flood, f := newMarkFlood(n, 1), newMarkFeed(b)
			flood.count(f)
			for b.Loop() {
				flood.count(f)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/packet")
		})
	}
}

// BenchmarkScaleMemory measures the heap for each label set with packets of seven sizes: live, and at most while a scrape is
// written to memory, as text in gzip. The flood of packets is not in it, garbage is.
func BenchmarkScaleMemory(b *testing.B) {
	for _, n := range scales[:2] {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				base := liveHeap()
				f := newMarkFeed(b)
				newMarkFlood(n, len(benchmarkSizes)).count(f)
				live := liveHeap() - base
				p := &peakWriter{}
				for range 3 {
					p.kept = nil
					if err := scrapeGzip(f.collector, p); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(live)/float64(n), "live-B/labelset")
				b.ReportMetric(float64(p.peak-base)/float64(n), "peak-B/labelset")
				b.ReportMetric(float64(liveHeap()-base)/float64(n), "scraped-B/labelset")
				runtime.KeepAlive(f)
			}
		})
	}
}

// BenchmarkScaleReload adds a label to label sets of as many prefixes, by 20 rules, and removes it. It measures how long that takes, and
// for how long of that the reader and scrapes wait.
func BenchmarkScaleReload(b *testing.B) {
	for _, n := range scales[:2] {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			f := newFeed(b, Config{MaxLabelSets: 1_000_000})
			for i := range n {
				f.count(udpInput("fw zone"+strconv.Itoa(i)+" drop: ", 2, 100))
			}
			config := Config{Groups: []GroupConfig{{Group: 100}}}
			var held time.Duration
			for b.Loop() {
				for _, config.PrefixRules = range [][]prefix.Rule{manyRules(), nil} {
					to, err := newLabeling(&config, config.Groups[0], nil)
					if err != nil {
						b.Fatal(err)
					}
					r := newRelabeler(f.table, to)
					began := time.Now()
					r.apply(f.now)
					held = max(held, time.Since(began))
				}
			}
			if s := f.snapshot(); len(s.sets) != n {
				b.Fatalf("%d label sets are left of %d", len(s.sets), n)
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(2*b.N), "ms/reload")
			b.ReportMetric(float64(held.Microseconds())/1000, "held-ms")
		})
	}
}

// scrapeGzip writes the metrics as text in gzip.
func scrapeGzip(c *Collector, w io.Writer) error {
	pieces, done, err := c.GatherPieces()
	defer done()
	if err != nil {
		return err
	}
	z := gzip.NewWriter(w)
	return errors.Join(exposition.Write(z, expfmt.NewFormat(expfmt.TypeTextPlain), pieces), z.Close())
}

// liveHeap returns the size of what is reachable.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	return heap()
}

// heap returns the size of what is allocated.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// A peakWriter keeps what is written, and sees how large the heap gets.
type peakWriter struct {
	kept [][]byte
	peak uint64
}

func (p *peakWriter) Write(b []byte) (int, error) {
	p.kept = append(p.kept, bytes.Clone(b))
	if len(p.kept)%64 == 0 {
		p.peak = max(p.peak, heap())
	}
	return len(b), nil
}
