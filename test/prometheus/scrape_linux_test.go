// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationScrape scrapes the exporter with and without Prometheus's optional
// features, and queries the stored samples.
func TestIntegrationScrape(t *testing.T) {
	for _, tt := range []struct {
		name string
		features
	}{
		{"defaults", features{}},
		{"creation times", features{created: true}},
		{"native histograms", features{native: true}},
		{"creation times and native histograms", features{created: true, native: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			startExporter(t, h.ns)
			s := startServer(t, tt.features, func(ctx context.Context) (net.Conn, error) { return dial(ctx, h.ns) })
			b := s.scrapeTraffic(t, h)

			s.checkCounts(t, h, b.end)
			s.checkNothingRejected(t, b.end)
			s.checkFirstPacket(t, tt.created, b)
			s.checkFirstByPrefix(t, b)
			s.checkSizes(t, tt.features, b)
		})
	}
}

// bounds are times of scrapes, in milliseconds.
type bounds struct {
	start  int64 // before any packet
	first  int64 // the first with a packet of rule first
	before int64 // the last before the further packets
	end    int64 // with all packets
}

// Sizes of the packets that are sent first, and of those that are sent later.
var (
	firstPackets, furtherPackets = []int{100}, []int{100, 200, 300, 400}

	// 67 packets, and 97 in total: prime numbers, so that no quantile lies between two
	// packets.
	firstSizes, furtherSizes = packetSizes(30), packetSizes(67)
)

// scrapeTraffic sends packets between scrapes.
func (s *server) scrapeTraffic(t *testing.T, h *host) bounds {
	t.Helper()
	var b bounds
	s.awaitSeries(t, "nflog_prefix_packets_total", len(h.logs))
	b.start = s.awaitScrapes(t, 2)
	// A scrape has just ended: the exporter counts these before the next one.
	h.send(t, first, firstPackets...)
	h.send(t, sizes, firstSizes...)
	for rule := range h.logs {
		if rule != first && rule != sizes {
			h.send(t, rule, 100, 1000)
		}
	}
	s.awaitCounts(t, h)
	for _, point := range s.points(t, `nflog_packets_total{prefix="first"}`) {
		if point.F > 0 {
			b.first = point.T
			break
		}
	}

	b.before = s.awaitScrapes(t, 2)
	h.send(t, first, furtherPackets...)
	h.send(t, sizes, furtherSizes...)
	s.awaitCounts(t, h)
	b.end = s.awaitScrapes(t, 1)
	return b
}

// awaitSeries waits until a metric has as many series.
func (s *server) awaitSeries(t *testing.T, metric string, n int) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		if got := s.scalar(t, now(), "count(%s)", metric); got != float64(n) {
			return fmt.Errorf("%s has %v series, want %d", metric, got, n)
		}
		return nil
	})
}

// awaitCounts waits until a scrape has as many packets as the rules have counted.
func (s *server) awaitCounts(t *testing.T, h *host) {
	t.Helper()
	packets, _ := h.counts(t)
	want := 0.0
	for n := range maps.Values(packets) {
		want += n
	}
	kerneltest.Eventually(t, patience, func() error {
		scrapes := s.scrapes(t)
		if got := s.scalar(t, scrapes[len(scrapes)-1], "sum(nflog_packets_total)"); got != want {
			return fmt.Errorf("%v packets, want %v", got, want)
		}
		return nil
	})
}

// checkCounts checks that the counts in Prometheus are those of the rules.
func (s *server) checkCounts(t *testing.T, h *host, at int64) {
	t.Helper()
	packets, bytes := h.counts(t)
	if diff := cmp.Diff(packets, s.vector(t, at, "prefix", "sum by (prefix) (nflog_packets_total)")); diff != "" {
		t.Errorf("unexpected packets (-rules +Prometheus):\n%s", diff)
	}
	if diff := cmp.Diff(bytes, s.vector(t, at, "prefix", "sum by (prefix) (nflog_bytes_total)")); diff != "" {
		t.Errorf("unexpected bytes (-rules +Prometheus):\n%s", diff)
	}
	if lost := s.scalar(t, at, "nflog_lost_packets_total"); lost != 0 {
		t.Errorf("%v packets were lost", lost)
	}
}

// rejections matches the names of Prometheus's own counters of rejected samples and failures.
var rejections = regexp.MustCompile("exceeded|failed|failures|duplicate|out_of_order|out_of_bound|too_old|flush_forced|corrupt")

// checkNothingRejected checks that Prometheus has stored all samples.
func (s *server) checkNothingRejected(t *testing.T, at int64) {
	t.Helper()
	// The whole scrape fails if a sample has an invalid name or label.
	for _, point := range s.points(t, "up") {
		if point.F != 1 {
			t.Errorf("the scrape at %d has failed", point.T)
		}
	}
	// Prometheus adds five series to each scrape: up and four others.
	const added = 5
	scraped := s.scalar(t, at, "scrape_samples_scraped")
	if stored := s.scalar(t, at, `count({job="nflog"})`) - added; stored != scraped {
		t.Errorf("a scrape has %v samples, but there are %v series", scraped, stored)
	}

	families, err := s.registry.Gather()
	must(t, err)
	var checked []string
	for _, family := range families {
		if !rejections.MatchString(family.GetName()) {
			continue
		}
		checked = append(checked, family.GetName())
		for _, m := range family.GetMetric() {
			if n := m.GetCounter().GetValue(); n != 0 {
				t.Errorf("%s%v is %v", family.GetName(), m.GetLabel(), n)
			}
		}
	}
	for _, name := range []string{"out_of_order", "duplicate_timestamp", "out_of_bounds"} {
		if name = "prometheus_target_scrapes_sample_" + name + "_total"; !slices.Contains(checked, name) {
			t.Errorf("no metric %s, but %q", name, checked)
		}
	}
	if lines := s.warnings.all(); len(lines) > 0 {
		t.Errorf("Prometheus has logged warnings: %q", lines)
	}
}
