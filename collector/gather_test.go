// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/collector/prefix"
)

// TestCreatedTimestamps checks that counters and histograms have the time when they began, and keep it.
func TestCreatedTimestamps(t *testing.T) {
	before := time.Now()
	c := newCollector(t)
	countAllKinds(c)
	after := time.Now()
	first := gather(t, c)
	countAllKinds(c)
	second := gather(t, c)

	createdTimestamp := func(m *dto.Metric) *timestamppb.Timestamp {
		if m.Histogram != nil {
			return m.Histogram.GetCreatedTimestamp()
		}
		return m.GetCounter().GetCreatedTimestamp()
	}
	for name, metrics := range first {
		for i, m := range metrics {
			if m.Histogram == nil && m.Counter == nil {
				continue
			}
			created := createdTimestamp(m)
			if created == nil {
				t.Errorf("%s%v has no creation time", name, m.GetLabel())
				continue
			}
			// Label sets begin by the clock of the feed.
			if at := created.AsTime(); (at.Before(before) || at.After(after)) && !at.Equal(feedStart) {
				t.Errorf("%s%v was created at %v, not between %v and %v", name, m.GetLabel(), at, before, after)
			}
			if diff := cmp.Diff(created, createdTimestamp(second[name][i]), protocmp.Transform()); diff != "" {
				t.Errorf("the creation time of %s%v has changed (-want +got):\n%s", name, m.GetLabel(), diff)
			}
		}
	}
}

// TestGatherLikeRegistry checks that Gather returns the same metrics as a registry that uses Collect, before and after a
// reload.
func TestGatherLikeRegistry(t *testing.T) {
	c := newCollector(t)
	pretendBound(c)
	countAllKinds(c)
	check := func() {
		t.Helper()
		var gathered, collected bytes.Buffer
		if err := gatherText(&gathered, c); err != nil {
			t.Fatal(err)
		}
		if err := writeText(&collected, gatherFamilies(t, c)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sortedLines(&collected), sortedLines(&gathered)); diff != "" {
			t.Errorf("the metrics differ (-registry +gathered):\n%s", diff)
		}
	}
	check()
	rule := prefix.Rule{Match: `fw (?P<zone>\w+) (?P<action>\w+):`, Prefix: "fw"}
	mustReload(t, c, []GroupConfig{{Group: 7}, {Group: 8}, {Group: 100, CopyRange: 64}}, rule)
	check()
	feedGroup(c, 2).count(udpInput("fw wan drop: ", 2, 100), udpInput("fw lan drop: ", 2, 100), udpInput("", 1, 100))
	check()
	mustReload(t, c, []GroupConfig{{Group: 100}})
	check()
}
