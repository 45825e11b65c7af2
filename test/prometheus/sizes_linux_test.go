// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// classicBounds are the bounds of the exporter's classic buckets, in bytes.
var classicBounds = []float64{0, 64, 128, 256, 512, 1024, 1500, 9000, 65535}

// nativeBounds returns the bounds of native buckets, eight for each doubling.
func nativeBounds() []float64 {
	var bounds []float64
	for i := range 16*8 + 1 {
		bounds = append(bounds, math.Exp2(float64(i)/8))
	}
	return bounds
}

// packetSizes returns n packet sizes: those at classic bounds, and random ones of each
// order of magnitude.
func packetSizes(n int) []int {
	const smallest, largest = 28, 65535
	sizes := []int{smallest, largest}
	for _, bound := range classicBounds[1:8] {
		sizes = append(sizes, int(bound), int(bound)+1)
	}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for len(sizes) < n {
		sizes = append(sizes, int(smallest*math.Pow(largest/smallest, random.Float64())))
	}
	return sizes
}

// checkSizes checks the histogram of sizes, and its increase between two scrapes.
func (s *server) checkSizes(t *testing.T, f features, b bounds) {
	t.Helper()
	s.checkHistogram(t, f, b.end, "%s", slices.Concat(firstSizes, furtherSizes))
	// The range is from one scrape to another, so that Prometheus does not extrapolate.
	// It is not from the beginning: before 3.0, Prometheus stores the creation time of a
	// native histogram as a sample that is no histogram, and increase has no result over
	// it.
	s.checkHistogram(t, f, b.end, fmt.Sprintf("increase(%%s[%s])", duration(b.before, b.end)), furtherSizes)
}

// checkHistogram checks the results of queries on the histogram against the sizes of
// the sent packets.
func (s *server) checkHistogram(t *testing.T, f features, at int64, query string, sent []int) {
	t.Helper()
	of := func(suffix string) string {
		return fmt.Sprintf(query, "nflog_packet_size_bytes"+suffix+`{prefix="sizes"}`)
	}
	sent = slices.Sorted(slices.Values(sent))
	sum := 0
	for _, size := range sent {
		sum += size
	}
	classic, native := of("_bucket"), of("")

	s.checkValue(t, at, of("_count"), float64(len(sent)))
	s.checkValue(t, at, of("_sum"), float64(sum))
	buckets := s.vector(t, at, "le", "%s", classic)
	for _, bound := range classicBounds[1:] {
		le := fmt.Sprintf("%.1f", bound)
		n, _ := slices.BinarySearch(sent, int(bound)+1)
		if got, ok := buckets[le]; !ok || got != float64(n) {
			t.Errorf("%s: %v packets up to %s bytes, want %d", classic, got, le, n)
		}
	}
	if f.native {
		s.checkValue(t, at, fmt.Sprintf("histogram_count(%s)", native), float64(len(sent)))
		s.checkValue(t, at, fmt.Sprintf("histogram_sum(%s)", native), float64(sum))
		for i := range 17 {
			// Powers of two are bounds of native buckets.
			n, _ := slices.BinarySearch(sent, 1<<i+1)
			s.checkValue(t, at, fmt.Sprintf("histogram_fraction(0, %d, %s)", 1<<i, native), float64(n)/float64(len(sent)))
		}
	}

	for _, quantile := range []float64{0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99} {
		// The result must be in the same bucket as the packet at the quantile.
		size := float64(sent[int(quantile*float64(len(sent)))])
		s.checkWithin(t, at, fmt.Sprintf("histogram_quantile(%v, %s)", quantile, classic), classicBounds, size)
		if f.native {
			s.checkWithin(t, at, fmt.Sprintf("histogram_quantile(%v, %s)", quantile, native), nativeBounds(), size)
		}
	}
}

// checkValue checks the value of a query's result.
func (s *server) checkValue(t *testing.T, at int64, query string, want float64) {
	t.Helper()
	if got := s.scalar(t, at, "%s", query); math.Abs(got-want) > want*1e-9 {
		t.Errorf("%s: got %v, want %v", query, got, want)
	}
}

// checkWithin checks that the value of a query's result is in the same bucket as size.
func (s *server) checkWithin(t *testing.T, at int64, query string, bounds []float64, size float64) {
	t.Helper()
	upper, _ := slices.BinarySearch(bounds, size)
	got := s.scalar(t, at, "%s", query)
	if got < bounds[upper-1] || got > bounds[upper] {
		t.Errorf("%s: got %v, want more than %v and up to %v", query, got, bounds[upper-1], bounds[upper])
	}
}
