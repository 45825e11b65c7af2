// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"
	"testing"
)

// scales are numbers of label sets. The last is the most that can be allowed.
var scales = []int{10_000, 100_000, 1_000_000}

// BenchmarkScaleCreate counts packets that each make a label set.
func BenchmarkScaleCreate(b *testing.B) {
	for _, n := range scales {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			flood := newMarkFlood(n)
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
			flood, f := newMarkFlood(n), newMarkFeed(b)
			flood.count(f)
			for b.Loop() {
				flood.count(f)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/packet")
		})
	}
}
