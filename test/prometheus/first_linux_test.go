// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"testing"

	"github.com/prometheus/prometheus/promql"
)

// checkFirstPacket checks that queries count the first packet of a rule. Its series
// does not exist before, so that an increase alone may miss it.
//
// Users query ranges such as 15m. Here a range is the time from one scrape to another.
// The result depends on the samples in the range, and on whether there is one before
// it, but not on the time between them.
func (s *server) checkFirstPacket(t *testing.T, created bool, b bounds) {
	t.Helper()
	const (
		packets = `nflog_packets_total{prefix="first"}`
		// The increase, or the value of a series that is newer than the range.
		everywhere = "(%[1]s unless %[1]s offset %[2]s) or increase(%[1]s[%[2]s])"
	)
	for _, point := range s.points(t, packets) {
		if point.T < b.first {
			continue // the creation time
		}
		// This range begins before the first packet, so all packets count.
		if got := s.scalar(t, point.T, everywhere, packets, duration(b.start, point.T)); got != point.F {
			t.Errorf("at %d, a query that needs no creation times sees %v packets, want %v", point.T, got, point.F)
		}
	}
	// In this range, only the further packets count. It begins and ends with a scrape,
	// so that Prometheus does not extrapolate.
	further := float64(len(furtherPackets))
	if got := s.scalar(t, b.end, everywhere, packets, duration(b.first, b.end)); got != further {
		t.Errorf("a query that needs no creation times sees %v further packets, want %v", got, further)
	}

	// An increase includes the first packet only with a creation time, which Prometheus
	// stores as a sample of 0.
	sees := 0.0
	if created {
		sees = float64(len(firstPackets))
	}
	for _, metric := range []string{"packets_total", "packet_size_bytes_count"} {
		if got := s.scalar(t, b.before, `increase(nflog_%s{prefix="first"}[%s])`, metric, duration(b.start, b.before)); got != sees {
			t.Errorf("increase of %s sees %v of the first packets, want %v", metric, got, sees)
		}
	}
}

// checkFirstByPrefix checks that an increase by prefix includes the first packet, with or without creation times: the rule had the
// prefix before.
func (s *server) checkFirstByPrefix(t *testing.T, b bounds) {
	t.Helper()
	const packets = `nflog_prefix_packets_total{prefix="first"}`
	for _, window := range []string{duration(b.start, b.before), "5m"} {
		if got := s.scalar(t, b.before, "round(increase(%s[%s]))", packets, window); got != float64(len(firstPackets)) {
			t.Errorf("increase in %s by prefix is %v, want %d", window, got, len(firstPackets))
		}
	}
	// Five minutes before the scrape, there was no series yet, so that Prometheus does not extrapolate.
	if got := s.scalar(t, b.before, "increase(%s[5m])", packets); got != float64(len(firstPackets)) {
		t.Errorf("increase by prefix is %v, want %d", got, len(firstPackets))
	}
	if points := s.points(t, packets); points[0].F != 0 {
		t.Errorf("the first sample by prefix is %v, want 0", points[0].F)
	}
}

// points returns all samples of a series.
func (s *server) points(t *testing.T, selector string) []promql.FPoint {
	t.Helper()
	matrix := s.query(t, now(), "%s[1h]", selector).(promql.Matrix)
	if len(matrix) != 1 {
		t.Fatalf("%s is %d series", selector, len(matrix))
	}
	return matrix[0].Floats
}
