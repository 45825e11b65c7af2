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

// TestHistogramLikeClient compares histograms with those of client_golang.
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
		metric := constMetric{metric: new(histogramMetric).update(s.ofHistogram, &s.histograms[0], f.table.buckets, s.countsOf(&s.histograms[0]))}
		if err := metric.Write(&got); err != nil {
			t.Fatal(err)
		}
		got.Histogram.CreatedTimestamp, want.Histogram.CreatedTimestamp, got.Label = nil, nil, nil
		normalize(want.Histogram)
		normalize(got.Histogram)
		if diff := cmp.Diff(&want, &got, protocmp.Transform()); diff != "" {
			t.Fatalf("unexpected histogram (-want +got):\n%s", diff)
		}
	}
}

// normalize replaces the native buckets of a histogram by the counts of all buckets from the first to the last with packets.
// A gap between spans and a span of empty buckets become the same.
func normalize(h *dto.Histogram) {
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

// TestHistogramLikeCounters compares histograms with the counters of the same labels.
func TestHistogramLikeCounters(t *testing.T) {
	c := newCollector(t)
	countAllKinds(c)
	metrics := gather(t, c)
	histograms, packets, bytes := metrics["nflog_packet_size_bytes"], metrics["nflog_packets_total"], metrics["nflog_bytes_total"]
	if len(histograms) != len(packets) || len(histograms) != len(bytes) || len(histograms) == 0 {
		t.Fatalf("%d histograms, %d counters of packets, %d of bytes", len(histograms), len(packets), len(bytes))
	}
	for i, m := range histograms {
		// All are sorted by their labels.
		for _, other := range []*dto.Metric{packets[i], bytes[i]} {
			if diff := cmp.Diff(m.GetLabel(), other.GetLabel(), protocmp.Transform()); diff != "" {
				t.Fatalf("the labels differ:\n%s", diff)
			}
		}

		h := m.GetHistogram()
		if got, want := h.GetSampleSum(), bytes[i].GetCounter().GetValue(); got != want {
			t.Errorf("%v: the sum is %v, bytes are %v", m.GetLabel(), got, want)
		}
		if got, most := float64(h.GetSampleCount()), packets[i].GetCounter().GetValue(); got > most {
			t.Errorf("%v: the count is %v, packets are %v", m.GetLabel(), got, most)
		}
		var last uint64
		for j, b := range h.GetBucket() {
			if got, want := b.GetUpperBound(), float64(DefaultPacketSizeBuckets()[j]); got != want {
				t.Errorf("%v: bound %d is %v, want %v", m.GetLabel(), j, got, want)
			}
			if b.GetCumulativeCount() < last {
				t.Errorf("%v: the count up to %v is less than the one before", m.GetLabel(), b.GetUpperBound())
			}
			last = b.GetCumulativeCount()
		}
		if len(h.GetBucket()) != len(DefaultPacketSizeBuckets()) {
			t.Errorf("%v: %d buckets", m.GetLabel(), len(h.GetBucket()))
		}
		// Only the jumbogram is longer than the last bound.
		inLast := h.GetSampleCount() - last
		if isJumbo := h.GetSampleSum() == 65576; isJumbo != (inLast == 1) {
			t.Errorf("%v: %d packets are longer than %v", m.GetLabel(), inLast, DefaultPacketSizeBuckets())
		}
	}
}

// TestHistogramBounds checks histograms with no, one and two bounds.
func TestHistogramBounds(t *testing.T) {
	tests := []struct {
		name    string
		bounds  []uint32
		buckets []uint64 // cumulative
	}{
		{name: "none", bounds: []uint32{}},
		{name: "one", bounds: []uint32{64}, buckets: []uint64{2}},
		{name: "two", bounds: []uint32{64, 1500}, buckets: []uint64{2, 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFeed(t, Config{PacketSizeBuckets: tt.bounds})
			for _, length := range []int{28, 64, 65, 1500, 1501} {
				f.count(udpInput("", 0, length))
			}
			h := gather(t, f.collector)["nflog_packet_size_bytes"][0].GetHistogram()
			if h.GetSampleCount() != 5 || h.GetSampleSum() != 28+64+65+1500+1501 {
				t.Errorf("the count is %d, the sum %v", h.GetSampleCount(), h.GetSampleSum())
			}
			var buckets []uint64
			for _, b := range h.GetBucket() {
				buckets = append(buckets, b.GetCumulativeCount())
			}
			if diff := cmp.Diff(tt.buckets, buckets); diff != "" {
				t.Errorf("unexpected buckets (-want +got):\n%s", diff)
			}
		})
	}
}
