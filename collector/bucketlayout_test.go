// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"
)

// sizesToTest are all sizes that packets have, and some near powers of two beyond.
func sizesToTest() []uint32 {
	var sizes []uint32
	for size := range uint32(70_000) {
		sizes = append(sizes, size+1)
	}
	for shift := 17; shift < 32; shift++ {
		sizes = append(sizes, 1<<shift-1, 1<<shift, 1<<shift+1, 3<<(shift-1))
	}
	return append(sizes, math.MaxUint32-1, math.MaxUint32)
}

// TestSizeScaleCells checks that a size lies in the buckets that Prometheus wants it in.
func TestSizeScaleCells(t *testing.T) {
	bounds := []uint32{1, 63, 64, 65, 100, 1500, 65535, 70_001}
	scale, err := newBucketLayout(bounds)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range sizesToTest() {
		cell := scale.subBuckets[scale.index(size)]
		classic := 0
		for classic < len(bounds) && size > bounds[classic] {
			classic++
		}
		// Native bucket i ends with 2^(i/8), which belongs to it.
		fits := float64(size) <= math.Exp2(float64(cell.native)/8) && float64(size) > math.Exp2(float64(cell.native-1)/8)
		if cell.classic != classic || !fits {
			t.Fatalf("size %d is in the classic bucket %d, want %d, and the native one %d", size, cell.classic, classic, cell.native)
		}
	}
}

// TestNativeResolution checks that the native buckets tell sizes apart that differ by a tenth.
func TestNativeResolution(t *testing.T) {
	scale, err := newBucketLayout(nil)
	if err != nil {
		t.Fatal(err)
	}
	for size := uint32(64); size <= 65536; size++ {
		more := uint32(math.Ceil(float64(size) * 1.1))
		if scale.subBuckets[scale.index(size)].native == scale.subBuckets[scale.index(more)].native {
			t.Fatalf("%d and %d are in one bucket", size, more)
		}
	}
}

// TestHistogramLikeClient checks histograms against those of client_golang.
func TestHistogramLikeClient(t *testing.T) {
	var bounds []float64
	for _, bound := range DefaultPacketSizeBuckets() {
		bounds = append(bounds, float64(bound))
	}
	r := seededRand()
	for range 200 {
		reference := prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "h", Help: "h", Buckets: bounds, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 1000,
		})
		f := newFeed(t, Config{})
		for range r.IntN(50) {
			size := 28 + r.IntN(1<<(5+r.IntN(11)))
			reference.Observe(float64(size))
			f.count(udpInput("", 0, size))
		}
		var want, got dto.Metric
		if err := reference.Write(&want); err != nil {
			t.Fatal(err)
		}
		s := f.snapshot()
		if len(s.histograms) == 0 {
			continue
		}
		metric := constMetric{metric: s.histograms[0].metric.update(&s.histograms[0], f.table.buckets, s.blocks)}
		if err := metric.Write(&got); err != nil {
			t.Fatal(err)
		}
		got.Histogram.CreatedTimestamp, want.Histogram.CreatedTimestamp, got.Label = nil, nil, nil
		expand(want.Histogram)
		expand(got.Histogram)
		if diff := cmp.Diff(&want, &got, protocmp.Transform()); diff != "" {
			t.Fatalf("unexpected histogram (-want +got):\n%s", diff)
		}
	}
}

// expand makes the native buckets of a histogram the same, whether their spans have gaps or buckets in
// which nothing is.
func expand(h *dto.Histogram) {
	counts := make(map[int32]int64)
	index, count, deltas := int32(0), int64(0), h.PositiveDelta
	lowest, highest := int32(math.MaxInt32), int32(math.MinInt32)
	for _, span := range h.PositiveSpan {
		index += span.GetOffset()
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			counts[index] = count
			if count > 0 {
				lowest, highest = min(lowest, index), max(highest, index)
			}
			index++
		}
	}
	h.PositiveSpan, h.PositiveDelta = nil, nil
	for i := lowest; i <= highest; i++ {
		h.PositiveDelta = append(h.PositiveDelta, counts[i])
	}
}
