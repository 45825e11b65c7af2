// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"
)

// gather returns the metrics of a collector by name.
func gather(t *testing.T, c *Collector) map[string][]*dto.Metric {
	t.Helper()
	families, err := pedantic(c).Gather()
	if err != nil {
		t.Fatalf("failed to gather: %v", err)
	}
	metrics := make(map[string][]*dto.Metric)
	for _, family := range families {
		metrics[family.GetName()] = family.GetMetric()
	}
	return metrics
}

// TestHistogramAddsUp checks histograms against the counters of the same labels.
func TestHistogramAddsUp(t *testing.T) {
	c := newCollector(t)
	count(c)
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
				t.Errorf("%v: the count up to %v falls", m.GetLabel(), b.GetUpperBound())
			}
			last = b.GetCumulativeCount()
		}
		if len(h.GetBucket()) != len(DefaultPacketSizeBuckets()) {
			t.Errorf("%v: %d buckets", m.GetLabel(), len(h.GetBucket()))
		}
		// No packet is longer than the last bound, but the jumbogram.
		inLast := h.GetSampleCount() - last
		if isJumbo := h.GetSampleSum() == 65576; isJumbo != (inLast == 1) {
			t.Errorf("%v: %d packets are longer than %v", m.GetLabel(), inLast, DefaultPacketSizeBuckets())
		}
	}
}

// TestHistogramBounds checks histograms of few bounds.
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
			c, err := New(Config{Groups: []GroupConfig{{Group: 100}}, PacketSizeBuckets: tt.bounds})
			if err != nil {
				t.Fatal(err)
			}
			f := feedTable(c.groups[0].table)
			for _, length := range []int{28, 64, 65, 1500, 1501} {
				f.count(udpInput("", 0, length))
			}
			h := gather(t, c)["nflog_packet_size_bytes"][0].GetHistogram()
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

// TestCreationTimes checks that counters and histograms say since when they count.
func TestCreationTimes(t *testing.T) {
	before := time.Now()
	c := newCollector(t)
	count(c)
	after := time.Now()
	first := gather(t, c)
	count(c)
	second := gather(t, c)

	for name, metrics := range first {
		for i, m := range metrics {
			created := m.GetCounter().GetCreatedTimestamp()
			if m.Histogram != nil {
				created = m.Histogram.GetCreatedTimestamp()
			} else if m.Counter == nil {
				continue
			}
			if created == nil {
				t.Errorf("%s%v has no creation time", name, m.GetLabel())
				continue
			}
			counted := time.Unix(1_800_000_000, 0) // as count says
			if at := created.AsTime(); (at.Before(before) || at.After(after)) && !at.Equal(counted) {
				t.Errorf("%s%v was created at %v, not between %v and %v", name, m.GetLabel(), at, before, after)
			}
			again := second[name][i].GetCounter().GetCreatedTimestamp()
			if m.Histogram != nil {
				again = second[name][i].Histogram.GetCreatedTimestamp()
			}
			if diff := cmp.Diff(created, again, protocmp.Transform()); diff != "" {
				t.Errorf("the creation time of %s%v has changed (-want +got):\n%s", name, m.GetLabel(), diff)
			}
		}
	}
}
