// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// sumBy returns the values of a metric summed by labels. The keys are the values of these labels, separated by slashes.
func (s scrape) sumBy(name string, labels ...string) map[string]uint64 {
	sums := make(map[string]uint64)
	for _, m := range s[name].GetMetric() {
		all := labelMap(m)
		var values []string
		for _, label := range labels {
			values = append(values, all[label])
		}
		sums[strings.Join(values, "/")] += uint64(m.GetCounter().GetValue() + m.GetGauge().GetValue())
	}
	return sums
}

// A sample is the value and the creation time of a counter, or of the count of a histogram.
type sample struct {
	value   float64
	created time.Time
}

// samples returns all series about packets by their identity in Prometheus. For Prometheus, a label with an empty value is the
// same as no label.
func (e *exporter) samples(t *testing.T) map[string]sample {
	t.Helper()
	format := expfmt.NewFormat(expfmt.TypeProtoDelim)
	body, _, err := e.get(t.Context(), "/metrics", string(format))
	must(t, err)
	s, err := decode(body, format)
	must(t, err)
	samples := make(map[string]sample)
	for _, name := range []string{"nflog_packets_total", "nflog_bytes_total", "nflog_packet_size_bytes"} {
		for _, m := range s[name].GetMetric() {
			p := sample{m.GetCounter().GetValue(), m.GetCounter().GetCreatedTimestamp().AsTime()}
			if h := m.GetHistogram(); h != nil {
				p = sample{float64(h.GetSampleCount()), h.GetCreatedTimestamp().AsTime()}
			}
			samples[name+identity(m)] = p
		}
	}
	return samples
}

// identity returns the labels with a value.
func identity(m *dto.Metric) string {
	labels := labelMap(m)
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// checkContinuous checks that no series has ended, decreased or restarted.
func checkContinuous(t *testing.T, before, after map[string]sample) {
	t.Helper()
	for series, was := range before {
		is, ok := after[series]
		if !ok || is.value < was.value || !is.created.Equal(was.created) {
			t.Errorf("%s is not continuous: it was %+v, and is %+v (present: %v)", series, was, is, ok)
		}
	}
}
