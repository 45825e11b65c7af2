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

// sumBy returns the sums of a metric's values over all labels but those that are named, whose values are the keys,
// separated by slashes.
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

// A point is what a scrape shows of a counter or a histogram.
type point struct {
	value   float64
	created time.Time
}

// points returns all series of packets as Prometheus tells them apart, to which a label without a value is none.
func (e *exporter) points(t *testing.T) map[string]point {
	t.Helper()
	format := expfmt.NewFormat(expfmt.TypeProtoDelim)
	body, _, err := e.get(t.Context(), "/metrics", string(format))
	must(t, err)
	s, err := decode(body, format)
	must(t, err)
	points := make(map[string]point)
	for _, name := range []string{"nflog_packets_total", "nflog_bytes_total", "nflog_packet_size_bytes"} {
		for _, m := range s[name].GetMetric() {
			p := point{m.GetCounter().GetValue(), m.GetCounter().GetCreatedTimestamp().AsTime()}
			if h := m.GetHistogram(); h != nil {
				p = point{float64(h.GetSampleCount()), h.GetCreatedTimestamp().AsTime()}
			}
			points[name+identity(m)] = p
		}
	}
	return points
}

// identity returns the labels that have a value.
func identity(m *dto.Metric) string {
	labels := labelMap(m)
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// checkContinue checks that no series has ended, fallen or begun anew.
func checkContinue(t *testing.T, before, after map[string]point) {
	t.Helper()
	for series, was := range before {
		is, ok := after[series]
		if !ok || is.value < was.value || !is.created.Equal(was.created) {
			t.Errorf("%s does not go on: it was %+v, and is %+v (there: %v)", series, was, is, ok)
		}
	}
}
