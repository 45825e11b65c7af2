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

// nativeSchema is the resolution of the native histogram: eight buckets for each doubling, each 9 %
// wider than the one before. Sizes have 32 bits, so there are some 250 at most.
const nativeSchema = 3

// A sizeScale tells packet sizes apart, in bytes, as finely as the classic and the native buckets of the
// histogram do together: no bound of either lies within a cell. So both are made of the same counts.
// There are 239 cells, and one more for each classic bound at most.
type sizeScale struct {
	bounds []uint32 // of the classic buckets, ascending

	// What every histogram has in common.
	upperBounds   []float64 // bounds
	nativeSchema  int32
	zeroThreshold float64 // width of the native bucket around 0, where no packet is: as client_golang has it
	zeroCount     uint64

	cells []sizeCell
	small [smallSizes]uint8 // cells of the sizes that nearly all packets have
}

const (
	smallSizes = 2048
	maxBuckets = 16 // classic ones, so that a byte tells the cell
)

// A sizeCell is a range of sizes.
type sizeCell struct {
	upper   uint32 // the largest of them
	classic int    // index of the classic bucket, len(bounds) for +Inf
	native  int32  // index of the native bucket
}

// newSizeScale returns the scale of a histogram with these bounds.
func newSizeScale(bounds []uint32) (*sizeScale, error) {
	if len(bounds) > maxBuckets {
		return nil, fmt.Errorf("%d buckets of packet sizes: more than %d", len(bounds), maxBuckets)
	}
	for i := 1; i < len(bounds); i++ {
		if bounds[i] <= bounds[i-1] {
			return nil, fmt.Errorf("buckets of packet sizes: %d follows %d, not ascending", bounds[i], bounds[i-1])
		}
	}
	s := &sizeScale{bounds: bounds, nativeSchema: nativeSchema, zeroThreshold: prometheus.DefNativeHistogramZeroThreshold}
	for _, bound := range bounds {
		s.upperBounds = append(s.upperBounds, float64(bound))
	}
	uppers := append(nativeUppers(), bounds...)
	slices.Sort(uppers)
	natives := nativeUppers()
	for _, upper := range slices.Compact(uppers) {
		classic, _ := slices.BinarySearch(bounds, upper)
		// The first of the native bounds that is not below: those of small buckets without integers are equal.
		native, _ := slices.BinarySearch(natives, upper)
		s.cells = append(s.cells, sizeCell{upper, classic, int32(native)})
	}
	for size := range uint32(smallSizes) {
		s.small[size] = s.search(size)
	}
	return s, nil
}

// nativeUppers returns the largest integer in each native bucket, from the one on that ends with 1.
func nativeUppers() []uint32 {
	const perDoubling = 1 << nativeSchema
	var uppers []uint32
	for i := 0; i <= 32*perDoubling; i++ {
		upper := math.Floor(math.Ldexp(math.Exp2(float64(i%perDoubling)/perDoubling), i/perDoubling))
		uppers = append(uppers, uint32(min(upper, math.MaxUint32)))
	}
	return uppers
}

// search returns the index of the cell that a size lies in.
func (s *sizeScale) search(size uint32) uint8 {
	return uint8(sort.Search(len(s.cells), func(i int) bool { return size <= s.cells[i].upper }))
}

// cell returns the index of the cell that a size lies in.
func (s *sizeScale) cell(size uint32) uint8 {
	if size < smallSizes {
		return s.small[size]
	}
	return s.search(size)
}

// Cells are counted in pages, which come to be when they are needed: the packets of one label set
// have few sizes.
const (
	pageCells = 16
	sizePages = 16
)

type sizePage [pageCells]uint64

// A sizeCount counts packets by size.
type sizeCount struct {
	sum   uint64 // of the sizes
	pages [sizePages]*sizePage
}

// count counts a packet, and reports whether a page came to be.
func (c *sizeCount) count(size uint32, cell uint8) (grew bool) {
	c.sum += uint64(size)
	page := c.pages[cell/pageCells]
	if page == nil {
		page = new(sizePage)
		c.pages[cell/pageCells] = page
		grew = true
	}
	page[cell%pageCells]++
	return grew
}

// pageCount returns how many pages there are.
func (c *sizeCount) pageCount() int {
	n := 0
	for _, page := range c.pages {
		if page != nil {
			n++
		}
	}
	return n
}
