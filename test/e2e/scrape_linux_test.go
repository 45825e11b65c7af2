// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"strconv"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// A scrape holds the metric families of one scrape by name.
type scrape map[string]*dto.MetricFamily

// scrape reads the exporter's metrics.
func (e *exporter) scrape(ctx context.Context) (scrape, error) {
	body, _, err := e.get(ctx, "/metrics", "text/plain")
	if err != nil {
		return nil, err
	}
	return parseText(body)
}

// parseText reads metrics in the text format.
func parseText(body []byte) (scrape, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(body))
}

// mustScrape reads the exporter's metrics, and fails the test on an error.
func (e *exporter) mustScrape(t *testing.T) scrape {
	t.Helper()
	s, err := e.scrape(t.Context())
	if err != nil {
		t.Fatalf("failed to scrape: %v", err)
	}
	return s
}

// eventually scrapes the exporter until condition returns nil, and returns that
// scrape.
func (e *exporter) eventually(t *testing.T, timeout time.Duration, condition func(scrape) error) (s scrape) {
	t.Helper()
	kerneltest.Eventually(t, timeout, func() (err error) {
		if s, err = e.scrape(t.Context()); err != nil {
			return err
		}
		return condition(s)
	})
	return s
}

// value returns the value of a counter or gauge with the label group of the
// default group and further labels (name, value, name, value …), and no others.
// A further label group replaces the default. It returns NaN if there is no such
// metric.
func (s scrape) value(name string, labels ...string) float64 {
	want := map[string]string{"group": strconv.Itoa(group)}
	for i := 0; i < len(labels); i += 2 {
		want[labels[i]] = labels[i+1]
	}
	for _, m := range s[name].GetMetric() {
		if maps.Equal(labelMap(m), want) {
			// One of the two is nil.
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return math.NaN()
}

// expect returns an error unless a metric has that value. See value for the labels.
func (s scrape) expect(want float64, name string, labels ...string) error {
	if got := s.value(name, labels...); got != want {
		return fmt.Errorf("%s%v: got %v, want %v", name, labels, got, want)
	}
	return nil
}

// ownValue returns the value of a counter or gauge without labels, about the exporter itself, or NaN if there is none.
func (s scrape) ownValue(name string) float64 {
	for _, m := range s[name].GetMetric() {
		return m.GetCounter().GetValue() + m.GetGauge().GetValue() // one of the two is nil
	}
	return math.NaN()
}

// expectOwn returns an error unless a counter or gauge has that value. See ownValue.
func (s scrape) expectOwn(want float64, name string) error {
	if got := s.ownValue(name); got != want {
		return fmt.Errorf("%s: got %v, want %v", name, got, want)
	}
	return nil
}

// labelMap returns the labels of a metric.
func labelMap(m *dto.Metric) map[string]string {
	labels := make(map[string]string)
	for _, pair := range m.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	return labels
}

// labels are the values of a packet's labels.
type labels struct {
	Group, Prefix, Family, Hook, In, Out, Protocol string
}

// counts are those of one label set.
type counts struct {
	Packets, Bytes uint64
	Sized          uint64 // packets in the histogram: those of known length
}

// labelSets returns the counts by labels.
func (s scrape) labelSets() (map[labels]counts, error) {
	sets := make(map[labels]counts)
	for _, m := range s["nflog_packets_total"].GetMetric() {
		l, err := packetLabels(m)
		if err != nil {
			return nil, err
		}
		sets[l] = counts{Packets: uint64(m.GetCounter().GetValue())}
	}
	for _, m := range s["nflog_bytes_total"].GetMetric() {
		l, err := packetLabels(m)
		if err != nil {
			return nil, err
		}
		c, ok := sets[l]
		if !ok {
			return nil, fmt.Errorf("%+v: bytes without packets", l)
		}
		c.Bytes = uint64(m.GetCounter().GetValue())
		sets[l] = c
	}
	for _, m := range s["nflog_packet_size_bytes"].GetMetric() {
		l, err := packetLabels(m)
		if err != nil {
			return nil, err
		}
		c := sets[l]
		c.Sized = m.GetHistogram().GetSampleCount()
		if err := checkHistogram(m.GetHistogram(), c.Bytes); err != nil {
			return nil, fmt.Errorf("%+v: %w", l, err)
		}
		sets[l] = c
	}
	return sets, nil
}

// checkHistogram checks that a histogram is consistent, and that its sum is bytes.
func checkHistogram(h *dto.Histogram, bytes uint64) error {
	if got := uint64(h.GetSampleSum()); got != bytes {
		return fmt.Errorf("the histogram sums up %d bytes, but %d were counted", got, bytes)
	}
	// Buckets are cumulative. The one with bound +Inf may be missing.
	last := uint64(0)
	for _, b := range h.GetBucket() {
		if b.GetCumulativeCount() < last {
			return fmt.Errorf("histogram bucket %v has %d, less than the bucket before", b.GetUpperBound(), b.GetCumulativeCount())
		}
		last = b.GetCumulativeCount()
	}
	// No packet of these tests is longer than the largest bound.
	if last != h.GetSampleCount() {
		return fmt.Errorf("the histogram counts %d packets, but its buckets %d", h.GetSampleCount(), last)
	}
	return nil
}

// packetLabels returns the labels of a metric about packets. It must have exactly
// the default ones.
func packetLabels(m *dto.Metric) (labels, error) {
	all := labelMap(m)
	l := labels{
		Group:    all["group"],
		Prefix:   all["prefix"],
		Family:   all["family"],
		Hook:     all["hook"],
		In:       all["in_interface"],
		Out:      all["out_interface"],
		Protocol: all["protocol"],
	}
	// The parser keeps labels with an empty value.
	if len(all) != 7 {
		return labels{}, fmt.Errorf("want the seven labels, got %v", all)
	}
	return l, nil
}
