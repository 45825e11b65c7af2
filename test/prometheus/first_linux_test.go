// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"testing"

	"github.com/prometheus/prometheus/promql"
)

// checkFirstPacket checks what becomes of the first packet of a rule: before it,
// there was no series to increase.
//
// The range 15m of queries in use is here as long as it is from one scrape to
// another. What is queried depends on the samples in the range, and on whether there
// was one before: not on how much time is between them.
func (s *server) checkFirstPacket(t *testing.T, created bool, b bounds) {
	t.Helper()
	const (
		packets = `nflog_packets_total{prefix="first"}`
		// An increase, and all there is of a series that was not there before.
		everywhere = "(%[1]s unless %[1]s offset %[2]s) or increase(%[1]s[%[2]s])"
	)
	for _, point := range s.points(t, packets) {
		if point.T < b.first {
			continue // the creation time
		}
		// As long as the range begins before there were packets, all count.
		if got := s.scalar(t, point.T, everywhere, packets, duration(b.start, point.T)); got != point.F {
			t.Errorf("at %d, a query that needs no creation times sees %v packets, want %v", point.T, got, point.F)
		}
	}
	// Then those count that came in the range. It begins and ends with a scrape, so
	// that nothing is extrapolated.
	further := float64(len(furtherPackets))
	if got := s.scalar(t, b.end, everywhere, packets, duration(b.first, b.end)); got != further {
		t.Errorf("a query that needs no creation times sees %v further packets, want %v", got, further)
	}

	// An increase sees the first packet where a creation time says that there were
	// none before.
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

// points returns all samples of a series.
func (s *server) points(t *testing.T, selector string) []promql.FPoint {
	t.Helper()
	matrix := s.query(t, now(), "%s[1h]", selector).(promql.Matrix)
	if len(matrix) != 1 {
		t.Fatalf("%s is %d series", selector, len(matrix))
	}
	return matrix[0].Floats
}
