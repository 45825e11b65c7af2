// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
)

// pedanticRegistry returns a registry of the collector that checks the metrics it collects.
func pedanticRegistry(c *Collector) *prometheus.Registry {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(c)
	return r
}

// gatherFamilies returns the metrics of a collector, checked by a registry.
func gatherFamilies(t *testing.T, c *Collector) []*dto.MetricFamily {
	t.Helper()
	families, err := pedanticRegistry(c).Gather()
	if err != nil {
		t.Fatalf("failed to gather: %v", err)
	}
	return families
}

// gather returns the metrics of a collector by name, checked by a registry.
func gather(t *testing.T, c *Collector) map[string][]*dto.Metric {
	t.Helper()
	metrics := make(map[string][]*dto.Metric)
	for _, family := range gatherFamilies(t, c) {
		metrics[family.GetName()] = family.GetMetric()
	}
	return metrics
}

// samples returns the values of counters and gauges by name and labels, such as nflog_up{group="100"}.
func samples(t *testing.T, c *Collector) map[string]float64 {
	t.Helper()
	values := make(map[string]float64)
	for name, metrics := range gather(t, c) {
		for _, m := range metrics {
			var labels []string
			for _, pair := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", pair.GetName(), pair.GetValue()))
			}
			key := name + "{" + strings.Join(labels, ",") + "}"
			switch {
			case m.Counter != nil:
				values[key] = m.GetCounter().GetValue()
			case m.Gauge != nil:
				values[key] = m.GetGauge().GetValue()
			}
		}
	}
	return values
}

// gatherText gathers as the exporter does, without a registry, and writes the metrics in the text format.
func gatherText(b *bytes.Buffer, c *Collector) error {
	families, done, err := c.Gather()
	defer done()
	if err != nil {
		return err
	}
	return writeText(b, families)
}

// writeText writes metrics in the text format.
func writeText(b *bytes.Buffer, families []*dto.MetricFamily) error {
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(b, family); err != nil {
			return err
		}
	}
	return nil
}

// sortedLines returns the lines of a text, sorted: the collector orders metrics by group, a registry by label values.
func sortedLines(b *bytes.Buffer) []string {
	return slices.Sorted(strings.Lines(b.String()))
}

// pretendRule makes a rule known that has a counter and logs to group 100 with a prefix.
func pretendRule(c *Collector, prefix string) {
	c.firewalls.Pretend("", &ruleset.Facts{
		Rules:   []ruleset.Rule{{Family: ruleset.INet, Table: "t", Chain: "c", Group: 100, Prefix: prefix, Counted: true}},
		Packets: []uint64{0}, Bound: map[uint16]bool{100: true}, Changes: 1, Changed: feedStart,
	})
}
