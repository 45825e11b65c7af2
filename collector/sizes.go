// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/prometheus/client_golang/prometheus"
)

// nativeSchema is the resolution of the native histogram: eight buckets for each doubling, each 9 % wider than the one
// before. Sizes have 32 bits, so there are at most some 250 buckets.
const nativeSchema = 3

// A bucketLayout divides packet sizes into sub-buckets, as finely as the classic and the native buckets of the histogram
// do together: no bound of either lies within a sub-bucket. So both are sums of the same counts. There are 239
// sub-buckets, and at most one more for each classic bound.
type bucketLayout struct {
	bounds []uint32 // of the classic buckets, ascending

	// What all histograms share.
	upperBounds   []float64 // bounds
	nativeSchema  int32
	zeroThreshold float64 // width of the native bucket around 0, where no packet is: client_golang's default
	zeroCount     uint64

	subBuckets []subBucket
	small      [smallSizes]uint8 // index of the sub-bucket of each size that nearly all packets have
}

// MaxPacketSizeBuckets is how many classic buckets there may be. It keeps the index of a sub-bucket in a byte.
const MaxPacketSizeBuckets = 16

const smallSizes = 2048

// A subBucket is a range of sizes.
type subBucket struct {
	upper   uint32 // the largest of them
	classic int    // index of the classic bucket, len(bounds) for +Inf
	native  int32  // index of the native bucket
}

// newBucketLayout returns the layout of a histogram with these classic bounds.
func newBucketLayout(bounds []uint32) (*bucketLayout, error) {
	if len(bounds) > MaxPacketSizeBuckets {
		return nil, fmt.Errorf("%d buckets of packet sizes: more than %d", len(bounds), MaxPacketSizeBuckets)
	}
	for i := 1; i < len(bounds); i++ {
		if bounds[i] <= bounds[i-1] {
			return nil, fmt.Errorf("buckets of packet sizes: %d follows %d, not ascending", bounds[i], bounds[i-1])
		}
	}
	l := &bucketLayout{bounds: bounds, nativeSchema: nativeSchema, zeroThreshold: prometheus.DefNativeHistogramZeroThreshold}
	for _, bound := range bounds {
		l.upperBounds = append(l.upperBounds, float64(bound))
	}
	uppers := append(nativeUppers(), bounds...)
	slices.Sort(uppers)
	natives := nativeUppers()
	for _, upper := range slices.Compact(uppers) {
		classic, _ := slices.BinarySearch(bounds, upper)
		// The first native bound that is not below it: bounds of small buckets without an integer are equal.
		native, _ := slices.BinarySearch(natives, upper)
		l.subBuckets = append(l.subBuckets, subBucket{upper, classic, int32(native)})
	}
	for size := range uint32(smallSizes) {
		l.small[size] = l.search(size)
	}
	return l, nil
}

// nativeUppers returns the largest integer in each native bucket, beginning with the bucket that ends at 1.
func nativeUppers() []uint32 {
	const perDoubling = 1 << nativeSchema
	var uppers []uint32
	for i := 0; i <= 32*perDoubling; i++ {
		upper := math.Floor(math.Ldexp(math.Exp2(float64(i%perDoubling)/perDoubling), i/perDoubling))
		uppers = append(uppers, uint32(min(upper, math.MaxUint32)))
	}
	return uppers
}

// search returns the index of a size's sub-bucket.
func (l *bucketLayout) search(size uint32) uint8 {
	return uint8(sort.Search(len(l.subBuckets), func(i int) bool { return size <= l.subBuckets[i].upper }))
}

// index returns the index of a size's sub-bucket.
func (l *bucketLayout) index(size uint32) uint8 {
	if size < smallSizes {
		return l.small[size]
	}
	return l.search(size)
}

// Sub-buckets are counted in blocks, which are allocated when they are needed: the packets of one label set have few
// sizes.
const (
	blockLen  = 16
	maxBlocks = 16
)

type sizeBlock [blockLen]uint64

// sizeCounts are counts of packets by size.
type sizeCounts struct {
	sum    uint64 // of the sizes
	blocks [maxBlocks]*sizeBlock
}

// counter returns the counter of a sub-bucket. It reports whether it allocated a block for it.
func (c *sizeCounts) counter(subBucket uint8) (counter *uint64, grew bool) {
	block := c.blocks[subBucket/blockLen]
	if block == nil {
		block = new(sizeBlock)
		c.blocks[subBucket/blockLen] = block
		grew = true
	}
	return &block[subBucket%blockLen], grew
}

// blockCount returns how many blocks are allocated.
func (c *sizeCounts) blockCount() int {
	n := 0
	for _, block := range c.blocks {
		if block != nil {
			n++
		}
	}
	return n
}
