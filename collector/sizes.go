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

// A sizeCount is how many packets a sub-bucket has, and above that, in eight bits, the tag of the sub-bucket: so it is 0 for none,
// and numbers sort by sub-bucket.
type sizeCount uint64

const sizeCountBits = 56

// A sizeTag is the index of a sub-bucket, and one.
type sizeTag uint8

func (c sizeCount) tag() sizeTag { return sizeTag(c >> sizeCountBits) }

// packets returns how many packets the sub-bucket has.
func (c sizeCount) packets() uint64 { return uint64(c & (1<<sizeCountBits - 1)) }

// sizeCounts are counts of packets by size. The packets of one label set have few sizes, so only sub-buckets with packets are
// there, in a hash table with open addressing.
type sizeCounts struct {
	counts []sizeCount // a power of two, at most seven eighths of them in use
	used   uint16
}

const minSizeCounts = 4

func newSizeCounts() sizeCounts { return sizeCounts{counts: make([]sizeCount, minSizeCounts)} }

// first returns where the count of a sub-bucket is looked for first. Nearly always, it is there.
func (c *sizeCounts) first(tag sizeTag) *sizeCount { return &c.counts[int(tag)&(len(c.counts)-1)] }

// find returns the count of a sub-bucket, or a free one for it.
func (c *sizeCounts) find(tag sizeTag) *sizeCount {
	mask := len(c.counts) - 1
	for i := int(tag); ; i++ {
		if n := &c.counts[i&mask]; *n == 0 || n.tag() == tag {
			return n
		}
	}
}

// count counts a packet in its sub-bucket. It returns by how much counts grew.
func (c *sizeCounts) count(tag sizeTag) (grew int) {
	n := c.find(tag)
	if *n == 0 {
		if 8*int(c.used+1) > 7*len(c.counts) {
			grew = c.grow()
			n = c.find(tag)
		}
		*n = sizeCount(tag) << sizeCountBits
		c.used++
	}
	*n++
	return grew
}

// grow makes room. It returns how much.
func (c *sizeCounts) grow() int {
	old := c.counts
	c.counts = make([]sizeCount, 2*len(old))
	for _, n := range old {
		if n != 0 {
			*c.find(n.tag()) = n
		}
	}
	return len(old)
}
