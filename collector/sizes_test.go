// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"testing"
)

// sizesToTest returns all sizes that packets usually have, and larger ones near powers of two.
func sizesToTest() []uint32 {
	var sizes []uint32
	for size := range uint32(70_000) {
		sizes = append(sizes, size+1)
	}
	for shift := 17; shift < 32; shift++ {
		sizes = append(sizes, 1<<shift-1, 1<<shift, 1<<shift+1, 3<<(shift-1))
	}
	return append(sizes, math.MaxUint32-1, math.MaxUint32)
}

// TestBucketLayoutSubBuckets checks that the sub-bucket of a size belongs to the classic and the native bucket that
// Prometheus defines for it.
func TestBucketLayoutSubBuckets(t *testing.T) {
	bounds := []uint32{1, 63, 64, 65, 100, 1500, 65535, 70_001}
	layout, err := newBucketLayout(bounds)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range sizesToTest() {
		b := layout.subBuckets[layout.index(size)]
		classic := 0
		for classic < len(bounds) && size > bounds[classic] {
			classic++
		}
		// The upper bound of native bucket i is 2^(i/8), and belongs to it.
		fits := float64(size) <= math.Exp2(float64(b.native)/8) && float64(size) > math.Exp2(float64(b.native-1)/8)
		if b.classic != classic || !fits {
			t.Fatalf("size %d is in the classic bucket %d, want %d, and in the native one %d", size, b.classic, classic, b.native)
		}
	}
}

// TestBucketLayoutNativeResolution checks that sizes that differ by a tenth are in different native buckets.
func TestBucketLayoutNativeResolution(t *testing.T) {
	layout, err := newBucketLayout(nil)
	if err != nil {
		t.Fatal(err)
	}
	for size := uint32(64); size <= 65536; size++ {
		larger := uint32(math.Ceil(float64(size) * 1.1))
		if layout.subBuckets[layout.index(size)].native == layout.subBuckets[layout.index(larger)].native {
			t.Fatalf("%d and %d are in one bucket", size, larger)
		}
	}
}
