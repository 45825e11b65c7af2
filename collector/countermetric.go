// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import dto "github.com/prometheus/client_model/go"

// A counterMetric is the metric of a label set's counter. It is made once, and gets a new value for each scrape.
type counterMetric struct {
	metric  dto.Metric
	counter dto.Counter
	value   float64
}

// update returns the metric with a new value.
func (m *counterMetric) update(s *series, value uint64) *dto.Metric {
	if m.metric.Counter == nil {
		m.metric.Counter = &m.counter
		m.counter.Value, m.counter.CreatedTimestamp = &m.value, s.created
	}
	m.metric.Label, m.value = s.labels, float64(value)
	return &m.metric
}
