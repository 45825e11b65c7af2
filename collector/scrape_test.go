// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// reload applies other prefix rules, a second later.
func (f *feed) reload(t *testing.T, rules ...prefix.Rule) {
	t.Helper()
	f.now = f.now.Add(time.Second)
	mustReload(t, f.collector, f.collector.groupConfigs(), rules...)
}

// groupConfigs returns the configurations of the groups.
func (c *Collector) groupConfigs() []GroupConfig {
	var configs []GroupConfig
	for _, g := range c.groups {
		configs = append(configs, g.config)
	}
	return configs
}

// A scraped label set, as a scrape exposes it.
type scraped struct {
	packets float64
	created int // seconds after the start of the feed; a reload takes one second
}

// scrape returns the label sets that a scrape exposes, by those labels that have a value. It checks that the packets, bytes
// and histogram of a label set have the same labels, and that these labels have the names given, with the group.
func (f *feed) scrape(t *testing.T, names ...string) map[string]scraped {
	t.Helper()
	f.snapshot() // at the time of the feed, before and after the one that gather takes at the real time
	metrics := gather(t, f.collector)
	f.snapshot()
	packets := metrics["nflog_packets_total"]
	byLabels := make(map[string]scraped)
	for i, m := range packets {
		for _, other := range []*dto.Metric{metrics["nflog_bytes_total"][i], metrics["nflog_packet_size_bytes"][i]} {
			if diff := cmp.Diff(m.GetLabel(), other.GetLabel(), protocmp.Transform()); diff != "" {
				t.Errorf("the labels differ:\n%s", diff)
			}
			if h := other.GetHistogram(); h != nil && float64(h.GetSampleCount()) != m.GetCounter().GetValue() {
				t.Errorf("%v: %v packets, %d in the histogram", m.GetLabel(), m.GetCounter().GetValue(), h.GetSampleCount())
			}
		}
		var got, values []string
		for _, pair := range m.GetLabel() {
			got = append(got, pair.GetName())
			if pair.GetValue() != "" && pair.GetName() != "group" {
				values = append(values, pair.GetName()+"="+pair.GetValue())
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(append(names, "group"))), got); diff != "" {
			t.Errorf("unexpected names of labels (-want +got):\n%s", diff)
		}
		created := m.GetCounter().GetCreatedTimestamp().AsTime().Sub(feedStart)
		byLabels[strings.Join(values, ",")] = scraped{m.GetCounter().GetValue(), int(created.Seconds())}
	}
	if len(byLabels) != len(packets) {
		t.Errorf("%d label sets have %d combinations of label values", len(packets), len(byLabels))
	}
	return byLabels
}

func checkScraped(t *testing.T, name string, want, got map[string]scraped) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(scraped{})); diff != "" {
		t.Errorf("%s: unexpected label sets (-want +got):\n%s", name, diff)
	}
}
