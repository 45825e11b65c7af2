// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCountsBuckets checks that a bound belongs to the bucket that it bounds.
func TestCountsBuckets(t *testing.T) {
	bounds := []uint32{64, 128, 1500}
	tests := []struct {
		length uint32
		bucket int // -1 for none
	}{
		{length: 0, bucket: -1},
		{length: 1, bucket: 0},
		{length: 64, bucket: 0},
		{length: 65, bucket: 1},
		{length: 128, bucket: 1},
		{length: 129, bucket: 2},
		{length: 1500, bucket: 2},
		{length: 1501, bucket: 3},
		{length: 1<<32 - 1, bucket: 3},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.length), func(t *testing.T) {
			want := counts{packets: 1, bytes: uint64(tt.length)}
			if tt.bucket >= 0 {
				want.buckets[tt.bucket] = 1
			}
			var got counts
			got.count(tt.length, bounds)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(counts{})); diff != "" {
				t.Errorf("unexpected counts (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("no bounds", func(t *testing.T) {
		var got counts
		got.count(100, nil)
		want := counts{packets: 1, bytes: 100, buckets: [maxBuckets + 1]uint64{1}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(counts{})); diff != "" {
			t.Errorf("unexpected counts (-want +got):\n%s", diff)
		}
	})
}
